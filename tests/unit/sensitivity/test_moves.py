"""Cox directions, exchanges and paths, on recipes worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from landform.sensitivity import Ground, Slope, cox_move, cox_path, exchange_move, factor_move, slopes_along


def ground(lower=(0, 0, 0, 20), upper=(1, 1, 1, 60), q=3):
    steps = np.array([0.01] * q + [5.0] * (len(lower) - q))
    names = tuple("abcd"[:q]) + tuple(f"t{k}" for k in range(len(lower) - q))
    return Ground(names, q, np.array(lower, dtype=float), np.array(upper, dtype=float), steps)


X = np.array([0.2, 0.6, 0.2, 40.0])


def test_cox_in_proportion():
    move = cox_move(X, 0, ground())
    np.testing.assert_allclose(move.vector, [1, -0.75, -0.25, 0])
    assert move.gives_way == pytest.approx({"b": 0.75, "c": 0.25})
    assert (move.held, move.up, move.down) == ((), True, True)


def test_cox_holds_what_sits_on_its_bound():
    """b cannot fall below .6, so c alone gives way; downward b could rise."""
    move = cox_move(X, 0, ground(lower=(0, 0.6, 0, 20)))
    np.testing.assert_allclose(move.vector, [1, 0, -1, 0])
    assert move.held == ("b",)
    assert move.up and move.down


def test_cox_off_holds_nothing():
    move = cox_move(X, 0, ground(lower=(0, 0.6, 0, 20)), held=False)
    np.testing.assert_allclose(move.vector, [1, -0.75, -0.25, 0])


def test_cox_downward_where_upward_is_shut():
    """a is at its maximum: the way is down, and b at its maximum cannot take what a gives up."""
    move = cox_move(X, 0, ground(upper=(0.2, 0.6, 1, 60)))
    assert (move.up, move.down) == (False, True)
    np.testing.assert_allclose(move.vector, [1, 0, -1, 0])
    assert move.held == ("b",)


def test_cox_with_nothing_to_give_way():
    move = cox_move(X, 0, ground(lower=(0, 0.6, 0.2, 20), upper=(1, 0.6, 0.2, 60)))
    assert not move.vector.any()
    assert (move.gives_way, move.up, move.down) == ({}, False, False)
    assert move.held == ("b", "c")


def test_cox_at_a_corner_shares_alike():
    """Of a pure blend nothing else is there to be in proportion to."""
    move = cox_move(np.array([1.0, 0, 0, 40]), 0, ground())
    np.testing.assert_allclose(move.vector, [1, -0.5, -0.5, 0])
    assert (move.up, move.down) == (False, True)


def test_exchanges():
    move = exchange_move(X, 2, 1, ground(upper=(1, 1, 0.2, 60)))
    np.testing.assert_array_equal(move.vector, [0, -1, 1, 0])
    assert (move.up, move.down) == (False, True)
    assert move.gives_way == {"b": 1.0}


def test_factors():
    move = factor_move(np.array([0.2, 0.6, 0.2, 20.0]), 3, ground())
    np.testing.assert_array_equal(move.vector, [0, 0, 0, 1])
    assert (move.up, move.down) == (True, False)


def test_cox_path_stops_at_bounds():
    """a from .2 to .5: b gives until .5, c the rest."""
    found = cox_path(X, 0, 0.5, ground(lower=(0, 0.5, 0, 20)))
    np.testing.assert_allclose(found, [0.5, 0.5, 0.0, 40], atol=1e-12)


def test_cox_path_that_does_not_exist():
    assert np.all(np.isnan(cox_path(X, 0, 0.6, ground(lower=(0, 0.5, 0.1, 20)))))


def test_cox_path_follows_the_cox_direction():
    path = cox_path(X, 0, 0.2001, ground())
    np.testing.assert_allclose((path - X) / 1e-4, cox_move(X, 0, ground()).vector, atol=1e-10)


def test_bounds_have_a_grain():
    here = ground(lower=(0.2, 0, 0, 20))
    assert here.at_lower(X + np.array([0.5e-8, 0, 0, 0])).tolist() == [True, False, False, False]
    assert not here.at_lower(X + np.array([2e-8, 0, 0, 0])).any()


def test_slopes_are_sums_over_points_and_combinations():
    """Three points, two columns, one combination of them; the covariance by hand."""
    J = np.array([[1.0, 2.0, 3.0, 0.0], [0.0, 1.0, -1.0, 2.0], [2.0, 2.0, 2.0, 1.0]])
    V = np.random.default_rng(0).standard_normal((3, 4, 2))
    S = np.array([[4.0, 1.0], [1.0, 9.0]])
    values = sum(J[r] @ V[r] for r in range(3))
    W = np.array([[1.0], [-2.0]])
    (found,) = slopes_along(J, np.zeros((3, 4)), V, lambda X, V: S, W)
    assert found.value == pytest.approx(values[0] - 2 * values[1])
    assert found.standard_error == pytest.approx(np.sqrt(4 - 4 * 1 + 4 * 9))


def test_what_is_known_exactly_has_no_error():
    found = slopes_along(np.ones((1, 3)), np.zeros((1, 3)), np.ones((1, 3, 1)), None)
    assert found == (Slope(3.0, 0.0),)
