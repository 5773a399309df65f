"""How surely a Gaussian process knows its own slopes, one by one and on average, in closed form.

The covariance of two slopes is the prior's, ∂²k/∂x∂z, less what the training rows say.

References
----------
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 9.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dtrtri

from landform.backends.sklearn.kernel_jets import KernelForm, Table

_BLOCK = 2**18
"""Numbers held at once: as many as lie close to the processor."""

_COLUMNS = 256
"""No fewer columns at once: a product of matrices wants some."""


@dataclass(frozen=True)
class SlopePosterior:
    """The posterior of a Gaussian process's slopes.

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
        # The transpose lies as LAPACK has it, so that nothing is copied but the factor itself.
        return np.asarray(dtrtri(np.asarray(self.factor, dtype=np.float64).T, lower=0)[0].T)

    def covariances(self, X: np.ndarray) -> Float[np.ndarray, "rows m n n"]:
        """Of the slopes at every row."""
        return self._in_blocks(X, self._covariances)[:, None] * (self.scale**2)[:, None, None]

    def variances(self, X: np.ndarray) -> Float[np.ndarray, "rows m n"]:
        """Of the slopes at every row."""
        return self._in_blocks(X, self._variances)[:, None] * (self.scale**2)[:, None]

    def _in_blocks(self, X: np.ndarray, one: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        block = max(1, _COLUMNS // self.Z.shape[1], _BLOCK // self.Z.size)
        return np.concatenate([one(X[start : start + block]) for start in range(0, max(1, len(X)), block)])

    def variances_of_sums(
        self, X: Float[np.ndarray, "rows n"], V: Float[np.ndarray, "rows n k"]
    ) -> Float[np.ndarray, "m k"]:
        """Of k sums over the rows, each of the slope there along a direction that may differ from row to row."""
        found, same = np.empty(V.shape[2]), np.all(V[:1] == V, axis=(0, 1))
        if same.any():
            W, told = V[0][:, same], self.root @ self._told_of_sum(X)
            found[same] = np.sum(W * ((self._prior_of_sum(X) - told.T @ told) @ W), axis=0)
        for k in np.flatnonzero(~same):
            told = self.root @ self._told_along(X, V[:, :, k])
            found[k] = self._prior_along(X, V[:, :, k]) - told @ told
        return np.asarray((self.scale**2)[:, None] * found)

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
            dense = np.broadcast_to(table.dense(), (rows, N))
            scale, turned = self.kernel.scalars.scales[p], np.ascontiguousarray(dense.T)
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
            prior += _column(part, len(X)) * (np.eye(n) if scale is None else -2.0 * np.diag(scale))
        for (p, q), part in jet.second.items():
            if self.kernel.scalars.scales[p] is None and self.kernel.scalars.scales[q] is None:
                both = X[:, :, None] * X[:, None, :] * _column(part, len(X))
                prior += both if p == q else 2.0 * both
        return prior

    def _told_of_sum(self, X: np.ndarray) -> Float[np.ndarray, "N n"]:
        """The sum over the rows of the kernel's slopes, with every training row."""
        found, middle = np.zeros(self.Z.shape), self.Z.mean(axis=0)
        for scale, turned in self._slopes_with(X, self.Z):
            count = turned.sum(axis=1, keepdims=True)
            if scale is None:
                found += count * self.Z
            else:
                found += 2.0 * scale * (turned @ (X - middle) - count * (self.Z - middle))
        return found

    def _told_along(self, X: np.ndarray, v: np.ndarray) -> Float[np.ndarray, " N"]:
        """The sum over the rows of the kernel's slope along a direction of each, with every training row."""
        found, middle = np.zeros(len(self.Z)), self.Z.mean(axis=0)
        for scale, turned in self._slopes_with(X, self.Z):
            if scale is None:
                found += np.sum(self.Z * (turned @ v), axis=1)
            else:
                own = turned @ np.sum(scale * (X - middle) * v, axis=1)
                found += 2.0 * (own - np.sum(scale * (self.Z - middle) * (turned @ v), axis=1))
        return found

    def _slopes_with(self, X: np.ndarray, Z: np.ndarray) -> Iterator[tuple[np.ndarray | None, np.ndarray]]:
        """Every scalar's scale, and the kernel's derivative by it, shape (more, rows)."""
        jet = self.kernel.evaluate(self.kernel.scalars.between(X, Z), 1)
        for p, table in jet.first.items():
            yield self.kernel.scalars.scales[p], np.broadcast_to(table.dense(), (len(X), len(Z))).T

    def _prior_of_sum(self, X: np.ndarray) -> Float[np.ndarray, "n n"]:
        """The prior covariance of the slopes' sum over the rows."""
        n, scales = X.shape[1], self.kernel.scalars.scales
        jet = self.kernel.evaluate(self.kernel.scalars.between(X, X), 2)
        prior = np.zeros((n, n))
        for p, table in jet.first.items():
            scale = scales[p]
            prior += _dense(table, X).sum() * (np.eye(n) if scale is None else -2.0 * np.diag(scale))
        for (p, q), table in jet.second.items():
            part = _of_pairs(_dense(table, X), X, scales[p], scales[q])
            prior += part if p == q else part + part.T
        return prior

    def _prior_along(self, X: np.ndarray, v: np.ndarray) -> float:
        """The prior variance of the sum over the rows of the slope along a direction of each."""
        jet = self.kernel.evaluate(self.kernel.scalars.between(X, X), 2)
        along, found = [_along(X, v, scale) for scale in self.kernel.scalars.scales], 0.0
        for p, table in jet.first.items():
            scale = self.kernel.scalars.scales[p]
            found += float(np.sum((v if scale is None else -2.0 * scale * v) * (_dense(table, X) @ v)))
        for (p, q), table in jet.second.items():
            found += (1.0 if p == q else 2.0) * float(np.sum(_dense(table, X) * along[p] * along[q].T))
        return found


def _dense(table: Table, X: np.ndarray) -> np.ndarray:
    return np.broadcast_to(table.dense(), (len(X), len(X)))


def _along(X: np.ndarray, v: np.ndarray, scale: np.ndarray | None) -> Float[np.ndarray, "rows rows"]:
    """How a scalar of x and z changes as the row x moves along its own direction, for all pairs of rows."""
    if scale is None:
        return np.asarray(v @ X.T)
    x, own = X - X.mean(axis=0), v * scale
    return np.asarray(2.0 * (np.sum(own * x, axis=1)[:, None] - own @ x.T))


def _of_pairs(
    table: np.ndarray, X: np.ndarray, one: np.ndarray | None, other: np.ndarray | None
) -> Float[np.ndarray, "n n"]:
    """The sum over all pairs of rows of a table times ∂u ∂v', u by the first row and v by the second."""
    if one is not None and other is not None:
        # Of the gaps themselves: the table of a rough kernel is huge where they are tiny.
        (r, s), total = np.triu_indices(len(X), 1), np.zeros((X.shape[1],) * 2)
        step = max(1, _BLOCK // X.shape[1])
        for start in range(0, len(r), step):
            a, b = r[start : start + step], s[start : start + step]
            gaps = X[a] - X[b]
            total += gaps.T @ (table[a, b, None] * gaps)
        return -8.0 * one[:, None] * total * other
    if one is None and other is None:
        return np.asarray(X.T @ table @ X)
    scale = other if one is None else one
    assert scale is not None
    return np.asarray(2.0 * scale[:, None] * (X.T @ (table.sum(axis=1)[:, None] * X - table @ X)))


def _column(table: Table, rows: int) -> np.ndarray:
    """A table of one column, to be multiplied with a matrix for every row."""
    return np.broadcast_to(table.dense(), (rows, 1))[:, :, None]
