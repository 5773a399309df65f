"""Polynomial surrogates: least squares, exact covariance, exact held-out predictions.

Held-out predictions come from deletion formulas, not from refits: with H the hat matrix and r the residuals, the
rows G predicted from all others miss by (I − H_GG)⁻¹ r_G.

References
----------
Cook and Weisberg (1982), *Residuals and Influence in Regression*, sec. 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solve_triangular
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from landform.backends.sklearn import translate
from landform.fit.observations import Observations
from landform.fit.posterior import Posterior
from landform.fit.surrogate import HeldOut, Surrogate
from landform.fit.terms import BlendingTerms, term_name

DEGREES = {"mean": 0, "linear": 1, "quadratic": 2, "special cubic": 3}


def polynomial_words(kind: str, ingredients: int) -> str:
    """What a reader calls the model."""
    if kind == "mean":
        return "the mean"
    return f"Scheffé {kind}" if ingredients else f"{kind} response surface"


def why_not_polynomial(kind: str, data: Observations) -> str:
    """Why a polynomial cannot be fitted to these trials; empty where it can."""
    if kind == "special cubic" and data.ingredients < 3:
        return "it needs at least three ingredients"
    made = BlendingTerms(data.ingredients, DEGREES[kind], data.total).fit(data.X)
    if kind == "special cubic" and not _has_triples(made):
        return "no trial combines three ingredients"
    terms = made.transform(data.X)
    n, p = terms.shape
    if n <= p:
        return f"{p} terms need at least {p + 1} trials, there are {n}"
    rank = int(np.linalg.matrix_rank(terms))
    if rank < p:
        return f"the trials tell only {rank} of its {p} terms apart"
    return ""


def _has_triples(terms: BlendingTerms) -> bool:
    """Whether any term kept is a product of three different ingredients."""
    return bool(np.any(np.all(terms.index_ < terms.ingredients, axis=1)))


def fit_polynomial(kind: str, data: Observations) -> Surrogate:
    """Fit one polynomial by least squares.

    Parameters
    ----------
    kind : {"mean", "linear", "quadratic", "special cubic"}
        Which; `why_not_polynomial` must have nothing to say.
    data : Observations
        The trials.

    Returns
    -------
    Surrogate
        Coefficients refer to shares of the total, and to factors scaled to −1 … 1; standard errors are exact.
    """
    terms = BlendingTerms(data.ingredients, DEGREES[kind], data.total)
    estimator = Pipeline([("terms", terms), ("regression", LinearRegression(fit_intercept=False))])
    estimator.fit(data.X, data.y)
    design = terms.transform(data.X)
    n, p = design.shape
    residuals = data.y - estimator.predict(data.X)
    noise = float(np.sqrt(residuals @ residuals / (n - p)))
    R = np.linalg.qr(design, mode="r")
    root = noise * solve_triangular(R, np.eye(p), trans="T")
    errors = np.sqrt(np.sum(root * root, axis=0))
    features = translate(terms)
    names = terms.term_names(data.names)
    coefficients = estimator.named_steps["regression"].coef_
    return Surrogate(
        kind=kind,
        words=polynomial_words(kind, data.ingredients),
        posterior=Posterior(features.function, features.args, terms.transform, root, +1, data.X.shape[1]),
        noise=noise,
        degrees=float(n - p),
        estimator=estimator,
        X=data.X,
        names=data.names,
        parameters=tuple((str(a), float(b), float(c)) for a, b, c in zip(names, coefficients, errors, strict=True)),
        never=tuple(term_name(term, data.names) for term in terms.never_),
    )


def hold_out_polynomial(kind: str, data: Observations, splits: Sequence[Int[np.ndarray, " n"]]) -> HeldOut:
    """Predict every fold of every split from the other folds, exactly, without a refit."""
    design = BlendingTerms(data.ingredients, DEGREES[kind], data.total).fit_transform(data.X)
    Q = np.linalg.qr(design)[0]
    residuals = data.y - Q @ (Q.T @ data.y)
    found = np.full((3, len(splits), len(data.y)), np.nan)
    for repeat, folds in enumerate(splits):
        for fold in np.unique(folds):
            rows = np.flatnonzero(folds == fold)
            found[:, repeat, rows] = _hold_out_rows(rows, Q, residuals, data.y)
    return HeldOut(*found)


def _hold_out_rows(
    rows: Int[np.ndarray, " g"],
    Q: Float[np.ndarray, "n p"],
    residuals: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "3 g"]:
    n, p = Q.shape
    degrees = n - len(rows) - p
    # (I − H_GG)⁻¹ = I + U s/(1 − s) U' with H_GG = U s U': as small as the fold or as the number of terms.
    U, sizes, _ = np.linalg.svd(Q[rows], full_matrices=False)
    taken = sizes**2
    if degrees < 1 or taken[0] > 1 - 1e-9:
        return np.full((3, len(rows)), np.nan)
    grown = taken / (1 - taken)
    missed = residuals[rows] + U @ (grown * (U.T @ residuals[rows]))
    left = max(float(residuals @ residuals - residuals[rows] @ missed), 0.0)
    deviation = np.sqrt(left / degrees * (1 + np.sum(U * U * grown, axis=1)))
    return np.vstack([y[rows] - missed, deviation, np.full(len(rows), float(degrees))])
