"""Global sensitivity: chaos where the function is smooth, sampling where it is not, and which it was is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from landform.backends import Model
from landform.errors import ProblemError, ShapeError
from landform.sensitivity.over_ranges.evaluate import Evaluator, Mode, make_evaluator, refuse_effort
from landform.sensitivity.over_ranges.expansion import Expansion, expand
from landform.sensitivity.over_ranges.indices import Indices
from landform.sensitivity.over_ranges.inputs import Inputs, make_inputs
from landform.sensitivity.over_ranges.region import Mixture
from landform.sensitivity.over_ranges.sampling import sample_indices
from landform.sensitivity.over_ranges.shapley_effects import feasible_points, sample_shapley
from landform.sensitivity.over_ranges.variance_shares import GlobalSensitivity

Method = Literal["auto", "chaos", "sampling", "shapley"]
_CHAOS_POINTS = 200
"""More points than this are better spent on sampling, unless chaos was asked for."""


def global_sensitivity(
    function: Callable[..., Any] | Model,
    distributions: Mapping[str, Any] | Sequence[Any],
    *,
    correlation: Any = None,
    mixture: Mixture | Sequence[str] | None = None,
    limits: Sequence[tuple[Mapping[str, float], float | None, float | None]] = (),
    method: Method = "auto",
    tolerance: float = 0.01,
    budget: int = 1_000_000,
    outputs: Sequence[str] | None = None,
    mode: Mode = "auto",
    seed: int = 0,
) -> GlobalSensitivity:
    """What share of each output's variance every input causes: Sobol indices and Shapley effects, with their errors.

    Independent inputs are tried with polynomial chaos, fitted to values and exact gradients; where its error does not
    fall (a kink, a jump), Sobol points take over. Tied inputs (correlated, of a mixture, confined to a region) have
    Shapley effects, by drawing inputs anew given others. Each goes on until every half-width is at most ``tolerance``.

    Parameters
    ----------
    function : callable or Model
        From d inputs, shape (d,), to m outputs; JAX-traceable unless ``mode`` is "values".
    distributions : mapping from name, or sequence
        For each input a pair ``(lower, upper)``, a frozen continuous distribution of `scipy.stats`, or ten or more
        measured values. A mapping is in the order of the function's inputs; for a model it names them.
    correlation : array, shape (d, d), optional
        Of the inputs' normal scores: a Gaussian copula.
    mixture : Mixture or sequence of str, optional
        Inputs that add to a total (1 where only names are given), spread evenly within their bounds.
    limits : sequence of (coefficients by name, lower, upper)
        Linear conditions that points must meet; None for no bound.
    method : {"auto", "chaos", "sampling", "shapley"}
        "shapley" takes conditional sampling for independent inputs too.
    tolerance : float
        Largest half-width of a 95 % interval wanted; indices are shares of 1.
    budget : int
        The most evaluations, a gradient counted as one; a first round of the method is always made.
    outputs : sequence of str, optional
        Names of the outputs.
    mode : {"auto", "values"}
        "values" takes any Python function, row by row, and no derivative.
    seed : int
        Of the random scrambling of the points.

    Returns
    -------
    GlobalSensitivity

    Raises
    ------
    ProblemError
        If a distribution, the correlation or the mixture is none, or an output does not vary.
    ShapeError
        If names or sizes do not fit.
    InfeasibleError
        If next to no point meets the conditions.
    DerivativeError
        If a value or derivative is not finite, naming the point; or the function cannot be traced.

    Examples
    --------
    >>> found = global_sensitivity(lambda x: x[:1] + 2 * x[1:2] * x[:1], {"a": (-1, 1), "b": (-1, 1)})
    >>> found.indices["total"].values.round(6), found.indices["shapley"].values.round(6)
    (array([[1.      , 0.571429]]), array([[0.714286, 0.285714]]))
    >>> found.method, found.gradients
    ('chaos', 24)
    """
    if method not in ("auto", "chaos", "sampling", "shapley"):
        raise ShapeError(
            'method "auto", "chaos", "sampling" or "shapley"', got=repr(method), remedy="choose one", where="method"
        )
    refuse_effort(tolerance, budget)
    blend = Mixture(tuple(mixture)) if mixture is not None and not isinstance(mixture, Mixture) else mixture
    names = function.inputs if isinstance(function, Model) else None
    inputs = make_inputs(distributions, names=names, correlation=correlation, mixture=blend, limits=limits)
    evaluator = make_evaluator(function, inputs.names, feasible_points(inputs, 1, seed)[0], outputs=outputs, mode=mode)
    if not inputs.independent or method == "shapley":
        return _by_drawing_anew(evaluator, inputs, method, tolerance, budget, seed)
    if method == "sampling":
        return _by_sampling(evaluator, inputs, "as asked for", tolerance, budget, seed)
    most = min(budget, max(_CHAOS_POINTS, 6 * inputs.d) if method == "auto" else budget)
    found = expand(evaluator, inputs, tolerance=tolerance, most=most, seed=seed)
    if found.reached or method == "chaos":
        return _of_chaos(evaluator, inputs, found)
    return _by_sampling(evaluator, inputs, _why(evaluator, found), tolerance, budget, seed)


def _why(evaluator: Evaluator, found: Expansion) -> str:
    known = f" ({evaluator.notes[0]})" if evaluator.notes else ""
    return (
        f"because polynomial chaos would not do: {found.trouble}, as happens where a function has kinks or "
        f"jumps{known} or very many interactions"
    )


def _of_chaos(evaluator: Evaluator, inputs: Inputs, found: Expansion) -> GlobalSensitivity:
    n = len(found.drawn.U)
    what = "values and exact gradients" if evaluator.differentiable else "values"
    terms = " and ".join(str(len(c.terms)) for c in found.chaos) if len(found.chaos) < 4 else "few"
    words = (
        f"Sobol indices by polynomial chaos of {terms} terms from {what} at {n} points; it leaves "
        f"{found.unexplained.max():.1g} of the variance unexplained, leave-one-out and at points it had not seen."
    )
    if found.trouble:
        words += f" The tolerance was not met: {found.trouble}."
    return _finding(
        evaluator, inputs, found.indices, found.variance, "chaos", words, found.reached, found.mean, found.unexplained
    )


def _by_sampling(
    evaluator: Evaluator, inputs: Inputs, why: str, tolerance: float, budget: int, seed: int
) -> GlobalSensitivity:
    indices, variance = sample_indices(evaluator, inputs, tolerance=tolerance, most=budget, seed=seed)
    words = f"Sobol indices by scrambled Sobol points, {why}; {evaluator.values_taken} evaluations."
    return _finding(evaluator, inputs, indices, variance, "sampling", *_judged(words, indices, tolerance))


def _by_drawing_anew(
    evaluator: Evaluator, inputs: Inputs, method: Method, tolerance: float, budget: int, seed: int
) -> GlobalSensitivity:
    if method in ("chaos", "sampling"):
        raise ProblemError(
            'method "auto" or "shapley" for inputs that are tied',
            got=repr(method),
            remedy="leave the method out: tied inputs have no Sobol decomposition",
            where="argument method",
        )
    indices, variance = sample_shapley(evaluator, inputs, tolerance=tolerance, most=budget, seed=seed)
    reason = "asked for" if inputs.independent else "the inputs are tied, so their interactions cannot be told apart"
    words = (
        f"Shapley effects by drawing inputs anew given others, from scrambled Sobol points ({reason}); "
        f"{evaluator.values_taken} evaluations."
    )
    return _finding(evaluator, inputs, indices, variance, "conditional sampling", *_judged(words, indices, tolerance))


def _judged(words: str, indices: Indices, tolerance: float) -> tuple[str, bool]:
    widest = max(one.widest for one in indices.values())
    if widest <= tolerance:
        return words, True
    return f"{words} The budget ended it at ± {widest:.2g}.", False


def _finding(
    evaluator: Evaluator,
    inputs: Inputs,
    indices: Indices,
    variance: Float[np.ndarray, " m"],
    method: str,
    words: str,
    reached: bool,
    mean: Float[np.ndarray, " m"] | None = None,
    unexplained: Float[np.ndarray, " m"] | None = None,
) -> GlobalSensitivity:
    return GlobalSensitivity(
        inputs.names,
        evaluator.outputs,
        indices,
        mean,
        variance,
        method,
        words,
        evaluator.values_taken,
        evaluator.gradients_taken,
        unexplained,
        reached,
    )
