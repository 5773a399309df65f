import numpy as np
import pytest
from hock_schittkowski import CASES, quadratic

from landform.errors import ShapeError
from landform.optimize import Polytope, Program, Smooth, certify

INF = np.inf


def box(lower, upper, A=None, A_lower=(), A_upper=()):
    n = len(lower)
    A = np.zeros((0, n)) if A is None else A
    return Polytope(tuple("abcdef"[:n]), lower, upper, A, A_lower, A_upper, tuple(f"row {i}" for i in range(len(A))))


def free(n):
    return box([-INF] * n, [INF] * n)


def linear(c):
    return quadratic(np.zeros((len(c), len(c))), c)


def test_a_strict_minimum():
    certificate = certify(Program(quadratic(np.diag([2, 6]), [-2, 0]), free(2)), [1, 0])
    assert certificate.certified and certificate.nature == "strict minimum"
    np.testing.assert_allclose(certificate.eigenvalues, [2, 6])
    assert certificate.multipliers == () and certificate.unique


def test_a_maximum_is_not_certified():
    certificate = certify(Program(quadratic(np.diag([-2, -1]), [0, 0]), free(2)), [0, 0])
    assert not certificate.certified and certificate.nature == "not certified"
    assert "maximum" in certificate.words


def test_a_saddle_names_the_way_down():
    certificate = certify(Program(quadratic(np.diag([2, -1]), [0, 0]), free(2)), [0, 0])
    assert not certificate.certified and certificate.nature == "saddle"
    assert certificate.words == "a saddle: it falls along +1 b"
    np.testing.assert_allclose(np.abs(certificate.escape), [0, 1], atol=1e-12)


def test_the_saddle_of_hs33_is_one():
    certificate = certify(CASES[0].program, [0, 0, 2])
    assert certificate.nature == "saddle"
    touched = {a.words: a.strongly for a in certificate.multipliers}
    assert touched == {"x1 ≥ 0": True, "x2 ≥ 0": False, "sphere ≥ 0": True}


def test_a_limit_that_is_only_touched_can_hold_back_a_way_down():
    # falls along a - b only, of which neither half lies within a, b >= 0
    program = Program(quadratic([[1, 2], [2, 1]], [0, 0]), box([0, 0], [1, 1]))
    certificate = certify(program, [0, 0])
    assert certificate.certified and certificate.nature == "strict minimum"
    assert [a.strongly for a in certificate.multipliers] == [False, False]
    assert certificate.eigenvalues[0] == pytest.approx(-1)
    assert certify(Program(program.objective, box([0, -1], [1, 1])), [0, 0]).nature == "saddle"


def test_copositivity_is_seen_on_the_faces():
    # down along the edge a = 0; the eigenvector of the whole points out of the box
    program = Program(quadratic([[2, 3], [3, -1]], [0, 0]), box([0, 0], [1, 1]))
    certificate = certify(program, [0, 0])
    assert certificate.nature == "saddle"
    np.testing.assert_allclose(certificate.escape, [0, 1], atol=1e-12)


def test_a_flat_optimum():
    certificate = certify(Program(quadratic(np.diag([2, 0]), [0, 0]), free(2)), [0, 5])
    assert certificate.certified and certificate.nature == "flat"
    flat = certify(Program(linear([1, 1]), box([0, 0], [1, 1], [[1, 1]], [1], [1])), [0.5, 0.5])
    assert flat.certified and flat.nature == "flat"


def test_a_point_of_inflection_is_not_a_minimum():
    cube = Smooth(lambda x: x**3, lambda x: 3 * x[None] ** 2, lambda x, w: w[0] * np.array([[6 * x[0]]]))
    certificate = certify(Program(cube, free(1)), [0])
    assert not certificate.certified and certificate.nature == "saddle"
    assert certificate.escape[0] < 0
    assert certify(Program(cube, box([0], [1])), [0]).nature == "flat"


def test_a_vertex_with_more_limits_than_dimensions():
    # three limits meet in the corner (0, 1) of a triangle whose tip is cut by a row that only touches it
    region = box([0, 0], [INF, 1], [[1, 1]], [-INF], [1])
    certificate = certify(Program(linear([1, -2]), region), [0, 1])
    assert certificate.certified and certificate.nature == "vertex" and not certificate.unique
    assert len(certificate.multipliers) == 3
    gradient = np.zeros(2)
    slopes = {"a ≥ 0": [1, 0], "b ≤ 1": [0, -1], "row 0 ≤ 1": [-1, -1]}
    for a in certificate.multipliers:
        assert a.multiplier >= 0
        gradient += a.multiplier * np.array(slopes[a.words])
    np.testing.assert_allclose(gradient, [1, -2], atol=1e-12)


def test_a_degenerate_corner_is_a_vertex_whichever_multipliers_come_out():
    # gradient (0, 1): alone by b >= 0, or by the two rows together; only the second set shows the corner
    region = box([-INF, 0], [INF, INF], [[1, 1], [-1, 1]], [0, 0], [INF, INF])
    certificate = certify(Program(quadratic(np.diag([-1, 0]), [0, 1]), region), [0, 0])
    assert certificate.certified and certificate.nature == "vertex"
    assert certificate.eigenvalues.size == 0


def test_the_wrong_corner_is_not_certified():
    certificate = certify(Program(linear([1, -2]), box([0, 0], [1, 1])), [1, 1])
    assert not certificate.certified and "a way down remains" in certificate.words


