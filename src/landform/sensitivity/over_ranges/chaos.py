"""Polynomial chaos from values and gradients: few terms, chosen one by one, with a closed leave-one-out error.

References
----------
Blatman and Sudret (2011), *J. Comput. Phys.* 230, 2345 (sparse chaos, degree and truncation by leave-one-out error);
Peng, Hampton and Doostan (2016), *J. Comput. Phys.* 310, 440 (gradients, weighted so that all columns stay orthogonal);
Chen, Billings and Luo (1989), *Int. J. Control* 50, 1873 (orthogonal least squares); Chapelle, Vapnik and Bengio
(2002), *Machine Learning* 48, 9 (leave-one-out error corrected for the number of terms).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from landform.sensitivity.over_ranges.marginals import Marginal
from landform.sensitivity.over_ranges.terms import design, hyperbolic_terms

Blocks = Float[np.ndarray, "n rows"]

_TRUNCATIONS = (0.5, 0.75, 1.0)
_MOST_TERMS = 800
_HIGHEST = 24
_ENOUGH = 1e-9
"""A leave-one-out error below this share of the variance ends the search."""
_PATIENCE = 2
"""So many degrees in a row may fail to lower the leave-one-out error before higher ones are given up."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Points with what is known there of one output, scaled to mean 0 and variance 1.

    Parameters
    ----------
    germs : array, shape (n, d)
        The points, in the variables of the polynomials.
    rows : array, shape (n, 1 + d) or (n, 1)
        The value and the slopes along the germs times the root of Stein's kernel.
    marginals : tuple of Marginal
        The inputs.
    """

    germs: Float[np.ndarray, "n d"]
    rows: Blocks
    marginals: tuple[Marginal, ...]

    @property
    def n(self) -> int:
        """How many points."""
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Chaos:
    """One output as a sum of orthonormal polynomials.

    Parameters
    ----------
    terms : array, shape (terms, d)
        Degrees in every input; the constant comes first.
    coefficients : array, shape (terms,)
        In units of the sample's scaled output.
    replicas : array, shape (groups, terms)
        The coefficients with one group of points left out after the other.
    unexplained : float
        The leave-one-out error and twice its standard error, as a share of the variance.
    degree : int
        Highest total degree that was admitted.
    truncation : float
        The q of the hyperbolic norm.
    weights : array, shape (1 + d,) or (1,)
        What the rows were weighted with.
    """

    terms: Int[np.ndarray, "terms d"]
    coefficients: Float[np.ndarray, " terms"]
    replicas: Float[np.ndarray, "groups terms"]
    unexplained: float
    degree: int
    truncation: float
    weights: Float[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class _Fit:
    terms: Int[np.ndarray, "terms d"]
    error: float
    degree: int
    truncation: float


def fit_chaos(sample: Sample, before: Chaos | None = None) -> Chaos:
    """The chaos of least leave-one-out error.

    Parameters
    ----------
    sample : Sample
        Values, and gradients where there are any.
    before : Chaos, optional
        What fewer points of the same output gave: the search starts near it.
    """
    weights = _first_weights(sample) if before is None else before.weights
    fit = _search(sample, weights, before)
    again = _rebalanced(sample, fit.terms, weights)
    refit = _search(sample, again, fit, reach=1) if fit.degree else fit
    if refit.error < fit.error:
        fit, weights = refit, again
    rows = design(fit.terms, sample.germs, sample.marginals, slopes=sample.rows.shape[1] > 1)
    rows, right = rows * weights[:, None], sample.rows * weights
    coefficients = _solve(rows, right)
    unexplained = max(fit.error, _cautious_error(rows, right - rows @ coefficients, weights[0]))
    return Chaos(fit.terms, coefficients, _left_out(rows, right), unexplained, fit.degree, fit.truncation, weights)


def _first_weights(sample: Sample) -> Float[np.ndarray, " rows"]:
    """Rows of alike size: what a constant would leave unexplained of them."""
    size = np.sqrt(np.mean(sample.rows**2, axis=0))
    return np.asarray(1.0 / np.where(size > 0, size, 1.0))


def _rebalanced(
    sample: Sample, terms: Int[np.ndarray, "terms d"], weights: Float[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """Weights from what this chaos leaves unexplained of values and of each slope, as the least variance asks for."""
    rows = design(terms, sample.germs, sample.marginals, slopes=sample.rows.shape[1] > 1)
    residual = sample.rows - rows @ _solve(rows * weights[:, None], sample.rows * weights)
    size = np.sqrt(np.mean(residual**2, axis=0))
    size = np.maximum(size, 1e-3 * size.max())
    return np.asarray(size[0] / size) if size[0] > 0 else weights


def _search(sample: Sample, weights: Float[np.ndarray, " rows"], near: Chaos | _Fit | None, *, reach: int = 3) -> _Fit:
    """Degree by degree and truncation by truncation, while the leave-one-out error falls."""
    d, gradients = sample.germs.shape[1], sample.rows.shape[1] > 1
    best = _Fit(np.zeros((1, d), dtype=np.intp), _constant_error(sample), 0, 1.0)
    lowest, highest = (1, _HIGHEST) if near is None else (max(1, near.degree - reach + 1), near.degree + reach)
    for q in (1.0,) if d == 1 else (near.truncation,) if near and reach == 1 else _TRUNCATIONS:
        failed, least = 0, np.inf
        for degree in range(lowest, min(highest, _HIGHEST) + 1):
            terms = hyperbolic_terms(d, degree, q, _MOST_TERMS)
            if terms is None or failed > _PATIENCE or best.error < _ENOUGH:
                break
            rows = design(terms, sample.germs, sample.marginals, slopes=gradients) * weights[:, None]
            chosen, error = _choose(rows, sample.rows * weights, weights[0])
            failed = 0 if error < least else failed + 1
            least = min(error, least)
            if error < best.error:
                best = _Fit(terms[chosen], error, degree, q)
    return best


def _constant_error(sample: Sample) -> float:
    n, y = sample.n, sample.rows[:, 0]
    return float(np.mean((y - y.mean()) ** 2) * (n / (n - 1)) ** 2)


def _choose(
    rows: Float[np.ndarray, "n rows terms"], right: Blocks, unit: float
) -> tuple[Int[np.ndarray, " chosen"], float]:
    """Terms one by one, each the one that explains most; as many as the leave-one-out error of the values wants.

    Leaving a point out takes its value and its slopes away together: its residuals are ``(I − H)^{-1} r`` with its
    own block H of the hat matrix.
    """
    n, b, count = rows.shape
    columns, target = rows.reshape(n * b, count), right.reshape(n * b)
    gram, matches = columns.T @ columns, target @ columns
    norms, residual = np.diag(gram).copy(), target.copy()
    usable = 1e-10 * norms
    most = min(count, n * b // 2)
    W, Q = np.empty((most, count)), np.empty((n * b, most))
    hat = np.zeros((n, b, b))
    chosen: list[int] = []
    least, size = np.inf, 1
    for step in range(most):
        score = np.where(norms > usable, matches**2 / np.where(norms > usable, norms, 1.0), -1.0)
        pick = int(np.argmax(score)) if step else 0
        if score[pick] < 0:
            break
        chosen.append(pick)
        root = np.sqrt(norms[pick])
        W[step] = (gram[pick] - W[:step, pick] @ W[:step]) / root
        Q[:, step] = (columns[:, pick] - Q[:, :step] @ W[:step, pick]) / root
        norms -= W[step] ** 2
        norms[pick] = -1.0
        residual -= Q[:, step] * (Q[:, step] @ target)
        matches = matches - W[step] * (Q[:, step] @ target)
        block = Q[:, step].reshape(n, b)
        hat += block[:, :, None] * block[:, None, :]
        if step > 16 and step % 4:
            continue
        error = _leave_one_out(hat, residual.reshape(n, b), step + 1, unit)
        if error < least:
            least, size = error, step + 1
        elif step + 1 > size + max(8, size // 4):
            break
    return np.array(chosen[:size]), least


def _leave_one_out(hat: Float[np.ndarray, "n b b"], residual: Blocks, terms: int, unit: float) -> float:
    return float(np.mean(_squares_left_out(hat, residual, terms, unit)))


def _squares_left_out(
    hat: Float[np.ndarray, "n b b"], residual: Blocks, terms: int, unit: float
) -> Float[np.ndarray, " n"]:
    n, b = residual.shape
    try:
        out = np.linalg.solve(np.eye(b) - hat, residual[:, :, None])[:, 0, 0]
    except np.linalg.LinAlgError:
        return np.full(n, np.inf)
    share = terms / (n * b)
    return np.asarray((out / unit) ** 2 * (1 + share) / (1 - share))


def _cautious_error(rows: Float[np.ndarray, "n rows terms"], residual: Blocks, unit: float) -> float:
    """The leave-one-out error and twice its standard error: where a function is steep few points show it."""
    n, b, count = rows.shape
    Q = np.linalg.qr(rows.reshape(n * b, count))[0].reshape(n, b, count)
    squares = _squares_left_out(Q @ Q.swapaxes(1, 2), residual, count, unit)
    return float(squares.mean() + 2 * squares.std(ddof=1) / np.sqrt(n))


def _solve(rows: Float[np.ndarray, "n rows terms"], right: Blocks) -> Float[np.ndarray, " terms"]:
    return np.asarray(np.linalg.lstsq(rows.reshape(-1, rows.shape[-1]), right.ravel(), rcond=1e-12)[0])


def _left_out(rows: Float[np.ndarray, "n rows terms"], right: Blocks) -> Float[np.ndarray, "groups terms"]:
    """The coefficients without each group of points, from normal equations that lose the group's part."""
    n, _, count = rows.shape
    groups = np.arange(n) % min(20, n)
    gram, matches = np.tensordot(rows, rows, ((0, 1), (0, 1))), np.tensordot(right, rows, ((0, 1), (0, 1)))
    found = []
    for g in range(groups.max() + 1):
        own, aim = rows[groups == g].reshape(-1, count), right[groups == g].ravel()
        left = gram - own.T @ own
        found.append(np.linalg.solve(left + 1e-12 * np.diag(np.diag(gram)), matches - aim @ own))
    return np.array(found)


def predicted(chaos: Chaos, germs: Float[np.ndarray, "n d"], marginals: tuple[Marginal, ...]) -> Blocks:
    """What a chaos says at points, in units of its sample's scaled output."""
    return np.asarray(design(chaos.terms, germs, marginals, slopes=False)[:, 0] @ chaos.coefficients)
