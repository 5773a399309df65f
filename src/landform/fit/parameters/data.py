"""Observations as a fit takes them: conditions, what was measured, and how much each row weighs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError, TableError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Data:
    """Rows of conditions and measurements.

    Parameters
    ----------
    x : array or dict of arrays
        What the model is evaluated at, as the model takes it.
    y : array, shape (m,) or (m, k)
        What was measured.
    weights : array, of the shape of y
        One over the standard deviation of each measurement; 1 where none is known.
    known : bool
        Whether the standard deviations were given, so that the noise need not be estimated.
    """

    x: Any
    y: Float[Array, ...]
    weights: Float[Array, ...]
    known: bool


def read_data(data: Any, *, target: str | None, errors: Any, weights: Any) -> Data:
    """Read ``(x, y)`` or a data frame with the column of the measurements named.

    Raises
    ------
    ShapeError
        If the parts do not fit together.
    TableError
        If a number is missing; its row (and column) is named.
    """
    if errors is not None and weights is not None:
        raise ShapeError(
            "errors or weights", got="both", remedy="errors are standard deviations, weights only ratios; give one"
        )
    if hasattr(data, "columns"):
        x, y, spread = _from_frame(data, target, errors)
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        x = {k: np.asarray(v) for k, v in data[0].items()} if isinstance(data[0], Mapping) else np.asarray(data[0])
        y, spread = np.asarray(data[1]), errors
    else:
        raise ShapeError(
            "a pair (x, y), or a data frame with target=",
            got=type(data).__name__,
            remedy="pass the conditions and the measurements",
            where="argument data",
        )
    y = _numbers(y, "y")
    for name, column in x.items() if isinstance(x, dict) else [("x", x)]:
        if np.issubdtype(column.dtype, np.number):
            _numbers(column, name)
    known = spread is not None
    scale = _like(spread, y, "errors") if known else np.ones_like(y)
    ratio = np.sqrt(_like(weights, y, "weights")) if weights is not None else np.ones_like(y)
    return Data(x, y, ratio / scale, known)


def _from_frame(frame: pd.DataFrame, target: str | None, errors: Any) -> tuple[Any, Any, Any]:
    if target is None or target not in frame.columns:
        raise ShapeError(
            "the name of the column that was measured",
            got=repr(target),
            remedy=f"pass target= one of {', '.join(map(str, frame.columns))}",
            where="argument target",
        )
    spread = frame[errors].to_numpy() if isinstance(errors, str) and errors in frame.columns else errors
    x = {str(name): frame[name].to_numpy() for name in frame.columns if name not in (target, errors)}
    return x, frame[target].to_numpy(), spread


def _numbers(values: Any, name: str) -> Float[Array, ...]:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TableError("numbers", got="text", remedy="convert it or leave it out", where=f"column {name!r}") from None
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        raise TableError(
            "a number in every row",
            got=f"{numbers[tuple(bad[0])]}",
            remedy="leave the row out",
            where=f"column {name!r}, row {bad[0][0]}",
        )
    return numbers


def _like(values: Any, y: Float[Array, ...], what: str) -> Float[Array, ...]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1 and y.ndim == 2 and len(array) == len(y):
        array = array[:, None]
    try:
        found = np.array(np.broadcast_to(array, y.shape))
    except ValueError:
        raise ShapeError(
            f"one number, or one for each of {len(y)} rows",
            got=f"shape {array.shape}",
            remedy="give as many as there are measurements",
            where=f"argument {what}",
        ) from None
    if not (np.isfinite(found) & (found > 0)).all():
        raise ShapeError(
            "positive numbers", got=f"{found.min():g}", remedy="leave such rows out", where=f"argument {what}"
        )
    return found
