"""Columns: transformers on some of them, several side by side, a selection, missing values filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from landform.backends.sklearn.coded import Coded
from landform.backends.sklearn.held import Held, constant_part, held_now, holding
from landform.backends.sklearn.join import chain, identity, nothing, on_columns, side_by_side, take, times
from landform.backends.sklearn.registry import Translation, translate
from landform.errors import ModelError


def translate_columns(estimator: Any, method: str) -> Translation:
    """`ColumnTransformer`: every transformer on its own columns, dropped ones left out."""
    parts, n = [], estimator.n_features_in_
    weights = estimator.transformer_weights or {}
    for name, transformer, _ in estimator.transformers_:
        columns = np.asarray(estimator._transformer_to_input_indices[name], dtype=np.int64)
        if (isinstance(transformer, str) and transformer == "drop") or not len(columns):
            continue
        part = _part(transformer, columns, n, held_now())
        parts.append(chain([part, Translation(times, (np.float64(weights[name]),))]) if name in weights else part)
    return side_by_side(parts) if parts else Translation(nothing, ())


def _part(transformer: Any, columns: np.ndarray, n: int, held: Held | None) -> Translation:
    """One transformer on its columns, a constant where all are held, a table where all are coded."""
    inside = None if held is None else held.of(columns)
    if inside is not None and len(inside.places) == len(columns) and not isinstance(inside, Coded):
        return constant_part(transformer, inside)
    with holding(inside):
        return on_columns(translate_step(transformer), columns, n)


def translate_step(transformer: Any) -> Translation:
    """A transformer that sees the columns of the table: a table of levels where all of them are coded."""
    held = held_now()
    if isinstance(held, Coded) and len(held.places) == held.row.shape[1]:
        return held.part(transformer)
    passed = isinstance(transformer, str) and transformer == "passthrough"
    return Translation(identity, ()) if passed else translate(transformer, "transform")


def translate_union(estimator: Any, method: str) -> Translation:
    """`FeatureUnion`."""
    parts, weights = [], estimator.transformer_weights or {}
    for name, transformer in estimator.transformer_list:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        passed = isinstance(transformer, str) and transformer == "passthrough"
        part = Translation(identity, ()) if passed else translate(transformer, "transform")
        parts.append(chain([part, Translation(times, (np.float64(weights[name]),))]) if name in weights else part)
    return side_by_side(parts) if parts else Translation(nothing, ())


def translate_selection(estimator: Any, method: str) -> Translation:
    """Selectors of features: the columns that were kept."""
    return Translation(take, (np.asarray(estimator.get_support(indices=True), dtype=np.int64),))


def translate_imputer(estimator: Any, method: str) -> Translation:
    """`SimpleImputer`, `KNNImputer`, `IterativeImputer` on rows that miss nothing: the columns they keep."""
    name = type(estimator).__name__
    if not (isinstance(estimator.missing_values, float) and np.isnan(estimator.missing_values)):
        raise ModelError(
            f"a {name} of missing_values=nan",
            got=repr(estimator.missing_values),
            remedy="fit with NaN for what is missing: a value that is replaced makes the function jump",
        )
    if estimator.add_indicator:
        raise ModelError(
            f"a {name} without indicator",
            got="add_indicator=True",
            remedy="fit without it: an indicator has no slope",
        )
    empty = _empty_columns(estimator)
    if name != "SimpleImputer" and empty.any() and estimator.keep_empty_features:
        raise ModelError(
            f"a {name} that drops columns without any value",
            got="keep_empty_features=True with such a column",
            remedy="drop that column before the fit",
        )
    if estimator.keep_empty_features:
        return Translation(identity, ())
    return on_columns(Translation(identity, ()), np.flatnonzero(~empty), len(empty))


def _empty_columns(estimator: Any) -> np.ndarray:
    """Which columns had no value at fit time."""
    if type(estimator).__name__ == "KNNImputer":
        return np.asarray(~estimator._valid_mask)
    inner = getattr(estimator, "initial_imputer_", estimator)
    return np.isnan(np.asarray(inner.statistics_, dtype=np.float64))
