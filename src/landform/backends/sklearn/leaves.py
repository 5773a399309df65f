"""Trees as what they are: boxes, each with its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.errors import ModelError

_BLOCK = 2**24
"""Numbers held at once while rows are looked up in boxes."""


@dataclass(frozen=True)
class Leaves:
    """A sum over boxes: a row's output is the sum of the values of the boxes it lies in.

    Parameters
    ----------
    lower, upper : array, shape (leaves, n)
        A row lies in a box where lower < x ≤ upper in every input; infinite where nothing bounds it.
    values : array, shape (leaves, m)
        What a box adds to the outputs.
    """

    lower: Float[np.ndarray, "leaves n"]
    upper: Float[np.ndarray, "leaves n"]
    values: Float[np.ndarray, "leaves m"]

    def scaled(self, factor: Any) -> Leaves:
        """Values times a number, or times a matrix of shape (m, outputs)."""
        return replace(self, values=self.values * factor if np.ndim(factor) == 0 else self.values @ factor)

    def on_columns(self, columns: np.ndarray, count: int) -> Leaves:
        """The same boxes in a space of ``count`` inputs, of which they see only some."""
        lower, upper = np.full((len(self.lower), count), -np.inf), np.full((len(self.lower), count), np.inf)
        for k, column in enumerate(columns):
            lower[:, column] = np.maximum(lower[:, column], self.lower[:, k])
            upper[:, column] = np.minimum(upper[:, column], self.upper[:, k])
        return Leaves(lower, upper, self.values)

    def before(self, matrix: np.ndarray, shift: np.ndarray) -> Leaves:
        """The boxes seen from inputs x of which these are ``matrix @ x + shift``, one input in every row at most."""
        n = matrix.shape[1]
        lower, upper = np.full((len(self.lower), n), -np.inf), np.full((len(self.lower), n), np.inf)
        inside = np.ones(len(self.lower), dtype=bool)
        for k, (row, constant) in enumerate(zip(matrix, shift, strict=True)):
            column = int(np.argmax(np.abs(row)))
            if row[column] == 0.0:
                inside &= (self.lower[:, k] < constant) & (constant <= self.upper[:, k])
                continue
            ends = [(bound[:, k] - constant) / row[column] for bound in (self.lower, self.upper)]
            low, high = ends if row[column] > 0 else ends[::-1]
            lower[:, column] = np.maximum(lower[:, column], low)
            upper[:, column] = np.minimum(upper[:, column], high)
        inside &= np.all(lower < upper, axis=1)
        return Leaves(lower[inside], upper[inside], self.values[inside])

    def at(self, rows: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "rows m"]:
        """The sum itself, unsmoothed."""
        block, found = max(1, _BLOCK // max(1, self.lower.size)), np.empty((len(rows), self.values.shape[1]))
        for start in range(0, len(rows), block):
            part = rows[start : start + block, None]
            inside = np.all((self.lower < part) & (part <= self.upper), axis=2)
            found[start : start + block] = inside.astype(np.float64) @ self.values
        return found


def join(parts: Sequence[Leaves]) -> Leaves:
    """All boxes of several sums with the same outputs."""
    return Leaves(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("lower", "upper", "values")))


def side_by_side(parts: Sequence[Leaves]) -> Leaves:
    """Sums whose outputs stand one after the other."""
    total = sum(part.values.shape[1] for part in parts)
    placed, start = [], 0
    for part in parts:
        count = part.values.shape[1]
        placed.append(part.scaled(np.eye(total)[start : start + count]))
        start += count
    return join(placed)


def _walk(
    n: int, left: np.ndarray, right: np.ndarray, feature: np.ndarray, threshold: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The box of every node, from the root down, one level at a time."""
    lower, upper = np.full((len(left), n), -np.inf), np.full((len(left), n), np.inf)
    level = np.array([0])
    while len(level := level[~ends[level]]):
        for child, bound, side in ((left, upper, np.minimum), (right, lower, np.maximum)):
            below = child[level]
            lower[below], upper[below] = lower[level], upper[level]
            bound[below, feature[level]] = side(bound[below, feature[level]], threshold[level])
        level = np.concatenate([left[level], right[level]])
    return lower, upper


def leaves_of_tree(tree: Any, values: np.ndarray) -> Leaves:
    """The leaves of a fitted scikit-learn ``tree_``; ``values`` has a row for every node."""
    ends = tree.children_left < 0
    lower, upper = _walk(tree.n_features, tree.children_left, tree.children_right, tree.feature, tree.threshold, ends)
    return Leaves(lower[ends], upper[ends], np.asarray(values, dtype=np.float64)[ends])


def leaves_of_predictor(predictor: Any, n: int) -> Leaves:
    """The leaves of one tree of a histogram gradient boosting.

    Raises
    ------
    ModelError
        If a split divides categories: there is no width to smooth them by.
    """
    nodes = predictor.nodes
    ends = nodes["is_leaf"].astype(bool)
    if np.any(nodes["is_categorical"][~ends]):
        raise categorical()
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    lower, upper = _walk(n, left, right, nodes["feature_idx"].astype(np.int64), nodes["num_threshold"], ends)
    return Leaves(lower[ends], upper[ends], nodes["value"][ends].astype(np.float64)[:, None])


def categorical() -> ModelError:
    """Why splits between categories are refused."""
    return ModelError(
        "trees that split numbers",
        got="splits between categories, which no width smooths",
        remedy="fit one model for each category, or take finite effects with landform.secant",
    )
