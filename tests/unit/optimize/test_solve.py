import numpy as np
import pytest
from hock_schittkowski import CASES, quadratic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from landform.errors import ShapeError
from landform.optimize import Polytope, Program, Smooth, cluster, solve
from landform.optimize.polish import polish

INF = np.inf


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_hock_schittkowski_from_the_standard_start(case):
    best = solve(case.program, case.start[None])[0]
    assert best.certificate.certified, best.certificate.words
    np.testing.assert_allclose(best.objective, case.objective, rtol=1e-8)
    np.testing.assert_allclose(best.x, case.x, atol=5e-7)
    assert best.certificate.kkt_residual < 1e-10 and best.certificate.violation < 1e-10


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_nothing_is_certified_that_is_not_a_known_minimum(case):
    rng = np.random.default_rng(1)
    starts = case.start + rng.standard_normal((20, case.program.n))
    for solution in solve(case.program, starts):
        if solution.certificate.certified and case.name != "HS33":
            np.testing.assert_allclose(solution.objective, case.objective, rtol=1e-7)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_polish_brings_the_last_digits(case):
    rng = np.random.default_rng(2)
    region = case.program.region
    near = np.clip(case.x + 1e-5 * rng.standard_normal(case.program.n), region.lower, region.upper)
    np.testing.assert_allclose(polish(case.program, near, tolerance=1e-10), case.x, atol=5e-7)


def test_the_polish_drops_and_adds_limits_within_one_step():
    # held by a >= 0 alone the step leads past b <= 1; held by both, a's multiplier turns negative
    region = Polytope(("a", "b"), [0, 0], [1, 1], np.zeros((0, 2)), [], [], ())
    program = Program(quadratic([[1, -1], [-1, 2]], [0.99975, -2.00025]), region)
    end = polish(program, np.array([0, 0.998]), tolerance=1e-12, most=1)
    np.testing.assert_allclose(end, [2.5e-4, 1], atol=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 7))
def test_convex_quadratics_in_a_box_agree_with_scipy(seed, n):
    rng = np.random.default_rng(seed)
    M, y = rng.standard_normal((n + 2, n)), 2 * rng.standard_normal(n + 2)
    region = Polytope(tuple(f"x{i}" for i in range(n)), -np.ones(n), np.ones(n), np.zeros((0, n)), [], [], ())
    best = solve(Program(quadratic(M.T @ M, -M.T @ y), region), rng.uniform(-1, 1, (1, n)))[0]
    # a box active-set method: exact once the set is right
    expected = lsq_linear(M, y, (-1, 1), method="bvls", tol=1e-14).x
    assert best.certificate.certified
    np.testing.assert_allclose(best.x, expected, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6))
def test_the_nearest_point_of_a_simplex_in_closed_form_and_in_any_order(seed, n):
    rng = np.random.default_rng(seed)
    target = rng.standard_normal(n)
    order = rng.permutation(n)

    def nearest(t):
        region = Polytope(tuple(map(str, range(n))), np.zeros(n), np.ones(n), np.ones((1, n)), [1], [1], ("sum",))
        return solve(Program(quadratic(np.eye(n), -t), region), np.full((1, n), 1 / n))[0]

    # Held, Wolfe and Crowder (1974): sort, shift, cut at zero
    falling = np.sort(target)[::-1]
    shift = (np.cumsum(falling) - 1) / np.arange(1, n + 1)
    expected = np.maximum(target - shift[np.flatnonzero(falling > shift)[-1]], 0)
    best, moved = nearest(target), nearest(target[order])
    assert best.certificate.certified and moved.certificate.certified
    np.testing.assert_allclose(best.x, expected, atol=1e-10)
    np.testing.assert_allclose(moved.x, best.x[order], atol=1e-10)


def test_outside_the_domain_a_search_turns_back_and_nothing_leaks():
    log = Smooth(
        lambda x: np.array([x[0] - np.log(x[0])]),
        lambda x: np.array([[1 - 1 / x[0]]]),
        lambda x, w: np.array([[w[0] / x[0] ** 2]]),
    )
    for low in (0.0, -1.0):
        region = Polytope(("u",), [low], [50], np.zeros((0, 1)), [], [], ())
        found = solve(Program(log, region), np.array([[40.0], [0.0], [1e-3]]))
        assert len(found) == 3
        np.testing.assert_allclose(found[0].x, [1], atol=1e-9)
        assert found[0].certificate.certified


def test_a_start_that_leads_nowhere_comes_back_last_and_not_certified():
    root = Smooth(
        lambda x: np.sqrt(x) + 0 * x,
        lambda x: 0.5 / np.sqrt(x[None]),
        lambda x, w: -0.25 * w[0] * x[None] ** -1.5,
    )
    region = Polytope(("u",), [-1], [2], np.zeros((0, 1)), [], [], ())
    found = solve(Program(root, region), np.array([[-0.5]]))
    assert not found[0].certificate.certified


def test_dependent_equalities_and_fixed_variables_do_no_harm():
    A = [[1, 1, 1], [2, 2, 2], [0, 1, 1]]
    region = Polytope(("a", "b", "c"), [0.6, 0, 0], [0.6, 1, 1], A, [1, 2, 0.4], [1, 2, 0.4], ("x", "y", "z"))
    best = solve(Program(quadratic(np.eye(3), [0, 0, 0]), region), region.sample(3))[0]
    np.testing.assert_allclose(best.x, [0.6, 0.2, 0.2], atol=1e-9)
    assert best.certificate.certified and not best.certificate.unique


def test_variables_of_very_different_size():
    target = np.array([3e-6, 150.0, 2e4])
    size = np.array([1e-6, 100.0, 1e4])
    region = Polytope(("a", "b", "c"), 0 * size, 10 * size, np.zeros((0, 3)), [], [], ())
    program = Program(quadratic(np.diag(size**-2.0), -target / size**2), region)
    best = solve(program, region.sample(2))[0]
    assert best.certificate.certified
    np.testing.assert_allclose(best.x, target, rtol=1e-8)


def test_distinct_solutions_best_first():
    wave = Smooth(
        lambda x: np.sin(3 * x) + 0.1 * x,
        lambda x: np.diag(3 * np.cos(3 * x) + 0.1),
        lambda x, w: np.diag(-9 * w * np.sin(3 * x)),
    )
    region = Polytope(("t",), [-3], [3], np.zeros((0, 1)), [], [], ())
    found = solve(Program(wave, region), np.linspace(-3, 3, 13)[:, None])
    assert len(found) == 13
    kept = cluster(found, 0.1)
    assert [s.certificate.nature for s in kept] == ["strict minimum"] * 3 + ["vertex"]
    assert np.all(np.diff([s.objective for s in kept]) > 0)
    expected = np.array([-2.6292, -0.5348, 1.5596, 3])  # cos 3t = -1/30 going up, and the end
    np.testing.assert_allclose(sorted(float(s.x[0]) for s in kept), expected, atol=2e-4)


@pytest.mark.parametrize("starts", [np.zeros(3), np.zeros((1, 2)), np.full((1, 3), np.nan)])
def test_starts_of_the_wrong_shape_are_refused(starts):
    with pytest.raises(ShapeError, match="starts"):
        solve(CASES[0].program, starts)
