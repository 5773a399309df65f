"""What is differentiated: a function with its point, its framework's precision and its names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from landform.backends.model import Model
from landform.errors import DerivativeError, ShapeError


@dataclass(frozen=True)
class Target:
    """A function between flat vectors at one point.

    Parameters
    ----------
    backend : module
        What the framework does: evaluate, push forward, pull back (`landform.backends.jax` shows what is asked of one).
    flat : callable
        ``flat(x, *args)`` from shape (n,) to shape (m,).
    x : array, shape (n,)
        The point.
    args : tuple
        What else the function takes, held fixed.
    m : int
        Number of outputs.
    itemsize : int
        Bytes of one number.
    inputs, outputs : tuple of str
        Names.
    native : bool
        Whether results stay arrays of the framework (the point was one) or become NumPy arrays.
    precision : callable
        Makes the context to work in.
    """

    backend: Any
    flat: Callable[..., Any]
    x: Any
    args: tuple[Any, ...]
    m: int
    itemsize: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    native: bool
    precision: Callable[[], AbstractContextManager[Any]]

    @property
    def n(self) -> int:
        """Number of inputs."""
        return len(self.inputs)

    def give(self, array: Any) -> Any:
        """The array as the caller expects it."""
        return array if self.native else np.asarray(array)

    def vector(self, v: Any, size: int, what: str) -> Any:
        """A direction of the right length.

        Raises
        ------
        ShapeError
            If it is not a vector of ``size`` numbers.
        """
        refuse_other_length(v, size, what)
        return np.asarray(v, dtype=self.x.dtype) if not self.native else v


def make_target(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Target:
    """Bring a function and a point into one form.

    Raises
    ------
    ShapeError
        If the point is not numeric, or the names do not fit the sizes.
    """
    import jax

    from landform.backends import jax as backend

    if isinstance(function, Model):
        model = function
        inputs, outputs = inputs or model.inputs, outputs or model.outputs
        function, args = model.function, (*model.args, *args)
    plain = isinstance(x, (list, tuple, float)) and all(isinstance(v, (int, float)) for v in jax.tree.leaves(x))
    if plain:
        x = np.asarray(x, dtype=np.float64)
    native = all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(x))
    with backend.precision_of(x):
        flat_x, unflatten = backend.flatten_point(x)
        flat = backend.flat_function(function, None if getattr(x, "ndim", 0) == 1 else unflatten)
        m, kind = backend.output_size(flat, flat_x, args)
        point = flat_x if native else np.asarray(flat_x)
    n = int(flat_x.size)
    return Target(
        backend,
        flat,
        point,
        tuple(args),
        m,
        kind.itemsize,
        _names(inputs or backend.tree_names(x, "x"), n, "x", "inputs"),
        _names(outputs or backend.tree_names(backend.output_tree(flat, m), "y"), m, "y", "outputs"),
        native,
        lambda: backend.precision_of(x),
    )


def _names(given: Sequence[str] | None, size: int, letter: str, what: str) -> tuple[str, ...]:
    if given is None:
        return (letter,) if size == 1 else tuple(f"{letter}{i}" for i in range(size))
    if len(given) != size:
        raise ShapeError(f"{size} names", got=f"{len(given)}", remedy="give one for each", where=f"argument {what}")
    return tuple(given)


def refuse_not_finite(matrix: Any, rows: Sequence[str], columns: Sequence[str], what: str) -> None:
    """Refuse NaN and infinity in a matrix of derivatives, by name.

    Raises
    ------
    DerivativeError
        Naming the first row and column concerned.
    """
    import jax

    if isinstance(matrix, jax.core.Tracer):
        return
    with np.errstate(all="ignore"):
        if np.isfinite(np.sum(np.asarray(matrix))):  # then every entry is
            return
    bad = np.argwhere(~np.isfinite(np.asarray(matrix)))
    if len(bad):
        i, j = bad[0][-2:]
        raise not_finite(f"a finite {what}", np.asarray(matrix)[tuple(bad[0])], rows[i], columns[j], len(bad))


def not_finite(expected: str, value: Any, row: str, column: str, count: int) -> DerivativeError:
    """The error that names the first of ``count`` entries that are not finite."""
    more = f" and {count - 1} more entries" if count > 1 else ""
    return DerivativeError(
        expected,
        got=f"{value} for d {row} / d {column}{more}",
        remedy="move the point away from where the function has a corner or leaves its domain",
    )


def refuse_other_length(v: Any, size: int, what: str) -> None:
    """Refuse a direction that is not a vector of ``size`` numbers.

    Raises
    ------
    ShapeError
    """
    if np.shape(v) != (size,):
        raise ShapeError(
            f"a vector of {size} numbers, one for each {what}", got=f"shape {np.shape(v)}", remedy="reshape it"
        )
