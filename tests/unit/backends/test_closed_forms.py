"""Closed forms at many rows equal automatic differentiation, which the table of estimators checks by differences."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import cho_solve
from sklearn.decomposition import PCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process import kernels as k
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import estimators
from landform.backends import Model, from_sklearn
from landform.backends.sklearn import registry, wrap
from landform.derivatives import jacobian, prepare
from landform.errors import DerivativeError, ModelError, ShapeError
from richardson import stencil

RNG = np.random.default_rng(5)
X = RNG.uniform(-1, 2, (30, 3))
y = np.sin(X[:, 0]) * X[:, 1] + X[:, 2]
NAMES = ("sugar", "fat", "salt")
BY_FORM = {
    "GaussianProcessRegressor, RBF",
    "GaussianProcessRegressor, sum and product",
    "GaussianProcessRegressor, ExpSineSquared",
    "MLPRegressor, tanh",
    "MLPClassifier, classes",
    "KernelRidge, poly",
    "SVR, sigmoid",
    "StackingRegressor",
    "MultiOutputRegressor",
    "CalibratedClassifierCV, temperature",
}
"""Some that must have a closed form; the others are compared where they have one."""


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("case", estimators.CASES, ids=lambda case: f"{case.name}-{case.method}")
def test_closed_forms_are_what_autodiff_gives(case):
    rows, _ = estimators.data(case.data)
    model = from_sklearn(estimators.fitted(case), rows, method=case.method, tolerance=case.values)
    if model.closed is None:
        assert case.name not in BY_FORM
        return
    points = np.asarray(rows)[:5] + 0.0137 * np.asarray(rows).std(axis=0)
    model.checked_function()
    traced = replace(model, closed=None, unchecked=None)
    for name in ("values", "jacobians", "hessians"):
        ours, theirs = getattr(model, name)(points), getattr(traced, name)(points)
        # Probabilities that are 0 or 1 to rounding have slopes below rounding.
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11 * np.abs(theirs).max() + 1e-14)


DEEP = MLPRegressor(hidden_layer_sizes=(6, 5, 4), activation="tanh", max_iter=20, random_state=0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_deep_networks_and_chains():
    for estimator in (DEEP, make_pipeline(StandardScaler(), PCA(2), DEEP)):
        model = from_sklearn(estimator.fit(X, np.column_stack([y, y**2])), X)
        traced = replace(model, closed=None, unchecked=None)
        np.testing.assert_allclose(model.hessians(X), traced.hessians(X), atol=1e-12 * np.abs(model.hessians(X)).max())


def process(kernel, **own):
    return GaussianProcessRegressor(kernel, optimizer=None, **own)


NOISE = k.WhiteKernel(0.1)
KNOWN = {
    "RBF": process(2.0 * k.RBF([0.7, 1.3, 2.0]) + NOISE, normalize_y=True),
    "Matern 3/2": process(k.Matern(1.5, nu=1.5) + NOISE),
    "Matern 5/2": process(k.Matern([1.5, 1.0, 2.0], nu=2.5) + NOISE),
    "RationalQuadratic": process(k.RationalQuadratic(1.5, 0.7) + NOISE),
    "products": process(k.RBF(2.0) * k.DotProduct(1.0) + k.DotProduct(0.3) ** 2 + NOISE),
    "periodic": process(k.ExpSineSquared(1.1, 9.0) * k.RBF(2.0) + NOISE),
}


def posterior(estimator, points):
    """The noise-free function's covariance at points: Rasmussen and Williams, eq. 2.24, from the kernel's own calls."""
    kernel, scale = estimator.kernel_, float(np.squeeze(estimator._y_train_std))
    cross = kernel(points, estimator.X_train_)
    return scale**2 * (kernel(points, points.copy()) - cross @ cho_solve((estimator.L_, True), cross.T))


@pytest.mark.parametrize("name", KNOWN)
def test_slope_covariances_are_differences_of_the_posterior(name):
    """cov(∂ᵢf, ∂ⱼf) from extrapolated differences of f: their covariance under the posterior is exact, w' C w."""
    estimator = KNOWN[name].fit(X, y)
    model = from_sklearn(estimator, X)
    x = X[3] + [0.05, -0.1, 0.07]
    # A Matérn 3/2 is no polynomial in even powers near itself: there one small step, exact to about its size.
    step, levels, close = (1e-4, 1, 1e-3) if name == "Matern 3/2" else (0.3, 6, 3e-5)
    t, w = stencil(1, step, levels)
    points = np.concatenate([x + t[:, None] * e for e in np.eye(3)])
    weights = np.kron(np.eye(3), w)
    expected = weights @ posterior(estimator, points) @ weights.T
    found = model.slope_covariances(x[None])[0, 0]
    np.testing.assert_allclose(found, expected, atol=close * np.abs(expected).max())
    np.testing.assert_allclose(model.slope_errors(x[None])[0, 0], np.sqrt(np.diag(found)))


