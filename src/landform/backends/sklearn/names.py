"""Names of a fitted estimator's inputs and outputs."""

from __future__ import annotations

from typing import Any

import numpy as np


def input_names(estimator: Any, X: Any, count: int) -> tuple[str, ...]:
    """``feature_names_in_``, else the columns of the data frame, else x0, x1 and so on."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = getattr(X, "columns", None)
    return tuple(f"x{i}" for i in range(count)) if names is None else tuple(map(str, names))


def output_names(estimator: Any, method: str, count: int) -> tuple[str, ...]:
    """Classes of a classifier, ``get_feature_names_out`` of a transformer, else y, or y0, y1 and so on."""
    if method == "transform":
        names = _features_out(estimator)
    elif method in ("predict_proba", "decision_function"):
        names = _class_names(getattr(estimator, "classes_", None), count, _votes_by_pair(estimator))
    else:
        names = ()
    if len(names) == count == len(set(names)):
        return names
    return ("y",) if count == 1 else tuple(f"y{k}" for k in range(count))


def _features_out(estimator: Any) -> tuple[str, ...]:
    try:
        return tuple(map(str, estimator.get_feature_names_out()))
    except (AttributeError, ValueError, NotImplementedError):
        return ()


def _votes_by_pair(estimator: Any) -> bool:
    """Whether the estimator at the heart of pipelines and searches decides between pairs of classes."""
    for name in ("best_estimator_", "_final_estimator", "estimator_"):
        if hasattr(estimator, name):
            return _votes_by_pair(getattr(estimator, name))
    return getattr(estimator, "decision_function_shape", "") == "ovo"


def _class_names(classes: Any, count: int, by_pair: bool) -> tuple[str, ...]:
    """The classes; of two classes with one decision the second; of pairs both; of several labels with their number."""
    if classes is None:
        return ()
    if isinstance(classes, list):
        if count == len(classes):
            return tuple(f"y{k}: {np.asarray(own)[-1]}" for k, own in enumerate(classes))
        return tuple(f"y{k}: {name}" for k, own in enumerate(classes) for name in own)
    names = [str(name) for name in np.asarray(classes).ravel()]
    if count == 1 and len(names) == 2:
        return (names[1],)
    pairs = [f"{a} against {b}" for i, a in enumerate(names) for b in names[i + 1 :]]
    return tuple(pairs if by_pair and count == len(pairs) else names)
