"""One surrogate per property: missing cells, blocks, logarithms, and what is said of each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landform.errors import ProblemError
from landform.formulation import Study
from landform.formulation.problem import Problem
from landform.formulation.surrogates import fit_properties, held_out_groups
from landform.formulation.table import RawTable
from landform.formulation.trials import make_trials

RNG = np.random.default_rng(17)


def table(n=24):
    X = np.round(RNG.dirichlet(np.ones(3), n), 3)
    X[:, 2] = 1 - X[:, 0] - X[:, 1]
    gloss = 20 + 30 * X[:, 0] + 0.3 * RNG.standard_normal(n)
    noise = RNG.standard_normal(n)
    return pd.DataFrame(np.column_stack([X, gloss, noise]), columns=["a", "b", "c", "gloss [GU]", "noise"])


FRAME = table()


def trials_of(frame, properties, **options):
    problem = Problem.from_dict(
        {
            "total": 1.0,
            "ingredients": {n: {} for n in "abc"},
            "properties": properties,
            "trials": {"closure": "none", **options},
        }
    )
    return make_trials(RawTable.from_frame(frame), problem), problem


def fit(frame, properties, **options):
    trials, problem = trials_of(frame, properties, **options)
    return fit_properties(trials, problem, seed=0, progress=lambda _: None)


def test_a_trial_may_lack_a_property_and_serve_the_others():
    frame = FRAME.copy()
    frame.loc[[2, 5], "gloss [GU]"] = np.nan
    gloss, noise = fit(frame, {"gloss": {"model": "linear"}, "noise": {"model": "linear"}})
    assert len(gloss.places) == 22 and len(noise.places) == 24
    kept = FRAME.drop(index=[2, 5])
    A = kept[["a", "b", "c"]].to_numpy()
    b = np.linalg.lstsq(A, kept["gloss [GU]"], rcond=None)[0]
    np.testing.assert_allclose([v for _, v, _ in gloss.choice.surrogate.parameters], b, rtol=1e-9)
    assert {r["row"] for r in gloss.held_out()} == set(range(2, 26)) - {4, 7}


def test_what_nothing_predicts_is_said_to_be_so_and_not_optimized():
    problem = {
        "total": 1.0,
        "ingredients": {n: {} for n in "abc"},
        "properties": {"gloss": {"goal": "maximize", "model": "linear"}, "noise": {"goal": "maximize"}},
        "trials": {"closure": "none"},
        "study": {"recipes": 1},
    }
    found = Study.read(FRAME, problem).run()
    words = {s.to_dict()["property"]: s for s in found.surrogates}
    assert not words["noise"].predictable
    assert "Nothing predicts noise better than its mean" in words["noise"].words
    assert [g.name for g in found.goals] == ["gloss"]
    assert "noise" in found.not_optimized
    results = found.to_dict()
    assert any("noise is not optimized" in note["text"] for note in results["summary"]["notes"])
    assert {p["name"]: p["optimized"] for p in results["properties"]} == {"gloss": True, "noise": False}


def test_logarithms_are_fitted_and_brought_back():
    frame = FRAME.assign(visc=np.exp(1 + 2 * FRAME["b"] + 0.05 * RNG.standard_normal(24)))
    (fitted,) = fit(frame, {"visc": {"transform": "log", "model": "linear"}})
    assert fitted.scale_words == "log units"
    coefficients = [v for _, v, _ in fitted.choice.surrogate.parameters]
    np.testing.assert_allclose(coefficients, [1.0, 3.0, 1.0], atol=0.1)
    for row in fitted.held_out():
        assert 0 < row["lower"] < row["predicted"] < row["upper"]
        assert row["measured"] == pytest.approx(frame["visc"][row["row"] - 2])
    assert fitted.to_dict()["model_words"].endswith("of the logarithm")


def test_blocks_are_held_out_whole_where_there_are_five():
    many = FRAME.assign(day=[f"d{k % 6}" for k in range(24)])
    few = FRAME.assign(day=[f"d{k % 3}" for k in range(24)])
    groups = held_out_groups(trials_of(many, {"gloss": {}}, block="day")[0])
    assert len(np.unique(groups)) == 6
    assert all(len(set(groups[k::6])) == 1 for k in range(6))
    assert len(np.unique(held_out_groups(trials_of(few, {"gloss": {}}, block="day")[0]))) == 24


def test_replicates_across_blocks_tie_them():
    frame = pd.concat([FRAME, FRAME.iloc[:1]], ignore_index=True)
    frame["day"] = [f"d{k % 12 // 2}" for k in range(24)] + ["d5"]
    groups = held_out_groups(trials_of(frame, {"gloss": {}}, block="day")[0])
    assert groups[0] == groups[24] == groups[10]
    assert len(np.unique(groups)) == 5


def test_a_model_too_large_is_refused_by_its_key():
    with pytest.raises(ProblemError, match=r"<dict>, key properties\.gloss\.model.*24 trials|properties\.gloss\.model"):
        fit(FRAME.iloc[:6], {"gloss": {"model": "quadratic"}})


def test_the_table_of_candidates():
    (fitted,) = fit(FRAME, {"gloss": {}})
    frame = fitted.to_frame()
    assert frame["model"].tolist() == ["mean", "linear", "quadratic", "special cubic", "gaussian process"]
    assert frame["chosen"].sum() == 1
    assert frame.loc[frame["chosen"], "model"].item() == fitted.choice.chosen.kind
    scores = fitted.to_dict()["scores"]
    assert scores["r2"] == pytest.approx(1 - (scores["rmse"] / scores["mean_rmse"]) ** 2)
    assert "predicts held-out trials to" in fitted.words and "GU" in fitted.words
