"""Goals against Derringer and Suich (1980): desirabilities, their lines, their geometric mean."""

from __future__ import annotations

import numpy as np
import pytest

from landform.formulation.goals import COST, Goal, costs, make_goals, overall
from landform.formulation.problem import Problem
from unit.formulation.published import paint


def goals(trials, properties, **more):
    problem = Problem.from_dict(
        {"total": 1.0, "ingredients": {i.name: {} for i in trials.inputs}, "properties": properties, **more}
    )
    return make_goals(problem, trials, trials.properties)


def test_ends_not_given_are_the_observed_ones():
    hiding, scrub = goals(
        paint(), {"hiding": {"goal": "maximize"}, "scrub": {"goal": "minimize", "limits": [50.0, 600.0]}}
    )
    assert (hiding.low, hiding.high) == (3.721, 32.862)
    assert (scrub.low, scrub.high) == (50.0, 600.0)


def test_properties_without_a_goal_or_a_model_have_none():
    trials = paint()
    assert goals(trials, {"hiding": {}, "scrub": {}}) == ()
    problem = Problem.from_dict(
        {
            "total": 1.0,
            "ingredients": {i.name: {} for i in trials.inputs},
            "properties": {"hiding": {"goal": "maximize"}, "scrub": {"goal": "minimize"}},
        }
    )
    assert [g.name for g in make_goals(problem, trials, ["scrub"])] == ["scrub"]


def test_cost_has_a_goal_of_its_own():
    trials = paint(
        cost={"goal": "minimize"},
        ingredients={"TiO2": {"cost": 4.0}, "vehicle": {"cost": 1.5}, "extender A": {}, "extender B": {}},
    )
    problem = Problem.from_dict(
        {
            "total": 1.0,
            "ingredients": {"TiO2": {"cost": 4.0}, "vehicle": {"cost": 1.5}, "extender A": {}, "extender B": {}},
            "properties": {"hiding": {"goal": "maximize"}},
            "cost": {"goal": "minimize"},
        }
    )
    (_, cost) = make_goals(problem, trials, ["hiding"])
    assert cost.name == COST
    assert costs(trials).tolist() == [4.0, 1.5, 0.0, 0.0]
    assert cost.low == pytest.approx(float((trials.X @ costs(trials)).min()))


LINES = [
    (Goal("y", "", "maximize", 2.0, 6.0), [1, 2, 4, 6, 9], [0, 0, 0.5, 1, 1]),
    (Goal("y", "", "minimize", 2.0, 6.0), [1, 2, 3, 6, 9], [1, 1, 0.75, 0, 0]),
    (Goal("y", "", "target", 0.0, 10.0, target=4.0), [-1, 2, 4, 7, 10], [0, 0.5, 1, 0.5, 0]),
    (Goal("y", "", "in range", 2.0, 6.0), [1, 2, 4, 6, 9], [0, 1, 1, 1, 0]),
    (Goal("y", "", "in range", -np.inf, 6.0), [-1e9, 6, 6.1], [1, 1, 0]),
    (Goal("y", "", "maximize", 2.0, 6.0, shape=2.0), [2, 3, 6], [0, 0.0625, 1]),
]


@pytest.mark.parametrize(("goal", "y", "truth"), LINES)
def test_desirability(goal, y, truth):
    np.testing.assert_allclose(goal.desirability(np.array(y, dtype=float)), truth, atol=1e-15)


def test_lines_are_what_the_desirability_stands_on():
    for goal, y, _ in LINES:
        if goal.graded:
            inside = np.array(y, dtype=float)
            np.testing.assert_allclose(
                goal.line(inside), np.min([p.offset + p.slope * inside for p in goal.pieces], axis=0)
            )


def test_what_is_of_use():
    assert Goal("y", "", "maximize", 2.0, 6.0).acceptable == (2.0, np.inf)
    assert Goal("y", "", "minimize", 2.0, 6.0).acceptable == (-np.inf, 6.0)
    assert Goal("y", "", "target", 2.0, 6.0, target=3.0).acceptable == (2.0, 6.0)


def test_the_weighted_geometric_mean():
    both = [Goal("a", "", "maximize", 0.0, 1.0, weight=3.0), Goal("b", "", "maximize", 0.0, 1.0)]
    assert overall(both, np.array([[0.5, 0.2]]))[0] == pytest.approx((0.5**3 * 0.2) ** 0.25)


def test_a_range_missed_makes_all_worthless():
    both = [Goal("a", "", "maximize", 0.0, 1.0), Goal("b", "", "in range", 2.0, 3.0, weight=9.0)]
    np.testing.assert_allclose(overall(both, np.array([[0.5, 2.5], [0.5, 3.5]])), [0.5, 0.0])


def test_gaps_are_in_parts_of_the_width():
    goal = Goal("b", "", "in range", 2.0, 4.0)
    np.testing.assert_allclose(goal.gap(np.array([1.0, 3.0, 5.0])), [0.5, 0.0, 0.5])
