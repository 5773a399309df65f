"""Gaussian process regression: the posterior mean, covariance and standard deviation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import solve_triangular

from landform.backends.sklearn.closed_kernels import ClosedExpansion
from landform.backends.sklearn.kernel_jets import process_form
from landform.backends.sklearn.kernels import KernelFunction, against
from landform.backends.sklearn.process_kernels import translate_kernel
from landform.backends.sklearn.registry import Translation
from landform.backends.sklearn.slope_posterior import SlopePosterior
from landform.errors import ModelError

CERTAIN = "the standard deviation has a kink where it is zero; its slope there is given as 0"


@lru_cache(maxsize=64)
def _posterior_mean(kernel: KernelFunction) -> Callable[..., jax.Array]:
    rows = against(kernel)

    def mean(
        x: jax.Array,
        X: jax.Array,
        args: tuple[Any, ...],
        weights: jax.Array,
        shift: jax.Array,
        scale: jax.Array,
    ) -> jax.Array:
        return shift + scale * (weights.T @ rows(x, X, args))

    return mean


def _refuse_prior(estimator: Any) -> None:
    if not hasattr(estimator, "X_train_"):
        raise ModelError("a fitted estimator", got="GaussianProcessRegressor, not fitted", remedy="call its fit first")


def translate_gaussian_process(estimator: Any, method: str = "predict") -> Translation:
    """The posterior mean of a `GaussianProcessRegressor`."""
    _refuse_prior(estimator)
    kernel = translate_kernel(estimator.kernel_)
    weights = np.asarray(estimator.alpha_, dtype=np.float64).reshape(len(estimator.X_train_), -1)
    shift = np.atleast_1d(estimator._y_train_mean)
    scale = np.atleast_1d(estimator._y_train_std)
    X = np.asarray(estimator.X_train_, dtype=np.float64)
    args = (X, kernel.args, weights, shift, scale)
    form, smooth = process_form(estimator.kernel_, X.shape[1]), _posterior_mean(kernel.function)
    if form is None:
        return Translation(smooth, args, kernel.notes)
    scales = np.broadcast_to(scale, weights.shape[1:])
    mean = ClosedExpansion(form, X, scales[:, None] * weights.T, np.broadcast_to(shift, weights.shape[1:]))
    spread = SlopePosterior(form, X, np.asarray(estimator.L_, dtype=np.float64), scales)
    return Translation(smooth, args, kernel.notes, mean, spread)


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
    rows = Translation(against(kernel.function), (X, kernel.args))
    return GaussianProcessCovariance(kernel, rows, root, float(np.squeeze(estimator._y_train_std)))


def safe_root(variance: jax.Array) -> jax.Array:
    """√variance, and 0 with slope 0 where it is not positive."""
    return jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1.0)), 0.0)


@lru_cache(maxsize=64)
def _posterior_spread(prior: KernelFunction, kernel: KernelFunction, rooted: bool) -> Callable[..., jax.Array]:
    rows = against(kernel)

    def spread(
        x: jax.Array,
        X: jax.Array,
        own: tuple[Any, ...],
        args: tuple[Any, ...],
        factor: jax.Array,
        scale: jax.Array,
    ) -> jax.Array:
        known = jax.scipy.linalg.solve_triangular(factor, rows(x, X, args), lower=True)
        variance = prior(x, x, *own) - known @ known
        return scale * safe_root(variance) if rooted else scale**2 * variance

    return spread


def translate_spread(estimator: Any, method: str) -> Translation:
    """What ``return_std`` and, for one row with itself, ``return_cov`` give: the noise of a `WhiteKernel` counts.

    Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, alg. 2.1.
    """
    _refuse_prior(estimator)
    kernel, prior = translate_kernel(estimator.kernel_), translate_kernel(estimator.kernel_, noisy=True)
    scale = np.broadcast_to(np.atleast_1d(estimator._y_train_std), np.atleast_2d(estimator.alpha_.T).shape[:1])
    args = (np.asarray(estimator.X_train_), prior.args, kernel.args, np.asarray(estimator.L_), scale)
    rooted = method == "predict_std"
    function = _posterior_spread(prior.function, kernel.function, rooted)
    return Translation(function, args, (*kernel.notes, CERTAIN) if rooted else kernel.notes)
