"""Shapley values of predictions against every subset tried by hand, through the estimator's own predict."""

from __future__ import annotations

from math import factorial

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVR

import landform
from landform.errors import ModelError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)) * [1.0, 2.0, 0.5, 1.0]
Y = np.stack([np.sin(X[:, 0]) * X[:, 1] + X[:, 2] ** 2, X[:, 3] * X[:, 0]], axis=1)
ROWS, BACKGROUND = X[:3], X[10:17]


def by_hand(predict, x, background):
    """The definition: weights |S|! (d − |S| − 1)! / d! over all subsets; shape (m, d)."""
    d = len(x)
    inside = [np.array([(code >> i) & 1 for i in range(d)], bool) for code in range(2**d)]
    worth = [predict(np.where(mask, x, background)).reshape(len(background), -1).mean(axis=0) for mask in inside]
    values = np.zeros((len(worth[0]), d))
    for i in range(d):
        for code in range(2**d):
            if not (code >> i) & 1:
                s = int(inside[code].sum())
                weight = factorial(s) * factorial(d - s - 1) / factorial(d)
                values[:, i] += weight * (worth[code | 1 << i] - worth[code])
    return values


def process(kernel, y=Y[:, 0], **more):
    return GaussianProcessRegressor(kernel, optimizer=None, alpha=1e-6, **more).fit(X, y)


EXACT = {
    "linear": LinearRegression().fit(X, Y),
    "ridge": Ridge().fit(X, Y[:, 0]),
    "one width": process(RBF(1.5) + WhiteKernel(0.1)),
    "a width each": process(ConstantKernel(2.0) * RBF([1.0, 2.0, 3.0, 0.7]) + WhiteKernel(0.1), normalize_y=True),
    "sum and product": process(0.3 * RBF(1.0) * RBF([2.0, 1.0, 1.0, 3.0]) + DotProduct(0.7) + 0.5 * RBF(4.0)),
    "two outputs": process(RBF(2.0) + WhiteKernel(0.1), y=Y, normalize_y=True),
    "narrow": process(RBF(0.01) + WhiteKernel(0.1)),
    "ridge, rbf": KernelRidge(kernel="rbf", gamma=0.3, alpha=0.1).fit(X, Y),
    "ridge, laplacian": KernelRidge(kernel="laplacian", alpha=0.1).fit(X, Y[:, 0]),
    "support vectors": SVR(C=10.0, epsilon=0.05).fit(X, Y[:, 0]),
    "support vectors, linear": SVR(kernel="linear").fit(X, Y[:, 0]),
    "scaled": make_pipeline(StandardScaler(), process(RBF(1.0) + WhiteKernel(0.1))).fit(X, Y[:, 0]),
}


@pytest.mark.parametrize("name", EXACT)
def test_closed_form_is_exact(name):
    model = EXACT[name]
    found = landform.shapley_values(model, ROWS, background=BACKGROUND)
    for x, values in zip(ROWS, found.values, strict=True):
        np.testing.assert_allclose(values, by_hand(model.predict, x, BACKGROUND), atol=1e-10)
    predicted = model.predict(ROWS).reshape(3, -1)
    np.testing.assert_allclose(found.values.sum(axis=2) + found.base, predicted, atol=1e-10)
    assert "closed form" in found.words


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(PolynomialFeatures(2), Ridge()).fit(X, Y[:, 0]),
        process(Matern(nu=2.5)),
        process(DotProduct(1.0) * RBF(1.0) + WhiteKernel(0.1)),
    ],
    ids=["polynomial", "Matérn", "dot product times another"],
)
def test_other_smooth_models_by_enumeration(model):
    found = landform.shapley_values(model, ROWS, background=BACKGROUND)
    for x, values in zip(ROWS, found.values, strict=True):
        np.testing.assert_allclose(values, by_hand(model.predict, x, BACKGROUND), atol=1e-9)
    assert "16 subsets" in found.words


def test_odd_and_even_numbers_of_inputs():
    """Gauss's rule needs (d + 1) // 2 nodes for degree d − 1."""
    for d in (1, 2, 3):
        model = GaussianProcessRegressor(RBF(1.0), optimizer=None, alpha=0.1).fit(X[:, :d], Y[:, 0])
        found = landform.shapley_values(model, ROWS[:, :d], background=BACKGROUND[:, :d])
        right = [by_hand(model.predict, x, BACKGROUND[:, :d]) for x in ROWS[:, :d]]
        np.testing.assert_allclose(found.values, right, atol=1e-12)


def test_standard_errors_come_from_the_background():
    """Of a linear model: coefficient times the background's spread over √b."""
    model = EXACT["ridge"]
    found = landform.shapley_values(model, ROWS, background=BACKGROUND)
    right = np.abs(model.coef_) * BACKGROUND.std(axis=0, ddof=1) / np.sqrt(len(BACKGROUND))
    np.testing.assert_allclose(found.standard_errors[0, 0], right)


def test_names_table_and_picture():
    frame = pd.DataFrame(X, columns=["flour", "water", "salt", "yeast"])
    found = landform.shapley_values(Ridge().fit(frame, Y[:, 0]), frame.head(2), background=frame)
    table = found.to_frame()
    assert list(table.columns) == ["row", "output", "input", "value", "standard error"] and len(table) == 8
    assert table["input"].tolist()[:4] == ["flour", "water", "salt", "yeast"]
    assert found.pictures()[0].labels


def test_bad_input():
    with pytest.raises(ShapeError, match="4 columns"):
        landform.shapley_values(EXACT["ridge"], ROWS, background=BACKGROUND[:, :3])
    with pytest.raises(ShapeError, match="row 1, column 2"):
        landform.shapley_values(EXACT["ridge"], np.where(np.arange(12).reshape(3, 4) == 6, np.nan, ROWS))
    with pytest.raises(ModelError):
        landform.shapley_values(RandomForestRegressor(5).fit(X, Y[:, 0]), ROWS)
    wide = RNG.normal(size=(20, 13))
    model = GaussianProcessRegressor(Matern(nu=2.5), optimizer=None).fit(wide, wide[:, 0])
    with pytest.raises(ModelError, match="Matern"):
        landform.shapley_values(model, wide[:2])
