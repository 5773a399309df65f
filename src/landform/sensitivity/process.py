"""From a Gaussian process to the doubt of its slopes: the derivative of a Gaussian process is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from landform.backends.closed import SlopeDoubt
from landform.backends.sklearn import Translation
from landform.backends.sklearn.process import Process
from landform.derivatives import Prepared, prepare
from landform.derivatives.covariance import (
    covariance_of_values,
    covariances_of_slopes,
    variances_of_differences,
    variances_of_slopes,
)
from landform.derivatives.rows import blocks

Array = np.ndarray
AVERAGED = 512
"""Averages over more rows are taken over so many of them, evenly drawn: their covariances pair every two."""


@dataclass(frozen=True, eq=False)
class DoubtOfProcess:
    """Standard errors of a Gaussian process on fixed features.

    ``closed`` gives the covariances of its slopes in closed form, where the model has one.
    """

    process: Process
    inputs: int
    closed: SlopeDoubt | None = None

    @cached_property
    def _before(self) -> Prepared:
        return self._prepared(self.process.before)

    @cached_property
    def _features(self) -> Prepared:
        return self._prepared(self.process.features)

    def _prepared(self, part: Translation) -> Prepared:
        return prepare(part.function, np.zeros(self.inputs), args=part.args, effort="quick", finite=False)

    @property
    def how(self) -> str:
        """In words."""
        return self.process.how

    @property
    def degrees(self) -> float:
        """Of the scale."""
        return self.process.degrees

    @property
    def _kernel(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.process.kernel.function, self.process.kernel.args

    def _scaled(self, variances: Array, axis: int) -> Array:
        """Standard deviations for every output, which all share one process but for its scale."""
        roots = np.sqrt(np.maximum(variances, 0.0))
        return np.stack([scale * roots for scale in self.process.scales], axis=axis)

    def slopes(
        self, X: Float[Array, "rows d"], fields: Callable[[Float[Array, "rows d"]], Float[Array, "rows d k"]]
    ) -> tuple[Float[Array, "rows m k"], Float[Array, "m k"]]:
        """Of the slopes along k directions at every row, and of their averages over at most 512 rows."""
        if self.closed is not None:
            return self._closed_slopes(self.closed, X, fields)
        kernel, args = self._kernel
        parts = []
        for part in blocks(len(X), self.inputs * len(self.process.factor)):
            F, U = self._before.values_and_jacobians(X[part])
            taught = self._taught(self._features.jacobians(X[part]))
            C = covariances_of_slopes(kernel, F, U, args) - np.einsum("rnd,rne->rde", taught, taught, optimize=True)
            V = fields(X[part])
            parts.append(np.einsum("rdk,rde,rek->rk", V, C, V, optimize=True))
        return self._scaled(np.concatenate(parts), 1), self._of_averages(some_of(X), fields)

    def _closed_slopes(
        self, closed: SlopeDoubt, X: Array, fields: Callable[[Array], Array]
    ) -> tuple[Float[Array, "rows m k"], Float[Array, "m k"]]:
        variances = []
        for part in blocks(len(X), self.inputs * len(self.process.factor)):
            V = fields(X[part])[:, None]
            variances.append(np.sum(V * (closed.covariances(X[part]) @ V), axis=2))
        some = some_of(X)
        averages = closed.variances_of_sums(some, fields(some) / len(some))
        return np.sqrt(np.maximum(np.concatenate(variances), 0.0)), np.sqrt(np.maximum(averages, 0.0))

    def _taught(self, features: Float[Array, "rows n d"]) -> Float[Array, "rows n d"]:
        rows, n, d = features.shape
        flat = self.process.root @ features.transpose(1, 0, 2).reshape(n, rows * d)
        return np.ascontiguousarray(flat.reshape(n, rows, d).transpose(1, 0, 2))

    def _of_averages(self, X: Array, fields: Callable[[Array], Array]) -> Float[Array, "m k"]:
        kernel, args = self._kernel
        V = fields(X) / len(X)
        F, U = self._before.values_and_jacobians(X)
        prior = variances_of_slopes(kernel, F, np.einsum("rpd,rdk->rpk", U, V, optimize=True), args)
        told = self.process.root @ np.einsum("rnd,rdk->nk", self._features.jacobians(X), V, optimize=True)
        return self._scaled(prior - np.sum(told * told, axis=0), 0)

    def differences(
        self, A: Float[Array, "rows d"], B: Float[Array, "rows d"]
    ) -> tuple[Float[Array, "rows m"], Float[Array, " m"]]:
        """Of f(A) − f(B), row by row, and of its average over at most 512 rows."""
        kernel, args = self._kernel
        gaps = self.process.root @ (self._features.values(A) - self._features.values(B)).T
        local = variances_of_differences(kernel, self._before.values(A), self._before.values(B), args)
        local = local - np.sum(gaps * gaps, axis=0)
        a, b = some_of(A), some_of(B)
        both = self._before.values(np.concatenate([a, b]))
        signs = np.repeat([1.0 / len(a), -1.0 / len(b)], len(a))
        told = self.process.root @ ((self._features.values(a) - self._features.values(b)).mean(axis=0))
        average = signs @ covariance_of_values(kernel, both, both, args) @ signs - told @ told
        return self._scaled(local, 1), self._scaled(np.asarray(average), 0)

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Of f at every row."""
        kernel, args = self._kernel
        told = self.process.root @ self._features.values(X).T
        prior = np.diag(covariance_of_values(kernel, self._before.values(X), self._before.values(X), args))
        return self._scaled(prior - np.sum(told * told, axis=0), 1)


def some_of(X: Float[Array, "rows d"]) -> Float[Array, "some d"]:
    """At most 512 rows, evenly spaced in the table."""
    return X if len(X) <= AVERAGED else X[np.linspace(0, len(X) - 1, AVERAGED).round().astype(int)]
