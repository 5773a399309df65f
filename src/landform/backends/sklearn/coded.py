"""Columns of levels: categories as codes, so that a model says what one level does in place of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from landform.backends.sklearn.data import checked_rows, refuse_other_columns
from landform.backends.sklearn.held import Held
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError, ShapeError

if TYPE_CHECKING:
    import jax

_MOST = 20_000
"""Combinations of levels that one transformer is asked about."""

_ONE_BY_ONE = ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")
"""Encoders whose outputs depend on one column each."""


@dataclass(frozen=True)
class Coded(Held):
    """Columns that hold one of several levels, told to a model as numbers.

    Parameters
    ----------
    levels : mapping
        From the column's number to its levels and their codes.
    """

    levels: Mapping[int, tuple[Sequence[Any], Float[np.ndarray, " levels"]]] = field(default_factory=dict)

    def of(self, columns: np.ndarray) -> Coded:
        """The same for a transformer that sees these columns alone."""
        inside = super().of(columns)
        levels = {k: self.levels[int(c)] for k, c in enumerate(columns) if int(c) in self.levels}
        return Coded(inside.row, inside.places, levels)

    def part(self, transformer: Any) -> Translation:
        """What a transformer makes of these columns, all of them coded: looked up among all combinations of levels.

        Encoders that see each column by itself are asked about one column after the other.

        Raises
        ------
        ModelError
            If there are too many combinations, or text comes out.
        """
        ways = [self.levels[k][0] for k in range(len(self.levels))]
        codes = tuple(self.levels[k][1] for k in range(len(ways)))
        if type(transformer).__module__.startswith("sklearn.") and type(transformer).__name__ in _ONE_BY_ONE:
            first = self._given(transformer, [tuple(way[0] for way in ways)])[0]
            changes = []
            for k, way in enumerate(ways):
                lines = [tuple(level if j == k else own[0] for j, own in enumerate(ways)) for level in way]
                changes.append(self._given(transformer, lines) - first)
            return Translation(_added_up, (first, tuple(changes), codes))
        count = prod(map(len, ways))
        if count > _MOST:
            raise ModelError(
                f"at most {_MOST} combinations of levels in one encoder",
                got=f"{count}",
                remedy="encode the categories one by one in the ColumnTransformer",
            )
        return Translation(_looked_up, (self._given(transformer, list(product(*ways))), codes))

    def _given(self, transformer: Any, lines: Sequence[tuple[Any, ...]]) -> Float[np.ndarray, "lines m"]:
        """What a transformer makes of rows of levels."""
        columns = zip(self.row.columns, zip(*lines, strict=True), strict=True)
        table = pd.DataFrame({name: pd.Series(list(v), dtype=self.row[name].dtype) for name, v in columns})
        named = hasattr(transformer, "feature_names_in_")
        found: Any = (
            table if isinstance(transformer, str) else transformer.transform(table if named else table.to_numpy())
        )
        found = found.toarray() if hasattr(found, "toarray") else found
        try:
            return np.asarray(found, dtype=np.float64).reshape(len(lines), -1)
        except (TypeError, ValueError) as error:
            raise ModelError(
                "an encoder between the categories and the rest",
                got="text handed on as it is",
                remedy="encode these columns, for example with OneHotEncoder, or drop them",
            ) from error


def _added_up(
    x: jax.Array, first: jax.Array, changes: tuple[jax.Array, ...], codes: tuple[jax.Array, ...]
) -> jax.Array:
    """The first levels' outputs, and what each column's nearest level changes in them; it has no slope."""
    import jax.numpy as jnp

    total = jnp.asarray(first)
    for k, (change, code) in enumerate(zip(changes, codes, strict=True)):
        total = total + jnp.asarray(change)[jnp.argmin(jnp.abs(x[k] - code))]
    return total


def _looked_up(x: jax.Array, values: jax.Array, codes: tuple[jax.Array, ...]) -> jax.Array:
    """The line of a table for the levels whose codes are nearest to x; it has no slope."""
    import jax.numpy as jnp

    line = jnp.zeros((), dtype=int)
    for k, code in enumerate(codes):
        line = line * len(code) + jnp.argmin(jnp.abs(x[k] - code))
    return jnp.asarray(values)[line]


def coded_columns(estimator: Any, X: Any, names: Sequence[str]) -> Coded:
    """Levels of the named columns as they occur in X: numbers stay as they are, others are numbered from 0.

    Raises
    ------
    ShapeError
        If X has other columns than at fit time, or a level is missing.
    """
    refuse_other_columns(estimator, X)
    levels = {}
    for place, name in enumerate(X.columns):
        if str(name) not in names:
            continue
        if X[name].isna().any():
            row = int(np.argmax(X[name].isna().to_numpy()))
            raise ShapeError(
                "a level in every row",
                got=f"none in row {row}, column {name}",
                remedy="drop the row",
                where="argument X",
            )
        known = sorted(pd.unique(X[name]).tolist(), key=lambda v: (str(type(v)), v))
        number = is_number(X[name])
        levels[place] = known, np.array(known if number else range(len(known)), dtype=np.float64)
    return Coded(X.iloc[:1], frozenset(levels), levels)


def is_number(column: Any) -> bool:
    """Whether a column of a data frame holds numbers."""
    return bool(pd.api.types.is_numeric_dtype(column))


def coded_rows(estimator: Any, X: Any, coded: Coded) -> Float[np.ndarray, "rows d"]:
    """A table with codes in place of levels.

    Raises
    ------
    ShapeError
        If it has other columns, what is no number outside the categories, or a level that has no code.
    """
    refuse_other_columns(estimator, X)
    told = X.copy()
    for place, (known, codes) in coded.levels.items():
        name = X.columns[place]
        lookup = dict(zip(known, codes, strict=True))
        strange = [v for v in pd.unique(X[name]) if v not in lookup]
        if strange:
            raise ShapeError(
                f"levels of {name} that occur in X ({', '.join(map(repr, known[:8]))})",
                got=repr(strange[0]),
                remedy="leave these rows out",
            )
        told[name] = np.array([lookup[v] for v in X[name]], dtype=np.float64)
    return checked_rows(estimator, told)
