"""Finite effects: what a stated step does to the outputs, for models whose derivative says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends.predictor import Predictor, as_predictor
from landform.errors import ShapeError
from landform.findings import Bars, Finding, Picture

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 20_000
"""Rows that are predicted in one call."""

_STRETCH = np.sqrt(2.0)


@dataclass(frozen=True)
class Secant(Finding):
    """Average slopes over a stated step, with what moving the step about does to them. Made by `secant`.

    Parameters
    ----------
    slopes : array, shape (rows, m, n)
        Change of every output over the step along every input, divided by the step.
    lower, upper : array, shape (rows, m, n)
        The interval: the central 95 % of the same slopes over steps beside it, each moved by up to half a step in every
        input and up to √2 times as long or as short.
    step : array, shape (n,)
        The width of a difference, in units of each input.
    inputs, outputs : tuple of str
        Names.
    one_sided : int
        How many differences start or end at the row itself, since the domain ends there.
    mean_lower, mean_upper : array, shape (m, n)
        The interval of the mean over the rows, from the means over the rows of the same steps beside.
    """

    slopes: Float[np.ndarray, "rows m n"]
    lower: Float[np.ndarray, "rows m n"]
    upper: Float[np.ndarray, "rows m n"]
    step: Float[np.ndarray, " n"]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    one_sided: int
    mean_lower: Float[np.ndarray, "m n"]
    mean_upper: Float[np.ndarray, "m n"]

    def sentences(self) -> Sequence[str]:
        """How the numbers were obtained."""
        return [self.explain()]

    def pictures(self) -> Sequence[Picture]:
        """For each output what one step of every input does to it, averaged over the rows, with its interval."""
        mean, drawn = self.slopes.mean(axis=0), []
        for o, output in enumerate(self.outputs):
            order = np.argsort(-np.abs(mean[o] * self.step))
            parts = [(part[o] * self.step)[order].tolist() for part in (mean, self.mean_lower, self.mean_upper)]
            labels = [f"{self.inputs[i]} (step {self.step[i]:.4g})" for i in order]
            title = f"{output}: mean effect over {len(self.slopes)} rows"
            values, lower, upper = parts
            drawn.append(Bars(labels, values, lower, upper, title, f"change of {output} over one step"))
        return drawn

    def explain(self) -> str:
        """How the numbers were obtained, in words."""
        steps = ", ".join(f"{name} {step:.4g}" for name, step in zip(self.inputs, self.step, strict=True))
        ends = f"; {self.one_sided} of them one-sided, at the end of the domain" if self.one_sided else ""
        return (
            f"differences over steps of {steps}{ends}; intervals from 95 % of the steps beside, moved by up to half a "
            "step and stretched by up to √2"
        )

    def to_frame(self) -> pd.DataFrame:
        """One line for every row, output and input."""
        import pandas as pd

        rows, m, n = self.slopes.shape
        row, output, given = (axis.ravel() for axis in np.indices((rows, m, n)))
        return pd.DataFrame(
            {
                "row": row,
                "output": np.asarray(self.outputs)[output],
                "input": np.asarray(self.inputs)[given],
                "step": self.step[given],
                "slope": self.slopes.ravel(),
                "lower": self.lower.ravel(),
                "upper": self.upper.ravel(),
            }
        )


def secant(
    model: Any,
    x: Any,
    *,
    step: float | Sequence[float] | Mapping[str, float],
    bounds: tuple[Any, Any] | None = None,
    method: str = "auto",
    draws: int = 40,
    seed: int = 0,
) -> Secant:
    """Finite effects over a stated step: a Jacobian for models that are flat in between their jumps.

    A tree, a forest or nearest neighbors have a derivative of zero almost everywhere; what they say about an input
    shows over a step of the size that matters to the user.

    Parameters
    ----------
    model : estimator, Model or callable
        Fitted; of any package with scikit-learn's methods. A callable takes a table (rows, n) to (rows,) or (rows, m).
    x : array or data frame, shape (n,) or (rows, n)
        Where.
    step : float, sequence or mapping
        Width of the differences in units of each input: one for all, one for each, or by name. From half a step below
        to half a step above, unless that leaves the bounds.
    bounds : pair of arrays, optional
        ``(lower, upper)``, each one number or one per input: no prediction is asked for outside.
    method : str
        Which of an estimator's methods; "auto" is the prediction of a regressor, the probabilities of a classifier.
    draws : int
        Steps beside every step, for the interval.
    seed : int
        Of these.

    Returns
    -------
    Secant
        ``slopes`` of shape (rows, m, n) with ``lower`` and ``upper``, and a table by `to_frame`.

    Raises
    ------
    ShapeError
        If a step is not positive, or does not fit the bounds, or x lies outside them.
    ModelError
        If the model does not predict.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X = np.linspace(0.0, 1.0, 200)[:, None]
    >>> tree = DecisionTreeRegressor().fit(X, 3.0 * X[:, 0])
    >>> effect = secant(tree, np.array([[0.5]]), step=0.2, bounds=(0.0, 1.0))
    >>> bool(2.8 < effect.slopes < 3.2), bool(effect.lower < 3.0 < effect.upper)
    (True, True)
    """
    from landform.backends.sklearn.data import as_table

    predictor = as_predictor(model, as_table(x), method=method)
    n = len(predictor.inputs)
    width = _widths(step, predictor.inputs)
    low, high = _domain(bounds, predictor, width)
    if draws < 2:
        raise ShapeError("2 draws or more", got=str(draws), remedy="40 serve", where="argument draws")
    start = np.clip(predictor.rows[:, None] - 0.5 * width * np.eye(n), low, high)
    end = np.clip(predictor.rows[:, None] + 0.5 * width * np.eye(n), low, high)
    short = np.eye(n, dtype=bool) & (end - start < width * (1 - 1e-9))
    slopes = _slopes(predictor, start, end)
    rng = np.random.default_rng(seed)
    moved = np.stack([_moved(predictor, width, low, high, rng) for _ in range(draws)])
    lower, upper = np.quantile(moved, [0.025, 0.975], axis=0)
    mean, (under, over) = slopes.mean(axis=0), np.quantile(moved.mean(axis=1), [0.025, 0.975], axis=0)
    return Secant(
        slopes,
        np.minimum(lower, slopes),
        np.maximum(upper, slopes),
        width,
        predictor.inputs,
        predictor.outputs,
        int(short.sum()),
        np.minimum(under, mean),
        np.maximum(over, mean),
    )


def _moved(
    predictor: Predictor, width: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The slopes over steps beside: each begins elsewhere and is longer or shorter."""
    rows, n = predictor.rows.shape
    by = rng.uniform(-0.5, 0.5, (rows, n, n)) * width
    half = 0.5 * width * _STRETCH ** rng.uniform(-1.0, 1.0, (rows, n, 1)) * np.eye(n)
    middle = np.clip(predictor.rows[:, None] + by, low, high)
    return _slopes(predictor, np.clip(middle - half, low, high), np.clip(middle + half, low, high))


