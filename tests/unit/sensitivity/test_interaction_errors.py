"""Standard errors of interactions: by hand, from scikit-learn's own posterior covariance, and by simulated coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Matern,
    RationalQuadratic,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from landform.derivatives.along_pairs import Pairs
from landform.sensitivity import sensitivity
from landform.sensitivity.curves import of_the_mean
from landform.sensitivity.fields import own_directions

RNG = np.random.default_rng(0)
X2 = RNG.uniform(0.5, 2.0, size=(30, 2))


def pair(found, first, second):
    return next(one for one in found.interactions.pairs if (one.first, one.second) == (first, second))


def quadratic(X, y):
    """Coefficients and their covariance of y on 1, a, b, a², ab, b², by least squares."""
    A = np.column_stack([np.ones(len(X)), X, X[:, :1] ** 2, X[:, :1] * X[:, 1:], X[:, 1:] ** 2])
    b, left = np.linalg.lstsq(A, y)[:2]
    return b, left / (len(X) - 6) * np.linalg.inv(A.T @ A)


def test_of_a_polynomial_by_hand():
    """The interaction is the product's coefficient, a bend twice the square's: Seber and Lee (2003), sec. 3.2."""
    y = 2 * X2[:, 0] * X2[:, 1] - X2[:, 1] ** 2 + 0.3 * RNG.normal(size=30)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LinearRegression()).fit(X2, y)
    found = sensitivity(model, X2, y=y)
    b, C = quadratic(X2, y)
    one, bend = pair(found, "x0", "x1"), pair(found, "x1", "x1")
    assert one.curve.value == pytest.approx(b[4], rel=1e-8)
    assert one.curve.standard_error == pytest.approx(np.sqrt(C[4, 4]), rel=1e-8)
    assert one.curve.upper - one.curve.value == pytest.approx(2.0638986 * np.sqrt(C[4, 4]), rel=1e-6)  # t, 24 degrees
    assert bend.curve.standard_error == pytest.approx(2 * np.sqrt(C[5, 5]), rel=1e-8)
    # The same at every row: the strength reaches as far as the curve does, and not below nothing.
    scale = np.std(X2[:, 0]) * np.std(X2[:, 1]) / np.std(model.predict(X2))
    assert one.strength.upper == pytest.approx(scale * (abs(b[4]) + 2.0638986 * np.sqrt(C[4, 4])), rel=1e-6)
    assert one.sure and one.sure_rows == 1.0 and one.against_main.lower > 0
    frame = found.interactions.to_frame()
    assert frame.loc[0, "standard_error"] > 0 and frame.loc[0, "strength_lower"] == one.strength.lower


def test_by_the_logarithm_by_hand():
    """d²y/d(log a)² = b₁ a + 4 b₃ a² + b₄ a b, and across d²y/d(log a) db = b₄ a, averaged over the rows."""
    y = X2[:, 0] - X2[:, 1] ** 2 + 0.3 * RNG.normal(size=30)
    found = sensitivity(make_pipeline(PolynomialFeatures(2), LinearRegression()).fit(X2, y), X2, y=y, log=["x0"])
    b, C = quadratic(X2, y)
    a = X2[:, 0]
    w = np.array([0, a.mean(), 0, 4 * np.mean(a**2), np.mean(a * X2[:, 1]), 0])
    bend = pair(found, "x0", "x0")
    assert bend.curve.value == pytest.approx(w @ b, rel=1e-7)
    assert bend.curve.standard_error == pytest.approx(np.sqrt(w @ C @ w), rel=1e-7)
    assert pair(found, "x0", "x1").curve.standard_error == pytest.approx(a.mean() * np.sqrt(C[4, 4]), rel=1e-7)


def test_of_probabilities_against_differences_of_the_formula():
    """p (1 − p) (1 − 2p) w wᵀ by central differences in the coefficients, whose covariance is the inverse Fisher's."""
    y = (X2 @ [2.0, -1.5] + np.random.default_rng(1).normal(size=30) > 0.5).astype(int)
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(X2, y)
    found = sensitivity(model, X2, y=y)
    theta, A = np.append(model.coef_, model.intercept_), np.column_stack([X2, np.ones(30)])

    def curve(t):
        p = 1 / (1 + np.exp(-A @ t))
        return np.mean(p * (1 - p) * (1 - 2 * p)) * t[0] * t[1]

    p = model.predict_proba(X2)[:, 1]
    C = np.linalg.inv((A.T * (p * (1 - p))) @ A)
    G = np.array([(curve(theta + d) - curve(theta - d)) / 2e-5 for d in 1e-5 * np.eye(3)])
    one = [o for o in found.interactions.pairs if o.output == "1" and o.first != o.second]
    assert one[0].curve.standard_error == pytest.approx(np.sqrt(G @ C @ G), rel=1e-5)


