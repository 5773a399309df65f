"""Does a given pattern hold every entry of a black box? One more line, along all inputs at once, tells."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from landform.derivatives.numeric.black_box import BlackBox
from landform.derivatives.numeric.lines import Line, follow, make_room
from landform.errors import DerivativeError

SURE = 10.0
"""Standard errors that a slope must miss before the pattern is blamed; a bar may be short by a few."""


def refuse_missing(box: BlackBox, matrix: csr_array, errors: csr_array, *, each: int, seed: int = 0) -> None:
    """Refuse a pattern that lacks entries, by the outputs whose slope along a random direction it misses.

    Parameters
    ----------
    box : BlackBox
        The function; it is evaluated ``each`` times more.
    matrix, errors : csr_array, shape (m, n)
        The Jacobian in the pattern, and its standard errors.
    each : int
        The most evaluations along the line.
    seed : int
        Of the direction.

    Raises
    ------
    DerivativeError
        Naming the outputs.
    """
    rng = np.random.default_rng(seed)
    low, high = box.bounds
    with np.errstate(invalid="ignore"):
        inward = np.sign((high - box.x) - (box.x - low))
    signs = np.where(np.isfinite(inward) & (inward != 0), inward, rng.choice([-1.0, 1.0], box.x.size))
    direction = signs * rng.uniform(0.5, 1.0, box.x.size) * box.scale
    line = Line("a random direction", direction, make_room(box.x, direction, low, high))
    follow([line], box.evaluator, box.x, box.value, order=1, each=each, bounds=box.bounds, noise=box.noise)
    found = line.coefficient(1, box.noise)
    expected, doubt = matrix @ direction, np.sqrt((errors**2) @ direction**2 + found.error**2)
    size = abs(matrix) @ np.abs(direction) + np.abs(found.value)
    wrong = np.flatnonzero(np.abs(found.value - expected) > SURE * doubt + np.finfo(float).eps ** 0.5 * size)
    if len(wrong):
        i = int(wrong[0])
        more = f" and {len(wrong) - 1} more outputs" if len(wrong) > 1 else ""
        raise DerivativeError(
            "a pattern that holds every entry that can differ from zero",
            got=f"{box.outputs[i]} moving by {found.value[i]:.4g} along a random direction, where the entries in the "
            f"pattern make {expected[i]:.4g} ± {doubt[i]:.1g}{more}",
            remedy="add what is missing, or leave sparsity= out",
            where="argument sparsity",
        )
