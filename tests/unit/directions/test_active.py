"""Active subspaces of functions whose answer is known: ridges, quadratic forms, linear inverse problems, a circuit."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import sympy
from scipy import stats
from scipy.linalg import subspace_angles
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor

import landform
from landform.errors import DerivativeError, ShapeError

RNG = np.random.default_rng(0)
CUBE = RNG.uniform(-1, 1, (200, 4))


def test_a_ridge_is_found_exactly():
    """f(a'x) moves along a alone."""
    a = np.array([0.5, -0.1, 0.7, 0.5]) / np.linalg.norm([0.5, -0.1, 0.7, 0.5])
    found = landform.active_subspace(lambda x: jnp.exp(jnp.asarray(a) @ x), CUBE, scale=None)
    assert (found.dimension, found.confidence) == (1, 1.0)
    np.testing.assert_allclose(found.loadings[:, 0], a, atol=1e-12)
    assert found.left_out < 1e-14
    assert found.distances[0] < 1e-12
    np.testing.assert_allclose(found.active_variables(CUBE)[:, 0], (CUBE - CUBE.mean(axis=0)) @ a, atol=1e-12)


def test_a_ridge_of_two_directions_in_units():
    """In z = x / unit: a plane, whatever the units."""
    unit = np.array([10.0, 0.1, 1.0, 3.0])
    A = np.array([[1.0, 2.0, 0.0, -1.0], [0.0, 1.0, -1.0, 0.5]])

    def f(x):
        u, v = jnp.asarray(A) @ (x / unit)
        return jnp.sin(u) + v**2

    found = landform.active_subspace(f, CUBE * unit, scale=unit)
    assert (found.dimension, found.confidence) == (2, 1.0)
    assert subspace_angles(A.T, found.loadings[:, :2]).max() < 1e-10


def test_a_quadratic_form():
    """Constantine (2015), sec. 1.2: f = x'Ax / 2 on the cube has E[∇f ∇f'] = A² / 3."""
    Q = np.linalg.qr(RNG.standard_normal((4, 4)))[0]
    A = Q @ np.diag([6.0, 1.0, 0.5, 0.2]) @ Q.T
    half = stats.qmc.Sobol(4, seed=1).random_base2(13) * 2 - 1
    found = landform.active_subspace(lambda x: 0.5 * x @ jnp.asarray(A) @ x, half, scale=None)
    np.testing.assert_allclose(found.eigenvalues, np.array([36.0, 1.0, 0.25, 0.04]) / 3, rtol=2e-3)
    assert found.dimension == 1
    assert subspace_angles(Q[:, :1], found.loadings[:, :1]).max() < 2e-3
    truth = 12.0 * Q[:, 0] ** 2  # activity scores: λ₁ w₁²
    np.testing.assert_allclose([s.value for s in found.scores], truth, atol=0.02)


def test_bootstrap_intervals_hold_the_eigenvalues():
    """95 % intervals of the leading eigenvalue of the quadratic form, over 150 sets of points."""
    A = np.diag([3.0, 1.0, 0.3])
    held = []
    for seed in range(150):
        X = np.random.default_rng(seed).uniform(-1, 1, (200, 3))
        found = landform.active_subspace(quadratic, X, scale=None, seed=seed, resamples=100)
        frame = found.eigenvalues_to_frame()
        held.append(frame["lower"][0] <= A[0, 0] ** 2 / 3 <= frame["upper"][0])
    assert 0.89 <= np.mean(held) <= 0.99  # percentile intervals of 100 resamples; standard error 0.018


def quadratic(x):
    return 0.5 * x @ (jnp.array([3.0, 1.0, 0.3]) * x)


OTL = {"Rb1": (50, 150), "Rb2": (25, 70), "Rf": (0.5, 3), "Rc1": (1.2, 2.5), "Rc2": (0.25, 1.2), "beta": (50, 300)}


def circuit(x):
    """Midpoint voltage of an output transformerless push-pull circuit (Ben-Ari and Steinberg 2007)."""
    b1, b2, f, c1, c2, beta = x
    vb1, gain = 12 * b2 / (b1 + b2), beta * (c2 + 9)
    return (vb1 + 0.74) * gain / (gain + f) + 11.35 * f / (gain + f) + 0.74 * f * gain / ((gain + f) * c1)


def test_the_circuit_against_quadrature():
    """Gauss-Legendre with 8 points each (262,144 in all) of SymPy's gradient, in half-ranges of the inputs."""
    names = sympy.symbols("b1 b2 f c1 c2 beta")
    gradient = sympy.lambdify(names, [sympy.diff(circuit(names), n) for n in names])
    low, high = np.array(list(OTL.values()), dtype=float).T
    nodes, weights = np.polynomial.legendre.leggauss(8)
    grid = np.stack(np.meshgrid(*[nodes] * 6, indexing="ij"), -1).reshape(-1, 6)
    weight = np.prod(np.stack(np.meshgrid(*[weights / 2] * 6, indexing="ij"), -1).reshape(-1, 6), axis=1)
    slopes = np.stack(gradient(*(((high + low) / 2 + grid * (high - low) / 2).T))).T * (high - low) / 2
    values, vectors = np.linalg.eigh((slopes * weight[:, None]).T @ slopes)
    ranges = {k: stats.uniform(a, b - a) for k, (a, b) in OTL.items()}
    found = landform.active_subspace(circuit, ranges, rows=4096, scale=(high - low) / 2, outputs=["Vm"])
    frame = found.eigenvalues_to_frame()
    assert np.all((frame["lower"] <= values[::-1]) & (values[::-1] <= frame["upper"]))
    assert found.eigenvalues[0] == pytest.approx(values[-1], rel=0.03)
    assert subspace_angles(vectors[:, -1:], found.loadings[:, :1]).max() < 0.02
    assert found.names == tuple(OTL)
    truth = values[-1] * vectors[:, -1] ** 2  # activity scores: λ₁ w₁² (Constantine and Diaz 2017)
    np.testing.assert_allclose([s.value for s in found.scores], truth, atol=0.03 * values[-1])
    assert found.words.startswith("Vm moves along 1 direction of 6 inputs")


def test_all_scores_are_mean_squared_slopes():
    """Constantine and Diaz (2017), eq. 22: with every direction taken in, the activity scores are E[(∂f/∂xᵢ)²]."""
    found = landform.active_subspace(quadratic, CUBE[:, :3], scale=None, dimension=3)
    truth = np.mean((CUBE[:, :3] * [3.0, 1.0, 0.3]) ** 2, axis=0)
    np.testing.assert_allclose([s.value for s in found.scores], truth, rtol=1e-10)
    assert np.isnan(found.confidence)


def test_several_outputs_share_a_subspace():
    def f(x):
        return jnp.stack([1000.0 * jnp.sin(x[0]), x[1] ** 2])

    shared = landform.active_subspace(f, CUBE, scale=None, outputs=["loud", "soft"])
    assert shared.dimension == 2
    assert np.abs(shared.loadings[2:, :2]).max() < 1e-12
    one = landform.active_subspace(f, CUBE, scale=None, output="soft", outputs=["loud", "soft"])
    assert one.outputs == ("soft",)
    np.testing.assert_allclose(one.loadings[:, 0], [0, 1, 0, 0], atol=1e-12)
    with pytest.raises(ShapeError, match="an output among loud, soft, got 'quiet'"):
        landform.active_subspace(f, CUBE, output="quiet", outputs=["loud", "soft"])


def test_likelihood_informed_directions_of_a_linear_problem():
    """Spantini et al. (2015): eigenvalues of S^½ G'Γ⁻¹G S^½, S the prior's covariance and Γ the noise's."""
    G, noise = RNG.standard_normal((3, 5)), np.array([0.5, 1.0, 2.0])
    X = RNG.multivariate_normal(np.zeros(5), np.diag([4.0, 1.0, 1.0, 0.25, 0.01]) + 0.005, size=400)
    found = landform.active_subspace(lambda x: jnp.asarray(G) @ x, X, scale="covariance", noise=noise)
    truth = np.linalg.eigvals(np.cov(X.T) @ (G.T / noise**2) @ G).real
    np.testing.assert_allclose(found.eigenvalues[:3], np.sort(truth)[::-1][:3], rtol=1e-9)
    informed = int(np.sum(truth > 1))
    assert f"tell more than the prior along {informed} of 5" in found.words


def test_ingredients_that_add_to_one():
    """On the ground that is there: t = d − 1 coordinates, and adding a multiple of the sum changes nothing."""
    X = RNG.dirichlet([4.0, 3.0, 2.0, 2.0], size=300)
    plain = landform.active_subspace(lambda x: jnp.exp(3 * x[0] - x[1]), X, scale="covariance")
    moved = landform.active_subspace(lambda x: jnp.exp(3 * x[0] - x[1]) * jnp.sum(x) ** 7, X, scale="covariance")
    assert len(plain.eigenvalues) == 3
    np.testing.assert_allclose(plain.eigenvalues, moved.eigenvalues, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(plain.scores[0].value, moved.scores[0].value, rtol=1e-7)


def test_values_alone_see_straight_and_even_dependence():
    """Directional regression on Gaussian inputs; sliced inverse regression would miss the square."""
    X = np.random.default_rng(5).standard_normal((3000, 5))
    a, b = np.array([1.0, 1.0, 0, 0, 0]) / 2**0.5, np.array([0, 0, 1.0, -1.0, 0]) / 2**0.5
    y = 2 * (X @ a) + (X @ b) ** 2 + 0.1 * np.random.default_rng(6).standard_normal(3000)
    found = landform.active_subspace(y, X)
    assert found.method == "slices"
    assert found.dimension == 2
    assert np.degrees(subspace_angles(np.stack([a, b]).T, found.loadings[:, :2]).max()) < 8
    nothing = landform.active_subspace(np.random.default_rng(7).standard_normal(3000), X)
    assert "no dependence was found" in nothing.words


def test_a_fitted_process_and_a_forest():
    X = pd.DataFrame(RNG.uniform(-1, 1, (60, 3)), columns=["salt", "sugar", "acid"])
    y = np.sin(X["salt"] + 2 * X["sugar"])
    model = landform.from_sklearn(GaussianProcessRegressor().fit(X, y), X)
    found = landform.active_subspace(model, X)
    assert found.names == ("salt", "sugar", "acid")
    assert np.abs(found.loadings[2, 0]) < 0.05
    forest = RandomForestRegressor(20, random_state=0).fit(X.to_numpy(), y)
    values = landform.active_subspace(forest.predict(X.to_numpy()), X)
    assert abs(values.loadings[:, 0] @ found.loadings[:, 0]) > 0.9 * np.linalg.norm(values.loadings[:, 0])


def test_a_black_box():
    def box(x):
        return np.array([float(np.exp(0.6 * x[0] - 0.8 * x[2]))])

    with pytest.raises(DerivativeError, match='mode="numeric"'):
        landform.active_subspace(box, CUBE[:20])
    found = landform.active_subspace(box, CUBE[:20], mode="numeric", scale=None)
    np.testing.assert_allclose(np.abs(found.loadings[:, 0]), [0.6, 0, 0.8, 0], atol=1e-8)


def test_seeds_repeat():
    one, same, other = (landform.active_subspace(quadratic, CUBE[:, :3], seed=s).resampled.draws for s in (3, 3, 4))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


REFUSED = [
    (lambda: landform.active_subspace(lambda x: 0.0 * x[0], CUBE), DerivativeError, "slopes of zero at every point"),
    (lambda: landform.active_subspace(lambda x: jnp.sqrt(x[0]), np.eye(3)), DerivativeError, "along x0 at row 1"),
    (lambda: landform.active_subspace(quadratic, np.ones((9, 3))), ShapeError, "a constant input x0"),
    (lambda: landform.active_subspace(quadratic, CUBE[:, :3], scale=[1, 2]), ShapeError, "3 positive numbers"),
    (lambda: landform.active_subspace(quadratic, CUBE[:, :3], scale="wide"), ShapeError, "got 'wide'"),
    (
        lambda: landform.active_subspace(quadratic, CUBE[:, :3], dimension=4),
        ShapeError,
        "from 1 to 3, got 4",
    ),
    (lambda: landform.active_subspace(quadratic, CUBE[:, :3], noise=-1.0), ShapeError, "positive standard deviations"),
    (lambda: landform.active_subspace(quadratic, CUBE[:1, :3]), ShapeError, "two points or more"),
    (lambda: landform.active_subspace(CUBE[:5, 0], CUBE), ShapeError, "one measured value for each of 200 rows"),
    (lambda: landform.active_subspace(["a"] * 200, CUBE), ShapeError, "numbers measured at the rows of X"),
    (lambda: landform.active_subspace(CUBE[:, 0], CUBE, method="gradients"), DerivativeError, "measured values"),
    (lambda: landform.active_subspace(quadratic, CUBE[:, :3], resamples=3), ShapeError, "argument resamples"),
    (lambda: landform.active_subspace(quadratic, CUBE[:, :3], method="magic"), ShapeError, "got 'magic'"),
]


@pytest.mark.parametrize(("call", "error", "said"), REFUSED)
def test_refusals(call, error, said):
    with pytest.raises(error, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_range_is_a_uniform_distribution():
    def f(x):
        return jnp.exp(0.6 * x[0] - 0.2 * x[1])[None]

    ranges = landform.active_subspace(f, {"a": (-1.0, 2.0), "b": (0, 5)})
    drawn = landform.active_subspace(f, {"a": stats.uniform(-1, 3), "b": stats.uniform(0, 5)})
    np.testing.assert_array_equal(ranges.loadings, drawn.loadings)
    for pair in ((2.0, 1.0), (1.0,), (0.0, np.inf), ("low", "high")):
        with pytest.raises(ShapeError, match=r"a pair \(low, high\) of numbers for a, got"):
            landform.active_subspace(f, {"a": pair, "b": (0, 1)})
