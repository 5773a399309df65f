"""Rules of calculus that hold for any function: linearity, the chain rule, symmetry of second derivatives."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landform.derivatives import prepare
from landform.fit import Observations, fit_polynomial, fit_process
from landform.formulation.responses import Response, Responses
from landform.sensitivity import Ground, cox_move

A = np.array([[0.3, -0.7, 1.1], [0.2, 0.5, -0.4], [1.0, 0.1, 0.6], [-0.8, 0.9, 0.2]])


def inner(x):
    """3 → 4."""
    return jnp.tanh(jnp.asarray(A) @ x) + x[0] * x[1]


def outer(y):
    """4 → 2."""
    return jnp.stack([jnp.sin(y[0] * y[3]) + y[2], jnp.sum(y**2) * y[1]])


def other(x):
    """3 → 4."""
    return jnp.exp(0.3 * jnp.asarray(A) @ x) * x[2]


INNER, OTHER = prepare(inner, np.ones(3)), prepare(other, np.ones(3))
OUTER = prepare(outer, np.ones(4))
BOTH = prepare(lambda x: outer(inner(x)), np.ones(3))
SUM = prepare(lambda x, a, b: a * inner(x) + b * other(x), np.ones(3), args=(2.0, -0.7))

calculus = settings(max_examples=40, deadline=None, derandomize=True, database=None)
points = arrays(np.float64, 3, elements=st.floats(-2, 2, width=32))


@calculus
@given(points)
def test_chain_rule_of_jacobians(x):
    np.testing.assert_allclose(
        BOTH.jacobian(x), OUTER.jacobian(INNER.value(x)) @ INNER.jacobian(x), rtol=1e-11, atol=1e-11
    )


@calculus
@given(points)
def test_chain_rule_of_hessians(x):
    """(f∘g)'' = Jg' f'' Jg + Σ f'_k g''_k."""
    y, J, H = INNER.second(x)
    _, slopes, curves = OUTER.second(y)
    truth = np.einsum("ja,ijk,kb->iab", J, curves, J) + np.einsum("ik,kab->iab", slopes, H)
    np.testing.assert_allclose(BOTH.second(x)[2], truth, rtol=1e-10, atol=1e-10)


@calculus
@given(points)
def test_linearity(x):
    np.testing.assert_allclose(SUM.jacobian(x), 2 * INNER.jacobian(x) - 0.7 * OTHER.jacobian(x), rtol=1e-12, atol=1e-12)


@calculus
@given(points)
def test_second_derivatives_are_symmetric(x):
    H = BOTH.second(x)[2]
    assert np.max(np.abs(H - H.transpose(0, 2, 1))) <= 1e-13 * max(1.0, np.max(np.abs(H)))
    weighted = BOTH.hessian(x, np.array([0.4, -1.3]))
    assert np.array_equal(weighted, weighted.T)


# Fitted surrogates ------------------------------------------------------------------------------------------------


def blends(total=1.0, order=(0, 1, 2)):
    rng = np.random.default_rng(8)
    X = rng.dirichlet(np.ones(3), 24)
    y = 3 * X[:, 0] + 5 * X[:, 1] + 9 * X[:, 0] * X[:, 2] + 0.1 * rng.standard_normal(24)
    return Observations(total * X[:, order], y, np.arange(24), tuple("abc"[k] for k in order), 3, total)


def fit(kind, data):
    return fit_process(data) if kind == "gaussian process" else fit_polynomial(kind, data)


def cox(fitted, x, total):
    """Cox slopes with their standard errors at x."""
    ground = Ground(fitted.names, 3, np.zeros(3), np.full(3, total), np.full(3, total / 100))
    V = np.column_stack([cox_move(x, i, ground).vector for i in range(3)])
    J = Responses((Response("y", "", fitted),), fitted.names, fitted.X).derivatives.jacobian(x)[0]
    return J @ V, np.sqrt(np.diag(fitted.posterior.slopes(x[None], V[None])))


KINDS = ["linear", "quadratic", "special cubic", "gaussian process"]
X0 = np.array([0.2, 0.5, 0.3])


@pytest.fixture(scope="module", params=KINDS)
def base(request):
    fitted = fit(request.param, blends())
    return request.param, fitted, cox(fitted, X0, 1.0)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 0, 2)])
def test_the_order_of_ingredients_does_not_matter(base, order):
    kind, fitted, (slopes, errors) = base
    turned = fit(kind, blends(order=order))
    tolerance = {"rtol": 2e-3} if kind == "gaussian process" else {"rtol": 1e-8}  # its length scales are searched for
    np.testing.assert_allclose(turned.predict(X0[None, order])[0], fitted.predict(X0[None])[0], **tolerance)
    found, doubt = cox(turned, X0[list(order)], 1.0)
    np.testing.assert_allclose(found, slopes[list(order)], **tolerance)
    np.testing.assert_allclose(doubt, errors[list(order)], **tolerance)


def test_the_unit_of_the_total_does_not_matter(base):
    kind, fitted, (slopes, errors) = base
    percent = fit(kind, blends(total=100.0))
    tolerance = {"rtol": 1e-5} if kind == "gaussian process" else {"rtol": 1e-9}
    found, doubt = cox(percent, 100 * X0, 100.0)
    np.testing.assert_allclose(100 * found, slopes, **tolerance)
    np.testing.assert_allclose(100 * doubt, errors, **tolerance)
    assert percent.noise == pytest.approx(fitted.noise, rel=1e-5)


@calculus
@given(st.lists(st.floats(0.02, 1.0), min_size=3, max_size=3))
def test_slopes_along_a_polynomials_ray_are_its_differences(raw):
    """Cox slopes weighted by the amounts vanish: Σ x_i (1 − x_i) D_i = 0, whatever the function."""
    x = np.array(raw) / np.sum(raw)
    fitted = fit_polynomial("quadratic", blends())
    slopes, _ = cox(fitted, x, 1.0)
    assert abs(np.sum(x * (1 - x) * slopes)) < 1e-10
