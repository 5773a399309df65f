"""Ensembles of smooth members: averaged, stacked, bagged."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import average, chain, identity, mix, on_columns, side_by_side, take
from landform.backends.sklearn.registry import Translation, translate
from landform.errors import ModelError


def translate_voting(estimator: Any, method: str) -> Translation:
    """`VotingRegressor`, and `VotingClassifier` that votes with probabilities."""
    outputs = 1 if method == "predict" else len(estimator.classes_)
    parts = [translate(member, method) for member in estimator.estimators_]
    return average(parts, outputs, estimator._weights_not_none)


def translate_votes(estimator: Any, method: str) -> Translation:
    """What `VotingRegressor` and `VotingClassifier` transform to: their members' predictions side by side."""
    classes = getattr(estimator, "classes_", None)
    if classes is not None and (estimator.voting == "hard" or not estimator.flatten_transform):
        raise ModelError(
            "a VotingClassifier with voting='soft' and flatten_transform=True",
            got=f"voting={estimator.voting!r}, flatten_transform={estimator.flatten_transform}",
            remedy="set these: labels are piecewise constant, and a model's outputs are one row",
        )
    way = "predict" if classes is None else "predict_proba"
    return side_by_side([translate(member, way) for member in estimator.estimators_])


def translate_stacking(estimator: Any, method: str) -> Translation:
    """Members' predictions as the inputs of a final estimator."""
    return chain([translate_stacked(estimator, "transform"), translate(estimator.final_estimator_, method)])


def translate_stacked(estimator: Any, method: str) -> Translation:
    """What `StackingRegressor` and `StackingClassifier` transform to: what their final estimator sees."""
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list):
        raise ModelError("a StackingClassifier of one label", got="several", remedy="fit one for each label")
    names = [name for name in estimator.stack_method_ if name != "drop"]
    parts = []
    for member, own in zip(estimator.estimators_, names, strict=True):
        if own == "predict" and classes is not None:
            raise ModelError(
                "members stacked by probabilities or decisions",
                got=f"predicted labels of {type(member).__name__}",
                remedy="set stack_method to 'predict_proba' or 'decision_function'",
            )
        part = translate(member, own)
        if own == "predict_proba" and classes is not None and len(classes) == 2:
            part = chain([part, Translation(take, (np.array([1]),))])
        parts.append(part)
    parts += [Translation(identity, ())] if estimator.passthrough else []
    return side_by_side(parts)


def _member(estimator: Any, member: Any, columns: Any, method: str) -> Translation:
    part = on_columns(translate(member, method), columns, estimator.n_features_in_)
    classes = getattr(estimator, "classes_", ())
    if method == "predict" or len(member.classes_) == len(classes):
        return part
    placed = np.eye(len(classes))[:, np.asarray(member.classes_, dtype=np.int64)]
    return chain([part, Translation(mix, (placed,))])


def translate_bagging(estimator: Any, method: str) -> Translation:
    """`BaggingRegressor` and `BaggingClassifier`: the mean of members, each on its own columns."""
    members = list(zip(estimator.estimators_, estimator.estimators_features_, strict=True))
    if method == "predict_proba" and not all(hasattr(member, "predict_proba") for member, _ in members):
        raise ModelError(
            "members with probabilities",
            got=f"votes of {type(members[0][0]).__name__}, which are piecewise constant",
            remedy="take method='decision_function', or bag estimators with predict_proba",
        )
    parts = [_member(estimator, member, columns, method) for member, columns in members]
    if method == "predict":
        return chain([side_by_side(parts), Translation(mean_of_rows, (np.zeros(len(parts)),))])
    outputs = len(estimator.classes_)
    outputs = 1 if method == "decision_function" and outputs == 2 else outputs
    return average(parts, outputs)


def mean_of_rows(x: jax.Array, rows: jax.Array) -> jax.Array:
    """The mean of as many equal stretches of x as there are rows."""
    return jnp.mean(x.reshape(rows.shape[0], -1), axis=0)
