"""Every scenario through every door: dense both ways, products, quadratic forms, prepared, all at once.

The truth is SymPy's at 30 digits (see `scenarios.py`). Tolerance: some 50 roundings of the largest entry.
"""

from __future__ import annotations

import numpy as np
import pytest

from landform.derivatives import hessian, jacobian, prepare, verify
from scenarios import SCENARIOS, Scenario

RNG = np.random.default_rng(7)
NO_SECOND_REMAINDER = {"affine", "quadratic form", "constant"}
VERIFIED = [*sorted(NO_SECOND_REMAINDER), "sphere", "kinetics", "growth", "softmax", "recursion", "linear solve"]


def close(found, truth, size=None):
    """Equal to within rounding, relative to the largest number involved."""
    found, truth = np.asarray(found), np.asarray(truth)
    assert found.dtype == np.float64
    assert found.shape == truth.shape
    scale = float(np.max(np.abs(truth), initial=0.0)) if size is None else size
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-14 * max(50 * scale, 1.0))


@pytest.fixture(params=SCENARIOS, ids=lambda s: s.name)
def scenario(request) -> Scenario:
    return request.param


def test_no_shape_is_square(scenario):
    assert scenario.m != scenario.n


def test_jacobian_dense_forward_and_reverse(scenario):
    forward = jacobian(scenario.function, scenario.x, mode="forward")
    reverse = jacobian(scenario.function, scenario.x, mode="reverse")
    assert forward.shape == (scenario.m, scenario.n)
    assert (forward.plan.mode, reverse.plan.mode) == ("forward", "reverse")
    close(forward.dense(), scenario.jacobian)
    close(reverse.dense(), scenario.jacobian)


def test_jacobian_products(scenario):
    J = jacobian(scenario.function, scenario.x)
    v, u = RNG.standard_normal(scenario.n), RNG.standard_normal(scenario.m)
    size = float(np.max(np.abs(scenario.jacobian))) * max(scenario.n, scenario.m)
    close(J @ v, scenario.jacobian @ v, size)
    close(J.T @ u, scenario.jacobian.T @ u, size)
    assert J.T.shape == (scenario.n, scenario.m)


def test_hessian_of_a_weighted_sum(scenario):
    u, v = RNG.standard_normal(scenario.m), RNG.standard_normal(scenario.n)
    truth = np.tensordot(u, scenario.hessian, axes=1)
    H = hessian(scenario.function, scenario.x, weights=u)
    size = float(np.max(np.abs(scenario.hessian))) * scenario.n * scenario.m
    assert H.shape == (scenario.n, scenario.n)
    dense = H.dense()
    close(dense, truth, size)
    assert np.array_equal(dense, dense.T)
    close(H @ v, truth @ v, size)
    close(H.quadratic(v), v @ truth @ v, size * scenario.n)


def test_prepared(scenario):
    p = prepare(scenario.function, np.full(scenario.n, 0.5), effort="quick")
    value, slopes, curves = p.second(scenario.x)
    close(value, scenario.value)
    close(slopes, scenario.jacobian)
    close(curves, scenario.hessian, float(np.max(np.abs(scenario.hessian), initial=0)) * scenario.n)
    value, slopes = p.value_and_jacobian(scenario.x)
    close(value, scenario.value)
    close(slopes, scenario.jacobian)


@pytest.mark.parametrize("name", VERIFIED)
def test_verify_finds_them_right(name):
    scenario = next(s for s in SCENARIOS if s.name == name)
    found = verify(scenario.function, scenario.x)
    assert found.correct, found.words
    assert found.repeatable
    assert found.dot_product_gap < 1e-13
    if scenario.name in NO_SECOND_REMAINDER:
        assert np.isnan(found.order_second)
    else:
        assert found.order_first == pytest.approx(2, abs=0.2)


def test_prepared_in_batches():
    """Rows of different number share one padded program; the padding never shows."""
    scenario = next(s for s in SCENARIOS if s.name == "waves")
    p = prepare(scenario.function, scenario.x)
    for rows in (1, 5, 33):
        X = np.vstack([RNG.uniform(-1, 1, (rows - 1, 3)), scenario.x])
        assert p.values(X).shape == (rows, 2)
        assert p.jacobians(X).shape == (rows, 2, 3)
        Y, J = p.values_and_jacobians(X)
        close(Y, p.values(X))
        close(J, p.jacobians(X))
        close(Y[0], p.value(X[0]))
        close(p.values(X)[-1], scenario.value)
        close(p.jacobians(X)[-1], scenario.jacobian)
        close(p.jacobians(X)[0], p.jacobian(X[0]))
