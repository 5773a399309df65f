"""Slopes carried through the function, or products that share colors: whichever costs less."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from landform.derivatives.colored.check import refuse_missing
from landform.derivatives.colored.program import ColoredProgram
from landform.derivatives.colored.structure import GIVEN, TRACED, colored_pattern, is_jax, structure_of
from landform.derivatives.coloring import color_hessian, color_jacobian
from landform.derivatives.coloring.choose import PULL
from landform.derivatives.matrix_program import MatrixProgram
from landform.derivatives.plan import Mode
from landform.derivatives.target import Target
from landform.errors import ShapeError

CHEAP = 4
"""Slopes for every number of the function, below which no coloring is looked for."""
FEW = 50_000
"""Slopes in all, below which they take no time worth saving."""
DOUBT = 8
"""Counted this much apart, slopes and products need not be run against each other."""
RUNS = 3


def jacobian_matrix(target: Target, memory: str | int, *, mode: Mode = "auto", sparsity: Any = None) -> MatrixProgram:
    """The program of a target's sparse Jacobian.

    Parameters
    ----------
    target : Target
        The function at its point.
    memory : str or int
        The most that the matrix, or a step on the way to it, may take.
    mode : {"auto", "sparse", "colored"}
        "sparse" carries slopes through the function, "colored" shares products, "auto" takes the cheaper.
    sparsity : matrix, ColoredPattern, "detect", optional
        The pattern; with it the products are colored.

    Raises
    ------
    ShapeError
        If a pattern is given where it would have no effect, or does not fit.
    DerivativeError
        If a given pattern lacks an entry that is not zero; it is named.
    """
    return _chosen(target, memory, mode, sparsity, None)


def hessian_matrix(
    target: Target, memory: str | int, weights: Any, *, mode: Mode = "auto", sparsity: Any = None
) -> MatrixProgram:
    """The program of the sparse Hessian of a weighted sum of the target's outputs; see `jacobian_matrix`."""
    return _chosen(target, memory, mode, sparsity, weights)


def _chosen(target: Target, memory: str | int, mode: Mode, sparsity: Any, weights: Any) -> MatrixProgram:
    if mode == "sparse" and sparsity is not None:
        raise ShapeError(
            "no pattern where slopes are carried through the function, which finds it",
            got="sparsity=",
            remedy='leave it out, or pass mode="colored"',
            where="argument sparsity",
        )
    if not is_jax(target) or (sparsity is not None and not isinstance(sparsity, str)):
        return _colored(target, memory, sparsity, weights)
    from landform.derivatives.sparse.point import hessian_program, jacobian_program

    carried = (jacobian_program if weights is None else hessian_program)(target, memory)
    if mode == "sparse":
        return carried
    if mode not in carried.kept:
        carried.kept[mode] = (
            _colored(target, memory, sparsity, weights)
            if mode == "colored"
            else _cheaper(target, memory, carried, weights) or carried
        )
    return carried.kept[mode]


def _colored(target: Target, memory: str | int, sparsity: Any, weights: Any) -> ColoredProgram:
    colored, origin = colored_pattern(target, sparsity, memory, weights)
    program = ColoredProgram(target, colored, memory=memory, hessian=weights is not None, origin=origin)
    if origin == GIVEN:
        refuse_missing(target, program, weights)
    return program


def _cheaper(target: Target, memory: str | int, carried: Any, weights: Any) -> ColoredProgram | None:
    """Colored products, where they take less time than the slopes do.

    Few slopes are cheap, whatever the coloring; many are counted against the products, and where the count
    leaves a doubt both are run at the point, once for a function.
    """
    once, slopes = carried.work
    share = slopes / max(1, once)
    if share < CHEAP or slopes < FEW:
        return None
    structure = structure_of(carried)
    least = int(min(structure.in_rows.max(initial=0), PULL * structure.in_columns.max(initial=0)))
    if weights is None and 1 + least > DOUBT * share and not _has_dense_lines(structure):
        return None
    colored = color_jacobian(structure) if weights is None else color_hessian(structure)
    gain = (1 + share) / (1 + colored.colors + PULL * colored.row_colors)
    if gain < 1 / DOUBT:
        return None
    why = f"{TRACED}; cheaper than carrying slopes, which costs as much as {share:.0f} for every number of the function"
    try:
        program = ColoredProgram(target, colored, memory=memory, hessian=weights is not None, origin=why)
    except ShapeError:
        return None  # its products do not fit the memory
    if gain > DOUBT or type(target.x).__name__.endswith("Tracer"):
        return program if gain > 1 else None
    return program if _seconds(target, program, weights) < _seconds(target, carried, weights) else None


def _seconds(target: Target, program: MatrixProgram, weights: Any) -> float:
    """The least of a few runs at the target's point."""
    free = () if weights is None else (weights,)
    least = float("inf")
    with target.precision():
        np.asarray(program.data(target.x, *free))
        for _ in range(RUNS):
            start = time.perf_counter()
            np.asarray(program.data(target.x, *free))
            least = min(least, time.perf_counter() - start)
    return least


def _has_dense_lines(structure: Any) -> bool:
    """Whether rows and columns given to different sides may need fewer colors than any side alone."""
    typical = max(1.0, structure.nnz / max(1, min(structure.shape)))
    return bool(max(structure.in_rows.max(initial=0), structure.in_columns.max(initial=0)) > 4 * typical)
