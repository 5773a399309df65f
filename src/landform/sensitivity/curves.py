"""Second derivatives along pairs of directions at many rows, and how surely they are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from landform.derivatives.along_pairs import Pairs

if TYPE_CHECKING:
    from landform.sensitivity.subject import Slopes

Array = np.ndarray
Fields = Callable[[Float[Array, "rows d"]], Float[Array, "rows d k"]]


@dataclass(frozen=True, eq=False)
class CurveErrors:
    """Standard errors of second derivatives.

    Parameters
    ----------
    rows : array of int
        Rows of the table that ``local`` stands for.
    local : array, shape (some rows, m, pairs)
        At these rows.
    average : array, shape (m, pairs)
        Of the mean over the rows.
    """

    rows: Int[Array, " some"]
    local: Float[Array, "some m pairs"]
    average: Float[Array, "m pairs"]


def evenly(count: int, most: int) -> Int[Array, " some"]:
    """At most so many of ``count`` rows, evenly spaced in the table.

    Examples
    --------
    >>> evenly(3, 5), evenly(9, 3)
    (array([0, 1, 2]), array([0, 4, 8]))
    """
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).round().astype(int)


def of_the_mean(
    found: Float[Array, " pairs"], own: Float[Array, " pairs"], some: int, count: int
) -> Float[Array, " pairs"]:
    """The variance of a mean over ``count`` rows, from that over some of them and a row's own variance on average.

    Every two of the rows covary as every two of some do; a row's own variance counts 1/count.
    """
    if some in (1, count):
        return found
    between = (some * found - own) / (some - 1)
    return np.asarray(between + (own - between) / count)


def along(
    slopes: Slopes, X: Float[Array, "rows d"], J: Float[Array, "rows m d"], fields: Fields, pairs: Pairs
) -> Iterator[tuple[slice, Float[Array, "some m pairs"]]]:
    """Second derivatives along pairs of directions, block by block; ``J`` bends what is bent."""
    places = np.flatnonzero(pairs.bent)
    for part, block in slopes.curves(X):
        V = fields(X[part])
        k = V.shape[2]
        if np.array_equal(V[0], np.eye(V.shape[1])) and (V[0] == V).all():
            found = block[:, :, pairs.first, pairs.second]
        else:
            whole = np.einsum("rdk,rmde,rel->rmkl", V, block, V, optimize=True).reshape(*block.shape[:2], k * k)
            found = whole[:, :, pairs.first * k + pairs.second]
        if len(places):
            # By the logarithm: d²f/d(log x)² = x² f″ + x f′.
            found[:, :, places] += np.einsum("rmd,rdp->rmp", J[part], V[:, :, pairs.first[places]])
        yield part, found
