"""What `landform.sensitivity` finds: effects over the rows, every row by itself, interactions, cautions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError
from landform.findings import Bars, Estimate, Finding, HeatMap, Picture, Swarm, minus
from landform.sensitivity.cautions import Caution
from landform.sensitivity.check import Checked
from landform.sensitivity.doubt import Doubt
from landform.sensitivity.effect import Effect
from landform.sensitivity.fields import Contrast, Direction
from landform.sensitivity.interactions import Interactions
from landform.sensitivity.subject import Subject, Taken
from landform.sensitivity.trace import Trace, trace_along

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
What = Literal["bars", "heat map", "swarm", "interactions", "all"]
_OWN = ("alone", "log", "Cox", "contrast")
_SHOWN = 20
_DRAWN = 1500


@dataclass(frozen=True, eq=False)
class Sensitivity(Finding):
    """What moves what, by how much, and how surely.

    Parameters
    ----------
    effects : tuple of Effect
        Averages over the rows, per output and change of the inputs.
    interactions : Interactions or None
        Pairs of inputs that act together; None where they were not asked for.
    cautions : tuple of Caution
        What to beware of, and at which rows.
    notes : tuple of str
        Where the model is not smooth, and what else holds for all rows.
    level : float
        Of every interval.
    how, doubt : str
        How the slopes were obtained, and how their standard errors were; the latter begins with "none" where none
        can be had.
    subject : Subject
        The model and its rows.
    taken : Taken
        Outputs and Jacobians at every row.
    directions, contrasts : tuple
        The changes that were asked about, in the order of the last axis of ``slopes``.
    slopes : array, shape (rows, m, changes)
        Every output's slope along every direction at every row, then its differences by contrast.
    errors : array or None
        Their standard errors.
    known : Doubt or None
        What more standard errors can be asked of.
    quantile : float
        Standard errors that an interval reaches to either side.
    checked : Checked or None
        Whether the intervals hold, where that was asked for.
    """

    effects: tuple[Effect, ...]
    interactions: Interactions | None
    cautions: tuple[Caution, ...]
    notes: tuple[str, ...]
    level: float
    how: str
    doubt: str
    subject: Subject
    taken: Taken
    directions: tuple[Direction, ...]
    contrasts: tuple[Contrast, ...]
    slopes: Float[Array, "rows m changes"]
    errors: Float[Array, "rows m changes"] | None
    known: Doubt | None
    quantile: float
    checked: Checked | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return self.subject.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return self.subject.outputs

    @property
    def jacobians(self) -> Float[Array, "rows m d"]:
        """Every output's derivative by every input, all others fixed, at every row."""
        return self.taken.jacobians

    def to_frame(self) -> pd.DataFrame:
        """One row per output and change: averages with standard errors and intervals, and the spread over the rows."""
        import pandas as pd

        return pd.DataFrame([_flat(one) for one in self.effects])

    def rows(self) -> pd.DataFrame:
        """One row per row of the data, output and change: slope, standard error, interval, elasticity, cautions."""
        import pandas as pd

        n, m, k = self.slopes.shape
        row, output, change = (axis.ravel() for axis in np.indices((n, m, k)))
        names = np.array([one.input for one in self.directions] + [f"{c.input}: {c.level}" for c in self.contrasts])
        kinds = np.array([one.kind for one in self.directions] + ["contrast"] * len(self.contrasts))
        frame = pd.DataFrame(
            {
                "row": row,
                "output": np.array(self.outputs)[output],
                "input": names[change],
                "direction": kinds[change],
                "slope": self.slopes.ravel(),
            }
        )
        blank = np.full(self.slopes.shape, np.nan)
        errors = blank if self.errors is None else self.errors
        frame["standard_error"] = errors.ravel()
        frame["lower"] = (self.slopes - self.quantile * errors).ravel()
        frame["upper"] = (self.slopes + self.quantile * errors).ravel()
        frame["standardized"] = self._standardized().ravel()
        frame["elasticity"] = self._elasticities().ravel()
        words = self.row_words()
        frame["cautions"] = [words[r][o] for r, o in zip(row, output, strict=True)]
        return frame

    def _standardized(self) -> Float[Array, "rows m changes"]:
        spreads = np.array([one.spread for one in self.directions] + [1.0] * len(self.contrasts))
        sizes = np.std(self.taken.values, axis=0)
        return np.asarray(self.slopes * spreads / np.where(sizes > 0, sizes, np.nan)[:, None])

    def _elasticities(self) -> Float[Array, "rows m changes"]:
        levels = np.full((len(self.slopes), self.slopes.shape[2]), np.nan)
        for k, one in enumerate(self.directions):
            if one.level is not None:
                levels[:, k] = one.level
        values = np.where(self.taken.values == 0, np.nan, self.taken.values)
        return np.asarray(self.slopes * levels[:, None, :] / values[:, :, None])

    def row_words(self) -> list[list[str]]:
        """The cautions of every row and output as text."""
        n, m = self.taken.values.shape
        found = [[""] * m for _ in range(n)]
        for caution in self.cautions:
            for r, o in np.argwhere(caution.where):
                found[r][o] += ("; " if found[r][o] else "") + caution.words
        return found

    def ranked(self, output: str, *, kinds: Sequence[str] = _OWN) -> list[Effect]:
        """One output's effects, the largest standardized one first.

        Parameters
        ----------
        output : str
            Its name.
        kinds : sequence of str
            Which directions; every input's own where not given.
        """
        if output not in self.outputs:
            raise ShapeError(f"an output among {', '.join(self.outputs)}", got=repr(output), remedy="name one of them")
        own = [one for one in self.effects if one.output == output and one.direction in kinds]
        return sorted(own, key=lambda one: -abs((one.standardized or one.mean).value))

    def trace(self, input: str, *, direction: str | None = None, row: int | None = None, points: int = 41) -> Trace:
        """Every output along a direction through one row, with its interval.

        Parameters
        ----------
        input : str
            What is raised: an input, or an axis by its name.
        direction : str, optional
            Its kind, as in `to_frame`; the input's own where not given.
        row : int, optional
            Which row it goes through; the most central one where not given.
        points : int
            How many points.
        """
        fits = [one for one in self.directions if one.input == input and direction in (None, one.kind)]
        if not fits:
            known = dict.fromkeys(one.input for one in self.directions)
            raise ShapeError(
                f"a direction among {', '.join(known)}", got=repr(input), remedy="name one", where="argument input"
            )
        return trace_along(self.subject, fits[0], self.known, self.quantile, row=row, points=points)

    def sentences(self) -> Sequence[str]:
        """The strongest effect of every output, and what to beware of."""
        found = []
        for output in self.outputs:
            ranked = self.ranked(output)
            if ranked:
                found.append(_said(ranked[0]))
        found.append(f"Slopes are {self.how}; standard errors: {self.doubt}.")
        found += [] if self.checked is None else self.checked.sentences()
        found += self.notes
        found += [words for one in self.cautions for words in one.counted(self.outputs)]
        return found

    def tables(self) -> Sequence[tuple[str, pd.DataFrame]]:
        """Effects and interactions."""
        found = [("What moves what, over the rows", self.to_frame())]
        if self.interactions is not None:
            found.append(("Which inputs act together", self.interactions.to_frame().head(40)))
        if self.checked is not None:
            found.append(("How often the intervals hold", self.checked.to_frame()))
        return found

    def pictures(self, what: What = "all") -> Sequence[Picture]:
        """Bars with intervals, the heat map of outputs and inputs, swarms row by row, maps of interactions.

        Parameters
        ----------
        what : {"bars", "heat map", "swarm", "interactions", "all"}
            Which.
        """
        made = {
            "bars": self._bars,
            "heat map": self._heat_map,
            "swarm": self._swarms,
            "interactions": lambda: [] if self.interactions is None else list(self.interactions.pictures()),
        }
        if what != "all" and what not in made:
            raise ShapeError(
                f"a picture among {', '.join(made)}, all", got=repr(what), remedy="choose one", where="argument what"
            )
        kinds = list(made) if what == "all" else [what]
        if what == "all" and len(self.outputs) == 1:
            kinds.remove("heat map")  # with one output it says what the bars say
        return [picture for kind in kinds for picture in made[kind]()]

    def plot(self, what: What = "all") -> Any:
        """Draw with matplotlib; see `pictures` for what there is, `Finding.plot` for what comes back."""
        from landform.findings.pictures import draw

        pictures = self.pictures(what)
        return draw(pictures) if pictures else super().plot()

    def _bars(self) -> list[Picture]:
        found: list[Picture] = []
        for output in self.outputs:
            own = self.ranked(output)[:_SHOWN]
            estimates = [one.standardized or one.mean for one in own]
            found.append(
                Bars(
                    labels=[one.input for one in own],
                    values=[one.value for one in estimates],
                    lower=[one.lower for one in estimates],
                    upper=[one.upper for one in estimates],
                    title=f"{output}: mean effect over {len(self.slopes)} rows",
                    axis="sd of the output per sd of the input",
                )
            )
        return found

    def _heat_map(self) -> list[Picture]:
        names = list(dict.fromkeys(one.input for one in self.effects if one.direction in _OWN))
        find = {(one.output, one.input): one for one in self.effects if one.direction in _OWN}
        sizes: list[list[float | None]] = []
        for output in self.outputs:
            cells = [find[output, name].standardized for name in names]
            sizes.append([None if cell is None else cell.value for cell in cells])
        sure = [[self.known is None or find[output, name].mean.sure for name in names] for output in self.outputs]
        title = "in parentheses: the interval includes zero" if self.known is not None else ""
        axis = "sd of the output per sd of the input"
        return [HeatMap(list(self.outputs), names, sizes, sure, title=title, axis=axis)]

    def _swarms(self) -> list[Picture]:
        scaled = self._standardized()
        found: list[Picture] = []
        rows = np.linspace(0, len(scaled) - 1, min(len(scaled), _DRAWN)).round().astype(int)
        own = [k for k, one in enumerate(self.directions) if one.kind in _OWN]
        for o, output in enumerate(self.outputs):
            if not np.isfinite(scaled[:, o]).all():
                continue
            order = sorted(own, key=lambda k: -float(np.mean(np.abs(scaled[:, o, k]))))[:_SHOWN]
            levels = [self._shares(self.directions[k])[rows].tolist() for k in order]
            found.append(
                Swarm(
                    labels=[self.directions[k].input for k in order],
                    values=[scaled[rows, o, k].tolist() for k in order],
                    shares=levels,
                    title=f"{output}: the slope at every row",
                    axis="sd of the output per sd of the input",
                    tint="level of the input",
                )
            )
        return found

    def _shares(self, one: Direction) -> Float[Array, " rows"]:
        """Each row's rank in the input, from 0 to 1."""
        column = self.subject.X[:, self.inputs.index(one.input)]
        return np.asarray(np.searchsorted(np.sort(column), column) / max(len(column) - 1, 1))


