"""Projections on a few directions: PLS, PCA and its relatives, all of them affine."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from landform.backends.sklearn.linear import affine_of
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError


def translate_latent_regression(estimator: Any, method: str) -> Translation:
    """The prediction of PLS and CCA, which centers the inputs and does not scale them."""
    weights = np.asarray(estimator.coef_)
    return affine_of(weights, np.asarray(estimator.intercept_) - weights @ np.asarray(estimator._x_mean))


def translate_latent_scores(estimator: Any, method: str) -> Translation:
    """The scores of PLS and CCA, which center and scale the inputs."""
    rotations = estimator.x_weights_ if type(estimator).__name__ == "PLSSVD" else estimator.x_rotations_
    weights = np.asarray(rotations).T / np.asarray(estimator._x_std)
    return affine_of(weights, -weights @ np.asarray(estimator._x_mean))


def translate_projection(estimator: Any, method: str) -> Translation:
    """PCA and its relatives, discriminant directions, random projections, learned neighborhoods."""
    name = type(estimator).__name__
    center = np.zeros(estimator.n_features_in_)
    if name == "LinearDiscriminantAnalysis":
        if estimator.solver == "lsqr":
            raise ModelError(
                "a LinearDiscriminantAnalysis that transforms",
                got="solver='lsqr', which does not",
                remedy="fit with solver='svd' or 'eigen', or choose another method=",
            )
        weights = np.asarray(estimator.scalings_)[:, : estimator._max_components].T
        center = center if estimator.solver == "eigen" else np.asarray(estimator.xbar_)
    elif name == "FactorAnalysis":
        scaled = estimator.components_ / estimator.noise_variance_
        weights = linalg.inv(np.eye(len(scaled)) + scaled @ estimator.components_.T).T @ scaled
        center = np.asarray(estimator.mean_)
    else:
        weights = estimator.components_
        weights = weights.toarray() if hasattr(weights, "toarray") else np.asarray(weights)
        if name in ("PCA", "IncrementalPCA") or (name == "FastICA" and estimator.whiten):
            center = np.asarray(estimator.mean_)
        if name in ("PCA", "IncrementalPCA") and estimator.whiten:
            deviation = np.sqrt(estimator.explained_variance_)
            weights = weights / np.maximum(deviation, np.finfo(deviation.dtype).eps)[:, None]
    return affine_of(weights, -weights @ center)


def translate_sparse_components(estimator: Any, method: str) -> Translation:
    """`SparsePCA`: the ridge regression of a centered row on the directions."""
    directions = np.asarray(estimator.components_)
    gram = directions @ directions.T + estimator.ridge_alpha * np.eye(len(directions))
    weights = linalg.solve(gram, directions, assume_a="pos")
    return affine_of(weights, -weights @ np.asarray(estimator.mean_))


def translate_pools(estimator: Any, method: str) -> Translation:
    """`FeatureAgglomeration`: means of the inputs in each group."""
    if estimator.pooling_func is not np.mean:
        raise ModelError(
            "a FeatureAgglomeration that pools by the mean",
            got=getattr(estimator.pooling_func, "__name__", repr(estimator.pooling_func)),
            remedy="fit with pooling_func=numpy.mean: medians and extremes have kinks wherever two inputs are equal",
        )
    labels = np.asarray(estimator.labels_)
    weights = (labels == np.unique(labels)[:, None]).astype(np.float64)
    return affine_of(weights / weights.sum(axis=1, keepdims=True), 0.0)
