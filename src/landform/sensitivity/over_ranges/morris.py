"""Morris screening: how much each input's own steps move the output, and how unevenly.

References
----------
Morris (1991), *Technometrics* 33, 161; Campolongo, Saltelli and Cariboni (2011), *Comput. Phys. Commun.* 182, 978
(radial steps between two quasi-random points, which no grid of levels can miss).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from scipy import stats
from scipy.stats import qmc

from landform.backends import Model
from landform.errors import ProblemError
from landform.findings import Bars, Finding, Picture, Scatter
from landform.sensitivity.over_ranges.evaluate import Mode, make_evaluator, refuse_effort
from landform.sensitivity.over_ranges.expansion import refuse_constant
from landform.sensitivity.over_ranges.inputs import Inputs, make_inputs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Screening(Finding):
    """What Morris screening found, in units of the output per crossing of the input's whole distribution.

    Parameters
    ----------
    inputs, outputs : tuple of str
        Names.
    size, mean, spread : array, shape (m, d)
        Mean absolute elementary effect (mu*), mean (mu), standard deviation (sigma).
    half_width : array, shape (m, d)
        Of the 95 % interval of ``size``.
    evaluations, repeats : int
        Values taken, and elementary effects of each input.
    words : str
        How it was obtained.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    size: Float[np.ndarray, "m d"]
    mean: Float[np.ndarray, "m d"]
    spread: Float[np.ndarray, "m d"]
    half_width: Float[np.ndarray, "m d"]
    evaluations: int
    repeats: int
    words: str

    def to_frame(self) -> pd.DataFrame:
        """One row for each output and input, the largest effect first."""
        import pandas as pd

        rows = [
            {
                "output": output,
                "input": self.inputs[i],
                "mu_star": self.size[k, i],
                "error": self.half_width[k, i],
                "mu": self.mean[k, i],
                "sigma": self.spread[k, i],
                "method": "Morris",
                "evaluations": self.evaluations,
            }
            for k, output in enumerate(self.outputs)
            for i in np.argsort(-self.size[k])
        ]
        return pd.DataFrame(rows)

    def pictures(self) -> Sequence[Picture]:
        """For each output mu* with its interval, and sigma against it."""
        drawn: list[Picture] = []
        for k, output in enumerate(self.outputs):
            order = np.argsort(-self.size[k])
            size, half = self.size[k, order], self.half_width[k, order]
            labels = [self.inputs[i] for i in order]
            low, high = [float(v) for v in np.maximum(size - half, 0.0)], [float(v) for v in size + half]
            drawn.append(Bars(labels, [float(v) for v in size], low, high, title=output, axis="mean absolute effect"))
            nothing: list[float | None] = [None] * len(labels)
            x, y = [float(v) for v in size], [float(v) for v in self.spread[k, order]]
            drawn.append(Scatter(x, y, nothing, nothing, title=output, x_axis="mu*", y_axis="sigma", labels=labels))
        return drawn


def morris_screening(
    function: Callable[..., Any] | Model,
    distributions: Any,
    *,
    tolerance: float = 0.1,
    budget: int = 20_000,
    outputs: Sequence[str] | None = None,
    mode: Mode = "auto",
    seed: int = 0,
) -> Screening:
    """Which of many inputs matter at all.

    From points all over the distributions, one input at a time steps to another value of its own; the elementary
    effect is the change of the output over the change of the input's probability.

    Parameters
    ----------
    function, distributions, outputs, mode, seed
        As for `landform.global_sensitivity`.
    tolerance : float
        Largest half-width wanted, as a share of the largest mean absolute effect.
    budget : int
        The most evaluations.

    Returns
    -------
    Screening

    Examples
    --------
    >>> import numpy as np
    >>> found = morris_screening(lambda x: 3 * x[:1] - x[1:2], {"a": (0, 1), "b": (0, 1)})
    >>> found.size.round(6), found.spread.round(6)
    (array([[3., 1.]]), array([[0., 0.]]))
    """
    refuse_effort(tolerance, budget)
    inputs = make_inputs(distributions, names=function.inputs if isinstance(function, Model) else None)
    refuse_tied(inputs)
    evaluator = make_evaluator(function, inputs.names, middle(inputs), outputs=outputs, mode=mode)
    d, sequence = inputs.d, qmc.Sobol(2 * inputs.d, seed=seed)
    effects: list[np.ndarray] = []
    batch = 16
    while True:
        effects.append(_effects(evaluator.values, inputs, sequence.random(batch)))
        every = np.concatenate(effects)
        r = len(every)
        size, spread = np.abs(every).mean(axis=0), every.std(axis=0, ddof=1)
        error = stats.t.ppf(0.975, r - 1) * np.abs(every).std(axis=0, ddof=1) / np.sqrt(r)
        enough = bool((error <= tolerance * size.max(axis=1, keepdims=True)).all())
        if enough or 2 * r * (d + 1) > budget:
            break
        batch = r
    words = f"Morris screening: {r} radial steps of every input, {evaluator.values_taken} evaluations"
    words += "." if enough else f"; the budget of {budget} ended it before the tolerance was met."
    return Screening(
        inputs.names, evaluator.outputs, size, every.mean(axis=0), spread, error, evaluator.values_taken, r, words
    )


def _effects(
    values: Callable[[np.ndarray], np.ndarray], inputs: Inputs, U: Float[np.ndarray, "r k"]
) -> Float[np.ndarray, "r m d"]:
    d, r = inputs.d, len(U)
    # Steps go from each point to half the cube away and a random part on, so that none is small.
    start = U[:, :d]
    goal = (start + 0.25 + 0.5 * U[:, d:]) % 1.0
    runs = [start]
    for i in range(d):
        moved = start.copy()
        moved[:, i] = goal[:, i]
        runs.append(moved)
    X = np.stack([m.at(u) for m, u in zip(inputs.marginals, np.concatenate(runs).T, strict=True)], axis=1)
    Y = values(X).reshape(d + 1, r, -1)
    refuse_constant(Y.reshape(-1, Y.shape[2]))
    return np.moveaxis((Y[1:] - Y[0]) / (goal - start).T[:, :, None], 0, -1)


def middle(inputs: Inputs) -> Float[np.ndarray, " d"]:
    """A point of the inputs: every one at its median."""
    return np.array([float(m.at(np.array([0.5]))[0]) for m in inputs.marginals])


def refuse_tied(inputs: Inputs) -> None:
    """Refuse inputs that cannot move one at a time.

    Raises
    ------
    ProblemError
    """
    if not inputs.independent:
        raise ProblemError(
            "independent inputs",
            got="correlations, a mixture or conditions, which forbid moving one input alone",
            remedy="call global_sensitivity, whose Shapley effects hold for tied inputs",
        )
