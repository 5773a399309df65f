"""Which pairs of inputs act together: the Hessian over the rows, ranked, beside the inputs' own effects.

The interval of a strength, a root mean square over the rows, needs no covariances between rows: it differs from the
truth by no more than the root mean square of the errors, which exceeds q times the root of its mean no more often than
a normal error exceeds q standard errors, for q above 1.24.

References
----------
Székely and Bakirov (2003), "Extremal probabilities for Gaussian quadratic forms", *Probability Theory and Related
Fields* 126.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.derivatives.along_pairs import Pairs
from landform.findings import Estimate, Finding, HeatMap, Picture
from landform.sensitivity.curves import CurveErrors, Fields, along
from landform.sensitivity.doubt import Doubt
from landform.sensitivity.fields import Direction
from landform.sensitivity.subject import ExactSlopes, Subject

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_EXACT, _NUMERIC = 2048, 64
_SHOWN = 15


@dataclass(frozen=True)
class Interaction:
    """How two inputs act on one output together, over the rows.

    Parameters
    ----------
    output, first, second : str
        The output and the pair; twice the same name for an input's own bend.
    curve : Estimate
        Mean second derivative: how the slope of one changes per unit of the other.
    strength : Estimate
        Root mean square, over the rows, of the second derivative times the standard deviations of both inputs (for
        a bend half of it), in standard deviations of the output; its interval holds the truth at least as often as
        the level says, and has no standard error.
    against_main : Estimate or None
        The strength as a share of the larger of the two inputs' own effects, which count as known.
    same_sign : float
        Share of the rows with the more common sign.
    sure_rows : float or None
        Share of the rows whose own interval excludes zero; None without intervals.
    """

    output: str
    first: str
    second: str
    curve: Estimate
    strength: Estimate
    against_main: Estimate | None
    same_sign: float
    sure_rows: float | None = None

    @property
    def sure(self) -> bool:
        """Whether the strength's interval excludes zero: somewhere the two do act together."""
        return self.strength.sure

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        parts = {"curve": self.curve, "strength": self.strength, "against_main": self.against_main}
        return {
            **vars(self),
            **{name: None if part is None else part.to_dict() for name, part in parts.items()},
            "sure": self.sure,
            "words": self.words,
        }

    @property
    def words(self) -> str:
        """The interaction as a sentence."""
        how = f"second derivative {self.curve}"
        if self.first == self.second:
            return f"{self.output} bends along {self.first} ({how})"
        raises = "raises" if self.curve.value > 0 else "lowers"
        return f"more {self.second} {raises} the slope of {self.output} by {self.first} ({how})"


@dataclass(frozen=True)
class Interactions(Finding):
    """All interactions, the strongest first within every output.

    Parameters
    ----------
    pairs : tuple of Interaction
        Pairs and bends.
    rows : int
        How many rows they were taken over.
    doubt : str
        Where their intervals come from; begins with "none" where there are none.
    """

    pairs: tuple[Interaction, ...]
    rows: int
    doubt: str = "none: not asked for"

    def to_frame(self) -> pd.DataFrame:
        """One row per output and pair: the mean second derivative and the strength, with their intervals."""
        import pandas as pd

        return pd.DataFrame([_flat(one) for one in self.pairs], columns=COLUMNS)

    def pictures(self) -> Sequence[Picture]:
        """A map of pairs for every output."""
        found: list[Picture] = []
        for output in dict.fromkeys(one.output for one in self.pairs):
            own = [one for one in self.pairs if one.output == output]
            names = list(dict.fromkeys(name for one in own for name in (one.first, one.second)))[:_SHOWN]
            grid: list[list[float | None]] = [[None] * len(names) for _ in names]
            sure = [[True] * len(names) for _ in names]
            known = any(one.strength.lower is not None for one in own)
            for one in own:
                if one.first in names and one.second in names:
                    i, j = names.index(one.first), names.index(one.second)
                    grid[i][j] = grid[j][i] = float(np.copysign(one.strength.value, one.curve.value))
                    sure[i][j] = sure[j][i] = one.sure or not known
            title = f"{output}: which inputs act together"
            title += "\nin parentheses: the interval includes zero" if known else ""
            found.append(HeatMap(names, names, grid, sure, title=title, axis="sd of the output"))
        return found


COLUMNS = (
    *("output", "first", "second", "curve", "standard_error", "lower", "upper"),
    *("strength", "strength_lower", "strength_upper", "against_main", "against_main_lower", "against_main_upper"),
    *("same_sign", "sure_rows"),
)


def _flat(one: Interaction) -> dict[str, Any]:
    """An interaction as one row of a table."""
    found: dict[str, Any] = {"output": one.output, "first": one.first, "second": one.second, **one.curve.to_dict()}
    found["curve"] = one.curve.value
    for name, part in (("strength", one.strength), ("against_main", one.against_main)):
        known = Estimate(np.nan) if part is None else part
        found |= {name: known.value, f"{name}_lower": known.lower, f"{name}_upper": known.upper}
    found |= {"same_sign": one.same_sign, "sure_rows": one.sure_rows}
    return {name: np.nan if found[name] is None else found[name] for name in COLUMNS}


