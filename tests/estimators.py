"""Every estimator that `from_sklearn` translates, fitted on scikit-learn's own data; writes docs/estimators.md.

    python tests/estimators.py

One table serves the tests of values and derivatives and the page, so that the page says what was tested.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from sklearn import (
    calibration,
    cluster,
    compose,
    covariance,
    datasets,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_selection,
    impute,
    isotonic,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    mixture,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    random_projection,
    semi_supervised,
    svm,
)
from sklearn import cross_decomposition as cross
from sklearn import gaussian_process as gp
from sklearn import model_selection as search
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction import text
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import kernels as k

PAGE = Path(__file__).parents[1] / "docs" / "estimators.md"


@dataclass(frozen=True, eq=False)
class Case:
    """An estimator, the data it is fitted on, and what is expected.

    Parameters
    ----------
    name : str
        For the test's id.
    estimator : estimator
        Not fitted yet.
    data : {"numbers", "pairs", "binary", "classes", "amounts", "labels", "frame", "scaled", "kernel"}
        See `data`.
    method : str
        As for `from_sklearn`.
    group : str
        Heading on the page.
    values : float
        Largest difference of values, relative to the spread of the output over the rows; above 1e-12 only where the
        estimator's own values move by as much when its inputs are moved by one unit in the last place.
    slopes : float
        Largest difference of derivatives from extrapolated differences, relative to the largest.
    zero : bool
        Whether the point 0 lies in its domain.
    step : float
        Of the differences, in standard deviations of the inputs; small where kinks or jumps lie close.
    """

    name: str
    estimator: Any
    data: str
    method: str
    group: str
    values: float = 1e-12
    slopes: float = 1e-6
    zero: bool = True
    step: float = 0.02


@cache
def data(name: str) -> tuple[Any, np.ndarray]:
    """Inputs and targets: diabetes, iris and wine, some rows and four columns of each."""
    if name in ("numbers", "pairs", "counts", "frame", "scaled"):
        frame = datasets.load_diabetes(as_frame=True, scaled=False)
        X, y = frame.data[["bmi", "bp", "s5", "s6"]].iloc[:48], frame.target.to_numpy()[:48]
        X = X.copy()
        X["bp"], X["s6"] = X["bp"] / 100, X["s6"] / 100
        if name == "scaled":
            X = (X - X.mean()) / X.std()
        y = y / 100
        if name == "pairs":
            y = np.column_stack([y, np.sqrt(y) + X["s5"]])
        return (X if name in ("frame", "scaled") else X.to_numpy()), y
    if name == "kernel":
        X, y = data("scaled")
        return np.exp(-0.1 * np.sum((X.to_numpy()[:, None] - X.to_numpy()) ** 2, axis=2))[:32, :32], y[:32]
    if name == "amounts":
        X, y = datasets.load_wine(return_X_y=True)
        return X[::4, [0, 1, 5, 6]] / 5, y[::4]
    X, y = datasets.load_iris(return_X_y=True)
    X, y = X[::3] - [0, 0, 3, 1], y[::3]
    if name == "binary":
        X, y = X[y > 0], np.where(y[y > 0] > 1, "virginica", "versicolor")
    if name == "labels":
        y = np.column_stack([y > 0, X[:, 1] > 3]).astype(int)
    return X, y


NU_HALF, NU_THREE_HALVES = k.Matern([0.7, 1.3, 2.0, 0.9], nu=0.5), k.Matern(1.7, nu=1.5)
SCALED = preprocessing.StandardScaler


def _linear() -> Iterator[Case]:
    group = "Linear and generalized linear models"
    for estimator in (
        linear_model.LinearRegression(),
        linear_model.Ridge(),
        linear_model.RidgeCV(),
        linear_model.Lasso(0.01),
        linear_model.LassoCV(cv=3),
        linear_model.ElasticNet(0.01),
        linear_model.ElasticNetCV(cv=3),
        linear_model.Lars(),
        linear_model.LarsCV(cv=3),
        linear_model.LassoLars(0.001),
        linear_model.LassoLarsCV(cv=3),
        linear_model.LassoLarsIC(),
        linear_model.OrthogonalMatchingPursuit(),
        linear_model.OrthogonalMatchingPursuitCV(cv=3),
        linear_model.BayesianRidge(),
        linear_model.ARDRegression(),
        linear_model.HuberRegressor(max_iter=1000),
        linear_model.QuantileRegressor(alpha=0.01),
        linear_model.TheilSenRegressor(random_state=0),
        linear_model.SGDRegressor(random_state=0),
        linear_model.RANSACRegressor(random_state=0),
        svm.LinearSVR(),
        linear_model.PoissonRegressor(),
        linear_model.GammaRegressor(),
        linear_model.TweedieRegressor(power=1.5),
    ):
        yield Case(type(estimator).__name__, estimator, "scaled", "predict", group)
    yield Case("TweedieRegressor, identity link", linear_model.TweedieRegressor(power=0), "scaled", "predict", group)
    for estimator in (
        linear_model.LinearRegression(),
        linear_model.MultiTaskLasso(0.01),
        linear_model.MultiTaskLassoCV(cv=3),
        linear_model.MultiTaskElasticNet(0.01),
        linear_model.MultiTaskElasticNetCV(cv=3),
    ):
        yield Case(f"{type(estimator).__name__}, two outputs", estimator, "pairs", "predict", group)
    for estimator in (linear_model.BayesianRidge(), linear_model.ARDRegression()):
        yield Case(type(estimator).__name__, estimator, "scaled", "predict_std", group)
    logistic, descent = linear_model.LogisticRegression(), linear_model.SGDClassifier
    for which in ("binary", "classes"):
        yield Case("LogisticRegression", logistic, which, "predict_proba", group)
        yield Case("SGDClassifier", descent(loss="log_loss", random_state=0), which, "predict_proba", group)
    yield Case(
        "SGDClassifier, modified Huber",
        descent(loss="modified_huber", alpha=0.1, random_state=0),
        "binary",
        "predict_proba",
        group,
    )
    searched = linear_model.LogisticRegressionCV(Cs=2, cv=3, l1_ratios=(0,), use_legacy_attributes=False)
    yield Case("LogisticRegressionCV", searched, "classes", "predict_proba", group)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-learn says that they are deprecated
        steady, careful = linear_model.PassiveAggressiveRegressor(), linear_model.PassiveAggressiveClassifier()
    yield Case("PassiveAggressiveRegressor", steady, "scaled", "predict", group)
    yield Case("PassiveAggressiveClassifier", careful, "classes", "decision_function", group)
    for estimator in (
        logistic,
        searched,
        linear_model.RidgeClassifier(),
        linear_model.RidgeClassifierCV(),
        svm.LinearSVC(),
        descent(random_state=0),
        linear_model.Perceptron(),
    ):
        yield Case(type(estimator).__name__, estimator, "classes", "decision_function", group)
    yield Case("SGDOneClassSVM", linear_model.SGDOneClassSVM(random_state=0), "scaled", "decision_function", group)
    yield Case("SGDOneClassSVM", linear_model.SGDOneClassSVM(random_state=0), "scaled", "score_samples", group)


def _kernels() -> Iterator[Case]:
    group = "Support vectors and kernels"
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        own = {"coef0": 0.5, "gamma": 0.1} if kernel in ("sigmoid", "poly") else {}
        yield Case(f"SVR, {kernel}", svm.SVR(kernel=kernel, **own), "scaled", "predict", group)
    yield Case("NuSVR", svm.NuSVR(), "scaled", "predict", group)
    for method in ("decision_function", "score_samples"):
        yield Case("OneClassSVM", svm.OneClassSVM(nu=0.2), "scaled", method, group)
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        own = {"coef0": 0.5, "gamma": 0.1} if kernel in ("sigmoid", "poly") else {}
        for which, words in (("binary", "two"), ("classes", "three")):
            machine = svm.SVC(kernel=kernel, **own)
            yield Case(f"SVC, {kernel}, {words} classes", machine, which, "decision_function", group)
    yield Case("SVC, pairs", svm.SVC(decision_function_shape="ovo"), "classes", "decision_function", group)
    yield Case("NuSVC, three classes", svm.NuSVC(nu=0.2), "classes", "decision_function", group)
    for which, words in (("binary", "two"), ("classes", "three")):
        yield Case(f"SVC, {words} classes", svm.SVC(probability=True, random_state=0), which, "predict_proba", group)
    for kernel in ("linear", "rbf", "laplacian", "poly", "sigmoid", "cosine"):
        own = {"gamma": 0.1} if kernel == "sigmoid" else {}
        # On unscaled inputs large dual weights cancel, and differences see only rounding; a laplacian folds at every row.
        which = "scaled" if kernel in ("linear", "laplacian", "poly") else "pairs"
        step = 1e-3 if kernel == "laplacian" else 0.02
        ridge = kernel_ridge.KernelRidge(kernel=kernel, **own)
        yield Case(f"KernelRidge, {kernel}", ridge, which, "predict", group, step=step)
    for kernel in ("chi2", "additive_chi2"):
        own = {"gamma": 1.0} if kernel == "chi2" else {}
        yield Case(
            f"KernelRidge, {kernel}", kernel_ridge.KernelRidge(kernel=kernel, **own), "amounts", "predict", group
        )
    for kernel in ("rbf", "poly", "cosine"):
        yield Case(f"KernelPCA, {kernel}", decomposition.KernelPCA(3, kernel=kernel), "scaled", "transform", group)
    yield Case("Nystroem", kernel_approximation.Nystroem(n_components=7, random_state=0), "scaled", "transform", group)
    yield Case(
        "Nystroem, poly",
        kernel_approximation.Nystroem(kernel="poly", degree=2, coef0=1, gamma=0.2, n_components=5, random_state=0),
        "scaled",
        "transform",
        group,
    )
    yield Case(
        "RBFSampler", kernel_approximation.RBFSampler(n_components=5, random_state=0), "numbers", "transform", group
    )
    yield Case("AdditiveChi2Sampler", kernel_approximation.AdditiveChi2Sampler(), "amounts", "transform", group)
    for degree, shift in ((2, 0.0), (3, 0.7)):
        counted = kernel_approximation.PolynomialCountSketch(
            degree=degree, coef0=shift, gamma=0.4, n_components=5, random_state=0
        )
        yield Case(f"PolynomialCountSketch, degree {degree}", counted, "scaled", "transform", group)
    yield Case("KernelCenterer", preprocessing.KernelCenterer(), "kernel", "transform", group)
    for spread in (semi_supervised.LabelPropagation(gamma=2.0), semi_supervised.LabelSpreading(gamma=2.0)):
        yield Case(type(spread).__name__, spread, "classes", "predict_proba", group)
    yield Case(
        "SkewedChi2Sampler",
        kernel_approximation.SkewedChi2Sampler(n_components=5, random_state=0),
        "amounts",
        "transform",
        group,
    )


def _processes() -> Iterator[Case]:
    group = "Gaussian processes"
    noise = k.WhiteKernel(0.05)
    inside = {
        "RBF": k.ConstantKernel(2.0) * k.RBF([0.7, 1.3, 2.0, 0.9]) + noise,
        "Matern 1/2": NU_HALF + noise,
        "Matern 3/2": NU_THREE_HALVES + noise,
        "Matern 5/2": k.Matern([0.7, 1.3, 2.0, 0.9], nu=2.5) + noise,
        "Matern 7/2": k.Matern(1.3, nu=3.5) + noise,
        "Matern 0.8": k.Matern(1.3, nu=0.8) + noise,
        "Matern 1.8": k.Matern(1.3, nu=1.8) + noise,
        "Matern inf": k.Matern(1.3, nu=np.inf) + noise,
        "RationalQuadratic": k.RationalQuadratic(1.5, 0.7) + noise,
        "ExpSineSquared": k.ExpSineSquared(1.1, 9.0) * k.RBF(2.0) + noise,
        "DotProduct squared": k.DotProduct(0.5) ** 2 + noise,
        "sum and product": k.RBF(2.0) * k.DotProduct(1.0) + k.Matern(2.0, nu=1.5) + noise,
        "pairwise": k.PairwiseKernel(metric="rbf", gamma=0.3) + noise,
    }
    for name, kernel in inside.items():
        process = gp.GaussianProcessRegressor(kernel, optimizer=None)
        yield Case(f"GaussianProcessRegressor, {name}", process, "scaled", "predict", group)
    normal = gp.GaussianProcessRegressor(inside["RBF"], optimizer=None, normalize_y=True)
    yield Case("GaussianProcessRegressor, two normalized outputs", normal, "pairs", "predict", group)
    yield Case("GaussianProcessRegressor, two normalized outputs", normal, "pairs", "predict_std", group)
    rough = gp.GaussianProcessRegressor(inside["Matern 3/2"], optimizer=None)
    yield Case("GaussianProcessRegressor, Matern 3/2", rough, "scaled", "predict_std", group)
    certain = gp.GaussianProcessRegressor(k.RBF(1.0), alpha=1e-2, optimizer=None)
    yield Case("GaussianProcessRegressor, no noise term", certain, "scaled", "predict_std", group)
    for kernel, words in ((inside["RBF"], "with noise"), (k.ConstantKernel(2.0) * k.RBF(1.0), "without noise")):
        spread = gp.GaussianProcessRegressor(kernel, alpha=1e-2, optimizer=None, normalize_y=True)
        yield Case(f"GaussianProcessRegressor, covariance {words}", spread, "pairs", "predict_cov", group)
    for name, kernel in inside.items():
        which = "classes" if name in ("RBF", "Matern 5/2") else "binary"
        latent = gp.GaussianProcessClassifier(2.0 * kernel.k1, optimizer=None)
        # Five error functions with weights up to 3,517 cancel to a probability: 3,517 units in the last place of 1.
        yield Case(f"GaussianProcessClassifier, {name}", latent, which, "predict_proba", group, values=3e-12)


def _networks() -> Iterator[Case]:
    group = "Networks"
    for activation in ("identity", "logistic", "tanh", "relu"):
        own = {"max_iter": 30, "random_state": 0, "activation": activation}
        yield Case(
            f"MLPRegressor, {activation}",
            neural_network.MLPRegressor(hidden_layer_sizes=(5, 3), **own),
            "scaled",
            "predict",
            group,
        )
    for which in ("binary", "classes", "labels"):
        net = neural_network.MLPClassifier(hidden_layer_sizes=(4,), activation="tanh", max_iter=30, random_state=0)
        yield Case(f"MLPClassifier, {which}", net, which, "predict_proba", group)
    yield Case("BernoulliRBM", neural_network.BernoulliRBM(3, random_state=0, n_iter=2), "scaled", "transform", group)


def _projections() -> Iterator[Case]:
    group = "Projections"
    for estimator in (cross.PLSRegression(2), cross.PLSCanonical(2), cross.CCA(2)):
        yield Case(type(estimator).__name__, estimator, "pairs", "predict", group)
        yield Case(type(estimator).__name__, estimator, "pairs", "transform", group)
    yield Case("PLSSVD", cross.PLSSVD(2), "pairs", "transform", group)
    for estimator in (
        decomposition.PCA(2),
        decomposition.IncrementalPCA(2),
        decomposition.TruncatedSVD(2, random_state=0),
        decomposition.FactorAnalysis(2),
        decomposition.FastICA(2, random_state=0, whiten="unit-variance"),
        decomposition.SparsePCA(2, random_state=0),
        decomposition.MiniBatchSparsePCA(2, random_state=0),
        decomposition.DictionaryLearning(3, transform_algorithm="threshold", transform_alpha=0.3, random_state=0),
        decomposition.MiniBatchDictionaryLearning(
            3, transform_algorithm="threshold", transform_alpha=0.3, split_sign=True, random_state=0
        ),
        decomposition.SparseCoder(np.eye(4)[:3] + 0.1, transform_algorithm="threshold", positive_code=True),
        cluster.FeatureAgglomeration(2),
        random_projection.GaussianRandomProjection(2, random_state=0),
        random_projection.SparseRandomProjection(2, random_state=0, dense_output=True),
    ):
        yield Case(type(estimator).__name__, estimator, "scaled", "transform", group)
    yield Case("PCA, whitened", decomposition.PCA(2, whiten=True), "scaled", "transform", group)
    for estimator in (decomposition.PCA(2), decomposition.FactorAnalysis(2)):
        yield Case(type(estimator).__name__, estimator, "scaled", "score_samples", group)
    yield Case(
        "NeighborhoodComponentsAnalysis",
        neighbors.NeighborhoodComponentsAnalysis(2, random_state=0),
        "classes",
        "transform",
        group,
    )
    for cuts in (
        cluster.KMeans(3, random_state=0, n_init=1),
        cluster.MiniBatchKMeans(3, random_state=0, n_init=1),
        cluster.BisectingKMeans(3, random_state=0),
        cluster.Birch(threshold=2.0, n_clusters=None),
    ):
        yield Case(type(cuts).__name__, cuts, "scaled", "transform", group)


def _scalers() -> Iterator[Case]:
    group = "Scaling and bases"
    for estimator in (
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler((-1, 2)),
        preprocessing.MinMaxScaler(clip=True),
        preprocessing.MaxAbsScaler(),
        preprocessing.RobustScaler(),
        preprocessing.Normalizer(),
        preprocessing.Normalizer("l1"),
        preprocessing.Normalizer("max"),
        preprocessing.PowerTransformer(),
        preprocessing.PowerTransformer("box-cox", standardize=False),
        preprocessing.QuantileTransformer(n_quantiles=5),
        preprocessing.QuantileTransformer(n_quantiles=5, output_distribution="normal"),
        preprocessing.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
        preprocessing.KBinsDiscretizer(3, encode="ordinal", strategy="uniform"),
        preprocessing.Binarizer(threshold=0.3),
        preprocessing.PolynomialFeatures(3),
        preprocessing.PolynomialFeatures(3, interaction_only=True, include_bias=False),
    ):
        box = "box-cox" in str(estimator)
        yield Case(str(estimator), estimator, "amounts" if box else "scaled", "transform", group, zero=not box)
    for way in ("constant", "linear", "continue", "periodic"):
        yield Case(
            f"SplineTransformer, {way}", preprocessing.SplineTransformer(extrapolation=way), "frame", "transform", group
        )
    yield Case(
        "SplineTransformer, quadratic",
        preprocessing.SplineTransformer(4, degree=2, include_bias=False, knots="quantile"),
        "numbers",
        "transform",
        group,
    )
    for own in ({}, {"sublinear_tf": True, "norm": "l1"}, {"use_idf": False, "norm": None}):
        counts = text.TfidfTransformer(**own)
        yield Case(str(counts), counts, "amounts", "transform", group)
    yield Case("FunctionTransformer, ufunc", preprocessing.FunctionTransformer(np.log1p), "amounts", "transform", group)
    yield Case(
        "FunctionTransformer, jax.numpy",
        preprocessing.FunctionTransformer(_ratios),
        "amounts",
        "transform",
        group,
        zero=False,
    )


def _ratios(X: Any) -> Any:
    return jnp.concatenate([jnp.asarray(X), X[:, :1] / X[:, 1:2]], axis=1)


def _columns() -> Iterator[Case]:
    group = "Columns and pipelines"
    for filling in (impute.SimpleImputer(), impute.KNNImputer(), impute.IterativeImputer(random_state=0)):
        yield Case(type(filling).__name__, filling, "frame", "transform", group)
    best = feature_selection.SelectKBest(feature_selection.f_regression, k=2)
    ridge, tree_free = linear_model.Ridge(), linear_model.LogisticRegression()
    yield Case("SelectKBest", best, "frame", "transform", group)
    yield Case(
        "SelectPercentile",
        feature_selection.SelectPercentile(feature_selection.f_regression, percentile=50),
        "scaled",
        "transform",
        group,
    )
    yield Case("SelectFdr", feature_selection.SelectFdr(), "classes", "transform", group)
    yield Case("SelectFpr", feature_selection.SelectFpr(), "classes", "transform", group)
    yield Case("SelectFwe", feature_selection.SelectFwe(), "classes", "transform", group)
    yield Case(
        "GenericUnivariateSelect", feature_selection.GenericUnivariateSelect(param=50), "classes", "transform", group
    )
    yield Case("SelectFromModel", feature_selection.SelectFromModel(ridge), "frame", "transform", group)
    yield Case(
        "SequentialFeatureSelector",
        feature_selection.SequentialFeatureSelector(ridge, n_features_to_select=2, cv=2),
        "scaled",
        "transform",
        group,
    )
    yield Case("VarianceThreshold", feature_selection.VarianceThreshold(0.1), "numbers", "transform", group)
    yield Case("RFE", feature_selection.RFE(ridge, n_features_to_select=2), "scaled", "transform", group)
    yield Case("RFE", feature_selection.RFE(ridge, n_features_to_select=2), "scaled", "predict", group)
    yield Case("RFECV", feature_selection.RFECV(tree_free, cv=2), "classes", "predict_proba", group)
    mixed = compose.ColumnTransformer(
        [
            ("wide", preprocessing.PowerTransformer(), ["s5", "bmi"]),
            ("out", "drop", ["bp"]),
            ("as is", "passthrough", ["bmi"]),
        ],
        remainder=preprocessing.MinMaxScaler(),
        transformer_weights={"wide": 2.0},
    )
    yield Case("ColumnTransformer", mixed, "frame", "transform", group)
    union = pipeline.FeatureUnion(
        [("scores", decomposition.PCA(2)), ("own", "passthrough"), ("k", best)], transformer_weights={"scores": 0.5}
    )
    yield Case("FeatureUnion", union, "frame", "transform", group)
    smooth = pipeline.make_pipeline(mixed, preprocessing.PolynomialFeatures(2), ridge)
    yield Case("Pipeline", smooth, "frame", "predict", group)
    one = feature_selection.SelectKBest(feature_selection.f_regression, k=1)
    steady = isotonic.IsotonicRegression(out_of_bounds="clip")
    for method in ("predict", "transform"):
        yield Case("IsotonicRegression", pipeline.make_pipeline(one, steady), "scaled", method, group, step=1e-3)
    process = gp.GaussianProcessRegressor(k.RBF(2.0) + k.WhiteKernel(0.1), optimizer=None)
    yield Case("Pipeline", pipeline.make_pipeline(SCALED(), process), "frame", "predict_std", group)
    yield Case(
        "Pipeline",
        pipeline.make_pipeline(SCALED(), "passthrough", svm.SVC()),
        "classes",
        "decision_function",
        group,
        step=1e-3,
    )
    yield Case("Pipeline", pipeline.make_pipeline(SCALED(), tree_free), "classes", "predict_proba", group)
    yield Case("Pipeline", pipeline.make_pipeline(SCALED(), decomposition.PCA(2)), "frame", "transform", group)
    yield Case(
        "Pipeline",
        pipeline.make_pipeline(SCALED(), mixture.GaussianMixture(2, random_state=0)),
        "frame",
        "score_samples",
        group,
    )
    for name, own in {
        "log and exp": {"func": np.log, "inverse_func": np.exp},
        "StandardScaler": {"transformer": SCALED()},
        "PowerTransformer": {"transformer": preprocessing.PowerTransformer()},
        "quantiles": {"transformer": preprocessing.QuantileTransformer(n_quantiles=4, output_distribution="normal")},
        "Pipeline": {"transformer": pipeline.make_pipeline(preprocessing.MinMaxScaler(), preprocessing.RobustScaler())},
    }.items():
        yield Case(
            f"TransformedTargetRegressor, {name}",
            compose.TransformedTargetRegressor(ridge, **own, check_inverse=False),
            "scaled",
            "predict",
            group,
        )


def _densities() -> Iterator[Case]:
    group = "Discriminants, naive Bayes, densities"
    lda, qda = discriminant_analysis.LinearDiscriminantAnalysis, discriminant_analysis.QuadraticDiscriminantAnalysis
    for method in ("predict_proba", "decision_function", "transform"):
        yield Case("LinearDiscriminantAnalysis", lda(), "classes", method, group)
    yield Case("LinearDiscriminantAnalysis, eigen", lda(solver="eigen", shrinkage=0.1), "binary", "transform", group)
    for which in ("binary", "classes"):
        yield Case(f"QuadraticDiscriminantAnalysis, {which}", qda(reg_param=0.01), which, "decision_function", group)
    yield Case("QuadraticDiscriminantAnalysis", qda(), "classes", "predict_proba", group)
    for which in ("binary", "classes"):
        nearest = neighbors.NearestCentroid(shrink_threshold=0.2)
        yield Case(f"NearestCentroid, {which}", nearest, which, "decision_function", group)
    yield Case("NearestCentroid", neighbors.NearestCentroid(), "classes", "predict_proba", group)
    topics = decomposition.LatentDirichletAllocation(3, random_state=0, max_iter=3)
    yield Case("LatentDirichletAllocation", topics, "amounts", "transform", group)
    for bayes in (naive_bayes.GaussianNB(), naive_bayes.MultinomialNB(), naive_bayes.ComplementNB()):
        yield Case(type(bayes).__name__, bayes, "amounts", "predict_proba", group)
    yield Case(
        "BernoulliNB, not binarized",
        pipeline.make_pipeline(preprocessing.MinMaxScaler(), naive_bayes.BernoulliNB(binarize=None)),
        "amounts",
        "predict_proba",
        group,
    )
    for kind in ("full", "tied", "diag", "spherical"):
        yield Case(
            f"GaussianMixture, {kind}",
            mixture.GaussianMixture(2, covariance_type=kind, random_state=0),
            "scaled",
            "score_samples",
            group,
        )
    yield Case("GaussianMixture", mixture.GaussianMixture(3, random_state=0), "classes", "predict_proba", group)
    for method in ("score_samples", "predict_proba"):
        yield Case(
            "BayesianGaussianMixture",
            mixture.BayesianGaussianMixture(n_components=2, random_state=0, max_iter=500),
            "scaled",
            method,
            group,
        )
    for method in ("score_samples", "decision_function"):
        yield Case("EllipticEnvelope", covariance.EllipticEnvelope(random_state=0), "scaled", method, group)
    yield Case("KernelDensity", neighbors.KernelDensity(bandwidth=0.8), "scaled", "score_samples", group)


def _several() -> Iterator[Case]:
    group = "Ensembles, several outputs, searches"
    ridge, logistic = linear_model.Ridge(), linear_model.LogisticRegression()
    radial, gauss = svm.SVR(), naive_bayes.GaussianNB()
    chosen = search.GridSearchCV(pipeline.make_pipeline(SCALED(), svm.SVR()), {"svr__C": [1.0, 2.0]}, cv=2)
    yield Case("GridSearchCV", chosen, "frame", "predict", group)
    yield Case(
        "RandomizedSearchCV",
        search.RandomizedSearchCV(logistic, {"C": [1.0, 2.0]}, n_iter=1, cv=2, random_state=0),
        "classes",
        "predict_proba",
        group,
    )
    yield Case(
        "HalvingGridSearchCV",
        search.HalvingGridSearchCV(ridge, {"alpha": [1.0, 2.0]}, cv=2, random_state=0),
        "scaled",
        "predict",
        group,
    )
    yield Case(
        "HalvingRandomSearchCV",
        search.HalvingRandomSearchCV(ridge, {"alpha": [1.0, 2.0]}, cv=2, random_state=0),
        "scaled",
        "predict",
        group,
    )
    yield Case("FixedThresholdClassifier", search.FixedThresholdClassifier(logistic), "binary", "predict_proba", group)
    yield Case(
        "TunedThresholdClassifierCV",
        search.TunedThresholdClassifierCV(logistic, cv=2),
        "binary",
        "predict_proba",
        group,
    )
    yield Case(
        "SelfTrainingClassifier", semi_supervised.SelfTrainingClassifier(logistic), "classes", "predict_proba", group
    )
    yield Case(
        "FrozenEstimator", FrozenEstimator(linear_model.Ridge().fit(*data("numbers"))), "numbers", "predict", group
    )
    members = [("line", ridge), ("curve", radial)]
    voters = [("line", logistic), ("bell", gauss)]
    yield Case("VotingRegressor", ensemble.VotingRegressor(members, weights=[1, 3]), "scaled", "predict", group)
    yield Case("VotingClassifier", ensemble.VotingClassifier(voters, voting="soft"), "classes", "predict_proba", group)
    yield Case(
        "StackingRegressor",
        ensemble.StackingRegressor(members, final_estimator=ridge, cv=2, passthrough=True),
        "scaled",
        "predict",
        group,
    )
    yield Case("VotingRegressor", ensemble.VotingRegressor(members), "scaled", "transform", group)
    yield Case("VotingClassifier", ensemble.VotingClassifier(voters, voting="soft"), "classes", "transform", group)
    yield Case("StackingRegressor", ensemble.StackingRegressor(members, cv=2), "scaled", "transform", group)
    yield Case("StackingClassifier", ensemble.StackingClassifier(voters, cv=2), "binary", "transform", group)
    for which in ("binary", "classes"):
        yield Case(
            f"StackingClassifier, {which}",
            ensemble.StackingClassifier(voters, final_estimator=logistic, cv=2),
            which,
            "predict_proba",
            group,
        )
    stacked = ensemble.StackingClassifier([*voters, ("vectors", svm.SVC())], final_estimator=logistic, cv=2)
    yield Case("StackingClassifier, votes among its members", stacked, "classes", "decision_function", group)
    yield Case(
        "BaggingRegressor",
        ensemble.BaggingRegressor(radial, 4, max_features=2, random_state=0),
        "scaled",
        "predict",
        group,
    )
    yield Case(
        "BaggingClassifier", ensemble.BaggingClassifier(gauss, 3, random_state=0), "classes", "predict_proba", group
    )
    yield Case(
        "BaggingClassifier",
        ensemble.BaggingClassifier(logistic, 3, random_state=0),
        "binary",
        "decision_function",
        group,
    )
    for inner, words in ((svm.SVC(), "SVC"), (gauss, "GaussianNB")):
        for which in ("binary", "classes"):
            if (words, which) != ("SVC", "classes"):
                yield Case(
                    f"CalibratedClassifierCV, {words}, {which}",
                    calibration.CalibratedClassifierCV(inner, cv=2),
                    which,
                    "predict_proba",
                    group,
                )
    heated = calibration.CalibratedClassifierCV(logistic, method="temperature", cv=2)
    yield Case("CalibratedClassifierCV, temperature", heated, "classes", "predict_proba", group)
    yield Case("MultiOutputRegressor", multioutput.MultiOutputRegressor(radial), "pairs", "predict", group)
    yield Case("MultiOutputClassifier", multioutput.MultiOutputClassifier(gauss), "labels", "predict_proba", group)
    yield Case("RegressorChain", multioutput.RegressorChain(radial, order=[1, 0]), "pairs", "predict", group)
    yield Case(
        "ClassifierChain, labels handed down", multioutput.ClassifierChain(logistic), "labels", "predict_proba", group
    )
    yield Case(
        "ClassifierChain, probabilities handed down",
        multioutput.ClassifierChain(logistic, chain_method="predict_proba", order=[1, 0]),
        "labels",
        "decision_function",
        group,
    )
    yield Case("OneVsRestClassifier", multiclass.OneVsRestClassifier(logistic), "classes", "predict_proba", group)
    yield Case(
        "OneVsRestClassifier, several labels",
        multiclass.OneVsRestClassifier(logistic),
        "labels",
        "predict_proba",
        group,
    )
    yield Case("OneVsRestClassifier", multiclass.OneVsRestClassifier(svm.SVC()), "classes", "decision_function", group)
    yield Case("OneVsOneClassifier", multiclass.OneVsOneClassifier(svm.SVC()), "classes", "decision_function", group)
    yield Case(
        "OneVsOneClassifier, probabilities", multiclass.OneVsOneClassifier(gauss), "classes", "decision_function", group
    )


def _all() -> Iterator[Case]:
    for part in (_linear, _kernels, _processes, _networks, _projections, _scalers, _columns, _densities, _several):
        yield from part()


CASES = tuple(_all())


@cache
def fitted(case: Case) -> Any:
    """The case's estimator, fitted once; what scikit-learn has to say while fitting is not the tests' concern."""
    from sklearn.base import clone

    X, y = data(case.data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(case.estimator).fit(X, y)


def page() -> str:
    """The page: what is exact, where there are kinks or jumps, what is refused and why."""
    from landform.backends.sklearn.refused import REFUSED, REFUSED_METHODS, TREE_PACKAGES, TREES
    from landform.backends.sklearn.registry import translate
    from landform.backends.sklearn.tree_sums import READERS

    lines = [_HEAD]
    for group in dict.fromkeys(case.group for case in CASES):
        lines += [f"\n## {group}\n", "| estimator | method | status |", "|---|---|---|"]
        for case in (c for c in CASES if c.group == group):
            notes = translate(fitted(case), case.method).notes
            status = f"piecewise: {'; '.join(notes)}" if notes else "exact"
            lines.append(f"| {' '.join(case.name.split())} | `{case.method}` | {status} |")
    lines += ["\n## Refused\n", _REFUSED, "\n| estimator | why | what serves instead |", "|---|---|---|"]
    lines += [f"| {name} | {one.why} | {one.remedy} |" for name, one in sorted(REFUSED.items())]
    lines += [f"| {name}, `{method}` | {one.why} | {one.remedy} |" for (name, method), one in REFUSED_METHODS.items()]
    lines += [f"| every model of {name} | {TREES.why} | {TREES.remedy} |" for name in sorted(TREE_PACKAGES)]
    lines += ["\n## Smoothed by a stated width\n", _SMOOTHED, "", ", ".join(sorted(READERS)) + "."]
    return "\n".join(lines) + "\n"


_HEAD = """# Estimators

What `landform.from_sklearn(estimator, X, method=...)` translates, written by `python tests/estimators.py` from the table
that the tests go through: values against the estimator's own on every row, Jacobian and Hessian against extrapolated
differences of its own method, and finite derivatives at training rows and at zero.

*Exact*: the derivatives of a smooth function, to rounding. *Piecewise*: exact too, except where the function has a kink or a
jump; the model's `notes` say so, as the table does."""

_SMOOTHED = """Sums of trees that `smooth=` takes, alone or behind steps that scale or select inputs:"""

_REFUSED = """These have no derivative worth having. For step functions there are three honest ways on ([black_box.md](black_box.md)):
`landform.secant` gives finite effects over a stated step, `from_sklearn(..., smooth=width)` the exact derivatives of smoothed
trees, `landform.distill` a smooth stand-in with its measured fidelity. Labels (`predict` of a classifier) are refused for the
same reason, isotonic calibration and hard votes too. Encoders of categories have a way of their own: `held={column: value}`."""

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
