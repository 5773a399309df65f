"""What is known about a fitted function: variances of its values, slopes and curves.

Both families of surrogates have a Gaussian posterior of one form,

    cov(f(x), f(z)) = kernel(x, z) + sign · A(x)·A(z),   A(x) = root @ features(x),

a linear model with no kernel and sign +1 (its sampling covariance, with A the whitened terms), a Gaussian process
with its kernel and sign −1 (what the trials have taught is taken off). Every derivative's variance follows by
differentiating this in both points: one code for all, exact, no resampling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.derivatives import Prepared, prepare
from landform.derivatives.covariance import covariance_of_slopes, variance_of_curve

Array = np.ndarray


@dataclass(frozen=True)
class Posterior:
    """Gaussian uncertainty of a fitted function; see the module for the form.

    Parameters
    ----------
    features : callable
        ``features(x, *args)``, JAX-traceable, to shape (p,).
    args : tuple
        Its numbers.
    root : array, shape (r, p)
        Makes A from the features.
    sign : int
        +1 or −1.
    inputs : int
        Number of inputs.
    kernel : callable or None
        ``kernel(x, z, *kernel_args)``, the prior covariance.
    kernel_args : tuple
        Its numbers.
    """

    features: Callable[..., Any]
    args: tuple[Any, ...]
    root: Float[Array, "r p"]
    sign: int
    inputs: int
    kernel: Callable[..., Any] | None = None
    kernel_args: tuple[Any, ...] = ()

    def _prepared(self) -> Prepared:
        return prepare(self.features, np.zeros(self.inputs), args=self.args, mode="forward")

    def _taught(self, features: Float[Array, "p k"]) -> Float[Array, "k k"]:
        A = self.root @ features
        return self.sign * (A.T @ A)

    def covariance(self, X: Float[Array, "rows d"]) -> Float[Array, "rows rows"]:
        """Covariance of the function's values at the rows of X."""
        found = self._taught(self._prepared().values(X).T)
        if self.kernel is not None:
            found = found + _gram(self.kernel, X, self.kernel_args)
        return found

    def variances(self, X: Float[Array, "rows d"]) -> Float[Array, " rows"]:
        """Variance of the function's value at every row of X."""
        A = self.root @ self._prepared().values(X).T
        found = self.sign * np.sum(A * A, axis=0)
        if self.kernel is not None:
            found = found + _gram_diagonal(self.kernel, X, self.kernel_args)
        return np.maximum(found, 0.0)

    def slopes(self, X: Float[Array, "rows d"], V: Float[Array, "rows d k"]) -> Float[Array, "k k"]:
        """Covariance of k slopes, each a sum over the rows of X of the slope there along a direction of its own."""
        J = self._prepared().jacobians(X)
        found = self._taught(np.sum(J @ V, axis=0))
        if self.kernel is not None:
            found = found + covariance_of_slopes(self.kernel, X, V, self.kernel_args)
        return found

    def curve(self, x: Float[Array, " d"], v: Float[Array, " d"]) -> float:
        """Variance of the second derivative at x along v."""
        bent = self._bend(x, v)
        found = float(self._taught(bent[:, None])[0, 0])
        if self.kernel is not None:
            found += variance_of_curve(self.kernel, x, v, self.kernel_args)
        return max(found, 0.0)

    def _bend(self, x: Float[Array, " d"], v: Float[Array, " d"]) -> Float[Array, " p"]:
        """Second derivatives of the features along v: the slope of their slope."""
        line = _along(self.features)
        one = prepare(line, np.zeros(1), args=(x, v, self.args), mode="forward")
        return one.second(np.zeros(1))[2][:, 0, 0]


@lru_cache(maxsize=64)
def _along(features: Callable[..., Any]) -> Callable[..., Any]:
    """Features along a line; the same object for the same features, so compiled code is found again."""

    def line(t: Any, x: Any, v: Any, args: tuple[Any, ...]) -> Any:
        return features(x + t[0] * v, *args)

    return line


@lru_cache(maxsize=64)
def _pairwise(kernel: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def against(x: Any, X: Any, args: tuple[Any, ...]) -> Any:
        import jax

        return jax.vmap(lambda z: kernel(x, z, *args))(X)

    def itself(x: Any, args: tuple[Any, ...]) -> Any:
        return kernel(x, x, *args)[None]

    return against, itself


def _gram(kernel: Callable[..., Any], X: Float[Array, "rows d"], args: tuple[Any, ...]) -> Float[Array, "rows rows"]:
    return prepare(_pairwise(kernel)[0], X[0], args=(X, args)).values(X)


def _gram_diagonal(
    kernel: Callable[..., Any], X: Float[Array, "rows d"], args: tuple[Any, ...]
) -> Float[Array, " rows"]:
    return prepare(_pairwise(kernel)[1], X[0], args=(args,)).values(X)[:, 0]
