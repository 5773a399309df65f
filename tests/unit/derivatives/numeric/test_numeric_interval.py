"""Slopes by the interval test: what its authors promise, and the option as a user meets it."""

from __future__ import annotations

import numpy as np
import pytest

import landform
from landform.derivatives.numeric.black_box import make_black_box
from landform.derivatives.numeric.interval import HIGH, LOW, interval_slopes
from landform.derivatives.numeric.lines import Line, make_room
from landform.errors import ShapeError


def searched(f, x, noise, **options):
    box = make_black_box(f, np.array([x]), options=options)
    direction = box.scale.copy()
    line = Line("input 'x'", direction, make_room(box.x, direction, *box.bounds))
    return interval_slopes(box, [line], np.array([noise]), each=40, most=np.inf)[0]


CASES = [
    (np.exp, lambda x: np.exp(x), 0.7),
    (lambda x: np.sin(30 * x), lambda x: 27e3 * np.abs(np.cos(30 * x)), 1.0),
    (lambda x: np.log(x), lambda x: 2 / x**3, 3.0),
    (lambda x: x**3, lambda x: 6.0 + 0 * x, 0.5),
]


@pytest.mark.parametrize("noise", [1e-9, 1e-6, 1e-4])
@pytest.mark.parametrize(("f", "third", "x"), CASES)
def test_the_step_is_near_the_best_one(f, third, x, noise):
    """Shi et al. (2022): noise within a bound e, the best central step is (3 e / |f'''|)^(1/3); the test's
    interval 1.5 to 6 holds it within a factor of 1.26 each way, noise aside."""
    rng = np.random.default_rng(0)
    found = searched(lambda z: f(z) + noise * rng.uniform(-1, 1), x, noise)
    assert found.accepted.all()
    best = (3 * noise / third(x)) ** (1 / 3) / x
    assert best / 3 < found.step < 3 * best


def test_the_ratio_of_the_step_taken_lies_in_the_interval():
    for noise in (1e-10, 1e-5):
        found = searched(np.exp, 0.7, noise)
        h = found.step * 0.7
        y = np.exp(0.7 + h * np.array([3.0, -3.0, 1.0, -1.0]))
        assert LOW <= abs(y[0] - y[1] - 3 * (y[2] - y[3])) / (8 * noise) <= HIGH


def test_one_sided_at_an_edge():
    """The best forward step is 2 (e / |f''|)^(1/2)."""
    noise, rng = 1e-8, np.random.default_rng(0)

    def f(z):
        assert 1.0 <= z[0] <= 3.0
        return np.exp(z) + noise * rng.uniform(-1, 1)

    found = searched(f, 1.0, noise, bounds=(1, 3))
    best = 2 * np.sqrt(noise / np.e)
    assert found.accepted.all() and best / 3 < found.step < 3 * best
    assert abs(found.value[0] - np.e) < 4 * np.sqrt(noise * np.e)


def test_a_line_takes_the_widest_step():
    found = searched(lambda z: 3 * z + 1, 2.0, 1e-6)
    assert found.over and found.step > 1
    assert abs(found.value[0] / 2.0 - 3.0) < 1e-12


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_as_an_option_counted_with_bars_that_hold(noise):
    held, counts = [], []
    for seed in range(40):
        rng, seen = np.random.default_rng(seed), []

        def f(x, rng=rng, seen=seen):
            seen.append(x)
            return np.array([np.exp(x[0] * x[1]), 1e4 * np.sin(x[1])]) * (1 + noise * rng.standard_normal(2))

        x = rng.uniform(0.5, 1.5, 2)
        J = landform.jacobian(f, x, mode="numeric", method="interval", budget=40)
        e, c = np.exp(x[0] * x[1]), 1e4 * np.cos(x[1])
        held.append(np.abs(J.dense() - [[x[1] * e, x[0] * e], [0, c]]) <= 2 * J.error())
        counts.append(J.evaluations)
        assert J.evaluations == len(seen) <= 40
        assert "interval tests along 2 inputs" in J.explain()
    assert 0.85 <= np.mean(held) <= 1.0
    assert np.median(counts) <= 36


def test_with_a_pattern_and_told_noise():
    x = np.linspace(1, 2, 12)
    J = landform.jacobian(np.sin, x, mode="numeric", method="interval", sparsity=np.eye(12), noise=1e-12)
    assert J.evaluations <= 15 + 14  # the interval test along one line, and the check of the pattern along another
    np.testing.assert_allclose(J.sparse().diagonal(), np.cos(x), rtol=1e-6)
    with pytest.raises(ShapeError, match="49 evaluations or more for interval tests, got 48"):
        landform.jacobian(np.sin, x, mode="numeric", method="interval", budget=48, noise=1e-12)
