"""Smoothed trees: equal to a convolution that SciPy works out over the tree's own nodes, and to sampling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn import ensemble, tree
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVR

from landform import from_sklearn
from landform.derivatives import hessian, jacobian, verify
from landform.errors import ModelError, ShapeError
from richardson import gradient_and_hessian

FRAME, Y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
FRAME = FRAME[["age", "bmi", "bp", "s5"]]
X = FRAME.to_numpy()
WIDTH = 0.4 * X.std(axis=0)
FLOWERS, KINDS = load_iris(return_X_y=True)
SEED = {"random_state": 0}


def convolved(fitted, x, width):
    """A tree's mean over Gaussian noise, node by node: each split sends on what lies to its left and right."""

    def below(node, low, high):
        if fitted.children_left[node] < 0:
            mass = np.prod(norm.cdf(high, x, width) - norm.cdf(low, x, width))
            return mass * fitted.value[node, 0, 0]
        i, cut = fitted.feature[node], fitted.threshold[node]
        left, right = high.copy(), low.copy()
        left[i], right[i] = min(high[i], cut), max(low[i], cut)
        return below(fitted.children_left[node], low, left) + below(fitted.children_right[node], right, high)

    return below(0, np.full(len(x), -np.inf), np.full(len(x), np.inf))


def test_a_tree_is_its_convolution():
    fitted = tree.DecisionTreeRegressor(min_samples_leaf=5, **SEED).fit(X, Y)
    model = from_sklearn(fitted, X, smooth=WIDTH)
    for x in X[:3] + 0.1 * WIDTH:
        np.testing.assert_allclose(model(x), convolved(fitted.tree_, x, WIDTH), rtol=1e-12)


def test_a_step_has_the_slopes_of_the_normal_distribution():
    """One split at 0.5 from 0 to 1: value Φ(z), slope φ(z)/s, curve −z φ(z)/s² with z = (x − ½)/s."""
    line = np.array([[0.0], [1.0]])
    model = from_sklearn(tree.DecisionTreeRegressor().fit(line, [0.0, 1.0]), line, smooth=0.2)
    z = (0.63 - 0.5) / 0.2
    x = np.array([0.63])
    np.testing.assert_allclose(model(x), norm.cdf(z), rtol=1e-14)
    np.testing.assert_allclose(jacobian(model, x).dense(), [[norm.pdf(z) / 0.2]], rtol=1e-13)
    np.testing.assert_allclose(hessian(model, x).dense(), [[-z * norm.pdf(z) / 0.04]], rtol=1e-12)


REGRESSORS = {
    "tree": tree.ExtraTreeRegressor(**SEED),
    "forest": ensemble.RandomForestRegressor(10, **SEED),
    "extra trees": ensemble.ExtraTreesRegressor(10, **SEED),
    "boosting": ensemble.GradientBoostingRegressor(n_estimators=20, **SEED),
    "boosting from zero": ensemble.GradientBoostingRegressor(init="zero", n_estimators=20, **SEED),
    "histograms": ensemble.HistGradientBoostingRegressor(max_iter=20, **SEED),
    "bagging": ensemble.BaggingRegressor(n_estimators=5, max_features=2, **SEED),
    "scaled": make_pipeline(StandardScaler(), ensemble.RandomForestRegressor(5, **SEED)),
    "turned about": make_pipeline(MinMaxScaler((-3, 1)), RobustScaler(), ensemble.RandomForestRegressor(5, **SEED)),
    "columns": make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [2, 0]), ("b", "passthrough", [1, 2])]),
        ensemble.GradientBoostingRegressor(n_estimators=10, **SEED),
    ),
    "selected": make_pipeline(SelectKBest(f_regression, k=2), ensemble.RandomForestRegressor(5, **SEED)),
    "search": GridSearchCV(ensemble.RandomForestRegressor(5, **SEED), {"max_depth": [3, 4]}, cv=2),
    "voting": ensemble.VotingRegressor(
        [("f", ensemble.RandomForestRegressor(5, **SEED)), ("t", tree.DecisionTreeRegressor(**SEED))], weights=[3, 1]
    ),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_value_and_slopes_are_means_over_noise(name):
    """E f(x + sZ) by sampling, and s ∂E f = E Z f (Stein's identity); within five standard errors."""
    fitted = REGRESSORS[name].fit(X, Y)
    model = from_sklearn(fitted, X, smooth=WIDTH)
    assert "smoothed" in model.notes[0]
    Z = np.random.default_rng(1).normal(size=(40_000, 4))
    sampled = fitted.predict(X[7] + WIDTH * Z)
    assert abs(model(X[7])[0] - sampled.mean()) < 5 * sampled.std() / 200
    weighted = (sampled - sampled.mean())[:, None] * Z
    slopes = jacobian(model, X[7]).dense()[0] * WIDTH
    assert np.all(np.abs(slopes - weighted.mean(axis=0)) < 5 * weighted.std(axis=0) / 200)


