import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landform.errors import InfeasibleError, ShapeError
from landform.optimize import Polytope

INF = np.inf
NAMES = ("TiO2", "vehicle", "extender A", "extender B")


def blend(lower, upper, A=(), A_lower=(), A_upper=(), A_names=()):
    n = len(lower)
    return Polytope(
        NAMES[:n],
        lower,
        upper,
        np.vstack([np.ones((1, n)), *A]),
        [1, *A_lower],
        [1, *A_upper],
        ("ingredients sum", *A_names),
    )


def test_conflict_is_the_known_one_and_irreducible():
    clash = blend([0.5, 0.4, 0.3, -INF], [1, 1, 1, 1], [[[0, 0, 0, 1]]], [0.0], [0.5], ["B's share"]).conflict()
    assert set(clash) == {
        "TiO2 ≥ 0.5",
        "vehicle ≥ 0.4",
        "extender A ≥ 0.3",
        "B's share ≥ 0",
        "ingredients sum = 1",
    }


def test_conflict_leaves_out_what_is_not_needed():
    names = ("a", "b", "c")
    P = Polytope(names, [0.6, 0.5, 0], [1, 1, 1], [[1, 1, 0], [1, 1, 1]], [-INF, 0], [1, 3], ("a + b", "all"))
    assert set(P.conflict()) == {"a ≥ 0.6", "b ≥ 0.5", "a + b ≤ 1"}


def test_the_smaller_of_two_conflicts_is_named():
    """Five limits clash with each other as well (0.6 + 0.35 + 0.05 + 0.05 > 1); the two on TiO2 say it shorter."""
    lower, upper = [0.0, 0.35, 0.05, 0.05], [0.45, 1, 1, 1]
    P = blend(lower, upper, [[[1, 0, 0, 0]]], [0.6], [INF], ["white"])
    assert set(P.conflict()) == {"TiO2 ≤ 0.45", "white ≥ 0.6"}


def test_reversed_bounds_are_the_conflict():
    assert blend([0.5, 0], [0.4, 1]).conflict() == ("TiO2 ≥ 0.5", "TiO2 ≤ 0.4")


@pytest.mark.parametrize("question", ["interior_point", "extent"])
def test_infeasible_limits_are_named_in_the_error(question):
    with pytest.raises(InfeasibleError, match=r"TiO2 ≥ 0\.7; vehicle ≥ 0\.6; ingredients sum = 1"):
        getattr(blend([0.7, 0.6], [1, 1]), question)()


def test_feasible_limits_have_no_conflict():
    assert blend([0.05, 0.2, 0.3, 0.05], [0.45, 0.6, 0.7, 0.45]).conflict() == ()


def test_extent_is_what_the_sum_leaves_of_the_bounds():
    P = blend([0.1, 0.2, 0.3], [1, 1, 0.4])
    np.testing.assert_allclose(P.extent(), [[0.1, 0.5], [0.2, 0.6], [0.3, 0.4]], atol=1e-12)


def test_extent_in_closed_form_agrees_with_linear_programmes():
    lower, upper = [0.05, 0.2, 0.0, 0.1], [0.3, 0.9, 0.5, 0.4]
    rows = [[0.0, 0.0, 0.0, 0.0]]  # a row that says nothing: the linear programmes are taken
    P, Q = blend(lower, upper), blend(lower, upper, [rows], [-1], [1], ["nothing"])
    np.testing.assert_allclose(P.extent(), Q.extent(), atol=1e-12)


def test_extent_of_one_two_sided_row():
    P = Polytope(("a", "b"), [0, 0], [2, 1], [[2, -1]], [1], [3], ("row",))
    np.testing.assert_allclose(P.extent(), [[0.5, 2], [0, 1]], atol=1e-12)


def test_extent_without_bounds():
    P = Polytope(("a", "b"), [0, -INF], [INF, INF], [[2, 1]], [4], [4], ("row",))
    np.testing.assert_array_equal(P.extent(), [[0, INF], [-INF, 4]])


def test_implied_equalities_leave_an_interior_point():
    P = Polytope(("a", "b", "c"), [0] * 3, [1] * 3, [[1, 1, 0]], [2], [INF], ("a + b",))
    np.testing.assert_allclose(P.interior_point(), [1, 1, 0.5], atol=1e-9)
    assert np.ptp(P.sample(50), axis=0)[2] > 0.8


