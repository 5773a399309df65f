"""Estimators that are sums of trees, read as boxes; and what stands before and after the sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from landform.backends.sklearn.leaves import (
    Leaves,
    categorical,
    join,
    leaves_of_predictor,
    leaves_of_tree,
    side_by_side,
)
from landform.backends.sklearn.linear import BOTH_CLASSES, LOGISTIC, SOFTMAX, exponential
from landform.backends.sklearn.refused import is_flat
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError


@dataclass(frozen=True)
class TreeSum:
    """A sum of trees, a constant, and what is done to it.

    Parameters
    ----------
    leaves : Leaves
        All boxes.
    offset : array, shape (m,)
        What is added.
    link : tuple of Translation
        Steps from the sum to the output, one after the other.
    single : bool
        Whether rows are rounded to single precision before they are looked up, as scikit-learn's trees do.
    """

    leaves: Leaves
    offset: np.ndarray
    link: tuple[Translation, ...] = ()
    single: bool = True


def tree_sum(estimator: Any, method: str) -> TreeSum:
    """An estimator as a sum of trees.

    Raises
    ------
    ModelError
        If it is no sum of trees, or not of a kind that is read here.
    """
    kind = type(estimator)
    read = READERS.get(kind.__name__) if kind.__module__.startswith("sklearn.") else None
    if read is None:
        raise _no_trees(kind)
    return read(estimator, method)


def _no_trees(kind: type) -> ModelError:
    remedy = "take finite effects with landform.secant, or a smooth stand-in with landform.distill"
    if "Neighbors" in kind.__name__:
        return ModelError(
            "trees to smooth",
            got=f"{kind.__name__}, whose cells have too many faces: their smoothed values have no closed form",
            remedy=remedy,
        )
    if kind.__name__ == "AdaBoostRegressor":
        return ModelError("trees that are added", got="AdaBoostRegressor, a median of trees", remedy=remedy)
    return ModelError(
        "a sum of scikit-learn's trees to smooth (docs/estimators.md lists them)",
        got=f"{kind.__module__}.{kind.__qualname__}",
        remedy=remedy if is_flat(kind) else "leave smooth= out",
    )


def _plain(leaves: Leaves, **more: Any) -> TreeSum:
    return TreeSum(leaves, np.zeros(leaves.values.shape[1]), **more)


def _probabilities_only(estimator: Any, method: str, *known: str) -> None:
    if method not in known:
        raise ModelError(
            f"method {' or '.join(known)} of {type(estimator).__name__}",
            got=f"{method!r}" + (", whose labels are piecewise constant however wide" if method == "predict" else ""),
            remedy="choose one with method=",
            where="argument method",
        )


def _tree(estimator: Any, method: str) -> TreeSum:
    """A single tree: means of regression, shares of classes."""
    value = estimator.tree_.value
    if hasattr(estimator, "classes_"):
        _probabilities_only(estimator, method, "predict_proba")
        counts = np.atleast_1d(estimator.n_classes_)
        value = np.concatenate([value[:, k, :count] for k, count in enumerate(counts)], axis=1)
    else:
        _probabilities_only(estimator, method, "predict")
        value = value[:, :, 0]
    return _plain(leaves_of_tree(estimator.tree_, value))


def _forest(estimator: Any, method: str) -> TreeSum:
    trees = [_tree(tree, method).leaves for tree in estimator.estimators_]
    return _plain(join(trees).scaled(1.0 / len(trees)))


def _raw(trees: list[list[Leaves]]) -> Leaves:
    """Boosted trees: iterations by outputs."""
    return join([side_by_side(row) for row in trees])


def _gradient_boosting(estimator: Any, method: str) -> TreeSum:
    if estimator.init_ != "zero" and not type(estimator.init_).__name__.startswith("Dummy"):
        raise ModelError(
            "boosting that starts from a constant",
            got=f"init={type(estimator.init_).__name__}",
            remedy="fit with init=None or 'zero'",
        )
    start = np.ravel(estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32)))
    trees = [[leaves_of_tree(tree.tree_, tree.tree_.value[:, :, 0]) for tree in row] for row in estimator.estimators_]
    total = TreeSum(_raw(trees).scaled(estimator.learning_rate), start)
    if not hasattr(estimator, "classes_"):
        return total
    if estimator.loss == "exponential" and method == "predict_proba":
        total = TreeSum(total.leaves.scaled(2.0), 2.0 * start)
    return _classified(total, estimator, method)


def _classified(total: TreeSum, estimator: Any, method: str) -> TreeSum:
    """Scores of classes, and their probabilities."""
    _probabilities_only(estimator, method, "predict_proba", "decision_function")
    if method == "decision_function":
        return total
    link = (LOGISTIC, BOTH_CLASSES) if len(total.offset) == 1 else (SOFTMAX,)
    return replace(total, link=link)


def _histogram_boosting(estimator: Any, method: str) -> TreeSum:
    if getattr(estimator, "is_categorical_", None) is not None and np.any(estimator.is_categorical_):
        raise categorical()
    trees = [[leaves_of_predictor(one, estimator.n_features_in_) for one in row] for row in estimator._predictors]
    total = TreeSum(_raw(trees), np.ravel(estimator._baseline_prediction).astype(np.float64), single=False)
    if hasattr(estimator, "classes_"):
        return _classified(total, estimator, method)
    logarithmic = type(estimator._loss.link).__name__ == "LogLink"
    return replace(total, link=(Translation(exponential, ()),) if logarithmic else ())


def _summed(estimator: Any, method: str) -> TreeSum:
    """A member of an ensemble: a sum that nothing is done to afterwards."""
    part = tree_sum(estimator, method)
    if part.link:
        raise ModelError(
            "members that are sums of trees",
            got=f"{type(estimator).__name__}, with a link after the sum",
            remedy="smooth this member by itself",
        )
    return part


def _weighted(parts: list[TreeSum], weights: Any = None) -> TreeSum:
    shares = np.ones(len(parts)) if weights is None else np.asarray(weights, dtype=np.float64)
    shares = shares / shares.sum()
    leaves = join([part.leaves.scaled(share) for part, share in zip(parts, shares, strict=True)])
    offset = np.sum([share * part.offset for part, share in zip(parts, shares, strict=True)], axis=0)
    return TreeSum(leaves, offset, single=all(part.single for part in parts))


def _bagging(estimator: Any, method: str) -> TreeSum:
    parts = []
    for member, columns in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        part = _summed(member, method)
        leaves = part.leaves.on_columns(columns, estimator.n_features_in_)
        if method != "predict" and len(member.classes_) < len(estimator.classes_):
            leaves = leaves.scaled(np.eye(len(estimator.classes_))[np.asarray(member.classes_, dtype=np.int64)])
            part = replace(part, offset=np.zeros(len(estimator.classes_)))
        parts.append(replace(part, leaves=leaves))
    return _weighted(parts)


def _voting(estimator: Any, method: str) -> TreeSum:
    if method == "predict_proba" and estimator.voting != "soft":
        raise ModelError("a vote of probabilities", got="voting='hard'", remedy="fit with voting='soft'")
    return _weighted([_summed(member, method) for member in estimator.estimators_], estimator._weights_not_none)


def _votes_of_boosting(estimator: Any, method: str) -> TreeSum:
    """`AdaBoostClassifier`: weighted votes of its trees for their own classes."""
    classes = len(estimator.classes_)
    weights = estimator.estimator_weights_[: len(estimator.estimators_)]
    parts = []
    for tree, weight in zip(estimator.estimators_, weights, strict=True):
        if not hasattr(tree, "tree_"):
            raise _no_trees(type(tree))
        voted = tree.tree_.value[:, 0, :].argmax(axis=1)
        own = np.searchsorted(estimator.classes_, tree.classes_[voted])
        votes = np.where(np.eye(classes)[own] > 0, 1.0, -1.0 / (classes - 1)) * weight
        parts.append(leaves_of_tree(tree.tree_, votes))
    leaves = join(parts).scaled(1.0 / weights.sum())
    if classes == 2:
        leaves = leaves.scaled(np.array([[-1.0], [1.0]]))
    if method == "predict_proba" and classes > 2:
        leaves = leaves.scaled(1.0 / (classes - 1))
    return _classified(_plain(leaves), estimator, method)


def _several(estimator: Any, method: str) -> TreeSum:
    parts = [_summed(member, method) for member in estimator.estimators_]
    offset = np.concatenate([part.offset for part in parts])
    return TreeSum(side_by_side([p.leaves for p in parts]), offset, single=all(p.single for p in parts))


def _inner(estimator: Any, method: str) -> TreeSum:
    return tree_sum(getattr(estimator, "best_estimator_", None) or estimator.estimator, method)


READERS: dict[str, Callable[[Any, str], TreeSum]] = {
    **dict.fromkeys(
        ("DecisionTreeRegressor", "DecisionTreeClassifier", "ExtraTreeRegressor", "ExtraTreeClassifier"), _tree
    ),
    **dict.fromkeys(
        ("RandomForestRegressor", "RandomForestClassifier", "ExtraTreesRegressor", "ExtraTreesClassifier"), _forest
    ),
    **dict.fromkeys(("GradientBoostingRegressor", "GradientBoostingClassifier"), _gradient_boosting),
    **dict.fromkeys(("HistGradientBoostingRegressor", "HistGradientBoostingClassifier"), _histogram_boosting),
    **dict.fromkeys(("BaggingRegressor", "BaggingClassifier"), _bagging),
    **dict.fromkeys(("VotingRegressor", "VotingClassifier"), _voting),
    "AdaBoostClassifier": _votes_of_boosting,
    "MultiOutputRegressor": _several,
    **dict.fromkeys(("GridSearchCV", "RandomizedSearchCV", "FrozenEstimator"), _inner),
}
