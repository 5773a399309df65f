"""Standard errors of slopes: against closed forms by hand, against mpmath, and by simulation from known truths."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from landform.errors import ModelError
from landform.sensitivity import sensitivity

RNG = np.random.default_rng(0)
X3 = RNG.normal(size=(60, 3)) * [1.0, 3.0, 0.5] + [0.0, 10.0, 2.0]


def test_ordinary_least_squares_is_the_textbook_formula():
    """s² (A'A)⁻¹ with n − p degrees of freedom: Seber and Lee (2003), *Linear Regression Analysis*, sec. 3.2."""
    y = X3 @ [1.0, -2.0, 0.5] + RNG.normal(size=60)
    found = sensitivity(make_pipeline(StandardScaler(), LinearRegression()).fit(X3, y), X3, y=y)
    A = np.column_stack([np.ones(60), X3])
    b, left = np.linalg.lstsq(A, y)[:2]
    errors = np.sqrt(np.diag(left / 56 * np.linalg.inv(A.T @ A)))[1:]
    frame = found.to_frame()
    alone = frame[frame.direction == "alone"]
    np.testing.assert_allclose(alone["mean"], b[1:], rtol=1e-10)
    np.testing.assert_allclose(alone["standard_error"], errors, rtol=1e-9)
    np.testing.assert_allclose(found.errors[:, 0, :3], np.broadcast_to(errors, (60, 3)), rtol=1e-9)
    np.testing.assert_allclose(alone["upper"] - alone["mean"], 2.0032407 * errors, rtol=1e-6)  # t, 56 degrees


def test_a_polynomial_slope_by_the_delta_method_by_hand():
    """y = b0 + b1 x + b2 x²: the slope b1 + 2 b2 x has variance c11 + 4 x c12 + 4 x² c22."""
    x = np.linspace(-1, 2, 25)[:, None]
    y = 1 + x[:, 0] - 2 * x[:, 0] ** 2 + 0.3 * np.random.default_rng(1).normal(size=25)
    found = sensitivity(make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression()).fit(x, y), x, y=y)
    A = np.column_stack([np.ones(25), x, x**2])
    left = np.linalg.lstsq(A, y)[1]
    C = left / 22 * np.linalg.inv(A.T @ A)
    by_hand = np.sqrt(C[1, 1] + 4 * x[:, 0] * C[1, 2] + 4 * x[:, 0] ** 2 * C[2, 2])
    np.testing.assert_allclose(found.errors[:, 0, 0], by_hand, rtol=1e-8)
    m = x.mean()
    average = found.effects[0].mean.standard_error
    assert average == pytest.approx(float(np.sqrt(C[1, 1] + 4 * m * C[1, 2] + 4 * m**2 * C[2, 2])), rel=1e-8)


def test_softmax_slopes_against_differences_of_the_whole_formula():
    """Multinomial logistic: the delta method with derivatives by central differences in NumPy."""
    X, y = load_iris(return_X_y=True)
    X = X[:, :3]
    model = LogisticRegression(C=2.0, max_iter=10_000, tol=1e-10).fit(X, y)
    found = sensitivity(model, X, y=y)
    theta = np.column_stack([model.coef_, model.intercept_]).ravel()
    A = np.column_stack([X, np.ones(len(X))])
    P = model.predict_proba(X)
    F = np.zeros((12, 12))
    for a, p in zip(A, P, strict=True):
        F += np.kron(np.diag(p) - np.outer(p, p), np.outer(a, a))
    # The intercepts have no penalty, so that a common shift of them is free; the slopes do not see it.
    C = np.linalg.pinv(F + np.diag(np.tile([0.5, 0.5, 0.5, 0.0], 3)), rcond=1e-10)

    def slopes(t, x):
        W = t.reshape(3, 4)
        e = np.exp(W[:, :3] @ x + W[:, 3])
        p = e / e.sum()
        return ((np.diag(p) - np.outer(p, p)) @ W[:, :3]).ravel()

    for row in (0, 60, 120):
        step = 1e-5
        G = np.column_stack(
            [(slopes(theta + d, X[row]) - slopes(theta - d, X[row])) / (2 * step) for d in step * np.eye(12)]
        )
        by_hand = np.sqrt(np.diag(G @ C @ G.T)).reshape(3, 3)
        np.testing.assert_allclose(found.errors[row, :, :3], by_hand, rtol=1e-4, atol=1e-9)


def kernel_slopes(X, x, lengths, height, noise, scale):
    """Variance of a Gaussian process's slope at x, in 40 digits."""
    mpmath.mp.dps = 40
    n = len(X)

    def k(a, b):
        gaps = [
            ((mpmath.mpf(float(p)) - mpmath.mpf(float(q))) / ell) ** 2 for p, q, ell in zip(a, b, lengths, strict=True)
        ]
        return height * mpmath.e ** (-sum(gaps) / 2)

    K = mpmath.matrix(n, n)
    for i in range(n):
        for j in range(n):
            K[i, j] = k(X[i], X[j]) + (noise if i == j else 0)
    found = []
    for d, ell in enumerate(lengths):
        c = mpmath.matrix([-(mpmath.mpf(float(x[d])) - float(row[d])) / ell**2 * k(x, row) for row in X])
        found.append(float(scale * mpmath.sqrt(height / ell**2 - (c.T * mpmath.lu_solve(K, c))[0])))
    return found


