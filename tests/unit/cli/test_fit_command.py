"""`landform fit`: from a table and a model in a file to parameters, a page and tables; errors in one line."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from scipy import stats

from landform.cli.main import run

MODEL = """
import jax.numpy as jnp

def line(x, p):
    return p["level"] + p["slope"] * x["time"]

def broken(x, p):
    return 1 / 0
"""
X = [0.0, 1, 2, 3, 5, 8]
Y = [1.1, 2.9, 5.2, 6.8, 11.1, 16.9]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    pd.DataFrame({"time": X, "found": Y, "who": list("abcdef")}).to_csv("data.csv", index=False)
    return tmp_path


def call(*more, model="model.py:line", target="found", starts=("level=0", "slope=1")):
    given = [part for start in starts for part in ("--start", start)]
    return run(["fit", "data.csv", "--model", model, "--target", target, *given, "--quiet", *more])


def test_a_straight_line_agrees_with_linregress(folder, capsys):
    assert call("--json") == 0
    found = json.loads(capsys.readouterr().out)["fit"]
    known = stats.linregress(X, Y)
    slope = next(row for row in found["parameters"] if row["parameter"] == "slope")
    assert slope["estimate"] == pytest.approx(known.slope, rel=1e-10)
    assert slope["standard error"] == pytest.approx(known.stderr, rel=1e-8)
    assert found["certified"] is True


def test_the_folder_holds_page_results_and_tables(folder, capsys):
    assert call("--out", "results") == 0
    assert "strict minimum" in capsys.readouterr().out
    names = {str(path.relative_to(folder / "results")) for path in (folder / "results").rglob("*") if path.is_file()}
    tables = {f"tables/{name}.csv" for name in ("parameters", "correlation", "combinations")}
    assert names == {"report.html", "results.json", *tables}
    assert list(pd.read_csv(folder / "results/tables/parameters.csv")["parameter"]) == ["level", "slope"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "nowhere.py:line"}, "name a file that is there"),
        ({"model": "model.py:lines"}, "got functions line, broken"),
        ({"model": "data.csv:line"}, "Python file"),
        ({"target": "lost"}, "a column 'lost', got columns time, found, who"),
        ({"target": "who"}, "data.csv, row 2, column who"),
        ({"starts": ("level=0",)}, "got 'slope'; add it with --start"),
        ({"starts": ("level",)}, "NAME=NUMBER"),
        ({"starts": ("level=0", "level=1")}, "given twice"),
    ],
)
def test_bad_input_ends_in_one_line(folder, capsys, options, words):
    assert call(**options) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "Traceback" not in said
