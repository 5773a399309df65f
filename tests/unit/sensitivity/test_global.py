"""Sobol indices, Shapley effects, screening and derivative measures against closed forms; refusals; words."""

from __future__ import annotations

from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import landform
from landform.backends import Model
from landform.errors import DerivativeError, InfeasibleError, LandformError, ProblemError, ShapeError
from landform.sensitivity import Mixture, derivative_measures, morris_screening
from landform.sensitivity.over_ranges.lattice import lattice, mean_with_error
from unit.sensitivity.functions import (
    ISHIGAMI_RANGES,
    g_function,
    g_squared_slopes,
    ishigami,
    ishigami_indices,
    ishigami_squared_slopes,
    product_indices,
)

A = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])


@pytest.mark.parametrize("seed", range(10))
def test_ishigami_within_the_aim(seed):
    """Within 0.01 from at most 100 values with gradients, whatever the seed; closed form."""
    found = landform.global_sensitivity(ishigami, ISHIGAMI_RANGES, seed=seed)
    assert found.method == "chaos" and found.reached and found.evaluations == 0 and found.gradients <= 100
    for kind, right in zip(("first", "total", "shapley"), ishigami_indices(), strict=True):
        np.testing.assert_allclose(found.indices[kind].values[0], right, atol=1e-3)
    pairs = found.indices["second"].values[0]
    total = ishigami_indices()[1]
    np.testing.assert_allclose(pairs, [[0, 0, total[2]], [0, 0, 0], [total[2], 0, 0]], atol=1e-3)


def test_values_alone_serve_too():
    found = landform.global_sensitivity(lambda x: float(ishigami(x)), ISHIGAMI_RANGES, mode="values")
    assert found.method == "chaos" and found.gradients == 0 and found.evaluations < 256
    np.testing.assert_allclose(found.indices["total"].values[0], ishigami_indices()[1], atol=0.01)


def test_kinks_lead_to_sampling_and_it_is_said():
    found = landform.global_sensitivity(g_function(A), [(0, 1)] * 8)
    assert found.method == "sampling" and found.reached
    assert "kinks" in found.words and "does not fall" in found.words
    first, total = product_indices(1 / (3 * (1 + A) ** 2))
    np.testing.assert_allclose(found.indices["first"].values[0], first, atol=0.01)
    np.testing.assert_allclose(found.indices["total"].values[0], total, atol=0.01)
    pair = found.estimate("second", "x0", "x1")
    assert abs(pair.value - first[0] * first[1] * (np.prod(1 + 1 / (3 * (1 + A) ** 2)) - 1)) < 0.01


SMOOTH = {
    "normal": (stats.norm(1.0, 0.5), lambda x: jnp.exp(x), np.exp(0.25) - 1),
    "lognormal": (stats.lognorm(0.5), lambda x: x**2, np.exp(4 * 0.25) - 1),
    "uniform": ((0.0, 1.0), lambda x: jnp.exp(2 * x), (np.e**4 - 1) / 4 / ((np.e**2 - 1) / 2) ** 2 - 1),
    "triangular": (stats.triang(0.5), lambda x: x**2, (31 / 240) / (7 / 24) ** 2 - 1 + 0.0),
    "beta": (stats.beta(2, 3), lambda x: x, 0.04 / 0.16),
    "exponential": (stats.expon(), lambda x: x, 1.0),
}


def test_the_variances_of_the_table_above():
    """Every squared coefficient of variation there, by quadrature."""
    for law, part, ratio in SMOOTH.values():
        frozen = stats.uniform() if isinstance(law, tuple) else law
        ends = {"lb": frozen.ppf(1e-15), "ub": frozen.isf(1e-15)}
        with jax.enable_x64(True):
            one, two = (frozen.expect(lambda x, p=p, f=part: float(f(x)) ** p, **ends) for p in (1, 2))
        assert ratio == pytest.approx(two / one**2 - 1, rel=1e-4)


@pytest.mark.parametrize("law", SMOOTH)
def test_any_distribution(law):
    """A product of three factors of one distribution each: closed form."""
    given, part, ratio = SMOOTH[law]
    first, total = product_indices(np.array([ratio, 1 / 27, 1 / 3]))
    found = landform.global_sensitivity(
        lambda x: part(x[0]) * (1 + x[1]) * x[2],
        {"a": given, "b": (0, 1), "c": (0, 2)},
    )
    assert found.method == "chaos" and found.inputs == ("a", "b", "c")
    np.testing.assert_allclose(found.indices["first"].values[0], first, atol=0.01)
    np.testing.assert_allclose(found.indices["total"].values[0], total, atol=0.01)


