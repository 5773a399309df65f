"""Laplacians by one pass forwards: closed forms, and the trace of `jax.hessian` through every kind of operation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

import landform
from landform.derivatives.forward import laplacian as forward
from landform.derivatives.forward import rules

RNG = np.random.default_rng(8)
A, B = RNG.standard_normal((4, 6)), RNG.standard_normal((6, 6))
X = RNG.uniform(0.3, 1.2, 6)


@jax.custom_jvp
def cubed(x):
    return x**3


cubed.defjvp(lambda p, t: (cubed(p[0]), 3 * p[0] ** 2 * t[0]))


@jax.custom_jvp
def mixing(x):
    """Element by element, with a rule that is not: the rule counts, as it does for JAX."""
    return 1.0 * x


mixing.defjvp(lambda p, t: (mixing(p[0]), t[0] + 0.3 * p[0] * jnp.roll(t[0], 1)))


def looped(x):
    def body(carry, w):
        h, total = carry
        h = jnp.tanh(w * h + x[:2].sum())
        return (h, total + h.sum()), h[:3] ** 2

    (h, total), lines = lax.scan(body, (jnp.ones(6), 0.0), jnp.asarray(A)[:, :1] * x[:1])
    return jnp.concatenate([h, total[None], lines.ravel()])


def fixed_lines(x):
    return lax.scan(lambda c, w: (jnp.sin(w @ c), c.sum()), x, jnp.asarray(np.stack([B, B.T])))[1]


def counted(x):
    return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1]) * x[0], c[1]), (0, x, jnp.zeros(6)))[2]


def branched(x):
    y = lax.cond(x[0] > 0, lambda v: (v**2, 1.0), lambda v: (v, v[0]), x)
    return y[0] * y[1] + lax.switch(1, [jnp.sin, lambda v: v * 2, jnp.cos], x)


def attention(x):
    q = x.reshape(2, 3)
    return jax.nn.softmax(q @ jnp.asarray(B[:3, :3]) @ q.T) @ q


def convolved(x):
    image, kernel = x.reshape(1, 1, 6), x[:2].reshape(1, 1, 2)
    return lax.conv_general_dilated(image, kernel, (1,), "SAME") ** 2


PROGRAMS = {
    "network": lambda x: jnp.tanh(jnp.asarray(A) @ x) ** 2,
    "divisions and powers": lambda x: x[:3] / x[3:] + x[1:4] ** x[:3] + jnp.arctan2(x[:3], x[3:]),
    "products of products": lambda x: (x.reshape(2, 3) @ x.reshape(3, 2)).ravel() * x[:4],
    "batched products": lambda x: jnp.einsum("bi,bij->bj", x.reshape(2, 3), jnp.outer(x, x[:3]).reshape(2, 3, 3)),
    "order": lambda x: jnp.sort(x * jnp.asarray(A[0])) ** 2 * jnp.max(x) + jnp.cumsum(x) * jnp.cumprod(x),
    "picked": lambda x: x[jnp.array([2, 0, 2])] * jnp.where(x[:3] > 0.5, x[3:], x[:3] ** 2),
    "put": lambda x: jnp.zeros(6).at[jnp.array([1, 4])].add(x[:2] ** 2) * x + jnp.pad(x[:2], (1, 3)) * x,
    "picked by value": lambda x: lax.dynamic_slice(x**2, ((x[0] > 0).astype(int),), (3,)) * x[:3],
    "linear algebra": lambda x: jnp.linalg.solve(jnp.asarray(B) + jnp.diag(x), x),
    "determinant": lambda x: jnp.linalg.slogdet(jnp.asarray(B) + jnp.diag(x))[1],
    "eigenvalues": lambda x: jnp.linalg.eigvalsh(jnp.outer(x, x) + jnp.diag(x**2)),
    "Fourier": lambda x: jnp.abs(jnp.fft.rfft(x)) ** 2,
    "special": lambda x: jax.scipy.special.gammaln(x) + jax.scipy.special.erf(x) + jax.nn.gelu(x) * jax.nn.relu(x),
    "clipped": lambda x: jnp.clip(x, 0.5, 0.9) ** 3 + lax.stop_gradient(x) * x**2 + jnp.abs(x - 0.7) ** 3,
    "own rule": lambda x: cubed(x) * cubed(2 * x[0]),
    "own rule that mixes": lambda x: mixing(x) ** 2,
    "checkpoint": jax.checkpoint(lambda x: jnp.sin(x) ** 2),
    "mapped": lambda x: jax.vmap(lambda r: jax.nn.logsumexp(r * x))(jnp.asarray(A)),
    "scan": looped,
    "scan over what is fixed": fixed_lines,
    "while": counted,
    "branches": branched,
    "attention": attention,
    "convolution": convolved,
    "norms": lambda x: jnp.linalg.norm(x.reshape(3, 2), axis=1) * jnp.var(x),
    "gradient inside": lambda x: jax.grad(lambda z: jnp.sum(jnp.tanh(jnp.asarray(A) @ z) ** 2))(x),
    "constant": lambda x: jnp.ones(3) + 0 * x[:3],
    "nothing of the point": lambda x: jnp.ones(2),
    "whole numbers between": lambda x: x * jnp.argmax(x) + (x > 0.5),
}


def truth(f, x):
    with jax.enable_x64(True):
        flat = lambda z: jnp.ravel(f(z))  # noqa: E731
        return np.trace(np.asarray(jax.jacfwd(jax.jacfwd(flat))(jnp.asarray(x))), axis1=1, axis2=2)


@pytest.mark.parametrize("name", PROGRAMS)
def test_against_the_trace_of_the_hessian(name):
    f = PROGRAMS[name]
    expected = truth(f, X)
    found = landform.laplacian(f, X)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12 * max(1.0, np.abs(expected).max()))
    few = landform.laplacian(f, X, memory=8 * 8 * 40)  # some inputs at a time
    np.testing.assert_allclose(few, expected, rtol=1e-11, atol=1e-12 * max(1.0, np.abs(expected).max()))


def test_closed_forms():
    """∇²(1 / r) = 0 in three dimensions, ∇² exp(−r²) = (4 r² − 2 n) exp(−r²), ∇² r^k = k (k + n − 2) r^(k − 2)."""
    r = np.linalg.norm(X)
    bell = landform.laplacian(lambda x: jnp.exp(-jnp.sum(x**2)), X)
    np.testing.assert_allclose(bell, (4 * r**2 - 12) * np.exp(-(r**2)), rtol=1e-13)
    power = landform.laplacian(lambda x: jnp.sum(x**2) ** 2.5, X)
    np.testing.assert_allclose(power, 5 * (5 + 6 - 2) * r**3, rtol=1e-13)
    harmonic = landform.laplacian(lambda x: 1 / jnp.sqrt(jnp.sum(x**2)), X[:3])
    np.testing.assert_allclose(harmonic, 0, atol=1e-13 / r**3)


def test_rules_are_what_carries_it(monkeypatch):
    """The common operations need no second derivatives of their own."""
    monkeypatch.setattr(rules, "_by_itself", lambda eqn, *_: pytest.fail(eqn.primitive.name))

    def f(x):
        h = jnp.tanh(jnp.asarray(A) @ x) / (1 + jnp.exp(x[:4]))
        return jax.nn.softplus(h) @ jnp.sin(h) + jnp.concatenate([h, x[2:5]])[::-1].sum()

    np.testing.assert_allclose(landform.laplacian(f, X), truth(f, X), rtol=1e-12)


def test_compiled_mapped_differentiated():
    f = lambda x: jnp.sum(jnp.sin(x) * x[::-1] ** 2)  # noqa: E731
    with jax.enable_x64(True):
        points = jnp.asarray(RNG.standard_normal((3, 6)))
        found = jax.jit(jax.vmap(lambda x: landform.laplacian(f, x)))(points)
        np.testing.assert_allclose(found[:, 0], [truth(f, x)[0] for x in points], rtol=1e-12)
        slope = jax.grad(lambda x: landform.laplacian(f, x)[0])(points[0])
        expected = jax.grad(lambda x: jnp.trace(jax.hessian(f)(x)))(points[0])
        np.testing.assert_allclose(slope, expected, rtol=1e-11)
    single = landform.laplacian(f, jnp.asarray(X, jnp.float32))
    assert single.dtype == jnp.float32


def test_a_rule_for_reverse_products_alone():
    @jax.custom_vjp
    def own(x):
        return jnp.sum(x**3)

    own.defvjp(lambda x: (own(x), x), lambda x, g: (3 * g * x**2,))
    np.testing.assert_allclose(landform.laplacian(own, X), 6 * X.sum(), rtol=1e-13)


def test_arguments_trees_and_the_budget():
    f = lambda p, a: a * jnp.sum(p["u"] ** 2 * p["v"])  # noqa: E731
    point = {"u": X[:3], "v": X[3:]}
    np.testing.assert_allclose(landform.laplacian(f, point, args=(3.0,)), 6 * X[3:].sum(), rtol=1e-13)
    assert forward._widest(jax.make_jaxpr(lambda x: jax.jit(lambda z: jnp.outer(z, z))(x).sum())(X).jaxpr) == 36


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from(["sin", "square", "mix", "product", "sum", "turn"]), min_size=1, max_size=5),
    st.integers(0, 99),
)
def test_any_composition(steps, seed):
    """Products, mixtures and bends in any order."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((6, 6)) / 3

    def f(x):
        h = x
        for step in steps:
            h = {
                "sin": lambda h: jnp.sin(h),
                "square": lambda h: h**2 / 2,
                "mix": lambda h: jnp.asarray(mix) @ h,
                "product": lambda h: h * x,
                "sum": lambda h: h + h.sum() / 6,
                "turn": lambda h: jnp.roll(h, 2)[::-1],
            }[step](h)
        return h

    x = rng.uniform(-1, 1, 6)
    expected = truth(f, x)
    np.testing.assert_allclose(
        landform.laplacian(f, x), expected, rtol=1e-10, atol=1e-11 * max(1, np.abs(expected).max())
    )
