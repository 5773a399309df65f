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
    if inside is not None and len(inside.places) == len(columns):
        if isinstance(inside, Coded):
            return on_columns(inside.part(transformer), columns, n)
        return constant_part(transformer, inside)
    with holding(inside):
        passed = isinstance(transformer, str) and transformer == "passthrough"
        part = Translation(identity, ()) if passed else translate(transformer, "transform")
    return on_columns(part, columns, n)


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
    """`SimpleImputer` on rows that miss nothing: the columns it keeps, as they are."""
    if not (isinstance(estimator.missing_values, float) and np.isnan(estimator.missing_values)):
        raise ModelError(
            "a SimpleImputer of missing_values=nan",
            got=repr(estimator.missing_values),
            remedy="fit with NaN for what is missing: a value that is replaced makes the function jump",
        )
    if estimator.add_indicator:
        raise ModelError(
            "a SimpleImputer without indicator",
            got="add_indicator=True",
            remedy="fit without it: an indicator has no slope",
        )
    statistics = np.asarray(estimator.statistics_, dtype=np.float64)
    if estimator.keep_empty_features:
        return Translation(identity, ())
    return on_columns(Translation(identity, ()), np.flatnonzero(~np.isnan(statistics)), len(statistics))
