"""Kernel ridge regression, kernel PCA, and maps that stand in for kernels."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.kernels import pairwise_expansion
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError


def _dense(X: Any) -> np.ndarray:
    if hasattr(X, "toarray"):
        raise ModelError("an estimator fitted on dense data", got="sparse training rows", remedy="fit on X.toarray()")
    return np.asarray(X, dtype=np.float64)


def translate_kernel_ridge(estimator: Any, method: str) -> Translation:
    """`KernelRidge`."""
    X = _dense(estimator.X_fit_)
    weights = np.asarray(estimator.dual_coef_).reshape(len(X), -1).T
    given = {name: getattr(estimator, name) for name in ("gamma", "degree", "coef0")}
    return pairwise_expansion(estimator.kernel, X, weights, 0.0, **given)


def translate_kernel_components(estimator: Any, method: str) -> Translation:
    """`KernelPCA`: kernels with the training rows, centered, on the scaled eigenvectors."""
    X = _dense(estimator.X_fit_)
    given = {"gamma": estimator.gamma_, "degree": estimator.degree, "coef0": estimator.coef0}
    values = np.asarray(estimator.eigenvalues_)
    scale = np.where(values == 0, 0.0, 1.0 / np.sqrt(np.where(values == 0, 1.0, values)))
    weights = (np.asarray(estimator.eigenvectors_) * scale).T
    centerer = estimator._centerer
    shift = weights @ (centerer.K_fit_all_ - centerer.K_fit_rows_)
    centered = weights - weights.sum(axis=1, keepdims=True) / len(X)
    return pairwise_expansion(estimator.kernel, X, centered, shift, **given)


def translate_nystroem(estimator: Any, method: str) -> Translation:
    """`Nystroem`: kernels with some of the training rows, made orthogonal."""
    X = _dense(estimator.components_)
    given = {**(estimator.kernel_params or {})} if isinstance(estimator.kernel, str) else {}
    for name in ("gamma", "degree", "coef0"):
        if getattr(estimator, name) is not None:
            given[name] = getattr(estimator, name)
    return pairwise_expansion(estimator.kernel, X, estimator.normalization_, 0.0, **given)


def waves(x: jax.Array, weights: jax.Array, offset: jax.Array, height: jax.Array) -> jax.Array:
    """Cosines of random projections."""
    return height * jnp.cos(weights @ x + offset)


def logarithmic_waves(
    x: jax.Array, weights: jax.Array, offset: jax.Array, height: jax.Array, skew: jax.Array
) -> jax.Array:
    """Cosines of random projections of log(x + skew)."""
    return waves(jnp.log(x + skew), weights, offset, height)


def _waves(estimator: Any) -> tuple[np.ndarray, np.ndarray, np.float64]:
    height = np.float64(np.sqrt(2.0 / estimator.n_components))
    return np.asarray(estimator.random_weights_).T, np.asarray(estimator.random_offset_), height


def translate_fourier(estimator: Any, method: str) -> Translation:
    """`RBFSampler`: random Fourier features."""
    return Translation(waves, _waves(estimator))


def translate_skewed(estimator: Any, method: str) -> Translation:
    """`SkewedChi2Sampler`."""
    return Translation(logarithmic_waves, (*_waves(estimator), np.float64(estimator.skewedness)))
