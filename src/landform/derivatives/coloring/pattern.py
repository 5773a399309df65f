"""A sparsity pattern in whatever form it is given."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from landform.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Structure:
    """Where a matrix can differ from zero, in compressed rows. Made by `make_structure`.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns).
    indptr, columns : array of int
        As in `scipy.sparse.csr_array`; columns sorted within a row, none twice.
    """

    shape: tuple[int, int]
    indptr: Int[np.ndarray, " rows1"]
    columns: Int[np.ndarray, " entries"]

    @cached_property
    def rows(self) -> Int[np.ndarray, " entries"]:
        """Row of every entry."""
        return np.repeat(np.arange(self.shape[0], dtype=self.columns.dtype), np.diff(self.indptr))

    @cached_property
    def in_rows(self) -> Int[np.ndarray, " m"]:
        """Entries of every row."""
        return np.diff(self.indptr)

    @cached_property
    def in_columns(self) -> Int[np.ndarray, " n"]:
        """Entries of every column."""
        return np.bincount(self.columns, minlength=self.shape[1])

    @property
    def indices(self) -> Int[np.ndarray, " entries"]:
        """Column of every entry, by SciPy's name."""
        return self.columns

    @property
    def nnz(self) -> int:
        """Entries."""
        return len(self.columns)

    @cached_property
    def matrix(self) -> Any:
        """The pattern as a ``csr_array`` of ones."""
        from scipy.sparse import csr_array

        return csr_array((np.ones(self.nnz, np.int32), self.columns, self.indptr), shape=self.shape)

    def filled(self, values: Float[np.ndarray, " entries"]) -> Any:
        """A ``csr_array`` of these values with arrays of its own: some of SciPy's methods work in place."""
        found = copy(self.matrix)  # spares looking at the places once more
        found.data, found.indices, found.indptr = values.copy(), self.columns.copy(), self.indptr.copy()
        return found

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether it is square and its own mirror image."""
        if self.shape[0] != self.shape[1]:
            return False
        mirror = self.matrix.T.tocsr()
        mirror.sort_indices()
        return bool(np.array_equal(mirror.indptr, self.indptr) and np.array_equal(mirror.indices, self.columns))


def make_structure(
    pattern: Any, *, shape: tuple[int, int] | None = None, where: str = "argument sparsity"
) -> Structure:
    """A pattern as a `Structure`.

    Parameters
    ----------
    pattern : array, SciPy sparse matrix, JAX BCOO, or Structure; shape (m, n)
        Non-zero where an entry can be. A place, not a number: entries that add up to zero count; those
        stored as zero do not.
    shape : tuple of int, optional
        The shape it must have.
    where : str
        The argument, for the error.

    Raises
    ------
    ShapeError
        If it is no matrix, is empty, holds NaN, or has another shape.

    Examples
    --------
    >>> make_structure([[1, 0, 1], [0, 1, 0]]).columns.tolist()
    [0, 2, 1]
    """
    found = pattern if isinstance(pattern, Structure) else _compressed(pattern, where)
    if shape is not None and found.shape != shape:
        raise ShapeError(
            f"a pattern of shape {shape}",
            got=f"shape {found.shape}",
            remedy="rows are outputs, columns inputs",
            where=where,
        )
    return found


def _compressed(pattern: Any, where: str) -> Structure:
    import scipy.sparse as sp

    try:
        given = sp.coo_array(_plain(pattern))
        # A pattern is a place, not a number: entries that cancel stay distinct from none.
        kept = np.asarray(given.data) != 0
        places = [np.asarray(c)[kept] for c in given.coords]
    except (TypeError, ValueError) as error:
        raise _refused(pattern, where) from error
    if given.ndim != 2 or 0 in given.shape or given.dtype.kind not in "biuf" or np.isnan(given.data).any():
        raise _refused(pattern, where)
    matrix = sp.csr_array((np.ones(kept.sum(), bool), tuple(places)), shape=given.shape)
    matrix.sum_duplicates()
    return Structure((int(given.shape[0]), int(given.shape[1])), matrix.indptr, matrix.indices)


def _plain(pattern: Any) -> Any:
    """A pattern that SciPy reads: JAX's BCOO taken apart."""
    import scipy.sparse as sp

    if hasattr(pattern, "todense") and hasattr(pattern, "indices") and np.ndim(pattern.indices) == 2:
        data, places = np.asarray(pattern.data), np.asarray(pattern.indices)
        inside = (places < np.asarray(pattern.shape)).all(axis=1)  # BCOO fills up with places outside
        return sp.coo_array((data[inside], tuple(places[inside].T)), shape=tuple(pattern.shape))
    return pattern


def _refused(pattern: Any, where: str) -> ShapeError:
    kind = getattr(pattern, "dtype", None)
    return ShapeError(
        "a matrix of shape (outputs, inputs)",
        got=f"{type(pattern).__name__} of shape {np.shape(pattern)}"
        + (f" and dtype {kind}" if kind is not None else ""),
        remedy="give an array, a SciPy sparse matrix, a JAX BCOO or a ColoredPattern, non-zero where an entry can be",
        where=where,
    )
