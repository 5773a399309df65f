"""Gaussian process regression: kernels as JAX functions, the posterior mean and covariance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import solve_triangular
from sklearn.gaussian_process import GaussianProcessRegressor, kernels

from landform.backends.sklearn.registry import Translation, register_translation
from landform.errors import ModelError

KernelFunction = Callable[..., jax.Array]
"""``k(x, z, *args)`` for two points; args are the kernel's hyperparameters."""


def constant(x: jax.Array, z: jax.Array, height: jax.Array) -> jax.Array:
    """One value everywhere."""
    return height + 0.0 * (x[0] + z[0])


def squared_exponential(x: jax.Array, z: jax.Array, length: jax.Array) -> jax.Array:
    """exp(−½ Σ ((x−z)/ℓ)²), with one length scale per input or one for all."""
    gap = (x - z) / length
    return jnp.exp(-0.5 * jnp.sum(gap * gap))


def noise_free(x: jax.Array, z: jax.Array) -> jax.Array:
    """What a white kernel adds between two points of the underlying function: nothing."""
    return 0.0 * (x[0] + z[0])


@lru_cache(maxsize=64)
def _sum(first: KernelFunction, second: KernelFunction) -> KernelFunction:
    return lambda x, z, a, b: first(x, z, *a) + second(x, z, *b)


@lru_cache(maxsize=64)
def _product(first: KernelFunction, second: KernelFunction) -> KernelFunction:
    return lambda x, z, a, b: first(x, z, *a) * second(x, z, *b)


def translate_kernel(kernel: Any) -> Translation:
    """A fitted kernel between two points of the underlying, noise-free function.

    Raises
    ------
    ModelError
        If the kernel's exact class has no translation.
    """
    kind = type(kernel)
    if kind is kernels.Sum or kind is kernels.Product:
        first, second = translate_kernel(kernel.k1), translate_kernel(kernel.k2)
        join = _sum if kind is kernels.Sum else _product
        return Translation(join(first.function, second.function), (first.args, second.args))
    if kind is kernels.ConstantKernel:
        return Translation(constant, (np.float64(kernel.constant_value),))
    if kind is kernels.RBF:
        return Translation(squared_exponential, (np.asarray(kernel.length_scale, dtype=np.float64),))
    if kind is kernels.WhiteKernel:
        return Translation(noise_free, ())
    raise ModelError(
        "a kernel of constants, RBF and white noise, their sums and products",
        got=kind.__name__,
        remedy="fit with one of these",
    )


@lru_cache(maxsize=64)
def _against_training(kernel: KernelFunction) -> Callable[..., jax.Array]:
    def covariances(x: jax.Array, X: jax.Array, args: tuple[Any, ...]) -> jax.Array:
        return jax.vmap(lambda row: kernel(x, row, *args))(X)

    return covariances


@lru_cache(maxsize=64)
def _posterior_mean(kernel: KernelFunction) -> Callable[..., jax.Array]:
    against = _against_training(kernel)

    def mean(
        x: jax.Array,
        X: jax.Array,
        args: tuple[Any, ...],
        weights: jax.Array,
        shift: jax.Array,
        scale: jax.Array,
    ) -> jax.Array:
        return shift + scale * (weights.T @ against(x, X, args))

    return mean


@register_translation(GaussianProcessRegressor)
def translate_gaussian_process(estimator: Any) -> Translation:
    """The posterior mean of a `GaussianProcessRegressor`."""
    kernel = translate_kernel(estimator.kernel_)
    weights = np.asarray(estimator.alpha_).reshape(len(estimator.X_train_), -1)
    shift = np.atleast_1d(estimator._y_train_mean)
    scale = np.atleast_1d(estimator._y_train_std)
    return Translation(
        _posterior_mean(kernel.function), (np.asarray(estimator.X_train_), kernel.args, weights, shift, scale)
    )


@dataclass(frozen=True)
class GaussianProcessCovariance:
    """The posterior covariance of the underlying function in parts that can be differentiated.

    cov(x, z) = scale² (kernel(x, z) − root·against(x) · root·against(z)).

    Parameters
    ----------
    kernel : Translation
        The prior covariance of two points.
    against : Translation
        Covariances of one point with all training points.
    root : array, shape (rows, rows)
        Inverse of the Cholesky factor of the training covariance.
    scale : float
        Standard deviation that the outputs were divided by.
    """

    kernel: Translation
    against: Translation
    root: np.ndarray
    scale: float


def posterior_covariance(estimator: Any) -> GaussianProcessCovariance:
    """The posterior covariance of a fitted `GaussianProcessRegressor` with one output.

    Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, eq. 2.24.
    """
    kernel = translate_kernel(estimator.kernel_)
    X = np.asarray(estimator.X_train_)
    root = solve_triangular(estimator.L_, np.eye(len(X)), lower=True)
    against = Translation(_against_training(kernel.function), (X, kernel.args))
    return GaussianProcessCovariance(kernel, against, root, float(np.squeeze(estimator._y_train_std)))
