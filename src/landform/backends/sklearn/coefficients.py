"""How surely the coefficients of linear and generalized linear models are known.

One form serves all: with A the features and a column of ones, F the Fisher information of the coefficients and P the
penalty's curvature, their covariance is (F + P)⁻¹. Without a penalty it is the sampling covariance of maximum
likelihood; with one it is Laplace's approximation, the penalty read as a prior, whose intervals cover on average over
the rows (Nychka 1988).

References
----------
McCullagh and Nelder (1989), *Generalized Linear Models*, sec. 2.5 and 4.4; Nychka (1988), "Bayesian confidence
intervals for smoothing splines", JASA 83.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.sklearn.core import Core
from landform.backends.sklearn.join import chain, identity
from landform.backends.sklearn.linear import BOTH_CLASSES, LOGISTIC, SOFTMAX, exponential
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

_SOLVED, _ITERATED = 0.05, 0.5
"""A fit whose next Newton step is longer than so many standard errors was made with other rows, target or weights:
least squares are solved, the others come close."""

_LARGEST = 4000


@dataclass(frozen=True, eq=False)
class Coefficients:
    """A model link(W φ(x) + b), and the covariance of W and b.

    Parameters
    ----------
    before : Translation
        φ: the steps before, taken as known.
    weights, intercept : array, shapes (k, p) and (k,)
        W and b.
    link : Translation
        From k numbers to the outputs.
    covariance : array, shape (k (p + 1), k (p + 1))
        Of every row of W followed by its intercept.
    degrees : float
        Degrees of freedom of the residual variance; infinite where none was estimated.
    how : str
        In words.
    """

    before: Translation
    weights: Float[np.ndarray, "k p"]
    intercept: Float[np.ndarray, " k"]
    link: Translation
    covariance: Float[np.ndarray, "q q"]
    degrees: float
    how: str


def coefficients_of(core: Core, method: str, X: Any, y: np.ndarray | None) -> Coefficients | None:
    """The coefficients of a model and their covariance, or None where no closed form is known.

    Parameters
    ----------
    core : Core
        The fitted estimator taken apart.
    method : str
        Which of its methods is meant.
    X : array or data frame
        The rows it was fitted on.
    y : array or None
        The target; where None only models that keep their covariance are served.

    Raises
    ------
    ModelError
        If the estimator cannot have been fitted to ``X`` and ``y``.
    """
    estimator = core.estimator
    name = type(estimator).__name__ if type(estimator).__module__.startswith("sklearn.") else ""
    if name in ("BayesianRidge", "ARDRegression") and method == "predict":
        return _bayesian(core)
    if y is None or (name, method) not in _FAMILIES:
        return None
    if np.size(estimator.coef_) > _LARGEST:
        return None
    features = core.features(X)
    return _FAMILIES[name, method](core, features, core.fitted_target(y))


def _ones(features: np.ndarray, estimator: Any) -> np.ndarray:
    """Features and a last column for the intercept: ones, or nothing where none was fitted."""
    column = np.ones(len(features)) if getattr(estimator, "fit_intercept", True) else np.zeros(len(features))
    return np.column_stack([features, column])


def _parameters(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    weights = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    return weights, np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), (len(weights),)).copy()


def _inverse(information: np.ndarray) -> np.ndarray:
    """Inverse along what the rows tell of; a direction they do not vary along says nothing and gets nothing."""
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    return np.linalg.pinv(information / np.outer(size, size), rcond=1e-12, hermitian=True) / np.outer(size, size)


def _refuse_other_target(step: np.ndarray, information: np.ndarray, name: str, most: float = _ITERATED) -> None:
    distance = float(np.sqrt(max(step @ information @ step, 0.0)))
    if not distance <= most:
        raise ModelError(
            f"the rows and the target that {name} was fitted on",
            got=f"a best fit {distance:.3g} standard errors away from its coefficients",
            remedy="pass these as y=, with train= where they belong to other rows than X; fit without sample weights, "
            "and until it converges",
            where="argument y",
        )


def _bayesian(core: Core) -> Coefficients:
    estimator = core.estimator
    weights, intercept = _parameters(estimator)
    kept = np.ones(weights.shape[1] + 1, dtype=bool)
    kept[-1] = False  # no slope and no contrast depends on the intercept
    if type(estimator).__name__ == "ARDRegression":
        kept[:-1] = estimator.lambda_ < estimator.threshold_lambda
    covariance = np.zeros((len(kept), len(kept)))
    covariance[np.ix_(kept, kept)] = estimator.sigma_
    how = f"posterior of the coefficients that {type(estimator).__name__} keeps"
    return Coefficients(core.before, weights, intercept, core.after, covariance, np.inf, how)


def _least_squares(core: Core, features: np.ndarray, y: np.ndarray) -> Coefficients | None:
    """Ordinary least squares and ridge regression, every output by itself."""
    estimator, name = core.estimator, type(core.estimator).__name__
    if getattr(estimator, "positive", False):
        return None
    weights, intercept = _parameters(estimator)
    strength = np.broadcast_to(getattr(estimator, "alpha_", getattr(estimator, "alpha", 0.0)), (len(weights),))
    A, Y = _ones(features, estimator), np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    count, p = A.shape
    covariance = np.zeros((len(weights) * p, len(weights) * p))
    degrees = np.inf
    for k in range(len(weights)):
        information = A.T @ A + np.diag(np.append(np.full(p - 1, strength[k]), 0.0))
        inverse = _inverse(information)
        theta = np.append(weights[k], intercept[k])
        left = Y[:, k] - A @ theta
        free = count - float(np.trace(inverse @ A.T @ A))
        degrees = min(degrees, _enough(free, name))
        variance = float(left @ left) / free
        pull = A.T @ left - np.append(strength[k] * weights[k], 0.0)
        if variance > 0:
            _refuse_other_target(inverse @ pull, information / variance, name, _SOLVED)
        covariance[k * p : (k + 1) * p, k * p : (k + 1) * p] = variance * inverse
    how = "closed form: least squares, residual variance from the fit"
    if np.any(strength > 0):
        how = "Laplace: least squares with the penalty read as a prior"
    return Coefficients(core.before, weights, intercept, core.after, covariance, degrees, how)


def _enough(degrees: float, name: str) -> float:
    if degrees < 1:
        raise ModelError(
            "more rows than coefficients, so that the noise can be told",
            got=f"{name} with {degrees:.2g} degrees of freedom left",
            remedy='leave y out, or pass doubt="none"',
            where="argument y",
        )
    return degrees


def _generalized(core: Core, features: np.ndarray, y: np.ndarray) -> Coefficients | None:
    """`PoissonRegressor`, `GammaRegressor`, `TweedieRegressor`: dispersion from Pearson's residuals."""
    estimator, name = core.estimator, type(core.estimator).__name__
    weights, intercept = _parameters(estimator)
    A = _ones(features, estimator)
    eta = A @ np.append(weights[0], intercept[0])
    logarithmic = type(estimator._base_loss.link).__name__ == "LogLink"
    mean = np.exp(eta) if logarithmic else eta
    slope = mean if logarithmic else np.ones_like(mean)
    power = {"PoissonRegressor": 1.0, "GammaRegressor": 2.0}.get(name, getattr(estimator, "power", 0.0))
    variance = mean**power
    gap = np.asarray(y, dtype=np.float64).ravel() - mean
    penalty = np.append(np.full(A.shape[1] - 1, len(A) * estimator.alpha), 0.0)
    fisher = (A.T * (slope**2 / variance)) @ A
    information = fisher + np.diag(penalty)
    inverse = _inverse(information)
    degrees = _enough(len(A) - float(np.trace(inverse @ fisher)), name)
    dispersion = float(np.sum(gap**2 / variance)) / degrees
    pull = A.T @ (gap * slope / variance) - penalty * np.append(weights[0], 0.0)
    _refuse_other_target(inverse @ pull, information / dispersion, name)
    how = "closed form: Fisher information, dispersion from Pearson's residuals"
    if estimator.alpha > 0:
        how = "Laplace: Fisher information with the penalty read as a prior, dispersion from Pearson's residuals"
    link = Translation(exponential, ()) if logarithmic else Translation(identity, ())
    return Coefficients(core.before, weights, intercept, chain([link, core.after]), dispersion * inverse, degrees, how)


