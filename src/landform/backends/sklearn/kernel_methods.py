"""Kernel ridge regression, kernel PCA, and maps that stand in for kernels."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import chain, ratios
from landform.backends.sklearn.kernels import pairwise_expansion
from landform.backends.sklearn.linear import affine_of
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


ROOTS = "square roots: no slope where an entry is 0; it is given as 0 there"


def additive_waves(x: jax.Array, interval: jax.Array, steps: jax.Array) -> jax.Array:
    """√x, then √x times cosines and sines of log x, at every step; 0 where x is 0."""
    safe = jnp.where(x > 0, x, 1.0)
    parts = [jnp.sqrt(safe * interval)]
    for j in range(1, steps.shape[0]):
        height = jnp.sqrt(2.0 * safe * interval / jnp.cosh(jnp.pi * j * interval))
        angle = j * interval * jnp.log(safe)
        parts += [height * jnp.cos(angle), height * jnp.sin(angle)]
    return (jnp.where(x > 0, 1.0, 0.0) * jnp.stack(parts)).ravel()


def translate_additive(estimator: Any, method: str) -> Translation:
    """`AdditiveChi2Sampler`: Vedaldi and Zisserman (2012), *IEEE Trans. PAMI* 34, 480."""
    usual = {1: 0.8, 2: 0.5, 3: 0.4}
    interval = usual[estimator.sample_steps] if estimator.sample_interval is None else estimator.sample_interval
    return Translation(additive_waves, (np.float64(interval), np.zeros(estimator.sample_steps)), (ROOTS,))


def sketch(x: jax.Array, hashes: jax.Array, shifts: jax.Array) -> jax.Array:
    """Circular convolution of several hashed sums of x, by their Fourier transforms."""
    sums = jnp.einsum("dkn,n->dk", hashes, x) + shifts
    return jnp.real(jnp.fft.ifft(jnp.prod(jnp.fft.fft(sums, axis=1), axis=0)))


def translate_sketch(estimator: Any, method: str) -> Translation:
    """`PolynomialCountSketch`: Pham and Pagh (2013), *KDD*, 239."""
    n, places, signs = estimator.n_features_in_, np.asarray(estimator.indexHash_), np.asarray(estimator.bitHash_)
    hashes = np.zeros((estimator.degree, estimator.n_components, places.shape[1]))
    for d in range(estimator.degree):
        hashes[d, places[d], np.arange(places.shape[1])] = signs[d]
    shifts = np.sqrt(estimator.coef0) * hashes[:, :, n:].sum(axis=2)
    return Translation(sketch, (np.sqrt(estimator.gamma) * hashes[:, :, :n], shifts))


def translate_centerer(estimator: Any, method: str) -> Translation:
    """`KernelCenterer`: one row of a kernel matrix, centered."""
    rows = np.asarray(estimator.K_fit_rows_, dtype=np.float64)
    n = len(rows)
    return affine_of(np.eye(n) - np.full((n, n), 1.0 / n), estimator.K_fit_all_ - rows)


def translate_spread_labels(estimator: Any, method: str) -> Translation:
    """`LabelPropagation` and `LabelSpreading`: labels of the training rows, weighted by a Gaussian kernel.

    Too far from all of them every weight is zero, and what comes is no number, as it is in scikit-learn.
    """
    if estimator.kernel != "rbf":
        raise ModelError(
            f"a {type(estimator).__name__} with kernel='rbf'",
            got=repr(estimator.kernel),
            remedy="fit with rbf: neighbors make it jump, and a function of one's own cannot be read",
        )
    weights = np.asarray(estimator.label_distributions_).T
    sums = pairwise_expansion("rbf", _dense(estimator.X_), weights, 0.0, gamma=estimator.gamma)
    return chain([sums, Translation(ratios, ())])
