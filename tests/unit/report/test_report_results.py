"""`results.json`: what the schema allows, nothing that is not a number, and not a word changed on the way."""

import copy
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from landform.errors import OutputError
from landform.report import dumps, write_results
from unit.report.samples import SAMPLES

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "results.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_schema_is_a_schema():
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_follows_the_schema(name):
    VALIDATOR.validate(json.loads(dumps(SAMPLES[name]())))


def objects(schema):
    """Every object of the schema that lists its keys."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def test_schema_is_strict():
    found = list(objects(SCHEMA))
    assert len(found) > 25
    for one in found:
        assert one["additionalProperties"] is False
        assert set(one["required"]) == set(one["properties"])


@pytest.mark.parametrize(
    "plant",
    [
        lambda r: r.update(extra=1),
        lambda r: r["recipes"][0].update(chance=1.5),
        lambda r: r["recipes"][0]["certificate"].pop("nature"),
        lambda r: r["effects"][0]["estimate"].update(value=None),
        lambda r: r["inputs"][0].update(kind="solvent"),
        lambda r: r["pictures"]["ternary"]["points"][0].append(0.0),
    ],
)
def test_schema_sees_a_planted_fault(plant):
    results = copy.deepcopy(SAMPLES["paint"]())
    plant(results)
    assert not VALIDATOR.is_valid(results)


@pytest.mark.parametrize("name", SAMPLES)
def test_written_and_read_again_is_the_same(name, tmp_path):
    write_results(SAMPLES[name](), tmp_path / "results.json")
    text = (tmp_path / "results.json").read_text(encoding="utf-8")
    assert json.loads(text) == SAMPLES[name]()
    assert list(json.loads(text)) == list(SAMPLES[name]())


def test_characters_stay_as_they_are():
    assert "漢字" in dumps(SAMPLES["hostile"]())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_a_number_that_is_none_is_refused_by_place(value, tmp_path):
    results = copy.deepcopy(SAMPLES["paint"]())
    results["recipes"][1]["properties"][0]["mean"]["lower"] = value
    with pytest.raises(OutputError, match=r"recipes\[1\]\.properties\[0\]\.mean\.lower: expected a finite number"):
        write_results(results, tmp_path / "results.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.int64(3), np.zeros(2), {1, 2}, object()])
def test_what_json_does_not_know_is_refused(value):
    with pytest.raises(OutputError, match=r"table\.rows: expected plain JSON"):
        dumps({"table": {"rows": value}})


def test_keys_are_text():
    with pytest.raises(OutputError, match=r"methods\[3\]"):
        dumps({"methods": {3: "words"}})
