"""Hypergradients against closed forms, SymPy, mpmath, scikit-learn refitted, and the order of Taylor remainders."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import landform
from landform.errors import DerivativeError, ShapeError

RNG = np.random.default_rng(3)
X, HELD = RNG.standard_normal((40, 6)) * np.array([1.0, 3.0, 0.3, 1.0, 1.0, 2.0]), RNG.standard_normal((25, 6))
Y, HELD_Y = X @ RNG.standard_normal(6) + RNG.standard_normal(40), HELD @ np.ones(6)
LABEL = np.sign(X @ np.array([1.0, -0.3, 0.0, 1.0, 0.0, 0.0]) + 0.5 * RNG.standard_normal(40))
BOTH = pytest.mark.parametrize("solver", ["dense", "products"])


def ridge(w, h):
    return 0.5 * jnp.sum((X @ w - Y) ** 2) + 0.5 * jnp.sum(h["alpha"] * w**2)


def held_out(w, h):
    return jnp.mean((HELD @ w - HELD_Y) ** 2)


def logistic(w, h):
    return jnp.sum(jnp.logaddexp(0.0, -LABEL * (X @ w))) + 0.5 * jnp.sum(jnp.exp(h) * w**2)


def spread(w, h):
    return jnp.sum(jnp.logaddexp(0.0, HELD @ w)) + 0.1 * h[0] ** 2


def logistic_minimum(h):
    """Newton's method in NumPy alone."""
    w = np.zeros(6)
    for _ in range(60):
        p = 1 / (1 + np.exp(LABEL * (X @ w)))
        slope = -X.T @ (LABEL * p) + np.exp(h) * w
        w = w - np.linalg.solve(X.T @ ((p * (1 - p))[:, None] * X) + np.diag(np.exp(h) * np.ones(6)), slope)
    return w


@BOTH
@pytest.mark.parametrize("alpha", [2.0, np.array([0.1, 1, 10, 2, 3, 30.0])])
def test_ridge_has_a_closed_form(alpha, solver):
    """w = A⁻¹X'y with A = X'X + diag(α): ∂w/∂αⱼ = −A⁻¹ eⱼ wⱼ."""
    A = X.T @ X + np.diag(alpha * np.ones(6))
    w = np.linalg.solve(A, X.T @ Y)
    pull = np.linalg.solve(A, 2 / 25 * HELD.T @ (HELD @ w - HELD_Y))
    exact = -np.sum(pull * w) if np.ndim(alpha) == 0 else -pull * w
    found = landform.hypergradient(ridge, held_out, w, {"alpha": alpha}, solver=solver)
    np.testing.assert_allclose(found.gradient["alpha"], exact, rtol=1e-11, atol=1e-14)
    assert (found.error < 1e-12).all()
    assert found.direct.tolist() == [0.0] * np.size(alpha)


def test_generalized_cross_validation_has_a_direct_part_too():
    """Golub, Heath and Wahba (1979), Technometrics 21: V = (RSS/n) / (1 − tr A/n)², in the singular values of X."""
    alpha = 3.0
    U, s, _ = np.linalg.svd(X, full_matrices=False)

    def gcv(w, h):
        trace = jnp.sum(s**2 / (s**2 + h))
        return jnp.mean((X @ w - Y) ** 2) / (1 - trace / 40) ** 2

    z, rest = U.T @ Y, Y @ Y - np.sum((U.T @ Y) ** 2)

    def closed(a):
        share = s**2 / (s**2 + a)
        rss, t = np.sum(((1 - share) * z) ** 2) + rest, np.sum(share)
        d_share = -(s**2) / (s**2 + a) ** 2
        d_rss, d_t = np.sum(-2 * (1 - share) * d_share * z**2), np.sum(d_share)
        return d_rss / 40 / (1 - t / 40) ** 2 + 2 * rss / 40 * d_t / 40 / (1 - t / 40) ** 3

    w = np.linalg.solve(X.T @ X + alpha * np.eye(6), X.T @ Y)
    inner = lambda w, h: 0.5 * jnp.sum((X @ w - Y) ** 2) + 0.5 * h * jnp.sum(w**2)  # noqa: E731
    found = landform.hypergradient(inner, gcv, w, np.array(alpha))
    assert found.vector[0] == pytest.approx(closed(alpha), rel=1e-11)
    assert found.direct[0] != 0.0
    assert found.names == ("hyper",)


