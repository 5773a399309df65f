"""A JAX function between vectors, recorded: what it computes is written down once, and every derivative reads that.

An operator therefore stands for the function as it was when the operator was made. The next one finds the record, and
all that was compiled from it, as long as nothing changed that the function reads (`state`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.flatten_util import ravel_pytree

from landform.backends.jax.record import with_own_numbers
from landform.backends.jax.state import state_of
from landform.backends.jax.tree import leaf_labels, leaves
from landform.errors import DerivativeError, ShapeError

Flat = Callable[..., jax.Array]
"""A function ``f(x, *args)`` from a vector to a vector."""

_KEPT = 256
_SETTINGS = ("enable_x64", "default_matmul_precision", "numpy_dtype_promotion", "default_prng_impl")
"""Of JAX, which a record depends on."""


class Recorded:
    """The function between vectors; for every kind of arguments what it computes is recorded at the first call.

    Parameters
    ----------
    function : callable
        Of the user's array or tree of arrays.
    unflatten : callable
        The way from a vector to it.
    """

    def __init__(self, function: Callable[..., Any], unflatten: Callable[[jax.Array], Any]) -> None:
        self._function, self._unflatten = function, unflatten
        self._records: dict[Any, ClosedJaxpr] = {}
        self._trees: dict[int, Any] = {}

    def __call__(self, x: jax.Array, *args: Any) -> jax.Array:
        """The outputs as one vector."""
        return jaxpr_as_fun(self.record(x, *args))(x, *jax.tree.leaves(args))[0]

    def record(self, x: jax.Array, *args: Any) -> ClosedJaxpr:
        """What it computes of arguments of this kind."""
        leaves, structure = jax.tree.flatten(args)
        kinds = jax.typeof(x), structure, *map(jax.typeof, leaves)
        if kinds not in self._records:
            self._records[kinds] = with_own_numbers(jax.make_jaxpr(self._outputs)(x, *args))
        return self._records[kinds]

    def anew(self, x: jax.Array, *args: Any) -> jax.Array:
        """The function itself, called once more, with whatever it reads now."""
        return self._outputs(x, *args)

    def tree(self, m: int) -> Any:
        """Shapes of the m outputs as the function gives them."""
        return self._trees.get(m)

    def _outputs(self, x: jax.Array, *args: Any) -> jax.Array:
        out = self._function(self._unflatten(x), *args)
        _refuse_other_outputs(out)
        vector, _ = ravel_pytree(out)
        self._trees[vector.size] = jax.eval_shape(lambda: out)
        return vector


def _refuse_other_outputs(out: Any) -> None:
    found = leaf_labels(out, "y")
    if not found or not all(hasattr(leaf, "dtype") or isinstance(leaf, (int, float)) for _, leaf in found):
        raise ShapeError(
            "a function that returns arrays",
            got=type(out).__name__,
            remedy="return a JAX array or a tree of them",
            where="the function's result",
        )
    for name, leaf in found:
        kind = jnp.result_type(leaf)
        if not jnp.issubdtype(kind, jnp.floating):
            raise DerivativeError(
                "real floating-point outputs",
                got=f"dtype {kind}" + (f" for {name}" if len(found) > 1 else ""),
                remedy="return floats: whole numbers have no slope",
                where="the function's result",
            )


_found: OrderedDict[Any, Recorded] = OrderedDict()


def flat_function(function: Callable[..., Any], unflatten: Callable[[jax.Array], Any]) -> Flat:
    """The function between flat vectors; the same object for the same state, so compiled code is found again."""
    state = state_of(function)
    if state is None:
        return Recorded(function, unflatten)
    key = (state, unflatten, *(getattr(jax.config, f"jax_{name}") for name in _SETTINGS))
    if key not in _found:
        _found[key] = Recorded(function, unflatten)
        if len(_found) > _KEPT:
            _found.popitem(last=False)
    _found.move_to_end(key)
    return _found[key]


def output_tree(f: Flat, m: int) -> Any:
    """Shapes of the m outputs of a flat function, as its own function gives them."""
    return f.tree(m) if isinstance(f, Recorded) else None


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
    (out,) = f.record(x, *args).out_avals if isinstance(f, Recorded) else (jax.eval_shape(f, x, *args),)
    if not out.shape[0]:
        raise ShapeError("a function with an output", got="none", remedy="return at least one number")
    return int(out.shape[0]), out.dtype


def evaluated_anew(f: Flat, x: jax.Array, *args: Any) -> jax.Array:
    """f(x) by the user's function itself."""
    return f.anew(x, *args) if isinstance(f, Recorded) else f(x, *args)


def work_bytes(f: Flat) -> int:
    """Not known before compilation."""
    del f
    return 0


def notes(f: Flat) -> tuple[str, ...]:
    """Nothing beyond the plan."""
    del f
    return ()