@pytest.mark.parametrize("name", KNOWN)
def test_sums_of_slopes_over_rows_are_differences_of_the_posterior(name):
    """Var Σ vᵣ'∇f(xᵣ): weights times the posterior's covariance at the points of stencils along every vᵣ."""
    estimator = KNOWN[name].fit(X, y)
    rows, same = X[:4] + np.array([0.05, -0.1, 0.07]), np.broadcast_to(RNG.normal(size=(3, 2)), (4, 3, 2))
    V = np.concatenate([same, RNG.normal(size=(4, 3, 2))], axis=2)
    step, levels, close = (1e-4, 1, 1e-3) if name == "Matern 3/2" else (0.3, 6, 3e-5)
    t, w = stencil(1, step, levels)
    found = from_sklearn(estimator, X).doubt.variances_of_sums(rows, V)
    for place in range(4):
        points = np.concatenate([x + t[:, None] * v for x, v in zip(rows, V[:, :, place], strict=True)])
        weights = np.tile(w, 4)
        assert found[0, place] == pytest.approx(weights @ posterior(estimator, points) @ weights, rel=close)
    scaled = make_pipeline(StandardScaler(), estimator).fit(X, y)
    behind, (_, last) = from_sklearn(scaled, X).doubt, scaled.steps[1]
    inside = from_sklearn(last, scaled[0].transform(X)).doubt
    np.testing.assert_allclose(
        behind.variances_of_sums(rows, V),
        inside.variances_of_sums(scaled[0].transform(rows), V / scaled[0].scale_[:, None]),
        rtol=1e-8,
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_prepared_models_take_closed_forms():
    """At one point and at many, as automatic differentiation of the same network has it."""
    model = from_sklearn(DEEP.fit(X, np.column_stack([y, y**2])), X)
    ours, theirs = prepare(model, X[0]), prepare(model, X[0], mode="forward")
    assert "closed form" in ours.explain() and "closed form" not in theirs.explain()
    x, v, weights = X[1], X[2], np.array([0.3, -2.0])
    for name, args in {
        "value": (x,), "value_and_jacobian": (x,), "second": (x,), "bend": (x, v), "hessian": (x, weights),
        "hessian_product": (x, v, weights), "values": (X,), "values_and_jacobians": (X,),
    }.items():  # fmt: skip
        one, other = (np.concatenate([np.ravel(part) for part in getattr(p, name)(*args)]) for p in (ours, theirs))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    with pytest.raises(DerivativeError, match="finite"):
        nowhere = np.full((1, 2, 3), np.nan)
        prepare(replace(model, closed=lambda X, order: (nowhere[:, :, 0], nowhere)), x).value_and_jacobian(x)
    J = jacobian(model, X, batched=True)
    assert "closed form" in J.explain()
    np.testing.assert_allclose(J.dense(), theirs.jacobians(X), rtol=1e-9, atol=1e-12)


def test_slope_errors_pass_through_scalers_and_projections():
    inner = make_pipeline(StandardScaler(), process(k.RBF(1.3) + NOISE)).fit(X, y)
    alone = from_sklearn(inner[-1], inner[0].transform(X))
    through = from_sklearn(inner, X).slope_errors(X)
    np.testing.assert_allclose(through, alone.slope_errors(inner[0].transform(X)) / inner[0].scale_, rtol=1e-10)
    bent = make_pipeline(PolynomialFeatures(2), process(k.RBF(1.3) + NOISE)).fit(X, y)
    with pytest.raises(DerivativeError, match="knows its doubt"):
        from_sklearn(bent, X).slope_errors(X)


def test_two_outputs_have_errors_in_their_own_units():
    both = process(k.RBF(1.3) + NOISE, normalize_y=True).fit(X, np.column_stack([y, 100 * y]))
    one, other = from_sklearn(both, X).slope_errors(X).transpose(1, 0, 2)
    np.testing.assert_allclose(other, 100 * one, rtol=1e-12)


def test_rows_far_from_the_origin_lose_little():
    """The same process moved by 1e4 length scales: distances do not mind."""
    here, there = (from_sklearn(process(k.RBF(1.3) + NOISE).fit(X + by, y), X + by) for by in (0.0, 1e4))
    np.testing.assert_allclose(there.hessians(X + 1e4), here.hessians(X), atol=1e-8 * np.abs(here.hessians(X)).max())


def test_data_frames_are_taken_by_name():
    frame = pd.DataFrame(X, columns=NAMES)
    model = from_sklearn(Ridge().fit(frame, y), frame)
    np.testing.assert_allclose(
        model.values(frame[["salt", "fat", "sugar"]].assign(hue=1.0)), model.values(X), rtol=1e-13
    )
    with pytest.raises(ShapeError, match="column for each of sugar, fat, salt, got none for fat"):
        model.values(frame[["salt", "sugar"]])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (X[0], r"rows of 3 numbers, shape \(rows, 3\), got shape \(3,\)"),
        (X[:, :2], "got shape"),
        (np.where(X[2, 1] == X, np.nan, X), "got nan in row 2, input x1"),
        ([["a", "b", "c"]], "rows of numbers"),
    ],
)
def test_bad_rows_are_refused(rows, words):
    with pytest.raises(ShapeError, match=words):
        from_sklearn(Ridge().fit(X, y), X).jacobians(rows)


