"""`minimize`: from a function and its limits to a certified point, and how that moves with the problem."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

import landform
from landform.errors import DerivativeError, InfeasibleError, ShapeError
from landform.optimize.newton import trust_region_step

INF = np.inf


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_rosenbrock_has_its_minimum_at_one(n):
    best = landform.minimize(rosenbrock, np.where(np.arange(n) % 2, 1.0, -1.2))
    assert best.certificate.nature == "strict minimum"
    # From four variables on there is a second minimum near (-1, 1, …, 1): Shang and Qiu (2006), Evol. Comput. 14.
    assert best.value < 1e-20 or (n > 3 and 3.7 < best.value < 4.0)
    assert best.certificate.kkt_residual < 1e-10


def test_a_start_on_a_saddle_is_left():
    """x² − y² + y⁴/4: saddle at zero, minima at y = ±√2 with value −1."""
    best = landform.minimize(lambda x: x[0] ** 2 - x[1] ** 2 + 0.25 * x[1] ** 4, np.zeros(2))
    np.testing.assert_allclose(np.abs(best.x), [0, np.sqrt(2)], atol=1e-9)
    assert best.value == pytest.approx(-1)


def test_hs33_from_its_standard_start_is_no_saddle():
    """Hock and Schittkowski (1981), problem 33: the start (0, 0, 3) leads solvers to a saddle; the best is √2 − 6."""

    def limits(x):
        return jnp.array([x[2] ** 2 - x[1] ** 2 - x[0] ** 2, x @ x - 4])

    best = landform.minimize(
        lambda x: (x[0] - 1) * (x[0] - 2) * (x[0] - 3) + x[2],
        np.array([0.0, 0, 3]),
        bounds=([0, 0, 0], [None, None, 5]),
        constraints=NonlinearConstraint(limits, 0, INF),
    )
    assert best.certified
    assert best.value == pytest.approx(np.sqrt(2) - 6, abs=1e-9)


def test_hs13_is_not_certified():
    """Problem 13: at the solution (1, 0) no multipliers exist."""
    limits = {"bounds": (0, None), "constraints": NonlinearConstraint(lambda x: (1 - x[0]) ** 3 - x[1], 0, INF)}
    best = landform.minimize(lambda x: (x[0] - 2) ** 2 + x[1] ** 2, np.array([0.0, 0.0]), **limits)
    assert not best.certified
    assert "dependent" in best.words
    verdict = landform.certify(lambda x: (x[0] - 2) ** 2 + x[1] ** 2, np.array([1.0, 0.0]), **limits)
    assert not verdict.certified
    assert "multipliers need not exist" in verdict.words


def test_names_limits_and_trees():
    best = landform.minimize(
        lambda r: (r["acid"] - 3) ** 2 + jnp.sum((r["base"] - jnp.array([1.0, 2.0])) ** 2),
        {"acid": np.array(0.5), "base": np.zeros(2)},
        bounds=({"acid": 0.0, "base": [None, 0.0]}, 2.0),
        constraints={"budget": LinearConstraint([[1, 1, 1]], -INF, 4)},
    )
    assert set(best.x) == {"acid", "base"}
    assert best.x["base"].dtype == np.float64
    np.testing.assert_allclose([best.x["acid"], *best.x["base"]], [2, 0.5, 1.5], atol=1e-9)
    price = dict(zip(best.certificate.to_frame()["limit"], best.certificate.to_frame()["multiplier"], strict=True))
    assert price["budget ≤ 4"] == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_bounds_agree_with_a_bounded_least_squares_solver(seed, n):
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(seed)
    M, y = rng.standard_normal((n + 2, n)), 2 * rng.standard_normal(n + 2)
    best = landform.minimize(
        lambda x, M, y: 0.5 * jnp.sum((M @ x - y) ** 2),
        np.zeros(n),
        args=(M, y),
        bounds=Bounds(-np.ones(n), np.ones(n)),
    )
    assert best.certified
    np.testing.assert_allclose(best.x, lsq_linear(M, y, (-1, 1), method="bvls", tol=1e-14).x, atol=1e-8)


def test_many_starts_find_all_minima():
    """Six-hump camel back (Dixon and Szegö 1978): six minima, two of them lowest, −1.0316."""
    best = landform.minimize(
        lambda x: (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3) * x[0] ** 2 + x[0] * x[1] + (4 * x[1] ** 2 - 4) * x[1] ** 2,
        np.array([1.0, 1.0]),
        bounds=([-3, -2], [3, 2]),
        starts=64,
    )
    assert best.value == pytest.approx(-1.0316284535, abs=1e-9)
    assert len([s for s in best.optima if s.certificate.nature == "strict minimum"]) == 6
    np.testing.assert_allclose(best.optima[0].x, -best.optima[1].x, atol=1e-9)
    assert 0 < best.led_here < best.starts == 64


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0.05, 20.0))
def test_the_trust_region_step_is_the_lowest_point_of_the_ball(seed, n, radius):
    """Moré and Sorensen (1983), theorem 3.2: (H + sI) p = −g, s ≥ 0, H + sI not negative, s (radius − |p|) = 0."""
    rng = np.random.default_rng(seed)
    H = rng.standard_normal((n, n))
    H = H + H.T
    g = rng.standard_normal(n) * (seed % 3 > 0)
    p = trust_region_step(H, g, radius)
    assert np.linalg.norm(p) <= radius * (1 + 1e-8)
    least = np.linalg.eigvalsh(H)[0]
    shift = 0.0 if np.linalg.norm(p) < radius * (1 - 1e-6) else float(-(p @ (H @ p + g)) / (p @ p))
    np.testing.assert_allclose(H @ p + shift * p, -g, atol=1e-6 * (1 + np.abs(g).max()) * (1 + abs(shift)))
    assert shift >= max(0.0, -least) - 1e-6


def shifted(x, a):
    return (x[0] - a[0]) ** 2 + a[1] * (x[1] - 1) ** 2 + x[0] * x[1]


def best_of(a, limit=2.0, edge=None):
    disc = NonlinearConstraint(lambda x, a: x @ x * a[1], -INF, limit)
    return landform.minimize(shifted, np.zeros(2), args=(np.array(a),), constraints={"disc": disc}, bounds=(edge, None))


def test_the_optimum_moves_as_differences_say():
    """Against central differences of the solved problem itself, in parameters and in the limit."""
    at, step = np.array([2.0, 3.0]), 1e-4
    found = best_of(at).sensitivity()
    assert found.parameters == ("args[0][0]", "args[0][1]", "disc ≤ 2")

    def differences(moved):
        up, mid, down = moved(step), moved(0.0), moved(-step)
        return (
            (up.x - down.x) / (2 * step),
            (up.value - down.value) / (2 * step),
            (up.value - 2 * mid.value + down.value) / step**2,
        )

    moves = [
        lambda d: best_of(at + d * np.eye(2)[0]),
        lambda d: best_of(at + d * np.eye(2)[1]),
        lambda d: best_of(at, 2 + d),
    ]
    for j, moved in enumerate(moves):
        dx, dvalue, d2value = differences(moved)
        np.testing.assert_allclose(found.dx[:, j], dx, atol=1e-6)
        assert found.dvalue[j] == pytest.approx(dvalue, abs=1e-7)
        assert found.d2value[j, j] == pytest.approx(d2value, abs=1e-4)


def test_how_far_the_answer_holds():
    """min (x − a)² with x ≤ 1 at a = 3: the bound holds the optimum until a comes down to 1, or the bound up to 3."""
    best = landform.minimize(
        lambda x, a: (x[0] - a) ** 2, np.array([0.0]), args=(3.0,), bounds=(None, 1.0), inputs=["x"]
    )
    found = best.sensitivity()
    assert found.parameters == ("args[0]", "x ≤ 1")
    np.testing.assert_allclose([found.low[0], found.high[1]], [1, 3], atol=1e-9)
    assert found.high[0] == INF


def test_an_optimum_that_does_not_move_smoothly_says_so():
    touched = landform.minimize(lambda x, a: (x[0] - a) ** 2, np.array([0.0]), args=(1.0,), bounds=(None, 1.0))
    with pytest.raises(DerivativeError, match="only touched"):
        touched.sensitivity()
    flat = landform.minimize(lambda x, a: a * x[0] ** 2 + 0 * x[1], np.ones(2), args=(1.0,))
    with pytest.raises(DerivativeError, match="smoothly"):
        flat.sensitivity()


def test_anybodys_multipliers_are_judged():
    """min x + y in the disc x² + y² ≤ 2: at (−1, −1) the gradient is −½ times the disc's."""
    problem = {"constraints": {"disc": NonlinearConstraint(lambda x: x @ x, -INF, 2.0)}}

    def total(x):
        return x[0] + x[1]

    point = np.array([-1.0, -1.0])
    assert landform.certify(total, point, {"disc": -0.5}, **problem).certified
    assert not landform.certify(total, point, {"disc": -0.4}, **problem).certified
    assert "wrong sign" in landform.certify(lambda x: -total(x), point, {"disc": 0.5}, **problem).words
    with pytest.raises(ShapeError, match="disk"):
        landform.certify(total, point, {"disk": -0.5}, **problem)


