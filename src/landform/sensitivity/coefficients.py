"""From the covariance of coefficients to that of slopes: the delta method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from landform.backends.sklearn.coefficients import Coefficients
from landform.backends.sklearn.join import chain
from landform.backends.sklearn.odds import LOG_ODDS
from landform.derivatives import Prepared, prepare
from landform.derivatives.along_pairs import Pairs, curves_along_pairs, curves_by_parameters
from landform.derivatives.parameters import slopes_by_parameters, values_by_parameters
from landform.derivatives.rows import blocks
from landform.sensitivity.curves import CurveErrors, evenly

Array = np.ndarray
_SPENT, _FEWEST = 10**10, 16
"""Multiplications spent on standard errors of second derivatives, and rows at least."""


@dataclass(frozen=True, eq=False)
class DoubtOfCoefficients:
    """Standard errors of a (generalized) linear model on fixed features."""

    fitted: Coefficients
    inputs: int

    @classmethod
    def make(cls, fitted: Coefficients, *, inputs: int, odds: bool) -> DoubtOfCoefficients:
        """Of the outputs, or of their log-odds."""
        return cls(replace(fitted, link=chain([fitted.link, LOG_ODDS])) if odds else fitted, inputs)

    @property
    def how(self) -> str:
        """In words."""
        return self.fitted.how

    @property
    def degrees(self) -> float:
        """Of the residual variance."""
        return self.fitted.degrees

    @cached_property
    def _features(self) -> Prepared:
        before = self.fitted.before
        return prepare(before.function, np.zeros(self.inputs), args=before.args, effort="quick", finite=False)

    def slopes(
        self, X: Float[Array, "rows d"], fields: Callable[[Float[Array, "rows d"]], Float[Array, "rows d k"]]
    ) -> tuple[Float[Array, "rows m k"], Float[Array, "m k"]]:
        """Of the slopes along k directions at every row, and of their averages."""
        c, local = self.fitted, []
        total = np.zeros(())
        for part in blocks(len(X), self.inputs * len(c.covariance) * (1 + len(c.weights))):
            F, U = self._features.values_and_jacobians(X[part])
            G = slopes_by_parameters(c.link.function, F, U, c.weights, c.intercept, c.link.args)
            V = fields(X[part])
            spread = np.einsum("rmdq,qs,rmes->rmde", G, c.covariance, G, optimize=True)
            local.append(np.einsum("rdk,rmde,rek->rmk", V, spread, V, optimize=True))
            total = total + np.einsum("rdk,rmdq->mkq", V, G, optimize=True)
        return _roots(np.concatenate(local)), self._of_average(total, len(X))

    def differences(
        self, A: Float[Array, "rows d"], B: Float[Array, "rows d"]
    ) -> tuple[Float[Array, "rows m"], Float[Array, " m"]]:
        """Of f(A) − f(B), row by row, and of its average."""
        total, local = np.zeros(()), []
        for part in blocks(len(A), len(self.fitted.covariance) * (1 + len(self.fitted.weights))):
            G = self._by_parameters(A[part]) - self._by_parameters(B[part])
            local.append(np.einsum("rmq,qs,rms->rm", G, self.fitted.covariance, G, optimize=True))
            total = total + G.sum(axis=0)
        return _roots(np.concatenate(local)), self._of_average(total, len(A))

    def curves(self, X: Float[Array, "rows d"], fields: Callable[[Array], Array], pairs: Pairs) -> CurveErrors:
        """Of second derivatives along pairs of directions."""
        c, count = self.fitted, len(pairs.first)
        size = count * len(c.covariance) * (1 + len(c.weights))
        rows, local, total = evenly(len(X), max(_FEWEST, _SPENT // (size * len(c.covariance)))), [], np.zeros(())
        for part in blocks(len(rows), size):
            own, V = X[rows[part]], fields(X[rows[part]])
            F, U = self._features.values_and_jacobians(own)
            C = curves_along_pairs(c.before.function, own, V, pairs, c.before.args)
            moves = np.einsum("rpd,rdk->rpk", U, V, optimize=True)
            G = curves_by_parameters(c.link.function, F, moves, C, c.weights, c.intercept, pairs, c.link.args)
            local.append(np.sum((G @ c.covariance) * G, axis=-1))
            total = total + G.sum(axis=0)
        return CurveErrors(rows, _roots(np.concatenate(local)), self._of_average(total, len(rows)))

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Of f at every row."""
        G = self._by_parameters(X)
        return _roots(np.einsum("rmq,qs,rms->rm", G, self.fitted.covariance, G, optimize=True))

    def _by_parameters(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m q"]:
        c = self.fitted
        return values_by_parameters(c.link.function, self._features.values(X), c.weights, c.intercept, c.link.args)

    def _of_average(self, total: Array, rows: int) -> Array:
        mean = total / rows
        return _roots(np.einsum("...q,qs,...s->...", mean, self.fitted.covariance, mean, optimize=True))


def _roots(variances: Array) -> Array:
    return np.sqrt(np.maximum(variances, 0.0))
