"""Step by step down a landscape, each step explained by the local quadratic model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from jaxtyping import Float

from landform.backends import Model
from landform.backends.frameworks import backend_of
from landform.derivatives import prepare
from landform.errors import DerivativeError, ShapeError
from landform.findings import Finding
from landform.findings.pictures import Picture, Scatter
from landform.optimize.problem import make_problem
from landform.optimize.rules import Look, rule_of

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Method = Literal["gradient", "momentum", "adam", "newton", "gauss-newton", "natural"]
_BROAD = 400
"""Up to so many variables the whole Hessian is formed at every step."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step, and what the local quadratic model says of it.

    Parameters
    ----------
    x : array, shape (n,)
        Where it begins.
    value, slope : float
        The objective there, and the length of its gradient.
    move : array, shape (n,)
        The step.
    promised, gained : float
        By how much the model says the objective falls, ``−g·s − s'Hs/2``, and by how much it did.
    along : float
        The curvature along the step, ``s'Hs / s's``.
    best : float
        By what factor the step would have to be lengthened to end at the model's lowest point along it; infinite where
        the curvature along it is not positive.
    least, most : float
        Smallest and largest curvature there is (NaN where the Hessian was not formed).
    words : str
        The same in one sentence.
    """

    x: Float[Array, " n"]
    value: float
    slope: float
    move: Float[Array, " n"]
    promised: float
    gained: float
    along: float
    best: float
    least: float
    most: float
    words: str


@dataclass(frozen=True, eq=False)
class Descent(Finding):
    """A way down, step by step. Made by `descend`.

    Parameters
    ----------
    x : array or tree
        Where it ended, in the form of the start.
    value : float
        The objective there.
    steps : tuple of Step
        Every step that was taken.
    words : str
        Why it ended.
    method : str
        The rule of the steps.
    inputs : tuple of str
        Names of the variables.
    """

    x: Any
    value: float
    steps: tuple[Step, ...]
    words: str
    method: str
    inputs: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per step."""
        import pandas as pd

        columns = ["value", "slope", "length", "promised", "gained", "along", "best factor", "words"]
        return pd.DataFrame(
            [
                (s.value, s.slope, float(np.linalg.norm(s.move)), s.promised, s.gained, s.along, s.best, s.words)
                for s in self.steps
            ],
            columns=columns,
        )

    def path(self) -> pd.DataFrame:
        """The points, one row per step, columns named as the variables."""
        import pandas as pd

        return pd.DataFrame([s.x for s in self.steps], columns=list(self.inputs))

    def pictures(self) -> Sequence[Picture]:
        """The objective at every step, and what the model promised against what was gained."""
        none = [None] * len(self.steps)
        values = [s.value for s in self.steps]
        return (
            Scatter(range(len(values)), values, none, none, self.method, "step", "objective", diagonal=False),
            Scatter(
                [s.promised for s in self.steps],
                [s.gained for s in self.steps],
                none,
                none,
                "Where the quadratic model holds, points lie on the line",
                "promised by the model",
                "gained",
            ),
        )


def descend(
    function: Callable[..., Any] | Model,
    x0: Any,
    *,
    method: Method = "gradient",
    rate: float | None = None,
    steps: int = 100,
    tolerance: float = 1e-8,
    args: Sequence[Any] = (),
    metric: Callable[[Any], Any] | None = None,
    inputs: Sequence[str] | None = None,
) -> Descent:
    """Go down a landscape by a named rule, and say at every step what the local quadratic model makes of it.

    For learning and for diagnosis: nothing is repaired on the way. A rate too large overshoots and it is said by how
    much; Newton's step at a saddle leads to the saddle and it is said that it does. `minimize` is for answers.

    Parameters
    ----------
    function : callable or Model
        A JAX function with one output. With "gauss-newton" it returns residuals, and half their squared length is the
        objective.
    x0 : array or tree of arrays
        Where to begin.
    method : {"gradient", "momentum", "adam", "newton", "gauss-newton", "natural"}
        The rule: down the gradient; with a memory of 0.9 of the last step; Adam with its customary 0.9 and 0.999; by
        the Hessian; by J'J of the residuals; by a metric of one's own.
    rate : float, optional
        The learning rate. Where it is left out: 1 for "newton", "gauss-newton" and "natural", 0.1 for "adam", and for
        "gradient" the length that is best by the local model at every step, for "momentum" a tenth of that.
    steps : int
        The most there are.
    tolerance : float
        It ends where the gradient is shorter than this part of ``1 + |objective|``.
    args : sequence
        Further arguments of the function, held fixed.
    metric : callable, optional
        For "natural": from a point in the form of ``x0`` to the matrix that measures steps, shape (n, n), or an
        operator with ``dense()`` such as a Fisher matrix.
    inputs : sequence of str, optional
        Names of the variables.

    Returns
    -------
    Descent

    Raises
    ------
    ShapeError
        If the method is unknown, a metric is missing, or the function has not the outputs the method needs.
    DerivativeError
        If the objective or its gradient is not finite at the start.

    References
    ----------
    Nocedal and Wright (2006), *Numerical Optimization*, ch. 2, 3 and 10; Polyak (1964), "Some methods of speeding up
    the convergence of iteration methods"; Kingma and Ba (2015), "Adam"; Amari (1998), "Natural gradient works
    efficiently in learning", Neural Computation 10.

    Examples
    --------
    >>> down = descend(lambda x: x[0] ** 2 + 10 * x[1] ** 2, np.array([1.0, 1.0]), rate=0.11, steps=1)
    >>> print(down.steps[0].words)
    up 4.01: the model foresaw a rise of 4.01; along the step the curvature is 19.8, so it went 2.18 times too far
    >>> descend(lambda x: x[0] ** 2 + 10 * x[1] ** 2, np.array([1.0, 1.0]), method="newton").words
    'arrived after 1 step: the gradient is as good as zero'
    """
    if method not in get_args(Method):
        raise ShapeError(
            f"a method among {', '.join(get_args(Method))}",
            got=repr(method),
            remedy="choose one",
            where="argument method",
        )
    if (metric is None) == (method == "natural"):
        raise ShapeError(
            'a metric with method="natural", and with no other',
            got=f"method {method!r} and metric {metric!r}",
            remedy="pass metric=, for example the Fisher matrix at a point, or leave it out",
            where="argument metric",
        )
    objective = half_square(function, x0) if method == "gauss-newton" else function
    problem = make_problem(objective, x0, args=args, inputs=inputs)
    form = method == "newton" or len(problem.start) <= _BROAD
    look = _looker(problem.prepared, function if method == "gauss-newton" else None, x0, args, form=form)
    rule = rule_of(method, rate, lambda x: _matrix(metric(problem.shaped(x)) if metric else None))
    here = look(problem.start)
    if not here.finite:
        raise DerivativeError(
            "an objective and a gradient that are finite at the start",
            got=f"{here.value}",
            remedy="start where the function is defined",
            where="argument x0",
        )
    taken: list[Step] = []
    words = f"stopped after {steps} steps, as many as were allowed"
    for _ in range(steps):
        if _arrived(here, tolerance):
            break
        move = rule(here)
        there = look(here.x + move)
        taken.append(_step(here, move, there))
        if not there.finite or there.value > 1e12 * (1.0 + abs(taken[0].value)):
            words = f"it blew up after {len(taken)} step{'s' * (len(taken) > 1)}: {taken[-1].words}"
            break
        here = there
    if _arrived(here, tolerance):
        words = _ending(here, len(taken))
    names = problem.program.region.names
    return Descent(problem.shaped(here.x), here.value, tuple(taken), words, method, names)


