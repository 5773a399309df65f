"""Leading eigenpairs from products, merged moments and perturbed spans against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles

from landform.linalg import Moments, leading_pairs, moments_of, span_change

SPECTRA = {
    "fast": 2.0 ** -np.arange(300.0),
    "slow": 1.0 / np.arange(1.0, 301.0),
    "tied inside": np.r_[5.0, 5.0, 5.0, np.linspace(1.0, 0.1, 297)],
    "negative end": np.linspace(1.0, -3.0, 300),
    "low rank": np.r_[3.0, 2.0, 1.0, np.zeros(297)],
}


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_leading_pairs(spectrum):
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((300, 300)))[0]
    values = np.sort(SPECTRA[spectrum])[::-1]
    A = (Q * values) @ Q.T
    calls = []

    def product(V):
        calls.append(V.shape[1])
        return A @ V

    found = leading_pairs(product, 300, count=3, tolerance=1e-8, most=100)
    assert found.converged
    assert found.products == len(calls)
    np.testing.assert_allclose(found.eigenvalues[:3], values[:3], rtol=1e-10)
    turn = subspace_angles(Q[:, :3], found.vectors[:, :3]).max()
    assert turn <= max(2e-8, 2 * found.angle)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(found.vectors.shape[1]), atol=1e-12)
    for k in range(3):  # an eigenvalue lies within each residual
        assert np.abs(values - found.eigenvalues[k]).min() <= found.residuals[k] + 1e-14 * values[0]


def test_a_cut_inside_a_tie_is_not_called_converged():
    A = np.diag(np.r_[2.0, 1.0, 1.0, np.linspace(0.5, 0.1, 197)])
    assert not leading_pairs(lambda V: A @ V, 200, count=2, most=60).converged
    assert leading_pairs(lambda V: A @ V, 200, count=3, most=60).converged


def test_a_small_matrix_is_met_whole():
    A = np.diag([3.0, 2.0, 1.0])
    found = leading_pairs(lambda V: A @ V, 3, count=3)
    np.testing.assert_allclose(found.eigenvalues, [3, 2, 1], rtol=1e-12)
    assert found.converged


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 49), max_size=4, unique=True), shift=st.floats(-1e6, 1e6))
def test_moments_do_not_depend_on_the_cuts(cuts, shift):
    X = np.random.default_rng(0).standard_normal((50, 3)) + shift
    parts = [moments_of(part) for part in np.split(X, sorted(cuts))]
    merged = parts[0]
    for part in parts[1:]:
        merged = Moments.merged(merged, part)
    assert merged.rows == 50
    np.testing.assert_allclose(merged.covariance, np.cov(X.T), atol=1e-9)


@pytest.mark.parametrize("members", [slice(0, 1), slice(1, 3), slice(3, 5)])
def test_spans_turn_as_perturbation_theory_says(members):
    """Errors of the first order fall with size², of the second with size³; the pair 2, 3 is tied."""
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    values = np.array([6.0, 3.0, 3.0, 1.0, 0.2])
    E, F = (M + M.T for M in rng.standard_normal((2, 5, 5)))
    A = (Q * values) @ Q.T
    missed = {}

    def own(M):
        return lambda Y: Q.T @ M @ Q @ Y

    for order in (1, 2):
        for size in (2e-2, 1e-2):
            new, vectors = np.linalg.eigh(A + size * E + size**2 * F)
            new, vectors = new[::-1][members], vectors[:, ::-1][:, members]
            found = span_change(values, members, own(E), size=size, rows=1, second=own(F), order=order)
            basis = Q[:, members] + Q @ found.turn[0]
            missed[order, size] = np.array(
                [subspace_angles(basis, vectors).max(), abs(values[members].sum() + found.trace[0] - new.sum())]
            )
            turned = subspace_angles(Q[:, members], vectors).max()
            assert found.angle[0] == pytest.approx(turned, rel=0.2)
    for order in (1, 2):
        assert np.all(missed[order, 2e-2] / missed[order, 1e-2] > 2 ** (order + 0.6))