def _flat(one: Effect) -> dict[str, Any]:
    """An effect as one row of a table."""
    found: dict[str, Any] = {"output": one.output, "input": one.input, "direction": one.direction, "words": one.words}
    for name, part in (("", one.mean), ("standardized", one.standardized), ("elasticity", one.elasticity)):
        known = Estimate(np.nan) if part is None else part
        prefix = f"{name}_" if name else ""
        found[name or "mean"] = known.value
        for key in ("standard_error", "lower", "upper"):
            value = getattr(known, key)
            found[prefix + key] = np.nan if value is None else value
    spread = {key: getattr(one, key) for key in ("median", "spread", "low", "high", "same_sign")}
    return {**found, **spread, "sure_rows": np.nan if one.sure is None else one.sure, "how": one.mean.how}


def _said(one: Effect) -> str:
    """An effect as a sentence."""
    shown = one.standardized or one.mean
    doubt = "" if shown.half_width is None else f" ± {minus(f'{shown.half_width:.2g}')}"
    unit = "" if one.standardized is None else " sd of it per sd"
    way = {"contrast": one.words, "Cox": f"{one.input}, the other ingredients giving way"}.get(one.direction, one.input)
    sure = "" if shown.lower is None or shown.sure else "; its interval includes zero"
    return f"{one.output} moves most with {way}: {minus(f'{shown.value:+.3g}')}{doubt}{unit} on average{sure}."
