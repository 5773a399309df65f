"""A function of parameters and data rows by its layers: outputs, features and slopes, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.frameworks import predictor_of
from landform.backends.layered import Rows
from landform.backends.protocol import Layered
from landform.derivatives.target import Target, make_target
from landform.errors import DerivativeError, ShapeError

_CHECKED = 8
"""Rows at which layers are held against the function itself."""
_WORK = 2**24
"""Bytes of slopes made at a time."""

Scores = Callable[[np.ndarray], np.ndarray]
"""From a block's outputs, shape (rows, …), to the directions of its slopes, shape (k, rows, m)."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """A function ``predict(parameters, *inputs)`` at its parameters, row by row. Made by `outputs_by_layers`.

    Parameters
    ----------
    target : Target
        The function of the parameters at the first rows.
    layered : Layered
        Its layers.
    parameters : tree of arrays
        The point.
    row_shape : tuple of int
        Shape of what one row gives.
    input_shapes : tuple of tuple of int
        Shape of one row of every input.
    work : int
        Bytes of slopes made at a time.
    """

    target: Target
    layered: Layered
    parameters: Any
    row_shape: tuple[int, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    work: int = _WORK

    @property
    def n(self) -> int:
        """Number of parameters."""
        return self.target.n

    @property
    def m(self) -> int:
        """Numbers that one row gives."""
        return int(np.prod(self.row_shape, dtype=int))

    @property
    def labels(self) -> list[str]:
        """Every array of parameters by its label."""
        return [label for label, _ in self.target.backend.leaves(self.parameters)]

    @property
    def sizes(self) -> list[int]:
        """Numbers in every array of parameters."""
        return [int(np.prod(shape, dtype=int)) for _, shape in self.target.backend.leaves(self.parameters)]

    def places(self, leaf: int) -> np.ndarray:
        """Where an array of parameters lies among them all."""
        start = sum(self.sizes[:leaf])
        return np.arange(start, start + self.sizes[leaf])

    def values(self, inputs: Sequence[Any]) -> np.ndarray:
        """The outputs of some rows, shape (rows, …)."""
        t = self.target
        with t.precision(), t.backend.explained():
            flat = t.backend.to_numpy(t.backend.value(t.flat, t.x, *inputs))
        return np.asarray(flat).reshape(-1, *self.row_shape)

    def chunk(self, directions: int) -> int:
        """How many rows are worked on at once."""
        numbers = sum(s.positions * (directions * s.places.shape[1] + 2 * len(s.places)) for s in self.layered.sites)
        numbers += directions * sum(self.sizes[k] for k in self.layered.rest)
        shared = [directions * s.places.size for s in self.layered.sites if s.positions > 1]
        numbers += 2 * max(shared, default=0)
        return int(np.clip(self.work // (2 * self.target.itemsize * max(numbers, 1)), 1, 1024))

    def last_layer(self) -> Outputs:
        """The same with slopes by the last layer's parameters alone.

        Raises
        ------
        ShapeError
            If there are no layers.
        """
        if not self.layered.sites:
            raise ShapeError(
                "a layer: parameters that multiply features",
                got="none that could be traced",
                remedy='take "full" or "diagonal"',
            )
        return replace(self, layered=self.layered.restricted([len(self.layered.sites) - 1]))

    def stream(self, inputs: Sequence[Any], scores: Scores | None, directions: int) -> Iterator[tuple[slice, Rows]]:
        """Blocks of rows, each with its place among the rows given.

        Without scores the slopes are those of every output. The last block begins early, so that one program serves.
        """
        rows = rows_in(inputs)
        chunk = min(self.chunk(directions), rows)
        for start in range(0, rows, chunk):
            first = min(start, rows - chunk)
            part = [v[first : first + chunk] for v in inputs]
            if scores is None:
                along = np.broadcast_to(np.eye(self.m)[:, None], (self.m, chunk, self.m))
            else:
                along = scores(self.values(part))
            t = self.target
            with t.precision(), t.backend.explained():
                found = self.layered.at(self.parameters, part, along)
            yield slice(start, first + chunk), _without(found, start - first)


def _without(rows: Rows, skip: int) -> Rows:
    """The rows but for the first few."""
    if not skip:
        return rows
    slopes = [one[:, skip:] for one in rows.slopes]
    rest = {k: one[:, skip:] for k, one in rows.rest.items()}
    return Rows(rows.outputs[skip:], [one[skip:] for one in rows.features], slopes, rest)


def rows_in(inputs: Sequence[Any]) -> int:
    """How many rows the inputs have.

    Raises
    ------
    ShapeError
        If they have none, or differ.
    """
    counts = {int(np.shape(v)[0]) if np.ndim(v) else 0 for v in inputs}
    if len(counts) != 1 or counts == {0}:
        raise ShapeError(
            "inputs that are arrays with the same number of rows along their first axis",
            got=", ".join(str(tuple(np.shape(v))) for v in inputs) or "none",
            remedy="stack the rows; a single one is x[None]",
            where="argument x",
        )
    return counts.pop()


def outputs_by_layers(predict: Callable[..., Any], parameters: Any, inputs: Sequence[Any]) -> Outputs:
    """Look a function of parameters and data rows over once.

    Parameters
    ----------
    predict : callable
        ``predict(parameters, *inputs)`` to one array, a row of outputs for every row of the inputs; or a PyTorch
        module.
    parameters : tree of arrays
        The point.
    inputs : sequence of arrays
        Some rows to look at it with.

    Raises
    ------
    ShapeError
        If it does not give a row for every row.
    DerivativeError
        If a row's outputs depend on other rows, or its derivatives by layers are not those of the function.
    """
    predict = predictor_of(predict) or predict
    for v in inputs:
        _refuse_not_finite(v)
    few = [v[:_CHECKED] for v in inputs]
    rows = rows_in(few)
    target = make_target(predict, parameters, args=few)
    backend = target.backend
    leaves = backend.output_leaves(target.flat, target.m)
    if len(leaves) != 1 or not leaves[0][1] or leaves[0][1][0] != rows:
        raise ShapeError(
            f"outputs in one array with {rows} rows, as the inputs have",
            got=", ".join(str(shape) for _, shape in leaves),
            remedy="return shape (rows, outputs)",
            where="the outputs",
        )
    point = backend.as_point(parameters)
    with target.precision(), backend.explained():
        layered = backend.layered(predict, point, few)
    shapes = tuple(tuple(np.shape(v)[1:]) for v in inputs)
    found = Outputs(target, layered, point, tuple(leaves[0][1][1:]), shapes)
    _refuse_other_derivatives(found, few, rows)
    return found


def _refuse_not_finite(rows: Any) -> None:
    array = np.asarray(rows.detach().cpu() if hasattr(rows, "detach") else rows)
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ShapeError(
            "finite inputs", got=f"NaN or infinity in row {row}", remedy="leave it out", where="argument x"
        )


def _refuse_other_derivatives(found: Outputs, inputs: Sequence[Any], rows: int) -> None:
    """Hold the layers against the function itself: outputs, and one random pull-back."""
    t, rng = found.target, np.random.default_rng(0)
    u = rng.standard_normal((rows, found.m))
    whole = replace(found, work=2**62)
    ((_, own),) = whole.stream(inputs, lambda y: u[None].astype(y.dtype), 1)
    values = found.values(inputs).reshape(rows, -1)
    slack = t.backend.rounding(t.x) ** 0.6
    if not np.allclose(own.outputs, values, rtol=slack, atol=slack * np.abs(values).max()):
        raise DerivativeError(
            "rows that do not depend on each other",
            got="outputs that change with the other rows of the batch",
            remedy="take batch normalization out of training mode, and give a function of rows",
            where="the outputs",
        )
    with t.precision():
        along = t.vector(u.ravel(), t.m, "output")
        truth = np.asarray(t.backend.to_numpy(t.backend.pullback(t.flat, t.x, along, *inputs)))
    gradient = _added_slopes(found, own)
    if not np.allclose(gradient, truth, rtol=slack, atol=slack * np.abs(truth).max()):
        raise DerivativeError(
            "derivatives by layers that are those of the function",
            got=f"a pull-back that is off by {np.abs(gradient - truth).max():.2g}",
            remedy="write derivative rules of your own with the framework's operations, or take them out",
            where="the outputs",
        )


def features_of(found: Outputs, rows: Rows, number: int) -> Float[np.ndarray, "rows positions d"]:
    """A site's features, one for the bias among them."""
    features = rows.features[number]
    if not found.layered.sites[number].with_bias:
        return features
    return np.concatenate([features, np.ones((*features.shape[:2], 1), features.dtype)], 2)


