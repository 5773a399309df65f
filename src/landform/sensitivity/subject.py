"""What is asked about: a model of any origin with its rows, and how its slopes are had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from jaxtyping import Float

from landform.backends import Model, from_sklearn
from landform.backends.batch import checked_table
from landform.backends.closed import values_and_slopes
from landform.backends.sklearn.coded import Coded, coded_columns, coded_rows, is_number
from landform.backends.sklearn.core import core_of
from landform.backends.sklearn.data import checked_rows
from landform.backends.sklearn.refused import CODES, refusal
from landform.backends.sklearn.registry import default_method
from landform.backends.sklearn.wrap import from_categories, refuse_unfitted
from landform.derivatives import Prepared, hessian, jacobian, prepare
from landform.derivatives.rows import blocks, curves_at, slopes_at, values_at
from landform.errors import ModelError, ShapeError
from landform.sensitivity.odds import log_odds_of

Array = np.ndarray
Derivatives = Literal["auto", "exact", "numeric"]
_LINES = 2


class Taken(NamedTuple):
    """Outputs and Jacobians at rows, and the errors of numeric ones."""

    values: Float[Array, "rows m"]
    jacobians: Float[Array, "rows m d"]
    errors: Float[Array, "rows m d"] | None = None


class Slopes(Protocol):
    """Values, slopes and curves of a function at many rows."""

    @property
    def how(self) -> str:
        """In words."""

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Outputs at every row."""

    def slopes(self, X: Float[Array, "rows d"]) -> Taken:
        """Outputs and Jacobians at every row."""

    def curves(self, X: Float[Array, "rows d"]) -> Iterator[tuple[slice, Float[Array, "some m d d"]]]:
        """Hessians of every output, block by block."""


@dataclass(frozen=True, eq=False)
class ExactSlopes:
    """In closed form where the model has one, else by automatic differentiation."""

    model: Model
    at: Float[Array, " d"]

    @property
    def how(self) -> str:
        """In words."""
        return "exact: automatic differentiation" if self.model.closed is None else "exact: closed form"

    @cached_property
    def prepared(self) -> Prepared:
        """The model's compiled derivatives."""
        return prepare(self.model, self.at, effort="quick", finite=False)

    def like(self, model: Model) -> ExactSlopes:
        """The same of another model; what is compiled is shared where only the numbers in it differ."""
        found = ExactSlopes(model, self.at)
        if model.closed is not None:
            return found
        own, other = (_shapes(one.args) for one in (self.model, model))
        if model.function is self.model.function and own == other:
            prepared = replace(self.prepared, target=replace(self.prepared.target, args=model.args))
            found.__dict__["prepared"] = prepared
        return found

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Outputs at every row."""
        return values_at(self.prepared, X) if self.model.closed is None else self.model.values(X)

    def slopes(self, X: Float[Array, "rows d"]) -> Taken:
        """Outputs and Jacobians at every row."""
        if self.model.closed is None:
            return Taken(*slopes_at(self.prepared, X))
        m = len(self.model.outputs)
        parts = [values_and_slopes(self.model.closed, X[part], m) for part in blocks(len(X), m * X.shape[1])]
        return Taken(np.concatenate([Y for Y, _ in parts]), np.concatenate([J for _, J in parts]))

    def curves(self, X: Float[Array, "rows d"]) -> Iterator[tuple[slice, Float[Array, "some m d d"]]]:
        """Hessians of every output, block by block."""
        if self.model.closed is None:
            yield from curves_at(self.prepared, X)
            return
        for part in blocks(len(X), len(self.model.outputs) * X.shape[1] ** 2):
            yield part, self.model.hessians(X[part])


def _shapes(args: Any) -> Any:
    """The shapes of all arrays in nested tuples."""
    return tuple(map(_shapes, args)) if isinstance(args, tuple) else np.shape(args)


@dataclass(frozen=True, eq=False)
class NumericSlopes:
    """From values alone: about 14 evaluations for every input and row."""

    rows: Callable[[Float[Array, "rows d"]], Float[Array, "rows m"]]
    bounds: tuple[Array, Array] | None = None
    how: str = "numeric: from values alone"

    def _one(self, x: Float[Array, " d"]) -> Float[Array, " m"]:
        return self.rows(np.asarray(x)[None])[0]

    @property
    def _options(self) -> dict[str, Any]:
        return {"mode": "numeric"} | ({} if self.bounds is None else {"bounds": self.bounds})

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Outputs at every row."""
        return self.rows(X)

    def slopes(self, X: Float[Array, "rows d"]) -> Taken:
        """Outputs and Jacobians at every row."""
        found: list[Any] = [jacobian(self._one, x, **self._options) for x in X]
        errors = np.stack([J.error() for J in found])
        return Taken(self.rows(X), np.stack([J.dense() for J in found]), errors)

    def curves(self, X: Float[Array, "rows d"]) -> Iterator[tuple[slice, Float[Array, "some m d d"]]]:
        """Hessians of every output, a row at a time."""
        outputs = self.rows(X[:1]).shape[1]
        for k, x in enumerate(X):
            found = [hessian(self._one, x, weights=w, **self._options).dense() for w in np.eye(outputs)]
            yield slice(k, k + 1), np.stack(found)[None]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the rows it is asked about.

    Parameters
    ----------
    slopes : Slopes
        How values and derivatives are had.
    X : array, shape (rows, d)
        The rows.
    inputs, outputs : tuple of str
        Names.
    notes : tuple of str
        Where the model is not smooth.
    estimator : estimator or None
        The fitted scikit-learn estimator, where it is one.
    method : str
        Which of its methods is meant.
    odds : bool
        Whether log-odds stand in place of probabilities.
    coded : Coded or None
        Columns that hold levels of categories, where the estimator encodes them itself.
    """

    slopes: Slopes
    X: Float[Array, "rows d"]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    estimator: Any = None
    method: str = ""
    odds: bool = False
    coded: Coded | None = None

    def rows(self, table: Any) -> Float[Array, "rows d"]:
        """Another table of the estimator's own kind as numbers."""
        if self.coded is not None:
            return coded_rows(self.estimator, table, self.coded)
        return checked_rows(self.estimator, table)

    def level(self, name: str, code: float) -> str:
        """What a code of a category stands for."""
        place = self.inputs.index(name) if name in self.inputs else -1
        if self.coded is None or place not in self.coded.levels:
            return f"{code:g}"
        known, codes = self.coded.levels[place]
        level = known[int(np.argmin(np.abs(codes - code)))]
        return f"{level:g}" if isinstance(level, (int, float)) else str(level)


