"""Trials: arrays from a table and its problem, and the tables that do not go with their problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from landform.errors import ProblemError, TableError
from landform.formulation.problem import Problem
from landform.formulation.table import RawTable, read_table
from landform.formulation.trials import Trials, make_trials, replicate_groups
from unit.formulation.published import data, paint, yarn

TABLE: dict[str, list[Any]] = {
    "id": ["A", "B", "C", "D", "E", "F"],
    "a": [0.2, 0.3, 0.4, 0.5, 0.3, 0.1],
    "b": [0.8, 0.7, 0.6, 0.5, 0.7, 0.9],
    "T [°C]": [20, 40, 20, 40, 40, 20],
    "y (Pa s)": [1.0, 2.0, 3.0, 4.0, 2.1, np.nan],
    "z": [5, 6, np.nan, 9, 8, np.nan],
}
PROBLEM: dict[str, Any] = {
    "total": 1,
    "ingredients": {"a": {"upper": 0.6}, "b": {"cost": 2}},
    "factors": {"T": {"step": 5}},
    "properties": {"y": {}, "z": {"unit": "N"}},
    "trials": {"id": "id"},
}


def made(table: dict[str, Any] | None = None, **problem: Any) -> Trials:
    raw = RawTable.from_frame(pd.DataFrame(TABLE | (table or {})), "trials.csv")
    return make_trials(raw, Problem.from_dict(PROBLEM | problem, source="problem.toml"))


def test_arrays_and_names() -> None:
    trials = made()
    assert [i.name for i in trials.inputs] == ["a", "b", "T"]
    assert [i.kind for i in trials.inputs] == ["ingredient", "ingredient", "factor"]
    assert trials.X.shape == (5, 3)
    assert trials.Y.shape == (5, 2)
    assert np.isnan(trials.Y[2, 1])
    assert trials.labels == ("A", "B", "C", "D", "E")
    assert trials.units == {"a": "", "b": "", "T": "°C", "y": "Pa s", "z": "N"}
    assert [(out.row, out.words) for out in trials.left_out] == [(7, "Row 7 has no measured property.")]
    assert trials.groups.tolist() == [0, 1, 2, 3, 1]
    assert trials.unused == ()


def test_bounds_are_stated_or_observed() -> None:
    a, b, T = made().inputs
    assert (a.lower, a.upper, a.observed) == (0.2, 0.6, (0.2, 0.5))
    assert (b.lower, b.upper, b.cost) == (0.5, 0.8, 2.0)
    assert (T.lower, T.upper, T.step) == (20.0, 40.0, 5.0)


def test_balance_comes_last_and_may_have_a_cost() -> None:
    problem = {"ingredients": {"w": {"cost": 0.1, "upper": 0.95}, "a": {}}, "balance": "w"}
    trials = made(**problem, trials={"id": "id", "ignore": ["b"]})
    assert [(i.name, i.balance) for i in trials.inputs] == [("a", False), ("w", True), ("T", False)]
    np.testing.assert_allclose(trials.X[:, 1], 1 - trials.X[:, 0])
    assert (trials.inputs[1].cost, trials.inputs[1].upper) == (0.1, 0.95)


def test_blocks_and_unused() -> None:
    trials = made({"lab": ["x", "y", None, 1, 1.5, "x"], "note": list("abcdef")}, trials={"block": "lab"})
    assert trials.blocks == ("x", "y", None, "1", "1.5")
    assert trials.unused == ("id", "note")
    assert trials.labels[0] == "row 2"


def test_yarn_replicates() -> None:
    assert yarn().groups.tolist() == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5]
    assert len(set(paint().groups.tolist())) == 19


def test_float_noise_makes_no_new_group() -> None:
    X = np.array([[0.1 + 0.2, 0.7], [0.3, 0.7], [0.3 + 1e-6, 0.7]])
    assert replicate_groups(X, [1.0, 1.0]).tolist() == [0, 0, 1]


def set_cell(column: str, row: int, value: Any) -> dict[str, Any]:
    cells = list(TABLE[column])
    cells[row - 2] = value
    return {column: cells}


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], type[Exception], list[str]]] = {
    "no such ingredient": ({}, {"ingredients": {"A": {}, "b": {}}}, ProblemError, ["key ingredients.A", "write 'a'"]),
    "no such factor": ({}, {"factors": {"temp": {}}}, ProblemError, ["key factors.temp", "'T'"]),
    "no such property": ({}, {"properties": {"yy": {}}}, ProblemError, ["key properties.yy", "'y'"]),
    "no such id": ({}, {"trials": {"id": "ident"}}, ProblemError, ["key trials.id", "'id'"]),
    "no such ignored": ({}, {"trials": {"ignore": ["zz"]}}, ProblemError, ["key trials.ignore[1]", "'z'"]),
    "balance in the table": (
        {},
        {"balance": "b", "ingredients": {"a": {}}},
        ProblemError,
        ["key balance", "[ingredients]"],
    ),
    "text in an ingredient": (set_cell("a", 3, "much"), {}, TableError, ["row 3, column 'a'", "'much'", "fill"]),
    "decimal comma": (set_cell("a", 3, "0,3"), {}, TableError, ["row 3, column 'a'", "'0,3'", "decimal point"]),
    "percent sign": (set_cell("a", 3, "30 %"), {}, TableError, ["row 3", "'30 %'", "unit in the header"]),
    "missing ingredient": (set_cell("b", 4, None), {}, TableError, ["row 4, column 'b'", "nothing", "delete the row"]),
    "nan in an ingredient": (set_cell("b", 4, "NaN"), {}, TableError, ["row 4, column 'b'", "nothing"]),
    "inf in an ingredient": (set_cell("a", 2, np.inf), {}, TableError, ["row 2, column 'a'", "inf"]),
    "missing factor": (set_cell("T [°C]", 5, None), {}, TableError, ["row 5, column 'T'", "nothing"]),
    "negative amount": (
        {"a": [0.2, 0.3, -0.1, 0.5, 0.3, 0.1], "b": [0.8, 0.7, 1.1, 0.5, 0.7, 0.9]},
        {},
        TableError,
        ["row 4, column 'a'", "-0.1", "correct"],
    ),
    "sum off": (set_cell("a", 3, 0.9), {}, TableError, ["row 3", "1.6", "correct"]),
    "more than the total": (
        {"a": [0.2, 1.3, 0.4, 0.5, 0.3, 0.1]},
        {"balance": "w", "ingredients": {"a": {}}},
        TableError,
        ["row 3", "1.3"],
    ),
    "text in a property": (set_cell("z", 2, "<5"), {}, TableError, ["row 2, column 'z'", "'<5'", "empty the cell"]),
    "inf in a property": (set_cell("z", 2, "inf"), {}, TableError, ["row 2, column 'z'", "'inf'"]),
    "constant property": ({"z": [5] * 6}, {}, TableError, ["column 'z'", "5 in every trial", "leave it out"]),
    "empty property": ({"z": [None] * 6}, {}, TableError, ["column 'z'", "an empty column", "add its values"]),
    "logarithm of zero": (
        set_cell("z", 3, 0),
        {"properties": {"z": {"transform": "log"}}},
        TableError,
        ["row 3, column 'z'", "got 0", "transform"],
    ),
    "constant factor": ({"T [°C]": [20] * 6}, {}, TableError, ["column 'T'", "20 in every trial", "trials.ignore"]),
    "too few trials": (
        {key: cells[:4] for key, cells in TABLE.items()},
        {},
        TableError,
        ["at least 4 trials for 3 inputs", "got 3", "more trials"],
    ),
}


@pytest.mark.parametrize(("table", "problem", "kind", "words"), BAD.values(), ids=BAD)
def test_bad_trials(table: dict[str, Any], problem: dict[str, Any], kind: type[Exception], words: list[str]) -> None:
    full = {key: cells for key, cells in TABLE.items() if key not in table} | table
    if "too few" in str(words) or len(next(iter(table.values()), [0] * 6)) < 6:
        full = {key: cells[:4] for key, cells in full.items()}
        full = {key: cells[:3] for key, cells in full.items()}
    raw = RawTable.from_frame(pd.DataFrame(full), "trials.csv")
    with pytest.raises(kind) as caught:
        make_trials(raw, Problem.from_dict(PROBLEM | problem, source="problem.toml"))
    message = str(caught.value)
    for word in [*words, "trials.csv"]:
        assert word in message
    assert "\n" not in message


def test_amounts_outside_the_bounds_are_no_fault() -> None:
    assert made(ingredients={"a": {"upper": 0.25}, "b": {}}).inputs[0].observed == (0.2, 0.5)


def test_shampoo() -> None:
    table = read_table(data("shampoo_formulations_2023.csv"))
    problem = {
        "total": 100,
        "balance": "water",
        "trials": {"id": "ID"},
        "ingredients": {name: {} for name in table.names[1:19]},
        "properties": {"Turbidity_NTU": {"transform": "log"}},
    }
    trials = make_trials(table, Problem.from_dict(problem))
    assert trials.X.shape == (302, 19)
    assert len(trials.left_out) == 520
    np.testing.assert_allclose(trials.X.sum(axis=1), 100)
    assert trials.inputs[-1].name == "water"
    assert trials.inputs[-1].observed == pytest.approx((66.68, 82.07))


def test_photo() -> None:
    trials = make_trials(
        table := read_table(data("photo_pce10.csv")),
        Problem.from_dict(
            {"total": 1, "ingredients": {name: {} for name in table.names[:4]}, "properties": {"degradation": {}}}
        ),
    )
    assert (trials.X.shape, trials.closures, int(trials.groups.max()) + 1) == ((1040, 4), (), 1020)
