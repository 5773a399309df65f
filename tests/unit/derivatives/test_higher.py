"""Laplacians and Taylor coefficients of every scenario against SymPy, and of operations without a Taylor rule."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import landform
from landform.errors import ShapeError
from scenarios import SCENARIOS

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_laplacian(scenario):
    truth = np.trace(scenario.hessian, axis1=1, axis2=2)
    size = max(1.0, float(np.abs(scenario.hessian).max())) * scenario.n
    np.testing.assert_allclose(landform.laplacian(scenario.function, scenario.x), truth, rtol=0, atol=1e-12 * size)


@pytest.mark.parametrize("name", ["sphere", "network", "rational", "recursion", "linear solve", "log-sum-exp", "power"])
def test_taylor_coefficients(name):
    """SymPy's series of f(x + t v), by repeated differentiation at t = 0."""
    s = next(s for s in SCENARIOS if s.name == name)
    v = np.round(RNG.standard_normal(s.n), 2)
    t = sp.Symbol("t")
    exprs = [
        sp.sympify(e)
        for e in s.formula(*(sp.Float(float(a), 30) + t * sp.Float(float(b), 30) for a, b in zip(s.x, v, strict=True)))
    ]
    truth = [[float(sp.diff(e, t, k).subs(t, 0).evalf(20)) / float(sp.factorial(k)) for e in exprs] for k in range(5)]
    found = landform.taylor(s.function, s.x, v, order=4)
    assert found.shape == (5, s.m)
    np.testing.assert_allclose(found, truth, rtol=1e-10, atol=1e-11 * np.abs(truth).max())


def test_taylor_without_a_rule():
    """lgamma, cumsum, sort and gather: the fourth difference of the third derivative tells."""

    def f(x):
        return jnp.cumsum(jnp.sort(jax.scipy.special.gammaln(x[jnp.array([2, 0])] + 2.0)) ** 2)

    x, v = np.array([0.3, 1.1, 2.2]), np.array([1.0, 0.5, -0.7])
    c = landform.taylor(f, x, v, order=5)
    t = 1e-2
    with jax.enable_x64(True):
        there = np.asarray(f(jnp.asarray(x + t * v)))
    np.testing.assert_allclose(sum(c[k] * t**k for k in range(6)), there, rtol=1e-12)


def test_orders_that_mean_nothing():
    for order in (-1, 1.5, True):
        with pytest.raises(ShapeError, match="order"):
            landform.taylor(jnp.sin, np.ones(1), np.ones(1), order=order)
    with pytest.raises(ShapeError, match="3 numbers"):
        landform.taylor(jnp.sin, np.ones(3), np.ones(2))
    assert landform.taylor(jnp.sin, np.ones(3), np.ones(3), order=0).shape == (1, 3)