@pytest.mark.parametrize("rows", [0, 1, 5, 300])
def test_any_number_of_rows(rows):
    model = Model(lambda x: x[:2] * x[2], (), ("p", "q", "r"), ("a", "b"))
    points = RNG.normal(size=(rows, 3))
    assert model.values(points).shape == (rows, 2)
    expected = np.zeros((rows, 2, 3))
    expected[:, 0, 0] = expected[:, 1, 1] = points[:, 2]
    expected[:, :, 2] = points[:, :2]
    np.testing.assert_allclose(model.jacobians(points), expected, atol=1e-15)


def test_many_rows_need_little_more_memory_than_their_result():
    estimator = process(k.RBF([0.7, 1.3, 2.0]) + NOISE).fit(X, y)
    model = from_sklearn(estimator, X)
    many = RNG.normal(size=(100_000, 3))
    tracemalloc.start()
    result = model.hessians(many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - result.nbytes < 1.5e8


class Odd(Ridge):
    """To give a wrong function beside a right closed form."""


def test_the_function_beside_a_closed_form_is_checked_before_it_serves():
    @registry.register_translation(Odd)
    def _(estimator):
        right = registry.translate(Ridge().fit(X, y))
        return registry.Translation(
            lambda x: 1.001 * (estimator.coef_ @ x + estimator.intercept_)[None], (), (), right.closed
        )

    model = wrap.from_sklearn(Odd().fit(X, y), X)
    model.jacobians(X)
    with pytest.raises(ModelError, match="equal to it on every row"):
        jacobian(model, X[0])
