"""Judge anybody's answer to a problem, from exact derivatives alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends import Model
from landform.errors import ShapeError
from landform.optimize.certificate import Certificate, judge
from landform.optimize.problem import make_problem
from landform.optimize.program import Program
from landform.optimize.sparse.judged import judged
from landform.optimize.sparse.nlp import as_nlp


def certify(
    problem: Callable[..., Any] | Model | Program,
    x: Any,
    multipliers: Mapping[str, float] | None = None,
    *,
    tolerance: float = 1e-7,
    **options: Any,
) -> Certificate:
    """Is this point really the best nearby? An answer from the derivatives alone, whoever found the point.

    Proven is what theorems 12.1 (first order, given independent or linear active limits), 12.5 (second order,
    necessary) and 12.6 (second order, sufficient: a strict local minimum) of Nocedal and Wright say, to within
    ``tolerance``; nothing is proven about the rest of the region. Multipliers are found anew by non-negative least
    squares on the active limits, so any valid set serves at a degenerate corner. Limits that are only touched do not
    shrink the critical subspace: they bound the cone in which a way down is looked for. Where the active limits are all
    but dependent (a failed constraint qualification), nothing is certified.

    Parameters
    ----------
    problem : callable, Model or Program
        What is minimized; a function comes with its limits in ``options``.
    x : array or tree
        The point.
    multipliers : mapping of str to float, optional
        Judge these instead of finding some: for each limit by its name (a variable's for its bounds) the number with
        which its gradient explains that of the objective, ``∇f = Σ multiplier ∇limit``: positive at a lower limit,
        negative at an upper one. What is left out is zero.
    tolerance : float
        For distances to limits, in ranges of the variables (their size, or 1, where that is less), and for the
        unexplained part of the gradient.
    **options
        ``args``, ``bounds``, ``constraints`` and ``inputs``, as for `minimize`.

    Returns
    -------
    Certificate
        With ``certified``, the ``nature`` of the point, its active limits and their multipliers.

    Raises
    ------
    ShapeError
        If ``x`` does not have one entry per variable, or a multiplier belongs to no limit.

    References
    ----------
    Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., chapter 12.

    Examples
    --------
    >>> verdict = certify(lambda x: x[0] ** 2 - x[1] ** 2, np.array([0.0, 0.0]), bounds=(-1, 1))
    >>> verdict.certified, verdict.words
    (False, 'a saddle: it falls along +1 x1')
    >>> certify(lambda x: x @ x, np.array([1.0, 0.0]), {"a": 2.0}, bounds=([1, -1], 3), inputs=["a", "b"]).nature
    'strict minimum'
    """
    if isinstance(problem, Program):
        if options:
            raise ShapeError(
                "a program alone, which has its limits",
                got=", ".join(f"{name}=" for name in options),
                remedy="leave them out",
                where="certify",
            )
        program, point = problem, np.asarray(x, dtype=np.float64)
    else:
        posed = make_problem(problem, x, within=False, **options)
        program, point = posed.program, posed.start
    if point.shape != (program.n,):
        raise ShapeError(f"shape ({program.n},)", got=point.shape, remedy="give one entry per variable", where="x")
    given = None if multipliers is None else _per_side(program, multipliers)
    if program.sparse:
        return judged(as_nlp(program, point), point, tolerance=tolerance, multipliers=given)
    return judge(program, point, tolerance=tolerance, multipliers=given)


def _per_side(program: Program, multipliers: Mapping[str, float]) -> Float[np.ndarray, " l"]:
    """Multipliers of the slacks: a positive number belongs to a limit's lower side, a negative one to the upper."""
    sides = program.sides
    unknown = [name for name in multipliers if name not in sides.names]
    if unknown:
        raise ShapeError(
            "multipliers of the problem's limits",
            got=repr(unknown[0]),
            remedy=f"use their names: {', '.join(dict.fromkeys(sides.names))}",
            where="argument multipliers",
        )
    theirs = np.array([float(multipliers.get(name, 0.0)) for name in sides.names]) * sides.sign
    one_sided = np.array([sides.names.count(name) == 1 for name in sides.names], dtype=bool)
    return np.asarray(np.where(sides.equality | one_sided, theirs, np.maximum(theirs, 0.0)))
