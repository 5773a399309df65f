"""Problem descriptions: what is read, and how each fault is said."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from landform.errors import ProblemError
from landform.formulation.problem import Problem, Property

GOOD: dict[str, Any] = {
    "total": 1.0,
    "ingredients": {"TiO2": {"lower": 0.05, "upper": 0.45, "cost": 3}, "extender A": {}},
    "factors": {"temperature": {"unit": "°C", "step": 5}},
    "constraints": [{"name": "solids", "terms": {"TiO2": 1, "extender A": 0.5}, "upper": 0.7}],
    "properties": {"hiding": {"goal": "maximize", "limits": [3, 30]}, "scrub": {}},
    "cost": {"limits": [1, 3]},
    "study": {"seed": 7},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good problem with one key set; "drop" as value takes it away."""
    data = copy.deepcopy(GOOD)
    *parents, last = path.split("/")
    place: Any = data
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if value == "drop":
        del place[last]
    else:
        place[last] = value
    return data


def test_good_problem() -> None:
    problem = Problem.from_dict(GOOD)
    assert list(problem.ingredients) == ["TiO2", "extender A"]
    assert problem.properties["hiding"].limits == (3.0, 30.0)
    assert problem.ingredients["TiO2"].cost == 3.0
    assert problem.study.seed == 7
    assert problem.trials.closure == "share"
    assert problem.source == "<dict>"


def test_open_limits() -> None:
    problem = Problem.from_dict(changed("properties/scrub", {"goal": "in range", "limits": [-math.inf, 5]}))
    assert problem.properties["scrub"].limits == (None, 5.0)


def test_problems_do_not_change() -> None:
    problem = Problem.from_dict(GOOD)
    with pytest.raises(ValidationError):
        problem.total = 2.0  # type: ignore[misc]


def test_balance_may_have_bounds() -> None:
    problem = Problem.from_dict(changed("balance", "extender A"))
    assert list(problem.listed) == ["TiO2"]


SCRUB = "properties/scrub"
BAD: dict[str, tuple[str, Any, str, str, str]] = {
    # path, value, key in the message, what is named, what to do
    "unknown top key": ("totl", 1, "totl", "'totl'", "'total'"),
    "unknown section": ("ingredient", {}, "ingredient", "'ingredient'", "'ingredients'"),
    "unknown key": ("ingredients/TiO2/lowr", 0, "ingredients.TiO2.lowr", "'lowr'", "'lower'"),
    "unknown study key": ("study/sede", 1, "study.sede", "'sede'", "'seed'"),
    "unknown goal": (f"{SCRUB}/goal", "maximise", "properties.scrub.goal", "'maximise'", "'maximize'"),
    "unknown model": (f"{SCRUB}/model", "quadratik", "properties.scrub.model", "'quadratik'", "'quadratic'"),
    "text for number": ("ingredients/TiO2/lower", "0", "ingredients.TiO2.lower", "'0'", "without quotes"),
    "number for text": ("trials/id", 3, "trials.id", "3", "in quotes"),
    "truth for number": ("total", True, "total", "True", "without quotes"),
    "nan": ("total", math.nan, "total", "nan", "leave the key out"),
    "infinite bound": ("ingredients/TiO2/upper", math.inf, "ingredients.TiO2.upper", "inf", "leave the key out"),
    "zero total": ("total", 0, "total", "above 0", "correct"),
    "negative amount": ("ingredients/extender A/lower", -0.1, 'ingredients."extender A".lower', "-0.1", "correct"),
    "bounds reversed": ("ingredients/TiO2/lower", 0.5, "ingredients.TiO2.lower", "0.45", "exchange"),
    "factor bounds reversed": (
        "factors/temperature",
        {"lower": 9, "upper": 3},
        "factors.temperature.lower",
        "9",
        "exchange",
    ),
    "lower above total": ("ingredients/extender A/lower", 1.5, 'ingredients."extender A".lower', "1.5", "correct"),
    "lowers above total": ("ingredients/extender A/lower", 0.99, "ingredients", "1.04", "lower some"),
    "uppers below total": ("ingredients/extender A/upper", 0.3, "ingredients", "0.75", "raise some"),
    "limits reversed": ("properties/hiding/limits", [30, 3], "properties.hiding.limits", "[30, 3]", "[lower, upper]"),
    "limits equal": ("properties/hiding/limits", [3, 3], "properties.hiding.limits", "[3, 3]", "[lower, upper]"),
    "one limit": ("properties/hiding/limits", [3], "properties.hiding.limits", "[3]", "[lower, upper]"),
    "three limits": ("properties/hiding/limits", [1, 2, 3], "properties.hiding.limits", "[1, 2, 3]", "[lower, upper]"),
    "a limit of text": ("properties/hiding/limits", ["a", 3], "properties.hiding.limits", "'a'", "number"),
    "target outside": (
        SCRUB,
        {"goal": "target", "target": 9, "limits": [1, 5]},
        "properties.scrub.target",
        "9",
        "correct the target",
    ),
    "no target": (SCRUB, {"goal": "target"}, "properties.scrub.target", "nothing", "target ="),
    "target without goal": (SCRUB, {"target": 2}, "properties.scrub.target", "2", 'goal = "target"'),
    "in range without limits": (SCRUB, {"goal": "in range"}, "properties.scrub.limits", "none", "limits ="),
    "zero weight": (f"{SCRUB}/weight", 0, "properties.scrub.weight", "0", "correct"),
    "two roles": ("factors/hiding", {}, "properties.hiding", "'hiding'", "keep one"),
    "id is a property": ("trials/id", "scrub", "trials.id", "'scrub'", "keep one"),
    "ignored ingredient": ("trials/ignore", ["TiO2"], "trials.ignore[1]", "'TiO2'", "keep one"),
    "balance is a property": ("balance", "scrub", "balance", "'scrub'", "another name"),
    "unknown in constraint": (
        "constraints/0/terms",
        {"extender a": 1},
        'constraints[1].terms."extender a"',
        "'extender a'",
        "'extender A'",
    ),
    "constraint without bounds": ("constraints/0/upper", "drop", "constraints[1]", "neither", "add `lower`"),
    "constraint reversed": ("constraints/0/lower", 0.9, "constraints[1].lower", "0.9", "exchange"),
    "constraint without terms": ("constraints/0/terms", {}, "constraints[1].terms", "none", "terms ="),
    "constraint with bad term": ("constraints/0/terms", {"TiO2": "x"}, "constraints[1].terms.TiO2", "'x'", "number"),
    "constraint is no list": ("constraints", {"a": 1}, "constraints", "{'a': 1}", "[[constraints]]"),
    "constraint named twice": (
        "constraints",
        [GOOD["constraints"][0], GOOD["constraints"][0]],
        "constraints[2].name",
        "'solids'",
        "rename",
    ),
    "ingredient is a number": ("ingredients/TiO2", 0.3, "ingredients.TiO2", "0.3", "section"),
    "no total": ("total", "drop", "total", "nothing", "total = 100"),
    "no properties": ("properties", "drop", "", "none", "[properties.viscosity]"),
    "cost of nothing": ("ingredients/TiO2/cost", "drop", "cost", "none", "cost ="),
    "fraction of a seed": ("study/seed", 1.5, "study.seed", "1.5", "whole number"),
    "no recipes": ("study/recipes", 0, "study.recipes", "0", "correct"),
    "sheet of no kind": ("trials/sheet", 1.5, "trials.sheet", "1.5", "number"),
    "closure of no kind": ("trials/closure", "sharing", "trials.closure", "'sharing'", "'share'"),
}