def subject_of(
    model: Any,
    X: Any,
    *,
    method: str = "auto",
    derivatives: Derivatives = "auto",
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    bounds: tuple[Array, Array] | None = None,
    categories: Sequence[str] = (),
) -> Subject:
    """A model of any origin and its rows, refused at the door where they do not fit.

    Parameters
    ----------
    model : Model, estimator or callable
        As for `landform.sensitivity`.
    X : array or data frame, shape (rows, d)
        The rows.
    method, derivatives, inputs, outputs
        As for `landform.sensitivity`.
    bounds : pair of arrays, optional
        Limits that numeric steps must not leave.
    categories : sequence of str
        Columns of a data frame that hold levels.
    """
    if derivatives not in ("auto", "exact", "numeric"):
        raise ShapeError(
            'derivatives "auto", "exact" or "numeric"', got=repr(derivatives), remedy="choose one", where="derivatives"
        )
    if isinstance(model, Model):
        return _of_model(model, X)
    if derivatives == "numeric":
        return _of_values(model, X, method, inputs, outputs, bounds)
    if hasattr(model, "fit"):
        return _of_estimator(model, X, method, inputs, outputs, categories)
    if not callable(model):
        raise ModelError(
            "a model, a fitted scikit-learn estimator or a function",
            got=f"{type(model).__name__}",
            remedy="pass one of these",
            where="argument model",
        )
    return _of_function(model, X, inputs, outputs)


def _of_model(model: Model, X: Any) -> Subject:
    rows = checked_table(model, X)
    if not len(rows):
        raise ShapeError("a table with one row or more", got="none", remedy="pass rows", where="argument X")
    return Subject(ExactSlopes(model, rows[0]), rows, model.inputs, model.outputs, model.notes)


def _of_estimator(estimator: Any, X: Any, method: str, inputs: Any, outputs: Any, categories: Sequence[str]) -> Subject:
    refuse_unfitted(estimator)
    odds = method == "log_odds"
    chosen = "predict_proba" if odds else default_method(estimator) if method == "auto" else method
    model, rows, coded = _translated(estimator, X, chosen, categories)
    if inputs is not None and not hasattr(X, "columns"):
        model = replace(model, inputs=_names(X, inputs, rows.shape[1]))
    if outputs is not None:
        model = replace(model, outputs=_output_names(outputs, len(model.outputs)))
    if odds:
        model = log_odds_of(model)
    return Subject(
        ExactSlopes(model, rows[0]), rows, model.inputs, model.outputs, model.notes, estimator, chosen, odds, coded
    )


