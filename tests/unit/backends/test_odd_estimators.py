"""Odd but rightful use of `from_sklearn`, and attributes that do not read: true slopes or one clear sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, PowerTransformer, RobustScaler, StandardScaler
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier

from landform import from_sklearn, jacobian
from landform.errors import DerivativeError, ModelError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
y = X @ [1, 2, -1.0] + np.sin(X[:, 0])
FRAME = pd.DataFrame(X, columns=["p", "q", "r"])
WORDS = np.where(y > 0, "yes", "no")
THREE = np.array(["a", "b", "c"])[np.digitize(y, [-0.5, 0.5])]
FLAT = np.column_stack([X[:, 0], np.full(40, 4.0), X[:, 2]])
GP = GaussianProcessRegressor(RBF() + WhiteKernel(0.1), optimizer=None, normalize_y=True)
CASES = {
    "whole numbers": (make_pipeline(PolynomialFeatures(2), Ridge()), RNG.integers(0, 9, (40, 3)), y),
    "truth values": (LogisticRegression(), RNG.integers(0, 2, (40, 3)).astype(bool), WORDS),
    "objects": (Ridge(), X.astype(object), y),
    "nullable columns": (Ridge(), FRAME.convert_dtypes(), y),
    "a constant column": (make_pipeline(StandardScaler(), SVR()), FLAT, y),
    "a constant column to a power": (make_pipeline(PowerTransformer(), Ridge()), FLAT, y),
    "a constant column in ranges": (make_pipeline(RobustScaler(), MinMaxScaler(), Ridge()), FLAT, y),
    "one training row": (KernelRidge(kernel="rbf"), X[:1], y[:1]),
    "constant values": (GP, X, np.ones(40)),
    "one output as a table": (GP, X, y[:, None]),
    "one transformed output as a table": (
        TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
        X,
        y[:, None],
    ),
    "several labels of words": (MultiOutputClassifier(LogisticRegression()), X, np.column_stack([WORDS, THREE])),
    "a dropped member": (VotingRegressor([("r", Ridge()), ("s", "drop")]), X, y),
    "frames between the steps": (
        make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge()).set_output(transform="pandas"),
        FRAME,
        y,
    ),
    "columns by kind": (
        make_pipeline(make_column_transformer((StandardScaler(), make_column_selector(dtype_include=float))), SVR()),
        FRAME,
        y,
    ),
    "columns by slice and mask": (
        make_pipeline(
            make_column_transformer((StandardScaler(), slice(0, 2)), (MinMaxScaler(), [True, False, True])), SVR()
        ),
        X,
        y,
    ),
    "unions within pipelines": (
        make_pipeline(make_pipeline(StandardScaler(), make_union(PCA(1), "passthrough")), Ridge()),
        FRAME,
        y,
    ),
    "no hidden layer": (MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", max_iter=2000, random_state=0), X, y),
    "far from the origin": (make_pipeline(StandardScaler(), SVR()), X * 1e3 + 1e6, y),
    "numbered columns": (Ridge(), pd.DataFrame(X), y),
}


@pytest.mark.parametrize("name", CASES)
def test_odd_use(name):
    """Slopes against central differences of the estimator's own method, in units of each input's spread."""
    estimator, rows, values = CASES[name]
    fitted = clone(estimator).fit(rows, values)
    model = from_sklearn(fitted, rows)
    points = np.asarray(rows, dtype=np.float64)
    spread = np.where(points.std(axis=0) > 0, points.std(axis=0), 1.0)
    x = points[0] + 0.013 * spread * (points.std(axis=0) > 0)
    method = "predict_proba" if hasattr(fitted, "predict_proba") else "predict"
    names = getattr(fitted, "feature_names_in_", None)

    def own(z):
        table = z[None] if names is None else pd.DataFrame(z[None], columns=names)
        found = getattr(fitted, method)(table)
        return np.concatenate([np.ravel(part) for part in found]) if isinstance(found, list) else np.ravel(found)

    J = model.jacobians(x[None])[0]
    np.testing.assert_allclose(model(x), own(x), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(jacobian(model, x).dense(), J, rtol=1e-9, atol=1e-12)
    steps = 1e-5 * np.diag(spread)
    moves = [k for k in range(3) if points[:, k].std() > 0 or len(points) == 1]
    for k in moves:
        difference = (own(x + steps[k]) - own(x - steps[k])) / 2e-5
        np.testing.assert_allclose(J[:, k] * spread[k], difference, atol=2e-6 * max(1.0, np.abs(difference).max()))


def test_weights_of_rows():
    weights = RNG.uniform(size=40)
    model = from_sklearn(Ridge().fit(X, y, sample_weight=weights), X)
    np.testing.assert_allclose(model.jacobians(X[:1])[0, 0], Ridge().fit(X, y, sample_weight=weights).coef_)


@pytest.mark.parametrize(
    "estimator", [GP, Ridge(), make_pipeline(MinMaxScaler(), SVR())], ids=["process", "line", "pipe"]
)
def test_fits_in_single_precision_are_told(estimator):
    fitted = clone(estimator).fit(X.astype(np.float32), y.astype(np.float32))
    model = from_sklearn(fitted, X.astype(np.float32))
    np.testing.assert_allclose(model(X[0]), fitted.predict(X[:1]), rtol=1e-5)
    assert "single precision" in model.notes[-1]


def test_a_fit_of_another_version_is_refused_in_one_sentence():
    stale = Ridge().fit(X, y)
    del stale.intercept_
    with pytest.raises(ModelError, match=r"attributes of one fitted by scikit-learn .*AttributeError.*fit it anew"):
        from_sklearn(stale, X)
    other = PoissonRegressor().fit(X, np.exp(y / 4))
    del other._base_loss
    with pytest.raises(ModelError, match="fit it anew, or load it with the version that saved it"):
        from_sklearn(other, X)


def test_methods_that_an_estimator_lacks():
    with pytest.raises(ModelError, match="method predict_proba of DecisionTreeClassifier, got 'decision_function'"):
        from_sklearn(DecisionTreeClassifier().fit(X, WORDS), X, smooth=0.1, method="decision_function")


def test_rows_that_are_no_rows():
    fitted = LinearRegression().fit(X, y)
    for rows in (np.empty((0, 3)), [], None, "table.csv", X[None]):
        with pytest.raises(ShapeError, match="argument X"):
            from_sklearn(fitted, rows)


@pytest.mark.parametrize("kind", [LabelPropagation, LabelSpreading])
def test_too_far_from_all_labels_is_no_number_and_blamed(kind):
    """scikit-learn divides by a sum that has fallen to zero."""
    estimator = kind(gamma=20.0).fit(X, np.where(np.arange(40) % 3, THREE == "a", -1))
    model, far = from_sklearn(estimator, X), X[:1] + 50.0
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(model.values(far), estimator.predict_proba(far))
    assert np.isnan(model.values(far)).all() and np.isnan(model.jacobians(far)).all()
    with pytest.raises(DerivativeError, match="finite value at the point, got nan"):
        jacobian(model, far[0]).dense()
    with pytest.raises(ModelError, match=r"predict_proba at every row, got nan in row 40, output 0.*no answer there"):
        from_sklearn(estimator, np.vstack([X, far]))


def test_classes_all_ruled_out_stay_at_zero():
    """One against the rest leaves rows of zeros as they are, where other classifiers share alike."""
    estimator = OneVsRestClassifier(LogisticRegression()).fit(X, THREE)
    for one in estimator.estimators_:
        one.intercept_ = one.intercept_ - 1000.0
    np.testing.assert_array_equal(estimator.predict_proba(X), np.zeros((40, 3)))
    np.testing.assert_array_equal(from_sklearn(estimator, X).values(X), np.zeros((40, 3)))
