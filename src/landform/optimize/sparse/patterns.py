"""Matrices whose places of entries never change: their sum and their stack, without sorting anew."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

Array = np.ndarray


def compressed(matrix: csr_array | Array) -> csr_array:
    """The matrix in compressed rows; of an array every entry is kept, so that its places stay the same.

    Examples
    --------
    >>> compressed(np.eye(2)).nnz
    4
    """
    if not isinstance(matrix, np.ndarray):
        return matrix
    m, n = matrix.shape
    return csr_array((matrix.ravel(), np.tile(np.arange(n), m), n * np.arange(m + 1)), shape=(m, n))


def entries(matrix: csr_array | Array) -> Float[Array, " k"]:
    """The values of `compressed`, in its order."""
    return matrix.ravel() if isinstance(matrix, np.ndarray) else matrix.data


def places(matrix: csr_array) -> tuple[Int[Array, " k"], Int[Array, " k"]]:
    """Row and column of every entry that is kept, zeros too."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices.astype(np.int64)


class Sum:
    """The sum of matrices of one shape, from their values alone.

    Parameters
    ----------
    parts : sequence of csr_array
        One of each, for its places.

    Examples
    --------
    >>> both = Sum([csr_array(np.eye(2)), csr_array(np.ones((2, 2)))])
    >>> both(np.array([1.0, 2.0]), np.ones(4)).toarray().tolist()
    [[2.0, 1.0], [1.0, 3.0]]
    """

    def __init__(self, parts: Sequence[csr_array]) -> None:
        self.shape = parts[0].shape
        keys = [row * self.shape[1] + column for row, column in map(places, parts)]
        union = np.unique(np.concatenate(keys))
        self._at = [np.searchsorted(union, key) for key in keys]
        rows, self.indices = union // self.shape[1], (union % self.shape[1]).astype(np.int32)
        self.indptr = np.searchsorted(rows, np.arange(self.shape[0] + 1)).astype(np.int32)

    @cached_property
    def triangle(self) -> tuple[Int[Array, " k"], Int[Array, " k"], Int[Array, " k"]]:
        """Of the lower half: place among the values, row, column."""
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        kept = np.flatnonzero(rows >= self.indices)
        return kept, rows[kept], self.indices[kept].astype(np.int64)

    def data(self, *values: Float[Array, " k"] | None) -> Float[Array, " nnz"]:
        """The values of the sum; None for a part that is zero."""
        total = np.zeros(len(self.indices))
        for at, own in zip(self._at, values, strict=True):
            if own is not None:
                total[at] += own
        return total

    def __call__(self, *values: Float[Array, " k"] | None) -> csr_array:
        """The sum as a matrix."""
        return csr_array((self.data(*values), self.indices, self.indptr), shape=self.shape)


def scaled(matrix: csr_array, rows: Float[Array, " m"] | None, columns: Float[Array, " n"]) -> csr_array:
    """The matrix, rows and columns multiplied.

    Examples
    --------
    >>> scaled(csr_array(np.eye(2)), np.array([2.0, 3.0]), np.array([1.0, 10.0])).toarray().tolist()
    [[2.0, 0.0], [0.0, 30.0]]
    """
    data = matrix.data * columns[matrix.indices]
    if rows is not None:
        data = data * np.repeat(rows, np.diff(matrix.indptr))
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def stacked(parts: Sequence[csr_array]) -> csr_array:
    """Matrices one above the other, their entries in the same order.

    Examples
    --------
    >>> stacked([csr_array(np.eye(2)), csr_array(np.ones((1, 2)))]).toarray().tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    starts = np.cumsum([0, *(part.nnz for part in parts)])
    pointers = [part.indptr[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
    return csr_array(
        (
            np.concatenate([part.data for part in parts]),
            np.concatenate([part.indices for part in parts]),
            np.concatenate([[0], *pointers]),
        ),
        shape=(sum(part.shape[0] for part in parts), parts[0].shape[1]),
    )


def largest_in_rows(matrix: csr_array) -> Float[Array, " m"]:
    """The largest absolute entry of every row.

    Examples
    --------
    >>> largest_in_rows(csr_array(np.array([[1.0, -3.0], [0.0, 0.0]])))
    array([3., 0.])
    """
    found = np.zeros(matrix.shape[0])
    filled = np.diff(matrix.indptr) > 0
    if filled.any():
        found[filled] = np.maximum.reduceat(np.abs(matrix.data), matrix.indptr[:-1][filled])
    return found


_SUMS: list[tuple[tuple[Array, ...], Sum]] = []


def sum_of(parts: Sequence[csr_array]) -> Sum:
    """The sum of these matrices; made once for matrices that share their index arrays with earlier ones."""
    keys = tuple(array for part in parts for array in (part.indices, part.indptr))
    for known, made in _SUMS:
        if len(known) == len(keys) and all(a is b for a, b in zip(known, keys, strict=True)):
            return made
    _SUMS.append((keys, Sum(parts)))
    del _SUMS[:-8]
    return _SUMS[-1][1]