@pytest.mark.parametrize("name", ["forest", "histograms", "columns"])
def test_derivatives_are_those_of_the_smoothed_value(name):
    model = from_sklearn(REGRESSORS[name].fit(X, Y), X, smooth=WIDTH)
    gradient, curves, _ = gradient_and_hessian(lambda P: model.values(P)[:, 0], X[3], 0.5 * WIDTH)
    np.testing.assert_allclose(model.jacobians(X[3:4])[0, 0] * WIDTH, gradient * WIDTH, rtol=1e-6, atol=1e-6)
    scale = np.outer(WIDTH, WIDTH)
    np.testing.assert_allclose(model.hessians(X[3:4])[0, 0] * scale, curves * scale, rtol=1e-5, atol=1e-5)
    verify(model, X[3]).require()


def test_a_small_width_gives_the_trees_back():
    fitted = ensemble.RandomForestRegressor(10, **SEED).fit(X + 0.5, Y)
    grid = np.floor(X) + 0.25  # splits of whole and half numbers lie elsewhere
    fitted = ensemble.RandomForestRegressor(10, **SEED).fit(np.floor(X), Y)
    model = from_sklearn(fitted, grid, smooth=1e-9)
    np.testing.assert_allclose(model.values(grid)[:, 0], fitted.predict(grid), rtol=1e-12)


CLASSIFIERS = {
    "tree": (tree.DecisionTreeClassifier(**SEED), "predict_proba"),
    "forest": (ensemble.RandomForestClassifier(5, **SEED), "predict_proba"),
    "bagging": (ensemble.BaggingClassifier(n_estimators=5, **SEED), "predict_proba"),
    "boosting": (ensemble.GradientBoostingClassifier(n_estimators=5, **SEED), "decision_function"),
    "histograms": (ensemble.HistGradientBoostingClassifier(max_iter=5, **SEED), "decision_function"),
    "votes": (ensemble.AdaBoostClassifier(n_estimators=5, **SEED), "decision_function"),
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name, classes):
    estimator, method = CLASSIFIERS[name]
    words = np.array(["setosa", "versicolor", "virginica"])[np.minimum(KINDS, classes - 1)]
    fitted = estimator.fit(FLOWERS, words)
    model = from_sklearn(fitted, FLOWERS, smooth=0.3, method=method)
    x = FLOWERS[70]
    sampled = getattr(fitted, method)(x + 0.3 * np.random.default_rng(2).normal(size=(20_000, 4))).reshape(20_000, -1)
    assert np.all(np.abs(model(x) - sampled.mean(axis=0)) < 5 * sampled.std(axis=0) / np.sqrt(20_000) + 1e-12)
    if hasattr(fitted, "predict_proba"):
        shares = from_sklearn(fitted, FLOWERS, smooth=0.3)
        assert shares.outputs == tuple(np.unique(words))
        np.testing.assert_allclose(shares(x).sum(), 1.0, rtol=1e-12)
        assert method == "predict_proba" or "comes after the smoothing" in shares.notes[0]


