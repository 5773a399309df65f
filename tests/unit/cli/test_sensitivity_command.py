"""``landform sensitivity``: a model file and a table in; a report, or one line that says what was wrong."""

from __future__ import annotations

import json
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

from landform.cli.main import run
from landform.report import page, tables

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.uniform(1, 2, size=(30, 3)), columns=["a", "b (cm)", "c"])
Y = FRAME.to_numpy() @ [1.0, 2.0, -1.0] + 0.1 * RNG.normal(size=30)


@pytest.fixture
def folder(tmp_path):
    joblib.dump(LinearRegression().fit(FRAME, Y), tmp_path / "model.joblib")
    FRAME.assign(y=Y, note="x")[["c", "note", "y", "a", "b (cm)"]].to_csv(tmp_path / "data.csv", index=False)
    return tmp_path


def test_columns_are_matched_by_name_and_results_are_whole(folder, capsys):
    arguments = ["sensitivity", str(folder / "model.joblib"), str(folder / "data.csv"), "--target", "y", "--trust"]
    assert run([*arguments, "--out", str(folder / "out"), "--json"]) == 0
    said = capsys.readouterr()
    results = json.loads(said.out)
    assert "runs the code it holds" in said.err
    mean = {e["input"]: e["mean"] for e in results["effects"] if e["direction"] == "alone"}
    model = LinearRegression().fit(FRAME, Y)
    assert [mean[n]["value"] for n in FRAME] == pytest.approx(list(model.coef_))
    assert all(one["lower"] < one["value"] < one["upper"] for one in mean.values())
    assert results["source"]["rows"][0] == 2  # the header is row 1
    assert json.loads((folder / "out" / "results.json").read_text()) == results
    assert sorted(p.name for p in (folder / "out" / "tables").iterdir()) == [
        "effects.csv",
        "interactions.csv",
        "rows.csv",
    ]
    assert (folder / "out" / "report.html").read_text() == page(results)
    assert len(tables(results)["rows.csv"].splitlines()) == 1 + 30 * 3


def test_the_summary_is_in_words(folder, capsys):
    assert run(["sensitivity", str(folder / "model.joblib"), str(folder / "data.csv"), "--trust"]) == 0
    said = capsys.readouterr().out
    assert "y moves most with b (cm)" in said
    assert "standard errors: none" in said


def test_a_classifier_with_named_classes(tmp_path, capsys):
    skops = pytest.importorskip("skops.io", reason="skops is what is tried")
    iris = load_iris(as_frame=True)
    kinds = iris.target_names[iris.target]
    skops.dump(LogisticRegression(max_iter=1000).fit(iris.data, kinds), tmp_path / "iris.skops")
    iris.data.assign(kind=kinds).to_csv(tmp_path / "iris.csv", index=False)
    command = ["sensitivity", str(tmp_path / "iris.skops"), str(tmp_path / "iris.csv"), "--target", "kind", "--json"]
    assert run(command) == 0
    results = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in results["outputs"]] == ["setosa", "versicolor", "virginica"]
    assert results["doubt"].startswith("Laplace")
    assert 'id="findings"' in page(results)


def test_the_output_is_called_as_the_target_is(folder, capsys):
    FRAME.assign(gloss=Y).to_csv(folder / "gloss.csv", index=False)
    command = ["sensitivity", str(folder / "model.joblib"), str(folder / "gloss.csv"), "--trust", "--json"]
    assert run([*command, "--target", "gloss"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in results["outputs"]} == {one["output"] for one in results["effects"]} == {"gloss"}
    assert results["summary"]["sentences"][0].startswith("gloss moves most")


def spoil(folder, what):
    path = folder / "data.csv"
    frame = pd.read_csv(path)
    if what == "gap":
        frame.loc[3, "a"] = np.nan
    elif what == "text":
        frame["a"] = frame["a"].astype(object)
        frame.loc[3, "a"] = "high"
    elif what == "missing":
        frame = frame.drop(columns="b (cm)")
    frame.to_csv(path, index=False)


@pytest.mark.parametrize(
    ("what", "arguments", "words"),
    [
        ("gap", ["--trust"], "row 5, column a: expected a finite number, got an empty cell"),
        ("text", ["--trust"], "row 5, column a: expected a finite number, got 'high'"),
        ("missing", ["--trust"], "a table without b (cm)"),
        ("", [], "runs whatever code it holds"),
        ("", ["--trust", "--target", "nope"], "a column 'nope'"),
        ("", ["--trust", "--target", "c"], "standard errors away"),
        ("", ["--trust", "--mixture", "a,z"], "argument mixture"),
        ("", ["--trust", "--level", "95"], "--level"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, capsys, what, arguments, words):
    spoil(folder, what)
    assert run(["sensitivity", str(folder / "model.joblib"), str(folder / "data.csv"), *arguments]) == 2
    said = capsys.readouterr()
    error = [line for line in said.err.splitlines() if line.startswith("Error: ")]
    assert len(error) == 1
    assert words in error[0]
    assert said.out == ""


def test_model_files_that_cannot_serve(folder, capsys):
    data = str(folder / "data.csv")
    (folder / "broken.joblib").write_bytes(b"not a pickle")
    (folder / "broken.skops").write_bytes(b"not a zip")
    joblib.dump({"a": 1}, folder / "dict.joblib")
    old = LinearRegression().fit(FRAME, Y)
    state = pickle.dumps(old)
    import sklearn

    (folder / "old.pkl").write_bytes(state.replace(sklearn.__version__.encode(), b"1.0.0"[: len(sklearn.__version__)]))
    for name, words in [
        ("broken.joblib", "a model that joblib can load"),
        ("broken.skops", "skops"),
        ("dict.joblib", "a fitted scikit-learn estimator, got a dict"),
        ("gone.joblib", "no such file"),
        ("model.txt", "a .skops, .joblib or .pkl file"),
        ("old.pkl", "got one of 1.0.0"),
    ]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert run(["sensitivity", str(folder / name), data, "--trust"]) == 2
        assert words in capsys.readouterr().err.splitlines()[-1]
