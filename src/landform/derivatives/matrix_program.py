"""What gives a sparse matrix at any point, whatever the plan: structure once, values at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, Int

from landform.derivatives.plan import Plan


class Compressed(Protocol):
    """A sparse matrix's structure in compressed rows, columns sorted."""

    @property
    def indptr(self) -> Int[np.ndarray, " rows1"]:
        """Start of every row."""
        ...

    @property
    def indices(self) -> Int[np.ndarray, " nnz"]:
        """Column of every value."""
        ...

    @property
    def nnz(self) -> int:
        """Values stored."""
        ...


class MatrixProgram(Protocol):
    """A sparse matrix (m, n) as a function of the point; ``free`` are a Hessian's weights."""

    m: int
    n: int

    @property
    def pattern(self) -> Compressed:
        """Its structure."""
        ...

    @property
    def plan(self) -> Plan:
        """How it is formed."""
        ...

    @property
    def rows(self) -> Int[np.ndarray, " k"]:
        """Row of every native value."""
        ...

    @property
    def cols(self) -> Int[np.ndarray, " k"]:
        """Column of every native value."""
        ...

    def native(self, x: Float[Any, " n"], *free: Any) -> Float[Any, " k"]:
        """The values in the order of ``rows`` and ``cols``: the cheapest form."""
        ...

    def data(self, x: Float[Any, " n"], *free: Any) -> Float[Any, " nnz"]:
        """The values in the order of ``pattern``."""
        ...

    def value_and_data(self, x: Float[Any, " n"], *free: Any) -> tuple[Float[Any, " m"], Float[Any, " nnz"]]:
        """The function as well."""
        ...

    def host_data(self, x: Float[Any, " n"], *free: Any, sort: bool = True) -> Float[np.ndarray, " nnz"]:
        """The values as a NumPy array; ``sort=False``: columns of a row in any order."""
        ...

    def value_and_host_data(
        self, x: Float[Any, " n"], *free: Any, sort: bool = True
    ) -> tuple[Float[Any, " m"], Float[np.ndarray, " nnz"]]:
        """The function as well."""
        ...

    def matrix(self, data: Any, *, sort: bool = True) -> Any:
        """The values, made with the same ``sort``, as a ``csr_array``."""
        ...


def sharing_matrix(
    pattern: Compressed, shape: tuple[int, int], dtype: Any, *, is_sorted: bool = True
) -> Callable[[Any], Any]:
    """A function from values to a `scipy.sparse.csr_array`; all of them share their index arrays, checked once.

    These are read-only; a matrix that is changed in place copies them first.
    """
    from scipy.sparse import csr_array

    from landform.derivatives.shared_rows import SharedRows

    dtype = np.promote_types(dtype, np.float32)  # SciPy has no sparse matrices of half precision
    blank = csr_array((np.zeros(pattern.nnz, dtype), pattern.indices, pattern.indptr), shape=shape)
    blank.has_sorted_indices = is_sorted
    blank.has_canonical_format = is_sorted

    def matrix(data: Any) -> Any:
        return SharedRows.of(blank, np.asarray(data, dtype))

    return matrix
