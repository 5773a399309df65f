"""Compressed rows that share their index arrays until one of them changes its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array


class SharedRows(csr_array):
    """A ``csr_array`` whose index arrays belong to many matrices; what would change them in place copies them first.

    To be told apart from any other ``csr_array`` only by ``indices`` and ``indptr`` being read-only before that.
    Conversions, transposition and pickling give SciPy's own classes with arrays of their own.

    Examples
    --------
    >>> shared = csr_array(np.array([[0.0, 1.0], [2.0, 3.0]]))
    >>> one, other = (SharedRows.of(shared, np.array([k, 2.0, 3.0])) for k in (0.0, 1.0))
    >>> one.eliminate_zeros()
    >>> one.nnz, other.nnz, one.indices.tolist(), other.indices.tolist()
    (2, 3, [0, 1], [1, 0, 1])
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray

    @classmethod
    def of(cls, blank: csr_array, data: np.ndarray) -> SharedRows:
        """A matrix with the structure of another, which SciPy checked once, and values of its own."""
        blank.indices.flags.writeable = blank.indptr.flags.writeable = False
        found = cls.__new__(cls)
        found.__dict__.update(blank.__dict__)
        found.data = data
        return found

    def apart(self) -> csr_array:
        """The same as an ordinary ``csr_array`` with arrays of its own."""
        found = csr_array.__new__(csr_array)
        found.__dict__.update(self.__dict__)
        found.data, found.indices, found.indptr = self.data.copy(), self.indices.copy(), self.indptr.copy()
        return found

    def owned(self) -> SharedRows:
        """The matrix itself, its arrays its own."""
        self.indices, self.indptr, self.data = (
            a if a.flags.writeable else a.copy() for a in (self.indices, self.indptr, self.data)
        )
        return self

    def sort_indices(self) -> None:
        """Sort the columns of every row in place."""
        if not self.has_sorted_indices:
            super(SharedRows, self.owned()).sort_indices()

    def sum_duplicates(self) -> None:
        """Sort the columns of every row in place, no column twice."""
        if not self.has_canonical_format:
            super(SharedRows, self.owned()).sum_duplicates()

    def eliminate_zeros(self) -> None:
        """Drop stored zeros in place."""
        super(SharedRows, self.owned()).eliminate_zeros()

    def prune(self) -> None:
        """Drop memory that no entry needs."""
        super(SharedRows, self.owned()).prune()

    def resize(self, *shape: Any) -> None:
        """Change the shape in place."""
        super(SharedRows, self.owned()).resize(*shape)

    def setdiag(self, values: Any, k: int = 0) -> None:
        """Set a diagonal in place."""
        super(SharedRows, self.owned()).setdiag(values, k)

    def __setitem__(self, key: Any, x: Any) -> None:
        super(SharedRows, self.owned()).__setitem__(key, x)

    def __imul__(self, other: Any) -> Any:
        return super(SharedRows, self.owned()).__imul__(other)

    def __itruediv__(self, other: Any) -> Any:
        return super(SharedRows, self.owned()).__itruediv__(other)

    def asformat(self, format: Any, copy: bool = False) -> Any:
        """The matrix in another form."""
        return super(SharedRows, self.owned()).asformat(format, copy=copy)

    def tocsr(self, copy: bool = False) -> Any:
        """The matrix as it is, its arrays its own."""
        return super(SharedRows, self.owned()).tocsr(copy=copy)

    def transpose(self, axes: Any = None, copy: bool = False) -> Any:
        """The transpose, as compressed columns."""
        return super(SharedRows, self.owned()).transpose(axes, copy=copy)

    def __reduce__(self) -> Any:
        return csr_array, ((self.data, self.indices, self.indptr), self.shape)
