"""Flatter or not: rescaled layers change nothing, a stretched bowl does; sums over curvatures against dense ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import DerivativeError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 4))
Y = np.sin(X @ RNG.standard_normal((4, 2)))
P = {"a": RNG.standard_normal((4, 8)), "b": RNG.standard_normal(8) / 3, "c": RNG.standard_normal((8, 2)) / 2}


def loss(p, X, y):
    return jnp.mean((jax.nn.relu(X @ p["a"] + p["b"]) @ p["c"] - y) ** 2)


def test_a_rescaled_network_is_no_flatter():
    """Dinh et al. (2017): the same function, its trace fifty times as large."""
    other = {"a": P["a"] / 10, "b": P["b"] / 10, "c": 10 * P["c"]}
    one, two = (landform.landscape(loss, p, (X, Y)) for p in (P, other))
    found = one.compare(two)
    assert found.flatter == "cannot tell"
    for measure in found.measures:
        if measure.fair:
            assert measure.first.value == pytest.approx(measure.second.value, rel=1e-6)
        else:
            assert measure.flatter == "first" and measure.second.value > 10 * measure.first.value
    assert "rescaled" in found.words and found.plot() is not None and len(found.to_frame()) == 4


def quadratic(stiffness):
    return lambda p, X: 0.5 * stiffness * jnp.mean((X @ (p["w"] - 1.0)) ** 2)


def test_a_flatter_bowl_is_found_and_twins_are_not_told_apart():
    p = {"w": np.ones((4, 3))}
    soft, hard = (landform.landscape(quadratic(k), p, (X,)) for k in (1.0, 3.0))
    assert soft.compare(hard).flatter == "first" and hard.compare(soft).flatter == "second"
    assert "first is flatter" in soft.compare(hard).words
    rise = soft.compare(hard, probes=400).measures[1].first
    truth = 0.5 * 0.05**2 * (X**2).sum(axis=1).mean()  # E v'Hv with v ~ reach · |w| · N(0, 1)
    assert rise.lower <= truth <= rise.upper
    found = [soft.compare(landform.landscape(quadratic(1.0), p, (X,)), probes=10, seed=k).flatter for k in range(20)]
    assert found.count("cannot tell") == 20  # the same moves on both sides


def test_twins_with_moves_of_their_own_are_rarely_told_apart():
    """Two places that are alike but for the order of parameters: a verdict in at most 5 % of seeds (all must agree)."""
    k = np.linspace(0.5, 2, 40)
    one, two = (landform.landscape(lambda x, s=s: 0.5 * jnp.sum(s * (x - 1) ** 2), np.ones(40)) for s in (k, k[::-1]))
    said = [one.compare(two, probes=20, seed=100 * s).flatter for s in range(100)]
    assert said.count("cannot tell") >= 95


BIG = RNG.standard_normal((400, 400))
BIG = BIG @ BIG.T / 400 + 0.1 * np.eye(400)
BOWL = landform.landscape(lambda x: 0.5 * x @ (BIG @ x), np.ones(400))
VALUES = np.linalg.eigvalsh(BIG)


def test_log_determinants():
    found = BOWL.logdet(0.5)
    assert found.estimate.lower <= np.log(VALUES + 0.5).sum() <= found.estimate.upper
    assert found.converged and not found.exact and "lowest met" in found.words and len(found.to_frame()) == 1
    H = np.diag([2.0, 3.0, 0.5])
    small = landform.landscape(lambda x: 0.5 * x @ (H @ x), np.ones(3)).logdet()
    assert small.exact and small.estimate.value == pytest.approx(np.log(3.0)) and "exactly" in small.words
    with pytest.raises(DerivativeError, match="a curvature of -2"):
        landform.landscape(lambda x: x[0] ** 2 - x[1] ** 2, np.zeros(2)).logdet(1.0)
    with pytest.raises(DerivativeError, match="raise shift"):
        BOWL.logdet(-1.0)


def test_directions_fixed_by_the_data():
    found = BOWL.effective_dimension(0.3, tolerance=0.05)
    assert found.estimate.lower <= (VALUES / (VALUES + 0.3)).sum() <= found.estimate.upper
    assert found.why == "as given" and found.plot() is not None and len(found.to_frame()) == 1
    saddle = landform.landscape(lambda x: x[0] ** 2 - x[1] ** 2, np.zeros(2)).effective_dimension(2.0)
    assert saddle.estimate.value == 0.5


def test_the_shift_by_evidence_is_that_of_the_posterior():
    """A linear model: Hessian and Gauss-Newton matrix are the same, and so are the two ways to count."""
    y = X @ np.array([[1.0], [0.5], [-1.0], [0.0]]) + 0.3 * RNG.standard_normal((50, 1))
    w = np.linalg.solve(X.T @ X + 0.1 * np.eye(4), X.T @ y)
    land = landform.landscape(lambda w, X, y: ((X @ w - y) ** 2).mean(), w, (X, y), predict=lambda w, X: X @ w)
    found, posterior = land.effective_dimension(), land.posterior("full")
    assert found.estimate.value == pytest.approx(posterior.effective.value, rel=1e-6)
    assert "by most evidence" in found.words

    def logistic(w, X, y):
        return jnp.mean(jnp.logaddexp(0, -y * (X @ w)))

    y = np.where(RNG.random(50) < 0.7, 1.0, -1.0)
    w = np.array([0.4, -0.2, 0.3, 0.1])
    assert "taken for" in landform.landscape(logistic, w, (X, y)).effective_dimension().words


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: BOWL.compare(3), "a landscape to compare with, got int"),
        (lambda: BOWL.compare(BOWL, probes=1), "three or more probes"),
        (lambda: BOWL.compare(BOWL, reach=-1.0), "a positive reach"),
        (lambda: BOWL.effective_dimension(-1.0), "a positive shift"),
        (lambda: BOWL.effective_dimension(), "a shift, for a loss without data"),
        (lambda: BOWL.logdet(np.nan), "a finite shift"),
        (lambda: BOWL.logdet(1.0, tolerance=0), "positive tolerance"),
    ],
)
def test_bad_input_is_one_sentence(make, words):
    with pytest.raises(ShapeError, match=words):
        make()
