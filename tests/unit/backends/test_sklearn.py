"""Fitted scikit-learn estimators as models: equal to what they predict, exact class or refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import NMF, PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, CompoundKernel, ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC

from landform.backends import Model, exponential, from_sklearn, linear_model, register_translation, stack_models
from landform.backends.sklearn import registry
from landform.backends.sklearn.process_kernels import translate_kernel
from landform.derivatives import hessian, jacobian
from landform.errors import ModelError, ShapeError

RNG = np.random.default_rng(11)
X = RNG.uniform(-1, 2, (25, 3))
Y = np.column_stack([X @ [1.0, -2.0, 0.5] + 3, np.sin(X[:, 0]) * X[:, 2]])
y = Y[:, 1] + 0.5 * Y[:, 0]
KERNEL = ConstantKernel(2.0) * RBF([0.7, 1.3, 2.0]) + WhiteKernel(0.01)

ESTIMATORS = {
    "line": LinearRegression(),
    "line through 0": LinearRegression(fit_intercept=False),
    "ridge": Ridge(alpha=0.3),
    "standardized": make_pipeline(StandardScaler(), Ridge()),
    "centred only": make_pipeline(StandardScaler(with_std=False), LinearRegression()),
    "scaled only": make_pipeline(StandardScaler(with_mean=False), LinearRegression()),
    "ranged": make_pipeline(MinMaxScaler((-2, 3)), LinearRegression()),
    "with a step that does nothing": make_pipeline("passthrough", StandardScaler(), LinearRegression()),
    "process": GaussianProcessRegressor(KERNEL, optimizer=None),
    "process of normalized values": GaussianProcessRegressor(KERNEL, optimizer=None, normalize_y=True),
    "process of scaled inputs": make_pipeline(
        StandardScaler(), GaussianProcessRegressor(RBF(1.1) + WhiteKernel(0.1), optimizer=None)
    ),
    "one length for all": GaussianProcessRegressor(
        RBF(0.9) * 3.0 + RBF([1.0, 2.0, 3.0]) + WhiteKernel(0.1), optimizer=None
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_models_predict_what_estimators_predict(name, outputs):
    fitted = ESTIMATORS[name].fit(X, y if outputs == 1 else Y)
    model = from_sklearn(fitted, X)
    fresh = RNG.uniform(-1, 2, (4, 3))
    found = np.array([model(x) for x in fresh])
    np.testing.assert_allclose(found, fitted.predict(fresh).reshape(4, -1), rtol=1e-9, atol=1e-9)
    assert model.outputs == (("y",) if outputs == 1 else ("y0", "y1"))
    assert model.inputs == ("x0", "x1", "x2")


def test_linear_slopes_are_the_coefficients():
    fitted = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(jacobian(from_sklearn(fitted, X), X[0]).dense(), fitted.coef_, atol=1e-13)
    scaled = make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y)
    found = jacobian(from_sklearn(scaled, X), X[0]).dense()
    np.testing.assert_allclose(found, scaled[-1].coef_ / scaled[0].scale_, atol=1e-13)


def test_transformers_are_models_too():
    scaler = MinMaxScaler().fit(X)
    model = from_sklearn(scaler, X)
    np.testing.assert_allclose(model(X[3]), scaler.transform(X[3:4])[0], atol=1e-14)
    assert len(model.outputs) == 3


def test_names_come_from_the_data_frame():
    frame = pd.DataFrame(X, columns=["sugar", "fat", "salt"])
    assert from_sklearn(LinearRegression().fit(frame, y), frame).inputs == ("sugar", "fat", "salt")
    assert from_sklearn(LinearRegression().fit(frame, y), X).inputs == ("sugar", "fat", "salt")
    assert from_sklearn(LinearRegression().fit(X, y), frame).inputs == ("sugar", "fat", "salt")


def test_outputs_are_named_after_classes_and_features():
    words = np.array(["bread", "cake", "tart"])[np.arange(25) % 3]
    assert from_sklearn(LogisticRegression().fit(X, words), X).outputs == ("bread", "cake", "tart")
    assert from_sklearn(LinearSVC().fit(X, words == "cake"), X).outputs == ("True",)
    pairs = from_sklearn(SVC(decision_function_shape="ovo").fit(X, words), X).outputs
    assert pairs == ("bread against cake", "bread against tart", "cake against tart")
    assert from_sklearn(PCA(2).fit(X), X).outputs == ("pca0", "pca1")
    both = MultiOutputClassifier(LogisticRegression()).fit(X, np.column_stack([words, words == "cake"]).astype(str))
    assert from_sklearn(both, X).outputs == ("y0: bread", "y0: cake", "y0: tart", "y1: False", "y1: True")


def test_a_model_says_where_it_is_not_smooth():
    rough, smooth = (GaussianProcessRegressor(Matern(nu=nu), alpha=0.1, optimizer=None) for nu in (0.5, 1.5))
    assert "no slope at the training rows" in from_sklearn(rough.fit(X, y), X).notes[0]
    assert from_sklearn(smooth.fit(X, y), X).notes == ()


@pytest.mark.parametrize("nu", [1.5, 2.5, 3.5, 1.8])
def test_matern_curves_at_a_training_row(nu):
    """The curve of the kernel at distance 0 is −ν/(ν−1)/ℓ²: it must not be lost to a safe square root."""
    fitted = GaussianProcessRegressor(Matern(2.0, nu=nu), alpha=0.1, optimizer=None).fit([[0.3, -0.2]], [1.0])
    model = from_sklearn(fitted, np.array([[0.3, -0.2]]))
    curve = hessian(model, np.array([0.3, -0.2])).dense()
    np.testing.assert_allclose(curve, -nu / (nu - 1) / 4.0 * fitted.alpha_[0] * np.eye(2), rtol=1e-12)


def test_many_rows_are_checked_in_blocks():
    many = np.tile(X, (90, 1)) + 0.0
    assert from_sklearn(Ridge().fit(X, y), many).inputs == ("x0", "x1", "x2")


def test_a_function_may_have_a_list_among_its_keywords():
    times = FunctionTransformer(lambda table, by: table * by[0], kw_args={"by": [2.0]}).fit(X)
    np.testing.assert_allclose(jacobian(from_sklearn(times, X), X[0]).dense(), 2.0 * np.eye(3))


def test_clipping_is_translated_and_said():
    model = from_sklearn(MinMaxScaler(clip=True).fit(X[:9]), X)
    assert "clipped" in model.notes[0]
    np.testing.assert_array_equal(jacobian(model, np.full(3, 9.0)).dense(), np.zeros((3, 3)))


class Cubed(LinearRegression):
    """Predicts in a way of its own."""

    def predict(self, X):
        return super().predict(X) ** 3


class ErringRidge(Ridge):
    """To register a wrong translation for."""


class Unknown(TransformerMixin, BaseEstimator):
    """Nobody has said how it is translated."""

    def fit(self, X):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X


class Forest(BaseEstimator):
    """Stands in for a booster of a package that is not installed."""


Forest.__module__ = "xgboost.sklearn"
FRAME = pd.DataFrame(X, columns=["sugar", "fat", "salt"])
LABELS = (y > y.mean()).astype(int)


def ratios(table):
    """Not for JAX: NumPy refuses to work on traced arrays."""
    return np.log(np.abs(table) + 1.0)


REFUSED = {
    "not fitted": (lambda: from_sklearn(LinearRegression(), X), "LinearRegression, not fitted.*fit first"),
    "a process not fitted": (
        lambda: from_sklearn(GaussianProcessRegressor(), X),
        "GaussianProcessRegressor, not fitted",
    ),
    "a tree ensemble": (
        lambda: from_sklearn(RandomForestRegressor(2).fit(X, y), X),
        "RandomForestRegressor, whose derivative is zero.*landform.secant.*smooth=width.*landform.distill",
    ),
    "a tree inside": (lambda: from_sklearn(BaggingRegressor(n_estimators=2).fit(X, y), X), "DecisionTreeRegressor"),
    "a booster by name": (lambda: from_sklearn(Forest(), X), "xgboost.sklearn.Forest, whose derivative is zero"),
    "neighbors": (lambda: from_sklearn(KNeighborsRegressor().fit(X, y), X), "nearest neighbors change"),
    "categories": (
        lambda: from_sklearn(make_pipeline(OneHotEncoder(), Ridge()).fit(X, y), X),
        "jumps between codes; hold its columns",
    ),
    "labels": (
        lambda: from_sklearn(LogisticRegression().fit(X, LABELS), X, method="predict"),
        "predict_proba or decision_function of LogisticRegression.*piecewise constant",
    ),
    "no such method": (lambda: from_sklearn(Ridge().fit(X, y), X, method="slope"), "a method among auto.*'slope'"),
    "isotonic": (
        lambda: from_sklearn(CalibratedClassifierCV(SVC(), method="isotonic", cv=2).fit(X, LABELS), X),
        "'isotonic', flat stretches.*sigmoid",
    ),
    "no translation": (lambda: from_sklearn(Unknown().fit(X), X), "Unknown.*register_translation"),
    "a transform of whole tables": (
        lambda: from_sklearn(NMF(2, max_iter=2000).fit(X - X.min()), X - X.min()),
        "NMF, which has none: a row's weights depend on the rows beside it.*take PCA",
    ),
    "a subclass": (lambda: from_sklearn(Cubed().fit(X, y), X), "near this one: LinearRegression.*Cubed"),
    "a kernel of one's own": (
        lambda: from_sklearn(SVR(kernel=lambda a, b: a @ b.T).fit(X, y), X),
        "a kernel among linear",
    ),
    "a compound kernel": (
        lambda: translate_kernel(CompoundKernel([RBF(), RBF()])),
        "their sums, products and powers, got CompoundKernel",
    ),
    "a function that JAX cannot trace": (
        lambda: from_sklearn(FunctionTransformer(ratios).fit(X), X),
        "JAX can trace, got 'ratios', which raises TracerArrayConversionError; write it with jax.numpy",
    ),
    "fitted on sparse rows": (
        lambda: from_sklearn(SVC().fit(sparse.csr_matrix(X), LABELS + (y > 5)), X),
        "sparse support",
    ),
    "no best estimator": (
        lambda: from_sklearn(GridSearchCV(Ridge(), {"alpha": [1.0]}, refit=False, cv=2).fit(X, y), X),
        "a search that keeps its best estimator, got refit=False",
    ),
    "a solver that does not transform": (
        lambda: from_sklearn(LinearDiscriminantAnalysis(solver="lsqr").fit(X, LABELS), X, method="transform"),
        "solver='lsqr', which does not",
    ),
    "a class": (lambda: from_sklearn(Ridge, X), "fitted scikit-learn estimator, got the class Ridge"),
    "no estimator": (lambda: from_sklearn("ridge.joblib", X), "fitted scikit-learn estimator, got 'ridge.joblib'"),
    "splines of degree 0": (lambda: from_sklearn(SplineTransformer(degree=0).fit(X), X), "degree 0, a staircase"),
}
BAD_ROWS = {
    "columns missing": (lambda: from_sklearn(RIDGE, FRAME[["sugar", "salt"]]), "without fat; select them"),
    "columns too many": (lambda: from_sklearn(RIDGE, FRAME.assign(hue=1.0)), "with hue; select"),
    "columns in another order": (
        lambda: from_sklearn(RIDGE, FRAME[["sugar", "salt", "fat"]]),
        r"in their order \(sugar, fat, salt\), got salt in place of fat as column 1",
    ),
    "too few columns": (lambda: from_sklearn(RIDGE, X[:, :2]), "expected 3 columns, as at fit time, got 2"),
    "NaN": (lambda: from_sklearn(RIDGE, FRAME.replace(FRAME.loc[4, "fat"], np.nan)), "got nan in row 4, column fat"),
    "words": (lambda: from_sklearn(RIDGE, FRAME.assign(fat="much")), "real numbers, got .*in column fat"),
    "complex numbers": (lambda: from_sklearn(RIDGE, X + 1j), "real numbers, got dtype complex128"),
    "sparse": (
        lambda: from_sklearn(RIDGE, sparse.csr_matrix(X)),
        "dense table, got a sparse csr_matrix; pass X.toarray",
    ),
    "one row": (lambda: from_sklearn(RIDGE, X[0]), r"got shape \(3,\); pass rows"),
}
RIDGE = Ridge().fit(FRAME, y)


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_are_refused_in_one_sentence(case):
    make, words = BAD_ROWS[case]
    with pytest.raises(ShapeError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value) and "argument X" in str(caught.value)


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, words = REFUSED[case]
    with pytest.raises(ModelError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_wrong_translation_is_found_on_the_rows():
    @register_translation(ErringRidge)
    def _(estimator):
        return registry.Translation(lambda x: 1.0001 * (estimator.coef_ @ x + estimator.intercept_)[None], ())

    with pytest.raises(ModelError, match=r"ErringRidge equal to it on every row.*in row"):
        from_sklearn(ErringRidge().fit(X, y), X)


def test_estimators_of_one_kind_share_compiled_code():
    one, other = (from_sklearn(make_pipeline(StandardScaler(), Ridge()).fit(X * k, y), X * k) for k in (1, 2))
    assert one.function is other.function


def test_models_together():
    a = Model(lambda x: x[:2] * x[2], (), ("p", "q", "r"), ("a0", "a1"))
    b = Model(lambda x, k: k * x[:1] ** 2, (3.0,), ("p", "q", "r"), ("b",))
    both = stack_models([a, b])
    x = np.array([1.5, -2.0, 0.5])
    assert both.outputs == ("a0", "a1", "b")
    np.testing.assert_allclose(both(x), [0.75, -1.0, 6.75])
    np.testing.assert_allclose(jacobian(both, x).dense(), [[0.5, 0, 1.5], [0, 0.5, -2.0], [9.0, 0, 0]], atol=1e-15)


def test_exponential_follows_the_chain_rule():
    """exp(g): slope e^g g', curve e^g (g'' + g' g')."""
    g = Model(lambda x: x[:1] * x[1:] + x[:1] ** 2, (), ("p", "q"), ("y",))
    x = np.array([0.4, -0.7])
    size, slope, curve = np.exp(0.4 * -0.7 + 0.16), np.array([-0.7 + 0.8, 0.4]), np.array([[2.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(jacobian(exponential(g), x).dense()[0], size * slope, atol=1e-14)
    np.testing.assert_allclose(hessian(exponential(g), x).dense(), size * (curve + np.outer(slope, slope)), atol=1e-14)


def test_weighted_sums():
    model = linear_model(np.array([2.0, 0.0, 5.0]), inputs=("a", "b", "c"), output="cost")
    np.testing.assert_array_equal(model(np.array([1.0, 9.0, 2.0])), [12.0])


@pytest.mark.parametrize(("inputs", "outputs"), [(("a", "a"), ("y",)), (("a", "b"), ("y", "y"))])
def test_a_name_stands_once(inputs, outputs):
    with pytest.raises(ShapeError, match="twice"):
        Model(lambda x: x, (), inputs, outputs)
