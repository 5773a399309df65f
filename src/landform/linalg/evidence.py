"""The evidence of a Gaussian prior's precision, in closed form in the eigenvalues of the data's curvature.

With λ the eigenvalues of the information of the data at unit noise, ``n`` parameters θ, prior precision δ and noise σ:
log p = log-likelihood − ½ [δ |θ|² − n log δ + Σ log(λ/σ² + δ)]. At a fixed ridge r = δσ² the best σ is known, so that
both together are one search along a line.

References
----------
MacKay (1992), "Bayesian interpolation", Neural Computation 4; Immer, Bauer, Fortuin, Rätsch and Khan (2021), "Scalable
marginal likelihood estimation for model selection in deep learning", ICML.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize_scalar

from landform.errors import ShapeError

_GRID = np.linspace(-12.0, 12.0, 97) * np.log(10.0)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The marginal likelihood as a function of prior precision and noise.

    Parameters
    ----------
    eigenvalues : array, shape (n,)
        Of the information at unit noise, n counting parameters without any as zeros.
    squared : float
        |θ|².
    log_likelihood : float or None
        Of the data at θ where there is no noise to choose.
    residual, count : float, int
        Sum of squared residuals and how many there are, where the noise is Gaussian.
    weights : array, shape (n,), optional
        How many eigenvalues each one stands for, of a quadrature.
    """

    eigenvalues: Float[np.ndarray, " n"]
    squared: float
    log_likelihood: float | None = None
    residual: float = 0.0
    count: int = 0
    weights: Float[np.ndarray, " n"] | None = None

    def _added(self, values: np.ndarray) -> float:
        return float(values.sum() if self.weights is None else values @ self.weights)

    def at(self, precision: float, noise: float = 1.0) -> float:
        """The logarithm of the evidence.

        Examples
        --------
        >>> one = Evidence(np.array([3.0]), 1.0, log_likelihood=-2.0)
        >>> round(one.at(1.0), 4)  # -2 - (1 + log 4) / 2
        -3.1931
        """
        likelihood = self.log_likelihood
        if likelihood is None:
            likelihood = -self.residual / (2 * noise**2) - self.count * np.log(noise * np.sqrt(2 * np.pi))
        total = self._added(np.log1p(self.eigenvalues / (noise**2 * precision)))
        return float(likelihood - (precision * self.squared + total) / 2)

    def effective(self, precision: float, noise: float = 1.0) -> float:
        """How many directions the data fix rather than the prior: Σ λ / (λ + δσ²)."""
        return self._added(self.eigenvalues / (self.eigenvalues + precision * noise**2))

    def best(self, precision: float | None, noise: float | None) -> tuple[float, float, float]:
        """Prior precision and noise of most evidence, those given held, and the standard error of log precision.

        The standard error is that of a normal approximation; zero where the precision was given.

        Raises
        ------
        ShapeError
            If the evidence has no maximum.
        """
        if self.log_likelihood is not None:
            noise = 1.0
        if precision is not None and noise is not None:
            return precision, noise, 0.0
        if precision is not None:
            fixed = precision
            at = _highest(lambda t: self.at(fixed, np.exp(t)), "noise")
            return precision, float(np.exp(at)), 0.0
        if noise is not None:
            held = noise
            at = _highest(lambda t: self.at(np.exp(t), held), "prior precision")
            return float(np.exp(at)), noise, _doubt(lambda t: self.at(np.exp(t), held), at)
        at = _highest(self._along_ridge, "prior precision")
        sigma = self._noise(np.exp(at))
        return float(np.exp(at) / sigma**2), sigma, _doubt(self._along_ridge, at)

    def _noise(self, ridge: float) -> float:
        return float(np.sqrt((self.residual + ridge * self.squared) / self.count))

    def _along_ridge(self, log_ridge: float) -> float:
        ridge = float(np.exp(log_ridge))
        noise = self._noise(ridge)
        return self.at(ridge / noise**2, noise) if noise > 0 else -np.inf


def _highest(f: Callable[[float], float], what: str) -> float:
    values = np.array([f(t) for t in _GRID])
    k = int(np.argmax(values))
    if k in (0, len(_GRID) - 1) or not np.isfinite(values[k]):
        raise ShapeError(
            f"an evidence with a maximum in the {what}",
            got="one that grows without end",
            remedy=f"give the {what} as a number",
            where="argument noise" if what == "noise" else "argument prior",
        )
    found = minimize_scalar(lambda t: -f(t), bracket=(_GRID[k - 1], _GRID[k], _GRID[k + 1]), tol=1e-10)
    return float(found.x)


def _doubt(f: Callable[[float], float], at: float, step: float = 1e-3) -> float:
    bend = (f(at + step) - 2 * f(at) + f(at - step)) / step**2
    return float(1 / np.sqrt(-bend)) if bend < 0 else np.inf
