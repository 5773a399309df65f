"""What tuning ended with: the hyperparameters, what is proven about them, and how exactly they must be met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from landform.errors import ModelError, ShapeError
from landform.findings import Finding
from landform.findings.pictures import Bars, Curve, Picture
from landform.fit.tuning.curved import NoMinimumError
from landform.fit.tuning.hyper import Hyper
from landform.fit.tuning.response import Met, Response
from landform.optimize import Certificate

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_FARTHEST = 1e6
_CHECKED = 12
"""The most hyperparameters that are checked one by one; above, along as many random directions."""


@dataclass(frozen=True, eq=False)
class Tuned(Finding):
    """Hyperparameters that minimize an outer loss through an inner minimum. Made by `tune`.

    Parameters
    ----------
    x : tree
        The hyperparameters, in the form of the start.
    value, value_error : float
        The outer loss, and how far it is from its value at the exact inner minimum.
    certificate : Certificate
        What the exact slopes and curves of the outer loss prove about the point, in the scale of the search.
    parameters : tree or list
        The inner minimum; one per fold where there are several.
    words : str
        The verdict in one sentence.
    hyper : Hyper
        Names, bounds and scale.
    met : Met
        Slopes, errors and inner problems at the point.
    curve : array, shape (p, p)
        The outer Hessian in the scale of the search.
    response : Response
        The outer loss as a function of hyperparameters, with all that was evaluated.
    estimator : object
        The scikit-learn estimator fitted to all rows with these hyperparameters; None for losses of your own.
    """

    x: Any
    value: float
    value_error: float
    certificate: Certificate
    parameters: Any
    words: str
    hyper: Hyper
    met: Met
    curve: Float[Array, "p p"]
    response: Response
    estimator: Any = None

    @property
    def certified(self) -> bool:
        """Whether this is proven to be a minimum of the outer loss, at least nearby."""
        return self.certificate.certified

    @property
    def values(self) -> Float[Array, " p"]:
        """The hyperparameters as a vector."""
        return self.hyper.outward(self.met.z)

    @property
    def gradient(self) -> Float[Array, " p"]:
        """The slope of the outer loss per unit of each hyperparameter."""
        return self.met.gradient / self.hyper.stretch(self.met.z)

    @property
    def solves(self) -> int:
        """How many inner problems were solved on the way."""
        return self.response.solves

    def table(self) -> pd.DataFrame:
        """One row per hyperparameter: value, the slope that is left and its error, the bound that holds it, if any.

        Of three folds or more also its standard error by the differences between folds. `within` says how exactly each
        must be met.
        """
        import pandas as pd

        hyper, z = self.hyper, self.met.z
        found = pd.DataFrame(
            {
                "hyperparameter": hyper.names,
                "value": self.values,
                "slope": self.gradient,
                "error": self.met.error / hyper.stretch(z),
                "held by": [self._held(i) for i in range(len(z))],
            }
        )
        if len(self.met.answers) >= 3:
            found.insert(2, "fold error", self.fold_errors)
        return found

    def within(self, rise: float = 0.01) -> pd.DataFrame:
        """How exactly each hyperparameter must be met: how far it alone may move until the outer loss has risen.

        Found by solving inner problems along each, some dozen a hyperparameter, not by a local model.

        Parameters
        ----------
        rise : float
            By this part of itself.

        Returns
        -------
        pandas.DataFrame
            One row per hyperparameter: "from", its value, "to"; the bounds, or infinity, where the loss does not
            rise so far.
        """
        import pandas as pd

        if not rise > 0:
            raise ShapeError("a positive rise", got=rise, remedy="give a part such as 0.01", where="argument rise")
        goal, response = self.value + rise * abs(self.value), self.response.afresh()
        low, high = self.hyper.inward(self.hyper.lower), self.hyper.inward(self.hyper.upper)
        ends = [[_risen(response, self.met.z, i, goal, end[i]) for i in range(len(low))] for end in (low, high)]
        down, up = (self.hyper.outward(np.array(side)) for side in ends)
        return pd.DataFrame({"hyperparameter": self.hyper.names, "from": down, "value": self.values, "to": up})

    def _held(self, i: int) -> str:
        return "" if not self._at_bound[i] else "lower" if self.values[i] <= self.hyper.lower[i] else "upper"

    @property
    def _at_bound(self) -> Array:
        return (self.values <= self.hyper.lower) | (self.values >= self.hyper.upper)

    @cached_property
    def fold_errors(self) -> Float[Array, " p"]:
        """Standard error of each hyperparameter by how differently the folds would move it; NaN where a bound holds it.

        The sandwich ``H⁻¹ Cov(slopes) H⁻¹`` of an estimate that folds vote on, to first order (Huber 1967). Folds share
        training rows, so it is an indication.
        """
        free = ~self._at_bound
        found = np.full(len(free), np.nan)
        folds = np.stack([a.gradient for a in self.met.answers])[:, free]
        curve = self.curve[np.ix_(free, free)]
        if len(folds) < 3 or not free.any() or np.linalg.eigvalsh(curve)[0] <= 0:
            return found
        votes = np.linalg.solve(curve, (folds - folds.mean(axis=0)).T)
        spread = np.sqrt((votes**2).sum(axis=1) / (len(folds) * (len(folds) - 1)))
        found[free] = spread * self.hyper.stretch(self.met.z)[free]
        return found

    def to_frame(self) -> pd.DataFrame:
        """`table`."""
        return self.table()

    @property
    def history(self) -> pd.DataFrame:
        """One row per evaluation of the outer loss, in order: where, what came out, what it took."""
        import pandas as pd

        visits = self.response.visits
        rows = [self.hyper.outward(np.array(v.z)) for v in visits]
        found = pd.DataFrame(rows, columns=list(self.hyper.names))
        found["outer loss"] = [v.value for v in visits]
        found["largest slope"] = [v.slope for v in visits]
        found["its error"] = [v.error for v in visits]
        found["inner steps"] = [v.steps for v in visits]
        found["refused"] = [v.refused for v in visits]
        return found

    def gradient_check(self, *, at: Any = None, step: float = 1e-3) -> pd.DataFrame:
        """The hypergradient beside central differences of inner problems solved again, extrapolated (Richardson).

        Parameters
        ----------
        at : tree, optional
            Hyperparameters in the form of the start; where tuning ended unless given.
        step : float
            In the scale of the search: of a logarithmic hyperparameter a factor of exp(step).

        Returns
        -------
        pandas.DataFrame
            One row per hyperparameter (above twelve, per random direction): slope in the scale of the search, the
            error it comes with, the difference quotient, and that one's own error by its two steps.
        """
        import pandas as pd

        from landform.backends.jax import leaves_of

        z = self.met.z
        if at is not None:
            z = self.hyper.inward(np.concatenate([np.ravel(np.asarray(v, dtype=np.float64)) for v in leaves_of(at)]))
        response = self.response.afresh()
        met = response.at(z)
        ways, names = np.eye(len(z)), list(self.hyper.names)
        if len(z) > _CHECKED:
            ways = np.random.default_rng(0).standard_normal((_CHECKED, len(z)))
            ways /= np.linalg.norm(ways, axis=1)[:, None]
            names = [f"direction {k}" for k in range(1, _CHECKED + 1)]
        rows = []
        for name, way in zip(names, ways, strict=True):
            narrow, wide = (_central(response, z, way, h) for h in (step / 2, step))
            best = (4.0 * narrow - wide) / 3.0
            rows.append((name, way @ met.gradient, np.abs(way) @ met.error, best, abs(narrow - wide) / 3.0))
        return pd.DataFrame(rows, columns=["along", "hypergradient", "its error", "differences", "their error"])

    def pictures(self) -> Sequence[Picture]:
        """The outer loss on the way, and the hyperparameters where it ended."""
        visits = [v for v in self.response.visits if not v.refused]
        count = [float(i) for i in range(1, len(visits) + 1)]
        none: list[float | None] = [None] * len(visits)
        drawn: list[Picture] = [
            Curve(
                count,
                [v.value for v in visits],
                none,
                none,
                marks=[(count[-1], visits[-1].value)],
                title="the way",
                x_axis="inner problems solved" if len(self.met.answers) == 1 else "rounds of folds solved",
                y_axis="outer loss",
            )
        ]
        if len(self.hyper.names) > 12:
            size = np.sort(np.where(self.hyper.log, np.log10(np.maximum(self.values, 1e-300)), self.values))
            ranks = [float(i) for i in range(1, len(size) + 1)]
            empty: list[float | None] = [None] * len(size)
            title = "hyperparameters in order" + (" (log10)" if self.hyper.log.any() else "")
            return [*drawn, Curve(ranks, size.tolist(), empty, empty, title=title, x_axis="rank", y_axis="value")]
        shift = np.where(self.hyper.log, np.log(10.0), 1.0)
        names = [f"log10 {n}" if log else n for n, log in zip(self.hyper.names, self.hyper.log, strict=True)]
        at, half = self.met.z / shift, self.fold_errors / self.hyper.stretch(self.met.z) / shift
        ends = [[None if np.isnan(v) else float(v) for v in side] for side in (at - half, at + half)]
        title = "hyperparameters" + (" ± fold error" if not np.isnan(half).all() else "")
        return [*drawn, Bars(names, at.tolist(), ends[0], ends[1], title=title)]

    def sentences(self) -> Sequence[str]:
        """The verdict and what it took."""
        inner = sum(v.steps for v in self.response.visits)
        refused = sum(bool(v.refused) for v in self.response.visits)
        words = f"Outer loss {self.value:.6g} after {self.solves} inner problems ({inner} Newton steps)"
        return [self.words, words + (f", {refused} evaluations refused." if refused else ".")]

    def require(self) -> Tuned:
        """The finding itself, if it is certified.

        Raises
        ------
        ModelError
            With the verdict, if it is not.
        """
        if not self.certified:
            raise ModelError("certified hyperparameters", got=self.words, remedy="begin elsewhere, or set other bounds")
        return self

    def _repr_html_(self) -> str:
        return "".join(f"<p>{words}</p>" for words in self.sentences()) + super()._repr_html_()

    def __repr__(self) -> str:
        point = ", ".join(f"{n} {v:.4g}" for n, v in list(zip(self.hyper.names, self.values, strict=True))[:6])
        more = ", …" if len(self.hyper.names) > 6 else ""
        return f"Tuned(outer loss {self.value:.6g} at {point}{more}; {self.words})"


def _risen(response: Response, z: Array, i: int, goal: float, bound: float) -> float:
    """Where along one hyperparameter, towards its bound, the outer loss first reaches a level."""
    sign = 1.0 if bound > z[i] else -1.0

    def over(step: float) -> float:
        there = z.copy()
        there[i] += sign * step
        value = float(response.value(there)[0])
        return value - goal if np.isfinite(value) else abs(goal) + 1.0

    room, near, far = abs(bound - z[i]), 0.0, 0.1
    while near < room:
        far = min(far, room)
        if over(far) > 0:
            return float(z[i] + sign * brentq(over, near, far, xtol=1e-4 * max(far, 1e-8), rtol=1e-6))
        near, far = far, 2.0 * far
        if near > _FARTHEST:
            return sign * np.inf
    return float(bound)


def _central(response: Response, z: Array, way: Array, h: float) -> float:
    try:
        return (response.at(z + h * way).value - response.at(z - h * way).value) / (2.0 * h)
    except NoMinimumError:
        return float("nan")
