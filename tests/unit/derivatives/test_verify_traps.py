"""What a derivative check must not let through: each trap is named, and its honest neighbor passes."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from landform import verify
from landform.derivatives import prepare
from landform.errors import DerivativeError

X = np.array([0.7, 1.1, -0.4])
SEEDS = range(3)


@jax.custom_vjp
def curved_lie(x):
    return jnp.sin(x)


@jax.custom_vjp
def _cosine(x):
    return jnp.cos(x)


_cosine.defvjp(lambda x: (jnp.cos(x), x), lambda x, u: (-0.9 * jnp.sin(x) * u,))
curved_lie.defvjp(lambda x: (jnp.sin(x), x), lambda x, u: (_cosine(x) * u,))


@jax.custom_jvp
def straight_through(x):
    return jnp.round(x)


straight_through.defjvp(lambda p, t: (jnp.round(p[0]), t[0]))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: jnp.abs(x - X[1])[:2], "kink at the point in output 'y1'"),
        (lambda x: jnp.maximum(x - X[0], 0.0)[:1], "kink at the point"),
        (lambda x: jnp.where(x > X[0], x + 1.0, x)[:1], "jumps at the point"),
        (lambda x: jnp.abs(x - X[0])[:1] * (x[:1] - X[0]), "slope has a kink at the point"),
        (lambda x: jnp.round(10 * x), "moves in output 'y0', in jumps: it rounds"),
        (lambda x: jnp.floor(100 * x + 0.3).astype(int).astype(float)[:1], "in jumps: it rounds"),
        (lambda x: jax.lax.stop_gradient(x[:1] * x[1]), "zero although the function moves: something stops"),
        (lambda x: x[:1] * jax.lax.stop_gradient(x[1]), r"Jacobian whose Taylor remainder falls like step\^1"),
        (lambda x: jnp.stack([x[0] ** 2, 1e-6 * jax.lax.stop_gradient(x[1])]), "zero although.*output 'y1'"),
        (lambda x: straight_through(3 * x)[:1], "derivative of .* where the function stands still"),
        (lambda x: curved_lie(x[:2]) * x[2], r"Hessian whose Taylor remainder falls like step\^2.*'y"),
        (lambda x: jnp.sqrt(X[0] - x[:1]), "not finite|no value right beside"),
        (lambda x: jnp.where(x[:1] > X[0], jnp.nan, x[:1]), "no value right beside the point: output 'y' is nan"),
    ],
)
def test_traps_are_named(f, words, seed):
    found = verify(f, X, seed=seed)
    assert not found.correct
    with pytest.raises(DerivativeError, match=words):
        found.require()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x[:1] - X[0]) ** 2,  # zero slope, not by accident
        lambda x: (x[:1] - X[0]) ** 4 + 0 * x[1],
        lambda x: (x - X[0]) ** 3,
        lambda x: jnp.abs(x[:1] - X[0] - 1e-3),  # a kink nearby, not at the point
        lambda x: jnp.stack([1e6 * jnp.sin(x[0]), 1e-6 * jnp.cos(x[1]), 1.0 + 0 * x[2]]),
        lambda x: jnp.sin(1000 * x),
        lambda x: (1e8 + x) - 1e8,
        lambda x: jnp.linalg.solve(jnp.outer(x, x) + jnp.eye(3), x),
        lambda x: jnp.full(2, 3.0),
        lambda x: jnp.where(x > X + 0.01, jnp.nan, jnp.exp(x)),  # no value a little further off
        lambda x: jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * x), (0, x))[1],  # no reverse
    ],
)
def test_honest_neighbors_pass(f, seed):
    found = verify(f, X, seed=seed)
    assert found.words.startswith("right"), found.words


def test_hidden_state_that_compiling_would_hide():
    calls = itertools.count()
    found = verify(lambda x: x[:2] * x[2] + 1e-9 * next(calls), X)
    assert not found.correct and not found.repeatable
    assert "another value when called again at the same point" in found.words


def test_random_numbers_drawn_outside_the_framework():
    rng = np.random.default_rng(0)
    assert "hidden state" in verify(lambda x: x[:2] + 1e-6 * rng.standard_normal(), X).words


def test_a_value_that_is_not_finite_is_named():
    with pytest.raises(DerivativeError, match="output 'y1' is nan"):
        verify(lambda x: jnp.stack([x[0], jnp.log(x[2])]), X)


def test_products_that_are_not_symmetric_are_named():
    """Second derivatives by a rule whose own derivative is no gradient's: u'Hv and v'Hu differ."""

    @jax.custom_jvp
    def f(x):
        return x[0] * x[1]

    @jax.custom_jvp
    def slopes(x):
        return jnp.stack([x[1], x[0]])

    @slopes.defjvp
    def _(p, t):
        return slopes(p[0]), jnp.stack([1.5 * t[0][1], 0.5 * t[0][0]])

    @f.defjvp
    def _(p, t):
        return f(p[0]), slopes(p[0]) @ t[0]

    # v'Hv = 2 v0 v1 is right along every direction, so only the products can tell.
    found = verify(lambda x: f(x[:2])[None], X)
    assert not found.correct
    assert "not symmetric" in found.words
    assert found.symmetry_gap > 0.01


def test_prepare_names_the_trap():
    with pytest.raises(DerivativeError, match="rounds"):
        prepare(lambda x: jnp.round(10 * x), X, verify=True)