def gradients_of(found: Outputs, rows: Rows, number: int) -> Float[np.ndarray, "k rows d w"]:
    """Slopes by a site's weights, added over its positions."""
    features, slopes = features_of(found, rows, number), rows.slopes[number]
    if features.shape[1] == 1:
        return features[None, :, 0, :, None] * slopes[:, :, 0, None, :]
    return np.matmul(features.transpose(0, 2, 1)[None], slopes)


def _added_slopes(found: Outputs, rows: Rows) -> Float[np.ndarray, " n"]:
    """Slopes by every parameter, added over rows and directions, without those of single rows."""
    total = np.zeros(found.n)
    for number, site in enumerate(found.layered.sites):
        features = features_of(found, rows, number)
        total[site.places] = features.reshape(-1, features.shape[2]).T @ rows.slopes[number].sum(0).reshape(
            -1, site.places.shape[1]
        )
    for leaf, own in rows.rest.items():
        total[found.places(leaf)] = own.sum(axis=(0, 1))
    return total


def row_slopes(found: Outputs, rows: Rows) -> Float[np.ndarray, "k rows n"]:
    """Slopes by every parameter."""
    k = len(rows.slopes[0]) if rows.slopes else len(next(iter(rows.rest.values())))
    slopes = np.zeros((k, len(rows.outputs), found.n), rows.outputs.dtype)
    for number, site in enumerate(found.layered.sites):
        slopes[:, :, site.places.ravel()] = gradients_of(found, rows, number).reshape(k, len(rows.outputs), -1)
    for leaf, own in rows.rest.items():
        slopes[:, :, found.places(leaf)] = own
    return slopes