def test_a_missed_limit_is_named():
    certificate = certify(Program(linear([1, 1]), box([0, 0], [1, 1])), [0, -0.25])
    assert not certificate.certified
    assert certificate.words == "not certified: b ≥ 0 is missed by 0.25"
    assert certificate.violation == 0.25


def test_a_point_where_nothing_is_finite():
    log = Smooth(lambda x: np.log(x), lambda x: 1 / x[None], lambda x, w: -w[0] / x[None] ** 2)
    certificate = certify(Program(log, free(1)), [-1])
    assert not certificate.certified and "not finite" in certificate.words


@pytest.mark.parametrize("factor", [1e-8, 1.0, 1e8])
def test_the_verdict_does_not_depend_on_the_objective_s_unit(factor):
    for case in CASES:
        f = case.program.objective
        scaled = Smooth(
            lambda x, f=f: factor * f.value(x),
            lambda x, f=f: factor * f.jacobian(x),
            lambda x, w, f=f: factor * f.hessian(x, w),
        )
        p = case.program
        program = Program(scaled, p.region, p.constraints, p.c_lower, p.c_upper, p.c_names)
        assert certify(program, case.x, tolerance=1e-6).certified, case.name
        off = np.clip(case.x + 1e-3 * np.array([1, -1, 1, -1])[: p.n], p.region.lower, p.region.upper)
        assert not certify(program, off, tolerance=1e-6).certified, case.name


def test_hs13_has_no_multipliers_and_is_not_certified():
    # Hock and Schittkowski (1981), problem 13: no constraint qualification at the minimum (1, 0)
    cusp = Smooth(
        lambda x: np.array([(1 - x[0]) ** 3 - x[1]]),
        lambda x: np.array([[-3 * (1 - x[0]) ** 2, -1.0]]),
        lambda x, w: w[0] * np.diag([6 * (1 - x[0]), 0]),
    )
    objective = quadratic(np.diag([2, 2]), [-4, 0], 4)
    program = Program(objective, box([0, 0], [INF, INF]), cusp, [0], [INF], ("cusp",))
    assert not certify(program, [1, 0]).certified


def test_the_table_has_a_row_per_active_limit():
    frame = certify(CASES[1].program, CASES[1].x).to_frame()
    assert list(frame.columns) == ["limit", "kind", "multiplier", "strongly"]
    assert frame.values.tolist() == [["row 1 ≤ 3", "linear", pytest.approx(2 / 9), True]]


def test_a_point_of_the_wrong_length_is_refused():
    with pytest.raises(ShapeError, match=r"expected shape \(2,\), got \(3,\)"):
        certify(Program(linear([1, 1]), free(2)), [0, 0, 0])


def test_constraints_need_names():
    with pytest.raises(ShapeError, match=r"Program\.constraints"):
        Program(linear([1, 1]), free(2), linear([1, 1]))


@pytest.mark.parametrize("off", [1e-5, -1e-6])
def test_a_point_just_beside_a_free_minimum_is_not_certified(off):
    program = Program(quadratic(np.diag([2, 6]), [-2, 0]), free(2))
    assert not certify(program, [1 + off, 0]).certified


def test_a_small_variable_is_judged_by_its_own_range():
    size = np.array([1e-6, 1.0])
    program = Program(quadratic(np.diag(size**-2), -0.5 / size), box([0, 0], size))
    assert certify(program, 0.5 * size).certified
    assert not certify(program, [0.51e-6, 0.5]).certified


@pytest.mark.parametrize(
    ("curve", "nature"), [(1e-7, "strict minimum"), (1e-9, "flat"), (0, "flat"), (-1e-7, "saddle")]
)
def test_how_little_curvature_is_still_some(curve, nature):
    # FLAT: curvature from a hundred-millionth of the largest on counts, and the saddle is known by its curvature
    verdict = certify(Program(quadratic(np.diag([1, curve]), [0, 0]), free(2)), [0, 0])
    assert verdict.nature == nature
    assert nature != "saddle" or verdict.words == "a saddle: it falls along +1 b"


def test_a_minimum_beside_a_point_of_inflection_is_none():
    # x³ at a ten-millionth: curvature positive, slope below every tolerance, and lower points a thousandth away
    cube = Smooth(lambda x: x**3, lambda x: 3 * x[None] ** 2, lambda x, w: w[0] * np.array([[6 * x[0]]]))
    both = Smooth(
        lambda x: cube.value(x[:1]) + x[1] ** 2,
        lambda x: np.array([[3 * x[0] ** 2, 2 * x[1]]]),
        lambda x, w: w[0] * np.diag([6 * x[0], 2]),
    )
    assert certify(Program(both, free(2)), [1e-7, 0]).nature == "saddle"


def test_what_is_level_along_every_axis_may_fall_between_them():
    # abc at 0; within a, b, c >= 0 it is the lowest point, and -abc is not
    def hessian(x, w):
        return w[0] * np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])

    def product(sign):
        return Smooth(
            lambda x: sign * np.array([np.prod(x)]),
            lambda x: sign * np.array([[x[1] * x[2], x[0] * x[2], x[0] * x[1]]]),
            lambda x, w: sign * hessian(x, w),
        )

    corner = box([0] * 3, [1] * 3)
    assert certify(Program(product(1.0), free(3)), [0, 0, 0]).nature == "saddle"
    assert certify(Program(product(1.0), corner), [0, 0, 0]).nature == "flat"
    assert certify(Program(product(-1.0), corner), [0, 0, 0]).nature == "saddle"
