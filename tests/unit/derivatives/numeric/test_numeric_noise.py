"""The noise of a function from difference tables: what its authors promise, and what a user meets."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.integrate import quad

import landform
from landform.derivatives.numeric.noise import difference_levels
from landform.errors import DerivativeError, ShapeError


def test_levels_of_pure_noise_are_unbiased_at_every_order():
    """Moré and Wild (2011), theorem 2.2: the k-th differences have mean square s² (2k)! / (k!)²."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((8, 200_000))
    for k in range(1, 7):
        y = np.diff(y, axis=0)
        share = math.factorial(k) ** 2 / math.factorial(2 * k)
        assert share * np.mean(y**2) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(("count", "within"), [(7, 0.985), (8, 0.99)])
def test_within_a_factor_of_four_nearly_always(count, within):
    """Their example, sec. 3: cos t + sin t with uniform noise of standard deviation 1e-3, spacing 1e-2."""
    rng = np.random.default_rng(1)
    t = 1e-2 * np.arange(count)
    y = (np.cos(t) + np.sin(t))[:, None] + 1e-3 * 2 * np.sqrt(3) * rng.random((count, 4000))
    level, wanted = difference_levels(y)
    assert np.mean((level > 0.25e-3) & (level < 4e-3)) >= within
    assert np.mean(wanted == 0) >= 0.99


def test_which_way_the_spacing_should_go():
    t = np.linspace(0, 1, 8)[:, None]
    assert difference_levels(np.exp(5 * t))[1] == [-1.0]
    assert difference_levels(1.0 + 1e-17 * t)[1] == [1.0]
    smooth = difference_levels(1 + 0.05 * np.exp(t))
    assert np.isnan(smooth[0]) and smooth[1] == [-1.0]


@pytest.mark.parametrize("level", [1e-12, 1e-8, 1e-4])
@pytest.mark.parametrize("size", [1e-150, 1.0, 1e150])
def test_any_noise_of_any_size(level, size):
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        f = lambda x, rng=rng: size * np.exp(np.sin(x) @ x) * (1 + level * rng.standard_normal())  # noqa: E731
        x = np.array([0.3, -0.8, 1.4])
        found.append(landform.noise_level(f, x, seed=seed).level[0] / (size * level * np.exp(np.sin(x) @ x)))
    assert 0.7 < np.median(found) < 1.4
    assert np.mean((np.array(found) > 0.25) & (np.array(found) < 4)) >= 0.9


def test_noise_that_is_no_randomness():
    """An integral by 12 nodes whose place depends on the input rounds; one in single precision rounds more."""

    def f(x):
        return quad(lambda s: math.cos(x[0] * s), 0.0, 1.0)[0]

    assert landform.noise_level(f, np.array([0.7])).level[0] < 1e-15
    single = landform.noise_level(lambda x: np.cos(np.float32(x[0])), np.array([0.7]))
    # Half a unit in the last place, uniform: 2^-25 / sqrt(12) · 2 = 1.7e-8.
    assert 4e-9 < single.level[0] < 7e-8


def test_outputs_apart_inside_the_domain_and_counted():
    rng, seen = np.random.default_rng(0), []

    def f(x):
        assert (x >= 0).all() and (x <= 1).all()
        seen.append(x)
        return np.array([math.exp(x[0]) + 1e-3 * rng.standard_normal(), 5.0, x[1] + 1e-7 * rng.standard_normal()])

    found = landform.noise_level(f, np.array([1.0, 0.0]), bounds=(0, 1), outputs=("a", "b", "c"))
    assert found.evaluations == len(seen)
    assert found.seen.tolist() == [True, False, True]
    assert 2e-4 < found.level[0] < 5e-3 and 2e-8 < found.level[2] < 5e-7
    assert found.level[1] < 1e-14
    assert found.to_frame()["output"].tolist() == ["a", "b", "c"]


def test_elsewhere_and_refused():
    x = np.array([0.5])
    with ThreadPoolExecutor(2) as executor:
        assert landform.noise_level(np.exp, x, executor=executor).level[0] < 1e-15
    with pytest.raises(ShapeError, match="got budget="):
        landform.noise_level(np.exp, x, budget=3)
    with pytest.raises(DerivativeError, match="is nan"):
        landform.noise_level(lambda z: z * np.nan, x)
