"""Subspaces and spectra against NumPy's own, and against matrices made with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from landform.linalg import projected_spectrum, tangent_basis

RNG = np.random.default_rng(2)


@pytest.mark.parametrize(("k", "n"), [(1, 4), (2, 5), (3, 7), (1, 2)])
def test_a_tangent_basis_is_orthonormal_and_meets_every_condition(k, n):
    A = RNG.standard_normal((k, n))
    Z = tangent_basis(A)
    assert Z.shape == (n, n - k)
    np.testing.assert_allclose(Z.T @ Z, np.eye(n - k), atol=1e-14)
    np.testing.assert_allclose(A @ Z, 0, atol=1e-14)


def test_dependent_and_empty_conditions_count_once_or_not_at_all():
    A = RNG.standard_normal((2, 5))
    assert tangent_basis(np.vstack([A, A.sum(axis=0), np.zeros(5)])).shape == (5, 3)
    np.testing.assert_array_equal(tangent_basis(np.zeros((0, 4))), np.eye(4))
    assert tangent_basis(np.zeros((1, 4))).shape == (4, 4)
    assert tangent_basis(np.eye(3)).shape == (3, 0)
    assert tangent_basis(np.ones(6)).shape == (6, 5)


def test_tiny_conditions_are_conditions():
    """A row in small units says as much as the same row in large ones."""
    assert tangent_basis(1e-9 * np.ones((1, 3))).shape == (3, 2)


def test_eigenpairs_with_a_known_answer():
    """Q diag(λ) Q' on the span of Q's columns has eigenvalues λ, whatever lies across it."""
    Q = np.linalg.qr(RNG.standard_normal((6, 6)))[0]
    values = np.array([-7.0, 3.0, 1.0, -0.5])
    across = 100.0 * np.outer(Q[:, 4], Q[:, 4]) + 50.0 * np.outer(Q[:, 5], Q[:, 5])
    matrix = Q[:, :4] @ np.diag(values) @ Q[:, :4].T + across
    turned = Q[:, :4] @ np.linalg.qr(RNG.standard_normal((4, 4)))[0]
    found = projected_spectrum(matrix, turned)
    np.testing.assert_allclose(found.eigenvalues, values, atol=1e-12)
    np.testing.assert_allclose(np.abs(found.directions.T @ Q[:, :4]), np.eye(4), atol=1e-12)
    largest = np.take_along_axis(found.directions, np.argmax(np.abs(found.directions), axis=0)[None], axis=0)
    assert np.all(largest > 0)


def test_no_direction_no_eigenvalue():
    found = projected_spectrum(np.eye(3), np.zeros((3, 0)))
    assert found.eigenvalues.shape == (0,)
    assert found.directions.shape == (3, 0)