def test_a_kink_is_named():
    best = landform.minimize(lambda x: jnp.abs(x[0] - 1) + x[1] ** 2, np.array([3.0, 2.0]), inputs=["dose", "time"])
    assert not best.certified
    assert "kink in dose" in best.words


def test_what_has_no_lowest_point_is_said_to_be_unbounded():
    for function in (lambda x: -(x[0] ** 2), lambda x: x[0] + 2 * x[1], lambda x: x[0] ** 3 + x[1] ** 2):
        best = landform.minimize(function, np.array([1.0, 2.0]))
        assert not best.certified
        assert "unbounded" in best.words


def test_limits_that_contradict_each_other():
    with pytest.raises(InfeasibleError, match=r"x0 ≥ 3; x1 ≥ 0; sum ≤ 2"):
        landform.minimize(
            lambda x: x @ x,
            np.array([3.5, 0.0]),
            bounds=([3, 0], None),
            constraints={"sum": LinearConstraint([1, 1], -INF, 2)},
        )
    never = NonlinearConstraint(lambda x: x @ x, -INF, -1.0)
    best = landform.minimize(lambda x: x[0], np.ones(2), constraints={"never": never})
    assert not best.certified
    assert "never ≤ -1" in best.words
    assert "contradict" in best.words


def test_bad_input_is_said_in_one_sentence():
    with pytest.raises(ShapeError, match="one output, got 3 outputs"):
        landform.minimize(lambda x: x, np.ones(3))
    with pytest.raises(ShapeError, match="within the bounds 0 to 1 of dose, got 2"):
        landform.minimize(lambda x: x[0], np.array([2.0]), bounds=(0, 1), inputs=["dose"])
    with pytest.raises(ShapeError, match="lower bounds at or below"):
        landform.minimize(lambda x: x[0], np.array([0.5]), bounds=(1, 0))
    with pytest.raises(ShapeError, match=r"start for example at x = "):
        landform.minimize(lambda x: x[0] - jnp.log(x[0]), np.array([-0.5]))
    with pytest.raises(DerivativeError, match="nothing finite at 256 points"):
        landform.minimize(lambda x: jnp.log(-1.0 - x[0] ** 2), np.array([0.5]))
    with pytest.raises(ShapeError, match="LinearConstraint or NonlinearConstraint, got dict"):
        landform.minimize(lambda x: x[0], np.array([0.5]), constraints=[{"type": "ineq"}])
    with pytest.raises(ShapeError, match="a matrix with 2 columns"):
        landform.minimize(lambda x: x[0], np.ones(2), constraints=LinearConstraint([1.0, 1, 1], 0, 1))
    with pytest.raises(ShapeError, match="one limit, or one for each of 2 values"):
        landform.minimize(lambda x: x[0], np.ones(2), constraints=NonlinearConstraint(lambda x: x, [0, 0, 0], 1))
    with pytest.raises(ShapeError, match="one bound for each of 2 variables, got 3"):
        landform.minimize(lambda x: x[0], np.ones(2), bounds=([0, 0, 0], None))


@pytest.mark.parametrize("x0", [[0, 3], (0, 3), np.array([0, 3])], ids=["list", "tuple", "array"])
def test_whole_numbers_are_a_start(x0):
    best = landform.minimize(lambda x: (x[0] - 1) ** 2 + (x[1] - 2.5) ** 2, x0)
    np.testing.assert_allclose(best.x, [1, 2.5])


def test_the_solver_is_told_and_an_unknown_one_refused():
    def bowl(x):
        return x @ x

    row = LinearConstraint(np.ones((1, 2)), 1, 1)
    assert landform.minimize(bowl, np.ones(2)).by == "a trust region"
    assert landform.minimize(bowl, np.ones(2), constraints=row).by == "SLSQP"
    with pytest.raises(ShapeError, match="a method among"):
        landform.minimize(bowl, np.ones(2), method="simplex")
    with pytest.raises(ShapeError, match="bounds alone"):
        landform.minimize(bowl, np.ones(2), constraints=row, method="newton")
