"""One surrogate per property, chosen and judged, in the property's own unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from landform.errors import ModelError, ProblemError
from landform.findings import Estimate, Finding, Picture, Scatter
from landform.fit import Candidate, Choice, Observations, choose_surrogate
from landform.fit.honesty import half_widths
from landform.formulation.problem import Problem
from landform.formulation.responses import Response
from landform.formulation.trials import Trials

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_FEWEST_BLOCKS = 5
"""Blocks are held out whole where there are so many; with fewer, a fold would take away too much."""


@dataclass(frozen=True, eq=False)
class Fitted(Finding):
    """A property's surrogate, with the candidates it was chosen from.

    Parameters
    ----------
    name, unit : str
        Which.
    log : bool
        Whether logarithms were fitted.
    choice : Choice
        On the fitted scale.
    places : array of int
        The trials that measured the property.
    trials : Trials
        All of them.
    """

    name: str
    unit: str
    log: bool
    choice: Choice
    places: Int[Array, " n"]
    trials: Trials

    @property
    def predictable(self) -> bool:
        """Whether anything predicts it better than its mean."""
        return self.choice.predictable

    @property
    def response(self) -> Response:
        """The property as a function of a recipe."""
        return Response(self.name, self.unit, self.choice.surrogate, self.log)

    @property
    def scale_words(self) -> str:
        """What errors are measured in."""
        return "log units" if self.log else self.unit

    @property
    def words(self) -> str:
        """How well, and how honestly, it predicts."""
        chosen, mean = self.choice.chosen, self.choice.mean_rmse
        if not self.predictable:
            error = f"{mean:.3g} {self.scale_words}".rstrip()
            return (
                f"Nothing predicts {self.name} better than its mean, whose error is {error}, by more than chance: "
                "these trials do not show what moves it, and it is not optimized."
            )
        if not np.isfinite(chosen.rmse):
            return f"The {chosen.words} was asked for; too few trials remain to test it on held-out ones."
        text = (
            f"The {chosen.words} predicts held-out trials to {chosen.rmse:.3g} {self.scale_words}".rstrip()
            + f", against {mean:.3g} for the mean"
        )
        noise = self.choice.noise
        if noise.deviation is not None:
            text += f" and {noise.deviation:.3g} between replicates"
        text += "." if self.choice.grouped else " (replicates split: it has as many terms as there are recipes)."
        honesty = chosen.honesty
        if honesty is not None:
            text += f" Its 95 % intervals held {honesty.coverage:.0%} of them"
            text += f", so they are widened by {honesty.widening:.2f}." if honesty.widening > 1 else "."
        return text

    def held_out(self) -> list[dict[str, Any]]:
        """Measured and predicted, each trial predicted from the others, in the property's own unit."""
        held = self.choice.chosen.held_out
        if held is None or not held.complete:
            return []
        half = self.choice.surrogate.widening * half_widths(held).mean(axis=0)
        mean = held.mean.mean(axis=0)
        back: Callable[[Array], Array] = np.exp if self.log else np.asarray
        columns = (back(mean), back(mean - half), back(mean + half))
        return [
            {
                "row": int(self.trials.rows[i]),
                "trial": self.trials.labels[i],
                "measured": float(self.trials.Y[i, self.trials.properties.index(self.name)]),
                "predicted": float(predicted),
                "lower": float(low),
                "upper": float(high),
            }
            for i, predicted, low, high in zip(self.places, *columns, strict=True)
        ]

    def pictures(self) -> Sequence[Picture]:
        """Measured against predicted."""
        rows = self.held_out()
        if not rows:
            return ()
        return (
            Scatter(
                x=[r["measured"] for r in rows],
                y=[r["predicted"] for r in rows],
                lower=[r["lower"] for r in rows],
                upper=[r["upper"] for r in rows],
                title=self.name,
                x_axis=f"measured {self.unit}".rstrip(),
                y_axis="predicted from the other trials",
            ),
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per candidate."""
        import pandas as pd

        return pd.DataFrame([_candidate(c, self) for c in self.choice.candidates])

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        choice, chosen = self.choice, self.choice.chosen
        process = choice.surrogate.kind == "gaussian process"
        return {
            "property": self.name,
            "unit": self.scale_words,
            "model": chosen.kind,
            "model_words": chosen.words + (" of the logarithm" if self.log else ""),
            "forced": choice.forced,
            "predictable": self.predictable,
            "words": self.words,
            "scores": {
                "rmse": known(chosen.rmse),
                "rmse_standard_error": known(chosen.rmse_standard_error),
                "r2": known(chosen.r2),
                "coverage": chosen.honesty.coverage if chosen.honesty else None,
                "widening": choice.surrogate.widening,
                "mean_rmse": known(choice.mean_rmse),
                "noise": choice.noise.deviation,
                "noise_degrees": choice.noise.degrees,
            },
            "candidates": [_candidate(c, self) for c in choice.candidates],
            "coefficients": [] if process else self._coefficients(),
            "hyperparameters": self._hyperparameters() if process else [],
            "held_out": self.held_out(),
        }

    def _coefficients(self) -> list[dict[str, Any]]:
        half = self.choice.surrogate.quantile()
        found = []
        for name, value, error in self.choice.surrogate.parameters:
            assert error is not None
            estimate = Estimate(
                value, error, value - half * error, value + half * error, self.scale_words, "coefficient"
            )
            found.append({"term": name, "estimate": estimate.to_dict()})
        return found

    def _hyperparameters(self) -> list[dict[str, Any]]:
        ranges = dict(zip((i.name for i in self.trials.inputs), self.trials.input_ranges, strict=True))
        found = []
        for name, value, _ in self.choice.surrogate.parameters:
            words = {"height": "how far the property swings", "noise": "standard deviation of one measurement"}.get(
                name
            )
            if words is None:
                span = ranges[name.removeprefix("length scale of ")]
                words = "has next to no influence" if value > 10 * span else "how far it must change to matter"
            found.append({"name": name, "value": value, "words": words})
        return found


def known(value: float) -> float | None:
    """The number, or None where it is not known."""
    return float(value) if np.isfinite(value) else None


def _candidate(one: Candidate, fitted: Fitted) -> dict[str, Any]:
    chosen = one.kind == fitted.choice.chosen.kind
    honesty = one.honesty
    words = one.why_not or ("chosen" if chosen else "")
    return {
        "model": one.kind,
        "model_words": one.words,
        "chosen": chosen,
        "parameters": one.parameters,
        "rmse": known(one.rmse),
        "rmse_standard_error": known(one.rmse_standard_error),
        "r2": known(one.r2),
        "coverage": honesty.coverage if honesty else None,
        "coverage_after": honesty.coverage_after if honesty else None,
        "widening": honesty.widening if honesty else None,
        "interval_score": honesty.score if honesty else None,
        "words": words,
    }


def held_out_groups(trials: Trials) -> Int[Array, " n"]:
    """Which trials are held out together: replicates, and whole blocks where there are at least five."""
    blocks = trials.blocks
    if blocks is None or len(set(blocks)) < _FEWEST_BLOCKS:
        return trials.groups
    # A replicate that spans blocks ties these together.
    label = np.unique(np.array([str(b) for b in blocks]), return_inverse=True)[1].reshape(-1)
    for _ in range(len(label)):
        merged = label.copy()
        for group in np.unique(trials.groups):
            rows = trials.groups == group
            merged[np.isin(label, label[rows])] = merged[rows].min()
        if np.array_equal(merged, label):
            break
        label = merged
    return trials.groups if len(np.unique(label)) < _FEWEST_BLOCKS else label


def fit_properties(
    trials: Trials, problem: Problem, *, seed: int, progress: Callable[[str], None]
) -> tuple[Fitted, ...]:
    """Choose a surrogate for every property.

    Raises
    ------
    ProblemError
        If the problem names a model that the trials cannot carry.
    """
    groups = held_out_groups(trials)
    found = []
    for k, name in enumerate(trials.properties):
        wanted = problem.properties[name]
        places = np.flatnonzero(np.isfinite(trials.Y[:, k]))
        y = trials.Y[places, k]
        log = wanted.transform == "log"
        data = observations(trials, places, np.log(y) if log else y, groups)
        try:
            choice = choose_surrogate(data, model=wanted.model, seed=seed, progress=partial(_tell, progress, name))
        except ModelError as error:
            raise ProblemError(
                f"a model that {len(y)} trials can carry",
                got=f"{wanted.model!r}: {error.got}",
                remedy='choose a smaller model, or "auto"',
                where=f"{problem.source}, key properties.{name}.model",
            ) from error
        found.append(Fitted(name, trials.units.get(name, ""), log, choice, places, trials))
    return tuple(found)


def _tell(progress: Callable[[str], None], name: str, words: str) -> None:
    progress(f"{name}: {words}")


def observations(
    trials: Trials, places: Int[Array, " n"], y: Float[Array, " n"], groups: Int[Array, " all"]
) -> Observations:
    """What a surrogate is fitted to."""
    return Observations(
        X=trials.X[places],
        y=y,
        groups=groups[places],
        names=tuple(i.name for i in trials.inputs),
        ingredients=sum(i.kind == "ingredient" for i in trials.inputs),
        total=trials.total or 1.0,
    )
