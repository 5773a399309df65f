"""What share of an output's variance each input causes, alone and with others: the finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.findings import Bars, Estimate, Finding, Picture
from landform.findings.pictures import HeatMap
from landform.sensitivity.over_ranges.indices import Indices

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("first", "total", "shapley", "second")


@dataclass(frozen=True, eq=False)
class GlobalSensitivity(Finding):
    """Shares of the variance of every output, with the half-widths of their 95 % intervals.

    Parameters
    ----------
    inputs, outputs : tuple of str
        Names.
    indices : dict of Measured
        By kind, arrays of shape (m, d) as ``values`` and ``half_widths``: "first" (an input alone), "total" (with
        every interaction it takes part in), "shapley" (shares that add to one), and "second" (pairs, (m, d, d)).
        Kinds that the method does not give are absent.
    mean : array, shape (m,), or None
        Of every output, where the method gives it.
    variance : array, shape (m,)
        Of every output.
    method : {"chaos", "sampling", "conditional sampling"}
        How the indices were obtained.
    words : str
        Which method it was, why, and what it took.
    evaluations, gradients : int
        Values alone, and values with gradients, that were taken in all.
    unexplained : array, shape (m,), or None
        The share of the variance that chaos does not explain.
    reached : bool
        Whether every half-width is at most the tolerance.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    indices: Indices
    mean: Float[np.ndarray, " m"] | None
    variance: Float[np.ndarray, " m"]
    method: str
    words: str
    evaluations: int
    gradients: int
    unexplained: Float[np.ndarray, " m"] | None
    reached: bool

    def estimate(self, kind: str, input: str, other: str | None = None, *, output: str | None = None) -> Estimate:
        """One index with its interval.

        Parameters
        ----------
        kind : {"first", "total", "shapley", "second"}
            Which index.
        input, other : str
            The input; for "second" the two.
        output : str, optional
            Which output; the first where not given.
        """
        place: tuple[int, ...] = (0 if output is None else self.outputs.index(output), self.inputs.index(input))
        if kind == "second" and other is not None:
            place = (*place, self.inputs.index(other))
        value, half = self.indices[kind].values[place], self.indices[kind].half_widths[place]
        return Estimate(float(value), None, float(value - half), float(value + half), how=self.method)

    def to_frame(self) -> pd.DataFrame:
        """One row for each index: output, kind, input (two for pairs), estimate, error, method, evaluations."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for k, output in enumerate(self.outputs):
            for kind in (kind for kind in KINDS if kind in self.indices):
                for place, label in self._places(kind):
                    value = self.indices[kind].values[(k, *place)]
                    half = self.indices[kind].half_widths[(k, *place)]
                    rows.append({"output": output, "index": kind, "input": label, "estimate": value, "error": half})
        frame = pd.DataFrame(rows)
        return frame.assign(method=self.method, evaluations=self.evaluations + self.gradients)

    def _places(self, kind: str) -> list[tuple[tuple[int, ...], str]]:
        d = len(self.inputs)
        if kind != "second":
            return [((i,), self.inputs[i]) for i in range(d)]
        return [((i, j), f"{self.inputs[i]} × {self.inputs[j]}") for i in range(d) for j in range(i + 1, d)]

    def pictures(self) -> Sequence[Picture]:
        """For each output bars of the total indices (Shapley effects for tied inputs), and a map of the pairs."""
        drawn: list[Picture] = []
        kind = "shapley" if self.method == "conditional sampling" else "total"
        for k, output in enumerate(self.outputs):
            order = np.argsort(-self.indices[kind].values[k])
            value, half = self.indices[kind].values[k][order], self.indices[kind].half_widths[k][order]
            drawn.append(
                Bars(
                    [self.inputs[i] for i in order],
                    [float(v) for v in value],
                    [float(v) for v in value - half],
                    [float(v) for v in value + half],
                    title=output,
                    axis="Shapley effect" if kind == "shapley" else "total index",
                )
            )
            if "second" in self.indices and len(self.inputs) > 1:
                cells = self.indices["second"].values[k]
                values = [[float(v) if np.isfinite(v) else None for v in row] for row in cells]
                drawn.append(HeatMap(self.inputs, self.inputs, values, title=f"{output}: pairs"))
        return drawn
