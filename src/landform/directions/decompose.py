"""From rows to eigenpairs of their covariance or correlation, by the cheapest way that is exact enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from landform.directions.rows import ARGUMENT, Rows
from landform.errors import ShapeError
from landform.linalg import Eigenpairs, Moments, leading_pairs, moments_of, tangent_basis

Scale = Literal["covariance", "correlation"]
_SMALL = 1000
"""Up to this many columns a covariance matrix is formed; more are met with products."""
_IN_MEMORY = 5_000_000
"""Up to this many numbers in memory a singular value decomposition keeps the digits of small eigenvalues."""


_ROUNDING = 1e-14
"""A column that varies by less than this part of its mean is constant."""


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Eigenpairs of the covariance (or correlation) matrix of rows.

    Parameters
    ----------
    pairs : Eigenpairs
        Largest eigenvalue first, each vector's largest entry positive.
    mean, unit : array, shape (d,)
        What is taken off each column, and what it is divided by: 1, or its standard deviation.
    rows : int
        How many.
    variances : array, shape (d,)
        Diagonal of the matrix; its sum is all the variation there is.
    correlation : bool
        Whether columns were divided by their standard deviations.
    known : int
        How many of the pairs are final: all, unless only leading ones were sought.
    complete : bool
        Whether every eigenpair that is not zero is there.
    angle, converged : float, bool
        How near the span of the known ones is in radians, and whether that is what was asked.
    how : str
        A sentence.
    """

    pairs: Eigenpairs
    mean: Float[np.ndarray, " d"]
    unit: Float[np.ndarray, " d"]
    rows: int
    variances: Float[np.ndarray, " d"]
    correlation: bool
    known: int
    complete: bool
    angle: float
    converged: bool
    how: str

    def standardized(self, batch: Any) -> Float[np.ndarray, "rows d"]:
        """Rows less the mean, in units of the matrix."""
        dense = batch if isinstance(batch, np.ndarray) else batch.toarray()
        return np.asarray((dense - self.mean) / self.unit)

    @property
    def total(self) -> float:
        """All the variation there is."""
        return float(self.variances.sum())


def decompose(rows: Rows, *, scale: Scale, count: int | None, tolerance: float, passes: int) -> Decomposition:
    """Eigenpairs of the covariance or correlation matrix of rows.

    Raises
    ------
    ShapeError
        If there are fewer than three rows, nothing varies, a column is constant on the correlation scale, or many
        passes are needed over rows that come only once.
    """
    d = len(rows.names)
    if rows.whole is not None and rows.whole.size <= _IN_MEMORY:
        return _by_singular_values(rows, rows.whole, scale)
    if d <= _SMALL:
        moments = reduce(Moments.merged, (moments_of(batch) for batch in rows.batches()))
        return _by_moments(rows, moments, scale)
    return _by_products(rows, scale, count=10 if count is None else count, tolerance=tolerance, passes=passes)


def _by_singular_values(rows: Rows, table: np.ndarray, scale: Scale) -> Decomposition:
    n, d = table.shape
    mean = table.mean(axis=0)
    centered = table - mean
    unit = _unit(rows, n, mean, np.einsum("ij,ij->j", centered, centered), scale)
    centered = centered / unit
    _, sizes, vectors = np.linalg.svd(centered, full_matrices=False)
    # Centering takes one dimension away: what is left of it is rounding.
    count = min(d, n - 1)
    values, vectors = sizes[:count] ** 2 / (n - 1), vectors[:count]
    values = np.where(values > values[0] * (np.finfo(float).eps * max(n, d)) ** 2, values, 0.0)
    pairs = _pairs(values, vectors.T, complete=d <= _SMALL)
    variances = np.einsum("ij,ij->j", centered, centered) / (n - 1)
    how = "exact: singular value decomposition of the centered rows"
    return Decomposition(pairs, mean, unit, n, variances, scale == "correlation", count, True, 0.0, True, how)


def _by_moments(rows: Rows, moments: Moments, scale: Scale) -> Decomposition:
    unit = _unit(rows, moments.rows, moments.mean, np.diag(moments.scatter), scale)
    matrix = moments.covariance / np.outer(unit, unit)
    values, vectors = np.linalg.eigh(matrix)
    pairs = _pairs(np.maximum(values[::-1], 0.0), vectors[:, ::-1], complete=True)
    how = "exact to rounding: one pass merged the covariance of the batches (Chan et al. 1983)"
    known = min(len(values), moments.rows - 1)
    return Decomposition(
        pairs, moments.mean, unit, moments.rows, np.diag(matrix), scale == "correlation", known, True, 0.0, True, how
    )


