"""How surely eigenvalues, loadings and spans are known: closed forms, nothing is resampled.

A row u pulls at the matrix entry between eigendirections j and k by ``g = zⱼ zₖ − λⱼ [j = k]``, where z are the row's
scores; on the correlation scale by ``g = zⱼ zₖ − ½ (λⱼ + λₖ) Σᵢ vᵢⱼ vᵢₖ uᵢ²``, because the standard deviations are
estimated too. First-order perturbation turns these pulls into those at everything else: λⱼ moves by gⱼⱼ, and vⱼ by
``Σ vₖ gⱼₖ / (λⱼ − λₖ)``. So all that is needed is the covariance of the pulls: averaged over the rows (true for any
distribution with four moments), or in closed form where the rows are Gaussian.

References
----------
Anderson (1963), "Asymptotic theory for principal component analysis", Ann. Math. Statist. 34; Konishi (1979),
"Asymptotic expansions for the distributions of statistics based on the sample correlation matrix in principal component
analysis", Hiroshima Math. J. 9; Critchley (1985), "Influence in principal components analysis", Biometrika 72 (the
pulls); Waternaux (1976), "Asymptotic distribution of the sample roots for a nonnormal population", Biometrika 63.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float
from scipy import stats

from landform.directions.decompose import Decomposition
from landform.directions.rows import Rows

Array = np.ndarray
Pair = tuple[int, int]
Pulls = dict[Pair, Float[np.ndarray, "r r"]]
"""For directions j and l, entry (k, m) is n times the covariance of the estimates of entries (j, k) and (l, m)."""


def gaussian_pulls(found: Decomposition, wanted: Iterable[Pair]) -> Pulls:
    """Covariances of the pulls where rows are Gaussian."""
    values, V = found.pairs.values, found.pairs.vectors
    R = (V * values) @ V.T if found.correlation else None
    return {pair: _gaussian(values, V, R, *pair) for pair in wanted}


def _gaussian(values: np.ndarray, V: np.ndarray, R: np.ndarray | None, j: int, m: int) -> np.ndarray:
    covariance = np.diag(values[j] * values) if j == m else np.zeros((len(values),) * 2)
    covariance[m, j] += values[j] * values[m]
    if R is None:
        return covariance
    w, x = V * V[:, [j]], V * V[:, [m]]
    mean_j, mean_m = (values[j] + values) / 2, (values[m] + values) / 2
    overlap = w.T @ x
    covariance -= 2 * overlap * np.outer(values[j] * values, mean_m)
    covariance -= 2 * overlap * np.outer(mean_j, values[m] * values)
    return np.asarray(covariance + 2 * np.outer(mean_j, mean_m) * (w.T @ (R * R) @ x))


def observed_pulls(found: Decomposition, rows: Rows, wanted: Sequence[Pair]) -> Pulls:
    """Covariances of the pulls averaged over the rows, whatever their distribution; one pass."""
    size = len(found.pairs.values)
    sums = {pair: np.zeros((size, size)) for pair in wanted}
    needed = sorted({j for pair in wanted for j in pair})
    for batch in rows.batches():
        u = found.standardized(batch)
        z = u @ found.pairs.vectors
        pulls = {j: _pulls(found, u, z, j) for j in needed}
        for j, m in wanted:
            sums[j, m] += pulls[j].T @ pulls[m]
    return {pair: total / (found.rows - 1) for pair, total in sums.items()}


def _pulls(
    found: Decomposition, u: Float[np.ndarray, "rows d"], z: Float[np.ndarray, "rows r"], j: int
) -> Float[np.ndarray, "rows r"]:
    values, V = found.pairs.values, found.pairs.vectors
    pulls = z * z[:, [j]]
    if found.correlation:
        return np.asarray(pulls - 0.5 * (values[j] + values) * ((u * u * V[:, j]) @ V))
    pulls[:, j] -= values[j]
    return np.asarray(pulls)


def pulls_at_the_total(found: Decomposition, rows: Rows | None, own: Array) -> tuple[Array, float]:
    """Covariance of the pulls at eigenvalues with that at their sum, and its variance; Gaussian without rows.

    ``own`` holds the variances of the pulls at the leading eigenvalues.
    """
    count = len(own)
    if rows is None:
        values = found.pairs.values
        rest = found.total - values.sum()  # what leading eigenpairs leave out counts as if spread evenly
        more = rest**2 / max(1, len(found.variances) - len(values))
        return own, float(2 * np.sum(values**2) + 2 * more)
    with_total, total = np.zeros(count), 0.0
    for batch in rows.batches():
        u = found.standardized(batch)
        z = u @ found.pairs.vectors[:, :count]
        swing = np.einsum("ij,ij->i", u, u) - found.total
        with_total += swing @ (z**2 - found.pairs.values[:count])
        total += float(swing @ swing)
    return with_total / (found.rows - 1), total / (found.rows - 1)


def share_errors(found: Decomposition, rows: Rows | None, own: Array) -> Float[np.ndarray, " count"]:
    """Standard errors of the parts of all variation that the leading directions carry."""
    share = found.pairs.values[: len(own)] / found.total
    if found.correlation:  # the total is the number of columns
        return np.asarray(np.sqrt(own / found.rows) / found.total)
    with_total, total = pulls_at_the_total(found, rows, own)
    variance = own - 2 * share * with_total + share**2 * total
    return np.asarray(np.sqrt(np.maximum(variance, 0.0) / found.rows) / found.total)


def chance_of_a_tie(found: Decomposition, pulls: Pulls, j: int) -> float:
    """How often eigenvalues j and j + 1 would lie as far apart as they do if they were equal.

    Sample eigenvalues repel each other, so their gap over its standard error is no test. What is tested is whether the
    2 × 2 matrix on their plane is a multiple of the identity: the size of its departure does not depend on the axes
    chosen there, and its distribution is matched by its first two moments (Satterthwaite). For Gaussian rows that is
    Anderson's chi-squared test with two degrees of freedom to first order.
    """
    first, second = found.pairs.values[[j, j + 1]]
    gap = first - second
    if gap <= 4 * np.finfo(float).eps * found.pairs.values[0]:
        return 1.0
    across = 2 * pulls[j, j][j + 1, j + 1]
    cross = pulls[j, j][j, j + 1] - pulls[j, j + 1][j + 1, j + 1]
    along = (pulls[j, j][j, j] + pulls[j + 1, j + 1][j + 1, j + 1] - 2 * pulls[j, j + 1][j, j + 1]) / 2
    spread = np.array([[along, cross], [cross, across]])
    mean, square = np.trace(spread), np.sum(spread**2)
    if not mean > 0:
        return 0.0
    return float(stats.chi2.sf(found.rows * gap**2 / 2 * mean / square, mean**2 / square))


def loading_covariance(found: Decomposition, pulls: Pulls, j: int) -> Float[np.ndarray, "d d"]:
    """Covariance of the estimated loadings of direction j."""
    slope = found.pairs.vectors * _inverse_gaps(found, j, slice(j, j + 1))
    return np.asarray(slope @ pulls[j, j] @ slope.T / found.rows)


def loading_variances(found: Decomposition, pulls: Pulls, j: int) -> Float[np.ndarray, " d"]:
    """Variances of the loadings of direction j; bounds from above where only leading eigenpairs are known."""
    slope = found.pairs.vectors * _inverse_gaps(found, j, slice(j, j + 1))
    variances = np.einsum("ik,kl,il->i", slope, pulls[j, j], slope, optimize=True)
    if not found.complete:
        value, last = found.pairs.values[[j, -1]]
        unseen = found.variances - found.pairs.vectors**2 @ found.pairs.values
        variances = variances + value * np.maximum(unseen, 0.0) / (value - last) ** 2
    return np.asarray(variances / found.rows)


def _inverse_gaps(found: Decomposition, j: int, members: slice) -> Float[np.ndarray, " r"]:
    gaps = found.pairs.values[j] - found.pairs.values
    grain = (
        np.finfo(float).eps * found.pairs.values[0]
    )  # a tie to the last digit leaves an axis without any doubt's end
    gaps = np.where(np.abs(gaps) < grain, grain, gaps)
    gaps[members] = np.inf
    return np.asarray(1 / gaps)


def span_angle(found: Decomposition, pulls: Pulls, members: slice) -> float:
    """Root mean square angle between the estimated span of directions and the true one, in radians.

    Where only leading eigenpairs are known, what they leave out is bounded from above.
    """
    total = 0.0
    unseen = 0.0 if found.complete else max(0.0, found.total - float(found.pairs.values.sum()))
    for j in range(members.start, members.stop):
        total += float(np.sum(np.diag(pulls[j, j]) * _inverse_gaps(found, j, members) ** 2))
        if unseen:
            value, last = found.pairs.values[[j, -1]]
            total += value * unseen / (value - last) ** 2
    return float(np.arctan(np.sqrt(total / found.rows)))


def span_shares(
    found: Decomposition, pulls: Pulls, members: slice
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """How much of each column's axis lies in a span, from 0 to 1, and the standard errors of it."""
    V = found.pairs.vectors
    inside = range(members.start, members.stop)
    slopes = {j: 2 * V[:, [j]] * V * _inverse_gaps(found, j, members) for j in inside}
    variances = np.zeros(len(V))
    for j in inside:
        for m in inside:
            cross = pulls[j, m] if (j, m) in pulls else pulls[m, j].T
            variances += np.einsum("ik,kl,il->i", slopes[j], cross, slopes[m], optimize=True)
    return np.square(V[:, members]).sum(axis=1), np.sqrt(np.maximum(variances, 0.0) / found.rows)
