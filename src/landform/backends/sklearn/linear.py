"""Linear and generalized linear models: a matrix and an intercept, then a link."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit

from landform.backends import closed
from landform.backends.sklearn.join import affine_by, both_classes, chain, shares
from landform.backends.sklearn.registry import Translation, closed_by
from landform.errors import ModelError

CLIPPED = "clipped: the slope is zero beyond the limits, and the curve zero everywhere"


def affine(x: jax.Array, weights: jax.Array, intercept: jax.Array) -> jax.Array:
    """Weights of shape (m, n) times x, plus the intercept."""
    return weights @ x + intercept


def affine_of(weights: Any, intercept: Any) -> Translation:
    """The translation of a matrix and an intercept in any of scikit-learn's shapes."""
    matrix = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    shift = np.broadcast_to(np.asarray(intercept, dtype=np.float64), (matrix.shape[0],))
    return Translation(affine, (matrix, shift))


def translate_linear(estimator: Any, method: str = "predict") -> Translation:
    """Everything that is ``coef_`` times x plus ``intercept_``."""
    return affine_of(estimator.coef_, estimator.intercept_)


def exponential(x: jax.Array) -> jax.Array:
    """Exp, the inverse of the logarithmic link."""
    return jnp.exp(x)


def translate_generalized(estimator: Any, method: str) -> Translation:
    """`PoissonRegressor`, `GammaRegressor`, `TweedieRegressor`: with the logarithm or the identity as link."""
    link = type(estimator._base_loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise ModelError("a logarithmic or identity link", got=link, remedy="set link= to 'log' or 'identity'")
    line = translate_linear(estimator)
    return line if link == "IdentityLink" else chain([line, Translation(exponential, ())])


def spread(x: jax.Array, center: jax.Array, covariance: jax.Array, noise: jax.Array) -> jax.Array:
    """Standard deviation of a prediction: of the coefficients and of the noise."""
    gap = x - center
    return jnp.sqrt(gap @ covariance @ gap + noise)[None]


def translate_linear_spread(estimator: Any, method: str) -> Translation:
    """What ``predict(return_std=True)`` gives for `BayesianRidge` and `ARDRegression`."""
    n = estimator.n_features_in_
    covariance = np.zeros((n, n))
    kept = np.ones(n, dtype=bool)
    if type(estimator).__name__ == "ARDRegression":
        kept = np.asarray(estimator.lambda_ < estimator.threshold_lambda)
    covariance[np.ix_(kept, kept)] = estimator.sigma_
    center = np.broadcast_to(np.asarray(estimator.X_offset_, dtype=np.float64), (n,))
    return Translation(spread, (center, covariance, np.float64(1.0 / estimator.alpha_)))


def logistic(x: jax.Array) -> jax.Array:
    """1 / (1 + exp(−x))."""
    return jax.nn.sigmoid(x)


def softmax(x: jax.Array) -> jax.Array:
    """Shares that are proportional to exp(x)."""
    return jax.nn.softmax(x)


def clipped_shares(x: jax.Array) -> jax.Array:
    """Half of x, clipped to [−1, 1], plus one half: the probability of a modified Huber loss."""
    return (jnp.clip(x, -1.0, 1.0) + 1.0) / 2.0


LOGISTIC, SOFTMAX, SHARES = Translation(logistic, ()), Translation(softmax, ()), Translation(shares, ())
BOTH_CLASSES = Translation(both_classes, ())


def translate_probabilities(estimator: Any, method: str) -> Translation:
    """Probabilities of linear classifiers: logistic for two classes, softmax or normalized logistics for more."""
    line, name = translate_linear(estimator), type(estimator).__name__
    kind = LOGISTIC
    if name == "SGDClassifier" and estimator.loss == "modified_huber":
        kind = Translation(clipped_shares, (), (CLIPPED,))
    if len(estimator.classes_) == 2:
        return chain([line, kind, BOTH_CLASSES])
    return chain([line, kind, SHARES]) if name == "SGDClassifier" else chain([line, SOFTMAX])


def translate_one_class(estimator: Any, method: str) -> Translation:
    """`SGDOneClassSVM`: distance from the plane, with or without its offset."""
    offset = estimator.offset_ if method == "decision_function" else 0.0
    return affine_of(estimator.coef_, -np.asarray(offset))


def _bell(x: np.ndarray) -> np.ndarray:
    return np.asarray(expit(x) * expit(-x))


def _bell_slope(x: np.ndarray) -> np.ndarray:
    return np.asarray(_bell(x) * (1.0 - 2.0 * expit(x)))


affine_by(affine, lambda _, weights, intercept: (weights, intercept))
closed_by(exponential, lambda X, order: closed.elementwise(X, order, np.exp, np.exp, np.exp))
closed_by(logistic, lambda X, order: closed.elementwise(X, order, expit, _bell, _bell_slope))
closed_by(softmax, closed.softmax)
