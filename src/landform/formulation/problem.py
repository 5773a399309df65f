"""Problems: what may vary, what is wanted, as the user writes it in ``problem.toml``."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from landform.errors import ProblemError
from landform.formulation.problem_errors import Fault, refusal, translate
from landform.formulation.problem_rules import faults

__all__ = [
    "CostGoal",
    "Factor",
    "Ingredient",
    "LinearConstraint",
    "Problem",
    "Property",
    "StudyOptions",
    "TrialsOptions",
]

Goal = Literal["maximize", "minimize", "target", "in range", "none"]
ModelName = Literal["auto", "mean", "linear", "quadratic", "special cubic", "gaussian process"]


def _open_ends(value: Any) -> Any:
    """A list of two limits as a pair; ``-inf`` and ``inf`` at their own end mean that this end is open."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return value
    lower, upper = value
    return (None if lower == -math.inf else lower, None if upper == math.inf else upper)


Limits = Annotated[tuple[FiniteFloat | None, FiniteFloat | None], BeforeValidator(_open_ends)]
Positive = Annotated[FiniteFloat, Field(gt=0)]


class _Part(BaseModel):
    """A part of a problem: unknown keys refused, types as written, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TrialsOptions(_Part):
    """How the table of trials is read."""

    id: str | None = None
    block: str | None = None
    sheet: str | int | None = None
    ignore: list[str] = Field(default_factory=list)
    closure: Literal["share", "none"] = "share"


class Ingredient(_Part):
    """One ingredient; bounds not given are the smallest and largest amount tried."""

    lower: FiniteFloat | None = None
    upper: FiniteFloat | None = None
    cost: FiniteFloat | None = None
    unit: str | None = None


class Factor(_Part):
    """One process factor; bounds not given are the lowest and highest setting tried."""

    lower: FiniteFloat | None = None
    upper: FiniteFloat | None = None
    unit: str | None = None
    step: Positive | None = None
    cost: FiniteFloat | None = None


class LinearConstraint(_Part):
    """A weighted sum of inputs that must stay within bounds."""

    name: str | None = None
    terms: dict[str, FiniteFloat]
    lower: FiniteFloat | None = None
    upper: FiniteFloat | None = None


class Property(_Part):
    """One measured property and what is wanted of it.

    Notes
    -----
    Desirability runs from 0 at ``limits[0]`` to 1 at ``limits[1]`` to maximize, from 1 to 0 to minimize, and from
    0 over 1 at ``target`` to 0 for a target. ``in range`` must lie inside. Ends that are not given are the
    smallest and largest value observed.
    """

    goal: Goal = "none"
    limits: Limits | None = None
    target: FiniteFloat | None = None
    weight: Positive = 1.0
    shape: Positive = 1.0
    transform: Literal["none", "log"] = "none"
    model: ModelName = "auto"
    unit: str | None = None


class CostGoal(_Part):
    """What a recipe may cost; desirability runs from 1 at ``limits[0]`` to 0 at ``limits[1]``."""

    goal: Literal["minimize"] = "minimize"
    limits: Limits | None = None
    weight: Positive = 1.0
    shape: Positive = 1.0


class StudyOptions(_Part):
    """How the study is run; ``step`` is in percent of the total.

    Recipes stay within the reach of the trials unless ``extrapolate`` is true.
    """

    seed: int = Field(default=0, ge=0)
    recipes: int = Field(default=5, ge=1, le=50)
    starts: int = Field(default=16, ge=1, le=1000)
    step: Positive | None = 1.0
    extrapolate: bool = False

    @property
    def percent(self) -> float:
        """The ingredients' step in percent of the total."""
        return self.step or 1.0


