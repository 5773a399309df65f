"""A sparse matrix of derivatives as one compiled function of the point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxprs_in_params
from jaxtyping import Float, Int

from landform.derivatives.plan import Plan, jacobian_plan
from landform.derivatives.sparse.assemble import (
    Pattern,
    averaged,
    held,
    in_any_order,
    listed,
    mirrored,
    native_order,
    pattern_of,
)
from landform.derivatives.sparse.placed import Placed
from landform.derivatives.sparse.slopes import Ragged, Slot, Term, Terms, is_constant
from landform.derivatives.sparse.step import TooWide, Value
from landform.derivatives.sparse.walk import Walk

Flat = Callable[..., Any]
Symmetry = Literal["none", "mirrored", "averaged"]


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
    symmetry : {"none", "mirrored", "averaged"}
        For a Hessian, so that both triangles agree to the last bit: one copied from the other, or, where rules
        of the user's own may make them differ, their mean.
    free : sequence of arrays
        Further arguments of the function that change from call to call; only shape and precision count.
    beside : callable, optional
        What ``value_and_data`` gives beside the slopes, as a function of the same arguments; the function itself
        where there is none.

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

    def __init__(
        self,
        function: Flat,
        x: Any,
        *,
        budget: int,
        symmetry: Symmetry = "none",
        free: Sequence[Any] = (),
        beside: Flat | None = None,
    ) -> None:
        self._closed = jax.make_jaxpr(function)(x, *free)
        self.n, self.m = int(x.size), int(self._closed.out_avals[0].size)
        self._budget, self._symmetry = budget, symmetry
        self._dtype = x.dtype
        self.notes: list[str] = []
        self.products = 0
        self.work = (0, 0)
        self.kept: dict[str, Any] = {}
        self.dense = False
        self._terms: Terms = []
        self._single: list[bool] = []
        self._beside = None if beside is None else jax.make_jaxpr(beside)(x, *free)
        self._consts = list(self._closed.consts), [] if self._beside is None else list(self._beside.consts)
        self._aval = jax.ShapeDtypeStruct((self.n,), x.dtype)
        self._run: Callable[..., tuple[Any, list[Any]]] = self._walked
        try:
            jax.eval_shape(self._walked, self._aval, self._consts, *free)
        except TooWide as wide:
            self._fall_back(function, str(wide))

    def _walked(self, x: Any, consts: tuple[Sequence[Any], Sequence[Any]], *free: Any) -> tuple[Any, list[Any]]:
        """The value and the slopes, term by term; the terms' columns are kept on the way."""
        walk = Walk(self.n, self._budget)
        start = Value(x, [Slot(np.arange(self.n, dtype=np.int32), np.ones((), self._dtype))])
        out = walk.start(self._closed, consts[0], [start, *(Value(jnp.asarray(v)) for v in free)])[0]
        self._terms, self.notes = [_without_values(t) for t in out.terms], list(walk.notes)
        self.products = sum(walk.notes.values())
        self.work = walk.tally.once, walk.tally.slopes
        self._single = [np.ndim(t.val) == 0 and self.m > 1 for t in out.terms]
        if self._beside is None:
            return out.primal, [t.val for t in out.terms]
        return jax.core.eval_jaxpr(self._beside.jaxpr, consts[1], x, *free)[0], [t.val for t in out.terms]

    def _fall_back(self, function: Flat, why: str) -> None:
        """The whole function dense, by products."""
        from landform.backends.jax import jacobian_forward, jacobian_reverse

        plan = jacobian_plan(self.m, self.n, np.dtype(self._dtype).itemsize, mode="auto", memory=self._budget)
        form = jacobian_forward if plan.mode == "forward" else jacobian_reverse
        rows, cols = np.divmod(np.arange(self.m * self.n), max(1, self.n))
        self._terms = [Ragged(rows, cols.astype(np.int32), None)]
        self._single = [False]
        self.products = plan.products
        self.work = 1, plan.products
        self.notes, self.dense = [f"the whole matrix dense, {plan.mode}, {plan.products} products: {why}"], True

        def walked(x: Any, _: Sequence[Any], *free: Any) -> tuple[Any, list[Any]]:
            y, matrix = form(function, plan.chunk, x, *free)
            return y, [matrix.reshape(-1)]

        self._run = walked

    @property
    def is_traced(self) -> bool:
        """Whether it was made inside another traced function, and ends with it."""
        return any(isinstance(c, jax.core.Tracer) for line in self._consts for c in line)

    @cached_property
    def pattern(self) -> Pattern:
        """Structure in compressed rows, columns sorted."""
        found = pattern_of(self._terms, self._single, self.m, self.n)
        if self._symmetry == "none":
            return found
        mirror = mirrored(found, self.n) if self._symmetry == "mirrored" else None
        return mirror or averaged(self._terms, self._single, self.n)

    @cached_property
    def _native(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return native_order(self._terms, self._single)

    @property
    def rows(self) -> Int[np.ndarray, " k"]:
        """Row of every native value."""
        return self._native[0]

    @property
    def cols(self) -> Int[np.ndarray, " k"]:
        """Column of every native value; a coordinate may stand twice, its values then add up."""
        return self._native[1]

    @cached_property
    def placed(self) -> Placed:
        """The values in the order of `pattern`."""
        return self._placed(self.pattern, is_sorted=True)

    @cached_property
    def placed_in_any_order(self) -> Placed:
        """The values row by row, columns within a row as they come; sorted where that costs nothing."""
        if self.placed.runs is not None:
            return self.placed
        return self._placed(in_any_order(self.pattern), is_sorted=self.pattern.target is not None)

    def _placed(self, pattern: Pattern, *, is_sorted: bool) -> Placed:
        terms = self._terms, self._single
        shape, staged = (self.m, self.n), self._staged
        return Placed(self._run, pattern, *terms, shape, self._dtype, is_sorted=is_sorted, staged=staged)

    @cached_property
    def _staged(self) -> bool:
        """Whether arrays of several axes are met on the way; see `Placed`."""
        return _of_several_axes(self._closed.jaxpr)

    @cached_property
    def _listed(self) -> Callable[..., Any]:
        if not self._staged:
            return jax.jit(lambda *at: listed(held(self._run(*at)[1], numbers=True), self._terms, self._dtype))
        slopes = jax.jit(lambda *at: self._run(*at)[1])
        order = jax.jit(lambda vals: listed(vals, self._terms, self._dtype))
        return lambda *at: order(slopes(*at))

    def native(self, x: Float[Any, " n"], *free: Any) -> Float[Any, " k"]:
        """The values in the order of `rows` and `cols`: the cheapest form."""
        found: Float[Any, " k"] = self._listed(x, self._consts, *free)
        return found

    def value_and_data(self, x: Float[Any, " n"], *free: Any) -> tuple[Float[Any, " m"], Float[Any, " nnz"]]:
        """The function and the values in the order of `pattern`."""
        return self.placed.value_and_data(x, self._consts, *free)

    def data(self, x: Float[Any, " n"], *free: Any) -> Float[Any, " nnz"]:
        """The values in the order of `pattern`."""
        return self.placed.data(x, self._consts, *free)

    def host_data(self, x: Float[Any, " n"], *free: Any, sort: bool = True) -> Float[np.ndarray, " nnz"]:
        """The values as a NumPy array; ``sort=False``: columns of a row as they come."""
        return (self.placed if sort else self.placed_in_any_order).host_data(x, self._consts, *free)

    def value_and_host_data(
        self, x: Float[Any, " n"], *free: Any, sort: bool = True
    ) -> tuple[Float[Any, " m"], Float[np.ndarray, " nnz"]]:
        """The function, and the values as a NumPy array."""
        return (self.placed if sort else self.placed_in_any_order).value_and_host_data(x, self._consts, *free)

    def matrix(self, data: Any, *, sort: bool = True) -> Any:
        """The values, made with the same ``sort``, as a `scipy.sparse.csr_array`; all share their index arrays."""
        return (self.placed if sort else self.placed_in_any_order).matrix(data)

    @cached_property
    def plan(self) -> Plan:
        """Non-zeros, memory, and what fell back to products."""
        nnz, kind = self.pattern.nnz, np.dtype(self._dtype).itemsize
        memory = nnz * (kind + self.pattern.indices.itemsize) + self.pattern.indptr.nbytes
        how = "; ".join(self.notes) or "every slope carried through the function once"
        share = nnz / max(1, self.m * self.n)
        return Plan(
            "sparse", self.products, min(64, self.products), memory, f"{nnz} non-zeros ({share:.2g} of all); {how}"
        )


def _without_values(term: Term) -> Term:
    """The term's columns; a number known while tracing stays."""
    if isinstance(term, Ragged):
        return Ragged(term.rows, term.cols, None)
    return Slot(term.cols, term.val if is_constant(term.val) and np.ndim(term.val) == 0 else None)


def _of_several_axes(jaxpr: Any) -> bool:
    """Whether a program, or one inside it, has results of more than one axis."""
    return any(
        any(len(v.aval.shape) > 1 for v in eqn.outvars) or any(map(_of_several_axes, jaxprs_in_params(eqn.params)))
        for eqn in jaxpr.eqns
    )