def test_measured_values_are_a_distribution():
    values = np.random.default_rng(0).gamma(3.0, size=300)
    found = landform.global_sensitivity(lambda x: x[0] + x[1], {"a": values, "b": (0, 3)}, tolerance=1e-3)
    share = values.var() / (values.var() + 0.75)
    np.testing.assert_allclose(found.indices["first"].values[0], [share, 1 - share], atol=0.01)


def linear_shapley(b: np.ndarray, R: np.ndarray) -> np.ndarray:
    """Owen and Prieur (2017), *SIAM/ASA J. Uncertain. Quantif.* 5, 986: from variances given subsets, all orders."""
    d = len(b)

    def known(u: tuple[int, ...]) -> float:
        u = list(u)
        return float(b @ R[:, u] @ np.linalg.solve(R[np.ix_(u, u)], R[u] @ b)) if u else 0.0

    shares = np.zeros(d)
    orders = list(permutations(range(d)))
    for order in orders:
        for k in range(d):
            shares[order[k]] += known(order[: k + 1]) - known(order[:k])
    return shares / len(orders) / (b @ R @ b)


def test_correlated_normal_inputs():
    b, R = np.array([1.0, 1.0, 2.0]), np.array([[1.0, 0.3, 0.0], [0.3, 1.0, -0.7], [0.0, -0.7, 1.0]])
    found = landform.global_sensitivity(lambda x: b @ x, [stats.norm()] * 3, correlation=R)
    assert found.method == "conditional sampling" and "tied" in found.words
    shapley = found.indices["shapley"]
    np.testing.assert_allclose(shapley.values[0], linear_shapley(b, R), atol=0.01)
    assert shapley.values.sum() == pytest.approx(1.0, abs=1e-9)


def test_many_inputs_by_random_orders():
    b = np.arange(10.0)
    found = landform.global_sensitivity(
        lambda x: b @ x, [stats.norm()] * 10, method="shapley", tolerance=0.03, budget=400_000
    )
    np.testing.assert_allclose(found.indices["shapley"].values[0], b**2 / (b @ b), atol=0.02)


def test_a_mixture_of_two():
    """Of two ingredients each decides the other: equal shares; a factor beside them keeps its own."""
    found = landform.global_sensitivity(
        lambda x: x[0] + x[2], {"a": (0, 1), "b": (0, 1), "t": (0, 1)}, mixture=("a", "b")
    )
    np.testing.assert_allclose(found.indices["shapley"].values[0], [0.25, 0.25, 0.5], atol=0.01)


def test_a_dirichlet_mixture():
    """Three ingredients, linear: the first-order share of a Dirichlet is its squared correlation with the sum."""
    found = landform.global_sensitivity(
        lambda x: x[0] - x[1],
        {"a": (0, 1), "b": (0, 1), "c": (0, 1)},
        mixture=Mixture(("a", "b", "c"), concentration=(2.0, 3.0, 4.0)),
    )
    alpha = np.array([2.0, 3.0, 4.0])
    C = (np.diag(alpha / 9) - np.outer(alpha, alpha) / 81) / 10
    w = np.array([1.0, -1.0, 0.0])
    # Given one share, the means of the others are linear in it.
    right = (C @ w) ** 2 / np.diag(C) / (w @ C @ w)
    np.testing.assert_allclose(found.indices["first"].values[0], right, atol=0.015)


def test_a_region():
    """Uniform on the triangle a + b <= 1, f = a: knowing b alone explains its squared correlation, 1/4."""
    found = landform.global_sensitivity(
        lambda x: x[0], {"a": (0, 1), "b": (0, 1)}, limits=[({"a": 1, "b": 1}, None, 1)], tolerance=0.02
    )
    np.testing.assert_allclose(found.indices["shapley"].values[0], [7 / 8, 1 / 8], atol=0.02)


K = np.array([8.0, 3.0, 1.0])


def steep(x):
    return jnp.prod(1 / (1 + K * x))


