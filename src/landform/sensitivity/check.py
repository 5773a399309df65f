"""Whether intervals hold: the fit is repeated in simulated worlds whose slopes are known, those of the fitted model.

In every world the target is the model's own prediction plus held-out errors drawn anew (of a classifier: classes drawn
from its probabilities). The estimator is fitted to it, its intervals are made as they were, and it is counted how often
they hold the slopes that the world was made with. Bootstrap intervals take one resampled fit in each world and its
scatter over all worlds in place of many fits in each. Held-out errors also say how far new measurements stray.

References
----------
Davison and Hinkley (1997), *Bootstrap Methods and their Application*, sec. 5.6 (calibration); Giacomini, Politis and
White (2013), *Econometric Theory* 29 (one bootstrap fit a world); Vovk (2015), *Annals of Mathematics and Artificial
Intelligence* 74, and Barber, Candès, Ramdas and Tibshirani (2021), *Annals of Statistics* 49 (held-out errors as
intervals for new measurements).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.errors import ModelError
from landform.findings import Bars, Finding, Picture
from landform.sensitivity.curves import Fields, evenly
from landform.sensitivity.doubt import Doubt, doubt_of
from landform.sensitivity.refits import DoubtOfRefits, draw, refitted
from landform.sensitivity.subject import ExactSlopes, Subject

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_ROWS, _FOLDS, _LEAST = 256, 5, 10


@dataclass(frozen=True, eq=False)
class Checked(Finding):
    """How often intervals of mean effects held in worlds whose effects are known. Made by `check=`.

    Parameters
    ----------
    outputs, changes : tuple of str
        Names of the outputs, and of what changes.
    level : float
        What the intervals promise.
    ratios : array, shape (worlds, m, changes)
        Distance of an effect from the truth over half its interval's width: held where at most 1.
    strays : array, shape (m,), or None
        What new measurements stray from the prediction by at most, at the level; None for classes or too few rows.
    """

    outputs: tuple[str, ...]
    changes: tuple[str, ...]
    level: float
    ratios: Float[Array, "worlds m changes"]
    strays: Float[Array, " m"] | None

    @property
    def share(self) -> float:
        """Share of the intervals that held."""
        return float(np.mean(self.ratios <= 1.0))

    @property
    def standard_error(self) -> float:
        """Of the share: worlds count as independent, the intervals within one do not; never below a binomial one."""
        each = np.mean(self.ratios <= 1.0, axis=(1, 2))
        least = np.sqrt(self.level * (1 - self.level) / self.ratios.size)
        return float(max(np.std(each, ddof=1) / np.sqrt(len(each)), least))

    @property
    def factor(self) -> float:
        """What intervals would have to be widened by; below 1 where they are wider than need be."""
        return float(np.quantile(self.ratios, self.level))

    @property
    def holds(self) -> bool:
        """Whether the share is the level's or more, within two standard errors."""
        return self.share + 2.0 * self.standard_error >= self.level

    def to_frame(self) -> pd.DataFrame:
        """One row per output and change: the share of the worlds in which its interval held, and the factor."""
        import pandas as pd

        held, factors = np.mean(self.ratios <= 1.0, axis=0), np.quantile(self.ratios, self.level, axis=0)
        return pd.DataFrame(
            {
                "output": np.repeat(self.outputs, len(self.changes)),
                "input": np.tile(self.changes, len(self.outputs)),
                "held": held.ravel(),
                "factor": factors.ravel(),
                "worlds": len(self.ratios),
            }
        )

    def sentences(self) -> list[str]:
        """The answer, and how far new measurements stray."""
        doubt = 200 * self.standard_error
        said = (
            f"Intervals of mean effects at {100 * self.level:g} % held in {100 * self.share:.1f} ± {doubt:.1f} % of "
            f"{self.ratios.size} cases in {len(self.ratios)} simulated worlds: "
        )
        if not self.holds:
            said += f"too narrow, widen them {self.factor:.2g} times."
        elif self.share - 2.0 * self.standard_error > self.level:
            said += f"they hold, and are wider than need be ({self.factor:.2g} times would do)."
        else:
            said += "they hold."
        found = [said]
        for name, stray in zip(self.outputs, () if self.strays is None else self.strays, strict=False):
            found.append(
                f"{100 * self.level:g} % of held-out measurements of {name} lie within ±{stray:.3g} of the prediction."
            )
        return found

    def pictures(self) -> list[Picture]:
        """For each output how often the interval of every effect held."""
        held = np.mean(self.ratios <= 1.0, axis=0)
        none: list[float | None] = [None] * len(self.changes)
        title = f"intervals that promise {100 * self.level:g} %"
        return [
            Bars(self.changes, held[o].tolist(), none, none, f"{name}: {title}", "share of worlds in which it held")
            for o, name in enumerate(self.outputs)
        ]


