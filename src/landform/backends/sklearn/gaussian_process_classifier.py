"""Gaussian process classification: a latent process squeezed into probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.gaussian_process import _gpc

from landform.backends.sklearn.join import chain, shares_if_any, side_by_side
from landform.backends.sklearn.kernels import KernelFunction, against
from landform.backends.sklearn.linear import BOTH_CLASSES
from landform.backends.sklearn.process_kernels import translate_kernel
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

_RATES, _HEIGHTS = np.ravel(_gpc.LAMBDAS), np.ravel(_gpc.COEFS)


@lru_cache(maxsize=64)
def probability(prior: KernelFunction, kernel: KernelFunction) -> Callable[..., jax.Array]:
    """Probability of the second class from the latent mean and variance.

    Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, alg. 3.2; the logistic function as a sum
    of error functions, Williams and Barber (1998), *IEEE Trans. PAMI* 20, app. A.
    """
    rows = against(kernel)

    def second_class(
        x: jax.Array,
        X: jax.Array,
        own: tuple[Any, ...],
        args: tuple[Any, ...],
        residual: jax.Array,
        width: jax.Array,
        factor: jax.Array,
    ) -> jax.Array:
        k = rows(x, X, args)
        known = jax.scipy.linalg.solve_triangular(factor, width * k, lower=True)
        variance = prior(x, x, *own) - known @ known
        alpha = 1.0 / (2.0 * variance)
        scaled = jax.scipy.special.erf(_RATES * (residual @ k) * jnp.sqrt(alpha / (alpha + _RATES**2)))
        parts = jnp.sqrt(math.pi / alpha) * scaled / (2.0 * jnp.sqrt(variance * 2.0 * math.pi))
        return (jnp.sum(_HEIGHTS * parts) + 0.5 * _HEIGHTS.sum())[None]

    return second_class


def _binary(estimator: Any) -> Translation:
    kernel, prior = translate_kernel(estimator.kernel_), translate_kernel(estimator.kernel_, noisy=True)
    args = (
        np.asarray(estimator.X_train_),
        prior.args,
        kernel.args,
        np.asarray(estimator.y_train_ - estimator.pi_),
        np.asarray(estimator.W_sr_),
        np.asarray(estimator.L_),
    )
    return Translation(probability(prior.function, kernel.function), args, kernel.notes)


def translate_classifier(estimator: Any, method: str) -> Translation:
    """`GaussianProcessClassifier` of two classes, or of one against the rest."""
    inner = estimator.base_estimator_
    if estimator.n_classes_ == 2:
        return chain([_binary(inner), BOTH_CLASSES])
    if estimator.multi_class != "one_vs_rest":
        raise ModelError(
            "a GaussianProcessClassifier with multi_class='one_vs_rest'",
            got=repr(estimator.multi_class),
            remedy="fit with one_vs_rest, which has probabilities",
        )
    return chain([side_by_side([_binary(one) for one in inner.estimators_]), Translation(shares_if_any, ())])
