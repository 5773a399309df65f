"""A verdict names the input that it comes from: derivatives that are wrong in one known place."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.derivatives.blame import blamed

X = np.array([0.7, 1.3, -0.4, 2.1, 0.9])
NAMES = [f"x{j}" for j in range(5)]


def quadratic(x):
    return x @ x + 3 * x[1] * x[3] + np.sin(x[0])


def exact(x):
    return 2 * x + 3 * np.array([0, x[3], 0, x[1], 0]) + np.array([np.cos(x[0]), 0, 0, 0, 0])


def curves(x):
    H = 2 * np.eye(5)
    H[1, 3] = H[3, 1] = 3
    H[0, 0] -= np.sin(x[0])
    return H


@pytest.mark.parametrize("j", range(5))
def test_a_wrong_slope(j):
    wrong = exact(X) + 0.01 * (np.arange(5) == j)
    found = landform.verify(quadratic, X, jacobian=wrong)
    assert not found.correct and found.words.endswith(f"step^2, by input 'x{j}'")


@pytest.mark.parametrize(("i", "j"), [(2, 2), (4, 4), (1, 3), (0, 4)])
def test_a_wrong_curve(i, j):
    H = curves(X)
    H[i, j] += 0.1
    H[j, i] = H[i, j]
    words = landform.verify(quadratic, X, jacobian=exact(X), hessian=H).words
    where = f", by input 'x{i}'" if i == j else f", by inputs 'x{i}' and 'x{j}' together"
    assert "a Hessian whose Taylor remainder" in words and words.endswith(where)


def test_right_ones_are_right():
    assert landform.verify(quadratic, X, jacobian=exact(X), hessian=curves(X)).words == "right"


def test_kinks_and_stopped_gradients():
    def bent(x):
        return jnp.stack([x @ x, jnp.abs(x[3] - 2.1) + x[0] ** 2])

    words = landform.verify(bent, X).words
    assert "a kink at the point in output 'y1'" in words and words.endswith("by input 'x3'")

    def stopped(x):
        return jnp.stack([x @ x, jax.lax.stop_gradient(x[2]) ** 2])

    words = landform.verify(stopped, X).words
    assert "something stops its gradient" in words and words.endswith("by input 'x2'")


def test_one_wrong_weight_among_many():
    n = 200
    x = np.linspace(-1.0, 1.0, n)
    slopes = np.cos(x)
    slopes[137] *= 1.05
    found = landform.verify(lambda z: np.sin(z).sum(), x, jacobian=slopes)
    assert found.words.endswith("by input 'x137'") and found.evaluations < 1000


def test_three_that_only_fail_together_are_not_named():
    assert blamed(lambda places: {0, 3, 6} <= set(places), 8) == ()