@pytest.mark.parametrize(("path", "value", "key", "named", "remedy"), BAD.values(), ids=BAD)
def test_bad_problems(path: str, value: Any, key: str, named: str, remedy: str) -> None:
    with pytest.raises(ProblemError) as caught:
        Problem.from_dict(changed(path, value), source="problem.toml")
    error = caught.value
    assert error.where.startswith(f"problem.toml, key {key}" if key else "problem.toml")
    assert named in f"{error.expected} {error.got}"
    assert remedy in error.remedy
    assert "\n" not in str(error)


def test_several_faults_are_counted() -> None:
    data = changed("ingredients/TiO2/lowr", 0)
    data["properties"]["scrub"] = {"goal": "maximise", "weight": -1}
    with pytest.raises(ProblemError, match=r"lowr.*\(2 more faults in this file\)"):
        Problem.from_dict(data)


def test_construction_in_python_is_checked_too() -> None:
    with pytest.raises(ValidationError, match="ingredients that add to it"):
        Problem(total=1.0, properties={"y": Property()})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"total = ", "line 1"),
        (b"total = 1\n[ingredients]\nTiO2 {}\n", "line 3"),
        (b"total = 1\ntotal = 2\n", "line 2"),
        ("µ = 1".encode("cp1252"), "UTF-8"),
        (b"", "at least one ingredient or factor"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "problem.toml"
    path.write_bytes(content)
    with pytest.raises(ProblemError) as caught:
        Problem.read(path)
    assert "problem.toml" in str(caught.value)
    assert words in str(caught.value)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="landform init"):
        Problem.read(tmp_path / "no.toml")
    with pytest.raises(ProblemError, match="a directory"):
        Problem.read(tmp_path)


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "problem.toml"
    path.write_text(
        '\ufefftotal = 1\n[ingredients.a]\n[ingredients."b c"]\n[properties.y]\ngoal = "minimize"\n', "utf-8"
    )
    problem = Problem.read(path)
    assert (list(problem.ingredients), problem.source) == (["a", "b c"], str(path))