def _by_products(rows: Rows, scale: Scale, *, count: int, tolerance: float, passes: int) -> Decomposition:
    if not rows.again:
        raise ShapeError(
            f"rows that can be read again, for more than {_SMALL} columns",
            got="an iterator, which can be read once",
            remedy="pass a list of batches, or a function that returns a new iterator of them",
            where=ARGUMENT,
        )
    n, mean, squares = _column_moments(rows)
    unit = _unit(rows, n, mean, squares, scale)
    if count >= min(len(rows.names), n - 1):
        raise ShapeError(
            f"fewer than {min(len(rows.names), n - 1)} directions", got=f"count={count}", remedy="ask for fewer"
        )
    product = _centered_product(rows, n, mean, unit)
    found = leading_pairs(product, len(mean), count=count, tolerance=tolerance, most=passes)
    said = "converged" if found.converged else f"NOT converged to {tolerance:.0e}"
    how = (
        f"{said}: block Krylov iteration, {found.products + 2} passes over the rows; the span of directions 1 to "
        f"{count} is within {found.angle:.1e} radians"
    )
    pairs = _pairs(found.eigenvalues, found.vectors, complete=False)
    variances = squares / (n - 1) / unit**2
    correlation = scale == "correlation"
    return Decomposition(pairs, mean, unit, n, variances, correlation, count, False, found.angle, found.converged, how)


def _column_moments(rows: Rows) -> tuple[int, np.ndarray, np.ndarray]:
    """Count, mean and sum of squared deviations of every column, in two passes: no digits cancel."""
    n, total = 0, np.zeros(len(rows.names))
    for batch in rows.batches():
        n, total = n + batch.shape[0], total + np.asarray(batch.sum(axis=0)).ravel()
    mean, squares = total / n, np.zeros_like(total)
    for batch in rows.batches():
        if isinstance(batch, np.ndarray):
            squares += np.square(batch - mean).sum(axis=0)
            continue
        there = batch.copy()
        there.data = (there.data - mean[there.indices]) ** 2 - mean[there.indices] ** 2
        squares += np.asarray(there.sum(axis=0)).ravel() + batch.shape[0] * mean**2
    return n, mean, np.maximum(squares, 0.0)


def _centered_product(
    rows: Rows, n: int, mean: np.ndarray, unit: np.ndarray
) -> Callable[[Float[np.ndarray, "d b"]], Float[np.ndarray, "d b"]]:
    def product(V: Float[np.ndarray, "d b"]) -> Float[np.ndarray, "d b"]:
        V = V / unit[:, None]
        shift, found = mean @ V, np.zeros_like(V)
        for batch in rows.batches():
            scores = batch @ V - shift  # the centered rows are never formed
            found += batch.T @ scores - np.outer(mean, scores.sum(axis=0))
        return found / ((n - 1) * unit[:, None])

    return product


def _unit(rows: Rows, n: int, mean: np.ndarray, squares: np.ndarray, scale: Scale) -> np.ndarray:
    if n < 3:
        raise ShapeError("three rows or more", got=f"{n}", remedy="collect more", where=ARGUMENT)
    if not np.all(np.isfinite(squares)):
        raise ShapeError(
            "numbers whose squares are finite", got="larger ones", remedy="measure in larger units", where=ARGUMENT
        )
    still = squares <= n * (_ROUNDING * np.abs(mean)) ** 2
    if still.all():
        raise ShapeError("rows that differ", got="constant columns only", remedy="collect other rows", where=ARGUMENT)
    if scale == "covariance":
        return np.ones_like(squares)
    if scale != "correlation":
        raise ShapeError('"covariance" or "correlation"', got=repr(scale), remedy="choose one", where="argument scale")
    if still.any():
        raise ShapeError(
            "columns that vary, on the correlation scale",
            got=f"a constant column {rows.names[int(np.argmax(still))]}",
            remedy='leave it out, or take scale="covariance"',
            where=ARGUMENT,
        )
    return np.sqrt(squares / (n - 1))


def _pairs(values: np.ndarray, vectors: np.ndarray, *, complete: bool) -> Eigenpairs:
    """Eigenpairs with signs fixed; with ``complete`` the directions of eigenvalue zero too."""
    if complete and vectors.shape[1] < vectors.shape[0]:
        rest = tangent_basis(vectors.T)
        values = np.concatenate([values, np.zeros(rest.shape[1])])
        vectors = np.hstack([vectors, rest])
    largest = np.argmax(np.round(np.abs(vectors), 10), axis=0)
    return Eigenpairs(values, vectors * np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0))
