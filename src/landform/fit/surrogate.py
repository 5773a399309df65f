"""A surrogate: a fitted model of one property, with what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from landform.backends import Model
from landform.backends.sklearn import translate
from landform.fit.posterior import Posterior

LEVEL = 0.95
"""Of every interval."""


@dataclass(frozen=True)
class Surrogate:
    """A model of one property fitted to trials.

    Parameters
    ----------
    kind : str
        "mean", "linear", "quadratic", "special cubic" or "gaussian process".
    words : str
        The same for a reader.
    posterior : Posterior
        Uncertainty of that function.
    noise : float
        Standard deviation of one measurement around it.
    degrees : float
        Degrees of freedom of the intervals; infinite for a Gaussian process.
    estimator : estimator
        The fitted scikit-learn pipeline.
    X : array, shape (n, d)
        The points it was fitted to.
    names : tuple of str
        The d inputs' names.
    parameters : tuple of (name, value, standard error or None)
        Coefficients or hyperparameters.
    never : tuple of str
        Terms that no trial holds, about which nothing is known.
    widening : float
        Factor on every interval, from held-out trials.
    """

    kind: str
    words: str
    posterior: Posterior
    noise: float
    degrees: float
    estimator: Any
    X: Float[np.ndarray, "n d"]
    names: tuple[str, ...]
    parameters: tuple[tuple[str, float, float | None], ...]
    never: tuple[str, ...] = ()
    widening: float = 1.0

    @cached_property
    def model(self) -> Model:
        """The fitted function as a differentiable model; whoever uses it checks it against ``estimator``."""
        translation = translate(self.estimator)
        return Model(translation.function, translation.args, self.names, ("y",))

    def quantile(self, level: float = LEVEL) -> float:
        """Half width of an interval in standard errors, widening included."""
        return float(self.widening * half_width(level, self.degrees))

    def predict(self, X: Float[np.ndarray, "rows d"]) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
        """The fitted function at every row of X, and its standard error (without the noise of a measurement)."""
        X = np.asarray(X, dtype=np.float64)
        return np.asarray(self.estimator.predict(X)).reshape(-1), np.sqrt(self.posterior.variances(X))


def half_width(level: float, degrees: Any) -> Any:
    """The quantile of Student's t (the normal one for infinite degrees) for a two-sided interval."""
    upper, infinite = (1 + level) / 2, np.isinf(degrees)
    return np.where(infinite, stats.norm.ppf(upper), stats.t.ppf(upper, np.where(infinite, 1.0, degrees)))[()]


@dataclass(frozen=True)
class HeldOut:
    """Predictions of trials that the fit had not seen; one row per repeat of the split.

    Parameters
    ----------
    mean : array, shape (repeats, n)
        Predictions; NaN where the rest of the trials could not say.
    deviation : array, shape (repeats, n)
        Standard deviation of a measurement around them.
    degrees : array, shape (repeats, n)
        Degrees of freedom of that deviation.
    """

    mean: Float[np.ndarray, "repeats n"]
    deviation: Float[np.ndarray, "repeats n"]
    degrees: Float[np.ndarray, "repeats n"]

    @property
    def complete(self) -> bool:
        """Whether every trial could be predicted from the others."""
        return bool(np.all(np.isfinite(self.mean)) and np.all(np.isfinite(self.deviation)))