def _logistic(core: Core, features: np.ndarray, y: np.ndarray) -> Coefficients | None:
    """Logistic regression of two classes or several, with a quadratic penalty or none."""
    estimator = core.estimator
    if getattr(estimator, "class_weight", None) is not None or _has_absolute_penalty(estimator):
        return None
    weights, intercept = _parameters(estimator)
    A = _ones(features, estimator)
    codes = np.searchsorted(estimator.classes_, np.asarray(y).ravel())
    known = np.asarray(estimator.classes_)[np.minimum(codes, len(estimator.classes_) - 1)] == np.asarray(y).ravel()
    if not known.all():
        raise ModelError(
            f"classes among {', '.join(map(str, estimator.classes_))}",
            got=repr(np.asarray(y).ravel()[~known][0]),
            remedy="pass the target it was fitted with",
            where="argument y",
        )
    theta = np.column_stack([weights, intercept])
    eta = A @ theta.T
    told = np.eye(len(estimator.classes_))[codes]
    if len(weights) == 1:
        share = 1.0 / (1.0 + np.exp(-eta))
        told = told[:, 1:]
    else:
        share = np.exp(eta - eta.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
    k, p = theta.shape
    fisher = np.zeros((k, p, k, p))
    for a in range(k):
        for b in range(k):
            weight = share[:, a] * ((a == b) - share[:, b])
            fisher[a, :, b, :] = (A.T * weight) @ A
    penalty = np.full((k, p), 0.0 if estimator.penalty is None else 1.0 / float(np.ravel(_looseness(estimator))[0]))
    penalty[:, -1] *= estimator.intercept_scaling**-2.0 if estimator.solver == "liblinear" else 0.0
    information = fisher.reshape(k * p, k * p) + np.diag(penalty.ravel())
    inverse = _inverse(information)
    pull = (told - share).T @ A - penalty * theta
    _refuse_other_target(inverse @ pull.ravel(), information, type(estimator).__name__)
    how = "closed form: Fisher information of the logistic model"
    if np.any(penalty > 0):
        how = "Laplace: Fisher information of the logistic model with the penalty read as a prior"
    link = chain([LOGISTIC, BOTH_CLASSES]) if k == 1 else SOFTMAX
    return Coefficients(core.before, weights, intercept, link, inverse, np.inf, how)


def _looseness(estimator: Any) -> Any:
    """C, the inverse strength of the penalty."""
    return estimator.C_ if hasattr(estimator, "C_") else estimator.C


def _has_absolute_penalty(estimator: Any) -> bool:
    ratio = np.ravel(getattr(estimator, "l1_ratio_", getattr(estimator, "l1_ratio", None) or 0.0))[0]
    return getattr(estimator, "penalty", None) in ("l1", "elasticnet") or bool(ratio)


def _decision(core: Core, features: np.ndarray, y: np.ndarray) -> Coefficients | None:
    found = _logistic(core, features, y)
    if found is None:
        return None
    return Coefficients(
        found.before, found.weights, found.intercept, Translation(identity, ()), found.covariance, np.inf, found.how
    )


_Family = Callable[[Core, np.ndarray, np.ndarray], Coefficients | None]
_FAMILIES: dict[tuple[str, str], _Family] = {
    **{(name, "predict"): _least_squares for name in ("LinearRegression", "Ridge", "RidgeCV")},
    **{(name, "predict"): _generalized for name in ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")},
    **{(name, "predict_proba"): _logistic for name in ("LogisticRegression", "LogisticRegressionCV")},
    **{(name, "decision_function"): _decision for name in ("LogisticRegression", "LogisticRegressionCV")},
}
