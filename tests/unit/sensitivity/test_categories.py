"""Categories that the estimator encodes itself: levels by name, contrasts with their doubt.

Sources: the estimator's own ``predict`` with one level in place of another; least squares of statsmodels on dummies.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler

import landform
from landform.cli.main import run
from landform.errors import LandformError

RNG = np.random.default_rng(8)
X = pd.DataFrame(
    {
        "resin": RNG.choice(["alkyd", "epoxy", "vinyl"], 120, p=[0.5, 0.3, 0.2]),
        "heat": RNG.uniform(20, 60, 120),
        "plant": RNG.choice([2, 7], 120, p=[0.7, 0.3]),
        "time": RNG.uniform(1, 5, 120),
    }
)
Y = 0.1 * X["heat"] + X["resin"].map({"alkyd": 0.0, "epoxy": 2.0, "vinyl": -1.0}) * X["time"] + RNG.normal(0, 0.3, 120)
NAMES = ["resin", "plant"]


def columns(*, drop=None):
    codes = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(drop=drop))
    return make_column_transformer(
        (codes, ["resin"]), (OneHotEncoder(drop=drop), ["plant"]), (StandardScaler(), ["heat", "time"])
    )


def contrasts(found):
    frame = found.to_frame()
    return frame[frame["direction"] == "contrast"].set_index("input")


def difference(model, name, level, reference):
    return np.mean(model.predict(X.assign(**{name: level})) - model.predict(X.assign(**{name: reference})))


@pytest.mark.parametrize(
    "estimator",
    [
        Ridge(),
        make_pipeline(PolynomialFeatures(2), Ridge()),
        GaussianProcessRegressor(RBF(2.0) + WhiteKernel(0.1), optimizer=None, normalize_y=True),
    ],
)
def test_contrasts_are_differences_of_predictions(estimator):
    model = make_pipeline(columns(), estimator).fit(X, Y)
    found = contrasts(landform.sensitivity(model, X, y=Y, categories=NAMES))
    assert list(found.index) == ["resin: epoxy", "resin: vinyl", "plant: 7"]
    expected = [
        difference(model, *one) for one in (("resin", "epoxy", "alkyd"), ("resin", "vinyl", "alkyd"), ("plant", 7, 2))
    ]
    assert found["mean"].to_numpy() == pytest.approx(expected, rel=1e-9)
    assert (found["standard_error"] > 0).all()


def test_slopes_beside_categories_are_those_of_every_row_at_its_own_level():
    model = make_pipeline(columns(), PolynomialFeatures(2), Ridge()).fit(X, Y)
    found = landform.sensitivity(model, X, categories=NAMES).rows()
    slopes = found[(found["input"] == "time") & (found["direction"] == "alone")]["slope"].to_numpy()
    ahead, behind = (model.predict(X.assign(time=X["time"] + step)) for step in (1e-4, -1e-4))
    assert slopes == pytest.approx((ahead - behind) / 2e-4, rel=1e-6)  # a quadratic: exact but for rounding


def test_standard_errors_are_those_of_least_squares_on_dummies():
    api = pytest.importorskip("statsmodels.api", reason="statsmodels is what is compared with")
    dummies = pd.get_dummies(X, columns=NAMES, drop_first=True, dtype=float)
    theirs = api.OLS(Y, api.add_constant(dummies)).fit()
    model = make_pipeline(columns(drop="first"), LinearRegression()).fit(X, Y)
    ours = contrasts(landform.sensitivity(model, X, y=Y, categories=NAMES))
    for name, dummy in (("resin: epoxy", "resin_epoxy"), ("resin: vinyl", "resin_vinyl"), ("plant: 7", "plant_7")):
        assert ours.loc[name, "mean"] == pytest.approx(theirs.params[dummy], rel=1e-9)
        assert ours.loc[name, "standard_error"] == pytest.approx(theirs.bse[dummy], rel=1e-9)


def test_refits_agree_with_the_closed_form():
    model = make_pipeline(columns(), Ridge(0.1)).fit(X, Y)
    closed, refits = (
        contrasts(landform.sensitivity(model, X, y=Y, categories=NAMES, doubt=way, refits=60))["standard_error"]
        for way in ("closed", "refits")
    )
    assert refits.to_numpy() == pytest.approx(closed.to_numpy(), rel=0.5)  # 60 refits know a spread to 10 %


def test_several_categories_in_one_encoder_and_a_classifier():
    table = make_column_transformer((OrdinalEncoder(), NAMES), (StandardScaler(), ["heat", "time"]))
    model = make_pipeline(table, LogisticRegression()).fit(X, Y.gt(Y.mean()))
    found = contrasts(landform.sensitivity(model, X, categories=NAMES))
    chance = [model.predict_proba(X.assign(resin=level))[:, 1] for level in ("epoxy", "alkyd")]
    both = found[found["output"] == "True"]
    assert both.loc["resin: epoxy", "mean"] == pytest.approx(np.mean(chance[0] - chance[1]), rel=1e-9)


def test_numbers_in_an_encoder_are_levels_too():
    table = make_column_transformer((OneHotEncoder(), ["plant"]), (StandardScaler(), ["heat", "time"]))
    model = make_pipeline(table, Ridge()).fit(X[["heat", "plant", "time"]], Y)
    found = contrasts(landform.sensitivity(model, X[["heat", "plant", "time"]], categories=["plant"]))
    there, base = (model.predict(X[["heat", "plant", "time"]].assign(plant=level)) for level in (7, 2))
    assert found.loc["plant: 7", "mean"] == pytest.approx(np.mean(there - base), rel=1e-9)


@pytest.mark.parametrize(
    ("categories", "table", "words"),
    [
        ((), X, "text in column resin; name it in categories="),
        (["resin"], X, "name every column that it encodes in categories="),
        (NAMES, X.assign(resin=X["resin"].mask(X.index == 4)), "got none in row 4, column resin"),
        (NAMES, X.drop(columns="time"), "got without time"),
        (NAMES, X.assign(heat=X["heat"].mask(X.index == 4)), "nan in row 4, column heat"),
    ],
)
def test_one_clear_sentence(categories, table, words):
    model = make_pipeline(columns(), Ridge()).fit(X, Y)
    with pytest.raises(LandformError, match=words):
        landform.sensitivity(model, table, categories=categories)


@pytest.mark.parametrize(
    "ask", [landform.distill, landform.shapley_values, lambda m, X: landform.secant(m, X, step=1.0)]
)
def test_methods_that_compare_no_levels_say_what_serves(ask):
    model = make_pipeline(columns(), Ridge()).fit(X, Y)
    with pytest.raises(LandformError, match="text in column resin; pass the other columns and a function"):
        ask(model, X)


def test_the_command_compares_levels(tmp_path, capsys):
    joblib = pytest.importorskip("joblib")
    model = make_pipeline(columns(), Ridge()).fit(X, Y)
    joblib.dump(model, tmp_path / "m.joblib")
    X.assign(y=Y).to_csv(tmp_path / "d.csv", index=False)
    command = ["sensitivity", str(tmp_path / "m.joblib"), str(tmp_path / "d.csv"), "--trust", "--target", "y"]
    assert run(command) == 2
    assert "compare levels with --categories resin" in capsys.readouterr().err
    assert run([*command, "--categories", "resin,plant", "--out", str(tmp_path / "out")]) == 0
    assert "resin: vinyl" in capsys.readouterr().out
    assert "epoxy" in (tmp_path / "out" / "report.html").read_text()
    inputs = {one["name"]: one for one in json.loads((tmp_path / "out" / "results.json").read_text())["inputs"]}
    assert inputs["resin"]["levels"] == X["resin"].value_counts().to_dict() and "levels" not in inputs["heat"]
    assert inputs["plant"]["levels"] == {f"{k:g}": v for k, v in X["plant"].value_counts().items()}
