"""A sparse matrix of derivatives as one compiled function of the point."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from landform.derivatives.plan import jacobian_plan, readable_bytes
from landform.derivatives.sparse.assemble import Pattern, native_order, pattern_of
from landform.derivatives.sparse.known import Known
from landform.derivatives.sparse.slopes import Ragged, Slot, Term, Terms
from landform.derivatives.sparse.step import TooWide, Value
from landform.derivatives.sparse.walk import Walk

Flat = Callable[..., Any]


class SparseProgram:
    """The non-zeros of a Jacobian (m, n) as a compiled function; pattern and indices are worked out once.

    Parameters
    ----------
    function : callable
        From shape (n,) to shape (m,), JAX-traceable.
    x : array, shape (n,)
        A point; only its shape and precision count.
    budget : int
        Bytes that the matrix, or one block on the way to it, may take.
    symmetric : bool
        Whether it is a Hessian: both triangles then agree to the last bit.

    Raises
    ------
    ShapeError
        If the matrix turns out dense and does not fit the budget.

    Examples
    --------
    >>> p = SparseProgram(lambda x: x[1:] * x[:-1], jnp.arange(3.0), budget=2**20)
    >>> p.pattern.indices.tolist(), p.data(jnp.array([2.0, 3.0, 5.0])).tolist()
    ([0, 1, 1, 2], [3.0, 2.0, 5.0, 3.0])
    """

    def __init__(self, function: Flat, x: Any, *, budget: int, symmetric: bool = False) -> None:
        self._closed = jax.make_jaxpr(function)(x)
        self.n, self.m = int(x.size), int(self._closed.out_avals[0].size)
        self._budget, self._symmetric = budget, symmetric
        self._dtype = x.dtype
        self.notes: list[str] = []
        self.dense = False
        self._terms: Terms = []
        self._consts = list(self._closed.consts)
        self._aval = jax.ShapeDtypeStruct((self.n,), x.dtype)
        try:
            jax.eval_shape(self._walked, self._aval, self._consts)
        except TooWide as wide:
            self._fall_back(function, str(wide))

    def _walked(self, x: Any, consts: Sequence[Any]) -> tuple[Any, list[Any]]:
        """The value and the slopes, term by term; the terms' columns are kept on the way."""
        walk = Walk(self.n, self._budget)
        start = Value(x, [Slot(np.arange(self.n, dtype=np.int32), np.ones((), self._dtype))])
        out = walk.start(self._closed, consts, start)[0]
        self._terms, self.notes = [_without_values(t) for t in out.terms], walk.notes
        return out.primal, [t.val for t in out.terms]

    def _fall_back(self, function: Flat, why: str) -> None:
        """The whole function dense, by products."""
        from landform.backends.jax import jacobian_forward, jacobian_reverse

        plan = jacobian_plan(self.m, self.n, np.dtype(self._dtype).itemsize, mode="auto", memory=self._budget)
        form = jacobian_forward if plan.mode == "forward" else jacobian_reverse
        rows, cols = np.divmod(np.arange(self.m * self.n), max(1, self.n))
        self._terms = [Ragged(rows, cols.astype(np.int32), None)]
        self.notes, self.dense = [f"the whole matrix dense, {plan.mode}, {plan.products} products: {why}"], True

        def walked(x: Any, _: Sequence[Any]) -> tuple[Any, list[Any]]:
            y, matrix = form(function, plan.chunk, x)
            return y, [matrix.reshape(-1)]

        self._walked = walked  # type: ignore[method-assign]

    @cached_property
    def pattern(self) -> Pattern:
        """Structure in compressed rows, columns sorted."""
        return pattern_of(self._terms, self.m, self.n)

    @cached_property
    def _native(self) -> tuple[np.ndarray, np.ndarray, Callable[[Sequence[Any]], Any]]:
        return native_order(self._terms)

    @property
    def rows(self) -> Int[np.ndarray, " k"]:
        """Row of every native value."""
        return self._native[0]

    @property
    def cols(self) -> Int[np.ndarray, " k"]:
        """Column of every native value; a coordinate may stand twice, its values then add up."""
        return self._native[1]

    @cached_property
    def _native_values(self) -> Any:
        place = self._native[2]
        return jax.jit(lambda x, consts: place(self._walked(x, consts)[1]).astype(self._dtype))

    @cached_property
    def _data(self) -> Any:
        pattern = self.pattern

        def run(x: Any, consts: Sequence[Any]) -> tuple[Any, Any]:
            y, vals = self._walked(x, consts)
            return y, pattern.data(vals).astype(self._dtype)

        return jax.jit(run)

    def native(self, x: Float[Any, " n"]) -> Float[Any, " k"]:
        """The values in the order of `rows` and `cols`: the cheapest form."""
        return self._native_values(x, self._consts)

    def value_and_data(self, x: Float[Any, " n"]) -> tuple[Float[Any, " m"], Float[Any, " nnz"]]:
        """The function and the values in the order of `pattern`."""
        return self._data(x, self._consts)

    def data(self, x: Float[Any, " n"]) -> Float[Any, " nnz"]:
        """The values in the order of `pattern`."""
        return self.value_and_data(x)[1]

    def matrix(self, data: Any) -> Any:
        """The values as a `scipy.sparse.csr_array`, which shares its index arrays with every other one."""
        from scipy.sparse import csr_array

        found = csr_array((np.asarray(data), self.pattern.indices, self.pattern.indptr), shape=(self.m, self.n))
        found.has_sorted_indices = True
        found.has_canonical_format = True
        return found

    def explain(self) -> str:
        """Non-zeros, memory, and what fell back to products."""
        nnz = self.pattern.nnz
        share = nnz / max(1, self.m * self.n)
        size = nnz * (np.dtype(self._dtype).itemsize + self.pattern.indices.itemsize)
        size += self.pattern.indptr.nbytes
        how = "; ".join(self.notes) if self.notes else "every slope carried through the function once, no products"
        return f"sparse: {nnz} non-zeros ({share:.2g} of all), {readable_bytes(size)}; {how}"


def _without_values(term: Term) -> Term:
    return Slot(term.cols, None) if isinstance(term, Slot) else Ragged(term.rows, term.cols, None)