@pytest.mark.parametrize("method", ["chaos", "sampling"])
def test_intervals_cover(method):
    """Over seeds, on a product of 1 / (1 + k x), steep at one corner: closed form from its means and mean squares."""
    mean, square = np.log1p(K) / K, 1 / (1 + K)
    right = product_indices(square / mean**2 - 1)
    held = []
    for seed in range(16):
        found = landform.global_sensitivity(steep, [(0, 1)] * 3, method=method, tolerance=0.05, seed=seed)
        for kind, exact in zip(("first", "total"), right, strict=True):
            index = found.indices[kind]
            held.append(np.abs(index.values[0] - exact) <= index.half_widths[0])
    assert np.mean(held) >= 0.9


def test_several_outputs_and_a_model():
    model = Model(lambda x: jnp.stack([x[0], x[0] * x[1]]), (), inputs=("u", "v"), outputs=("plain", "both"))
    found = landform.global_sensitivity(model, {"v": (-1, 1), "u": (-1, 1)})
    assert found.inputs == ("u", "v") and found.outputs == ("plain", "both")
    np.testing.assert_allclose(found.indices["total"].values, [[1, 0], [1, 1]], atol=1e-6)
    assert found.estimate("first", "u", output="plain").value == pytest.approx(1.0)
    frame = found.to_frame()
    assert list(frame.columns) == ["output", "index", "input", "estimate", "error", "method", "evaluations"]
    assert len(frame) == 2 * (3 * 2 + 1) and "u × v" in set(frame["input"])
    kinds = [type(p).__name__ for p in found.pictures()]
    assert kinds == ["Bars", "HeatMap"] * 2
    assert found.plot().axes


@pytest.mark.parametrize("seed", range(10))
def test_derivative_measures_of_the_g_function(seed):
    """Within 1 % from at most 100 gradients, worst of 10 seeds and every input; closed form."""
    right = g_squared_slopes(A)
    found = derivative_measures(g_function(A), [(0, 1)] * 8, budget=97, seed=seed)
    assert found.evaluations <= 100
    np.testing.assert_allclose(found.measure[0], right, rtol=0.01)
    assert (np.abs(found.measure[0] - right) <= found.half_width[0]).all()


def test_lattice_means_have_no_bias_and_their_bars_cover():
    """Squared slopes of the g-function at one kink more than the lattice likes: mean error against its own spread."""
    a, right, errors = np.array([0.0, 0.5, 3.0]), g_squared_slopes(np.array([0.0, 0.5, 3.0])), []
    for seed in range(200):
        U = lattice(97, 3, np.random.default_rng(seed))
        F = (np.abs(4 * U - 2) + a) / (1 + a)
        squares = np.stack([(4 / (1 + a[i]) * np.prod(np.delete(F, i, 1), axis=1)) ** 2 for i in range(3)], axis=1)
        means, widths = mean_with_error(squares, 97, 3)
        errors.append(means / right - 1)
        assert (np.abs(means - right) <= widths).all()
    spread = np.std(errors, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(np.mean(errors, axis=0)) < 4 * spread).all()


def test_derivative_measures_warn_where_they_misrank():
    found = derivative_measures(ishigami, ISHIGAMI_RANGES)
    np.testing.assert_allclose(found.measure[0], ishigami_squared_slopes(), rtol=0.02)
    assert "x1 > x2 > x0" in found.warnings[0] and "x0 > x1 > x2" in found.warnings[0]
    total = ishigami_indices()[1]
    assert (found.lower[0] <= total + 1e-3).all()
    assert (np.minimum(found.upper[0], found.weighted_upper[0]) >= total - 1e-3).all()
    np.testing.assert_allclose(found.looseness[0], found.upper[0] / total, rtol=0.02)
    assert found.pictures()


def test_bounds_are_tight_for_straight_lines():
    """Both Stein bounds are equalities there; the Poincaré bound of a normal input is too."""
    found = derivative_measures(
        lambda x: x[0] + 2 * x[1] + x[2], {"a": stats.norm(), "b": stats.beta(2, 3), "c": stats.triang(0.3)}
    )
    np.testing.assert_allclose(found.lower[0], found.weighted_upper[0], rtol=0.02)
    assert found.upper[0, 0] == pytest.approx(found.lower[0, 0], rel=0.02)


