"""Where the pattern comes from: the user, tracing, or the entries seen at a few points."""

from __future__ import annotations

from typing import Any

import numpy as np

from landform.derivatives.colored.products import as_vector, hessian_products, pullbacks, pushforwards, to_numpy
from landform.derivatives.coloring import ColoredPattern, Structure, color_hessian, color_jacobian, make_structure
from landform.derivatives.plan import jacobian_plan
from landform.derivatives.target import Target
from landform.errors import ShapeError

SEEN_AT = 3
"""Points at which entries are looked at where tracing cannot tell."""
GIVEN = "pattern given and checked by random products"
TRACED = "pattern found by tracing"


def colored_pattern(target: Target, sparsity: Any, memory: str | int, weights: Any) -> tuple[ColoredPattern, str]:
    """The colored pattern of the Jacobian, or with weights of the Hessian, and where it comes from.

    Parameters
    ----------
    target : Target
        The function at its point.
    sparsity : matrix, ColoredPattern, "detect" or None
        As the user gave it.
    memory : str or int
        The most that finding it may take.
    weights : array, shape (m,), or None
        Of the outputs, for a Hessian.

    Raises
    ------
    ShapeError
        If it has another shape, is not symmetric though a Hessian is, or has to be given.
    """
    shape = (target.m, target.n) if weights is None else (target.n, target.n)
    if isinstance(sparsity, ColoredPattern):
        make_structure(sparsity.structure, shape=shape)
        if weights is not None and (sparsity.row_colors or not sparsity.structure.is_symmetric):
            raise ShapeError(
                "a coloring of a Hessian",
                got=f"one of kind {sparsity.kind!r}",
                remedy="make it with color_hessian",
                where="argument sparsity",
            )
        return sparsity, GIVEN
    if sparsity is None or (isinstance(sparsity, str) and sparsity == "detect"):
        structure, origin = _found(target, sparsity, memory, weights)
    elif isinstance(sparsity, str):
        raise ShapeError('a pattern, or "detect"', got=repr(sparsity), remedy="give one", where="argument sparsity")
    else:
        structure, origin = make_structure(sparsity, shape=shape), GIVEN
    return (color_jacobian if weights is None else color_hessian)(structure), origin


def _found(target: Target, sparsity: Any, memory: str | int, weights: Any) -> tuple[Structure, str]:
    if is_jax(target):
        from landform.derivatives.sparse.point import hessian_program, jacobian_program

        program = (jacobian_program if weights is None else hessian_program)(target, memory)
        return structure_of(program), TRACED
    if sparsity is None:
        raise ShapeError(
            "a pattern: only JAX functions can be traced for it",
            got=f"none for one of {target.backend.name}",
            remedy='pass sparsity= a matrix that is non-zero where an entry can be, or "detect" to have it seen at '
            f"{SEEN_AT} points near x",
            where="argument sparsity",
        )
    seen = seen_structure(target, memory, weights)
    return seen, f"pattern as seen at {SEEN_AT} points near x: an entry that is zero at all of them counts as zero"


def is_jax(target: Target) -> bool:
    """Whether the function can be traced for its pattern."""
    return target.backend.name == "JAX"


def structure_of(program: Any) -> Structure:
    """The pattern of a sparse program."""
    p = program.pattern
    return Structure((program.m, program.n), p.indptr, p.indices)


def seen_structure(target: Target, memory: str | int, weights: Any, *, seed: int = 0) -> Structure:
    """The entries that differ from zero at one of a few points near the target's: every product is made there once.

    Parameters
    ----------
    target : Target
        The function at its point.
    memory : str or int
        The most that one dense matrix may take.
    weights : array, shape (m,), or None
        Of the outputs, for a Hessian.
    seed : int
        Of the points, which lie about a tenth of the point's own size away.
    """
    rng = np.random.default_rng(seed)
    x = to_numpy(target, target.x)
    m, n = target.m, target.n
    rows = n if weights is not None else m
    plan = jacobian_plan(rows, n, target.itemsize, mode="auto", memory=memory)
    forward = weights is not None or plan.mode == "forward"
    seen = np.zeros((rows, n), bool)
    for k in range(SEEN_AT):
        moved = x + (k > 0) * 0.1 * rng.uniform(0.5, 1.5, n) * np.maximum(np.abs(x), 0.1) * rng.choice([-1.0, 1.0], n)
        with target.precision():
            seen |= _matrix(target, plan.chunk, moved.astype(x.dtype), weights, forward) != 0
    if weights is not None:
        seen |= seen.T
    return make_structure(seen)


def _matrix(target: Target, chunk: int, x: np.ndarray, weights: Any, forward: bool) -> np.ndarray:
    """The dense matrix by products with unit vectors."""
    at = as_vector(target, x)
    unit = np.eye(target.n if forward else target.m, dtype=bool)
    if weights is not None:
        return to_numpy(target, hessian_products(target, chunk, at, weights, unit))
    if forward:
        return to_numpy(target, pushforwards(target, chunk, at, unit)[1]).T
    return to_numpy(target, pullbacks(target, chunk, at, unit)[1])