@dataclass(frozen=True, eq=False)
class _Moments:
    """What all interactions are made of: means over the rows, shape (m, pairs), and how surely they are known."""

    mean: Float[Array, "m pairs"]
    square: Float[Array, "m pairs"]
    up: Float[Array, "m pairs"]
    down: Float[Array, "m pairs"]
    errors: CurveErrors | None = None
    sure: Float[Array, "m pairs"] | None = None


def interactions_of(
    subject: Subject,
    directions: Sequence[Direction],
    jacobians: Float[Array, "rows m d"],
    sizes: Float[Array, " m"],
    *,
    seed: int,
    known: Doubt | None = None,
    quantile: float = 0.0,
    doubt: str = "none: not asked for",
) -> Interactions:
    """Second derivatives along every pair of directions, at 2,048 rows at most (64 for numeric ones).

    Parameters
    ----------
    subject : Subject
        The model and its rows.
    directions : sequence of Direction
        The inputs' own directions.
    jacobians : array, shape (rows, m, d)
        At all rows.
    sizes : array, shape (m,)
        Standard deviation of every output.
    seed : int
        Of the draw of rows.
    known, quantile, doubt
        What standard errors can be asked of, how many of them an interval reaches, and where they come from.
    """
    most = _EXACT if isinstance(subject.slopes, ExactSlopes) else _NUMERIC
    rows = np.arange(len(subject.X))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))
    X, J = subject.X[rows], jacobians[rows]

    def fields(X: Float[Array, "rows d"]) -> Float[Array, "rows d k"]:
        return np.stack([one.field(X) for one in directions], axis=2)

    pairs = Pairs.of([one.kind == "log" for one in directions])
    errors = None if known is None else known.curves(X, fields, pairs)
    if known is not None and errors is None:
        doubt = "none: the process has no second derivative"
    moments = _moments(subject, X, J, fields, pairs, errors, quantile)
    main = np.sqrt(np.mean(np.einsum("rmd,rdk->rmk", J, fields(X)) ** 2, axis=0))
    return Interactions(_ranked(subject.outputs, directions, sizes, main, moments, quantile, doubt), len(rows), doubt)


def _moments(
    subject: Subject,
    X: Float[Array, "rows d"],
    J: Float[Array, "rows m d"],
    fields: Fields,
    pairs: Pairs,
    errors: CurveErrors | None,
    quantile: float,
) -> _Moments:
    total, square, up, down = (np.zeros((J.shape[1], len(pairs.first))) for _ in range(4))
    kept = []
    for part, block in along(subject.slopes, X, J, fields, pairs):
        total += block.sum(axis=0)
        square += (block**2).sum(axis=0)
        up += (block > 0).sum(axis=0)
        down += (block < 0).sum(axis=0)
        if errors is not None:
            inside = (errors.rows >= part.start) & (errors.rows < part.stop)
            kept.append(block[errors.rows[inside] - part.start])
    n, sure = len(X), None
    if errors is not None:
        sure = np.mean(np.abs(np.concatenate(kept)) > quantile * errors.local, axis=0)
    return _Moments(total / n, square / n, up / n, down / n, errors, sure)


def _ranked(
    outputs: Sequence[str],
    directions: Sequence[Direction],
    sizes: Float[Array, " m"],
    main: Float[Array, "m k"],
    moments: _Moments,
    quantile: float,
    how: str,
) -> tuple[Interaction, ...]:
    spreads = np.array([one.spread for one in directions])
    first, second = np.triu_indices(len(directions))
    errors = moments.errors
    reach = None if errors is None else quantile * np.sqrt(np.mean(errors.local**2, axis=0))
    found = []
    for o, output in enumerate(outputs):
        size = sizes[o] if sizes[o] > 0 else 1.0
        own = main[o] * spreads / size
        factors = spreads[first] * spreads[second] / size * np.where(first == second, 0.5, 1.0)
        pairs = []
        for p, (i, j) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
            half = None if reach is None else float(reach[o, p] * factors[p])
            strength = _strength(float(np.sqrt(moments.square[o, p]) * factors[p]), half, 1.0, how)
            larger = float(max(own[i], own[j]))
            turned = float(moments.up[o, p] + moments.down[o, p]) > 0
            pairs.append(
                Interaction(
                    output=output,
                    first=directions[i].input,
                    second=directions[j].input,
                    curve=_curve(moments, o, p, quantile, how),
                    strength=strength,
                    against_main=_strength(strength.value, half, 1.0 / larger, how) if larger > 0 else None,
                    same_sign=float(max(moments.up[o, p], moments.down[o, p])) if turned else 1.0,
                    sure_rows=None if moments.sure is None else float(moments.sure[o, p]),
                )
            )
        found += sorted(pairs, key=lambda one: -one.strength.value)
    return tuple(found)


def _curve(moments: _Moments, o: int, p: int, quantile: float, how: str) -> Estimate:
    value = float(moments.mean[o, p])
    if moments.errors is None:
        return Estimate(value, how=how)
    error = float(moments.errors.average[o, p])
    return Estimate(value, error, value - quantile * error, value + quantile * error, how=how)


def _strength(value: float, half: float | None, factor: float, how: str) -> Estimate:
    if half is None:
        return Estimate(value * factor, how=how)
    return Estimate(value * factor, None, max(0.0, value - half) * factor, (value + half) * factor, how=how)
