"""What must hold for any recipe: the sum kept, bounds kept, order irrelevant, grids that fill their triangle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from landform.formulation.goals import Goal, overall
from landform.formulation.grids import triangular_grid
from landform.sensitivity import Ground, cox_move, cox_path, exchange_move, factor_move

often = settings(max_examples=100, deadline=None, derandomize=True, database=None)
amounts = st.floats(0.0, 1.0).map(lambda v: 0.0 if v < 1e-6 else v)


@st.composite
def grounds(draw, least=2, most=6):
    """A recipe on its bounded ground, ingredients first, some amounts zero, one or two factors after them."""
    q = draw(st.integers(least, most))
    total = draw(st.sampled_from([1.0, 100.0, 2.5]))
    raw = np.array(draw(st.lists(amounts, min_size=q, max_size=q)))
    assume(raw.sum() > 0.05)
    x = total * raw / raw.sum()
    room = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=2 * q, max_size=2 * q))).reshape(2, q)
    lower, upper = x * (1 - room[0]), x + room[1] * (total - x)
    factors = draw(st.integers(0, 2))
    d = q + factors
    ground = Ground(
        tuple("abcdefgh"[:d]),
        q,
        np.append(lower, np.full(factors, 10.0)),
        np.append(upper, np.full(factors, 90.0)),
        np.append(np.full(q, total / 100), np.full(factors, 5.0)),
    )
    return np.append(x, np.full(factors, 40.0)), ground, draw(st.integers(0, q - 1))


@often
@given(grounds(), st.booleans())
def test_cox_moves_keep_the_sum(case, held):
    x, ground, i = case
    move = cox_move(x, i, ground, held=held)
    q = ground.ingredients
    assert abs(move.vector[:q].sum()) < 1e-12
    assert np.all(move.vector[q:] == 0)
    if move.gives_way:
        assert move.vector[i] == 1.0
        assert sum(move.gives_way.values()) == pytest.approx(1)
        assert all(share > 0 for share in move.gives_way.values())
        assert ground.names[i] not in move.gives_way
        assert not set(move.gives_way) & set(move.held)
    else:
        assert not move.up and not move.down


@often
@given(grounds())
def test_a_small_step_the_way_that_is_open_stays_within_bounds(case):
    x, ground, i = case
    move = cox_move(x, i, ground)
    if move.up:
        there = x + 1e-7 * ground.steps[i] * move.vector
        assert np.all(there >= ground.lower - 1e-6 * ground.steps) and np.all(
            there <= ground.upper + 1e-6 * ground.steps
        )


@often
@given(grounds(least=3))
def test_cox_keeps_the_proportions_of_the_others(case):
    x, ground, i = case
    move = cox_move(x, i, ground, held=False)
    assume(move.gives_way)
    givers = [ground.names.index(name) for name in move.gives_way]
    assume(np.all(x[givers] > 1e-9))
    np.testing.assert_allclose(move.vector[givers] / x[givers], move.vector[givers[0]] / x[givers[0]], rtol=1e-9)


@often
@given(grounds(), st.data())
def test_exchanges_keep_the_sum_and_reverse(case, data):
    x, ground, i = case
    j = data.draw(st.integers(0, ground.ingredients - 1).filter(lambda k: k != i))
    there, back = exchange_move(x, i, j, ground), exchange_move(x, j, i, ground)
    assert there.vector.sum() == 0
    assert np.abs(there.vector).sum() == 2
    assert np.array_equal(there.vector, -back.vector)
    assert (there.up, there.down) == (back.down, back.up)


def test_factors_move_alone():
    ground = Ground(("a", "b", "t"), 2, np.array([0, 0, 20.0]), np.array([1, 1, 60.0]), np.array([0.01, 0.01, 5.0]))
    move = factor_move(np.array([0.5, 0.5, 60.0]), 2, ground)
    assert move.vector.tolist() == [0, 0, 1]
    assert (move.up, move.down) == (False, True)


@often
@given(grounds(), st.floats(0.0, 1.0))
def test_cox_paths_keep_the_sum_and_the_bounds(case, share):
    x, ground, i = case
    q = ground.ingredients
    amount = ground.lower[i] + share * (ground.upper[i] - ground.lower[i])
    path = cox_path(x, i, amount, ground)
    if np.any(np.isnan(path)):
        # Refused only where the others' bounds leave no such recipe.
        others = np.arange(q) != i
        rest = x[:q].sum() - amount
        slack = 2e-6 * q * ground.steps[0]
        assert rest < ground.lower[:q][others].sum() + slack or rest > ground.upper[:q][others].sum() - slack
        return
    assert path[i] == amount
    assert path[:q].sum() == pytest.approx(x[:q].sum(), rel=1e-9, abs=1e-9)
    assert np.all(path >= ground.lower - 1e-9 * ground.steps) and np.all(path <= ground.upper + 1e-9 * ground.steps)
    assert np.array_equal(path[q:], x[q:])


@often
@given(grounds())
def test_cox_paths_begin_where_they_are(case):
    x, ground, i = case
    np.testing.assert_allclose(cox_path(x, i, x[i], ground), x, rtol=1e-12, atol=1e-12)


@often
@given(grounds(), st.randoms(use_true_random=False))
def test_the_order_of_ingredients_does_not_matter(case, random):
    x, ground, i = case
    order = list(range(ground.ingredients))
    random.shuffle(order)
    order += list(range(ground.ingredients, len(x)))
    turned = Ground(
        tuple(ground.names[k] for k in order),
        ground.ingredients,
        ground.lower[order],
        ground.upper[order],
        ground.steps[order],
    )
    one, other = cox_move(x, i, ground), cox_move(x[order], order.index(i), turned)
    np.testing.assert_allclose(other.vector, one.vector[order], atol=1e-15)
    assert one.gives_way == pytest.approx(other.gives_way)
    assert (one.up, one.down, set(one.held)) == (other.up, other.down, set(other.held))


@often
@given(grounds(), st.sampled_from([0.01, 3.0, 100.0]))
def test_the_unit_of_the_total_does_not_matter(case, unit):
    x, ground, i = case
    scaled = Ground(ground.names, ground.ingredients, unit * ground.lower, unit * ground.upper, unit * ground.steps)
    one, other = cox_move(x, i, ground), cox_move(unit * x, i, scaled)
    np.testing.assert_allclose(other.vector, one.vector, atol=1e-12)
    assert one.up == other.up and one.down == other.down


@often
@given(st.integers(1, 30))
def test_triangular_grids_fill_their_triangle(n):
    points, triangles = triangular_grid(n)
    assert len(points) == (n + 1) * (n + 2) // 2
    assert len(triangles) == n * n
    np.testing.assert_allclose(points.sum(axis=1), 1, atol=1e-12)
    assert len(np.unique(points.round(9), axis=0)) == len(points)
    a, b, c = points[triangles].transpose(1, 0, 2)
    areas = np.abs(np.linalg.det(np.stack([a, b, c], axis=1)))  # in parts of the whole triangle
    np.testing.assert_allclose(areas, 1 / n**2, rtol=1e-8)
    assert len(np.unique(np.sort(triangles, axis=1), axis=0)) == n * n
    # No overlap: every edge is used by one triangle at the rim and by two inside.
    edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    counts = np.unique(edges, axis=0, return_counts=True)[1]
    assert (np.sum(counts == 1), np.sum(counts == 2)) == (3 * n, 3 * n * (n - 1) // 2)


GOALS = (
    Goal("a", "", "maximize", 0.0, 10.0, weight=2.0),
    Goal("b", "", "minimize", -5.0, 5.0, shape=2.0),
    Goal("c", "", "target", 0.0, 4.0, target=1.0, weight=0.5),
    Goal("d", "", "in range", -np.inf, 7.0),
)
values = st.lists(st.floats(-20, 20), min_size=4, max_size=4)


@often
@given(values)
def test_desirability_lies_between_0_and_1(y):
    found = overall(GOALS, np.array([y]))[0]
    each = [float(goal.desirability(np.array([v]))[0]) for goal, v in zip(GOALS, y, strict=True)]
    assert 0 <= found <= 1
    assert (found > 0) == all(v > 0 for v in each)
    assert found <= max(each) + 1e-12


@often
@given(values, st.floats(0, 5))
def test_desirability_never_falls_when_a_property_improves(y, step):
    base = overall(GOALS, np.array([y]))[0]
    better = [
        [y[0] + step, *y[1:]],
        [y[0], y[1] - step, *y[2:]],
        [*y[:2], y[2] + np.clip(1.0 - y[2], -step, step), y[3]],
    ]
    assert np.all(overall(GOALS, np.array(better)) >= base - 1e-12)


@often
@given(values, st.floats(0.1, 10))
def test_only_the_ratio_of_weights_matters(y, factor):
    from dataclasses import replace

    scaled = [replace(goal, weight=factor * goal.weight) for goal in GOALS]
    assert overall(scaled, np.array([y]))[0] == pytest.approx(overall(GOALS, np.array([y]))[0], rel=1e-9, abs=1e-300)


@often
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_a_goal_is_what_derringer_and_suich_wrote(t):
    """((y − low)/(high − low))^s between the ends, 0 and 1 outside."""
    y = np.array(t)
    goal = Goal("a", "", "maximize", -1.0, 1.5, shape=1.7)
    truth = np.where(y <= -1, 0, np.where(y >= 1.5, 1, (np.clip(y, -1, 1.5) + 1) / 2.5)) ** 1.7
    np.testing.assert_allclose(goal.desirability(y), truth, atol=1e-12)
    mirrored = Goal("a", "", "minimize", -1.5, 1.0, shape=1.7)
    np.testing.assert_allclose(mirrored.desirability(-y), truth, atol=1e-12)
