"""Published tables of trials with their problems, for several test files."""

from __future__ import annotations

from pathlib import Path

import pytest

from landform.formulation.problem import Problem
from landform.formulation.table import read_table
from landform.formulation.trials import Trials, make_trials

ROOT = Path(__file__).parents[3]
PAINT = ROOT / "examples" / "paint" / "trials.csv"
YARN = ROOT / "examples" / "yarn" / "trials.csv"


def data(name: str) -> Path:
    """A public data file that is not in the repository; the test is skipped where it is absent."""
    path = ROOT.parent / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    return path


def mixture(path: Path, properties: int, *, total: float = 1.0, **more: object) -> Trials:
    """The trials of a table whose last columns are properties and whose others are ingredients."""
    table = read_table(path)
    ingredients: dict[str, dict[str, object]] = {name: {} for name in table.names[:-properties]}
    wanted: dict[str, dict[str, object]] = {name: {} for name in table.names[-properties:]}
    problem = {"total": total, "ingredients": ingredients, "properties": wanted, **more}
    return make_trials(table, Problem.from_dict(problem))


def paint(**more: object) -> Trials:
    """Paint: four bounded components, two properties (MixOptim vignette)."""
    return mixture(PAINT, 2, **more)


def yarn() -> Trials:
    """Yarn: a {3, 2} simplex lattice with replicates (Cornell 2002)."""
    return mixture(YARN, 1)
