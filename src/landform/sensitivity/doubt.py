"""How surely slopes are known: whichever of closed forms, refits or nothing the model allows, and it is said which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Float
from scipy import stats

from landform.backends.sklearn.coefficients import coefficients_of
from landform.backends.sklearn.core import core_of
from landform.backends.sklearn.held import holding
from landform.backends.sklearn.process import process_of
from landform.derivatives.along_pairs import Pairs
from landform.errors import ModelError, ShapeError
from landform.sensitivity.coefficients import DoubtOfCoefficients
from landform.sensitivity.curves import CurveErrors
from landform.sensitivity.process import DoubtOfProcess
from landform.sensitivity.refits import DoubtOfRefits
from landform.sensitivity.subject import ExactSlopes, Subject

Array = np.ndarray
Way = Literal["auto", "closed", "refits", "none"]
Fields = Callable[[Float[Array, "rows d"]], Float[Array, "rows d k"]]
Progress = Callable[[str], None]


class Doubt(Protocol):
    """Standard errors of slopes, differences and values of a fitted model."""

    @property
    def how(self) -> str:
        """In words."""

    @property
    def degrees(self) -> float:
        """Degrees of freedom; infinite for a normal quantile."""

    def slopes(self, X: Float[Array, "rows d"], fields: Fields) -> tuple[Float[Array, "rows m k"], Float[Array, "m k"]]:
        """Of the slopes along k directions at every row, and of their averages over the rows."""

    def differences(
        self, A: Float[Array, "rows d"], B: Float[Array, "rows d"]
    ) -> tuple[Float[Array, "rows m"], Float[Array, " m"]]:
        """Of f(A) − f(B), row by row, and of its average."""

    def curves(self, X: Float[Array, "rows d"], fields: Fields, pairs: Pairs) -> CurveErrors | None:
        """Of second derivatives along pairs of directions, at all rows or some; None where there is none."""

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Of f at every row."""


def quantile_of(doubt: Doubt, level: float) -> float:
    """How many standard errors an interval of that level reaches to either side."""
    tail = 0.5 + level / 2
    return float(stats.norm.ppf(tail) if np.isinf(doubt.degrees) else stats.t.ppf(tail, doubt.degrees))


def doubt_of(
    subject: Subject,
    train: Any,
    y: Any,
    *,
    way: Way = "auto",
    refits: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Doubt | None, str]:
    """The doubt of a model's slopes, or None and the reason.

    Parameters
    ----------
    subject : Subject
        The model.
    train : array or data frame
        The rows it was fitted on.
    y : array or None
        Their target.
    way : {"auto", "closed", "refits", "none"}
        A closed form where there is one and refits elsewhere; one of these alone; none.
    refits, seed, progress
        How many, of which draw, and who hears of them.

    Raises
    ------
    ModelError
        If ``way`` asks for what cannot be had, or ``y`` cannot be the target of the fit.
    """
    if way not in ("auto", "closed", "refits", "none"):
        raise ShapeError(
            'doubt "auto", "closed", "refits" or "none"', got=repr(way), remedy="choose one", where="argument doubt"
        )
    why_not = _why_not(subject, way, y)
    if why_not:
        if way in ("closed", "refits"):
            raise ModelError(f'a model and data that doubt="{way}" can serve', got=why_not, remedy="leave doubt= out")
        return None, f"none: {why_not}"
    target = None if y is None else _checked_target(y, subject, train)
    found = _closed(subject, train, target) if way != "refits" else None
    if found is not None:
        return found, found.how
    kind = type(core_of(subject.estimator).estimator).__name__
    if way == "closed":
        wanting = "" if target is not None else " without y"
        raise ModelError(
            "a model whose slopes have standard errors in closed form",
            got=f"{kind}{wanting}",
            remedy='pass y=, or doubt="refits" with y=',
        )
    if target is None:
        return None, f"none: {kind} keeps no trace of its own doubt; pass the target it was fitted with as y="
    refitted = DoubtOfRefits.make(subject, train, target, refits=refits, seed=seed, progress=progress)
    return refitted, refitted.how


def _why_not(subject: Subject, way: Way, y: Any) -> str:
    if way == "none":
        return "not asked for"
    if subject.estimator is None:
        return "a function by itself does not tell how surely it is known; pass the fitted estimator, and y="
    if not isinstance(subject.slopes, ExactSlopes):
        return "slopes from values alone would have to be taken anew for every refit"
    return "refits need the target, y=" if way == "refits" and y is None else ""


def _checked_target(y: Any, subject: Subject, train: Any) -> np.ndarray:
    target, rows = np.asarray(y), len(subject.rows(train))
    if target.ndim not in (1, 2) or len(target) != rows:
        raise ShapeError(
            f"a target with one value for each of {rows} rows",
            got=f"shape {target.shape}",
            remedy="pass the y of the fit; with train= where it belongs to other rows than X",
            where="argument y",
        )
    if target.dtype.kind == "f" and not np.isfinite(target).all():
        row = int(np.argwhere(~np.isfinite(target))[0][0])
        raise ShapeError("finite numbers", got=f"{target[row]} in row {row}", remedy="drop the row", where="argument y")
    columns = 1 if target.ndim == 1 else target.shape[1]
    if subject.method == "predict" and columns != len(subject.outputs):
        raise ShapeError(
            f"a target of {len(subject.outputs)} columns, as the model has outputs",
            got=f"{columns}",
            remedy="pass the y of the fit",
            where="argument y",
        )
    return target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target


def _closed(subject: Subject, train: Any, y: np.ndarray | None) -> Doubt | None:
    core = core_of(subject.estimator)
    with holding(subject.coded):
        process = process_of(core, subject.method, y)
        coefficients = None if process is not None else coefficients_of(core, subject.method, train, y)
    if process is not None:
        assert isinstance(subject.slopes, ExactSlopes)
        own = subject.slopes.model
        return DoubtOfProcess(process, subject.X.shape[1], None if own.closed is None else own.doubt)
    if coefficients is None:
        return None
    return DoubtOfCoefficients.make(coefficients, inputs=subject.X.shape[1], odds=subject.odds)
