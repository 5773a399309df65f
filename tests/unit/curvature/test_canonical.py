"""Canonical analysis against surfaces made with a known shape; stationary points against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from landform.curvature import canonical, find_stationary, nature_of
from landform.linalg import tangent_basis

NATURES = [
    ([-4.0, -2.0], "maximum"),
    ([3.0, 1.0, 0.5], "minimum"),
    ([-4.0, 1.0], "saddle"),
    ([-4.0, -0.1], "ridge"),
    ([5.0, 0.01, -0.01], "ridge"),
    ([0.0, 0.0], "flat"),
    ([], "flat"),
    ([1e-13, -1e-14], "flat"),
]


@pytest.mark.parametrize(("eigenvalues", "nature"), NATURES)
def test_natures(eigenvalues, nature):
    assert nature_of(np.array(eigenvalues), negligible=1e-12) == nature


def test_the_shape_along_the_simplex():
    """Box and Draper (2007), ch. 10: the Hessian B'HB on a basis of directions that keep the sum."""
    rng = np.random.default_rng(5)
    H = rng.standard_normal((4, 4))
    H = H + H.T
    basis = tangent_basis(np.ones((1, 4)))
    found = canonical(H, basis, np.full(4, 0.01))
    truth = np.linalg.eigvalsh(basis.T @ H @ basis) * 1e-4
    assert len(found.curves) == 3
    np.testing.assert_allclose(sorted(c.eigenvalue for c in found.curves), truth, rtol=1e-10)
    for curve in found.curves:
        assert abs(curve.direction.sum()) < 1e-12
        step = 0.01 * curve.direction
        assert step @ H @ step == pytest.approx(curve.eigenvalue, rel=1e-10)
    sizes = [abs(c.eigenvalue) for c in found.curves]
    assert sizes == sorted(sizes, reverse=True)


def test_the_unit_of_an_input_does_not_matter():
    H = np.array([[-2.0, 0.3], [0.3, -5.0]])
    unit = np.array([1000.0, 1.0])
    one = canonical(H, np.eye(2), np.array([0.5, 2.0]))
    other = canonical(H / np.outer(unit, unit), np.eye(2), np.array([0.5, 2.0]) * unit)
    assert [c.eigenvalue for c in one.curves] == pytest.approx([c.eigenvalue for c in other.curves], rel=1e-12)
    np.testing.assert_allclose(one.curves[0].direction, other.curves[0].direction, atol=1e-12)


def quadratic(H, b):
    return lambda x: (H @ x + b, H)


def test_the_stationary_point_of_a_quadratic_is_its_formula():
    """On the simplex: H x + b = λ 1 with 1'x = 1."""
    H = np.array([[-6.0, 2.0, 1.0], [2.0, -9.0, 0.5], [1.0, 0.5, -4.0]])
    b = np.array([1.0, 3.0, 2.0])
    system = np.block([[H, -np.ones((3, 1))], [np.ones((1, 3)), np.zeros((1, 1))]])
    truth = np.linalg.solve(system, np.append(-b, 1.0))[:3]
    found = find_stationary(quadratic(H, b), np.full(3, 1 / 3), tangent_basis(np.ones((1, 3))), np.full(3, 0.01))
    np.testing.assert_allclose(found, truth, atol=1e-9)
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_a_saddle_is_stationary_too():
    found = find_stationary(quadratic(np.diag([2.0, -3.0]), np.array([-2.0, 6.0])), np.zeros(2), np.eye(2), np.ones(2))
    np.testing.assert_allclose(found, [1.0, 2.0], atol=1e-9)


@pytest.mark.parametrize(
    "rising",
    [
        lambda x: (np.array([1.0, 0.0]), np.zeros((2, 2))),
        lambda x: (1 + x**2, np.diag(2 * x)),
    ],
)
def test_what_only_rises_has_none(rising):
    assert find_stationary(rising, np.zeros(2), np.eye(2), np.ones(2)) is None


def test_no_direction_has_none():
    assert find_stationary(quadratic(np.eye(2), np.ones(2)), np.zeros(2), np.zeros((2, 0)), np.ones(2)) is None