def second_differences(model, X, i, j, step):
    """The mean second derivative's standard deviation, from the posterior covariance of values beside the rows."""
    e, f = step * np.eye(2)[i], step * np.eye(2)[j]
    _, C = model.predict(np.vstack([X + e + f, X + e - f, X - e + f, X - e - f]), return_cov=True)
    w = np.repeat([1, -1, -1, 1], len(X)) / (4 * step**2 * len(X))
    return float(np.sqrt(w @ C @ w))


KERNELS = {
    "rbf": ConstantKernel(1.7) * RBF([0.5, 0.9]),
    "matern": Matern([0.9, 1.4], nu=2.5) + DotProduct(),
    "sum": 0.5 * RationalQuadratic(1.0, 0.7) + 2.0 * RBF(1.1) + ConstantKernel(3.0),
    "traced": RBF(1.2) * RationalQuadratic(1.0, 0.7),
}


@pytest.mark.parametrize("name", KERNELS)
def test_of_a_process_against_differences_of_its_posterior(name):
    """Rasmussen and Williams (2006), sec. 9.4: scikit-learn's own covariance, second differences, step 0.004."""
    X = X2[:12]
    model = GaussianProcessRegressor(KERNELS[name], optimizer=None, alpha=1e-2).fit(X, X[:, 0] * X[:, 1])
    found = sensitivity(model, X)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        own = pair(found, f"x{i}", f"x{j}")
        # Differences of a Matérn 5/2's fourth kernel derivative, which jumps at 0, come near it with the step itself.
        close = 0.02 if name == "matern" else 2e-3
        assert own.curve.standard_error == pytest.approx(second_differences(model, X, i, j, 0.004), rel=close)
    assert (found.known.process.curves is None) == (name == "traced")


def test_along_a_mixture_the_closed_form_is_the_traced_one():
    """Directions that differ from row to row, and a rotation before: the two share no code but the kernel's profile."""
    X = RNG.dirichlet([1, 2, 3], 10)
    model = make_pipeline(StandardScaler(), GaussianProcessRegressor(RBF(1.5), optimizer=None, alpha=1e-2))
    found = sensitivity(model.fit(X, X[:, 0] * X[:, 1]), X, mixture=["x0", "x1", "x2"])
    own = own_directions(X, ["x0", "x1", "x2"], ingredients=[0, 1, 2], log=[], held=set())
    fields = lambda Z: np.stack([one.field(Z) for one in own], axis=2)  # noqa: E731
    traced = replace(found.known, process=replace(found.known.process, curves=None))
    one, other = (doubt.curves(X, fields, Pairs.of([False] * 3)) for doubt in (found.known, traced))
    np.testing.assert_allclose(one.local, other.local, rtol=1e-6)
    np.testing.assert_allclose(one.average, other.average, rtol=1e-6)


def test_some_rows_stand_for_many():
    """Of equally correlated rows any number tells the variance of a mean over all: c + (v − c) / count."""
    v, c = np.array([2.0, 5.0]), np.array([0.5, -0.01])
    some = c + (v - c) / 20
    np.testing.assert_allclose(of_the_mean(some, v, 20, 300), c + (v - c) / 300, rtol=1e-12)
    np.testing.assert_array_equal(of_the_mean(some, v, 20, 20), some)


def test_no_second_derivative_no_interval():
    model = GaussianProcessRegressor(Matern(1.0, nu=1.5), optimizer=None, alpha=0.1).fit(X2, X2[:, 0])
    found = sensitivity(model, X2).interactions
    assert found.doubt == "none: the process has no second derivative"
    assert found.pairs[0].curve.lower is None and found.to_frame()["standard_error"].isna().all()


