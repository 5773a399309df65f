"""Table health: silent on published tables, and planted faults found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from landform.formulation.health import Suspicion, inspect
from landform.formulation.problem import Problem
from landform.formulation.surroundings import Surroundings, precision, t_quantile
from landform.formulation.table import read_table
from landform.formulation.trials import Trials, make_trials
from unit.formulation.published import data, mixture, paint, yarn


def examined(trials: Trials, *, X: np.ndarray | None = None, Y: np.ndarray | None = None) -> tuple[Suspicion, ...]:
    return inspect(
        trials.X if X is None else X,
        trials.Y if Y is None else Y,
        inputs=tuple(i.name for i in trials.inputs),
        properties=trials.properties,
        rows=trials.rows,
        labels=trials.labels,
        groups=trials.groups,
    )


def named(found: tuple[Suspicion, ...]) -> list[tuple[int, str, str]]:
    return [(s.row, s.column, s.kind) for s in found]


def test_nothing_is_said_of_clean_tables() -> None:
    assert paint().suspicions == ()
    assert yarn().suspicions == ()


def test_next_to_nothing_is_said_of_large_public_tables() -> None:
    assert len(mixture(data("photo_pce10.csv"), 1).suspicions) <= 2
    table = read_table(data("concrete_slump.csv"))
    problem = {
        "factors": {name: {} for name in table.names[1:8]},
        "properties": {name: {} for name in table.names[8:]},
    }
    assert make_trials(table, Problem.from_dict(problem)).suspicions == ()


@pytest.mark.parametrize("factor", [0.01, 0.1, 10, 100])
@pytest.mark.parametrize("i", [0, 4, 9, 14])
def test_decimal_slip_in_yarn(factor: float, i: int) -> None:
    trials = yarn()
    Y = trials.Y.copy()
    Y[i, 0] *= factor
    found = examined(trials, Y=Y)
    assert named(found) == [(i + 2, "elongation", "decimal slip")]
    assert f"{trials.Y[i, 0]:g} would fit" in found[0].words
    assert found[0].value == Y[i, 0]


@pytest.mark.parametrize(("column", "i"), [(0, 3), (0, 16), (1, 8), (1, 12)])
def test_decimal_slip_in_paint(column: int, i: int) -> None:
    trials = paint()
    Y = trials.Y.copy()
    Y[i, column] *= 10
    assert named(examined(trials, Y=Y)) == [(i + 2, trials.properties[column], "decimal slip")]


def test_two_slips_do_not_hide_each_other() -> None:
    trials = paint()
    Y = trials.Y.copy()
    Y[3, 0] *= 10
    Y[16, 0] /= 10
    assert {s.row for s in examined(trials, Y=Y)} == {5, 18}


def test_decimal_slip_in_photo() -> None:
    trials = mixture(data("photo_pce10.csv"), 1)
    Y = trials.Y.copy()
    Y[500, 0] *= 10
    assert (502, "degradation", "decimal slip") in named(examined(trials, Y=Y))


def test_swapped_rows() -> None:
    trials = paint()
    Y = trials.Y.copy()
    Y[[0, 1], 0] = Y[[1, 0], 0]
    found = examined(trials, Y=Y)
    assert named(found) == [(2, "hiding", "swapped pair"), (3, "hiding", "swapped pair")]
    assert "row 3" in found[0].words


def test_swapped_properties() -> None:
    trials = paint()
    Y = trials.Y.copy()
    Y[3] = Y[3, ::-1]
    assert {(s.row, s.column) for s in examined(trials, Y=Y)} == {(5, "hiding"), (5, "scrub")}


def test_slip_and_swap_in_settings() -> None:
    rng = np.random.default_rng(0)
    grid = np.array([[t, s] for t in (60.0, 80.0, 100.0) for s in (5.0, 10.0, 15.0) for _ in range(2)])
    y = grid @ [[0.1], [0.3]] + 5 + 0.05 * rng.standard_normal((18, 1))
    common = {"inputs": ("T", "time"), "properties": ("y",), "rows": np.arange(2, 20), "groups": np.arange(18)}
    labels = tuple(map(str, range(18)))
    assert inspect(grid, y, labels=labels, **common) == ()
    slipped = grid.copy()
    slipped[7, 0] = 800.0
    assert named(inspect(slipped, y, labels=labels, **common))[0] == (9, "T", "decimal slip")
    swapped = grid.copy()
    swapped[7] = swapped[7, ::-1]
    found = named(inspect(swapped, y, labels=labels, **common))
    assert found[:2] == [(9, "T", "swapped pair"), (9, "time", "swapped pair")]


def test_impossible_repeat() -> None:
    trials = mixture(data("photo_pce10.csv"), 1)
    pair = np.flatnonzero(trials.groups == np.argmax(np.bincount(trials.groups)))
    Y = trials.Y.copy()
    Y[pair[0], 0] = Y[pair[1], 0] + 0.4
    assert any(s.row in trials.rows[pair] for s in examined(trials, Y=Y))


def test_copied_results() -> None:
    trials = paint()
    Y = trials.Y.copy()
    Y[9] = Y[5]
    found = examined(trials, Y=Y)
    assert (11, "hiding", "impossible repeat") in named(found)
    assert "row 7" in next(s.words for s in found if s.kind == "impossible repeat")


def test_far_from_its_surroundings() -> None:
    rng = np.random.default_rng(1)
    X = rng.uniform(size=(40, 3))
    y = 50 + X @ [5.0, -3.0, 2.0] + 0.2 * rng.standard_normal(40)
    y[11] += 4
    found = inspect(
        X,
        y[:, None],
        inputs=("a", "b", "c"),
        properties=("y",),
        rows=np.arange(2, 42),
        labels=tuple(map(str, range(40))),
        groups=np.arange(40),
    )
    assert named(found) == [(13, "y", "far from its surroundings")]


def test_nothing_is_changed() -> None:
    trials = paint()
    X, Y = trials.X.copy(), trials.Y.copy()
    examined(trials)
    assert np.array_equal(X, trials.X)
    assert np.array_equal(Y, trials.Y)


def test_small_and_gappy_tables() -> None:
    trials = paint()
    Y = trials.Y.copy()
    Y[:15, 0] = np.nan
    assert examined(replace(trials), Y=Y) == ()


def test_leave_out_residuals_are_those_of_a_fit_without() -> None:
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((12, 2)), rng.standard_normal(12)
    around = Surroundings(precision(X), y - np.median(y), np.arange(12))
    covariance = np.linalg.inv(around.precision)
    out, rest = np.array([3, 7]), np.setdiff1d(np.arange(12), [3, 7])
    expected = covariance[np.ix_(out, rest)] @ np.linalg.solve(covariance[np.ix_(rest, rest)], around.values[rest])
    residual, spread = around.leaving(out)
    np.testing.assert_allclose(residual, around.values[out] - expected, rtol=1e-6)
    conditional = covariance[np.ix_(out, out)] - covariance[np.ix_(out, rest)] @ np.linalg.solve(
        covariance[np.ix_(rest, rest)], covariance[np.ix_(rest, out)]
    )
    np.testing.assert_allclose(spread, conditional, rtol=1e-6)
    fresh = Surroundings(np.linalg.inv(covariance[np.ix_(rest, rest)]), around.values[rest], rest)
    aside = around.without(3, 7)
    np.testing.assert_allclose(aside.residuals[rest], fresh.residuals, atol=0.02)
    np.testing.assert_allclose(aside.residuals[out], 0)
    assert aside.spread() == pytest.approx(fresh.spread(), rel=0.05)


@pytest.mark.parametrize(("chance", "degrees", "value"), [(0.05, 10, 2.228), (0.01, 20, 2.845), (0.001, 30, 3.646)])
def test_t_quantiles_of_the_printed_tables(chance: float, degrees: int, value: float) -> None:
    assert t_quantile(chance, degrees) == pytest.approx(value, abs=2e-3)
