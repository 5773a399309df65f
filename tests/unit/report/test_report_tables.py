"""`tables/*.csv`: one row per number, every number of the results, readable by anyone."""

import csv
import io

import pandas as pd
import pytest

from landform.errors import OutputError
from landform.report import tables, write_tables
from unit.report.samples import HOSTILE, SAMPLES

NAMES = ["effects", "swaps", "recipes", "predictions", "candidates", "coefficients", "trials"]
ESTIMATE = ["value", "standard_error", "lower", "upper", "unit", "how"]


def rows(name, table):
    return list(csv.DictReader(io.StringIO(tables(SAMPLES[name]())[f"{table}.csv"])))


@pytest.mark.parametrize("name", SAMPLES)
def test_all_tables_are_there_and_rectangular(name):
    found = tables(SAMPLES[name]())
    assert list(found) == [f"{table}.csv" for table in NAMES]
    for text in found.values():
        widths = {len(row) for row in csv.reader(io.StringIO(text))}
        assert len(widths) == 1


@pytest.mark.parametrize("table", ["effects", "swaps", "predictions", "coefficients"])
def test_estimates_are_flattened(table):
    assert set(ESTIMATE) <= set(rows("paint", table)[0])


def test_effects_hold_every_digit():
    results, found = SAMPLES["paint"](), rows("paint", "effects")
    assert len(found) == len(results["effects"]) == 2 * 2 * 4
    for effect, row in zip(results["effects"], found, strict=True):
        assert float(row["value"]) == effect["estimate"]["value"]
        assert float(row["upper"]) == effect["estimate"]["upper"]
        assert row["sure"] == str(effect["sure"]).lower()


def test_one_row_per_number_of_a_trial():
    results, found = SAMPLES["process"](), rows("process", "trials")
    assert len(found) == 30 * (3 + 2)
    missing = [row for row in found if row["quantity"] == "property" and row["value"] == ""]
    assert [(row["row"], row["name"]) for row in missing] == [("6", "viscosity"), ("19", "viscosity")]
    assert all(row["held_out_predicted"] == "" for row in missing)
    measured = next(row for row in found if row["name"] == "strength")
    assert float(measured["held_out_predicted"]) == results["surrogates"][0]["held_out"][0]["predicted"]


def test_recipes_hold_amounts_with_units_and_scores():
    found = [row for row in rows("process", "recipes") if row["rank"] == "1"]
    assert [(row["quantity"], row["name"], row["unit"]) for row in found][:2] == [
        ("factor", "temperature", "°C"),
        ("factor", "time", "min"),
    ]
    assert "desirability" in [row["name"] for row in found if row["quantity"] == "recipe"]


def test_unknown_numbers_are_empty_cells():
    assert {row["standard_error"] for row in rows("pair", "effects")} == {""}


def test_no_recipes_gives_a_header_alone():
    assert rows("hostile", "recipes") == []
    assert tables(SAMPLES["hostile"]())["recipes.csv"].startswith("rank,kind,")


def test_names_survive():
    assert {row["input"] for row in rows("hostile", "effects")} == set(HOSTILE)


def test_pandas_reads_them(tmp_path):
    paths = write_tables(SAMPLES["paint"](), tmp_path / "deep" / "tables")
    assert [path.stem for path in paths] == NAMES
    frame = pd.read_csv(tmp_path / "deep" / "tables" / "swaps.csv")
    assert frame["value"].dtype == float
    assert frame["possible"].dtype == bool


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "tables").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="tables: expected a folder"):
        write_tables(SAMPLES["pair"](), tmp_path / "tables")
