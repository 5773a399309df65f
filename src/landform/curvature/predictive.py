"""Predictions with the doubt of the parameters in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float
from scipy.special import expit, softmax
from scipy.stats import norm

from landform.errors import ShapeError
from landform.findings import Finding, Picture, Scatter

if TYPE_CHECKING:
    import pandas as pd

Link = Literal["probit", "monte carlo"]
_SHOWN = 60
"""Rows in a picture."""
_BLOCK = 2**22
"""Numbers drawn at a time."""


@dataclass(frozen=True, eq=False)
class Predictive(Finding):
    """What a model says of some inputs, and how sure that is.

    Parameters
    ----------
    distribution : str
        What observations follow: "gaussian", "categorical", "bernoulli", "poisson".
    mean : array, shape (rows, m)
        Expected observations: values, probabilities or rates, averaged over the parameters.
    plugin : array, shape (rows, m)
        The same at the parameters as they are.
    outputs : array, shape (rows, m)
        The model's outputs (logits, of a classifier).
    covariance : array, shape (rows, m, m)
        Of the outputs, by the parameters' doubt.
    standard_errors : array, shape (rows, m) or None
        Of the mean, from drawing; None where nothing was drawn.
    noise : float or None
        Standard deviation of Gaussian observations around the outputs.
    classes : int or None
        How many outputs share one categorical observation.
    level : float
        Of the intervals.
    how : str
        How the mean was had.
    draws, seed : int
        For the intervals of what is not Gaussian.
    """

    distribution: str
    mean: Float[np.ndarray, "rows m"]
    plugin: Float[np.ndarray, "rows m"]
    outputs: Float[np.ndarray, "rows m"]
    covariance: Float[np.ndarray, "rows m m"]
    standard_errors: Float[np.ndarray, "rows m"] | None
    noise: float | None
    classes: int | None
    level: float
    how: str
    draws: int
    seed: int

    @property
    def deviations(self) -> Float[np.ndarray, "rows m"]:
        """Standard deviations of the outputs, by the parameters' doubt."""
        return np.sqrt(np.maximum(np.diagonal(self.covariance, axis1=1, axis2=2), 0))

    @cached_property
    def interval(self) -> tuple[Float[np.ndarray, "rows m"], Float[np.ndarray, "rows m"]]:
        """Where the expected observation lies at the level, by the parameters' doubt: drawn unless it is Gaussian."""
        if self.distribution == "gaussian":
            reach = norm.ppf((1 + self.level) / 2) * self.deviations
            return self.outputs - reach, self.outputs + reach
        if self.distribution != "categorical":
            reach = norm.ppf((1 + self.level) / 2) * self.deviations
            return _mean_of(self.distribution, self.outputs - reach), _mean_of(self.distribution, self.outputs + reach)
        low, high = np.empty_like(self.mean), np.empty_like(self.mean)
        sides = [(1 - self.level) / 2, (1 + self.level) / 2]
        for part, each in _drawn(self.outputs, self.covariance, self.classes, self.draws, self.seed):
            low[part], high[part] = np.quantile(each, sides, axis=0)
        return low, high

    @property
    def observations(self) -> tuple[Float[np.ndarray, "rows m"], Float[np.ndarray, "rows m"]]:
        """Where a new observation lies at the level, of Gaussian ones: doubt and noise together.

        Raises
        ------
        ShapeError
            If they are not Gaussian.
        """
        if self.noise is None:
            raise ShapeError(
                "Gaussian observations", got=self.distribution, remedy="read `mean`: it is their distribution's"
            )
        reach = norm.ppf((1 + self.level) / 2) * np.sqrt(self.deviations**2 + self.noise**2)
        return self.outputs - reach, self.outputs + reach

    def sentences(self) -> list[str]:
        """How sure the predictions are, and how much the parameters' doubt adds."""
        rows = len(self.mean)
        if self.distribution == "categorical":
            top = self._by_observation(self.mean).max(-1).mean()
            before = self._by_observation(self.plugin).max(-1).mean()
            words = f"Of {rows} rows the likeliest class has a probability of {top:.3g} on average, where the model "
            return [words + f"alone says {before:.3g} ({self.how})."]
        low, high = self.interval
        half = float(np.median((high - low) / 2))
        words = f"Of {rows} rows the expected value is known to ±{half:.3g} ({self.level:.0%}, median)"
        if self.noise is not None:
            before, after = self.observations
            words += f", a new observation to ±{float(np.median((after - before) / 2)):.3g}"
        return [f"{words}."]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def _by_observation(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(len(values), -1, self.classes or 1)

    def to_frame(self) -> pd.DataFrame:
        """A row for every row of inputs and output."""
        import pandas as pd

        rows, m = self.mean.shape
        low, high = self.interval
        frame = pd.DataFrame({"row": np.repeat(np.arange(rows), m), "output": np.tile(np.arange(m), rows)})
        columns = {"mean": self.mean, "plugin": self.plugin, "lower": low, "upper": high}
        columns["output_deviation"] = self.deviations
        if self.standard_errors is not None:
            columns["standard_error"] = self.standard_errors
        if self.noise is not None:
            columns["observation_lower"], columns["observation_upper"] = self.observations
        return frame.assign(**{name: one.ravel() for name, one in columns.items()})

    def pictures(self) -> list[Picture]:
        """The first rows with their intervals: the first output, or the likeliest class."""
        low, high = self.interval
        shown = min(len(self.mean), _SHOWN)
        if self.distribution == "categorical":
            best = self.mean[:shown, : self.classes].argmax(1)
            title, axis = "Probability of the likeliest class", "probability"
        else:
            best = np.zeros(shown, dtype=int)
            title, axis = "Expected value", "first output" if self.mean.shape[1] > 1 else "output"
        pick = np.arange(shown), best
        return [
            Scatter(
                list(range(shown)), self.mean[pick].tolist(), low[pick].tolist(), high[pick].tolist(), title=title,
                x_axis="row", y_axis=f"{axis}, {self.level:.0%} interval", diagonal=False,
            )
        ]  # fmt: skip


def predictive(
    distribution: str,
    outputs: Float[np.ndarray, "rows m"],
    covariance: Float[np.ndarray, "rows m m"],
    row_shape: tuple[int, ...],
    *,
    noise: float | None,
    link: Link,
    draws: int,
    level: float,
    seed: int,
) -> Predictive:
    """Average the observations' distribution over that of the outputs.

    Raises
    ------
    ShapeError
        For an unknown link, fewer than two draws, or a level outside 0 to 1.
    """
    if link not in ("probit", "monte carlo") or draws < 2 or not 0 < level < 1:
        raise ShapeError(
            'link "probit" or "monte carlo", two or more draws, a level between 0 and 1',
            got=f"{link!r}, {draws}, {level}",
            remedy='"probit", 1000 and 0.95 serve',
        )
    classes = (row_shape[-1] if row_shape else 1) if distribution == "categorical" else None
    plugin = _mean_of(distribution, outputs, classes)
    errors, how = None, "exact"
    if distribution == "gaussian":
        mean = outputs
    elif link == "monte carlo":
        mean, errors, how = np.empty_like(outputs), np.empty_like(outputs), f"{draws} draws"
        for part, each in _drawn(outputs, covariance, classes, draws, seed, distribution):
            mean[part], errors[part] = each.mean(0), each.std(0, ddof=1) / np.sqrt(draws)
    else:
        spread = np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0)
        if distribution == "poisson":
            mean = np.exp(outputs + spread / 2)
        else:
            mean, how = (
                _mean_of(distribution, outputs / np.sqrt(1 + np.pi / 8 * spread), classes),
                "probit approximation",
            )
    return Predictive(
        distribution, mean, plugin, outputs, covariance, errors, noise, classes, level, how, draws, seed
    )  # fmt: skip


def _mean_of(distribution: str, eta: np.ndarray, classes: int | None = None) -> np.ndarray:
    """Expected observations given the outputs."""
    if distribution == "categorical":
        grouped = eta.reshape(*eta.shape[:-1], -1, classes or eta.shape[-1])
        return np.asarray(softmax(grouped, axis=-1).reshape(eta.shape))
    if distribution == "bernoulli":
        return np.asarray(expit(eta))
    return np.exp(eta) if distribution == "poisson" else eta


def _drawn(
    outputs: np.ndarray,
    covariance: np.ndarray,
    classes: int | None,
    draws: int,
    seed: int,
    distribution: str = "categorical",
) -> Iterator[tuple[slice, np.ndarray]]:
    """Expected observations for drawn outputs, shape (draws, rows, m), a block of rows at a time."""
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // (draws * outputs.shape[1]))
    for start in range(0, len(outputs), step):
        part = slice(start, start + step)
        values, vectors = np.linalg.eigh(covariance[part])
        root = vectors * np.sqrt(np.maximum(values, 0))[:, None]
        noise = rng.standard_normal((draws, *outputs[part].shape))
        yield part, _mean_of(distribution, outputs[part] + np.einsum("rij,drj->dri", root, noise), classes)