def test_kernel_ridge_and_refits():
    """Kernel ridge is the process with its penalty as noise; refits of least squares know a spread to 10 %."""
    y = np.sin(3 * X2[:, 0]) * X2[:, 1] + 0.1 * RNG.normal(size=30)
    ridge = KernelRidge(alpha=0.1, kernel="rbf", gamma=2.0).fit(X2, y)
    process = GaussianProcessRegressor(RBF(0.5), optimizer=None, alpha=0.1).fit(X2, y)
    one, other = (pair(sensitivity(model, X2, y=y), "x0", "x1").curve for model in (ridge, process))
    assert one.value == pytest.approx(other.value, rel=1e-8)
    left = y - ridge.predict(X2)
    smoother = np.linalg.solve(process.kernel_(X2) + 0.1 * np.eye(30), process.kernel_(X2))
    scale = np.sqrt(left @ left / (30 - np.trace(smoother)) / 0.1)
    assert one.standard_error == pytest.approx(other.standard_error * scale, rel=1e-7)
    X = np.random.default_rng(2).normal(size=(150, 2))
    y = X[:, 0] * X[:, 1] + np.random.default_rng(3).normal(size=150)
    plane = make_pipeline(PolynomialFeatures(2), LinearRegression()).fit(X, y)
    closed, refits = (sensitivity(plane, X, y=y, doubt=way, refits=60) for way in ("closed", "refits"))
    own, drawn = (pair(found, "x0", "x1").curve.standard_error for found in (closed, refits))
    assert drawn == pytest.approx(own, rel=0.4)
    assert refits.interactions.doubt.startswith("bootstrap")


# Coverage: intervals at 95 % hold in 95 of 100 worlds.


def test_coverage_of_least_squares():
    rng = np.random.default_rng(5)
    truth, hits, strong = np.array([1.0, 3.0, -2.0]), [], []
    X = rng.uniform(-1, 1, size=(40, 2))
    plane = 2 * X[:, 0] + 3 * X[:, 0] * X[:, 1] - X[:, 1] ** 2 + 0.5 * X[:, 0] ** 2
    Y = plane[:, None] + 0.5 * rng.normal(size=(40, 100))
    for y in Y.T:
        found = sensitivity(make_pipeline(PolynomialFeatures(2), LinearRegression()).fit(X, y), X, y=y)
        own = [pair(found, a, b) for a, b in (("x0", "x0"), ("x0", "x1"), ("x1", "x1"))]
        hits += [o.curve.lower <= t <= o.curve.upper for o, t in zip(own, truth, strict=True)]
        scale = np.array([o.strength.value / abs(o.curve.value) for o in own])
        strong += [
            o.strength.lower <= abs(t) * s <= o.strength.upper for o, t, s in zip(own, truth, scale, strict=True)
        ]
    assert 0.92 <= np.mean(hits) <= 0.98
    assert np.mean(strong) >= 0.92


def test_coverage_of_a_process_drawn_from_its_own_prior():
    """100 worlds as 100 outputs of one process; the truth comes from second differences of the draws, step 0.01."""
    rng = np.random.default_rng(8)
    X = rng.uniform(size=(25, 2))
    e, f = 0.01 * np.eye(2)
    around = np.vstack([X, X + e, X - e, X + e + f, X + e - f, X - e + f, X - e - f])
    kernel = RBF([0.5, 0.8])
    values, axes = np.linalg.eigh(kernel(around))
    draws = (axes * np.sqrt(np.maximum(values, 0.0))) @ rng.normal(size=(len(around), 100))
    at, up, down, uu, ud, du, dd = draws.reshape(7, 25, 100)
    truths = {("x0", "x0"): (up - 2 * at + down) / 1e-4, ("x0", "x1"): (uu - ud - du + dd) / 4e-4}
    model = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.01).fit(X, at + 0.1 * rng.normal(size=(25, 100)))
    found = sensitivity(model, X)
    hits, strong = [], []
    for one in found.interactions.pairs:
        truth = truths.get((one.first, one.second))
        if truth is not None:
            own = truth[:, found.outputs.index(one.output)]
            hits.append(one.curve.lower <= own.mean() <= one.curve.upper)
            scale = one.strength.value / _rms(found, one)
            strong.append(one.strength.lower <= scale * np.sqrt(np.mean(own**2)) <= one.strength.upper)
    assert len(hits) == 200 and 0.92 <= np.mean(hits) <= 0.98
    assert np.mean(strong) >= 0.95


def _rms(found, one):
    i, j = (found.inputs.index(name) for name in (one.first, one.second))
    o = found.outputs.index(one.output)
    return np.sqrt(np.mean(found.subject.slopes.model.hessians(found.subject.X)[:, o, i, j] ** 2))
