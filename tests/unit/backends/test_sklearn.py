"""Fitted scikit-learn estimators as models: equal to what they predict, exact class or refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from landform.backends import Model, exponential, from_sklearn, linear_model, register_translation, stack_models
from landform.backends.sklearn import registry
from landform.derivatives import hessian, jacobian
from landform.errors import ModelError, ShapeError

RNG = np.random.default_rng(11)
X = RNG.uniform(-1, 2, (25, 3))
Y = np.column_stack([X @ [1.0, -2.0, 0.5] + 3, np.sin(X[:, 0]) * X[:, 2]])
y = Y[:, 1] + 0.5 * Y[:, 0]
KERNEL = ConstantKernel(2.0) * RBF([0.7, 1.3, 2.0]) + WhiteKernel(0.01)

ESTIMATORS = {
    "line": LinearRegression(),
    "line through 0": LinearRegression(fit_intercept=False),
    "ridge": Ridge(alpha=0.3),
    "standardized": make_pipeline(StandardScaler(), Ridge()),
    "centred only": make_pipeline(StandardScaler(with_std=False), LinearRegression()),
    "scaled only": make_pipeline(StandardScaler(with_mean=False), LinearRegression()),
    "ranged": make_pipeline(MinMaxScaler((-2, 3)), LinearRegression()),
    "with a step that does nothing": make_pipeline("passthrough", StandardScaler(), LinearRegression()),
    "process": GaussianProcessRegressor(KERNEL, optimizer=None),
    "process of normalized values": GaussianProcessRegressor(KERNEL, optimizer=None, normalize_y=True),
    "process of scaled inputs": make_pipeline(
        StandardScaler(), GaussianProcessRegressor(RBF(1.1) + WhiteKernel(0.1), optimizer=None)
    ),
    "one length for all": GaussianProcessRegressor(
        RBF(0.9) * 3.0 + RBF([1.0, 2.0, 3.0]) + WhiteKernel(0.1), optimizer=None
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_models_predict_what_estimators_predict(name, outputs):
    fitted = ESTIMATORS[name].fit(X, y if outputs == 1 else Y)
    model = from_sklearn(fitted, X)
    fresh = RNG.uniform(-1, 2, (4, 3))
    found = np.array([model(x) for x in fresh])
    np.testing.assert_allclose(found, fitted.predict(fresh).reshape(4, -1), rtol=1e-9, atol=1e-9)
    assert model.outputs == (("y",) if outputs == 1 else ("y0", "y1"))
    assert model.inputs == ("x0", "x1", "x2")


def test_linear_slopes_are_the_coefficients():
    fitted = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(jacobian(from_sklearn(fitted, X), X[0]).dense(), fitted.coef_, atol=1e-13)
    scaled = make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y)
    found = jacobian(from_sklearn(scaled, X), X[0]).dense()
    np.testing.assert_allclose(found, scaled[-1].coef_ / scaled[0].scale_, atol=1e-13)


def test_transformers_are_models_too():
    scaler = MinMaxScaler().fit(X)
    model = from_sklearn(scaler, X)
    np.testing.assert_allclose(model(X[3]), scaler.transform(X[3:4])[0], atol=1e-14)
    assert len(model.outputs) == 3


def test_names_come_from_the_data_frame():
    frame = pd.DataFrame(X, columns=["sugar", "fat", "salt"])
    assert from_sklearn(LinearRegression().fit(frame, y), frame).inputs == ("sugar", "fat", "salt")


class Cubed(LinearRegression):
    """Predicts in a way of its own."""

    def predict(self, X):
        return super().predict(X) ** 3


class Untranslated(Ridge):
    """An exact class that nobody registered."""


class ErringRidge(Ridge):
    """To register a wrong translation for."""


REFUSED = {
    "not fitted": (lambda: from_sklearn(LinearRegression(), X), "LinearRegression, not fitted.*fit first"),
    "no translation": (lambda: from_sklearn(Untranslated().fit(X, y), X), "Untranslated.*register_translation"),
    "a tree ensemble": (lambda: from_sklearn(RandomForestRegressor(2).fit(X, y), X), "RandomForestRegressor"),
    "a subclass": (lambda: from_sklearn(Cubed().fit(X, y), X), "Cubed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, words = REFUSED[case]
    with pytest.raises(ModelError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_wrong_translation_is_found_on_the_rows():
    @register_translation(ErringRidge)
    def _(estimator):
        return registry.Translation(lambda x: 1.0001 * (estimator.coef_ @ x + estimator.intercept_)[None], ())

    with pytest.raises(ModelError, match=r"ErringRidge equal to it on every row.*in row"):
        from_sklearn(ErringRidge().fit(X, y), X)


def test_estimators_of_one_kind_share_compiled_code():
    one, other = (from_sklearn(make_pipeline(StandardScaler(), Ridge()).fit(X * k, y), X * k) for k in (1, 2))
    assert one.function is other.function


def test_models_together():
    a = Model(lambda x: x[:2] * x[2], (), ("p", "q", "r"), ("a0", "a1"))
    b = Model(lambda x, k: k * x[:1] ** 2, (3.0,), ("p", "q", "r"), ("b",))
    both = stack_models([a, b])
    x = np.array([1.5, -2.0, 0.5])
    assert both.outputs == ("a0", "a1", "b")
    np.testing.assert_allclose(both(x), [0.75, -1.0, 6.75])
    np.testing.assert_allclose(jacobian(both, x).dense(), [[0.5, 0, 1.5], [0, 0.5, -2.0], [9.0, 0, 0]], atol=1e-15)


def test_exponential_follows_the_chain_rule():
    """exp(g): slope e^g g', curve e^g (g'' + g' g')."""
    g = Model(lambda x: x[:1] * x[1:] + x[:1] ** 2, (), ("p", "q"), ("y",))
    x = np.array([0.4, -0.7])
    size, slope, curve = np.exp(0.4 * -0.7 + 0.16), np.array([-0.7 + 0.8, 0.4]), np.array([[2.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(jacobian(exponential(g), x).dense()[0], size * slope, atol=1e-14)
    np.testing.assert_allclose(hessian(exponential(g), x).dense(), size * (curve + np.outer(slope, slope)), atol=1e-14)


def test_weighted_sums():
    model = linear_model(np.array([2.0, 0.0, 5.0]), inputs=("a", "b", "c"), output="cost")
    np.testing.assert_array_equal(model(np.array([1.0, 9.0, 2.0])), [12.0])


@pytest.mark.parametrize(("inputs", "outputs"), [(("a", "a"), ("y",)), (("a", "b"), ("y", "y"))])
def test_a_name_stands_once(inputs, outputs):
    with pytest.raises(ShapeError, match="twice"):
        Model(lambda x: x, (), inputs, outputs)