def test_a_scalar_problem_by_sympy():
    """The implicit derivative of w(h) = argmin exp(w) + h w²/2 − 2w, in symbols, at 40 digits."""
    import sympy

    w, h = sympy.symbols("w h")
    g, F = sympy.exp(w) + h * w**2 / 2 - 2 * w, w**3 + h * w
    at = sympy.nsolve(sympy.diff(g, w).subs(h, 1.5), 0.5, prec=40)
    slope = sympy.diff(F, h) - sympy.diff(g, w, h) / sympy.diff(g, w, 2) * sympy.diff(F, w)
    exact = float(slope.subs({h: sympy.Float("1.5", 40), w: at}))
    found = landform.hypergradient(
        lambda w, h: jnp.exp(w) + h * w**2 / 2 - 2 * w, lambda w, h: w**3 + h * w, float(at), 1.5
    )
    assert found.vector[0] == pytest.approx(exact, rel=1e-14)
    assert abs(found.vector[0] - exact) <= found.error[0] < 1e-13


def test_scikit_learn_refitted_gives_the_same_slope():
    """Central differences, extrapolated, of scikit-learn's own logistic regression fitted to its limit."""
    from sklearn.linear_model import LogisticRegression

    def refitted(h):
        fit = LogisticRegression(C=np.exp(-h), fit_intercept=False, tol=1e-12, solver="newton-cholesky", max_iter=500)
        return float(np.sum(np.logaddexp(0.0, HELD @ fit.fit(X, LABEL).coef_[0])) + 0.1 * h**2)

    h = 0.7
    narrow, wide = ((refitted(h + e) - refitted(h - e)) / (2 * e) for e in (1e-3, 2e-3))
    found = landform.hypergradient(logistic, spread, logistic_minimum(h), np.array([h]))
    assert found.vector[0] == pytest.approx((4 * narrow - wide) / 3, rel=1e-7)


def test_the_taylor_remainder_has_order_two_and_with_the_hessian_three():
    from landform.fit.tuning.answer import answer, outer_hessian
    from landform.fit.tuning.hyper import read_hyper
    from landform.fit.tuning.hypergradient import make_level
    from landform.fit.tuning.inner import solved

    z, way = np.array([0.3, -1.0, 0.5, 1.0, 2.0, 0.0]), np.array([1.0, 0.5, -1.0, 0.3, 0.2, -0.4])
    level, theta = make_level(logistic, spread, np.zeros(6), read_hyper(z))
    here = answer(level, solved(level, theta, z, dense=True), z)
    bend = way @ outer_hessian(level, here, z)[0] @ way
    steps = 0.2 * 0.5 ** np.arange(5)
    values = [answer(level, solved(level, theta, z + e * way, dense=True), z + e * way).value for e in steps]
    first = np.array(values) - here.value - steps * (here.gradient @ way)
    second = first - 0.5 * steps**2 * bend
    for rest, order in ((first, 2), (second, 3)):
        slope = np.polyfit(np.log(steps), np.log(np.abs(rest)), 1)[0]
        assert order - 0.15 < slope < order + 0.3


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(-9, -2))
def test_the_error_holds_wherever_training_was_stopped(seed, size):
    """A point beside the minimum: the hypergradient there differs from that at the minimum by no more than it says."""
    h = np.array([0.5])
    best = logistic_minimum(h)
    exact = landform.hypergradient(logistic, spread, best, h)
    beside = best + 10.0**size * np.random.default_rng(seed).standard_normal(6)
    found = landform.hypergradient(logistic, spread, beside, h, tolerance=10.0)
    off = abs(found.vector - exact.vector)
    assert (off <= found.error + exact.error).all()
    if size < -3:  # farther away what is left out, of second order, is as large as the estimate of first order
        assert (found.error <= 2.5 * off + 1e-3 * 10.0**size + 1e-11).all()
    assert abs(found.value - exact.value) <= found.value_error + exact.value_error


def test_the_error_holds_where_rounding_rules():
    """A Hilbert matrix of condition 5e8 beside mpmath at 60 digits."""
    import mpmath

    n = 7
    H = np.array([[1.0 / (i + j + 1) for j in range(n)] for i in range(n)])
    target = np.linspace(1.0, 2.0, n)
    with mpmath.workdps(60):
        A = mpmath.matrix(H.tolist()) + mpmath.mpf("1e-6") * mpmath.eye(n)
        w = mpmath.lu_solve(A, mpmath.matrix(target.tolist()))
        pull = mpmath.lu_solve(A, w - mpmath.ones(n, 1))
        exact = -(pull.T * w)[0]
        start = np.array([float(v) for v in w])
        found = landform.hypergradient(
            lambda w, h: 0.5 * w @ H @ w + 0.5 * h * w @ w - w @ target,
            lambda w, h: 0.5 * jnp.sum((w - 1.0) ** 2),
            start,
            np.array(1e-6),
        )
        off = abs(float(mpmath.mpf(float(found.vector[0])) - exact))
    assert off <= found.error[0]
    assert found.error[0] < 1e-6 * abs(float(exact))
    assert found.conditioning > 1e5