def test_a_gaussian_process_against_forty_digits():
    """Rasmussen and Williams (2006), sec. 9.4, evaluated by mpmath."""
    rng = np.random.default_rng(2)
    X = rng.uniform(size=(12, 2))
    y = np.sin(4 * X[:, 0]) + X[:, 1] ** 2
    kernel = ConstantKernel(1.7) * RBF([0.4, 0.9]) + WhiteKernel(0.01)
    model = GaussianProcessRegressor(kernel, normalize_y=True, optimizer=None, alpha=1e-10).fit(X, y)
    found = sensitivity(model, X)
    for row in (0, 5):
        by_hand = kernel_slopes(X, X[row], [0.4, 0.9], 1.7, 0.01 + 1e-10, float(np.std(y)))
        np.testing.assert_allclose(found.errors[row, 0, :2], by_hand, rtol=1e-7)
    assert "Gaussian process" in found.doubt


def test_average_slopes_of_a_process_are_those_of_secants():
    """A mean slope is a mean of tiny differences, whose variance comes from scikit-learn's own covariance."""
    rng = np.random.default_rng(3)
    X = rng.uniform(size=(20, 2))
    model = GaussianProcessRegressor(Matern([0.7, 1.1], nu=2.5), optimizer=None, alpha=1e-2).fit(X, X[:, 0] * X[:, 1])
    found = sensitivity(model, X)
    step = np.array([1e-3, 0.0])
    _, C = model.predict(np.vstack([X + step, X - step]), return_cov=True)
    w = np.repeat([1.0, -1.0], 20) / (20 * 2e-3)
    assert found.effects[0].mean.standard_error == pytest.approx(float(np.sqrt(w @ C @ w)), rel=1e-3)


def test_contrasts_of_a_process_are_scikit_learns_covariance():
    rng = np.random.default_rng(4)
    X = np.column_stack([rng.uniform(size=30), rng.integers(0, 2, 30)])
    model = GaussianProcessRegressor(RBF([0.5, 1.0]), optimizer=None, alpha=1e-2).fit(X, X[:, 0] + X[:, 1])
    found = sensitivity(model, X, categories=["x1"])
    A, B = X.copy(), X.copy()
    common = float(np.mean(X[:, 1]) > 0.5)
    A[:, 1], B[:, 1] = 1 - common, common
    _, C = model.predict(np.vstack([A, B]), return_cov=True)
    each = np.sqrt(np.diag(C)[:30] + np.diag(C)[30:] - 2 * np.diag(C[:30, 30:]))
    np.testing.assert_allclose(found.errors[:, 0, -1], each, rtol=1e-6)
    w = np.repeat([1 / 30, -1 / 30], 30)
    assert found.effects[-1].mean.standard_error == pytest.approx(float(np.sqrt(w @ C @ w)), rel=1e-6)
    assert found.effects[-1].input == f"x1: {1 - common:g}"


def test_kernel_ridge_is_the_process_with_its_penalty_as_noise():
    """Rasmussen and Williams (2006), sec. 6.2; the scale is the residual one: s² / α."""
    rng = np.random.default_rng(5)
    X = rng.uniform(size=(40, 2))
    y = np.sin(3 * X[:, 0]) + 0.1 * rng.normal(size=40)
    ridge = KernelRidge(alpha=0.1, kernel="rbf", gamma=2.0).fit(X, y)
    found = sensitivity(ridge, X, y=y)
    process = GaussianProcessRegressor(RBF(0.5), optimizer=None, alpha=0.1).fit(X, y)
    same = sensitivity(process, X)
    np.testing.assert_allclose(found.slopes, same.slopes, rtol=1e-8)
    smoother = np.linalg.solve(process.kernel_(X) + 0.1 * np.eye(40), process.kernel_(X))
    left = y - ridge.predict(X)
    s2 = left @ left / (40 - np.trace(smoother))
    np.testing.assert_allclose(found.errors, same.errors * np.sqrt(s2 / 0.1), rtol=1e-7)


# Coverage: intervals at 95 % hold in 95 of 100 worlds, by simulation.


def covered(found, truth):
    """Whether the mean slopes' intervals hold the truth."""
    own = [e for e in found.effects if e.direction == "alone" and e.output == found.outputs[-1]]
    return [e.mean.lower <= t <= e.mean.upper for e, t in zip(own, truth, strict=True)]


