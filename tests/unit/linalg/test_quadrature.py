"""Densities against counts of planted eigenvalues, the Marchenko–Pastur law, and moments; intervals by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid

from landform.errors import ShapeError
from landform.linalg import spectral_quadrature


def marchenko_pastur(x: np.ndarray, ratio: float) -> np.ndarray:
    """Marchenko and Pastur (1967): the distribution function of eigenvalues of X'X / rows, columns / rows = ratio."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    grid = low + (high - low) * (1 - np.cos(np.linspace(0, np.pi, 20001))) / 2
    density = np.sqrt(np.maximum((high - grid) * (grid - low), 0)) / (2 * np.pi * ratio * grid)
    return np.interp(x, grid, cumulative_trapezoid(density, grid, initial=0))


def test_the_law_of_marchenko_and_pastur():
    """W1 to the law within 0.6 % of the width with 20 random vectors; 600 true eigenvalues are within 0.13 % of it."""
    X = np.random.default_rng(11).standard_normal((1200, 600))
    A = X.T @ X / 1200
    found = spectral_quadrature(lambda v: A @ v, 600, probes=20, steps=100)
    grid = np.linspace(0, 3.2, 4001)
    gap = np.trapezoid(np.abs(found.below(grid)[0] - marchenko_pastur(grid, 0.5)), grid)
    assert gap / 2.83 < 6e-3
    assert abs(found.ends[1] - (1 + np.sqrt(0.5)) ** 2) < 0.05


def test_moments_are_those_of_the_quadrature():
    """Golub and Meurant (2010): k steps integrate powers up to 2k − 1 exactly, for each random vector."""
    rng = np.random.default_rng(4)
    d = rng.standard_normal(50)
    v = np.random.default_rng(7).standard_normal(50)
    found = spectral_quadrature(lambda v: d * v, 50, probes=2, steps=6, seed=7)
    for power in range(12):
        truth = (v**2 / (v @ v)) @ d**power
        assert found.weights[0] @ found.nodes[0] ** power == pytest.approx(truth, rel=1e-9)


def test_intervals_hold_the_true_share():
    """Share of eigenvalues below a gap, 200 seeds: 95 % intervals hold it 92 to 98 % of the time."""
    d = np.r_[np.linspace(-1, -0.5, 120), np.linspace(0.5, 1, 280)]
    inside = 0
    for seed in range(200):
        found = spectral_quadrature(lambda v: d * v, 400, probes=6, steps=15, seed=seed)
        share, error = found.below(np.array([0.0]))
        inside += abs(share[0] - 0.3) <= found.half_width() * error[0]
    assert 184 <= inside <= 196


def test_nothing_is_blurred_unless_asked():
    d = np.repeat([0.0, 1.0, 3.0], [30, 50, 20])
    found = spectral_quadrature(lambda v: d * v, 100)
    assert all(len(nodes) == 3 for nodes in found.nodes)
    np.testing.assert_allclose(np.concatenate(found.nodes), np.tile([0, 1, 3], 6), atol=1e-10)
    shares, errors = found.shares(np.array([-0.5, 0.5, 2.0, 4.0]))
    assert np.all(np.abs(shares - [0.3, 0.5, 0.2]) < 4 * errors)
    grid = np.linspace(-5, 8, 2001)
    assert np.trapezoid(found.smooth(grid, 0.3), grid) == pytest.approx(1, abs=1e-6)


def test_refusals():
    with pytest.raises(ShapeError, match="two or more probes"):
        spectral_quadrature(lambda v: v, 3, probes=1)
