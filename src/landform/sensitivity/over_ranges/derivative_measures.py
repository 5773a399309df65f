"""Derivative-based global measures with exact gradients, and what they can and cannot say.

References
----------
Sobol' and Kucherenko (2009), *Math. Comput. Simul.* 79, 3009 (mean squared slopes bound total indices); Roustant,
Barthe and Iooss (2017), *Electron. J. Stat.* 11, 3081 (the best constant); Cacoullos (1982), *Ann. Probab.* 10, 799
(the Stein kernel, from above by E[t g'^2] and, through the covariance with the input, from below).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends import Model
from landform.errors import DerivativeError
from landform.findings import Bars, Finding, Picture
from landform.sensitivity.over_ranges.evaluate import Evaluator, Mode, make_evaluator, refuse_effort
from landform.sensitivity.over_ranges.expansion import Drawn, draw, refuse_constant, total_by_chaos
from landform.sensitivity.over_ranges.inputs import Inputs, make_inputs
from landform.sensitivity.over_ranges.lattice import SIZES, lattice, mean_with_error
from landform.sensitivity.over_ranges.morris import middle, refuse_tied
from landform.sensitivity.over_ranges.poincare import poincare_constant

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class DerivativeMeasures(Finding):
    """Mean squared slopes and the bounds on total indices that follow.

    Parameters
    ----------
    inputs, outputs : tuple of str
        Names.
    measure, half_width : array, shape (m, d)
        Mean squared derivative, in squared units of the output per unit of the input, and its 95 % half-width.
    mean_slope, mean_absolute_slope : array, shape (m, d)
        The derivative's mean, and its absolute value's.
    upper : array, shape (m, d)
        Bound on the total index by the input's Poincaré constant; infinite where it has none.
    weighted_upper : array, shape (m, d)
        Bound by slopes weighted with the Stein kernel; often the tighter one.
    lower : array, shape (m, d)
        Bound on the total index from below, by the covariance with the input.
    total : array, shape (m, d)
        The total index itself, by chaos from the same points; NaN where it cannot be told from them.
    looseness : array, shape (m, d)
        How many times too large ``upper`` is.
    warnings : tuple of str
        Where ranks by these measures are not ranks by variance.
    evaluations : int
        Points, each a value and a gradient.
    words : str
        How it was obtained.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    measure: Float[np.ndarray, "m d"]
    half_width: Float[np.ndarray, "m d"]
    mean_slope: Float[np.ndarray, "m d"]
    mean_absolute_slope: Float[np.ndarray, "m d"]
    upper: Float[np.ndarray, "m d"]
    weighted_upper: Float[np.ndarray, "m d"]
    lower: Float[np.ndarray, "m d"]
    total: Float[np.ndarray, "m d"]
    looseness: Float[np.ndarray, "m d"]
    warnings: tuple[str, ...]
    evaluations: int
    words: str

    def to_frame(self) -> pd.DataFrame:
        """One row for each output and input."""
        import pandas as pd

        rows = [
            {
                "output": output,
                "input": name,
                "mean squared slope": self.measure[k, i],
                "error": self.half_width[k, i],
                "total index, at least": self.lower[k, i],
                "total index": self.total[k, i],
                "total index, at most": min(self.upper[k, i], self.weighted_upper[k, i]),
                "looseness": self.looseness[k, i],
                "method": "derivatives",
                "evaluations": self.evaluations,
            }
            for k, output in enumerate(self.outputs)
            for i, name in enumerate(self.inputs)
        ]
        return pd.DataFrame(rows)

    def pictures(self) -> Sequence[Picture]:
        """For each output the total index between its bounds."""
        drawn = []
        for k, output in enumerate(self.outputs):
            low, high = self.lower[k], np.minimum(self.upper[k], self.weighted_upper[k])
            value = np.where(np.isfinite(self.total[k]), self.total[k], high)
            order = np.argsort(-value)
            drawn.append(
                Bars(
                    [self.inputs[i] for i in order],
                    [float(value[i]) for i in order],
                    [float(low[i]) for i in order],
                    [float(high[i]) for i in order],
                    title=output,
                    axis="total index within its bounds by derivatives",
                )
            )
        return drawn


