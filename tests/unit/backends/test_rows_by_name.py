"""Rows of data frames at every door: columns and entries are taken by name, or refused in one sentence.

The source of every expected value is the estimator's own ``predict`` and its coefficients.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import landform
from landform.errors import LandformError, ModelError, ShapeError

RNG = np.random.default_rng(4)
X = pd.DataFrame(RNG.uniform(1, 3, size=(40, 3)), columns=["a", "b", "c"])
Y = X["a"] ** 2 * X["b"] - 3 * X["c"] + RNG.normal(0, 0.1, 40)
TURNED = X[["c", "a", "b"]]
CURVED = make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge(0.1)).fit(X, Y)
STRAIGHT = make_pipeline(StandardScaler(), Ridge(0.1)).fit(X, Y)


@pytest.fixture(scope="module")
def model():
    return landform.from_sklearn(CURVED, X)


@pytest.mark.parametrize("point", [X.iloc[3], TURNED.iloc[3], TURNED.iloc[3:4], pd.Series(X.to_numpy()[3])])
def test_a_row_of_a_table_is_a_point(model, point):
    assert model(point) == pytest.approx(CURVED.predict(X.iloc[3:4]), rel=1e-12)
    found = landform.jacobian(model, point).dense()
    assert found == pytest.approx(landform.jacobian(model, X.to_numpy()[3]).dense(), rel=1e-12)


def test_a_series_is_a_point_of_a_plain_function():
    assert landform.jacobian(lambda x: x**2, X.iloc[0]).dense() == pytest.approx(np.diag(2 * X.to_numpy()[0]))


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (np.zeros(5), r"a point of 3 numbers \(a, b, c\), got shape \(5,\)"),
        (X.iloc[:2], "one point, got 2 rows"),
        (pd.Series({"a": 1.0, "b": 1.0, "d": 1.0}), "got none for c"),
    ],
)
def test_what_is_no_point_is_refused(model, point, words):
    with pytest.raises(ShapeError, match=words):
        model(point)


def test_columns_named_twice_are_refused():
    twice = pd.concat([X, X[["b"]]], axis=1)
    for door in (landform.from_sklearn, landform.sensitivity):
        with pytest.raises(ShapeError, match="named once, got 'b' twice"):
            door(STRAIGHT, twice)


def test_shapley_values_take_tables_by_name(model):
    for one in (STRAIGHT, CURVED, model):
        expected = landform.shapley_values(one, X[:3], background=X).values
        assert landform.shapley_values(one, X[:3], background=TURNED).values == pytest.approx(expected, rel=1e-12)
    assert landform.shapley_values(model, TURNED[:3], background=X).values == pytest.approx(
        landform.shapley_values(model, X[:3], background=X).values, rel=1e-12
    )
    with pytest.raises(ShapeError, match="in their order"):
        landform.shapley_values(STRAIGHT, TURNED[:3], background=X)
    with pytest.raises(ShapeError, match=r"argument background: .* got none for b, c"):
        landform.shapley_values(STRAIGHT, X[:3], background=X[["a"]])


def test_sensitivity_of_a_model_takes_its_columns_by_name(model):
    found = landform.sensitivity(model, TURNED.assign(note="x")).to_frame()
    assert found["mean"].to_list() == landform.sensitivity(model, X).to_frame()["mean"].to_list()


def test_a_target_with_other_columns_than_the_model_has_outputs_is_refused():
    two = LinearRegression().fit(X, np.column_stack([Y, Y**2]))
    for estimator, y in ((two, Y), (STRAIGHT, np.column_stack([Y, Y]))):
        with pytest.raises(ShapeError, match="argument y: expected a target of"):
            landform.sensitivity(estimator, X, y=y)


@pytest.mark.parametrize("given", [lambda forest: forest, lambda forest: forest.predict])
def test_trees_are_refused_behind_steps_too_where_slopes_come_from_values(given):
    forest = make_pipeline(StandardScaler(), RandomForestRegressor(3, random_state=0)).fit(X, Y)
    with pytest.raises(ModelError, match=r"RandomForestRegressor, whose derivative is zero .* landform\.secant"):
        landform.sensitivity(given(forest), X, derivatives="numeric")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: landform.sensitivity(Ridge, X), "got the class Ridge"),
        (lambda: landform.sensitivity(STRAIGHT, X, bounds={"a": 2}), "a lower and an upper bound of a, got 2"),
        (lambda: landform.from_sklearn(STRAIGHT, X, smooth=1.0), "leave smooth= out"),
        (lambda: landform.active_subspace(STRAIGHT, X), "translate a fitted estimator with landform.from_sklearn"),
    ],
)
def test_one_short_sentence(call, words):
    with pytest.raises(LandformError, match=words) as refused:
        call()
    assert len(str(refused.value)) < 200


def test_one_name_needs_no_list():
    one, listed = (landform.sensitivity(STRAIGHT, X, log=log).to_frame() for log in ("a", ["a"]))
    assert one.equals(listed)


def test_only_trees_that_can_be_smoothed_are_told_to_be():
    for kind, told in ((RandomForestRegressor(3, random_state=0), True), (KNeighborsRegressor(), False)):
        with pytest.raises(ModelError, match=r"whose derivative is zero|which has none") as refused:
            landform.from_sklearn(kind.fit(X, Y), X)
        assert ("smooth=" in str(refused.value)) is told
