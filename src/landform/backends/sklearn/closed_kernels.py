"""Weighted sums of kernels with training rows, and the posterior of their slopes, in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrmm

from landform.backends.sklearn.kernel_jets import KernelForm, Pair

_BLOCK = 2**23
"""Numbers held at once in the posterior of slopes."""


@dataclass(frozen=True)
class ClosedExpansion:
    """``shift + weights @ k(Z, x)`` with slopes and curves: a table of kernel values and matrix products.

    Parameters
    ----------
    kernel : KernelForm
        In terms of its scalars.
    Z : array, shape (N, n)
        Training rows.
    weights : array, shape (m, N)
        Of the kernels with them.
    shift : array, shape (m,)
        What is added.

    References
    ----------
    Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, eq. 2.25 and sec. 9.4.
    """

    kernel: KernelForm
    Z: Float[np.ndarray, "N n"]
    weights: Float[np.ndarray, "m N"]
    shift: Float[np.ndarray, " m"]

    @cached_property
    def center(self) -> Float[np.ndarray, " n"]:
        """Distances do not mind a shift of the origin; seen from the middle of the rows, less cancels."""
        products = any(scale is None for scale in self.kernel.scalars.scales)
        return np.zeros(self.Z.shape[1]) if products else self.Z.mean(axis=0)

    @cached_property
    def moments(self) -> tuple[np.ndarray, ...]:
        """Weights, weights times z, weights times z z': shapes (N, m), (N, m n), (N, m n n)."""
        N, n = self.Z.shape
        z, A = self.Z - self.center, self.weights.T
        first = A[:, :, None] * z[:, None]
        upper = np.triu_indices(n)
        pairs = z[:, upper[0]] * z[:, upper[1]]
        return A, first.reshape(N, -1), (A[:, :, None] * pairs[:, None]).reshape(N, -1)

    @cached_property
    def _stacked(self) -> tuple[np.ndarray, ...]:
        return tuple(np.concatenate(self.moments[: k + 1], axis=1) for k in range(3))

    def _moments_under(self, table: np.ndarray, order: int) -> list[np.ndarray]:
        """Sums over training rows of a table of shape (rows, N) times the moments, up to an order."""
        m, n = len(self.weights), self.Z.shape[1]
        flat = table @ self._stacked[order]
        parts = np.split(flat, np.cumsum([m, m * n])[:order], axis=1)
        found = [parts[0]]
        if order > 0:
            found.append(parts[1].reshape(-1, m, n))
        if order > 1:
            full = np.empty((len(table), m, n, n))
            i, j = np.triu_indices(n)
            full[:, :, i, j] = full[:, :, j, i] = parts[2].reshape(len(table), m, -1)
            found.append(full)
        return found

    def __call__(self, X: np.ndarray, order: int) -> tuple[Any, ...]:
        """Values, slopes and curves up to an order."""
        jet = self.kernel.evaluate(self.kernel.scalars.between(X - self.center, self.Z - self.center), order)
        x = X - self.center
        table = np.broadcast_to(jet.value, (len(X), len(self.Z)))
        sums = {p: self._moments_under(part, 1) for p, part in jet.first.items()}
        found = [self.shift + table @ self.weights.T]
        if order > 0:
            found.append(self._slopes(x, sums))
        if order > 1:
            found.append(self._curves(x, sums, {pair: self._moments_under(t, 2) for pair, t in jet.second.items()}))
        return tuple(found)

    def _slopes(self, x: np.ndarray, sums: dict[int, list[np.ndarray]]) -> np.ndarray:
        slopes = np.zeros((len(x), len(self.weights), x.shape[1]))
        for p, (none, one) in sums.items():
            scale = self.kernel.scalars.scales[p]
            slopes += one if scale is None else 2.0 * scale * (x[:, None] * none[:, :, None] - one)
        return slopes

    def _curves(
        self, x: np.ndarray, sums: dict[int, list[np.ndarray]], bent: dict[Pair, list[np.ndarray]]
    ) -> np.ndarray:
        n = x.shape[1]
        curves = np.zeros((len(x), len(self.weights), n, n))
        for p, (none, _) in sums.items():
            scale = self.kernel.scalars.scales[p]
            if scale is not None:
                curves[:, :, range(n), range(n)] += 2.0 * scale * none[:, :, None]
        for (p, q), parts in bent.items():
            one = self._pair(x, parts, self.kernel.scalars.scales[p], self.kernel.scalars.scales[q])
            curves += one if p == q else one + one.swapaxes(2, 3)
        return curves

    @staticmethod
    def _pair(x: np.ndarray, parts: list[np.ndarray], s: np.ndarray | None, t: np.ndarray | None) -> np.ndarray:
        """Σ w ∂u_p ∂u_q', where ∂u is 2 s (x − z) of a distance and z of a product."""
        none, one, two = parts
        if s is None and t is None:
            return two
        if s is None:
            return ClosedExpansion._pair(x, parts, t, s).swapaxes(2, 3)
        if t is None:
            return 2.0 * s[:, None] * (x[:, None, :, None] * one[:, :, None] - two)
        cross = x[:, None, :, None] * one[:, :, None]
        gaps = x[:, None, :, None] * x[:, None, None, :] * none[:, :, None, None] - cross - cross.swapaxes(2, 3) + two
        return 4.0 * s[:, None] * t * gaps


