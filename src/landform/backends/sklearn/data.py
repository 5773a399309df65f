"""Rows to check a translation on: refused at the door where they do not fit, and what the estimator makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from landform.backends.jax import double_precision
from landform.backends.sklearn.catalogue import METHODS
from landform.errors import ModelError, ShapeError

ARGUMENT = "argument X"


def as_table(x: Any) -> Any:
    """A single point as a table of one row; a table stays."""
    return np.asarray(x)[None] if not hasattr(x, "columns") and not sparse.issparse(x) and np.ndim(x) == 1 else x


def checked_rows(estimator: Any, X: Any) -> np.ndarray:
    """The rows as numbers.

    Raises
    ------
    ShapeError
        If they are sparse, not a table, not numbers, not finite, none, or have other columns than at fit time.
    """
    if sparse.issparse(X):
        raise ShapeError("a dense table", got=f"a sparse {type(X).__name__}", remedy="pass X.toarray()", where=ARGUMENT)
    refuse_other_columns(estimator, X)
    rows = _numbers(X)
    if rows.ndim != 2 or not len(rows):
        raise ShapeError(
            "a table with one row or more",
            got=f"shape {rows.shape}",
            remedy="pass rows as in training, for one row X[None, :]",
            where=ARGUMENT,
        )
    count = getattr(estimator, "n_features_in_", rows.shape[1])
    if rows.shape[1] != count:
        raise ShapeError(
            f"{count} columns, as at fit time",
            got=f"{rows.shape[1]}",
            remedy="pass the columns it was fitted on",
            where=ARGUMENT,
        )
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
        row, column = bad[0]
        name = X.columns[column] if hasattr(X, "columns") else column
        raise ShapeError(
            "finite numbers",
            got=f"{rows[row, column]} in row {row}, column {name}",
            remedy="drop the row or fill the gap: no derivative exists where a value is missing",
            where=ARGUMENT,
        )
    return rows


def refuse_text(X: Any, where: str = ARGUMENT) -> None:
    """Refuse columns of text where nothing holds or compares their levels, and say what does.

    Raises
    ------
    ShapeError
        Naming the column.
    """
    for name in getattr(X, "columns", ()):
        column = X[name]
        if getattr(column, "ndim", 1) == 1 and not pd.api.types.is_numeric_dtype(column) and not _reads(column):
            raise ShapeError(
                "columns of numbers",
                got=f"text in column {name}",
                remedy="pass the other columns and a function of their table that fills in one level and predicts; "
                "landform.sensitivity compares the levels of smooth models",
                where=where,
            )


def _reads(column: Any) -> bool:
    try:
        np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def refuse_other_columns(estimator: Any, X: Any) -> None:
    """Refuse a data frame with other columns than at fit time, in another order, or named twice.

    Raises
    ------
    ShapeError
        Naming them.
    """
    fitted, given = getattr(estimator, "feature_names_in_", None), getattr(X, "columns", None)
    if given is not None and not given.is_unique:
        twice = given[given.duplicated()][0]
        raise ShapeError(
            "every column named once", got=f"{twice!r} twice", remedy="rename or drop one of them", where=ARGUMENT
        )
    if fitted is None or given is None or list(fitted) == list(given):
        return
    missing = [str(name) for name in fitted if name not in list(given)]
    extra = [str(name) for name in given if name not in list(fitted)]
    said = [f"without {', '.join(missing)}"] if missing else []
    said += [f"with {', '.join(extra)}"] if extra else []
    if not said:
        k = next(k for k, (a, b) in enumerate(zip(fitted, given, strict=False)) if a != b)
        said = [f"{given[k]} in place of {fitted[k]} as column {k}"]
    order = ", ".join(map(str, fitted[:8])) + (f" and {len(fitted) - 8} more" if len(fitted) > 8 else "")
    raise ShapeError(
        f"the columns of the fit, in their order ({order})",
        got=" and ".join(said),
        remedy="select them with X[list(estimator.feature_names_in_)]",
        where=ARGUMENT,
    )


def _numbers(X: Any) -> np.ndarray:
    if hasattr(X, "columns"):
        for name in X.columns:
            _refuse_kind(np.asarray(X[name]), f"in column {name}", name)
    plain = np.asarray(X)
    _refuse_kind(plain, "")
    return plain.astype(np.float64)


def _refuse_kind(values: np.ndarray, where: str, name: Any = "column") -> None:
    if values.dtype.kind in "fiub":
        return
    kind = f"dtype {values.dtype} {where}".strip()
    if values.dtype.kind == "O":
        try:
            values.astype(np.float64)
        except (TypeError, ValueError):
            kind = f"{next(v for v in values.ravel() if not isinstance(v, (int, float)))!r} {where}".strip()
        else:
            return
    raise ShapeError(
        "real numbers",
        got=kind,
        remedy=f"convert it, or hold it at a value with held={{{name!r}: ...}}: what is no number has no slope",
        where=ARGUMENT,
    )


def single_precision(estimator: Any, depth: int = 4) -> bool:
    """Whether an estimator, or one inside it, was fitted to numbers in single precision and works in it."""
    if isinstance(estimator, np.ndarray) and estimator.dtype != object:
        return bool(estimator.dtype == np.float32)
    if depth == 0 or type(estimator).__module__.startswith("sklearn.tree"):
        return False
    if isinstance(estimator, (list, tuple)):
        return any(single_precision(one, depth - 1) for one in estimator[:8])
    return hasattr(estimator, "get_params") and any(single_precision(v, depth - 1) for v in vars(estimator).values())


def own_values(estimator: Any, method: str, rows: np.ndarray) -> np.ndarray:
    """What the estimator itself gives for rows, as a table with one row for each."""
    return values_of(estimator, method, own_table(estimator, rows))


def own_table(estimator: Any, rows: np.ndarray) -> Any:
    """Rows of numbers as the estimator saw them when it was fitted: with names or without, and a copy."""
    names = getattr(estimator, "feature_names_in_", None)
    return rows.copy() if names is None else pd.DataFrame(rows.copy(), columns=list(names))


def values_of(estimator: Any, method: str, table: Any) -> np.ndarray:
    """What the estimator itself gives for a table of its own kind.

    Raises
    ------
    ModelError
        If it has no such method.
    """
    if not hasattr(estimator, method.replace("predict_std", "predict").replace("predict_cov", "predict")):
        known = [name for name in METHODS if hasattr(estimator, name)]
        raise ModelError(
            f"method {' or '.join(known)} of {type(estimator).__name__}",
            got=repr(method),
            remedy="choose one with method=",
            where="argument method",
        )
    try:
        return _own(estimator, method, table)
    except Exception as error:
        raise ModelError(
            f"a {type(estimator).__name__} that answers {method} for the rows of X",
            got=f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}",
            remedy="mend that first; if another version of scikit-learn saved it, fit it anew or load it with that one",
        ) from error


def _own(estimator: Any, method: str, table: Any) -> np.ndarray:
    # A function of the user's own may be one of JAX; what is not finite is refused by name, no need to warn of it.
    with double_precision(), np.errstate(all="ignore"):
        if method == "predict_std":
            found = estimator.predict(table, return_std=True)[1]
        elif method == "predict_cov":
            found = [estimator.predict(table[k : k + 1], return_cov=True)[1].ravel() for k in range(len(table))]
        else:
            found = getattr(estimator, method)(table)
    if isinstance(found, list):
        found = np.array(found) if method == "predict_cov" else np.hstack(found)
    if sparse.issparse(found):
        found = found.toarray()
    return np.asarray(found, dtype=np.float64).reshape(len(table), -1)
