"""Gauss-Newton and Fisher matrices against closed forms of generalized linear models and dense references."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import ShapeError

RNG = np.random.default_rng(2)
X = RNG.standard_normal((7, 3))
W = RNG.standard_normal(3) / 3
SEEN = RNG.standard_normal(7)


def linear(w):
    return jnp.asarray(X) @ w


def curved(p):
    return {"a": jnp.tanh(jnp.asarray(X) @ p["w"]), "b": p["c"] * jnp.ones(2)}


def loss(y):
    return jnp.sum(jnp.cosh(y["a"])) + jnp.prod(y["b"]) + y["a"][0] * y["b"][1]


def test_gauss_newton_is_the_product_of_its_parts():
    point = {"w": W, "c": np.array(0.7)}
    G = landform.gauss_newton(curved, loss, point)
    flat = np.concatenate([[0.7], W])
    with jax.enable_x64(True):
        J = jax.jacobian(lambda z: jnp.concatenate([jnp.tanh(X @ z[1:]), z[0] * jnp.ones(2)]))(flat)
        y = np.concatenate([np.tanh(X @ W), [0.7, 0.7]])
        H = jax.hessian(lambda y: loss({"a": y[:7], "b": y[7:]}))(y)
        truth = np.asarray(J.T @ H @ J)
    found = G.dense()
    np.testing.assert_allclose(found, truth, atol=1e-13)
    assert np.array_equal(found, found.T)
    v = RNG.standard_normal(4)
    np.testing.assert_allclose(G @ v, truth @ v, atol=1e-13)
    np.testing.assert_allclose(G.quadratic(v), v @ truth @ v, atol=1e-13)
    np.testing.assert_allclose(G.diagonal(), np.diag(truth), atol=1e-13)
    np.testing.assert_allclose(G.to_scipy().matvec(v), truth @ v, atol=1e-13)
    assert list(G.to_frame().columns) == ["c", "w[0]", "w[1]", "w[2]"]
    assert "4 × 4 Gauss-Newton matrix" in G.explain()


def test_it_is_the_hessian_where_the_function_is_linear():
    def cost(y):
        return jnp.sum(jnp.log1p((y - SEEN) ** 2))

    G, H = landform.gauss_newton(linear, cost, W), landform.hessian(lambda w: cost(linear(w)), W)
    np.testing.assert_allclose(G.dense(), H.dense(), atol=1e-13)


def p_of(eta):
    return 1 / (1 + np.exp(-eta))


GLM = {
    "bernoulli": lambda eta: p_of(eta) * (1 - p_of(eta)),
    "poisson": np.exp,
    "gaussian": lambda eta: np.full_like(eta, 1 / 0.3**2),
}


@pytest.mark.parametrize("name", GLM)
def test_exact_fisher_of_generalized_linear_models(name):
    """McCullagh and Nelder: X' diag(variance function) X for a canonical link."""
    truth = X.T @ np.diag(GLM[name](X @ W)) @ X
    F = landform.fisher(linear, W, name, sigma=0.3)
    np.testing.assert_allclose(F.dense(), truth, rtol=1e-12)
    assert "exact" in F.explain()
    M = landform.fisher(linear, W, name, sigma=0.3, kind="monte carlo", samples=400, seed=4)
    gap, error = M.dense() - truth, M.error()
    assert np.abs(gap / error).max() < 4
    v = np.array([1.0, -1.0, 0.5])
    assert 0.3 < M.standard_error(v) / (M.error()[0, 0] * 3) < 3
    assert abs(M.quadratic(v) - v @ truth @ v) < 4 * M.standard_error(v)


def test_categorical_fisher_and_the_empirical_one():
    labels = RNG.integers(0, 4, 7)
    point = RNG.standard_normal((3, 4))
    logits = X @ point
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    blocks = [np.kron(np.outer(x, x), np.diag(q) - np.outer(q, q)) for x, q in zip(X, p, strict=True)]
    F = landform.fisher(lambda w: jnp.asarray(X) @ w, point, "categorical")
    np.testing.assert_allclose(F.dense(), sum(blocks), atol=1e-13)
    scores = [np.kron(x, np.eye(4)[k] - q) for x, q, k in zip(X, p, labels, strict=True)]
    truth = sum(np.outer(s, s) for s in scores)
    E = landform.fisher(lambda w: jnp.asarray(X) @ w, point, "categorical", kind="empirical", targets=labels)
    np.testing.assert_allclose(E.dense(), truth, atol=1e-13)
    assert "empirical" in E.explain() and "only where the model is right" in E.explain()

    def likelihood(out, seen):
        return jax.nn.log_softmax(out)[jnp.arange(7), seen]

    own = landform.fisher(lambda w: jnp.asarray(X) @ w, point, likelihood, kind="empirical", targets=labels)
    np.testing.assert_allclose(own.dense(), truth, atol=1e-13)


REFUSED = {
    "a loss of several numbers": (lambda: landform.gauss_newton(linear, lambda y: y, W), "one output"),
    "an unknown distribution": (lambda: landform.fisher(linear, W, "cauchy"), "'cauchy'"),
    "an unknown kind": (lambda: landform.fisher(linear, W, "poisson", kind="rough"), "'rough'"),
    "exact from a likelihood": (lambda: landform.fisher(linear, W, lambda o, t: o), "distribution by name"),
    "draws from a likelihood": (lambda: landform.fisher(linear, W, lambda o, t: o, kind="monte carlo"), "draw="),
    "empirical without targets": (lambda: landform.fisher(linear, W, "poisson", kind="empirical"), "targets"),
    "targets that do not fit": (
        lambda: landform.fisher(linear, W, "poisson", kind="empirical", targets=np.ones(3)),
        r"shape \(7,\)",
    ),
    "a tree of outputs": (lambda: landform.fisher(curved, {"w": W, "c": np.ones(())}, "gaussian"), "one array"),
    "errors of an exact one": (lambda: landform.fisher(linear, W, "poisson").error(), "Monte Carlo"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, words = REFUSED[case]
    with pytest.raises(ShapeError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
