"""`tune` for scikit-learn estimators: scikit-learn's own scores at the answer and beside it, its own GP, refusals."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import linear_model as lm
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

import landform
from landform.errors import ModelError, ShapeError, TableError

DIABETES = load_diabetes(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
X, Y = DIABETES[0][:120], DIABETES[1][:120]
TIGHT = {"tol": 1e-10, "max_iter": 2000}


def counts():
    """Numbers of events: some are zero."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 4))
    return X, rng.poisson(np.exp(0.3 + X @ np.array([0.5, -0.5, 0.0, 0.0]))).astype(float)


CASES = {
    "ridge": (lm.Ridge(), "alpha", (1e-4, 1e3), DIABETES, "neg_mean_squared_error", 1e-10),
    "ridge without intercept": (
        lm.Ridge(fit_intercept=False),
        "alpha",
        (1e-4, 1e3),
        DIABETES,
        "neg_mean_squared_error",
        1e-10,
    ),
    "logistic in a pipeline": (
        make_pipeline(StandardScaler(), lm.LogisticRegression(solver="newton-cholesky", **TIGHT)),
        "C",
        (1e-4, 1e3),
        CANCER,
        "neg_log_loss",
        1e-8,
    ),
    "balanced classes": (
        make_pipeline(
            StandardScaler(), lm.LogisticRegression(solver="newton-cholesky", class_weight="balanced", **TIGHT)
        ),
        "logisticregression__C",
        (1e-4, 1e3),
        CANCER,
        "neg_log_loss",
        1e-8,
    ),
    "poisson": (
        lm.PoissonRegressor(solver="newton-cholesky", **TIGHT),
        "alpha",
        (1e-4, 1e2),
        counts(),
        "neg_mean_poisson_deviance",
        1e-8,
    ),
    "gamma": (
        make_pipeline(StandardScaler(), lm.GammaRegressor(solver="newton-cholesky", **TIGHT)),
        "alpha",
        (1e-4, 1e2),
        (X, Y),
        "neg_mean_gamma_deviance",
        1e-8,
    ),
    "kernel ridge": (
        KernelRidge(kernel="rbf", gamma=3.0),
        "alpha",
        (1e-3, 1e1),
        (X, Y),
        "neg_mean_squared_error",
        1e-8,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_scikit_learn_finds_the_same_loss_there_and_none_lower_beside(case):
    """`cross_val_score` is the judge: it fits and scores by itself."""
    estimator, name, bounds, (X, y), scoring, rtol = CASES[case]
    tuned = landform.tune(estimator, X, y, over={name: bounds}, cv=4, starts=1)
    assert tuned.certified
    plain = name.rpartition("__")[2]
    best = float(tuned.x[plain])
    whole = name if name in estimator.get_params() else f"{estimator.steps[-1][0]}__{name}"

    def loss(value):
        tried = tuned.estimator.set_params(**{whole: value})
        folds = StratifiedKFold(4) if "log" in scoring else KFold(4)
        return -cross_val_score(tried, X, y, cv=folds, scoring=scoring).mean()

    assert loss(best) == pytest.approx(tuned.value, rel=rtol)
    slack = rtol * tuned.value
    for factor in (0.9, 1.1):
        assert loss(np.clip(best * factor, *bounds)) >= tuned.value - slack
    assert "fold error" in tuned.table().columns
    assert tuned.estimator.fit(X, y).get_params()[whole] is not None


def test_tweedie_is_judged_by_its_deviance():
    """`sklearn.metrics.mean_tweedie_deviance`."""
    from sklearn.metrics import mean_tweedie_deviance

    X, y = counts()
    model = lm.TweedieRegressor(power=1.5, solver="newton-cholesky", **TIGHT)
    tuned = landform.tune(model, X[:100], y[:100], over={"alpha": (1e-4, 1e2)}, validation=(X[100:], y[100:]), starts=1)
    model = lm.TweedieRegressor(power=1.5, alpha=float(tuned.x["alpha"]), solver="newton-cholesky", **TIGHT)
    predicted = model.fit(X[:100], y[:100]).predict(X[100:])
    assert mean_tweedie_deviance(y[100:], predicted, power=1.5) == pytest.approx(tuned.value, rel=1e-8)


def test_many_classes_and_a_grid_that_cannot_do_better():
    """Digits, multinomial: nothing on a fine grid of scikit-learn's own is lower."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:400, 10:40] / 16, y[:400]
    model = lm.LogisticRegression(solver="newton-cg", tol=1e-10, max_iter=2000)
    tuned = landform.tune(model, X, y, over={"C": (1e-2, 1e3)}, cv=3, starts=1)
    grid = GridSearchCV(model, {"C": np.logspace(-2, 3, 11)}, cv=3, scoring="neg_log_loss").fit(X, y)
    assert tuned.certified
    assert tuned.value < -grid.best_score_
    at = cross_val_score(tuned.estimator, X, y, cv=3, scoring="neg_log_loss")
    assert -at.mean() == pytest.approx(tuned.value, rel=1e-7)
    assert tuned.solves <= 3 * 8


def test_a_gaussian_process_by_its_marginal_likelihood_as_scikit_learn_has_it():
    kernel = kernels.ConstantKernel(1.0) * kernels.RBF([1.0, 1.0]) + kernels.WhiteKernel(1.0)
    Z = StandardScaler().fit_transform(X[:60, [2, 3]])
    model = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=3, random_state=0)
    tuned = landform.tune(model, Z, Y[:60], starts=2)
    theirs = -model.fit(Z, Y[:60]).log_marginal_likelihood_value_
    assert tuned.value <= theirs + 1e-6
    assert tuned.value == pytest.approx(-tuned.estimator.log_marginal_likelihood_value_, rel=1e-10)
    assert tuned.hyper.names[0] == "k1__k1__constant_value"
    check = tuned.gradient_check(at={n: np.ones_like(v) for n, v in tuned.x.items()})
    np.testing.assert_allclose(check["hypergradient"], check["differences"], rtol=1e-5, atol=1e-7)


def test_a_gaussian_process_by_rows_held_out():
    """The mean squared error of scikit-learn's process with these settings."""
    kernel = kernels.RBF(1.0) + kernels.WhiteKernel(0.5, noise_level_bounds="fixed")
    Z = StandardScaler().fit_transform(X[:, [2, 3]])
    model = GaussianProcessRegressor(kernel, normalize_y=True, optimizer=None)
    tuned = landform.tune(model, Z[:80], Y[:80], over={"k1__length_scale": (0.1, 50)}, validation=(Z[80:], Y[80:]))
    error = np.mean((tuned.estimator.predict(Z[80:]) - Y[80:]) ** 2)
    assert tuned.certified
    assert tuned.value == pytest.approx(error, rel=1e-9)


def test_two_settings_of_kernel_ridge_and_a_loss_of_ones_own():
    def absolute(y, predicted):
        return jnp.mean(jnp.sqrt(1.0 + (y - predicted) ** 2))

    over = {"alpha": (1e-3, 1e1), "gamma": (1e-1, 1e2)}
    split = (X[:80], Y[:80]), (X[80:], Y[80:])
    tuned = landform.tune(KernelRidge(kernel="rbf"), *split[0], over=over, validation=split[1], loss=absolute, starts=2)
    off = tuned.estimator.predict(X[80:]) - Y[80:]
    assert tuned.value == pytest.approx(np.mean(np.sqrt(1 + off**2)), rel=1e-7)
    check = tuned.gradient_check(at={"alpha": 0.1, "gamma": 2.0})
    np.testing.assert_allclose(check["hypergradient"], check["differences"], rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lm.Lasso(), "Lasso: its fit moves in jumps"),
        (SVR(), "SVR: its fit moves in jumps"),
        (RandomForestRegressor(), "RandomForestRegressor: its settings are counts"),
        (MLPRegressor(), "MLPRegressor: its training stops short"),
        (lm.RidgeCV(), "RidgeCV: it tunes itself"),
        (lm.LinearRegression(), "LinearRegression: it has no setting"),
        (StandardScaler(), "StandardScaler: it is not translated"),
        (lm.Ridge(positive=True), r"Ridge\(positive=True\)"),
    ],
)
def test_what_is_not_smooth_is_refused_by_name(model, words):
    with pytest.raises(ModelError, match=words):
        landform.tune(model, X, Y, over={"alpha": (0.1, 1)}, cv=3)


