"""Columns held at one value, such as categories: they have no slope, and the model is one of the other columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pandas as pd

from landform.backends.sklearn.join import chain
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError, ShapeError

_SHOWN = 8


@dataclass(frozen=True)
class Held:
    """One row with its held columns, as the transformer at hand sees it.

    Parameters
    ----------
    row : data frame of one row
        With the held values in their columns.
    places : frozenset of int
        Which columns are held.
    """

    row: pd.DataFrame
    places: frozenset[int]

    def of(self, columns: np.ndarray) -> Held:
        """The same for a transformer that sees these columns alone."""
        inside = frozenset(k for k, column in enumerate(columns) if int(column) in self.places)
        return Held(self.row.iloc[:, list(columns)], inside)


_NOW: ContextVar[Held | None] = ContextVar("held", default=None)


def held_now() -> Held | None:
    """What is held among the columns of the estimator that is being translated."""
    return _NOW.get()


@contextmanager
def holding(held: Held | None) -> Iterator[None]:
    """Translate what is inside with these columns held."""
    token = _NOW.set(held if held is not None and held.places else None)
    try:
        yield
    finally:
        _NOW.reset(token)


def fixed(x: jax.Array, values: jax.Array) -> jax.Array:
    """The same outputs for every x."""
    return values + 0.0 * x[:1].sum()


def constant_part(transformer: Any, held: Held) -> Translation:
    """What a transformer makes of columns that are all held."""
    if isinstance(transformer, str):
        found: Any = held.row.to_numpy()
    else:
        named = hasattr(transformer, "feature_names_in_")
        found = transformer.transform(held.row if named else held.row.to_numpy())
    found = found.toarray() if hasattr(found, "toarray") else found
    try:
        values = np.asarray(found, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise ModelError(
            "an encoder between what is held and the rest",
            got=f"{held.row.iloc[0].tolist()!r} handed on as it is",
            remedy="encode these columns, for example with OneHotEncoder, or drop them",
        ) from error
    return Translation(fixed, (values,))


def _fill(x: jax.Array, base: jax.Array, places: jax.Array) -> jax.Array:
    import jax.numpy as jnp

    return jnp.asarray(base).at[places].set(x)


@dataclass(frozen=True)
class Ground:
    """A table with held columns: what the estimator sees, and the model's own inputs."""

    table: Any
    free: pd.DataFrame
    held: Held
    fill: Translation

    def lead(self, translation: Translation) -> Translation:
        """The translation as a function of the free columns."""
        return chain([self.fill, translation])


def hold(X: Any, held: Mapping[Any, Any]) -> Ground:
    """Set columns of a table to one value each.

    Raises
    ------
    ShapeError
        If a column is not there, its value does not occur in it, or nothing is left free.
    """
    frame = X.copy() if hasattr(X, "columns") else pd.DataFrame(np.array(X, dtype=object)).infer_objects()
    for name, value in held.items():
        if name not in frame.columns:
            raise ShapeError(
                f"columns to hold among {', '.join(map(str, frame.columns[:_SHOWN]))}",
                got=repr(name),
                remedy="name columns of X",
                where="argument held",
            )
        known = pd.unique(frame[name].dropna())
        if value not in known:
            raise ShapeError(
                f"a value of {name} that occurs in X ({', '.join(map(repr, known[:_SHOWN].tolist()))})",
                got=repr(value),
                remedy="hold it at one of these",
                where="argument held",
            )
        frame[name] = pd.Series([value] * len(frame), index=frame.index, dtype=frame[name].dtype)
    places = np.array([k for k, name in enumerate(frame.columns) if name not in held], dtype=np.int64)
    if not len(places):
        raise ShapeError("a column that is free", got="all held", remedy="hold fewer", where="argument held")
    base = [_number(frame[name].iloc[0]) if name in held else 0.0 for name in frame.columns]
    fill = Translation(_fill, (np.array(base), places))
    inside = Held(frame.iloc[:1], frozenset(range(len(frame.columns))) - frozenset(places.tolist()))
    return Ground(frame if hasattr(X, "columns") else frame.to_numpy(), frame.iloc[:, places], inside, fill)


def _number(value: Any) -> float:
    """The value where it is a number; where it is none, no translated function ever sees this place."""
    return float(value) if isinstance(value, (int, float, np.number)) else 0.0
