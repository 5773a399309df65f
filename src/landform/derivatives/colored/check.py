"""Does a pattern hold every entry that is not zero? Products with random directions tell, at the cost of two.

An entry outside the pattern spoils what stands in its row, or is missing there. So the matrix that the colored
products give, times a random vector, differs from the function's own product in that row, and almost never elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from landform.derivatives.colored.products import as_vector, hessian_products, pullbacks, to_numpy
from landform.derivatives.colored.program import ColoredProgram
from landform.derivatives.coloring import color_jacobian, make_structure
from landform.derivatives.matrix_program import MatrixProgram
from landform.derivatives.plan import DEFAULT_MEMORY
from landform.derivatives.target import Target
from landform.errors import DerivativeError

NAMED = 3
"""Rows whose missing entries are looked up by name."""


def missing_entries(target: Target, program: MatrixProgram, weights: Any = None, *, seed: int = 0) -> str:
    """Entries outside the pattern that differ from zero at the target's point, by name; empty if there are none.

    Parameters
    ----------
    target : Target
        The function at its point.
    program : MatrixProgram
        Its Jacobian, or Hessian, with the pattern in question.
    weights : array, shape (m,), optional
        Of the outputs, for a Hessian.
    seed : int
        Of the random direction.
    """
    rng = np.random.default_rng(seed)
    x = to_numpy(target, target.x)
    v = rng.uniform(0.5, 1.5, target.n).astype(x.dtype)
    names = target.inputs if weights is not None else target.outputs
    with target.precision():
        data = program.data(target.x) if weights is None else program.data(target.x, weights)
        matrix = program.matrix(to_numpy(target, data))
        found, truth = matrix @ v, _product(target, weights, v)
    size = abs(matrix) @ np.abs(v) + np.abs(truth)
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(np.abs(found - truth) > np.finfo(x.dtype).eps ** 0.5 * size)
    entries = [e for row in wrong[:NAMED] for e in _missing_in(target, program, weights, int(row), names)]
    if not entries:
        return ""
    more = f", among {len(wrong)} rows like this" if len(wrong) > NAMED else ""
    return f"{'; '.join(entries[:NAMED])}{f' and {len(entries) - NAMED} more' * (len(entries) > NAMED)}{more}"


def _product(target: Target, weights: Any, v: np.ndarray) -> np.ndarray:
    backend, direction = target.backend, as_vector(target, v)
    if weights is None:
        return to_numpy(target, backend.pushforward(target.flat, target.x, direction, *target.args))
    return to_numpy(target, backend.hessian_product(target.flat, target.x, weights, direction, *target.args))


def _missing_in(target: Target, program: MatrixProgram, weights: Any, row: int, names: Any) -> list[str]:
    """The entries of one row outside the pattern, largest first."""
    unit = np.arange(len(names))[None] == row
    with target.precision():
        if weights is None:
            line = to_numpy(target, pullbacks(target, 1, target.x, unit)[1])[0]
        else:
            line = to_numpy(target, hessian_products(target, 1, target.x, weights, unit))[0]
    p = program.pattern
    outside = np.array(line, copy=True)
    outside[p.indices[p.indptr[row] : p.indptr[row + 1]]] = 0
    places = np.argsort(-np.abs(outside), kind="stable")[: np.count_nonzero(outside)]
    top = f"d {names[row]} / d" if weights is None else f"d² / d {names[row]} d"
    return [f"{top} {target.inputs[j]} = {outside[j]:.3g} outside it" for j in places]


def refuse_missing(target: Target, program: MatrixProgram, weights: Any = None) -> None:
    """Refuse a pattern that lacks entries.

    Raises
    ------
    DerivativeError
        Naming them.
    """
    if type(target.x).__name__.endswith("Tracer"):
        return  # no numbers to look at
    missing = missing_entries(target, program, weights)
    if missing:
        raise DerivativeError(
            "a pattern that holds every entry that can differ from zero",
            got=missing,
            remedy="add what is missing, or leave sparsity= out to have the pattern of a JAX function found by tracing",
            where="argument sparsity",
        )


def wrong_pattern(target: Target, sparsity: Any) -> str:
    """What is wrong with a pattern of the target's Jacobian, in words; empty if nothing is."""
    colored = color_jacobian(make_structure(sparsity, shape=(target.m, target.n)))
    program = ColoredProgram(target, colored, memory=DEFAULT_MEMORY, hessian=False, origin="pattern given")
    missing = missing_entries(target, program)
    return f"a pattern that lacks entries: {missing}" if missing else ""