class Problem(_Part):
    """What may vary, within which limits, and what is wanted.

    Parameters
    ----------
    total : float, optional
        What the ingredients add to; None where there is no mixture.
    balance : str, optional
        The ingredient that is not in the table: total minus the rest. It may stand under ``ingredients``
        for its bounds and cost.
    trials, ingredients, factors, constraints, properties, cost, study
        The sections of ``problem.toml``.

    Examples
    --------
    >>> problem = Problem.from_dict({
    ...     "total": 1.0,
    ...     "ingredients": {"flour": {}, "water": {"upper": 0.5}},
    ...     "properties": {"rise": {"goal": "maximize"}},
    ... })
    >>> problem.properties["rise"].goal, list(problem.ingredients)
    ('maximize', ['flour', 'water'])
    """

    total: Positive | None = None
    balance: str | None = None
    trials: TrialsOptions = Field(default_factory=TrialsOptions)
    ingredients: dict[str, Ingredient] = Field(default_factory=dict)
    factors: dict[str, Factor] = Field(default_factory=dict)
    constraints: list[LinearConstraint] = Field(default_factory=list)
    properties: dict[str, Property] = Field(default_factory=dict)
    cost: CostGoal | None = None
    study: StudyOptions = Field(default_factory=StudyOptions)
    _source: str = PrivateAttr(default="<dict>")

    @property
    def source(self) -> str:
        """The file the problem was read from."""
        return self._source

    @property
    def listed(self) -> dict[str, Ingredient]:
        """The ingredients that have a column in the table: all but the balance."""
        return {name: part for name, part in self.ingredients.items() if name != self.balance}

    @classmethod
    def read(cls, path: str | Path) -> Problem:
        """Read ``problem.toml``.

        Raises
        ------
        ProblemError
            Naming the file, the key, its value and what would be right.
        """
        path = Path(path)
        return cls.from_dict(_parse(_text(path), source=str(path)), source=str(path))

    @classmethod
    def from_dict(cls, data: dict[str, Any], source: str = "<dict>") -> Problem:
        """A problem from plain data, laid out as in ``problem.toml``."""
        try:
            problem = cls.model_validate(data)
        except ValidationError as error:
            raise refusal(translate(error, known=_KEYS), source=source) from error
        problem._source = source
        return problem

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        found = list(faults(self))
        if found:
            raise FaultsError(found)
        return self


class FaultsError(ValueError):
    """Carries the faults of a problem through pydantic."""

    def __init__(self, found: list[Fault]) -> None:
        self.faults = found
        super().__init__("; ".join(f"{f.key}: expected {f.expected}, got {f.got}" for f in found))


_KEYS: dict[str, tuple[str, ...]] = {
    "": tuple(Problem.model_fields),
    "trials": tuple(TrialsOptions.model_fields),
    "ingredients": tuple(Ingredient.model_fields),
    "factors": tuple(Factor.model_fields),
    "constraints": tuple(LinearConstraint.model_fields),
    "properties": tuple(Property.model_fields),
    "cost": tuple(CostGoal.model_fields),
    "study": tuple(StudyOptions.model_fields),
}


def _text(path: Path) -> str:
    where = str(path)
    if path.is_dir():
        raise ProblemError("a TOML file", got="a directory", remedy="name the problem.toml inside it", where=where)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ProblemError(
            "a problem description",
            got="no such file",
            remedy="check the path, or write one with `landform init`",
            where=where,
        ) from error
    except UnicodeDecodeError as error:
        raise ProblemError(
            "text in UTF-8",
            got=f"byte 0x{error.object[error.start]:02x}",
            remedy="save it as UTF-8",
            where=where,
        ) from error
    except OSError as error:
        raise ProblemError(
            "a file that can be read",
            got=str(error.strerror).lower(),
            remedy="check its permissions",
            where=where,
        ) from error


def _parse(text: str, *, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise ProblemError(
            "TOML",
            got=f"{error}",
            remedy="correct the line; text stands in quotes, and so do names with spaces",
            where=f"{source}, line {line.group(1) if line else text.count(chr(10)) + 1}",
        ) from error