def test_morris_screening():
    """Campolongo et al.: a linear function has equal effects; an idle input has none."""
    found = morris_screening(lambda x: 2 * x[0] - x[1] ** 2 + 0 * x[2], {"a": (0, 3), "b": (0, 1), "c": (0, 1)})
    assert found.size[0, 0] == pytest.approx(6.0) and found.spread[0, 0] == pytest.approx(0.0, abs=1e-9)
    assert abs(found.size[0, 1] - 1.0) < 3 * found.half_width[0, 1] + 0.05
    assert found.size[0, 2] == 0 and "Morris" in found.words
    assert found.to_frame()["input"].tolist() == ["a", "b", "c"] and len(found.pictures()) == 2


def nan_above(x):
    return jnp.where(x[0] > 0.5, jnp.nan, x[0])


FINE = {"a": (0, 1), "b": (0, 1)}
REFUSED = {
    "a word for a distribution": (lambda x: x[0], {"a": "uniform"}, {}, ProblemError, "input a: expected a pair"),
    "a discrete one": (lambda x: x[0], {"a": stats.poisson(3)}, {}, ProblemError, "continuous distribution"),
    "one without variance": (lambda x: x[0], {"a": stats.cauchy()}, {}, ProblemError, "standard deviation"),
    "bounds crossed": (lambda x: x[0], {"a": (2, 1)}, {}, ProblemError, "lower bound below the upper"),
    "none": (lambda x: x[0], {}, {}, ShapeError, "one distribution or more"),
    "NaN values": (nan_above, FINE, {}, DerivativeError, "at a = 0."),
    "a constant": (lambda x: 3.0 + 0 * x[0], FINE, {}, ProblemError, "vary over the ranges"),
    "no trace": (lambda x: float(x[0]), FINE, {}, DerivativeError, 'mode="values"'),
    "no function": (3, FINE, {}, ShapeError, "a function or a model"),
    "not definite": (lambda x: x[0], FINE, {"correlation": [[1, 1.2], [1.2, 1]]}, ProblemError, "positive definite"),
    "wrong size": (lambda x: x[0], FINE, {"correlation": np.eye(3)}, ShapeError, "2 × 2"),
    "no room": (lambda x: x[0], FINE, {"limits": [({"a": 1, "b": 1}, 3, None)]}, InfeasibleError, "3 ≤ a \\+ b"),
    "thin": (lambda x: x[0], FINE, {"limits": [({"a": 1, "b": 1}, 1.9999, None)]}, InfeasibleError, "1 in 1000"),
    "unknown in a limit": (lambda x: x[0], FINE, {"limits": [({"z": 1}, 0, 1)]}, ShapeError, "'z'"),
    "total out of reach": (lambda x: x[0], FINE, {"mixture": Mixture(("a", "b"), total=5)}, InfeasibleError, "= 5"),
    "unknown ingredient": (lambda x: x[0], FINE, {"mixture": ("a", "z")}, ProblemError, "none for z"),
    "no matrix": (lambda x: x[0], FINE, {"correlation": "high"}, ShapeError, "2 × 2"),
    "no tolerance": (lambda x: x[0], FINE, {"tolerance": 0.0}, ShapeError, "argument tolerance"),
    "method": (lambda x: x[0], FINE, {"method": "fast"}, ShapeError, "'fast'"),
    "chaos of tied": (lambda x: x[0], FINE, {"mixture": ("a", "b"), "method": "chaos"}, ProblemError, "tied"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused(case):
    function, laws, more, kind, words = REFUSED[case]
    with pytest.raises(LandformError, match=words) as caught:
        landform.global_sensitivity(function, laws, **more)
    assert isinstance(caught.value, kind)


def test_names_of_a_model_are_checked():
    model = Model(lambda x: x, (), inputs=("u", "v"), outputs=("a", "b"))
    with pytest.raises(ShapeError, match="none for v, one for w"):
        landform.global_sensitivity(model, {"u": (0, 1), "w": (0, 1)})
    with pytest.raises(ShapeError, match="2 distributions"):
        landform.global_sensitivity(model, [(0, 1)] * 3)


def test_too_small_a_budget_is_said():
    found = landform.global_sensitivity(g_function(A), [(0, 1)] * 8, budget=20, tolerance=1e-3)
    assert not found.reached and "budget" in found.words and "± inf" not in found.words


def test_values_alone_have_no_derivative_measures():
    with pytest.raises(DerivativeError, match="exact derivatives"):
        derivative_measures(lambda x: x[0], FINE, mode="values")
