"""Where to begin: points spread over the ground."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.stats import norm, qmc

from landform.optimize.local import steps
from landform.optimize.program import Point, Program

_WIDE = 3.0
"""How many steps around the start a variable without bounds is spread."""


def scattered(program: Program, start: Point, *, count: int, seed: int) -> Float[np.ndarray, "count n"]:
    """Points spread evenly over the bounds; a variable that lacks one is spread around the start.

    A scrambled Sobol sequence fills the bounds; where there are linear limits too, the points are drawn within them.
    """
    region = program.region
    if count < 1:
        return np.empty((0, program.n))
    bounded = np.isfinite(region.lower) & np.isfinite(region.upper)
    if len(region.A_names) and bounded.all() and not program.sparse:
        return region.sample(count, seed)
    if program.n <= qmc.Sobol.MAXDIM:
        shares = qmc.Sobol(program.n, seed=seed).random_base2(int(np.ceil(np.log2(count))))[:count]
    else:
        shares = np.random.default_rng(seed).random((count, program.n))
    around = start + _WIDE * steps(program, start) * norm.ppf(np.clip(shares, 1e-9, 1 - 1e-9))
    with np.errstate(invalid="ignore"):
        within = region.lower + shares * (region.upper - region.lower)
    return np.clip(np.where(bounded, within, around), region.lower, region.upper)
