"""Random compositions of operations: sparse and dense agree, whatever is put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import landform
from unit.derivatives.sparsity.programs import straight_through

WEIGHTS = np.random.default_rng(5).normal(size=(12, 12)) * (np.random.default_rng(6).random((12, 12)) < 0.3)

STEPS: dict[str, Callable[[Any], Any]] = {
    "sine": jnp.sin,
    "square": lambda x: x * x * 0.3,
    "roll": lambda x: x + jnp.roll(x, 1) * jnp.roll(x, -2),
    "reverse": lambda x: x[::-1],
    "halves": lambda x: jnp.concatenate([x[6:], x[:6] ** 2]),
    "gather": lambda x: x[np.array([3, 3, 0, 1, 2, 5, 4, 11, 9, 8, 7, 6])],
    "computed": lambda x: jnp.take(x, jnp.argsort(x)),
    "matrix": lambda x: jnp.tanh(WEIGHTS @ x),
    "rows": lambda x: (x.reshape(4, 3) - x.reshape(4, 3).mean(axis=1, keepdims=True)).ravel(),
    "columns": lambda x: (x.reshape(4, 3) * jnp.cos(x.reshape(4, 3).sum(axis=0))).ravel(),
    "product": lambda x: (x.reshape(3, 4).T @ x.reshape(3, 4))[:3].ravel() * 0.3,
    "cumulated": lambda x: jnp.cumsum(x) * 0.3,
    "segments": lambda x: jax.ops.segment_sum(x, np.arange(12) // 5, 12) + x,
    "where": lambda x: jnp.where(x > 0, x, 0.1 * x[0]),
    "loop": lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c * 0.5 + jnp.sin(x) * c[::-1], x),
    "branch": lambda x: jax.lax.cond(x[2] > 0, lambda a: a * 2, lambda a: jnp.roll(a, 3), x),
    "scan": lambda x: jax.lax.scan(lambda c, a: (0.5 * c + a, jnp.sin(c)), x[0], x)[1],
    "softmax": lambda x: jax.nn.softmax(x.reshape(3, 4), axis=0).ravel() * x,
    "written": lambda x: x.at[jnp.array([1, 5, 5])].add(x[:3] ** 2).at[np.array([0, 2])].set(x[4:6]),
    "padded": lambda x: jnp.pad(x[2:7], (3, 4)) + x,
    "rounded": straight_through,
    "root": lambda x: jnp.linalg.norm(x[:5]) + x,
}


def _composed(names: Sequence[str]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        for name in names:
            x = STEPS[name](x)
        return x[:10]

    return function


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=5), st.integers(0, 2**31))
def test_any_composition(names: list[str], seed: int) -> None:
    function = _composed(names)
    x = np.random.default_rng(seed).normal(size=12)
    prepared = landform.prepare(function, x, mode="sparse")
    again = x[::-1].copy()
    with jax.enable_x64(True):
        dense = np.asarray(jax.jit(jax.jacfwd(function))(again))
    scale = max(1.0, np.abs(dense).max())
    np.testing.assert_allclose(prepared.jacobian(again).toarray(), dense, rtol=0, atol=1e-11 * scale)
