"""The active subspace of a function: the few directions of its inputs along which it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float

from landform.directions.inputs import Inputs
from landform.directions.resampled import Resampled
from landform.directions.rows import checked_batch
from landform.findings import Bars, Estimate, Finding, Picture, Scatter, Shades, minus

if TYPE_CHECKING:
    import pandas as pd

_TOLD = 3
"""Inputs named in words, and outputs drawn."""


@dataclass(frozen=True, eq=False)
class ActiveSubspace(Finding):
    """Active directions of a function with their doubt.

    Parameters
    ----------
    names, outputs : tuple of str
        The d inputs, and the outputs taken in.
    eigenvalues : array, shape (t,)
        Mean squared slope along each direction, largest first (of directional regression where ``method`` is
        "slices"); t is less than d where the inputs keep to a plane.
    loadings, loading_errors : array, shape (d, k)
        Active variable j is the sum over inputs of loading × (input − mean) / unit; standard errors from resamples.
    dimension : int
        Of the active subspace.
    confidence : float
        The part of resamples whose largest gap gives the same dimension; NaN where it was given.
    distances : array, shape (k,)
        Mean sine of the angle between the span of the first 1, 2, … directions and that of a resample.
    left_out : float
        Part of all mean squared slope along inactive directions.
    scores : tuple of Estimate
        Activity score of each input: its part in the eigenvalues of the active directions.
    variables : array, shape (rows, k)
        The active variables at the points.
    values : array, shape (rows, outputs)
        The outputs there.
    method : {"gradients", "slices"}
        How it was obtained.
    level : float
        Of the intervals.
    notes : tuple of str
        What to know before believing the figures.
    inputs, resampled
        Where it all came from.
    """

    names: tuple[str, ...]
    outputs: tuple[str, ...]
    eigenvalues: Float[np.ndarray, " t"]
    loadings: Float[np.ndarray, "d k"]
    loading_errors: Float[np.ndarray, "d k"]
    dimension: int
    confidence: float
    distances: Float[np.ndarray, " k"]
    left_out: float
    scores: tuple[Estimate, ...]
    variables: Float[np.ndarray, "rows k"]
    values: Float[np.ndarray, "rows outputs"]
    method: Literal["gradients", "slices"]
    level: float
    notes: tuple[str, ...]
    inputs: Inputs = field(repr=False)
    resampled: Resampled = field(repr=False)

    @property
    def how(self) -> str:
        """How it was obtained."""
        rows, draws = len(self.variables), len(self.resampled.draws)
        what = {"gradients": "slopes", "slices": "values alone, by directional regression"}[self.method]
        return f"from {what} at {rows} points; doubt from {draws} resamples of them"

    @property
    def words(self) -> str:
        """The finding in sentences."""
        k = self.dimension
        agreed = "as given" if np.isnan(self.confidence) else f"in {100 * self.confidence:.0f} % of resamples"
        lines = [
            f"{', '.join(self.outputs)} {'moves' if len(self.outputs) == 1 else 'move'} along {k} "
            f"direction{'s' if k > 1 else ''} of {len(self.names)} inputs ({agreed}); "
            f"{100 * self.left_out:.2g} % of the mean squared slope lies outside."
            if self.method == "gradients"
            else f"{', '.join(self.outputs)} depends on {k} direction{'s' if k > 1 else ''} of {len(self.names)} "
            f"inputs ({agreed})."
        ]
        if k <= len(self.distances):
            lines.append(f"Resampled, the active subspace turns by {np.degrees(np.arcsin(self._turn)):.2g}°.")
        lines += [self._variable_words(j) for j in range(min(k, self.loadings.shape[1]))]
        return "\n".join([*lines, *self.notes])

    @property
    def _turn(self) -> float:
        return float(np.clip(self.distances[self.dimension - 1], 0.0, 1.0))

    def _variable_words(self, j: int) -> str:
        largest = np.argsort(-np.round(np.abs(self.loadings[:, j]), 10), kind="stable")[:_TOLD]
        parts = [f"{self.names[i]} {minus(f'{self.loadings[i, j]:+.2f}')}" for i in largest]
        return f"Active variable {j + 1}: mostly {', '.join(parts)}."

    def to_frame(self) -> pd.DataFrame:
        """One row per direction and input: its loading with standard error and interval, and whether it is active."""
        import pandas as pd

        lower, upper = self._loading_intervals()
        rows = [
            {
                "direction": j + 1,
                "input": name,
                "loading": self.loadings[i, j],
                "standard_error": self.loading_errors[i, j],
                "lower": lower[i, j],
                "upper": upper[i, j],
                "active": j < self.dimension,
            }
            for j in range(self.loadings.shape[1])
            for i, name in enumerate(self.names)
        ]
        return pd.DataFrame(rows)

    def eigenvalues_to_frame(self) -> pd.DataFrame:
        """One row per direction: eigenvalue with interval, share, and how far the span up to it turns."""
        import pandas as pd

        lower, upper = self._quantiles(self.resampled.draws)
        turns = np.full(len(self.eigenvalues), np.nan)
        turns[: len(self.distances)] = np.degrees(np.arcsin(np.clip(self.distances, 0.0, 1.0)))
        return pd.DataFrame(
            {
                "direction": np.arange(1, len(self.eigenvalues) + 1),
                "eigenvalue": self.eigenvalues,
                "lower": lower,
                "upper": upper,
                "share": self.eigenvalues / self.eigenvalues.sum(),
                "turn": turns,
                "active": np.arange(len(self.eigenvalues)) < self.dimension,
            }
        )

    def scores_to_frame(self) -> pd.DataFrame:
        """One row per input: its activity score with interval, the largest first."""
        import pandas as pd

        rows = [{"input": name, **score.to_dict()} for name, score in zip(self.names, self.scores, strict=True)]
        return pd.DataFrame(rows).sort_values("value", ascending=False, ignore_index=True)

    def active_variables(self, X: Any) -> Float[np.ndarray, "rows dimension"]:
        """Where rows lie along the active directions."""
        batch = checked_batch(X, self.names, start=0)
        dense = batch if isinstance(batch, np.ndarray) else batch.toarray()
        return np.asarray(((dense - self.inputs.mean) / self.inputs.units) @ self.loadings[:, : self.dimension])

    def pictures(self) -> Sequence[Picture]:
        """Eigenvalues with intervals, loadings of the first direction, outputs over the active variables."""
        shown = min(len(self.eigenvalues), 12)
        lower, upper = (bound[:shown].tolist() for bound in self._quantiles(self.resampled.draws))
        labels = [f"{j + 1}{' (active)' if j < self.dimension else ''}" for j in range(shown)]
        title = "Mean squared slope" if self.method == "gradients" else "Dependence on each direction"
        scree = Bars(labels, self.eigenvalues[:shown].tolist(), lower, upper, title, "eigenvalue")
        return [scree, self._loading_bars(), *self._summaries()]

    def _loading_bars(self) -> Bars:
        order = np.argsort(-np.abs(self.loadings[:, 0]), kind="stable")[:25]
        lower, upper = (bound[order, 0].tolist() for bound in self._loading_intervals())
        names = [self.names[i] for i in order]
        return Bars(names, self.loadings[order, 0].tolist(), lower, upper, "Active variable 1", "loading")

    def _summaries(self) -> list[Picture]:
        pictures: list[Picture] = []
        none = [None] * len(self.variables)
        flat = self.dimension > 1 and self.variables.shape[1] > 1
        for o, name in list(enumerate(self.outputs))[:_TOLD]:
            y = self.values[:, o].tolist()
            if flat:
                plane = self.variables[:, :2].tolist()
                pictures.append(Shades(plane, y, name, "active variable 1", "active variable 2", name))
            else:
                x = self.variables[:, 0].tolist()
                pictures.append(Scatter(x, y, none, none, name, "active variable 1", name, diagonal=False))
        return pictures

    def _quantiles(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tail = 50 * (1 - self.level)
        low, high = np.percentile(draws, [tail, 100 - tail], axis=0)
        return low, high

    def _loading_intervals(self) -> tuple[np.ndarray, np.ndarray]:
        back = self.inputs.back.T * self.inputs.units[:, None]
        return self._quantiles(np.einsum("dt,btk->bdk", back, self.resampled.vector_draws, optimize=True))
