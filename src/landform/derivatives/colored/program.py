"""A sparse matrix of derivatives from few products with many columns, or rows, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from landform.derivatives.colored.products import arranged, hessian_products, pullbacks, pushforwards, to_numpy
from landform.derivatives.coloring import ColoredPattern
from landform.derivatives.matrix_program import sharing_matrix
from landform.derivatives.plan import Plan, chunk_for, memory_bytes
from landform.derivatives.target import Target


class ColoredProgram:
    """The non-zeros of a Jacobian (m, n), or of a Hessian (n, n), by compressed products.

    Parameters
    ----------
    target : Target
        The function; its point counts only for shape and precision.
    colored : ColoredPattern
        Structure and colors; of kind star, acyclic or column for a Hessian.
    memory : str or int
        The most that the products and the matrix may take.
    hessian : bool
        Whether it is the Hessian of a weighted sum of the outputs; the weights come with every call.
    origin : str
        Where the pattern comes from, in words.

    Raises
    ------
    ShapeError
        If the products do not fit the memory.

    References
    ----------
    Gebremedhin, Manne and Pothen (2005), "What color is your Jacobian?", SIAM Review 47.
    """

    def __init__(
        self, target: Target, colored: ColoredPattern, *, memory: str | int, hessian: bool, origin: str
    ) -> None:
        self._target, self.colored, self._hessian, self._origin = target, colored, hessian, origin
        self.m, self.n = colored.shape
        numbers = colored.colors * self.m + colored.row_colors * self.n
        size = (numbers + colored.structure.nnz) * target.itemsize
        what = f"{colored.products} products of a {self.m} × {self.n} matrix"
        row = (self.m + self.n) * target.itemsize
        self._chunk = chunk_for(colored.products, row, size, memory_bytes(memory), what, work=target.work)
        self._bytes = size

    @property
    def pattern(self) -> Any:
        """Structure in compressed rows, columns sorted."""
        return self.colored.structure

    @property
    def rows(self) -> Int[np.ndarray, " nnz"]:
        """Row of every value."""
        return self.colored.rows

    @property
    def cols(self) -> Int[np.ndarray, " nnz"]:
        """Column of every value."""
        return self.colored.columns

    @cached_property
    def _seeds(self) -> tuple[Any, Any]:
        return self.colored.seeds, self.colored.row_seeds

    @cached_property
    def _arranged(self) -> Callable[[Sequence[Any]], Any]:
        return arranged(self._target, self.colored)

    def _products(self, x: Any, free: Sequence[Any]) -> tuple[Any, list[Any]]:
        """The function's value (of a Jacobian), and the products."""
        t, (columns, rows) = self._target, self._seeds
        if self._hessian:
            return None, [hessian_products(t, self._chunk, x, free[0], columns)]
        y, parts = None, []
        if len(columns):
            y, pushed = pushforwards(t, self._chunk, x, columns)
            parts.append(pushed)
        if len(rows):
            y, pulled = pullbacks(t, self._chunk, x, rows)
            parts.append(pulled)
        return y, parts

    def data(self, x: Float[Any, " n"], *free: Any) -> Float[Any, " nnz"]:
        """The values in the order of `pattern`."""
        return self._arranged(self._products(x, free)[1])

    native = data

    def value_and_data(self, x: Float[Any, " n"], *free: Any) -> tuple[Float[Any, " m"], Float[Any, " nnz"]]:
        """The function and the values in the order of `pattern`."""
        y, parts = self._products(x, free)
        t = self._target
        return (t.backend.value(t.flat, x, *t.args) if y is None else y), self._arranged(parts)

    def host_data(self, x: Float[Any, " n"], *free: Any, sort: bool = True) -> Float[np.ndarray, " nnz"]:
        """The values in the order of `pattern`, sorted in any case, as a NumPy array."""
        del sort
        return to_numpy(self._target, self.data(x, *free))

    def value_and_host_data(
        self, x: Float[Any, " n"], *free: Any, sort: bool = True
    ) -> tuple[Float[Any, " m"], Float[np.ndarray, " nnz"]]:
        """The function as well."""
        del sort
        y, data = self.value_and_data(x, *free)
        return y, to_numpy(self._target, data)

    @cached_property
    def _shared(self) -> Callable[[Any], Any]:
        return sharing_matrix(self.pattern, (self.m, self.n), f"f{self._target.itemsize}")

    def matrix(self, data: Any, *, sort: bool = True) -> Any:
        """The values as a `scipy.sparse.csr_array`, which shares its index arrays with every other one."""
        del sort
        return self._shared(to_numpy(self._target, data))

    @cached_property
    def plan(self) -> Plan:
        """Colors, their kind and order, and where the pattern comes from."""
        nnz = self.pattern.nnz
        share = nnz / (self.m * self.n)
        reason = f"{self.colored}; {nnz} non-zeros ({share:.2g} of all), {self._origin}"
        return Plan("colored", self.colored.products, self._chunk, self._bytes, reason)