def derivative_measures(
    function: Callable[..., Any] | Model,
    distributions: Any,
    *,
    tolerance: float = 0.05,
    budget: int = 5_000,
    outputs: Sequence[str] | None = None,
    mode: Mode = "auto",
    seed: int = 0,
) -> DerivativeMeasures:
    """Mean squared slopes over the inputs' distributions, from exact gradients on a lattice.

    Parameters
    ----------
    function, distributions, outputs, mode, seed
        As for `landform.global_sensitivity`; the inputs are independent.
    tolerance : float
        Largest half-width wanted, as a share of the largest measure once each is put in the bound it gives.
    budget : int
        The most gradients over all lattices tried; at least the 97 of the smallest are taken.

    Returns
    -------
    DerivativeMeasures

    Raises
    ------
    ProblemError
        If the inputs are tied.
    DerivativeError
        If the function has no exact derivatives.

    Examples
    --------
    >>> found = derivative_measures(lambda x: 3 * x[:1] - x[1:2], {"a": (0, 1), "b": (0, 1)})
    >>> found.measure, found.looseness.round(2), found.evaluations
    (array([[9., 1.]]), array([[1.22, 1.22]]), 97)
    """
    refuse_effort(tolerance, budget)
    inputs = make_inputs(distributions, names=function.inputs if isinstance(function, Model) else None)
    refuse_tied(inputs)
    evaluator = make_evaluator(function, inputs.names, middle(inputs), outputs=outputs, mode=mode)
    constants = np.array([poincare_constant(m) for m in inputs.marginals])
    for n in SIZES:
        drawn = draw(evaluator, inputs, lattice(n, inputs.d, np.random.default_rng(seed)))
        refuse_constant(drawn.values)
        squares = _gradients(drawn) ** 2
        means, widths = mean_with_error(squares.reshape(n, -1), n, inputs.d)
        measure, half_width = means.reshape(squares.shape[1:]), widths.reshape(squares.shape[1:])
        scale = np.array([m.deviation for m in inputs.marginals]) ** 2
        enough = bool((half_width * scale <= tolerance * (measure * scale).max(axis=1, keepdims=True)).all())
        following = next((size for size in SIZES if size > n), None)
        if enough or following is None or evaluator.gradients_taken + following > budget:
            break
    return _found(evaluator, inputs, drawn, measure, half_width, constants, enough)


def _gradients(drawn: Drawn) -> Float[np.ndarray, "n m d"]:
    if drawn.gradients is None:
        raise DerivativeError(
            "a function with exact derivatives",
            got='mode="values"',
            remedy="write it with jax.numpy and leave the mode out, or call morris_screening",
        )
    return drawn.gradients


def _found(
    evaluator: Evaluator,
    inputs: Inputs,
    drawn: Drawn,
    measure: np.ndarray,
    half_width: np.ndarray,
    constants: np.ndarray,
    enough: bool,
) -> DerivativeMeasures:
    G, variance = _gradients(drawn), drawn.values.var(axis=0)[:, None]
    slope = np.stack([m.slope(u) for m, u in zip(inputs.marginals, drawn.U.T, strict=True)], axis=1)
    kernel = np.stack([m.stein(m.germ(u)) for m, u in zip(inputs.marginals, drawn.U.T, strict=True)], axis=1)
    along = G * slope[:, None, :]
    weighted = np.mean(kernel[:, None] * along**2, axis=0) / variance
    lower = np.mean(kernel[:, None] * along, axis=0) ** 2 / variance
    upper = np.where(np.isfinite(constants), constants * measure, np.inf) / variance
    total = total_by_chaos(drawn, inputs)
    with np.errstate(divide="ignore", invalid="ignore"):
        looseness = upper / total
    n = len(drawn.U)
    words = f"Exact gradients at {n} points of a randomly shifted lattice"
    words += "." if enough else "; the budget ended before the tolerance was met."
    return DerivativeMeasures(
        inputs.names,
        evaluator.outputs,
        measure,
        half_width,
        G.mean(axis=0),
        np.abs(G).mean(axis=0),
        upper,
        weighted,
        lower,
        total,
        looseness,
        _misranked(inputs.names, evaluator.outputs, upper, total),
        evaluator.gradients_taken,
        words,
    )


def _misranked(
    names: tuple[str, ...], outputs: tuple[str, ...], upper: np.ndarray, total: np.ndarray
) -> tuple[str, ...]:
    said = []
    for output, bound, index in zip(outputs, upper, total, strict=True):
        if not (np.isfinite(index).all() and np.isfinite(bound).all()):
            continue
        # Inputs that hardly matter may stand in any order among themselves.
        counts = index > 0.02
        first, second = ([names[i] for i in np.argsort(-by, kind="stable") if counts[i]] for by in (bound, index))
        if first != second:
            said.append(
                f"{output}: mean squared slopes rank {' > '.join(first)}, but the variance that inputs cause ranks "
                f"{' > '.join(second)}; trust the second"
            )
    return tuple(said)