def in_band(hits):
    """92 to 98 %, and as many trials as that takes."""
    assert np.size(hits) >= 300
    assert 0.92 <= np.mean(hits) <= 0.98


def test_coverage_of_a_polynomial():
    rng = np.random.default_rng(6)
    X = rng.uniform(-1, 1, size=(40, 2))
    truth = [np.mean(2 + 3 * X[:, 1]), np.mean(3 * X[:, 0] - 2 * X[:, 1])]
    hits = []
    for _ in range(200):
        y = 2 * X[:, 0] + 3 * X[:, 0] * X[:, 1] - X[:, 1] ** 2 + 0.5 * rng.normal(size=40)
        model = make_pipeline(PolynomialFeatures(2), LinearRegression()).fit(X, y)
        hits += covered(sensitivity(model, X, y=y, interactions=False), truth)
    in_band(hits)


def test_coverage_of_log_odds_and_probabilities():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(300, 2))
    b = np.array([1.0, -0.5])
    p = 1 / (1 + np.exp(-(X @ b + 0.3)))
    truth = [np.mean(p * (1 - p)) * b[0], np.mean(p * (1 - p)) * b[1]]
    hits, odds = [], []
    for _ in range(200):
        y = (rng.uniform(size=300) < p).astype(int)
        model = LogisticRegression(C=np.inf, tol=1e-8).fit(X, y)
        found = sensitivity(model, X, y=y, interactions=False)
        hits += covered(found, truth)
        odds += covered(sensitivity(model, X, y=y, method="log_odds", interactions=False), b)
    in_band(hits)
    in_band(odds)


def test_coverage_of_a_process_drawn_from_its_own_prior():
    """The true slopes come from central differences of draws at three points in place of one."""
    rng = np.random.default_rng(8)
    X = rng.uniform(size=(25, 2))
    steps = 1e-3 * np.vstack([np.eye(2), -np.eye(2)])
    around = np.vstack([X, *(X + s for s in steps)])
    kernel = RBF([0.5, 0.8])
    L = np.linalg.cholesky(kernel(around) + 1e-9 * np.eye(len(around)))
    hits = []
    for _ in range(60):
        draw = L @ rng.normal(size=len(around))
        values = draw.reshape(5, 25)
        truth = [(values[1 + d] - values[3 + d]) / 2e-3 for d in range(2)]
        y = values[0] + 0.1 * rng.normal(size=25)
        found = sensitivity(
            GaussianProcessRegressor(kernel, optimizer=None, alpha=0.01).fit(X, y), X, interactions=False
        )
        for d in range(2):
            gap = np.abs(found.slopes[:, 0, d] - truth[d])
            hits += (gap <= found.quantile * found.errors[:, 0, d]).tolist()
    assert 0.92 <= np.mean(hits) <= 0.98


def test_coverage_of_refits():
    """Lines through 60 rows, 50 refits in each of 160 worlds."""
    rng = np.random.default_rng(9)
    X = rng.normal(size=(60, 2))
    hits = []
    for _ in range(160):
        y = X @ [1.0, -2.0] + rng.normal(size=60)
        found = sensitivity(LinearRegression().fit(X, y), X, y=y, doubt="refits", refits=50, interactions=False)
        hits += covered(found, [1.0, -2.0])
    in_band(hits)
    assert found.doubt.startswith("bootstrap: 50 refits")


def test_a_penalty_is_said_and_counted():
    X, y = load_diabetes(return_X_y=True)
    found = sensitivity(Ridge(alpha=0.5).fit(X, y), X, y=y, interactions=False)
    A = np.column_stack([X, np.ones(len(X))])
    H = A.T @ A + np.diag([0.5] * 10 + [0.0])
    model = Ridge(alpha=0.5).fit(X, y)
    left = y - model.predict(X)
    s2 = left @ left / (len(X) - np.trace(np.linalg.solve(H, A.T @ A)))
    np.testing.assert_allclose(found.errors[0, 0, :10], np.sqrt(s2 * np.diag(np.linalg.inv(H))[:10]), rtol=1e-7)
    assert "penalty read as a prior" in found.doubt


@pytest.mark.parametrize("model", [LinearRegression(), Ridge(), LogisticRegression(), KernelRidge(kernel="rbf")])
def test_another_target_than_that_of_the_fit_is_refused(model):
    y = (X3[:, 0] > 0).astype(float)
    with pytest.raises(ModelError, match=r"argument y: .*fitted"):
        sensitivity(model.fit(X3, y), X3, y=1 - y)


@pytest.mark.parametrize("kind", [LinearRegression, LogisticRegression])
def test_weights_of_the_fit_are_noticed(kind):
    y = (X3[:, 0] + RNG.normal(size=60) > 0).astype(float)
    model = kind().fit(X3, y, sample_weight=np.where(np.arange(60) < 30, 0.01, 5.0))
    with pytest.raises(ModelError, match="sample weights"):
        sensitivity(model, X3, y=y)
