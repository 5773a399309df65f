"""Densities: Gaussian mixtures, single Gaussians, kernel densities; distances from centers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import digamma

from landform.backends.sklearn.bayes import quadratic_scores
from landform.backends.sklearn.join import chain
from landform.backends.sklearn.linear import SOFTMAX
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

CENTERS = "distances have a kink at the centers; the slope there is given as 0"


def log_sum(x: jax.Array) -> jax.Array:
    """Log of the sum of exponentials."""
    return jax.scipy.special.logsumexp(x)[None]


def _roots(estimator: Any) -> np.ndarray:
    """Cholesky factors of the precisions, one matrix per part of the mixture."""
    factors, (parts, n) = np.asarray(estimator.precisions_cholesky_), estimator.means_.shape
    kind = estimator.covariance_type
    if kind == "full":
        return factors
    if kind == "tied":
        return np.broadcast_to(factors, (parts, n, n)).copy()
    return np.stack([np.diag(np.broadcast_to(row, (n,))) for row in factors])


def _weighted(estimator: Any) -> Translation:
    """Log of weight times density of every part."""
    roots, n = _roots(estimator), estimator.means_.shape[1]
    constants = np.log(np.einsum("kii->ki", roots)).sum(axis=1) - 0.5 * n * np.log(2 * np.pi)
    constants = constants + estimator._estimate_log_weights()
    if type(estimator).__name__ == "BayesianGaussianMixture":
        freedom = np.asarray(estimator.degrees_of_freedom_)
        digammas = digamma(0.5 * (freedom - np.arange(n)[:, None])).sum(axis=0)
        constants = constants - 0.5 * n * np.log(freedom)
        constants = constants + 0.5 * (n * np.log(2.0) + digammas - n / estimator.mean_precision_)
    return Translation(quadratic_scores, (np.asarray(estimator.means_), roots, constants))


def translate_responsibilities(estimator: Any, method: str) -> Translation:
    """Which part of a mixture a row belongs to, as probabilities."""
    return chain([_weighted(estimator), SOFTMAX])


def translate_density(estimator: Any, method: str) -> Translation:
    """Log density of a mixture."""
    return chain([_weighted(estimator), Translation(log_sum, ())])


def quadratic(x: jax.Array, center: jax.Array, matrix: jax.Array, constant: jax.Array) -> jax.Array:
    """Constant + (x − center)' matrix (x − center)."""
    gap = x - center
    return (constant + gap @ matrix @ gap)[None]


def translate_gaussian(estimator: Any, method: str) -> Translation:
    """Log density under the Gaussian that `PCA` or `FactorAnalysis` implies."""
    precision = np.asarray(estimator.get_precision())
    n = len(precision)
    constant = -0.5 * (n * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1])
    return Translation(quadratic, (np.asarray(estimator.mean_), -0.5 * precision, np.float64(constant)))


def translate_ellipse(estimator: Any, method: str) -> Translation:
    """`EllipticEnvelope`: minus the squared Mahalanobis distance."""
    offset = estimator.offset_ if method == "decision_function" else 0.0
    precision = np.asarray(estimator.get_precision())
    return Translation(quadratic, (np.asarray(estimator.location_), -precision, -np.float64(offset)))


def smoothed(x: jax.Array, X: jax.Array, logs: jax.Array, width: jax.Array) -> jax.Array:
    """Log of a weighted sum of Gaussian bells on the rows of X."""
    gaps = x - X
    return log_sum(logs - 0.5 * jnp.sum(gaps * gaps, axis=1) / width**2)


def translate_kernel_density(estimator: Any, method: str) -> Translation:
    """`KernelDensity` with a Gaussian kernel."""
    if estimator.kernel != "gaussian" or estimator.metric not in ("euclidean", "l2"):
        raise ModelError(
            "a KernelDensity with a Gaussian kernel and Euclidean distances",
            got=f"kernel {estimator.kernel!r}, metric {estimator.metric!r}",
            remedy="fit with kernel='gaussian'",
        )
    X = np.asarray(estimator.tree_.data)
    given = estimator.tree_.sample_weight
    weights = np.ones(len(X)) if given is None else np.asarray(given)
    width = np.float64(estimator.bandwidth_)
    logs = np.log(weights / weights.sum()) - 0.5 * X.shape[1] * np.log(2 * np.pi * width**2)
    return Translation(smoothed, (X, logs, width))


def distances(x: jax.Array, centers: jax.Array) -> jax.Array:
    """Euclidean distances from centers."""
    square = jnp.sum((x - centers) ** 2, axis=1)
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def translate_distances(estimator: Any, method: str) -> Translation:
    """What `KMeans`, its relatives and `Birch` transform to."""
    inner = type(estimator).__name__ == "Birch"
    centers = estimator.subcluster_centers_ if inner else estimator.cluster_centers_
    return Translation(distances, (np.asarray(centers, dtype=np.float64),), (CENTERS,))
