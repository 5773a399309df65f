"""Which changes are asked about: one input alone, along a mixture, with what goes with it, along the data, by level."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError

Array = np.ndarray
Kind = Literal["alone", "log", "Cox", "together", "axis", "contrast"]
_MOST_LEVELS = 20
_SUM = 1e-3


@dataclass(frozen=True, eq=False)
class Direction:
    """A change of the inputs, which may differ from row to row.

    Parameters
    ----------
    input : str
        What it is called by.
    kind : {"alone", "log", "Cox", "together", "axis"}
        alone: nothing else changes; log: per unit of the input's natural logarithm; Cox: the other ingredients give
        way in proportion; together: the others change as they do in the data; axis: along a principal axis of the data.
    field : callable
        From rows, shape (rows, d), to the change of every input per unit, same shape.
    spread : float
        Standard deviation over the rows of what is raised.
    level : array, shape (rows,), or None
        The input itself, for elasticities; None where it has none.
    words : str
        What changes with it.
    """

    input: str
    kind: Kind
    field: Callable[[Float[Array, "rows d"]], Float[Array, "rows d"]]
    spread: float
    level: Float[Array, " rows"] | None
    words: str = ""


@dataclass(frozen=True, eq=False)
class Contrast:
    """One level of a category in place of another.

    Parameters
    ----------
    input : str
        The category.
    level, reference : str
        The two levels.
    columns : array of int
        Where they stand.
    there, base : array
        What these columns hold at the level and at the reference.
    """

    input: str
    level: str
    reference: str
    columns: Array
    there: Array
    base: Array

    def rows(self, X: Float[Array, "rows d"]) -> tuple[Float[Array, "rows d"], Float[Array, "rows d"]]:
        """Every row with the level, and with the reference."""
        one, other = X.copy(), X.copy()
        one[:, self.columns], other[:, self.columns] = self.there, self.base
        return one, other


def cox_field(X: Float[Array, "rows d"], i: int, ingredients: Sequence[int]) -> Float[Array, "rows d"]:
    """Ingredient i up by one unit at every row, the others down in proportion to their amounts.

    Cox (1971), "A note on polynomial response functions for mixtures", Biometrika 58.

    Examples
    --------
    >>> cox_field(np.array([[0.2, 0.6, 0.2], [1.0, 0.0, 0.0]]), 0, (0, 1, 2))
    array([[ 1.  , -0.75, -0.25],
           [ 1.  , -0.5 , -0.5 ]])
    """
    others = [j for j in ingredients if j != i]
    amounts = np.maximum(X[:, others], 0.0)
    # Where nothing of the others is there to be in proportion to, they share alike.
    amounts = np.where(amounts.sum(axis=1, keepdims=True) > 0, amounts, 1.0)
    found = np.zeros_like(X)
    found[:, others] = -amounts / amounts.sum(axis=1, keepdims=True)
    found[:, i] = 1.0
    return found


def _constant(vector: Float[Array, " d"]) -> Callable[[Float[Array, "rows d"]], Float[Array, "rows d"]]:
    return lambda X: np.broadcast_to(vector, X.shape)


def _scaled(i: int) -> Callable[[Float[Array, "rows d"]], Float[Array, "rows d"]]:
    def field(X: Float[Array, "rows d"]) -> Float[Array, "rows d"]:
        found = np.zeros_like(X)
        found[:, i] = X[:, i]
        return found

    return field


def place(name: str, names: Sequence[str], argument: str) -> int:
    """The column of that name."""
    if name not in names:
        raise ShapeError(
            f"inputs among {', '.join(names[:12])}",
            got=repr(name),
            remedy="name a column",
            where=f"argument {argument}",
        )
    return list(names).index(name)


def own_directions(
    X: Float[Array, "rows d"], names: Sequence[str], *, ingredients: Sequence[int], log: Sequence[int], held: set[int]
) -> list[Direction]:
    """Every input's own direction; inputs in ``held`` (levels of a category) have none.

    Raises
    ------
    ShapeError
        If ingredients do not add to one total, or an input on a log scale is not positive.
    """
    _refuse_other_sums(X, names, ingredients)
    found = []
    for i, name in enumerate(names):
        spread, level = float(np.std(X[:, i])), X[:, i]
        if i in held:
            continue
        if i in ingredients:
            field = _cox(i, tuple(ingredients))
            found.append(Direction(name, "Cox", field, spread, level, "the other ingredients giving way in proportion"))
        elif i in log:
            _refuse_not_positive(level, name)
            words = f"per unit of log {name}: divided by 100, for one per cent more"
            ones = np.ones(len(X))  # a slope by the logarithm, over the output, is the elasticity itself
            found.append(Direction(name, "log", _scaled(i), float(np.std(np.log(level))), ones, words))
        else:
            found.append(Direction(name, "alone", _constant(np.eye(len(names))[i]), spread, level))
    return found


def _cox(i: int, ingredients: tuple[int, ...]) -> Callable[[Float[Array, "rows d"]], Float[Array, "rows d"]]:
    return lambda X: cox_field(X, i, ingredients)


def _refuse_other_sums(X: Float[Array, "rows d"], names: Sequence[str], ingredients: Sequence[int]) -> None:
    if not ingredients:
        return
    if len(ingredients) == 1:
        raise ShapeError("two ingredients or more", got="one", remedy="name them all", where="argument mixture")
    sums = X[:, list(ingredients)].sum(axis=1)
    low, high = float(sums.min()), float(sums.max())
    if high - low > _SUM * max(abs(high), abs(low)):
        raise ShapeError(
            f"ingredients that add to one total in every row ({', '.join(names[i] for i in ingredients)})",
            got=f"sums from {low:g} to {high:g}",
            remedy="name every ingredient, divide amounts by their sum and fit again, or leave mixture= out",
            where="argument mixture",
        )


def _refuse_not_positive(level: Float[Array, " rows"], name: str) -> None:
    if np.any(level <= 0):
        row = int(np.argmax(level <= 0))
        raise ShapeError(
            f"positive values of {name}, to take logarithms of",
            got=f"{level[row]:g} in row {row}",
            remedy="leave it out of log=",
            where="argument log",
        )


def joint_directions(X: Float[Array, "rows d"], names: Sequence[str], held: set[int]) -> list[Direction]:
    """Every input together with what goes with it in the data: the others along their regression on it."""
    moving = [i for i in range(len(names)) if i not in held and np.ptp(X[:, i]) > 0]
    if len(moving) < 2 or len(X) <= len(moving):
        return []
    covariance = np.cov(X[:, moving].T)
    found: list[Direction] = []
    own, spreads = np.std(X, axis=0).tolist(), np.sqrt(np.diag(covariance))
    for a, i in enumerate(moving):
        vector = np.zeros(len(names))
        vector[moving] = covariance[:, a] / covariance[a, a]
        vector[i] = 1.0
        shares = covariance[:, a] / (spreads[a] * spreads)
        others = [(abs(shares[b]), f"{names[j]} {shares[b]:+.2f}") for b, j in enumerate(moving) if b != a]
        words = "with it (correlation): " + ", ".join(text for _, text in sorted(others, reverse=True)[:3])
        found.append(Direction(names[i], "together", _constant(vector), own[i], X[:, i], words))
    return found


def axis_directions(X: Float[Array, "rows d"], names: Sequence[str], held: set[int]) -> list[Direction]:
    """Principal axes of the standardized inputs, one unit being one standard deviation of the data along it."""
    moving = [i for i in range(len(names)) if i not in held and np.ptp(X[:, i]) > 0]
    if len(moving) < 2 or len(X) <= len(moving):
        return []
    spreads = np.std(X[:, moving], axis=0)
    values, vectors = np.linalg.eigh(np.corrcoef(X[:, moving].T))
    found: list[Direction] = []
    for k in np.argsort(-values):
        if values[k] < 1e-9 * len(moving):
            continue
        axis = vectors[:, k] * np.sign(vectors[np.argmax(np.abs(vectors[:, k])), k])
        vector = np.zeros(len(names))
        vector[moving] = axis * spreads * np.sqrt(values[k])
        order = np.argsort(-np.abs(axis))[:4]
        made = ", ".join(f"{names[moving[a]]} {axis[a]:+.2f}" for a in order)
        words = f"{100 * values[k] / len(moving):.0f} % of the inputs' variation: {made}"
        found.append(Direction(f"axis {len(found) + 1}", "axis", _constant(vector), 1.0, None, words))
    return found


def contrasts_of(
    X: Float[Array, "rows d"], names: Sequence[str], categories: Mapping[str, Sequence[str]] | Sequence[str]
) -> list[Contrast]:
    """Every level of every category against its most common one.

    Parameters
    ----------
    X : array, shape (rows, d)
        The rows.
    names : sequence of str
        Their columns.
    categories : mapping or sequence of str
        A column that holds levels as numbers, by its name; or a category's name and its columns of zeros and ones.

    Raises
    ------
    ShapeError
        If a column has too many levels to be a category, or one-hot columns hold anything but one 1 at most.
    """
    pairs = categories.items() if isinstance(categories, Mapping) else [(name, (name,)) for name in categories]
    found: list[Contrast] = []
    for name, columns in pairs:
        places = np.array(
            [place(c, names, "categories") for c in ((columns,) if isinstance(columns, str) else columns)]
        )
        levels, labels = _levels(X[:, places], name, [names[i] for i in places])
        common = int(np.argmax([np.sum(np.all(X[:, places] == level, axis=1)) for level in levels]))
        found += [
            Contrast(name, labels[k], labels[common], places, level, levels[common])
            for k, level in enumerate(levels)
            if k != common
        ]
    return found


def _levels(rows: Float[Array, "rows c"], name: str, columns: Sequence[str]) -> tuple[Array, list[str]]:
    levels = np.unique(rows, axis=0)
    if len(columns) == 1:
        if not 2 <= len(levels) <= _MOST_LEVELS:
            raise ShapeError(
                f"a category of 2 to {_MOST_LEVELS} levels",
                got=f"{len(levels)} different values in {columns[0]}",
                remedy="leave it out of categories=: its slope is the answer",
                where="argument categories",
            )
        return levels, [f"{level[0]:g}" for level in levels]
    if not np.isin(rows, (0.0, 1.0)).all() or np.any(rows.sum(axis=1) > 1):
        raise ShapeError(
            f"columns of {name} with one 1 a row at most, the rest 0",
            got="other values",
            remedy="name the one-hot columns of one category, or single columns of levels",
            where="argument categories",
        )
    if len(levels) < 2:
        raise ShapeError(
            f"rows with different levels of {name}", got="one level in all", remedy="leave it out", where="categories"
        )
    return levels, [columns[int(np.argmax(level))] if level.any() else "none of them" for level in levels]
