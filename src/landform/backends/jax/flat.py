"""A JAX function between vectors; what it gave before is kept by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from landform.backends.jax.tree import leaves
from landform.errors import DerivativeError, ShapeError

Flat = Callable[..., jax.Array]
"""A function ``f(x, *args)`` from a vector to a vector."""


@lru_cache(maxsize=256)
def flat_function(function: Callable[..., Any], unflatten: Callable[[jax.Array], Any]) -> Flat:
    """The function between flat vectors; the same object for the same pair, so compiled code is found again."""

    def flat(x: jax.Array, *args: Any) -> jax.Array:
        out = function(unflatten(x), *args)
        leaves = jax.tree.leaves(out)
        if not leaves or not all(hasattr(leaf, "dtype") or isinstance(leaf, (int, float)) for leaf in leaves):
            raise ShapeError(
                "a function that returns arrays",
                got=f"{type(out).__name__}",
                remedy="return a JAX array or a tree of them",
            )
        vector, _ = ravel_pytree(out)
        _output_trees.setdefault(flat, {})[vector.size] = jax.eval_shape(lambda: out)
        return vector

    return flat


_output_trees: WeakKeyDictionary[Flat, dict[int, Any]] = WeakKeyDictionary()
"""What a flat function gave before it was made flat, by its number of outputs: noted whenever it is traced."""


def output_tree(f: Flat, m: int) -> Any:
    """Shapes of the m outputs of a flat function, as its own function gives them."""
    return _output_trees.get(f, {}).get(m)


def output_leaves(f: Flat, m: int) -> list[tuple[str, tuple[int, ...]]]:
    """Label and shape of every array among the m outputs."""
    tree = output_tree(f, m)
    return [("y", (m,))] if tree is None or not getattr(tree, "shape", (m,)) else leaves(tree, "y")


def output_size(f: Flat, x: jax.Array, args: Sequence[Any]) -> tuple[int, Any]:
    """Number of outputs and their dtype, by tracing alone.

    Raises
    ------
    DerivativeError
        If the outputs are not real floating-point numbers, so that no derivative exists.
    """
    out = jax.eval_shape(f, x, *args)
    if not jnp.issubdtype(out.dtype, jnp.floating):
        raise DerivativeError(
            "real floating-point outputs",
            got=f"dtype {out.dtype}",
            remedy="return floats: whole numbers have no slope",
        )
    if not out.shape[0]:
        raise ShapeError("a function with an output", got="none", remedy="return at least one number")
    return int(out.shape[0]), out.dtype


def work_bytes(f: Flat) -> int:
    """Not known before compilation."""
    del f
    return 0


def notes(f: Flat) -> tuple[str, ...]:
    """Nothing beyond the plan."""
    del f
    return ()
