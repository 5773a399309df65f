"""The check at wrap time: a translation that is off by a part in 10¹¹ is refused in any unit, rounding is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import Birch
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVR

from landform import from_sklearn
from landform.backends import register_translation
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 3))
Y = np.column_stack([X @ [1.0, 2.0, -1.0], X @ [0.0, 1.0, 3.0] + X[:, 0] ** 2])


class Planted(RegressorMixin, BaseEstimator):
    """Least squares whose registered translation is wrong by the part ``off`` in its last output."""

    def __init__(self, off=0.0, units=(1.0, 1.0), shift=0.0):
        self.off, self.units, self.shift = off, units, shift

    def fit(self, X, Y):
        self.line_ = LinearRegression().fit(X, Y)
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return self.line_.predict(X) * np.asarray(self.units) + self.shift


@register_translation(Planted)
def _translate(estimator):
    units = np.asarray(estimator.units) * np.array([1.0, 1.0 + estimator.off])
    weights = units[:, None] * estimator.line_.coef_
    shift = units * estimator.line_.intercept_ + estimator.shift
    return Translation(lambda x: weights @ x + shift, ())


@pytest.mark.parametrize("units", [(1.0, 1.0), (1.0, 1e-15), (1e12, 1e-6), (1e-30, 1e-40)])
def test_an_error_of_a_part_in_ten_to_the_eleventh_is_found_in_any_units(units):
    assert from_sklearn(Planted(0.0, units).fit(X, Y), X).outputs == ("y0", "y1")
    with pytest.raises(ModelError, match=r"Planted equal to it on every row.* in row \d+, output 1"):
        from_sklearn(Planted(1e-11, units).fit(X, Y), X)


def test_what_a_large_shift_leaves_of_the_digits():
    """Values near 10⁹ keep nothing below 10⁻⁷: an error there cannot be told, one of 10⁻⁴ of the spread is."""
    assert from_sklearn(Planted(0.0, shift=1e9).fit(X, Y), X)(X[0]).shape == (2,)
    with pytest.raises(ModelError, match="equal to it on every row"):
        from_sklearn(Planted(1e-4, shift=1e9).fit(X, Y), X)


def test_one_row_and_no_spread():
    from_sklearn(Planted().fit(X, Y), X[:1])
    with pytest.raises(ModelError, match="equal to it"):
        from_sklearn(Planted(1e-11).fit(X, Y), X[:1])


def test_rounding_of_the_estimator_itself_is_measured_and_said():
    """Near interpolation dual weights of 10⁸ cancel: the estimator's own values move by as much when rows do."""
    grid = np.linspace(0, 1, 30)[:, None]
    stiff = GaussianProcessRegressor(RBF(1.0), alpha=1e-10, optimizer=None).fit(grid, np.sin(9 * grid[:, 0]))
    assert np.abs(stiff.alpha_).max() > 1e6
    model = from_sklearn(stiff, grid)
    assert "badly conditioned: the estimator's own values are rounding noise below" in model.notes[-1]
    easy = GaussianProcessRegressor(RBF(0.1), alpha=1e-2, optimizer=None).fit(grid, np.sin(9 * grid[:, 0]))
    assert from_sklearn(easy, grid).notes == ()


def test_outputs_that_are_nothing_but_rounding():
    """A direction without variance, and classes told apart to the last digit."""
    flat = np.column_stack([X[:, 0], 3.3 * X[:, 0] + 1.1, X[:, 2]])
    assert len(from_sklearn(PCA(3).fit(flat), flat).outputs) == 3
    far = LogisticRegression(C=1e6, max_iter=10_000).fit(X, X[:, 0] > 0)
    assert from_sklearn(far, 50 * X[:2]).outputs == ("False", "True")
    constant = np.column_stack([X[:, 0], np.full(40, 4.1), X[:, 2]])
    from_sklearn(make_pipeline(StandardScaler(), SVR()).fit(constant, Y[:, 0]), constant)


def test_distances_that_scikit_learn_loses_half_the_digits_of():
    """Squares are expanded: a row at a center is told to lie 10⁻⁸ away from it."""
    alone = Birch(threshold=0.1, n_clusters=None).fit(X)
    assert np.max(np.min(alone.transform(X), axis=1)) > 1e-9
    assert from_sklearn(alone, X).values(X).min() == 0.0


def test_rows_beside_columns_that_are_held():
    frame = pd.DataFrame({"a": X[:, 0], "kind": np.where(X[:, 1] > 0, "up", "down"), "b": X[:, 2]})
    stiff = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough"),
        GaussianProcessRegressor(RBF(3.0), alpha=1e-10, optimizer=None),
    ).fit(frame, Y[:, 0])
    model = from_sklearn(stiff, frame, held={"kind": "up"})
    assert model.inputs == ("a", "b") and "badly conditioned" in model.notes[-1]
