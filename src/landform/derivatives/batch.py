"""Jacobians at many points at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from landform.backends.closed import Closed, values_and_slopes
from landform.backends.frameworks import backend_of
from landform.backends.model import Model
from landform.derivatives.plan import DEFAULT_MEMORY, memory_bytes, readable_bytes
from landform.derivatives.prepared_closed import closed_of
from landform.derivatives.target import Target, make_target, refuse_not_finite
from landform.errors import DerivativeError, ShapeError
from landform.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 1024


class Jacobians(Finding):
    """The Jacobian at every row of a batch of points. Made by ``jacobian(f, X, batched=True)``."""

    def __init__(
        self, target: Target, points: Any, *, memory: str | int = DEFAULT_MEMORY, closed: Closed | None = None
    ) -> None:
        self._target, self._points, self._memory, self._closed = target, points, memory, closed

    @property
    def shape(self) -> tuple[int, int, int]:
        """(rows, outputs, inputs)."""
        return len(self._points), self._target.m, self._target.n

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return self._target.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return self._target.outputs

    @property
    def chunk(self) -> int:
        """How many rows are worked on at once.

        Raises
        ------
        ShapeError
            If all matrices together do not fit the memory budget.
        """
        rows, m, n = self.shape
        one, budget = m * n * self._target.itemsize, memory_bytes(self._memory)
        if rows * one > budget:
            raise ShapeError(
                f"matrices within the memory budget of {readable_bytes(budget)}",
                got=f"{rows} of {readable_bytes(one)} each",
                remedy="pass fewer rows at a time, or raise memory=",
            )
        return int(np.clip((budget - rows * one) // (4 * one), 1, min(rows, _MOST_ROWS)))

    def explain(self) -> str:
        """Sizes, chunks and memory."""
        rows, m, n = self.shape
        size = readable_bytes(rows * m * n * self._target.itemsize)
        way = "one program" if self._closed is None else "the model's closed form"
        return f"{rows} Jacobians of {m} × {n}, {self.chunk} rows at a time by {way}, {size} in all"

    def _parts(self) -> Iterator[Any]:
        t, chunk = self._target, self.chunk
        for start in range(0, len(self._points), chunk):
            first = min(start, len(self._points) - chunk)  # the last chunk begins early: one program serves all
            points = self._points[first : first + chunk]
            with t.precision():
                if self._closed is None:
                    Y, part = t.backend.values_and_jacobians(t.flat, points, *t.args)
                else:
                    Y, part = values_and_slopes(self._closed, points, t.m)
                self._refuse_no_value(Y, first)
            yield part[start - first :]

    def _refuse_no_value(self, Y: Any, first: int) -> None:
        bad = self._target.backend.first_not_finite(Y)
        if bad is not None:
            (row, output), value, _ = bad
            raise DerivativeError(
                "a finite value at every point",
                got=f"{value} for {self._target.output_names[output]} in row {first + row}",
                remedy="leave the row out, or move it into the function's domain",
            )

    def dense(self) -> Any:
        """Every matrix, shape (rows, m, n).

        Raises
        ------
        ShapeError
            If they do not fit the memory budget.
        DerivativeError
            If an entry is NaN or infinite; the entry is named.
        """
        return self._dense

    @cached_property
    def _dense(self) -> Any:
        t, found, at = self._target, None, 0
        if t.native:
            found = t.backend.joined(list(self._parts()))
        else:
            found = np.empty(self.shape, t.x.dtype)
            for part in self._parts():
                found[at : at + len(part)] = part
                at += len(part)
        refuse_not_finite(t.backend, found, t.output_names, t.input_names, "Jacobian")
        return found

    def to_frame(self) -> pd.DataFrame:
        """The matrices one below the other: a row for every point and output, a column for every input."""
        import pandas as pd

        rows, m, n = self.shape
        index = pd.MultiIndex.from_product([range(rows), [f"d {name}" for name in self.outputs]], names=["row", None])
        columns = [f"/ d {name}" for name in self.inputs]
        return pd.DataFrame(
            self._target.backend.to_numpy(self.dense()).reshape(rows * m, n), index=index, columns=columns
        )


def jacobians(
    function: Callable[..., Any] | Model,
    X: Any,
    *,
    args: Sequence[Any] = (),
    memory: str | int = DEFAULT_MEMORY,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Jacobians:
    """The Jacobian at every row of X: an array, or a tree of arrays, with the points along the first axis.

    Raises
    ------
    ShapeError
        If there are no rows, or leaves of different numbers of rows.
    """
    backend = backend_of(function.function if isinstance(function, Model) else function, X)
    found = [leaf for leaf in backend.leaves_of(X) if leaf is not None]
    leaves = [leaf if hasattr(leaf, "shape") else np.asarray(leaf, dtype=np.float64) for leaf in found]
    if isinstance(X, (list, tuple)) and all(np.ndim(leaf) == 0 for leaf in leaves):
        X = np.asarray(X, dtype=np.float64)
        leaves = [X]
    counts = {leaf.shape[0] if leaf.ndim else 0 for leaf in leaves}
    if len(counts) != 1 or counts == {0} or any(leaf.ndim < 2 and leaf is X for leaf in leaves):
        raise ShapeError(
            "points as rows, along the first axis of every array",
            got=", ".join(str(tuple(leaf.shape)) for leaf in leaves),
            remedy="stack the points, or leave out batched=True for a single one",
            where="argument x",
        )
    rows = counts.pop()
    first = backend.map_leaves(lambda leaf: leaf[0], X)
    target = make_target(function, first, args=args, inputs=inputs, outputs=outputs)
    with target.precision():
        points = target.backend.rows_of(X, rows)
    points = points if target.native else np.asarray(points, target.x.dtype)
    return Jacobians(target, points, memory=memory, closed=closed_of(function, target, args))