def _slopes(predictor: Predictor, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Differences between the ends of steps, shape (rows, n, n) with a step in every second axis, per unit."""
    rows, n, _ = start.shape
    both = np.concatenate([start.reshape(-1, n), end.reshape(-1, n)])
    values = np.concatenate([predictor(both[at : at + _ROWS]) for at in range(0, len(both), _ROWS)])
    before, after = values.reshape(2, rows, n, -1)
    length = np.einsum("rii->ri", end - start)
    return np.swapaxes((after - before) / length[:, :, None], 1, 2)


def _widths(step: Any, names: tuple[str, ...]) -> np.ndarray:
    from landform.backends.sklearn.smoothed import widths

    return widths(step, names, "step")


def _domain(bounds: Any, predictor: Predictor, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(predictor.inputs)
    try:
        low, high = (-np.inf, np.inf) if bounds is None else bounds
        low, high = (np.broadcast_to(np.asarray(side, dtype=np.float64), (n,)) for side in (low, high))
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"bounds as (lower, upper), each one number or {n}",
            got=repr(bounds)[:60],
            remedy="give a pair",
            where="argument bounds",
        ) from error
    for i, name in enumerate(predictor.inputs):
        column = predictor.rows[:, i]
        if not (np.all(low[i] <= column) and np.all(column <= high[i])):
            worst = column[np.argmax(np.maximum(low[i] - column, column - high[i]))]
            raise ShapeError(
                f"rows with {name} between {low[i]:.6g} and {high[i]:.6g}",
                got=f"{worst:.6g}",
                remedy="widen the bounds or leave the row out",
                where="argument x",
            )
        if not width[i] * _STRETCH <= high[i] - low[i]:
            raise ShapeError(
                f"a step of {name} that fits between {low[i]:.6g} and {high[i]:.6g} with room to stretch",
                got=f"{width[i]:.6g}",
                remedy=f"take {(high[i] - low[i]) / 2:.6g} or less",
                where="argument step",
            )
    return low, high
