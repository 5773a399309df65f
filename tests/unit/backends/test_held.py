"""Columns held at a value: the model is one of the others, and equal to the estimator where they are so held."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)

from landform import from_sklearn, jacobian
from landform.errors import ModelError, ShapeError

RNG = np.random.default_rng(6)
N = 80
FRAME = pd.DataFrame(
    {
        "color": RNG.choice(["red", "green", "blue"], N),
        "weight": RNG.normal(size=N),
        "size": RNG.choice(["S", "M", "L"], N),
        "height": RNG.uniform(1, 2, N),
        "grade": RNG.integers(0, 4, N),
    }
)
y = (FRAME.color == "red") * 2.0 + FRAME.weight * (FRAME["size"] == "S") + FRAME.height**2 + FRAME.grade
ordinal = make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder())
curved = make_pipeline(StandardScaler(), PolynomialFeatures(2))
MIXED = make_column_transformer(
    (OneHotEncoder(), ["color"]), (ordinal, ["size"]), (curved, ["weight", "height"]), ("passthrough", ["grade"])
)
INSIDE = make_column_transformer(
    (make_column_transformer((OneHotEncoder(), ["color"]), remainder=StandardScaler()), ["height", "color", "weight"]),
    (TargetEncoder(), ["size"]),
)
PIPELINES = {
    "ridge": make_pipeline(MIXED, Ridge()),
    "process": make_pipeline(MIXED, GaussianProcessRegressor(RBF(2.0) + WhiteKernel(0.1), optimizer=None)),
    "columns within columns": make_pipeline(INSIDE, Ridge()),
    "a union": make_pipeline(make_union(MIXED, INSIDE), PolynomialFeatures(2), Ridge()),
    "dropped": make_pipeline(make_column_transformer((StandardScaler(), ["weight", "height"])), Ridge()),
}


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("held", [{"color": "red", "size": "M"}, {"color": "blue", "size": "S", "grade": 2}])
def test_values_and_slopes(name, held):
    fitted = PIPELINES[name].fit(FRAME, y)
    model = from_sklearn(fitted, FRAME, held=held)
    free = [column for column in FRAME if column not in held]
    assert model.inputs == tuple(free)
    row = FRAME.iloc[[7]].assign(**held)
    x = row[free].to_numpy(dtype=float)[0]
    np.testing.assert_allclose(model(x), fitted.predict(row), rtol=1e-10)
    slopes = jacobian(model, x).dense()[0]
    for k, column in enumerate(free):
        if column in ("weight", "height"):
            up, down = (row.assign(**{column: row[column] + h}) for h in (1e-5, -1e-5))
            np.testing.assert_allclose(slopes[k], (fitted.predict(up) - fitted.predict(down)) / 2e-5, atol=1e-6)


def test_numbers_may_be_held_in_plain_tables():
    X = FRAME[["weight", "height", "grade"]].to_numpy(dtype=float)
    model = from_sklearn(Ridge().fit(X, y), X, held={2: 3.0})
    assert model.inputs == ("0", "1")
    np.testing.assert_allclose(model(X[0, :2]), Ridge().fit(X, y).predict([[*X[0, :2], 3.0]]))


def test_bins_jump_and_say_so():
    binned = make_column_transformer(
        (KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), ["weight"]),
        (KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), ["height"]),
        (Binarizer(threshold=1.5), ["grade"]),
        (StandardScaler(), ["height"]),
    )
    columns = FRAME[["weight", "height", "grade"]]
    model = from_sklearn(make_pipeline(binned, Ridge()).fit(columns, y), columns)
    assert "jumps at their edges" in model.notes[0]
    slopes = jacobian(model, np.array([0.1, 1.6, 2.0])).dense()[0]
    assert slopes[0] == slopes[2] == 0.0 and slopes[1] != 0.0


FITTED = PIPELINES["ridge"].fit(FRAME, y)
passed_on = make_pipeline(
    make_column_transformer(("passthrough", ["weight", "color"])),
    FunctionTransformer(lambda table: np.asarray(table[:, :1], dtype=float)),
    Ridge(),
)
REFUSED = {
    "nothing held": (lambda: from_sklearn(FITTED, FRAME), ShapeError, "'.*' in column color; .*held={'color': ...}"),
    "another category": (
        lambda: from_sklearn(FITTED, FRAME, held={"color": "pink", "size": "M"}),
        ShapeError,
        "a value of color that occurs in X.*'red'.*got 'pink'",
    ),
    "no such column": (lambda: from_sklearn(FITTED, FRAME, held={"hue": 1}), ShapeError, "columns to hold among color"),
    "one held of two": (lambda: from_sklearn(FITTED, FRAME, held={"color": "red"}), ShapeError, "in column size"),
    "all held": (lambda: from_sklearn(FITTED, FRAME, held=dict(FRAME.iloc[0])), ShapeError, "a column that is free"),
    "other columns": (
        lambda: from_sklearn(FITTED, FRAME.drop(columns="grade"), held={"color": "red", "size": "M"}),
        ShapeError,
        "without grade",
    ),
    "handed on": (
        lambda: from_sklearn(
            passed_on.fit(FRAME, y), FRAME, held={"color": "red", "size": "M", "weight": FRAME.weight[0]}
        ),
        ModelError,
        "an encoder between what is held and the rest",
    ),
    "smoothed": (lambda: from_sklearn(FITTED, FRAME, held={"color": "red"}, smooth=1.0), ModelError, "held or smooth"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
