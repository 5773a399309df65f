"""Functions of a point and further arguments, made one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from landform.backends.jax.context import double_precision
from landform.backends.jax.flat import Flat
from landform.errors import ShapeError


@lru_cache(maxsize=64)
def half_squared(function: Callable[..., Any]) -> Callable[..., jax.Array]:
    """Half the squared length of all that a function returns; the same object for the same function."""

    def half(x: Any, *args: Any) -> jax.Array:
        residuals = ravel_pytree(function(x, *args))[0]
        return 0.5 * residuals @ residuals

    return half


def joint_function(
    functions: Sequence[Callable[..., Any]],
    unflatten: Callable[[jax.Array], Any],
    n: int,
    args: tuple[Any, ...],
    extra: tuple[Any, ...] = (),
) -> tuple[np.ndarray, Flat]:
    """Several functions of a point and further arguments as one of a single vector; and these arguments as a vector.

    The first function takes ``extra`` before the arguments.
    """
    with double_precision():
        vector, restore = (np.zeros(0), lambda _: ()) if not jax.tree.leaves(args) else ravel_pytree(_doubled(args))

    def joint(z: jax.Array) -> jax.Array:
        x, rest = unflatten(z[:n]), restore(z[n:])
        outputs = [f(x, *(extra if i == 0 else ()), *rest) for i, f in enumerate(functions)]
        return jnp.concatenate([ravel_pytree(y)[0] for y in outputs])

    return np.asarray(vector, dtype=np.float64), joint


def _doubled(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments in double precision; whole numbers have no slope and are refused."""

    def double(leaf: Any) -> Any:
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise ShapeError(
                "args of floating-point numbers",
                got=f"dtype {jnp.result_type(leaf)}",
                remedy="convert them, for example with float(a), or close over what has no slope",
                where="argument args",
            )
        return jnp.asarray(leaf, dtype=jnp.float64)

    return jax.tree.map(double, args)
