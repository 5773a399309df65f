"""A pattern's values as compiled functions of the point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.derivatives.matrix_program import sharing_matrix
from landform.derivatives.sparse.assemble import (
    Kinds,
    Pattern,
    added,
    added_in_layers,
    end_to_end,
    gathered,
    held,
    layers_of,
    with_known,
)
from landform.derivatives.sparse.recycled import Recycled
from landform.derivatives.sparse.runs import Run, in_turn, runs_of
from landform.derivatives.sparse.slopes import Terms

Slopes = Callable[..., tuple[Any, Sequence[Any]]]
"""From the point, constants and further arguments to the value and every term's slopes."""


class Placed:
    """The values in the order of one pattern.

    Parameters
    ----------
    slopes : callable
        What the values are taken from.
    pattern : Pattern
        Where they go.
    terms, single
        The terms without their slopes, and which are one number.
    shape : tuple of int
        Of the matrix.
    dtype : dtype
        Of the values.
    is_sorted : bool
        Whether the columns of every row are sorted.
    staged : bool
        Whether slopes and their order are two programs. Where arrays of several axes meet the flat values, XLA's one
        loop over both may take ten times as long, as memory happens to lie; of flat arrays one program is faster.
    """

    def __init__(
        self,
        slopes: Slopes,
        pattern: Pattern,
        terms: Terms,
        single: Kinds,
        shape: tuple[int, int],
        dtype: Any,
        *,
        is_sorted: bool,
        staged: bool,
    ) -> None:
        self.pattern, self._dtype, self._sorted = pattern, dtype, is_sorted
        self._slopes: Slopes = _passed if staged else slopes
        self._before = jax.jit(slopes) if staged else _passed
        self._before_data = jax.jit(lambda *at: (None, slopes(*at)[1])) if staged else _passed
        self._terms, self._single, self._shape = terms, single, shape

    @cached_property
    def runs(self) -> tuple[Run, ...] | None:
        """The values as few runs of slopes that take turns, where they are that."""
        p = self.pattern
        if p.target is not None or not p.nnz:
            return None
        return runs_of(p.source, p.indptr, np.concatenate([[0], np.cumsum(self._sizes)]), self._single)

    @cached_property
    def _where(self) -> tuple[Any, Any]:
        """The places of the slopes, handed in so that they are not compiled into the program; none where they run."""
        p = self.pattern
        if self.runs is not None:
            return None, None
        layers = layers_of(p, sum(self._sizes)) if p.nnz else None
        with jax.ensure_compile_time_eval():  # kept for other calls, so never a number of a traced function
            if layers is not None:
                return jnp.asarray(layers), None
            return jnp.asarray(p.source), None if p.target is None else jnp.asarray(p.target)

    @property
    def _sizes(self) -> list[int]:
        """Slopes of every term."""
        return [1 if one else t.cols.size for t, one in zip(self._terms, self._single, strict=True)]

    def _in_order(self, vals: Sequence[Any], where: tuple[Any, Any], *, whole: bool = False) -> Any:
        """From slopes to values; ``whole``: with what rounds a single run up to whole rows."""
        vals, (source, target), p = held(with_known(vals, self._terms)), where, self.pattern
        if self.runs is not None:
            pieces = [part for run in self.runs for part in in_turn(vals, run, self._dtype, whole=whole)]
            return jnp.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        line = jax.lax.optimization_barrier(end_to_end(vals, self._dtype))
        if target is not None:
            return added(line, source, target, p.nnz, p.weight)
        return gathered(line, source) if source.ndim == 1 else added_in_layers(line, source, p.weight)

    @cached_property
    def _compiled(self) -> tuple[Any, Any]:
        def data(where: tuple[Any, Any], *at: Any) -> Any:
            return self._in_order(self._slopes(*at)[1], where)

        def both(where: tuple[Any, Any], *at: Any) -> tuple[Any, Any]:
            y, vals = self._slopes(*at)
            return y, self._in_order(vals, where)

        return jax.jit(data), jax.jit(both)

    def data(self, *at: Any) -> Any:
        """The values, an array of JAX."""
        return self._compiled[0](self._where, *self._before_data(*at))

    def value_and_data(self, *at: Any) -> tuple[Any, Any]:
        """The function and the values, arrays of JAX."""
        y, data = self._compiled[1](self._where, *self._before(*at))
        return y, data

    @cached_property
    def _whole(self) -> int:
        """Values of the one run in whole rows; minus one where there are more runs, or none."""
        if self.runs is None or len(self.runs) > 1:
            return -1
        phases = len(self.runs[0].phases)
        return -(-self.runs[0].size // phases) * phases

    @cached_property
    def _recycled(self) -> tuple[Recycled, Recycled]:
        whole, size = self._whole >= 0, max(self._whole, self.pattern.nnz)

        def data(where: tuple[Any, Any], *at: Any) -> tuple[Any, Any]:
            return None, self._in_order(self._slopes(*at)[1], where, whole=whole)

        def both(where: tuple[Any, Any], *at: Any) -> tuple[Any, Any]:
            y, vals = self._slopes(*at)
            return y, self._in_order(vals, where, whole=whole)

        return Recycled(data, size, self._dtype), Recycled(both, size, self._dtype)

    def host_data(self, *at: Any) -> np.ndarray:
        """The values as a NumPy array."""
        return self._recycled[0](self._where, *self._before_data(*at))[1][: self.pattern.nnz]

    def value_and_host_data(self, *at: Any) -> tuple[Any, np.ndarray]:
        """The function, and the values as a NumPy array."""
        y, data = self._recycled[1](self._where, *self._before(*at))
        return y, data[: self.pattern.nnz]

    @cached_property
    def matrix(self) -> Callable[[Any], Any]:
        """From values to a `scipy.sparse.csr_array`, which shares its index arrays with every other one."""
        return sharing_matrix(self.pattern, self._shape, self._dtype, is_sorted=self._sorted)


def _passed(*at: Any) -> Any:
    return at
