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
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.derivatives import prepare
from landform.derivatives.covariance import covariance_of_slopes, variance_of_curve

Array = np.ndarray


@dataclass(frozen=True)
class Prior:
    """The covariance of a random function before any trial.

    Parameters
    ----------
    kernel : callable
        ``kernel(x, z, *args)`` of two points, JAX-traceable.
    args : tuple
        Its numbers.
    gram : callable
        The same between all rows of an array, by NumPy.
    diagonal : callable
        The variances at all rows, by NumPy.
    """

    kernel: Callable[..., Any]
    args: tuple[Any, ...]
    gram: Callable[[Float[Array, "rows d"]], Float[Array, "rows rows"]]
    diagonal: Callable[[Float[Array, "rows d"]], Float[Array, " rows"]]


@dataclass(frozen=True)
class Posterior:
    """Gaussian uncertainty of a fitted function; see the module for the form.

    Values are taken by NumPy, which needs no compilation; derivatives go through the derivative operators.

    Parameters
    ----------
    features : callable
        ``features(x, *args)``, JAX-traceable, to shape (p,).
    args : tuple
        Its numbers.
    feature_rows : callable
        The features at every row of an array, by NumPy, shape (rows, p).
    root : array, shape (r, p)
        Makes A from the features.
    sign : int
        +1 or −1.
    inputs : int
        Number of inputs.
    prior : Prior or None
        The prior covariance; None for a linear model.
    """

    features: Callable[..., Any]
    args: tuple[Any, ...]
    feature_rows: Callable[[Float[Array, "rows d"]], Float[Array, "rows p"]]
    root: Float[Array, "r p"]
    sign: int
    inputs: int
    prior: Prior | None = None

    def _taught(self, features: Float[Array, "p k"]) -> Float[Array, "k k"]:
        A = self.root @ features
        return self.sign * (A.T @ A)

    def covariance(self, X: Float[Array, "rows d"]) -> Float[Array, "rows rows"]:
        """Covariance of the function's values at the rows of X."""
        found = self._taught(self.feature_rows(X).T)
        return found if self.prior is None else found + self.prior.gram(X)

    def variances(self, X: Float[Array, "rows d"]) -> Float[Array, " rows"]:
        """Variance of the function's value at every row of X."""
        A = self.root @ self.feature_rows(X).T
        found = self.sign * np.sum(A * A, axis=0)
        if self.prior is not None:
            found = found + self.prior.diagonal(X)
        return np.maximum(found, 0.0)

    def slopes(self, X: Float[Array, "rows d"], V: Float[Array, "rows d k"]) -> Float[Array, "k k"]:
        """Covariance of k slopes, each a sum over the rows of X of the slope there along a direction of its own."""
        J = prepare(self.features, X[0], args=self.args, mode="forward", effort="quick").jacobians(X)
        found = self._taught(np.einsum("rpd,rdk->pk", J, V, optimize=True))
        if self.prior is not None:
            found = found + covariance_of_slopes(self.prior.kernel, X, V, self.prior.args)
        return found

    def curve(self, x: Float[Array, " d"], v: Float[Array, " d"]) -> float:
        """Variance of the second derivative at x along v."""
        bent = prepare(self.features, x, args=self.args, mode="forward", effort="quick").bend(x, v)
        found = float(self._taught(bent[:, None])[0, 0])
        if self.prior is not None:
            found += variance_of_curve(self.prior.kernel, x, v, self.prior.args)
        return max(found, 0.0)