def test_implied_equalities_at_lower_limits():
    P = Polytope(("a", "b", "c"), [0] * 3, [1] * 3, [[1, 1, 0]], [-INF], [0], ("a + b",))
    np.testing.assert_allclose(P.interior_point(), [0, 0, 0.5], atol=1e-9)


def test_fixed_variables_stay_fixed():
    P = blend([0.2, 0, 0], [0.2, 1, 1])
    assert P.tangent_basis().shape == (3, 1)
    assert (P.sample(20)[:, 0] == 0.2).all()


def test_a_single_point():
    P = blend([0.2, 0.8], [0.2, 0.8])
    np.testing.assert_allclose(P.sample(5), np.tile([0.2, 0.8], (5, 1)), atol=1e-12)
    assert P.tangent_basis().shape == (2, 0)


def test_span_reaches_the_nearest_limit_both_ways():
    P = blend([0.05, 0.2, 0.3, 0.05], [0.45, 0.6, 0.7, 0.45])
    x = np.array([0.15, 0.38, 0.32, 0.15])
    np.testing.assert_allclose(P.span(x, np.array([1.0, -1, 0, 0])), [-0.1, 0.18], atol=1e-12)
    np.testing.assert_allclose(P.span(x, np.array([0, 0, -2.0, 2])), [-0.05, 0.01], atol=1e-12)
    assert P.span(x, np.array([1.0, 0, 0, 0])) == (0, 0)


def test_violation_is_the_worst_limit():
    assert blend([0, 0], [1, 1]).violation(np.array([1.2, 0.3])) == pytest.approx(0.5)
    assert not blend([0, 0], [1, 1]).contains(np.array([1.2, 0.3]))


def test_samples_spread_evenly_over_a_simplex_and_hold_its_corners():
    P = blend([0, 0, 0], [1, 1, 1])
    points = P.sample(3000, seed=4)
    corners = points.max(axis=1) > 1 - 1e-12
    assert corners[4::5].all() and not corners[:4].any()
    assert {tuple(np.round(p).astype(int)) for p in points[corners]} == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    inner = points[~corners]
    np.testing.assert_allclose(inner.mean(axis=0), 1 / 3, atol=0.02)
    # uniform on the simplex (Dirichlet 1, 1, 1): each coordinate has variance 1/18
    np.testing.assert_allclose(inner.var(axis=0), 1 / 18, rtol=0.12)


def test_samples_depend_on_the_seed_alone():
    P = blend([0, 0, 0], [1, 1, 1])
    np.testing.assert_array_equal(P.sample(7, seed=2), P.sample(7, seed=2))
    assert not np.array_equal(P.sample(7, seed=2), P.sample(7, seed=3))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(0, 4))
def test_samples_are_inside_whatever_the_limits(seed, n, k):
    rng = np.random.default_rng(seed)
    inside = rng.dirichlet(np.ones(n))
    A = np.vstack([np.ones((1, n)), rng.standard_normal((k, n))])
    room = np.append(0.0, rng.exponential(0.3, k) * (rng.random(k) > 0.2))
    lower, upper = inside - rng.exponential(0.2, n), inside + rng.exponential(0.2, n)
    names = tuple(f"x{i}" for i in range(n))
    rows = tuple(f"r{i}" for i in range(k + 1))
    P = Polytope(names, lower, upper, A, A @ inside - room, A @ inside + room, rows)
    points = P.sample(40, seed)
    assert points.shape == (40, n)
    assert max(P.violation(p) for p in points) < 1e-9
    assert P.contains(P.interior_point())
    ends = P.extent()
    assert (points >= ends[:, 0] - 1e-8).all() and (points <= ends[:, 1] + 1e-8).all()


@pytest.mark.parametrize(
    "change", [{"lower": [0.0]}, {"A": np.ones((2, 2))}, {"upper": [1.0, np.nan]}, {"A_lower": [1.0, 1.0]}]
)
def test_parts_that_do_not_fit_are_refused(change):
    parts = {"lower": [0, 0], "upper": [1, 1], "A": np.ones((1, 2)), "A_lower": [1], "A_upper": [1]}
    with pytest.raises(ShapeError, match=f"Polytope.{next(iter(change))}"):
        Polytope(("a", "b"), **{**parts, **change}, A_names=("sum",))
