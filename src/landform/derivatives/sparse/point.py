"""Sparse matrices at a target's point; programs are kept, so that a second point costs an evaluation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from landform.backends.jax.state import state_of_leaves
from landform.derivatives.matrix_program import MatrixProgram
from landform.derivatives.plan import memory_bytes
from landform.derivatives.sparse.blocks import mentions
from landform.derivatives.sparse.program import SparseProgram, Symmetry
from landform.derivatives.target import Target, not_finite, refuse_unwalkable

_KEPT = 32
_programs: OrderedDict[Any, SparseProgram] = OrderedDict()


def jacobian_program(target: Target, memory: str | int) -> SparseProgram:
    """The program of the target's Jacobian."""
    flat, args = target.flat, target.args

    def make(point: Any, budget: int) -> SparseProgram:
        return SparseProgram(lambda x: flat(x, *args), point, budget=budget)

    return _program(target, "Jacobian", memory, make)


def hessian_program(target: Target, memory: str | int) -> SparseProgram:
    """The program of the Hessian of a weighted sum of the target's outputs; it takes the weights at every call."""
    flat, args = target.flat, target.args

    def make(point: Any, budget: int) -> SparseProgram:
        traced = jax.make_jaxpr(lambda x: flat(x, *args))(point).jaxpr
        own = mentions(traced, "custom_jvp_call") or mentions(traced, "custom_vjp_call")
        gradient = jax.grad(lambda x, weights: weights @ flat(x, *args))
        weights = jax.ShapeDtypeStruct((target.m,), target.x.dtype)
        symmetry: Symmetry = "averaged" if own else "mirrored"
        value = lambda x, _: flat(x, *args)  # noqa: E731 - named for what it gives
        return SparseProgram(gradient, point, budget=budget, symmetry=symmetry, free=(weights,), beside=value)

    return _program(target, "Hessian", memory, make)


def _program(target: Target, what: str, memory: str | int, make: Callable[[Any, int], SparseProgram]) -> SparseProgram:
    refuse_unwalkable(target)
    leaves, structure = jax.tree.flatten(target.args)
    budget = memory_bytes(memory)
    key = (target.flat, what, target.n, str(target.x.dtype), structure, *state_of_leaves(leaves), budget)
    if key in _programs:
        _programs.move_to_end(key)
        return _programs[key]
    with target.precision():
        program = make(jax.ShapeDtypeStruct((target.n,), target.x.dtype), budget)
    if not program.is_traced:
        _programs[key] = program
        if len(_programs) > _KEPT:
            _programs.popitem(last=False)
    return program


def refuse_not_finite_data(target: Target, data: Any, pattern: Any, rows: Sequence[str], cols: Sequence[str]) -> None:
    """Refuse NaN and infinity among the values, by name.

    Raises
    ------
    DerivativeError
        Naming the first row and column concerned.
    """
    bad = target.backend.first_not_finite(data)
    if bad is not None:
        (place,), value, count = bad
        row = rows[int(np.searchsorted(pattern.indptr, place, side="right")) - 1]
        raise not_finite("finite derivatives", value, row, cols[pattern.indices[place]], count)


def sparse_matrix(target: Target, program: MatrixProgram, data: Any) -> Any:
    """A ``csr_array`` for NumPy points, JAX's ``BCOO`` and PyTorch's CSR tensor for their points."""
    if not target.native or not hasattr(target.backend, "sparse_matrix"):
        return program.matrix(data)
    pattern = program.pattern
    return target.backend.sparse_matrix(pattern.indptr, pattern.indices, data, (program.m, program.n))
