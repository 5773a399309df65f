"""Which classes have no derivative worth having, why, and what serves instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why a class is refused.

    Parameters
    ----------
    why : str
        In words.
    remedy : str
        What serves instead.
    flat : bool
        Whether its derivative is zero almost everywhere.
    """

    why: str
    remedy: str = "take finite effects with landform.secant, or fit a smooth stand-in with landform.distill"
    flat: bool = False

    def __str__(self) -> str:
        return f"whose derivative is zero almost everywhere: {self.why}" if self.flat else f"which has none: {self.why}"


CODES = "its output jumps between codes"
TREES = Refusal("a sum of trees is piecewise constant", flat=True)

_AFTER = "differentiate the steps after it, by its output"

_GROUPS: tuple[tuple[Refusal, str], ...] = (
    (
        TREES,
        """DecisionTreeRegressor DecisionTreeClassifier ExtraTreeRegressor ExtraTreeClassifier RandomForestRegressor
        RandomForestClassifier ExtraTreesRegressor ExtraTreesClassifier GradientBoostingRegressor
        GradientBoostingClassifier HistGradientBoostingRegressor HistGradientBoostingClassifier IsolationForest
        RandomTreesEmbedding""",
    ),
    (
        Refusal("boosting takes medians or votes of its members", flat=True),
        "AdaBoostRegressor AdaBoostClassifier",
    ),
    (
        Refusal("it jumps where the nearest neighbors change"),
        """KNeighborsRegressor KNeighborsClassifier RadiusNeighborsRegressor RadiusNeighborsClassifier
        LocalOutlierFactor KNeighborsTransformer RadiusNeighborsTransformer NearestNeighbors Isomap
        LocallyLinearEmbedding""",
    ),
    (
        Refusal(
            CODES,
            "hold its columns at one value each with held={column: value}: the model is then one of the others",
            flat=True,
        ),
        "OneHotEncoder OrdinalEncoder TargetEncoder MissingIndicator",
    ),
    (Refusal("it looks categories up in a table", flat=True), "CategoricalNB"),
    (Refusal("it predicts labels alone", flat=True), "OutputCodeClassifier"),
    (Refusal("it does not look at its inputs", flat=True), "DummyRegressor DummyClassifier"),
    (
        Refusal("it names the nearest cluster", "take distances from centers, such as KMeans.transform", flat=True),
        "AffinityPropagation MeanShift",
    ),
    (
        Refusal(
            "it places the rows it was fitted on and has no answer for others",
            "take one that transforms new rows, such as PCA, KernelPCA or KMeans",
        ),
        """AgglomerativeClustering DBSCAN HDBSCAN OPTICS SpectralClustering SpectralBiclustering SpectralCoclustering
        MDS ClassicalMDS TSNE SpectralEmbedding""",
    ),
    (
        Refusal(
            "it describes a whole table and gives no value for a row",
            "take the density of a GaussianMixture, or the distance of an EllipticEnvelope",
        ),
        "EmpiricalCovariance GraphicalLasso GraphicalLassoCV LedoitWolf MinCovDet OAS ShrunkCovariance",
    ),
    (
        Refusal(
            "a row's weights depend on the rows beside it: they start from the mean of all and stop together",
            "take PCA, FactorAnalysis or FastICA",
        ),
        "NMF MiniBatchNMF",
    ),
    (Refusal("it reads text, which has no slope", _AFTER), "CountVectorizer TfidfVectorizer HashingVectorizer"),
    (Refusal("it reads dictionaries, not rows of numbers", _AFTER), "DictVectorizer FeatureHasher"),
    (Refusal("it cuts images into patches, which are no rows of named inputs", _AFTER), "PatchExtractor"),
    (
        Refusal("it codes the target, not the inputs", "fit the estimator to what it gives"),
        "LabelEncoder LabelBinarizer MultiLabelBinarizer",
    ),
)

REFUSED = {name: refusal for refusal, names in _GROUPS for name in names.split()}
"""scikit-learn classes that no method of theirs saves, with the reason."""

REFUSED_METHODS = {
    ("BernoulliRBM", "score_samples"): Refusal("it draws random numbers at every call", "take transform")
}
"""Single methods."""

TREE_PACKAGES = ("xgboost", "lightgbm", "catboost")
"""Packages whose models are sums of trees."""


def refusal(kind: type, method: str = "") -> Refusal | None:
    """Why a class, or a method of it, is refused; None where it is not known to be.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> refusal(DecisionTreeRegressor).why
    'a sum of trees is piecewise constant'
    """
    package = kind.__module__.split(".")[0]
    if package in TREE_PACKAGES:
        return TREES
    if package != "sklearn":
        return None
    return REFUSED.get(kind.__name__) or REFUSED_METHODS.get((kind.__name__, method))


def is_flat(kind: type) -> bool:
    """Whether a class is a step function, known by name."""
    found = refusal(kind)
    return found is not None and found.flat
