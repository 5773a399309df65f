"""Eigenpairs from products, against planted spectra, NumPy's dense solver, and a published probability bound."""

from __future__ import annotations

import numpy as np
import pytest

from landform.errors import DerivativeError, ShapeError
from landform.linalg import extreme_pairs, undershoot


def planted(values: np.ndarray, seed: int = 0) -> np.ndarray:
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))[0]
    return (Q * values) @ Q.T


@pytest.mark.parametrize("end", ["top", "bottom", "both", "largest"])
def test_against_the_dense_solver(end):
    A = np.random.default_rng(1).standard_normal((150, 150))
    A = (A + A.T) / 2
    truth = np.linalg.eigvalsh(A)[::-1]
    found = extreme_pairs(lambda v: A @ v, 150, count=4, end=end, tolerance=1e-8)
    wanted = {
        "top": truth[:4],
        "bottom": truth[-4:],
        "both": np.r_[truth[:4], truth[-4:]],
        "largest": truth[np.argsort(-np.abs(truth))[:4]],
    }[end]
    assert found.converged
    np.testing.assert_allclose(found.eigenvalues, wanted, atol=1e-9)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(len(wanted)), atol=1e-12)
    residual = np.linalg.norm(A @ found.vectors - found.vectors * found.eigenvalues, axis=0)
    np.testing.assert_allclose(residual, found.residuals, atol=1e-12)


def test_residual_bounds_hold_in_every_seed():
    """|θ − λ| ≤ ‖r‖ for some λ (Parlett 1998, theorem 4.5.1), and in order here since the ends are apart."""
    values = np.r_[np.linspace(0, 1, 480), 2.0 + 0.5 * np.arange(20)]
    A = planted(values)
    for seed in range(20):
        found = extreme_pairs(lambda v: A @ v, 500, count=10, tolerance=1e-4, seed=seed)
        assert found.converged
        assert np.all(np.abs(found.eigenvalues - np.sort(values)[::-1][:10]) <= found.residuals + 1e-12)


def test_copies_of_a_multiple_eigenvalue():
    d = np.r_[np.full(3, 5.0), np.full(2, 4.0), np.linspace(-1, 1, 195)]
    found = extreme_pairs(lambda v: d * v, 200, count=5)
    np.testing.assert_allclose(found.eigenvalues, [5, 5, 5, 4, 4], atol=1e-6)


def test_one_small_negative_under_a_large_top():
    d = np.r_[-1e-3, np.linspace(0.01, 1.0, 298), 100.0]
    found = extreme_pairs(lambda v: d * v, 300, count=1, end="bottom", tolerance=1e-7)
    assert found.converged and abs(found.eigenvalues[0] + 1e-3) < 1e-5


def test_a_warm_start_costs_at_most_a_fifth():
    rng = np.random.default_rng(2)
    d = 1.0 / np.arange(1.0, 1001.0) ** 1.2
    cold = extreme_pairs(lambda v: d * v, 1000, count=5, tolerance=1e-4)
    moved = d * (1 + 1e-5 * rng.standard_normal(1000))
    warm = extreme_pairs(lambda v: moved * v, 1000, count=5, tolerance=1e-4, start=cold.vectors, copies=False)
    assert cold.converged and warm.converged and warm.products <= max(5, cold.products // 5)
    assert warm.missed == np.inf  # no random start, no bound


def test_folding_the_basis_still_converges():
    d = np.r_[np.linspace(0, 1, 990), 1 + 0.05 * np.arange(1, 11)]
    found = extreme_pairs(lambda v: d * v, 1000, count=3, basis=25, tolerance=1e-6, most=900)
    assert found.converged
    np.testing.assert_allclose(found.eigenvalues, [1.5, 1.45, 1.4], atol=1e-6)


def test_it_says_when_it_did_not_converge():
    d = np.linspace(0, 1, 2000)
    found = extreme_pairs(lambda v: d * v, 2000, count=5, tolerance=1e-10, most=20)
    assert not found.converged and found.products == 20


def test_the_bound_on_what_was_missed_holds():
    """Kuczyński and Woźniakowski (1992): with chance 1e-3 or less it does not."""
    d = np.sort(np.random.default_rng(3).standard_normal(800))
    for seed in range(40):
        for most in (10, 25, 60):
            found = extreme_pairs(lambda v: d * v, 800, count=1, tolerance=1e-15, most=most, seed=seed)
            assert d[-1] <= found.eigenvalues[0] + found.missed
    assert undershoot(800, 400) < undershoot(800, 100) < 0.01


def test_the_whole_space():
    A = planted(np.array([3.0, 3.0, -1.0, 0.0]))
    found = extreme_pairs(lambda v: A @ v, 4, count=4)
    np.testing.assert_allclose(found.eigenvalues, [3, 3, 0, -1], atol=1e-12)
    assert found.converged and found.missed == 0
    zero = extreme_pairs(lambda v: 0 * v, 5, count=2)
    np.testing.assert_array_equal(zero.eigenvalues, 0)


def test_refusals():
    with pytest.raises(ShapeError, match="from 1 to 3 eigenpairs, got 4"):
        extreme_pairs(lambda v: v, 3, count=4)
    with pytest.raises(DerivativeError, match="finite products"):
        extreme_pairs(lambda v: v * np.nan, 3, count=1)
    lopsided = np.triu(np.random.default_rng(0).standard_normal((30, 30)))
    with pytest.raises(DerivativeError, match="a symmetric operator"):
        extreme_pairs(lambda v: lopsided @ v, 30, count=1)
