"""The Hessian by layers against `jax.hessian` in double precision, and every way out of it."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import landform
from landform.derivatives.layers import hessian as formed

RNG = np.random.default_rng(3)
ROWS = 11
X = RNG.standard_normal((ROWS, 5))
LABELS = RNG.integers(0, 3, ROWS)
Y = RNG.standard_normal((ROWS, 3))


def start(sizes=(5, 12, 9, 3)):
    return [(RNG.standard_normal((a, b)) / a**0.5, 0.3 * RNG.standard_normal(b)) for a, b in pairwise(sizes)]


LISTED = start()
NAMED = {f"layer {10 - k}": {"b": b, "w": w.T} for k, (w, b) in enumerate(LISTED)}
POINT, TREE = ravel_pytree(LISTED)
POINT = np.asarray(POINT, dtype=np.float64)


def net(params, data, bend=jnp.tanh):
    for w, b in params[:-1]:
        data = bend(data @ w + b)
    return data @ params[-1][0] + params[-1][1]


def squared(out):
    return jnp.mean((out - Y) ** 2)


def entropy(out):
    return -jnp.mean(jax.nn.log_softmax(out)[jnp.arange(ROWS), LABELS])


def smooth(bend, loss):
    return lambda params: loss(net(params, jnp.asarray(X), bend))


def residual(params):
    (w0, b0), (w1, b1), (w2, b2) = params
    h = jnp.tanh(jnp.asarray(X) @ w0 + b0)
    h = jnp.tanh(h @ w1 + b1) + h[:, :9]
    return entropy(h @ w2 + b2)


def one_at_a_time(params):
    def loss(x, y):
        h = x
        for w, b in params[:-1]:
            h = jax.nn.softplus(b + w.T @ h)
        return jnp.sum((params[-1][0].T @ h - params[-1][1] - y) ** 2)

    return jnp.sum(jax.vmap(loss)(jnp.asarray(X), jnp.asarray(Y)))


def by_name(params):
    h = jnp.asarray(X)
    for k in (10, 9, 8):
        layer = params[f"layer {k}"]
        h = h @ layer["w"].T + layer["b"]
        h = jax.nn.gelu(h) if k > 8 else h
    return squared(h)


def with_penalty(params):
    return squared(net(params, jnp.asarray(X))) + 0.1 * sum(jnp.sum(w**4) for w, _ in params)


def one_row(params):
    return jnp.log1p(jnp.sum((net(params, jnp.asarray(X[0])) - Y[0]) ** 2))


def one_hot(params):
    out = net(params, jnp.asarray(X), jax.nn.relu)
    return -jnp.sum(jax.nn.one_hot(LABELS, 3) * (out - jax.nn.logsumexp(out, 1, keepdims=True))) / ROWS


def dotted(params):
    gap = (net(params, jnp.asarray(X)) - Y)[:, 0]
    return 0.5 * gap @ gap


NETS = {
    "tanh, squares": (smooth(jnp.tanh, squared), LISTED),
    "relu, squares": (smooth(jax.nn.relu, squared), LISTED),
    "gelu, entropy": (smooth(jax.nn.gelu, entropy), LISTED),
    "softplus, entropy": (smooth(jax.nn.softplus, entropy), LISTED),
    "silu, entropy": (smooth(jax.nn.silu, entropy), LISTED),
    "one-hot entropy": (one_hot, LISTED),
    "residual": (residual, LISTED),
    "mapped over rows": (one_at_a_time, LISTED),
    "weights stored transposed, layers out of order": (by_name, NAMED),
    "penalty": (with_penalty, LISTED),
    "one row": (one_row, LISTED),
    "a product of residuals": (dotted, LISTED),
    "in a checkpoint": (jax.checkpoint(smooth(jnp.tanh, squared)), LISTED),
}


def close(found, truth):
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-12 * np.abs(truth).max())


def exact(function, params):
    with jax.enable_x64(True):
        x, tree = ravel_pytree(jax.tree.map(jnp.asarray, params))
        return np.asarray(jax.hessian(lambda z: function(tree(z)))(x))


@pytest.mark.parametrize("name", NETS)
def test_networks_go_by_layers(name):
    function, params = NETS[name]
    H = landform.hessian(function, params)
    assert H.plan.mode == "by layers", H.explain()
    found = H.dense()
    assert H.plan.mode == "by layers", H.explain()
    assert np.array_equal(found, found.T)
    close(found, exact(function, params))


def mixed_rows(params):
    h = net(params, jnp.asarray(X))
    return squared(h - h.mean(0))


def same_twice(params):
    h = jnp.tanh(jnp.asarray(X) @ params[0][0] + params[0][1])
    return squared(net(params, jnp.asarray(X)) + jnp.tanh(h @ params[1][0]) @ params[2][0])


def scaled(params):
    return squared(net(params, jnp.asarray(X)) * params[-1][1])


def rooted(params):
    return jnp.sqrt(squared(net(params, jnp.asarray(X))))


def swapped(params):
    return squared(net(params, jnp.asarray(X))[::-1])


OTHERS = {
    "rows mixed": (mixed_rows, "not linear"),
    "a weight twice": (same_twice, "two layers"),
    "weights that scale": (scaled, "mixes weights"),
    "a root of a sum": (rooted, "not linear"),
    "rows turned over": (swapped, "mixes rows"),
    "a loop": (lambda p: jax.lax.fori_loop(0, 2, lambda _, s: s + squared(net(p, X)), 0.0), "no sum over rows"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_has_no_layers_goes_by_products_and_says_why(name):
    function, why = OTHERS[name]
    H = landform.hessian(function, LISTED)
    assert H.plan.mode == "forward over reverse"
    assert "not by layers: " in H.explain() and why in H.explain()
    close(H.dense(), exact(function, LISTED))


def test_more_units_than_half_the_weights():
    H = landform.hessian(lambda p: jnp.sum(net(p, jnp.asarray(X[:, :1])) ** 2), start((1, 120, 1)))
    assert H.plan.mode == "by layers"
    H = landform.hessian(lambda p: jnp.sum((jnp.asarray(X[:, :1]) @ p) ** 2), RNG.standard_normal((1, 300)))
    assert "300 units against 300 inputs" in H.explain()


def test_a_rule_that_mixes_rows_behind_its_back_is_caught():
    @jax.custom_jvp
    def plain(h):
        return 1.0 * h

    plain.defjvp(lambda h, t: (plain(h[0]), t[0] + 0.3 * h[0] * jnp.roll(t[0], 1, 0)))
    function = smooth(plain, squared)
    H = landform.hessian(function, LISTED)
    assert H.plan.mode == "by layers"
    H.dense()
    assert "miss a product" in H.explain()
    assert H.plan.mode == "forward over reverse"


def test_arguments_that_say_which_row(monkeypatch):
    """Indices among the arguments count with their values: another order of rows is another program."""

    def loss(x, order):
        return squared(net(TREE(x), jnp.asarray(X))[order])

    straight, turned = np.arange(ROWS), np.arange(ROWS)[::-1].copy()
    assert landform.hessian(loss, POINT, args=(straight,)).plan.mode == "by layers"
    H = landform.hessian(loss, POINT, args=(turned,))
    assert H.plan.mode == "forward over reverse"
    calls = []
    monkeypatch.setattr(formed, "symmetric_rows", calls.append)
    close(landform.hessian(loss, POINT, args=(straight,)).dense(), exact(lambda x: loss(x, straight), POINT))


def test_memory_for_layers():
    H = landform.hessian(with_penalty, LISTED, memory=8 * POINT.size**2 + 1000)
    assert "three times the matrix's memory" in H.explain()


def test_weights_and_several_outputs():
    def outputs(params):
        return jnp.sum((net(params, jnp.asarray(X)) - Y) ** 2, axis=0)

    u = np.array([0.5, -1.0, 2.0])
    H = landform.hessian(outputs, LISTED, weights=u)
    assert H.plan.mode == "by layers"
    close(H.dense(), exact(lambda p: u @ outputs(p), LISTED))