@dataclass(frozen=True)
class SlopePosterior:
    """How surely a Gaussian process knows its own slopes.

    The covariance of two slopes at x is the prior's, ∂²k/∂x∂z at z = x, less what the training rows say.

    Parameters
    ----------
    kernel : KernelForm
        Without the noise.
    Z : array, shape (N, n)
        Training rows.
    factor : array, shape (N, N)
        Cholesky factor of their covariance, noise included.
    scale : array, shape (m,)
        Standard deviations that the outputs were divided by.
    """

    kernel: KernelForm
    Z: Float[np.ndarray, "N n"]
    factor: Float[np.ndarray, "N N"]
    scale: Float[np.ndarray, " m"]

    @cached_property
    def root(self) -> Float[np.ndarray, "N N"]:
        """The inverse of the factor: many products with it cost less than many solutions."""
        return np.asarray(solve_triangular(self.factor, np.eye(len(self.Z)), lower=True))

    def covariances(self, X: np.ndarray) -> Float[np.ndarray, "rows m n n"]:
        """Of the slopes at every row."""
        return self._in_blocks(X, self._covariances)[:, None] * (self.scale**2)[:, None, None]

    def variances(self, X: np.ndarray) -> Float[np.ndarray, "rows m n"]:
        """Of the slopes at every row."""
        return self._in_blocks(X, self._variances)[:, None] * (self.scale**2)[:, None]

    def _in_blocks(self, X: np.ndarray, one: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        block = max(1, _BLOCK // self.Z.size)
        return np.concatenate([one(X[start : start + block]) for start in range(0, max(1, len(X)), block)])

    def _covariances(self, X: np.ndarray) -> np.ndarray:
        known = np.moveaxis(self._known(X), 2, 0)
        return self._prior(X) - known.swapaxes(1, 2) @ known

    def _variances(self, X: np.ndarray) -> np.ndarray:
        known = self._known(X)
        return np.einsum("rii->ri", self._prior(X)) - np.einsum("Nir,Nir->ri", known, known)

    def _known(self, X: np.ndarray) -> np.ndarray:
        """The inverse factor times the slopes of the kernel with the training rows, shape (N, n, rows)."""
        rows, (N, n) = len(X), self.Z.shape
        jet = self.kernel.evaluate(self.kernel.scalars.between(X, self.Z), 1)
        slopes = np.zeros((N, n, rows))
        for p, table in jet.first.items():
            scale, turned = self.kernel.scalars.scales[p], np.ascontiguousarray(table.T)
            for i in range(n):
                gap = self.Z[:, i, None] if scale is None else 2.0 * scale[i] * (X[:, i] - self.Z[:, i, None])
                slopes[:, i] += turned * gap
        # Transposed, so that BLAS finds the columns where they are and copies nothing.
        known = dtrmm(1.0, self.root.T, slopes.reshape(N, -1).T, side=1, lower=0, overwrite_b=1)
        return np.asarray(known.T).reshape(N, n, rows)

    def _prior(self, X: np.ndarray) -> np.ndarray:
        jet = self.kernel.evaluate(self.kernel.scalars.of_itself(X), 2)
        n = X.shape[1]
        prior = np.zeros((len(X), n, n))
        for p, part in jet.first.items():
            scale = self.kernel.scalars.scales[p]
            prior += part[:, :, None] * (np.eye(n) if scale is None else -2.0 * np.diag(scale))
        for (p, q), part in jet.second.items():
            if self.kernel.scalars.scales[p] is None and self.kernel.scalars.scales[q] is None:
                both = X[:, :, None] * X[:, None, :] * part[:, :, None]
                prior += both if p == q else 2.0 * both
        return prior
