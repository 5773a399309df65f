"""Discriminant analysis with a covariance per class, nearest centroids, and naive Bayes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import chain
from landform.backends.sklearn.linear import SOFTMAX, affine_of
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError


def quadratic_scores(x: jax.Array, centers: jax.Array, roots: jax.Array, constants: jax.Array) -> jax.Array:
    """−½ |rootᵀ (x − center)|² + constant, for every class; roots of shape (classes, n, r)."""
    gaps = jnp.einsum("kn,knr->kr", x - centers, roots)
    return constants - 0.5 * jnp.sum(gaps * gaps, axis=1)


def difference(x: jax.Array) -> jax.Array:
    """The second of two numbers minus the first."""
    return x[1:] - x[:1]


def _padded(blocks: list[np.ndarray]) -> np.ndarray:
    """Matrices with the same rows as one array, narrower ones filled with zeros."""
    width = max(block.shape[1] for block in blocks)
    return np.stack([np.pad(block, ((0, 0), (0, width - block.shape[1]))) for block in blocks])


def joint(estimator: Any) -> Translation:
    """Log of prior times likelihood of every class, up to a constant where scikit-learn leaves it out.

    Raises
    ------
    ModelError
        If the estimator cuts its inputs into zeros and ones first.
    """
    name = type(estimator).__name__
    if name == "QuadraticDiscriminantAnalysis":
        pairs = zip(estimator.rotations_, estimator.scalings_, strict=True)
        roots = _padded([np.asarray(r) * np.asarray(s) ** -0.5 for r, s in pairs])
        logs = np.array([np.sum(np.log(s)) for s in estimator.scalings_])
        constants = np.log(estimator.priors_) - 0.5 * logs
        return Translation(quadratic_scores, (np.asarray(estimator.means_), roots, constants))
    if name == "GaussianNB":
        variance = np.asarray(estimator.var_)
        roots = np.stack([np.diag(row**-0.5) for row in variance])
        constants = np.log(estimator.class_prior_) - 0.5 * np.sum(np.log(2 * np.pi * variance), axis=1)
        return Translation(quadratic_scores, (np.asarray(estimator.theta_), roots, constants))
    if name == "NearestCentroid":
        width = np.asarray(estimator.within_class_std_dev_, dtype=np.float64)
        roots = np.diag(np.sqrt(2.0) / np.where(width != 0, width, 1.0))
        centers = np.asarray(estimator.centroids_, dtype=np.float64)
        return Translation(
            quadratic_scores, (centers, np.stack([roots] * len(centers)), 2.0 * np.log(estimator.class_prior_))
        )
    logs = np.asarray(estimator.feature_log_prob_)
    if name == "BernoulliNB":
        if estimator.binarize is not None:
            raise ModelError(
                "a BernoulliNB with binarize=None",
                got=f"binarize={estimator.binarize}, which makes it piecewise constant",
                remedy="use GaussianNB or LogisticRegression, whose probabilities have slopes",
            )
        absent = np.log(1 - np.exp(logs))
        return affine_of(logs - absent, estimator.class_log_prior_ + absent.sum(axis=1))
    alone = name == "ComplementNB" and len(estimator.classes_) > 1
    return affine_of(logs, 0.0 if alone else estimator.class_log_prior_)


def translate_joint(estimator: Any, method: str) -> Translation:
    """The decision function of `QuadraticDiscriminantAnalysis` and `NearestCentroid`."""
    scores = joint(estimator)
    return chain([scores, Translation(difference, ())]) if len(estimator.classes_) == 2 else scores


def translate_posterior(estimator: Any, method: str) -> Translation:
    """Probabilities of the classes."""
    return chain([joint(estimator), SOFTMAX])