def test_logistic_regressions_that_cannot_be_tuned():
    y = (Y > 150).astype(int)
    for model, words in [
        (lm.LogisticRegression(solver="liblinear"), "penalizes the intercept"),
        (lm.LogisticRegression(solver="saga", l1_ratio=0.5), "l1 penalty"),
    ]:
        with pytest.raises(ModelError, match=words):
            landform.tune(model, X, y, over={"C": (0.1, 1)}, cv=3)
    with pytest.raises(ShapeError, match="stratify the folds"):
        landform.tune(lm.LogisticRegression(), X, np.sort(y), over={"C": (0.1, 1)}, cv=KFold(2))


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"over": {"alpha": (0.1, 1)}}, ShapeError, "neither validation= nor cv="),
        ({"over": {"alpha": (0.1, 1)}, "cv": 3, "validation": (X, Y)}, ShapeError, "got both"),
        ({"over": {"alpha": (0.1, 1)}, "validation": X}, ShapeError, r"expected validation=\(X, y\)"),
        ({"over": {"tol": (0.1, 1)}, "cv": 3}, ShapeError, "a continuous setting of Ridge, got 'tol'"),
        ({"cv": 3}, ShapeError, "name one or more of alpha"),
        ({"over": {"alpha": (-1, 1)}, "cv": 3}, ShapeError, "positive numbers for alpha"),
        ({"over": {"alpha": 1.0}, "cv": 3}, ShapeError, r"a pair \(lower, upper\)"),
        ({"over": {"alpha": (0.1, 1)}, "cv": 3, "bounds": (0, 1)}, ShapeError, "use over="),
    ],
)
def test_odd_calls(options, kind, words):
    with pytest.raises(kind, match=words):
        landform.tune(lm.Ridge(), X, Y, **options)


def test_odd_rows():
    broken, over = X.copy(), {"alpha": (0.1, 1.0)}
    broken[3, 1] = np.nan
    with pytest.raises(TableError, match="X, row 3, column 1"):
        landform.tune(lm.Ridge(), broken, Y, over=over, validation=(X, Y))
    with pytest.raises(TableError, match="got text"):
        landform.tune(lm.Ridge(), np.array([["a"], ["b"]]), Y[:2], over=over, validation=(X, Y))
    with pytest.raises(TableError, match="a target in every row"):
        landform.tune(lm.Ridge(), X, np.where(np.arange(120) == 2, np.nan, Y), over=over, cv=3)
    with pytest.raises(ShapeError, match="targets y"):
        landform.tune(lm.Ridge(), X, None, over=over, cv=3)
    with pytest.raises(ShapeError, match="non-negative targets"):
        landform.tune(lm.PoissonRegressor(), X, Y - 200, over=over, cv=3)