@dataclass(frozen=True, eq=False)
class Asked:
    """What is checked: changes of the inputs, and how their intervals are made."""

    names: tuple[str, ...]
    fields: Fields | None
    contrasts: tuple[Callable[[Array], tuple[Array, Array]], ...]
    quantile: float
    level: float

    def means(self, slopes: ExactSlopes, X: Float[Array, "rows d"]) -> Float[Array, "m changes"]:
        """Every output's mean effects over the rows."""
        found = []
        if self.fields is not None:
            found.append(np.einsum("rmd,rdk->mk", slopes.slopes(X).jacobians, self.fields(X)) / len(X))
        for one in self.contrasts:
            there, base = one(X)
            found.append((slopes.values(there) - slopes.values(base)).mean(axis=0)[:, None])
        return np.concatenate(found, axis=1)

    def errors(self, known: Doubt, X: Float[Array, "rows d"]) -> Float[Array, "m changes"]:
        """Their standard errors."""
        found = [] if self.fields is None else [known.slopes(X, self.fields)[1]]
        found += [known.differences(*one(X))[1][:, None] for one in self.contrasts]
        return np.concatenate(found, axis=1)


def check_intervals(
    subject: Subject,
    train: Any,
    y: Any,
    known: Doubt | None,
    asked: Asked,
    *,
    worlds: int,
    seed: int,
    progress: Callable[[str], None],
) -> Checked:
    """Refit in simulated worlds and count.

    Raises
    ------
    ModelError
        If there are no intervals, fewer than 10 worlds are asked for, or the model's target cannot be simulated.
    """
    if known is None or y is None or not isinstance(subject.slopes, ExactSlopes):
        raise ModelError(
            "intervals to check, and the target", got="none", remedy="pass y= of the fit", where="argument check"
        )
    if worlds < _LEAST:
        raise ModelError(f"{_LEAST} worlds or more", got=str(worlds), remedy="raise check=", where="argument check")
    rng, target = np.random.default_rng(seed), np.asarray(y)
    simulate, strays = _simulator(subject, train, target, rng, asked.level)
    X = subject.X[evenly(len(subject.X), _ROWS)]
    truth, resampled = asked.means(subject.slopes, X), isinstance(known, DoubtOfRefits)
    gaps, errors = [], []
    for k in range(worlds):
        progress(f"world {k + 1} of {worlds}")
        told = simulate()
        every = np.arange(len(target))
        estimator, slopes = refitted(subject, train, told, every)
        mean = asked.means(slopes, X)
        gaps.append(np.abs(mean - truth))
        if resampled:
            drawn = draw(rng, told, classes=hasattr(estimator, "classes_"))
            errors.append(asked.means(refitted(subject, train, told, drawn)[1], X) - mean)
        else:
            world = replace(subject, slopes=slopes, estimator=estimator)
            own, _ = doubt_of(world, train, told, way="closed")
            assert own is not None
            errors.append(asked.errors(own, X))
    spread = np.std(errors, axis=0, ddof=1) if resampled else np.stack(errors)
    reach = asked.quantile * np.maximum(spread, 1e-300)
    return Checked(subject.outputs, asked.names, asked.level, np.stack(gaps) / reach, strays)


def _simulator(
    subject: Subject, train: Any, y: Array, rng: np.random.Generator, level: float
) -> tuple[Callable[[], Array], Array | None]:
    """Draws of a target from the fitted model, and how far held-out measurements stray."""
    from sklearn.base import clone
    from sklearn.model_selection import KFold, cross_val_predict

    estimator = subject.estimator
    if hasattr(estimator, "classes_"):
        if not hasattr(estimator, "predict_proba") or y.ndim != 1:
            raise ModelError(
                "a classifier of one target with predict_proba",
                got=type(estimator).__name__,
                remedy="leave check= out",
                where="argument check",
            )
        heights = np.cumsum(estimator.predict_proba(train), axis=1)
        return lambda: _classes(estimator.classes_, heights, rng), None
    folds = KFold(_FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    fitted = np.asarray(estimator.predict(train)).reshape(y.shape)
    errors = y - cross_val_predict(clone(estimator), train, y, cv=folds).reshape(y.shape)
    rank = int(np.ceil((len(y) + 1) * level))
    sizes = np.sort(np.abs(errors.reshape(len(y), -1)), axis=0)
    centered = errors - errors.mean(axis=0)
    return lambda: fitted + centered[rng.integers(len(y), size=len(y))], sizes[rank - 1] if rank <= len(y) else None


def _classes(classes: Array, heights: Array, rng: np.random.Generator) -> Array:
    """A class for every row; every class once at least, where luck would leave one out."""
    places = np.minimum((rng.uniform(size=(len(heights), 1)) > heights).sum(axis=1), len(classes) - 1)
    for missing in np.setdiff1d(np.arange(len(classes)), places):
        places[int(np.argmax(np.diff(heights, axis=1, prepend=0.0)[:, missing]))] = missing
    return np.asarray(classes[places])