def _translated(
    estimator: Any, X: Any, method: str, categories: Sequence[str]
) -> tuple[Model, Float[Array, "rows d"], Coded | None]:
    """The estimator as a model, with codes for the categories where it encodes them itself."""
    coded = _coded(estimator, X, categories)
    if coded is None:
        try:
            return from_sklearn(estimator, X, method=method), checked_rows(estimator, X), None
        except ModelError as error:
            if CODES not in str(error) or not hasattr(X, "columns"):
                raise
            coded = coded_columns(estimator, X, categories)
    try:
        return from_categories(estimator, X, method, coded), coded_rows(estimator, X, coded), coded
    except ModelError as error:
        if CODES not in str(error):
            raise
        remedy = "name every column that it encodes in categories=, to have its levels compared"
        raise ModelError(error.expected, got=error.got, remedy=remedy, where=error.where) from error


def _coded(estimator: Any, X: Any, categories: Sequence[str]) -> Coded | None:
    """Codes for the categories where some are no numbers."""
    if not hasattr(X, "columns"):
        return None
    words = [str(name) for name in X.columns if not is_number(X[name])] if X.columns.is_unique else []
    named = [name for name in words if name in categories]
    left = [name for name in words if name not in categories and not _reads_as_numbers(X[name])]
    if left:
        raise ShapeError(
            "numbers, or columns named in categories=",
            got=f"text in column {left[0]}",
            remedy="name it in categories= to have its levels compared: what is no number has no slope",
            where="argument X",
        )
    return coded_columns(estimator, X, categories) if named else None


def _reads_as_numbers(column: Any) -> bool:
    try:
        np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _names(X: Any, inputs: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if inputs is None:
        return tuple(map(str, X.columns)) if hasattr(X, "columns") else tuple(f"x{i}" for i in range(count))
    if len(inputs) != count:
        raise ShapeError(
            f"{count} names, one per column", got=f"{len(inputs)}", remedy="name every column", where="argument inputs"
        )
    return tuple(inputs)


def _output_names(outputs: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if outputs is None:
        return ("y",) if count == 1 else tuple(f"y{k}" for k in range(count))
    if len(outputs) != count:
        raise ShapeError(
            f"{count} names, one per output", got=f"{len(outputs)}", remedy="name every one", where="argument outputs"
        )
    return tuple(outputs)


def _of_function(function: Callable[..., Any], X: Any, inputs: Any, outputs: Any) -> Subject:
    _refuse_flat(function)
    rows = checked_rows(SimpleNamespace(), X)
    target = prepare(function, rows[0]).target
    names = _names(X, inputs, rows.shape[1])
    model = Model(function, (), names, _output_names(outputs, target.m))
    return Subject(ExactSlopes(model, rows[0]), rows, model.inputs, model.outputs, ())


def _of_values(model: Any, X: Any, method: str, inputs: Any, outputs: Any, bounds: Any) -> Subject:
    """Through the values of an estimator's method, or of a function from a table to its outputs."""
    estimator = model if hasattr(model, "fit") else None
    _refuse_flat(model)
    rows = checked_rows(SimpleNamespace() if estimator is None else estimator, X)
    chosen = default_method(estimator) if estimator is not None and method == "auto" else method
    predict = model if estimator is None else getattr(estimator, chosen)

    def values(table: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        given = type(X)(table, columns=X.columns) if hasattr(X, "columns") else table
        found = np.asarray(predict(given), dtype=np.float64)
        if found.ndim not in (1, _LINES) or len(found) != len(table):
            raise ShapeError(
                f"one row of outputs for each of {len(table)} rows",
                got=f"shape {found.shape}",
                remedy="pass a function from a table of rows to their outputs, as predict is",
                where="argument model",
            )
        return found.reshape(len(table), -1)

    names = _output_names(outputs, values(rows[:1]).shape[1])
    slopes = NumericSlopes(values, bounds)
    return Subject(slopes, rows, _names(X, inputs, rows.shape[1]), names, (), estimator, chosen)


def _refuse_flat(model: Any) -> None:
    """A staircase has no slope, however it is differentiated."""
    owner = core_of(getattr(model, "__self__", model)).estimator
    found = refusal(type(owner))
    if found is not None:
        raise ModelError(
            "a model with slopes",
            got=f"{type(owner).__name__}, {found}",
            remedy="take finite effects with landform.secant, or fit a smooth stand-in with landform.distill and ask "
            "about that",
            where="argument model",
        )