@BOTH
def test_training_that_stopped_early_is_refused_where_the_formula_would_be_wrong(solver):
    """What the formula says after too few steps of gradient descent is off by 16 % and more, up to the wrong sign."""
    h = np.array([-2.0])
    exact = landform.hypergradient(logistic, spread, logistic_minimum(h), h).vector[0]
    w, offs = np.zeros(6), []
    for step in range(1, 41):
        p = 1 / (1 + np.exp(LABEL * (X @ w)))
        w = w - 0.01 * (np.exp(h) * w - X.T @ (LABEL * p))
        if step % 10:
            continue
        p = 1 / (1 + np.exp(LABEL * (X @ w)))
        hessian = X.T @ ((p * (1 - p))[:, None] * X) + np.exp(h) * np.eye(6)
        q = np.linalg.solve(hessian, HELD.T @ (1 / (1 + np.exp(-HELD @ w))))
        naive = 0.2 * h[0] - np.exp(h[0]) * w @ q
        offs.append(abs(naive - exact) / abs(exact))
        with pytest.raises(DerivativeError, match="it has not converged") as refused:
            landform.hypergradient(logistic, spread, w, h, solver=solver)
        assert "expected an inner problem at its minimum" in str(refused.value)
    assert max(offs) > 0.16


@BOTH
@pytest.mark.parametrize(
    ("inner", "at", "words"),
    [
        (lambda w, h: w[0] ** 2 - w[1] ** 2 + h * w[2] ** 2, np.zeros(3), "bends down"),
        (lambda w, h: -jnp.sum(w**2) * h, np.zeros(3), "bends down"),
        (lambda w, h: h * (w[0] - w[1]) ** 2 + w[2] ** 2, np.zeros(3), "singular|does not bend"),
        (lambda w, h: jnp.sum(w**2) + h * jnp.log(w[0]), np.array([-1.0, 0.0, 0.0]), "not finite"),
    ],
)
def test_no_minimum_is_refused(inner, at, words, solver):
    with pytest.raises(DerivativeError, match=words):
        landform.hypergradient(inner, lambda w, h: w[0] + w[1] * h, at, 1.0, solver=solver)


def test_a_saddle_is_named_by_its_parameters():
    with pytest.raises(DerivativeError, match=r"a saddle: its loss bends down along \+1 net\.b"):
        landform.hypergradient(
            lambda p, h: h * p["net"]["a"] ** 2 - p["net"]["b"] ** 2,
            lambda p, h: p["net"]["a"],
            {"net": {"a": 0.0, "b": 0.0}},
            1.0,
        )


def test_products_alone_see_a_singular_direction_that_no_solve_meets():
    """The right-hand side lies where the matrix is well behaved; the last parameter is determined by nothing."""
    with pytest.raises(DerivativeError, match="singular"):
        landform.hypergradient(
            lambda w, h: h * jnp.sum((w[:50] - 1.0) ** 2),
            lambda w, h: w[0],
            np.ones(51),
            1.0,
            solver="products",
        )


def test_odd_calls_are_refused_in_one_sentence():
    good = {"parameters": np.zeros(2), "hyper": 1.0}
    bowl = lambda w, h: h * jnp.sum(w**2)  # noqa: E731
    with pytest.raises(ShapeError, match="an inner loss that returns one number"):
        landform.hypergradient(lambda w, h: h * w**2, bowl, **good)
    with pytest.raises(ShapeError, match="an outer loss that returns one number"):
        landform.hypergradient(bowl, lambda w, h: w, **good)
    with pytest.raises(ShapeError, match="'fast'; choose one"):
        landform.hypergradient(bowl, bowl, solver="fast", **good)
    with pytest.raises(DerivativeError, match="JAX can trace"):
        landform.hypergradient(bowl, lambda w, h: float(w[0]), **good)
    with pytest.raises(ShapeError, match="NaN or inf"):
        landform.hypergradient(bowl, bowl, np.array([np.nan, 0.0]), 1.0)
    with pytest.raises(DerivativeError, match=r"inside jax\.jit"):
        jax.jit(lambda h: landform.hypergradient(bowl, bowl, np.zeros(2), h).value)(1.0)


def test_an_outer_loss_that_sees_neither_has_no_slope():
    found = landform.hypergradient(lambda w, h: h * jnp.sum(w**2), lambda w, h: 3.0 + 0.0 * w[0], np.zeros(2), 1.0)
    assert found.vector.tolist() == [0.0] and found.value == 3.0
    assert found.to_frame()["hyperparameter"].tolist() == ["hyper"]
    assert found.pictures() and "slope" in found._repr_html_()
