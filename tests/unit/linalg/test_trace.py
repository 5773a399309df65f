"""Traces and diagonals whose truth is planted; intervals by simulation over 200 seeds."""

from __future__ import annotations

import numpy as np
import pytest

from landform.errors import DerivativeError, ShapeError
from landform.linalg import sampled_diagonal, sampled_trace


def full(values: np.ndarray, seed: int = 0) -> np.ndarray:
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))[0]
    return (Q * values) @ Q.T


MATRICES = {
    "falling": full(1.0 / np.arange(1.0, 301.0)),
    "outliers and bulk": full(np.r_[50.0, 20.0, np.linspace(-1, 3, 298)]),
    "flat": full(np.linspace(0.5, 1.5, 300)),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("deflate", [0, 10])
def test_intervals_hold_the_trace_as_often_as_they_say(name, deflate):
    A = MATRICES[name]
    found = [sampled_trace(lambda v: A @ v, 300, tolerance=0.03, deflate=deflate, seed=seed) for seed in range(200)]
    assert all(one.value == pytest.approx(np.trace(A), rel=1e-10) for one in found if one.exact)
    inside = [one.exact or one.lower <= np.trace(A) <= one.upper for one in found]
    assert np.mean(inside) >= 0.92
    if not any(one.exact for one in found):  # exact where sampling would have cost more than n products
        assert np.mean(inside) <= 0.98
    wide = np.array([(one.upper - one.lower) / 2 / abs(one.value) for one in found])
    np.testing.assert_array_equal(wide <= 0.03, [one.converged for one in found])
    assert deflate == 0 or np.mean(wide <= 0.03) >= 0.95


def test_intervals_hold_the_diagonal():
    A = MATRICES["outliers and bulk"]
    inside = []
    for seed in range(200):
        found = sampled_diagonal(lambda v: A @ v, 300, tolerance=0.3, seed=seed)
        assert not found.exact
        inside.append(np.mean((found.lower <= np.diag(A)) & (np.diag(A) <= found.upper)))
    assert 0.92 <= np.mean(inside) <= 0.98


def test_the_error_is_never_larger_than_asked_for_more_often_than_said():
    """What PyHessian's rule misses: asked for 1 %, the error is within 1 % in 92 to 98 % of runs, or more."""
    A = MATRICES["outliers and bulk"]
    misses = [abs(sampled_trace(lambda v: A @ v, 300, seed=seed).value / np.trace(A) - 1) > 0.01 for seed in range(200)]
    assert np.mean(misses) <= 0.08


def test_it_says_when_products_ran_out():
    A = MATRICES["flat"]
    found = sampled_trace(lambda v: A @ v, 300, tolerance=1e-6, most=60)
    assert not found.converged and not found.exact and found.products <= 60
    assert found.lower < np.trace(A) < found.upper


def test_small_matrices_are_exact():
    A = full(np.arange(9.0))
    trace, diagonal = sampled_trace(lambda v: A @ v, 9), sampled_diagonal(lambda v: A @ v, 9)
    assert trace.exact and trace.value == pytest.approx(36)
    np.testing.assert_allclose(diagonal.value, np.diag(A), atol=1e-12)
    assert sampled_diagonal(lambda v: 2 * v, 1).value.shape == (1,)


def test_low_rank_costs_the_rank():
    A = full(np.r_[np.arange(1.0, 6.0), np.zeros(495)])
    found = sampled_trace(lambda v: A @ v, 500, tolerance=1e-6)
    assert found.value == pytest.approx(15, rel=1e-9) and found.products == 36


def test_refusals():
    with pytest.raises(ShapeError, match="a level between 0 and 1"):
        sampled_trace(lambda v: v, 3, level=2)
    with pytest.raises(DerivativeError, match="finite products"):
        sampled_trace(lambda v: v * np.nan, 300)
