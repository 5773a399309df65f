"""Roles and templates: what each column of a table seems to be, and the problem written from it."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from landform.errors import TableError
from landform.formulation.problem import Problem
from landform.formulation.roles import Roles, guess_roles
from landform.formulation.table import RawTable, read_table
from landform.formulation.template import render
from landform.formulation.trials import make_trials
from unit.formulation.published import PAINT, YARN, data


def table(**columns: Any) -> RawTable:
    return RawTable.from_frame(pd.DataFrame(columns), "trials.csv")


def found(roles: Roles) -> dict[str, list[str]]:
    kinds = ("id", "block", "ingredient", "factor", "property", "ignore")
    return {kind: roles.names(kind) for kind in kinds if roles.names(kind)}  # type: ignore[arg-type]


rng = np.random.default_rng(0)
THIRDS = {"a": [33.3, 20.0, 50.0, 10.0], "b": [33.3, 30.0, 30.0, 80.0], "c": [33.3, 50.0, 20.0, 10.0]}


def test_paint() -> None:
    roles = guess_roles(read_table(PAINT))
    assert found(roles) == {
        "ingredient": ["TiO2", "vehicle", "extender A", "extender B"],
        "property": ["hiding", "scrub"],
    }
    assert (roles.total, roles.balance) == (1.0, None)


def test_yarn() -> None:
    assert guess_roles(read_table(YARN)).names("property") == ["elongation"]


def test_slump() -> None:
    roles = guess_roles(read_table(data("concrete_slump.csv")))
    assert roles.total is None
    assert found(roles) == {
        "id": ["No"],
        "factor": ["Cement", "Slag", "Fly ash", "Water", "SP", "Coarse Aggr.", "Fine Aggr."],
        "property": ["SLUMP", "FLOW", "Compressive Strength (28-day)"],
    }


def test_shampoo_offers_water() -> None:
    roles = guess_roles(read_table(data("shampoo_formulations_2023.csv")))
    assert (roles.balance, roles.total, roles.sure) == ("water", 100.0, True)
    assert len(roles.names("ingredient")) == 18
    assert roles.names("property") == ["Turbidity_NTU"]
    assert roles.names("ignore") == ["Stability_Test", "Turbidity_Error", "Viscosity", "Rheology_Type"]
    assert 'balance = "water"' in roles.words


def test_photo() -> None:
    roles = guess_roles(read_table(data("photo_pce10.csv")))
    assert (len(roles.names("ingredient")), roles.names("property"), roles.total) == (4, ["degradation"], 1.0)


def test_rounded_sums_and_apart_ingredients() -> None:
    roles = guess_roles(table(a=THIRDS["a"], speed=[1, 2, 1, 2], b=THIRDS["b"], gloss=[1, 5, 2, 4], c=THIRDS["c"]))
    assert found(roles) == {"ingredient": ["a", "b", "c"], "factor": ["speed"], "property": ["gloss"]}
    assert roles.total == 100.0


def test_one_faulty_row_does_not_hide_the_mixture() -> None:
    shares = rng.dirichlet(np.ones(3), 20).round(3)
    shares[:, 2] = (1 - shares[:, 0] - shares[:, 1]).round(3)
    shares[4, 0] += 0.3
    roles = guess_roles(table(a=shares[:, 0], b=shares[:, 1], c=shares[:, 2], y=rng.normal(size=20)))
    assert roles.names("ingredient") == ["a", "b", "c"]


def test_unusual_total() -> None:
    roles = guess_roles(table(a=[100, 50, 200], b=[100, 100, 20], c=[50, 100, 30], gloss=[1, 2, 4]))
    assert roles.total == 250.0


def test_balance_by_unit() -> None:
    columns = {"resin [wt%]": [30, 40, 35, 20], "filler [wt%]": [20, 10, 15, 5], "gloss": [1, 2, 4, 3]}
    roles = guess_roles(table(**columns))
    assert (roles.names("ingredient"), roles.total, roles.balance, roles.sure) == (
        ["resin", "filler"],
        100,
        "water",
        True,
    )


def test_doubtful_balance_is_only_offered() -> None:
    columns = {"a": [3, 0, 5, 2, 1], "b": [0, 4, 2, 0, 6], "c": [1, 2, 0, 3, 0], "gloss": [1, 2, 4, 3, 2.5]}
    roles = guess_roles(table(**columns))
    assert (roles.names("factor"), roles.sure, roles.balance) == (["a", "b", "c"], False, "water")
    text = render(table(**columns), roles)
    assert '# balance = "water"' in text
    assert "balance" not in tomllib.loads(text)


def test_the_user_decides() -> None:
    columns = {"a": [3, 1, 5, 2], "b": [2, 4, 2, 1], "c": [1, 2, 7, 3], "d": [1, 2, 4, 3]}
    roles = guess_roles(table(**columns), properties=["b"], factors=["d"], balance="oil", total=50)
    assert found(roles) == {"ingredient": ["a", "c"], "factor": ["d"], "property": ["b"]}
    assert (roles.balance, roles.total, roles.sure) == ("oil", 50, True)
    roles = guess_roles(table(**columns), properties=["b"])
    assert found(roles) == {"factor": ["a", "c", "d"], "property": ["b"]}


def test_a_guess_says_so() -> None:
    columns = {"p": [3.1, 1.2, 5.3, 2.9], "q": [2.2, 4.1, 2.7, 1.5], "r": [1.7, 2.2, 7.1, 3.3]}
    roles = guess_roles(table(**columns))
    assert found(roles) == {"factor": ["p", "q"], "property": ["r"]}
    assert all(column.guess for column in roles.columns)


def test_ids_blocks_and_what_cannot_be_studied() -> None:
    columns = {
        "sample": ["s1", "s2", "s3", "s4"],
        "run": [4, 2, 1, 3],
        "batch": ["x", "x", "y", "y"],
        "temperature [°C]": [20, 30, 40, 20],
        "pressure": [1, 1, 1, 1],
        "class": ["LOW", "HIGH", "LOW", "LOW"],
        "yield [%]": [50, 60, 70, 55],
        "yield sd": [1, 2, 1, 2],
        "remarks": [None] * 4,
    }
    assert found(guess_roles(table(**columns))) == {
        "id": ["sample"],
        "block": ["batch"],
        "factor": ["temperature"],
        "property": ["yield"],
        "ignore": ["run", "pressure", "class", "yield sd", "remarks"],
    }


def test_unknown_names_are_refused() -> None:
    numbers = table(a=[1, 2], gloss=[3, 4], note=["x", "y"])
    with pytest.raises(TableError, match="'glos'; write 'gloss'"):
        guess_roles(numbers, properties=["glos"])
    with pytest.raises(TableError, match=r"column 'note'.*numbers"):
        guess_roles(numbers, factors=["note"])


def test_nothing_measured() -> None:
    whole = table(**THIRDS)
    with pytest.raises(TableError, match="--properties"):
        render(whole, guess_roles(whole))
    alone = table(gloss=[1, 2, 3], haze=[3, 2, 2])
    with pytest.raises(TableError, match="--factors"):
        render(alone, guess_roles(alone))


@pytest.mark.parametrize(
    "name", ["paint", "yarn", "concrete_slump.csv", "photo_pce10.csv", "shampoo_formulations_2023.csv"]
)
def test_templates_can_be_studied(name: str) -> None:
    path = {"paint": PAINT, "yarn": YARN}.get(name) or data(name)
    raw = read_table(path)
    text = render(raw, roles := guess_roles(raw))
    problem = Problem.from_dict(tomllib.loads(text))
    assert list(problem.properties) == roles.names("property")
    assert {wanted.goal for wanted in problem.properties.values()} == {"none"}
    assert len(make_trials(raw, problem).rows) > 0


def test_comments_hold_when_uncommented() -> None:
    raw = read_table(PAINT)
    text = render(raw, guess_roles(raw))
    lines = [line.removeprefix("# ") if line.startswith(EXAMPLES) else line for line in text.splitlines()]
    problem = Problem.from_dict(tomllib.loads("\n".join(lines)))
    assert problem.properties["hiding"].limits == (3.721, 32.862)
    assert problem.ingredients["TiO2"].upper == 0.45
    assert problem.constraints[0].name == "at most half"
    assert problem.trials.closure == "none"


EXAMPLES = tuple(
    f"# {start}"
    for start in (
        "lower =",
        "upper =",
        "cost =",
        "limits =",
        "[[con",
        "name =",
        "terms =",
        "closure",
        "[study]",
        "seed",
        "recipes",
    )
)
