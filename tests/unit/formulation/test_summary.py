"""The answer in words: what to make, how sure, what matters, what to be careful with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landform.findings import Estimate
from landform.formulation import Study
from landform.formulation.effects import Effect, Effects
from landform.formulation.summary import amount_words, matters
from unit.formulation.published import PAINT, YARN
from unit.formulation.published import paint as paint_trials


@pytest.fixture(scope="module")
def summary():
    return {p.parent.name: Study.read(p, p.with_name("problem.toml")).run().to_dict()["summary"] for p in (PAINT, YARN)}


def test_what_to_make(summary):
    assert summary["yarn"]["make"].startswith("Make polyethylene 0.294")
    assert "polypropylene 0.706" in summary["yarn"]["make"]


def test_how_sure(summary):
    """17.38 with the batch interval around it, the desirability and the certificate."""
    words = summary["yarn"]["sure"]
    assert "elongation 17.4" in words
    assert "0.965 of 1" in words
    assert "Certified" in words


def test_what_matters_is_sure_and_each_said_once(summary):
    for name, properties in (("paint", ("hiding", "scrub")), ("yarn", ("elongation",))):
        lines = summary[name]["matters"]
        assert 0 < len(lines) <= 6
        assert len(set(lines)) == len(lines)
        assert all(any(p in line for p in properties) for line in lines)


def effect(name, raised, value, *, sure=True, at="recipe"):
    half = abs(value) * (0.5 if sure else 2.0)
    estimate = Estimate(value, half / 2, value - half, value + half)
    return Effect(
        name, raised, "Cox", at, 0.01, "+1 point", estimate, value, {"TiO2": 0.6, "vehicle": 0.4}, (), True, True
    )


def test_six_things_matter_and_no_property_is_crowded_out():
    """Relative to their spreads all of hiding's effects exceed scrub's; two of scrub's stand there all the same."""
    inputs = ("TiO2", "vehicle", "extender A", "extender B")
    strong = [effect("hiding", name, 29.0 - k) for k, name in enumerate(inputs)]
    weak = [effect("scrub", name, 20.0 - k) for k, name in enumerate(inputs)]
    left_out = [effect("hiding", "TiO2", 900.0, sure=False), effect("hiding", "vehicle", 800.0, at="region")]
    found = matters(Effects((*left_out, *weak, *strong), ()), paint_trials(), ())
    assert [(e.name, e.input) for e in found] == [
        ("hiding", "TiO2"),
        ("hiding", "vehicle"),
        ("scrub", "TiO2"),
        ("scrub", "vehicle"),
        ("hiding", "extender A"),
        ("hiding", "extender B"),
    ]


def test_what_to_be_careful_with(summary):
    texts = [note["text"] for note in summary["paint"]["notes"]]
    assert any("4 rows miss the total by rounding" in t for t in texts)
    assert any("No recipe was repeated" in t for t in texts)
    assert not any("No recipe was repeated" in note["text"] for note in summary["yarn"]["notes"])


def test_columns_not_used_and_rows_left_out_are_told():
    frame = pd.read_csv(YARN).assign(operator="A", elongation2=np.arange(15.0))
    frame.loc[4, "elongation"] = np.nan
    problem = {
        "total": 1.0,
        "ingredients": {n: {} for n in frame.columns[:3]},
        "properties": {"elongation": {"goal": "maximize", "model": "linear"}},
        "study": {"recipes": 1},
    }
    texts = [n["text"] for n in Study.read(frame, problem).run().to_dict()["summary"]["notes"]]
    assert any(t == "Columns not used: operator, elongation2." for t in texts)
    assert any("1 row without any measurement left out" in t for t in texts)


@pytest.mark.parametrize(
    ("value", "unit", "total", "words"),
    [
        (0.30763, "", 1.0, "0.308"),
        (34.25, "%", 100.0, "34.2 %"),
        (171.234, "°C", None, "171.2 °C"),
        (0.0, "", 1.0, "0.000"),
    ],
)
def test_amounts(value, unit, total, words):
    assert amount_words(value, unit, total) == words
