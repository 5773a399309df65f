"""Anything that predicts, as one function of a table: a model, a fitted estimator of any package, a plain function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.batch import checked_table
from landform.backends.model import Model
from landform.errors import ModelError, ShapeError


@dataclass(frozen=True)
class Predictor:
    """A function of a table of shape (rows, n) to one of shape (rows, m), with names.

    Parameters
    ----------
    function : callable
        Of a NumPy table.
    inputs, outputs : tuple of str
        Names.
    rows : array, shape (rows, n)
        The table that it was made with, as numbers.
    """

    function: Callable[[np.ndarray], Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: Float[np.ndarray, "rows n"]

    def __call__(self, X: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "rows m"]:
        """The outputs at every row.

        Raises
        ------
        ShapeError
            If there is not one finite row of numbers for every row.
        """
        return _table(self.function(X), len(X))


def _table(found: Any, rows: int) -> np.ndarray:
    try:
        values = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError("numbers as outputs", got=str(error)[:80], remedy="return floats") from error
    if values.ndim not in (1, 2) or len(values) != rows or not np.all(np.isfinite(values)):
        shown = (
            f"shape {values.shape}" if len(np.atleast_1d(values)) != rows or values.ndim not in (1, 2) else "NaN or inf"
        )
        raise ShapeError(
            f"one finite output, or one row of them, for each of {rows} rows",
            got=shown,
            remedy="pass a function of a table, such as an estimator's predict",
        )
    return values.reshape(rows, -1)


def as_predictor(model: Any, X: Any, *, method: str = "auto") -> Predictor:
    """One form for all that predicts.

    Parameters
    ----------
    model : Model, estimator or callable
        A callable takes a table of shape (rows, n) to shape (rows,) or (rows, m).
    X : array or data frame, shape (rows, n)
        Real rows: they give the number of inputs, and their names where the model has none.
    method : str
        Which of an estimator's methods; "auto" is the prediction of a regressor, the probabilities of a classifier.

    Raises
    ------
    ModelError
        If it does not predict, or has no such method.
    ShapeError
        If the rows do not fit.
    """
    from landform.backends.sklearn.data import checked_rows, own_values, refuse_text
    from landform.backends.sklearn.names import input_names, output_names
    from landform.backends.sklearn.registry import default_method
    from landform.backends.sklearn.wrap import refuse_unfitted

    if isinstance(model, Model):
        return Predictor(model.values, model.inputs, model.outputs, checked_table(model, X))
    refuse_text(X)
    rows = checked_rows(model, X)
    if hasattr(model, "fit") or isinstance(model, type):
        refuse_unfitted(model)
        chosen = default_method(model) if method == "auto" else method
        count = own_values(model, chosen, rows[:1]).shape[1]
        names = input_names(model, X, rows.shape[1]), output_names(model, chosen, count)
        return Predictor(lambda table: own_values(model, chosen, table), *names, rows)
    if not callable(model):
        raise ModelError(
            "a fitted estimator, a model or a function of a table", got=repr(model)[:60], remedy="pass one of these"
        )
    count = _table(model(rows[:1]), 1).shape[1]
    names = input_names(model, X, rows.shape[1]), output_names(model, "predict", count)
    return Predictor(model, *names, rows)
