"""Estimators around one other: searches, robust fits, selected features, transformed targets, calibration."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.columns import translate_selection
from landform.backends.sklearn.join import average, chain, side_by_side, take, times
from landform.backends.sklearn.linear import BOTH_CLASSES, LOGISTIC, SHARES, SOFTMAX
from landform.backends.sklearn.registry import Translation, translate
from landform.errors import ModelError


def translate_inner(estimator: Any, method: str) -> Translation:
    """The estimator inside: the best of a search, the last of a robust fit, the one that is frozen or retrained."""
    names = ("estimator",) if type(estimator).__name__ == "FrozenEstimator" else ("best_estimator_", "estimator_")
    for name in names:
        if hasattr(estimator, name):
            return translate(getattr(estimator, name), method)
    raise ModelError("a search that keeps its best estimator", got="refit=False", remedy="search with refit=True")


def translate_selected(estimator: Any, method: str) -> Translation:
    """`RFE` and `RFECV`: the estimator on the features that were kept."""
    return chain([translate_selection(estimator, "transform"), translate(estimator.estimator_, method)])


def translate_target(estimator: Any, method: str) -> Translation:
    """`TransformedTargetRegressor`: the way back from the transformed target comes last."""
    back = translate(estimator.transformer_, "inverse_transform")
    return chain([translate(estimator.regressor_, "predict"), back])


def log_probabilities(x: jax.Array) -> jax.Array:
    """Log of probabilities, kept finite as scikit-learn keeps it."""
    return jnp.log(x + 1e-12)


def two_sided(x: jax.Array) -> jax.Array:
    """Minus a decision, and the decision."""
    return jnp.concatenate([-x, x])


def lines(x: jax.Array, slopes: jax.Array, shifts: jax.Array) -> jax.Array:
    """A straight line of every entry."""
    return slopes * x + shifts


def _calibrated(one: Any) -> Translation:
    """One calibrated classifier of the several that are averaged."""
    inner, count = one.estimator, len(one.classes)
    scores = hasattr(inner, "decision_function")
    raw = translate(inner, "decision_function" if scores else "predict_proba")
    if len(inner.classes_) != count:
        raise ModelError("classes that occur in every fold", got=f"{len(inner.classes_)} of {count}", remedy="fit anew")
    if one.method == "temperature":
        logits = [raw] if scores and count > 2 else [raw, Translation(two_sided if scores else log_probabilities, ())]
        return chain([*logits, Translation(times, (np.float64(one.calibrators[0].beta_),)), SOFTMAX])
    if one.method != "sigmoid":
        raise ModelError(
            "calibration by a sigmoid or a temperature",
            got=f"{one.method!r}, flat stretches joined by ramps a few rows wide, whose slopes mean little",
            remedy="fit with method='sigmoid'",
        )
    if count == 2 and not scores:
        raw = chain([raw, Translation(take, (np.array([1]),))])
    slopes = np.array([c.a_ for c in one.calibrators], dtype=np.float64)
    shifts = np.array([c.b_ for c in one.calibrators], dtype=np.float64)
    line = Translation(lines, (-slopes, -shifts))
    return chain([raw, line, LOGISTIC, BOTH_CLASSES if count == 2 else SHARES])


def translate_calibrated(estimator: Any, method: str) -> Translation:
    """`CalibratedClassifierCV`, the mean over its folds."""
    parts = [_calibrated(one) for one in estimator.calibrated_classifiers_]
    return average(parts, len(estimator.classes_)) if len(parts) > 1 else side_by_side(parts)