def test_exponential_loss_and_counts():
    chance = ensemble.GradientBoostingClassifier(loss="exponential", n_estimators=5, **SEED).fit(FLOWERS, KINDS > 0)
    assert from_sklearn(chance, FLOWERS, smooth=0.3)(FLOWERS[70])[1] > 0.5
    counts = ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=5, **SEED).fit(X, Y)
    assert from_sklearn(counts, X, smooth=WIDTH)(X[0])[0] > 0


def test_several_outputs():
    both = np.column_stack([Y, -2 * Y])
    for fitted in (
        ensemble.RandomForestRegressor(5, **SEED).fit(X, both),
        MultiOutputRegressor(ensemble.GradientBoostingRegressor(n_estimators=5, **SEED)).fit(X, both),
    ):
        one, other = from_sklearn(fitted, X, smooth=WIDTH)(X[0])
        np.testing.assert_allclose(other, -2 * one, rtol=1e-6)


def test_widths_by_name():
    fitted = ensemble.RandomForestRegressor(5, **SEED).fit(FRAME, Y)
    named = from_sklearn(fitted, FRAME, smooth=dict(zip(FRAME.columns[::-1], WIDTH[::-1], strict=True)))
    np.testing.assert_array_equal(named(X[0]), from_sklearn(fitted, FRAME, smooth=WIDTH)(X[0]))


def gappy():
    rows = X.copy()
    rows[::3, 1] = np.nan
    return ensemble.HistGradientBoostingRegressor(max_iter=5, **SEED).fit(rows, Y)


def test_trees_that_knew_gaps_are_smoothed_where_nothing_is_missing():
    assert np.isfinite(from_sklearn(gappy(), X, smooth=WIDTH)(X[0])).all()


FOREST = ensemble.RandomForestRegressor(3, **SEED).fit(FRAME, Y)
REFUSED = {
    "no width": (lambda: from_sklearn(FOREST, FRAME, smooth=0.0), ShapeError, "positive width.*got 0.0"),
    "NaN": (lambda: from_sklearn(FOREST, FRAME, smooth=np.nan), ShapeError, "positive width"),
    "too few": (lambda: from_sklearn(FOREST, FRAME, smooth=[1.0, 2.0]), ShapeError, "one for each of 4 inputs"),
    "a missing name": (lambda: from_sklearn(FOREST, FRAME, smooth={"age": 1.0}), ShapeError, "none for bmi, bp, s5"),
    "another name": (
        lambda: from_sklearn(FOREST, FRAME, smooth=dict.fromkeys([*FRAME.columns, "hue"], 1.0)),
        ShapeError,
        "one for hue",
    ),
    "categories": (
        lambda: from_sklearn(
            ensemble.HistGradientBoostingRegressor(categorical_features=[0], max_iter=2).fit(np.round(X) // 10, Y),
            np.round(X) // 10,
            smooth=1.0,
        ),
        ModelError,
        "splits between categories",
    ),
    "neighbors": (
        lambda: from_sklearn(KNeighborsRegressor().fit(X, Y), X, smooth=1.0),
        ModelError,
        "no closed form; take finite effects with landform.secant",
    ),
    "a median": (
        lambda: from_sklearn(ensemble.AdaBoostRegressor(n_estimators=2).fit(X, Y), X, smooth=1.0),
        ModelError,
        "AdaBoostRegressor, a median of trees",
    ),
    "no trees": (
        lambda: from_sklearn(SVR().fit(X, Y), X, smooth=1.0),
        ModelError,
        "a sum of scikit-learn's trees to smooth",
    ),
    "mixed inputs": (
        lambda: from_sklearn(make_pipeline(PCA(), FOREST.__class__(2)).fit(X, Y), X, smooth=1.0),
        ModelError,
        "PCA, which bends or mixes them",
    ),
    "labels": (
        lambda: from_sklearn(tree.DecisionTreeClassifier().fit(FLOWERS, KINDS), FLOWERS, smooth=1.0, method="predict"),
        ModelError,
        "labels are piecewise constant however wide",
    ),
    "a start of its own": (
        lambda: from_sklearn(ensemble.GradientBoostingRegressor(init=SVR()).fit(X, Y), X, smooth=1.0),
        ModelError,
        "starts from a constant, got init=SVR",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
