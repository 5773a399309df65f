"""From a Gaussian process to the doubt of its slopes: the derivative of a Gaussian process is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.closed import SlopeDoubt
from landform.backends.sklearn import Translation
from landform.backends.sklearn.process import Process
from landform.derivatives import Prepared, prepare
from landform.derivatives.along_pairs import Pairs, curves_along_pairs, variances_of_curves
from landform.derivatives.covariance import (
    covariance_of_values,
    covariances_of_slopes,
    variances_of_differences,
    variances_of_slopes,
)
from landform.derivatives.rows import blocks
from landform.sensitivity.curves import CurveErrors, evenly, of_the_mean

Array = np.ndarray
AVERAGED = 512
"""Averages over more rows are taken over so many of them, evenly drawn: their covariances pair every two."""

_MULTIPLIED, _TRACED, _FEWEST = 10**9, 10**6, 16
"""Multiplications spent on second derivatives in closed form, pairs of rows and directions otherwise, rows at least."""


@lru_cache(maxsize=64)
def _joined(before: Callable[..., Any], kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The covariance of two points in front of the steps."""

    def covariance(x: Any, z: Any, own: tuple[Any, ...], args: tuple[Any, ...]) -> Any:
        return kernel(before(x, *own), before(z, *own), *args)

    return covariance


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

    def curves(self, X: Float[Array, "rows d"], fields: Callable[[Array], Array], pairs: Pairs) -> CurveErrors | None:
        """Of second derivatives along pairs of directions; None where the process has none.

        At as many rows as cost little; their means are taken over 512 rows at most.
        """
        if not self.process.curved:
            return None
        count, N = len(pairs.first), len(self.process.root)
        closed = None if np.any(pairs.bent) or not self._affine(X) else self.process.curves
        rows = evenly(len(X), int(np.clip(_MULTIPLIED / (N**2 * count), _FEWEST, AVERAGED)))
        some = evenly(len(X), AVERAGED if closed else int(np.clip(np.sqrt(_TRACED / count), _FEWEST, AVERAGED)))
        if closed is None:
            rows = some
            local, average = self._traced(X[rows], fields(X[rows]), pairs)
        else:
            local = closed.local(*self._behind(X[rows], fields), pairs.first, pairs.second)
            average = closed.mean(*self._behind(X[some], fields), pairs.first, pairs.second)
        average = of_the_mean(average, local.mean(axis=0), len(some), len(X))
        return CurveErrors(rows, self._scaled(local, 1), self._scaled(average, 0))

    def _affine(self, X: Float[Array, "rows d"]) -> bool:
        """Whether the steps before do not bend."""
        form = self.process.before.closed
        return form is not None and form(X[:1], 2)[2] is None

    def _behind(self, X: Array, fields: Callable[[Array], Array]) -> tuple[Array, Array]:
        """Rows and directions behind the steps."""
        assert self.process.before.closed is not None
        F, U = self.process.before.closed(X, 1)
        return F, U @ fields(X)

    def _traced(self, X: Array, V: Array, pairs: Pairs) -> tuple[Array, Array]:
        before, kernel = self.process.before, self.process.kernel
        args = (before.args, kernel.args)
        prior, average = variances_of_curves(_joined(before.function, kernel.function), X, V, pairs, args)
        local, features, mean = (
            prior.copy(),
            self.process.features,
            np.zeros((len(self.process.root), len(pairs.first))),
        )
        for part in blocks(len(X), mean.size):
            told = curves_along_pairs(features.function, X[part], V[part], pairs, features.args)
            told = self.process.root @ told.swapaxes(0, 1).reshape(len(mean), -1)
            local[part] -= np.sum(told * told, axis=0).reshape(-1, mean.shape[1])
            mean += told.reshape(len(mean), -1, mean.shape[1]).sum(axis=1) / len(X)
        return local, average - np.sum(mean * mean, axis=0)

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Of f at every row."""
        kernel, args = self._kernel
        told = self.process.root @ self._features.values(X).T
        prior = np.diag(covariance_of_values(kernel, self._before.values(X), self._before.values(X), args))
        return self._scaled(prior - np.sum(told * told, axis=0), 1)


def some_of(X: Float[Array, "rows d"]) -> Float[Array, "some d"]:
    """At most 512 rows, evenly spaced in the table."""
    return X[evenly(len(X), AVERAGED)]
