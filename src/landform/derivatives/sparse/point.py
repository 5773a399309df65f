"""Sparse matrices at a target's point; programs are kept, so that a second point costs an evaluation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from landform.derivatives.matrix_program import MatrixProgram
from landform.derivatives.plan import memory_bytes
from landform.derivatives.sparse.blocks import mentions
from landform.derivatives.sparse.program import SparseProgram, Symmetry
from landform.derivatives.target import Target, not_finite, refuse_unwalkable

_KEPT = 32
_programs: OrderedDict[Any, tuple[SparseProgram, list[tuple[Any, Any]]]] = OrderedDict()


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
        return SparseProgram(gradient, point, budget=budget, symmetry=symmetry, free=(weights,))

    return _program(target, "Hessian", memory, make)


def _program(target: Target, what: str, memory: str | int, make: Callable[[Any, int], SparseProgram]) -> SparseProgram:
    refuse_unwalkable(target)
    leaves, structure = jax.tree.flatten(target.args)
    budget = memory_bytes(memory)
    key = (target.flat, what, target.n, str(target.x.dtype), structure, tuple(map(id, leaves)), budget)
    if key in _programs and _same(_programs[key][1], leaves):
        _programs.move_to_end(key)
        return _programs[key][0]
    with target.precision():
        program = make(jax.ShapeDtypeStruct((target.n,), target.x.dtype), budget)
    if not program.is_traced:
        # The leaves stay alive, since their identities are in the key; NumPy's may be written into meanwhile.
        _programs[key] = program, [(leaf, np.array(leaf) if _may_change(leaf) else None) for leaf in leaves]
        if len(_programs) > _KEPT:
            _programs.popitem(last=False)
    return program


def _may_change(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray)


def _same(kept: Sequence[tuple[Any, Any]], leaves: Sequence[Any]) -> bool:
    """Whether arguments still hold what they held when a program was made with them."""
    return all(
        copy is None or np.array_equal(copy, leaf, equal_nan=True) for (_, copy), leaf in zip(kept, leaves, strict=True)
    )


def refuse_not_finite_data(
    target: Target, data: Any, program: MatrixProgram, rows: Sequence[str], cols: Sequence[str]
) -> None:
    """Refuse NaN and infinity among the values, by name.

    Raises
    ------
    DerivativeError
        Naming the first row and column concerned.
    """
    bad = target.backend.first_not_finite(data)
    if bad is not None:
        (place,), value, count = bad
        pattern = program.pattern
        row = rows[int(np.searchsorted(pattern.indptr, place, side="right")) - 1]
        raise not_finite("finite derivatives", value, row, cols[pattern.indices[place]], count)


def sparse_matrix(target: Target, program: MatrixProgram, data: Any) -> Any:
    """A ``csr_array`` for NumPy points, JAX's ``BCOO`` and PyTorch's CSR tensor for their points."""
    if not target.native or not hasattr(target.backend, "sparse_matrix"):
        return program.matrix(data)
    pattern = program.pattern
    return target.backend.sparse_matrix(pattern.indptr, pattern.indices, data, (program.m, program.n))
