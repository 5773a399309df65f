"""The order of the inputs is a matter of naming: a sparse matrix turns with it and changes no entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import landform
from unit.derivatives.sparsity.programs import brusselator, straight_through

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "brusselator": brusselator,
    "straight through": lambda x: straight_through(3 * x[1:]) * x[:-1],
    "sorted rows": lambda x: jnp.sort(x.reshape(6, 3), axis=1).ravel() * x[0],
    "sums": lambda x: jnp.concatenate([jnp.cumsum(x[:5]), jnp.prod(x.reshape(6, 3), axis=1)]),
}
N = 18
X = np.random.default_rng(3).normal(size=N)


def turned(function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The same function of inputs in another order; ``place`` says where each of its own inputs stands."""
    return lambda z, place: function(z[place])


@pytest.mark.parametrize("mode", ["sparse", "colored"])
@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=4, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**31))
def test_the_order_of_inputs_turns_the_matrix(mode: Any, name: str, seed: int) -> None:
    function = FUNCTIONS[name]
    place = np.random.default_rng(seed).permutation(N)
    z = np.empty(N)
    z[place] = X
    straight = landform.jacobian(function, X, mode=mode).sparse()
    other = landform.jacobian(turned(function), z, args=(place,), mode=mode).sparse()
    np.testing.assert_allclose(other.toarray()[:, place], straight.toarray(), rtol=1e-12, atol=1e-13)
    assert other.nnz == straight.nnz


@pytest.mark.parametrize("mode", ["sparse", "colored"])
def test_straight_through_rounding_keeps_its_own_slope(mode: Any) -> None:
    """By hand: d(round(3 b) a) = round(3 b) da + 3 a db, whatever rounding's true slope is."""
    x = np.array([1.2, -0.7, 2.3])
    truth = np.array([[np.round(3 * x[1]), 3 * x[0], 0], [0, np.round(3 * x[2]), 3 * x[1]]])
    function = FUNCTIONS["straight through"]
    np.testing.assert_allclose(landform.jacobian(function, x, mode=mode).dense(), truth)
    curves = landform.hessian(function, x, weights=np.ones(2), mode=mode).dense()
    np.testing.assert_allclose(curves, [[0, 3, 0], [3, 0, 3], [0, 3, 0]])