def half_square(function: Callable[..., Any] | Model, x0: Any) -> Callable[..., Any]:
    """Half the squared length of what a function returns."""
    if isinstance(function, Model):
        return _half(lambda x, *args: function.function(x, *function.args, *args), x0)
    return _half(function, x0)


def _half(function: Callable[..., Any], x0: Any) -> Callable[..., Any]:
    half: Callable[..., Any] = backend_of(function, x0).half_squared(function)
    return half


def _looker(
    prepared: Any, residuals: Any, x0: Any, args: Sequence[Any], *, form: bool
) -> Callable[[Float[Array, " n"]], Look]:
    """What is seen from a point: value, slope, curvature, and the Jacobian of the residuals where there are some."""
    inner = None if residuals is None else prepare(residuals, x0, args=args, finite=False)

    def look(x: Float[Array, " n"]) -> Look:
        with np.errstate(all="ignore"):
            value, gradient = prepared.value_and_jacobian(x)
            hessian = prepared.hessian(x) if form else None
            slopes = None if inner is None else inner.jacobian(x)
        return Look(
            x, float(value[0]), gradient[0], hessian, slopes, lambda v: float(prepared.bend(x, np.asarray(v))[0])
        )

    return look


def _matrix(metric: Any) -> Any:
    return np.asarray(metric.dense() if hasattr(metric, "dense") else metric)


def _arrived(here: Look, tolerance: float) -> bool:
    return float(np.linalg.norm(here.gradient)) <= tolerance * (1.0 + abs(here.value))


def _ending(here: Look, count: int) -> str:
    words = f"arrived after {count} step{'s' * (count != 1)}: the gradient is as good as zero"
    if here.hessian is not None and len(here.x):
        least = float(np.linalg.eigvalsh(here.hessian)[0])
        if least < -1e-10 * max(1.0, float(np.abs(here.hessian).max())):
            words += f", but this is no minimum: the curvature is {least:.3g} in some direction"
    return words


def _step(here: Look, move: Float[Array, " n"], there: Look) -> Step:
    square, slope = float(move @ move), float(here.gradient @ move)
    bent = here.bend(move)
    along = bent / square if square else 0.0
    best = -slope / bent if bent > 0 else np.inf
    values = np.linalg.eigvalsh(here.hessian) if here.hessian is not None else np.full(1, np.nan)
    promised, gained = -slope - 0.5 * bent, here.value - there.value
    words = _in_words(promised, gained, along, best, slope)
    size = float(np.linalg.norm(here.gradient))
    ends = float(values[0]), float(values[-1])
    return Step(here.x, here.value, size, move, promised, gained, along, best, *ends, words)


def _in_words(promised: float, gained: float, along: float, best: float, slope: float) -> str:
    went = f"down {gained:.3g}" if gained >= 0 else f"up {-gained:.3g}" if np.isfinite(gained) else "out of the domain"
    said = f"the model promised {promised:.3g}" if promised >= 0 else f"the model foresaw a rise of {-promised:.3g}"
    if slope > 0:
        return f"{went}: the step leads uphill at first (against the gradient's advice); {said}"
    if along < 0:
        return f"{went}: {said}; the curvature along the step is negative ({along:.3g}), so a longer one gains more"
    length = (
        f"it went {1 / best:.3g} times too far"
        if best < 0.8
        else f"{best:.3g} times the length would be best"
        if best > 1.25
        else "its length is about the best"
    )
    trust = (
        "" if abs(gained - promised) <= 0.1 * abs(promised) else ", and the quadratic model does not hold so far out"
    )
    return f"{went}: {said}; along the step the curvature is {along:.3g}, so {length}{trust}"
