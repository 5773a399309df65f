"""Weighted sums of kernels with training rows, with slopes and curves, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.sklearn.kernel_jets import Jet, KernelForm, Table


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
    def _moments(self) -> tuple[np.ndarray, ...]:
        """Weights, then also weights times z, then also weights times products of z: what tables are multiplied by."""
        N, n = self.Z.shape
        z, A = self.Z - self.center, self.weights.T
        i, j = np.triu_indices(n)
        first = (A[:, :, None] * z[:, None]).reshape(N, -1)
        second = (A[:, :, None] * (z[:, i] * z[:, j])[:, None]).reshape(N, -1)
        found = (A, np.concatenate([A, first], axis=1), np.concatenate([A, first, second], axis=1))
        return tuple(np.ascontiguousarray(part) for part in found)

    def __call__(self, X: np.ndarray, order: int) -> tuple[Any, ...]:
        """Values, slopes and curves up to an order."""
        x = X - self.center
        jet = self.kernel.evaluate(self.kernel.scalars.between(x, self.Z - self.center), order)
        sums = _Sums(self, jet)
        found = [self.shift + sums.of(jet.value, len(x))[0]]
        if order > 0:
            found.append(self._slopes(x, jet, sums))
        if order > 1:
            found.append(self._curves(x, jet, sums))
        return tuple(found)

    def _slopes(self, x: np.ndarray, jet: Jet, sums: _Sums) -> np.ndarray:
        slopes = np.zeros((len(x), len(self.weights), x.shape[1]))
        for p, table in jet.first.items():
            none, one, _ = sums.of(table, len(x))
            scale = self.kernel.scalars.scales[p]
            slopes += one if scale is None else (2.0 * scale) * (x[:, None] * none[:, :, None] - one)
        return slopes

    def _curves(self, x: np.ndarray, jet: Jet, sums: _Sums) -> np.ndarray:
        """By their upper halves, laid out in full at the end."""
        n, scales = x.shape[1], self.kernel.scalars.scales
        i, j = np.triu_indices(n)
        half = np.zeros((len(x), len(self.weights), len(i)))
        for (p, q), table in jet.second.items():
            half += _pair(x, sums.of(table, len(x)), scales[p], scales[q], p == q)
        for p, table in jet.first.items():
            scale = scales[p]
            if scale is not None:
                half[:, :, i == j] += 2.0 * scale * sums.of(table, len(x))[0][:, :, None]
        return laid_out(half, n)


def laid_out(half: np.ndarray, n: int) -> np.ndarray:
    """Symmetric matrices of shape (..., n, n) from their upper halves of shape (..., n (n + 1) / 2)."""
    i, j = np.triu_indices(n)
    place = np.empty((n, n), dtype=np.int64)
    place[i, j] = place[j, i] = np.arange(len(i))
    return np.take(half, place.ravel(), axis=-1).reshape(*half.shape[:-1], n, n)


class _Sums:
    """Sums over training rows of tables times moments: one matrix product for each table, however often it is used."""

    def __init__(self, expansion: ClosedExpansion, jet: Jet) -> None:
        self.m, self.n, self.moments = len(expansion.weights), expansion.Z.shape[1], expansion._moments
        self.orders: dict[int, int] = {}
        self.found: dict[int, list[np.ndarray]] = {}
        for order, tables in enumerate(([jet.value], jet.first.values(), jet.second.values())):
            self.orders.update({id(table.pairs): order for table in tables})

    def of(self, table: Table, rows: int) -> list[np.ndarray]:
        """Sums of w, of w z and of the upper half of w z z': shapes (rows, m), (rows, m, n), (rows, m, pairs)."""
        key = id(table.pairs)
        if key not in self.found:
            moments = self.moments[self.orders[key]]
            flat = np.repeat(moments.sum(axis=0)[None], rows, axis=0) if table.pairs is None else table.pairs @ moments
            self.found[key] = self._split(flat)
        return [table.factor * part for part in self.found[key]]

    def _split(self, flat: np.ndarray) -> list[np.ndarray]:
        m, n = self.m, self.n
        none, one, two = flat[:, :m], flat[:, m : m + m * n], flat[:, m + m * n :]
        rows = len(flat)
        return [none, one.reshape(rows, m, -1), two.reshape(rows, m, -1)]


def _pair(x: np.ndarray, sums: list[np.ndarray], s: np.ndarray | None, t: np.ndarray | None, same: bool) -> np.ndarray:
    """Σ w (∂u ∂v' + ∂v ∂u'), once where they are the same; ∂u is 2 s (x − z) of a distance and z of a product."""
    none, one, two = sums
    i, j = np.triu_indices(x.shape[1])
    if s is None and t is None:
        return two if same else 2.0 * two
    x, none = x[:, None], none[:, :, None]
    if s is None or t is None:
        scale = t if s is None else s
        assert scale is not None
        return 2.0 * (scale[i] * (x[:, :, i] * one[:, :, j] - two) + scale[j] * (x[:, :, j] * one[:, :, i] - two))
    factor = 4.0 * s[i] * t[j] if same else 4.0 * (s[i] * t[j] + s[j] * t[i])
    gaps = x[:, :, i] * (x[:, :, j] * none - one[:, :, j])
    gaps -= one[:, :, i] * x[:, :, j]
    gaps += two
    gaps *= factor
    return gaps
