"""Intervals hold what they promise, on trials simulated from a known truth; and the machinery that mends them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from landform.fit import Observations, choose_surrogate, fit_polynomial
from landform.fit.honesty import Honesty, excess, half_widths, judge_intervals, widening_factor
from landform.fit.surrogate import HeldOut, half_width
from landform.sensitivity import Ground, cox_move

X = np.random.default_rng(1).dirichlet(np.ones(3), 24)
B = np.array([4.0, 7.0, 2.0])


def truth(x):
    return x @ B + 12 * x[..., 0] * x[..., 1] - 5 * x[..., 1] * x[..., 2]


def gradient(x):
    return B + np.array([12 * x[1], 12 * x[0] - 5 * x[2], -5 * x[1]])


def test_intervals_of_cox_slopes_cover_95_percent():
    """100 tables from one known quadratic: 300 slopes, of which 95 ± 2.5 % (two binomial deviations) are covered."""
    x = np.array([0.3, 0.5, 0.2])
    ground = Ground(("a", "b", "c"), 3, np.zeros(3), np.ones(3), np.full(3, 0.01))
    V = np.column_stack([cox_move(x, i, ground).vector for i in range(3)])
    right = gradient(x) @ V
    rng = np.random.default_rng(2024)
    covered, errors, found = [], [], []
    for _ in range(100):
        y = truth(X) + 0.5 * rng.standard_normal(24)
        fitted = fit_polynomial("quadratic", Observations(X, y, np.arange(24), ground.names, 3))
        b = np.array([value for _, value, _ in fitted.parameters])
        slope = (
            b[:3] + np.array([b[3] * x[1] + b[4] * x[2], b[3] * x[0] + b[5] * x[2], b[4] * x[0] + b[5] * x[1]])
        ) @ V
        error = np.sqrt(np.diag(fitted.posterior.slopes(x[None], V[None])))
        covered.append(np.abs(slope - right) <= fitted.quantile() * error)
        errors.append(error)
        found.append(slope)
    assert 0.90 <= np.mean(covered) <= 0.99
    # The standard errors are the scatter of the slopes, within its own error (1/sqrt(200) = 7 %).
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(errors), axis=0)), np.std(found, axis=0), rtol=0.2)


def test_intervals_that_hold_are_left_alone():
    """Student's t with the right degrees on honest residuals: 96 in 100 chances that nothing is widened much."""
    rng = np.random.default_rng(3)
    held = HeldOut(np.zeros((2, 400)), np.ones((2, 400)), np.full((2, 400), np.inf))
    y = rng.standard_normal(400)
    found = judge_intervals(y, held, [np.arange(400) % 10] * 2)
    assert found.coverage == pytest.approx(0.95, abs=0.03)
    assert found.widening == 1.0


@pytest.mark.parametrize("boast", [1.5, 3.0])
def test_boasting_intervals_are_widened_by_as_much_as_they_boast(boast):
    rng = np.random.default_rng(4)
    n = 2000
    held = HeldOut(np.zeros((1, n)), np.full((1, n), 1 / boast), np.full((1, n), np.inf))
    found = judge_intervals(rng.standard_normal(n), held, [np.arange(n) % 10])
    assert found.coverage == pytest.approx(2 * stats.norm.cdf(1.96 / boast) - 1, abs=0.03)
    assert found.widening == pytest.approx(boast, rel=0.06)
    assert found.coverage_after == pytest.approx(0.95, abs=0.012)


def test_the_factor_is_the_quantile_for_the_next_trial():
    """Rank ⌈(k+1) 0.95⌉ of k: of 99 ratios the 95th smallest."""
    ratios = np.arange(1, 100) / 50.0
    assert widening_factor(np.random.default_rng(0).permutation(ratios)) == 95 / 50
    assert widening_factor(np.full(20, 0.3)) == 1.0
    assert widening_factor(np.array([5.0, 6.0])) == 6.0


def test_excess_is_measured_in_half_widths():
    held = HeldOut(np.zeros((1, 2)), np.array([[1.0, 2.0]]), np.array([[np.inf, 9.0]]))
    np.testing.assert_allclose(half_widths(held), [[1.959964, 2 * 2.262157]], rtol=1e-6)
    np.testing.assert_allclose(excess(np.array([1.959964, -2.262157]), held), [[1.0, 0.5]], rtol=1e-6)
    assert half_width(0.95, float("inf")) == pytest.approx(1.959964, rel=1e-6)
    assert half_width(0.95, 9) == pytest.approx(2.262157, rel=1e-6)


def test_the_interval_score_is_gneiting_and_rafterys():
    """Width plus 2/α times what lies outside: one trial inside, one 0.5 outside, α = 0.05."""
    held = HeldOut(np.zeros((1, 2)), np.full((1, 2), 1 / 1.959963984540054), np.full((1, 2), np.inf))
    found = judge_intervals(np.array([0.2, 0.9]), held, [np.array([0, 1])])
    assert found == Honesty(1.0, 1.0, 1.0, pytest.approx(2.0))


def test_the_choice_finds_what_made_the_data():
    rng = np.random.default_rng(9)
    names = ("a", "b", "c")
    plane = Observations(X, X @ B + 0.2 * rng.standard_normal(24), np.arange(24), names, 3)
    assert choose_surrogate(plane).chosen.kind == "linear"
    bent = Observations(X, truth(X) + 0.2 * rng.standard_normal(24), np.arange(24), names, 3)
    assert choose_surrogate(bent).chosen.kind == "quadratic"


def test_noise_is_said_to_be_unpredictable():
    """One in twenty by chance: of four tables of pure noise hardly one."""
    found = []
    for seed in range(4):
        y = np.random.default_rng(seed).standard_normal(24)
        found.append(choose_surrogate(Observations(X, y, np.arange(24), ("a", "b", "c"), 3), seed=seed))
    assert sum(choice.predictable for choice in found) <= 1
    assert all(choice.chosen.kind == "mean" for choice in found if not choice.predictable)


LATTICE = np.vstack([np.eye(3), [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]])


def replicated(recipes):
    X2 = np.repeat(recipes, 3, axis=0)
    y = truth(X2) + 0.1 * np.random.default_rng(1).standard_normal(len(X2))
    return Observations(X2, y, np.repeat(np.arange(len(recipes)), 3), ("a", "b", "c"), 3)


def test_replicates_are_held_out_together():
    """With two recipes more than terms, whole recipes can be spared."""
    choice = choose_surrogate(replicated(np.vstack([LATTICE, np.full((1, 3), 1 / 3), [[0.2, 0.2, 0.6]]])))
    assert choice.grouped
    assert choice.noise.degrees == 16
    assert 0.05 < choice.noise.deviation < 0.2


@pytest.mark.parametrize("model", ["auto", "quadratic"])
def test_a_saturated_lattice_is_tested_on_single_replicates_and_it_is_said(model):
    """As many terms as recipes: no recipe can be spared (Cornell's {3,2} lattice)."""
    choice = choose_surrogate(replicated(LATTICE), model=model)
    assert not choice.grouped
    assert choice.chosen.kind == "quadratic"
    assert choice.chosen.rmse < 0.3
    assert choice.noise.degrees == 12
    assert choice.forced == (model != "auto")
