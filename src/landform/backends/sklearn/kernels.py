"""Kernels of two points, as scikit-learn's pairwise functions and support vector machines have them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.closed_kernels import ClosedExpansion
from landform.backends.sklearn.kernel_jets import KernelForm, pairwise_form
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

KernelFunction = Callable[..., jax.Array]
"""``k(x, z, *args)`` for two points; args are the kernel's parameters."""

KINKED_LAPLACIAN = "the Laplacian kernel has a kink wherever an entry equals a training row's; its slope there is 0"


def linear(x: jax.Array, z: jax.Array) -> jax.Array:
    """x · z."""
    return x @ z


def gaussian(x: jax.Array, z: jax.Array, gamma: jax.Array) -> jax.Array:
    """exp(−γ |x − z|²)."""
    gap = x - z
    return jnp.exp(-gamma * (gap @ gap))


def laplacian(x: jax.Array, z: jax.Array, gamma: jax.Array) -> jax.Array:
    """exp(−γ Σ |x − z|)."""
    return jnp.exp(-gamma * jnp.sum(jnp.abs(x - z)))


def sigmoid(x: jax.Array, z: jax.Array, gamma: jax.Array, shift: jax.Array) -> jax.Array:
    """tanh(γ x·z + c)."""
    return jnp.tanh(gamma * (x @ z) + shift)


@lru_cache(maxsize=64)
def polynomial(degree: float) -> KernelFunction:
    """(γ x·z + c)^degree; a whole degree is multiplied out, so that it has slopes at zero and below."""

    def powered(x: jax.Array, z: jax.Array, gamma: jax.Array, shift: jax.Array) -> jax.Array:
        return (gamma * (x @ z) + shift) ** degree

    return powered


def whole(number: float) -> float:
    """The number as an int where it is one: JAX multiplies whole powers out."""
    return int(number) if float(number).is_integer() else float(number)


def _unit(x: jax.Array) -> jax.Array:
    square = x @ x
    return x / jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 1.0)


def cosine(x: jax.Array, z: jax.Array) -> jax.Array:
    """Cosine of the angle between x and z."""
    return _unit(x) @ _unit(z)


def additive_chi2(x: jax.Array, z: jax.Array) -> jax.Array:
    """−Σ (x − z)² / (x + z), a term without sum left out."""
    total = x + z
    gap = x - z
    return -jnp.sum(jnp.where(total == 0, 0.0, gap * gap / jnp.where(total == 0, 1.0, total)))


def chi2(x: jax.Array, z: jax.Array, gamma: jax.Array) -> jax.Array:
    """exp(−γ Σ (x − z)² / (x + z))."""
    return jnp.exp(gamma * additive_chi2(x, z))


def pairwise_kernel(metric: Any, *, n: int, gamma: Any = None, degree: Any = 3, coef0: Any = 1) -> Translation:
    """A kernel by the name it has in `sklearn.metrics.pairwise`.

    Raises
    ------
    ModelError
        If the kernel is a matrix worked out beforehand, or a function of the user's.
    """
    names = ("linear", "rbf", "laplacian", "poly", "polynomial", "sigmoid", "cosine", "chi2", "additive_chi2")
    if metric not in names:
        raise ModelError(f"a kernel among {', '.join(names)}", got=repr(metric), remedy="fit with one of these")
    width = np.float64((1.0 if metric == "chi2" else 1.0 / n) if gamma is None else gamma)
    if metric in ("poly", "polynomial"):
        return Translation(polynomial(whole(degree)), (width, np.float64(coef0)))
    if metric == "sigmoid":
        return Translation(sigmoid, (width, np.float64(coef0)))
    if metric == "laplacian":
        return Translation(laplacian, (width,), (KINKED_LAPLACIAN,))
    if metric in ("rbf", "chi2"):
        return Translation(gaussian if metric == "rbf" else chi2, (width,))
    return Translation({"linear": linear, "cosine": cosine, "additive_chi2": additive_chi2}[metric], ())


@lru_cache(maxsize=256)
def against(kernel: KernelFunction) -> Callable[..., jax.Array]:
    """The kernel of one point with every row of a matrix."""

    def covariances(x: jax.Array, X: jax.Array, args: tuple[Any, ...]) -> jax.Array:
        return jax.vmap(lambda row: kernel(x, row, *args))(X)

    return covariances


@lru_cache(maxsize=256)
def expansion(kernel: KernelFunction) -> Callable[..., jax.Array]:
    """Weighted sums of kernels with the rows of a matrix, plus an intercept."""
    rows = against(kernel)

    def expand(
        x: jax.Array, X: jax.Array, args: tuple[Any, ...], weights: jax.Array, intercept: jax.Array
    ) -> jax.Array:
        return weights @ rows(x, X, args) + intercept

    return expand


def expand(
    kernel: Translation, X: Any, weights: Any, intercept: Any, kernel_form: KernelForm | None = None
) -> Translation:
    """The translation of ``weights @ k(X, x) + intercept``, weights of shape (m, rows)."""
    matrix = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    shift = np.broadcast_to(np.asarray(intercept, dtype=np.float64), (matrix.shape[0],))
    Z = np.asarray(X, dtype=np.float64)
    form = None if kernel_form is None else ClosedExpansion(kernel_form, Z, matrix, shift)
    return Translation(expansion(kernel.function), (Z, kernel.args, matrix, shift), kernel.notes, form)


def pairwise_expansion(
    metric: Any, X: Any, weights: Any, intercept: Any, *, gamma: Any = None, degree: Any = 3, coef0: Any = 1
) -> Translation:
    """`expand` of a kernel by its name among scikit-learn's pairwise ones."""
    n = np.shape(X)[1]
    kernel = pairwise_kernel(metric, n=n, gamma=gamma, degree=degree, coef0=coef0)
    width = 1.0 / n if gamma is None else float(gamma)
    return expand(kernel, X, weights, intercept, pairwise_form(metric, n, width, float(degree), float(coef0)))
