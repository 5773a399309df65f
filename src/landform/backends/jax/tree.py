"""Points of JAX: arrays, or trees of them, as one vector and back, and results as NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from landform.backends.jax.context import double_precision
from landform.errors import ShapeError


def map_leaves(change: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with every leaf changed."""
    return jax.tree.map(change, tree)


def leaves_of(tree: Any) -> list[Any]:
    """The leaves of a tree, None among them, in the order in which points are flattened."""
    return jax.tree.leaves(tree, is_leaf=lambda leaf: leaf is None)


def leaf_names(tree: Any, prefix: str) -> list[str]:
    """A name for every number in a tree, in the order in which points are flattened: ``args[0]["rate"][2]``."""
    names = []
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        root = prefix + jax.tree_util.keystr(path)
        names += [root + "".join(f"[{i}]" for i in place) for place in np.ndindex(np.shape(leaf))]
    return names


def as_point(x: Any) -> Any:
    """Plain numbers as an array in double precision, anything else as it is."""
    plain = isinstance(x, (list, tuple, float)) and all(isinstance(v, (int, float)) for v in jax.tree.leaves(x))
    return np.asarray(x, dtype=np.float64) if plain else x


def as_double(x: Any) -> Any:
    """The point in double precision, in its own form; whole numbers are numbers."""

    def double(leaf: Any) -> Any:
        array = np.asarray(leaf)
        real = array.dtype.kind in "fiu" or np.issubdtype(array.dtype, np.floating)
        return array.astype(np.float64) if real or np.isscalar(leaf) else leaf

    return map_leaves(double, x if not isinstance(x, (list, tuple)) or np.ndim(x[0]) else np.asarray(x))


def shaped(unflatten: Callable[[Any], Any], x: Float[np.ndarray, " n"], like: Any) -> Any:
    """A vector in the form of the point, as NumPy arrays in double precision."""
    del like
    with double_precision():
        return map_leaves(np.asarray, unflatten(x))


def is_native(x: Any) -> bool:
    """Whether the point is made of JAX arrays, so that results stay such."""
    return all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(x))


def leaves(x: Any, letter: str = "x") -> list[tuple[str, tuple[int, ...]]]:
    """Label and shape of every array in the point."""
    return [(label, np.shape(leaf)) for label, leaf in leaf_labels(x, letter)]


def leaf_labels(x: Any, letter: str) -> list[tuple[str, Any]]:
    """Every leaf with its label."""
    found, _ = jax.tree_util.tree_flatten_with_path(x)
    return [(_label(path, letter), leaf) for path, leaf in found]


def _label(path: Sequence[Any], letter: str) -> str:
    """A leaf's name as Python would index it.

    Examples
    --------
    >>> [_label(path, "x") for path, _ in jax.tree_util.tree_flatten_with_path({"a": [1, {"b": 2}]})[0]]
    ['a[0]', 'a[1].b']
    """
    words = ""
    for step in path:
        if isinstance(step, jax.tree_util.SequenceKey):
            words += f"{'' if words else letter}[{step.idx}]"
        else:
            words += f"{'.' if words else ''}{getattr(step, 'key', getattr(step, 'name', step))}"
    return words or letter


def _unchanged(x: jax.Array) -> jax.Array:
    return x


def flatten_point(x: Any) -> tuple[jax.Array, Callable[[jax.Array], Any]]:
    """The point as one vector, and the way back to its own shape; the same one for all vectors.

    Raises
    ------
    ShapeError
        If a leaf is not a real floating-point number, or is not finite, or there is none.
    """
    leaves = jax.tree.leaves(x)
    if not sum(np.size(leaf) for leaf in leaves):
        raise ShapeError("a point with at least one number", got=repr(x), remedy="pass an array or a tree of arrays")
    for leaf in leaves:
        try:
            kind = jnp.result_type(leaf)
        except TypeError:
            kind = np.asarray(leaf).dtype
        real = jnp.issubdtype(kind, jnp.floating)
        if not real or kind.itemsize > 8:
            raise ShapeError(
                "a point of real floating-point numbers" + " of at most 64 bits" * real,
                got=f"dtype {kind}",
                remedy="convert it, for example with x.astype(float)",
                where="argument x",
            )
        if not isinstance(leaf, jax.core.Tracer) and not np.all(np.isfinite(np.asarray(leaf))):
            raise ShapeError("finite numbers", got="NaN or inf", remedy="clean the point", where="argument x")
    vector, unflatten = ravel_pytree(x)
    return vector, _unchanged if getattr(x, "ndim", 0) == 1 else unflatten


def rows_of(X: Any, rows: int) -> jax.Array:
    """A batch of points, each as one vector, from a tree with the points along the first axis.

    Raises
    ------
    ShapeError
        If a number is not finite.
    """
    for leaf in jax.tree.leaves(X):
        if not isinstance(leaf, jax.core.Tracer) and not np.all(np.isfinite(np.asarray(leaf))):
            raise ShapeError("finite numbers", got="NaN or inf", remedy="clean the points", where="argument x")
    return jnp.concatenate([jnp.reshape(leaf, (rows, -1)) for leaf in jax.tree.leaves(X)], axis=1)


def joined(parts: Sequence[jax.Array]) -> jax.Array:
    """Arrays one below the other."""
    return jnp.concatenate(parts)


def vector(v: Any, like: Any) -> Any:
    """A vector as it is if it is JAX's, else NumPy's in the precision of ``like``."""
    return v if isinstance(v, jax.Array) and isinstance(like, jax.Array) else np.asarray(v, dtype=like.dtype)


def rows(X: Float[np.ndarray, "rows n"], like: Any) -> Float[np.ndarray, "more n"]:
    """X with its last row repeated up to a power of two, so that one compiled program serves many sizes.

    Examples
    --------
    >>> rows(np.ones((20, 2)), np.ones(2)).shape, rows(np.ones((33, 2)), np.ones(2)).shape
    ((32, 2), (64, 2))
    """
    X = np.asarray(X, dtype=like.dtype)
    count = max(32, 1 << (len(X) - 1).bit_length()) if len(X) else 0
    return np.concatenate([X, np.repeat(X[-1:], count - len(X), axis=0)])


def to_numpy(array: Any) -> np.ndarray:
    """The array as NumPy's."""
    return np.asarray(array)


def in_form_of(array: Any, point: Any) -> np.ndarray:
    """NumPy, which is what solvers take."""
    del point
    return np.asarray(array)


def rounding(x: Any) -> float:
    """The relative spacing of numbers as precise as x."""
    return float(jnp.finfo(x.dtype).eps)


def first_not_finite(matrix: Any) -> tuple[tuple[int, ...], float, int] | None:
    """Place and value of the first NaN or infinity, and how many there are; nothing is known while tracing."""
    if isinstance(matrix, jax.core.Tracer):
        return None
    matrix = np.asarray(matrix)
    if matrix.dtype.kind == "f":
        every = matrix.ravel(order="K")
        if isfinite(np.vdot(every, every)):  # one product tells in most cases that all is finite
            return None
    finite = np.isfinite(matrix)
    if finite.all():
        return None
    bad = np.argwhere(~finite)
    return tuple(bad[0].tolist()), matrix[tuple(bad[0])], len(bad)
