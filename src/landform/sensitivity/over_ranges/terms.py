"""Which products of polynomials a chaos is made of, and their values and slopes at points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from landform.sensitivity.over_ranges.marginals import Marginal


@lru_cache(maxsize=256)
def hyperbolic_terms(d: int, degree: int, q: float, most: int) -> Int[np.ndarray, "terms d"] | None:
    """Every multi-index of q-norm at most ``degree``, or None where these are more than ``most``.

    Blatman and Sudret (2011), *J. Comput. Phys.* 230, 2345: the smaller q, the fewer interactions.

    Examples
    --------
    >>> len(hyperbolic_terms(3, 2, 1.0, 100)), len(hyperbolic_terms(3, 2, 0.5, 100))
    (10, 7)
    """
    found = []
    for index in _grown(d, degree**q + 1e-9, q):
        found.append(index)
        if len(found) > most:
            return None
    return np.array(found, dtype=np.intp)


def _grown(d: int, room: float, q: float) -> Iterator[tuple[int, ...]]:
    if d == 0:
        yield ()
        return
    k = 0
    while (used := k**q if k else 0.0) <= room:
        for rest in _grown(d - 1, room - used, q):
            yield (k, *rest)
        k += 1


def design(
    terms: Int[np.ndarray, "terms d"], germs: Float[np.ndarray, "n d"], marginals: Sequence[Marginal], *, slopes: bool
) -> Float[np.ndarray, "n rows terms"]:
    """Values of every term at every point; below them its slopes along every germ, times the root of Stein's kernel.

    Returns
    -------
    array, shape (n, 1 + d, terms), or (n, 1, terms) without slopes
    """
    n, d = germs.shape
    tables = [m.polynomials(z, int(k)) for m, z, k in zip(marginals, germs.T, terms.max(axis=0), strict=True)]
    factors = [P[:, terms[:, i]] for i, (P, _) in enumerate(tables)]
    rows = np.empty((n, 1 + d if slopes else 1, len(terms)))
    rows[:, 0] = np.prod(factors, axis=0)
    for i in range(d if slopes else 0):
        slope = tables[i][1][:, terms[:, i]] * np.sqrt(marginals[i].stein(germs[:, i]))[:, None]
        rows[:, 1 + i] = slope * np.prod(factors[:i] + factors[i + 1 :], axis=0) if d > 1 else slope
    return rows
