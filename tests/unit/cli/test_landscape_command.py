"""`landform landscape`: from a loss in a file to a verdict, a page and tables; errors in one line."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from landform.cli.main import run

PROBLEM = """
import jax.numpy as jnp
import numpy as np

def saddle():
    return lambda p: p["x"] ** 2 - p["y"] ** 2 + p["y"] ** 4, {"x": np.array(0.0), "y": np.array(0.0)}

def line():
    X, y = np.arange(6.0)[:, None], 2 * np.arange(6.0)
    return lambda p, X, y: jnp.mean((X @ p - y) ** 2), np.array([2.0]), (X, y)

def nothing():
    return 3

def broken():
    return 1 / 0

def two_outputs():
    return lambda p: p, np.array([1.0, 2.0])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loss.py").write_text(PROBLEM)
    return tmp_path


def test_a_saddle_is_called_one(folder, capsys):
    assert run(["landscape", "loss.py:saddle", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["landscape"]
    assert found["verdict"][0]["place"] == "saddle"
    assert found["verdict"][0]["gain"] == pytest.approx(0.25, rel=1e-3)  # lowest at y² = 1/2
    assert found["largest_curvatures"][0]["eigenvalue"] == pytest.approx(2.0)
    assert found["stable_step"][0]["value"] == pytest.approx(1.0)


def test_the_folder_holds_page_results_and_tables(folder, capsys):
    assert run(["landscape", "loss.py:line", "--out", "results", "--learning-rate", "0.1", "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("This is a minimum.")
    names = {str(path.relative_to(folder / "results")) for path in (folder / "results").rglob("*") if path.is_file()}
    tables = {"verdict", "largest_curvatures", "stable_step", "layers", "density"}
    assert names == {"report.html", "results.json", *(f"tables/{name}.csv" for name in tables)}
    step = pd.read_csv(folder / "results/tables/stable_step.csv")
    curvature = 2 * 55 / 6  # of the mean of (x p − 2 x)², x = 0 … 5
    assert step["value"][0] == pytest.approx(2 / curvature)
    assert step["edge"][0] == pytest.approx(0.1 * curvature / 2)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("nowhere.py:saddle", "name a file that is there"),
        ("loss.py:hill", "got functions saddle, line"),
        ("loss.py:nothing", "got int; return it"),
        ("loss.py:broken", "ZeroDivisionError"),
        ("loss.py:two_outputs", "a loss with one output, got 2 outputs"),
        ("loss.py", "FILE.py:FUNCTION"),
    ],
)
def test_bad_input_ends_in_one_line(folder, capsys, problem, words):
    assert run(["landscape", problem, "--quiet"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "Traceback" not in said
