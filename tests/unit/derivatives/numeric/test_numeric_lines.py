"""Straight lines, and noise that grows with the value: the whole allowed width is used, and bars hold."""

import numpy as np
import pytest

import landform


class Line:
    """3 x + 1 with relative noise; it remembers how far it was asked."""

    def __init__(self, noise, seed):
        self.noise, self.rng, self.far = noise, np.random.default_rng(seed), 0.0

    def __call__(self, x):
        self.far = max(self.far, abs(x[0] - 1.5))
        return (3 * x + 1) * (1 + self.noise * self.rng.standard_normal(1))


def test_a_straight_line_is_followed_as_far_as_the_input_is_large_and_no_farther():
    """The best 2-evaluation stencil within half the input's size has a known error: its noise over its width."""
    x, noise = np.array([1.5]), 1e-6
    stencil = noise * np.hypot(3 * 2.25 + 1, 3 * 0.75 + 1) / 1.5
    ratios, held = [], []
    for seed in range(60):
        f = Line(noise, seed)
        J = landform.jacobian(f, x, mode="numeric")
        error = abs(J.dense()[0, 0] - 3)
        ratios.append(error / stencil)
        held.append(error <= 2 * J.error()[0, 0])
        assert f.far <= 1.5 * (1 + 1e-12) and J.evaluations == 15
    assert np.median(ratios) <= 0.4
    assert np.sqrt(np.mean(np.square(ratios))) <= 0.6
    assert np.mean(held) >= 0.88


@pytest.mark.parametrize("order", [1, 2])
def test_bars_hold_where_noise_grows_with_the_value(order):
    """x³ − 2x + 1 passes from near zero to large values along the line; slope and curvature are closed forms."""
    held = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        x = rng.uniform(0.6, 1.4, 1)

        def f(z, rng=rng):
            return float(z[0] ** 3 - 2 * z[0] + 1) * (1 + 1e-6 * rng.standard_normal())

        D = (landform.jacobian if order == 1 else landform.hessian)(f, x, mode="numeric")
        true = 3 * x[0] ** 2 - 2 if order == 1 else 6 * x[0]
        held.append(abs(D.dense()[0, 0] - true) <= 2 * D.error()[0, 0])
    assert np.mean(held) >= 0.88


def test_noise_that_is_told_is_taken_as_told():
    x = np.array([1.5])
    J = landform.jacobian(Line(1e-6, 0), x, mode="numeric", noise=1e-3)
    assert J.noise[0] == pytest.approx(1e-3, rel=1e-2)
