"""Sums of trees smoothed by a Gaussian of stated width: their exact values, slopes and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.jax import double_precision, jacobian_forward
from landform.backends.sklearn.data import own_values
from landform.backends.sklearn.join import chain
from landform.backends.sklearn.leaves import Leaves
from landform.backends.sklearn.registry import Translation, translate
from landform.backends.sklearn.tree_sums import TreeSum, tree_sum
from landform.errors import ModelError, ShapeError

AXIS_ALIGNED = (
    *("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "SimpleImputer", "VarianceThreshold", "RFE"),
    *("SelectKBest", "SelectPercentile", "SelectFdr", "SelectFpr", "SelectFwe", "SelectFromModel", "RFECV"),
    *("GenericUnivariateSelect", "SequentialFeatureSelector"),
)
"""Transformers whose every output is one input, shifted and scaled."""

Width = float | Sequence[float] | Mapping[str, float]


def smoothed_boxes(
    x: jax.Array,
    edges: jax.Array,
    inputs: jax.Array,
    lower: jax.Array,
    upper: jax.Array,
    values: jax.Array,
    offset: jax.Array,
    width: jax.Array,
) -> jax.Array:
    """Boxes' values, each times the probability that x plus Gaussian noise lies in it.

    A box is a product of intervals, so that its probability is a product of differences of the normal distribution
    function. ``edges`` are the distinct ends of intervals, ``inputs`` says of which input; ``lower`` and ``upper``,
    shape (leaves, sides), point into them, moved up by two: 0 stands for −∞ and 1 for +∞.
    """
    below = jax.scipy.special.ndtr((edges - x[inputs]) / width[inputs])
    below = jnp.concatenate([jnp.array([0.0, 1.0], dtype=below.dtype), below])
    share = jnp.ones(lower.shape[0], dtype=below.dtype)
    for side in range(lower.shape[1]):
        share = share * (below[upper[:, side]] - below[lower[:, side]])
    return offset + share @ values


def _tables(leaves: Leaves) -> tuple[np.ndarray, ...]:
    """What `smoothed_boxes` takes: the distinct edges, and for every box the few inputs that bound it."""
    n = leaves.lower.shape[1]
    ends = np.concatenate([leaves.lower, leaves.upper])
    edges, inputs, places = [], [], np.zeros(ends.shape, dtype=np.int64)
    start = 2
    for i in range(n):
        finite = np.isfinite(ends[:, i])
        own, place = np.unique(ends[finite, i], return_inverse=True)
        places[finite, i] = place + start
        edges.append(own)
        inputs.append(np.full(len(own), i))
        start += len(own)
    lower, upper = np.split(places, 2)
    upper = np.where(np.isfinite(leaves.upper), upper, 1)
    bounded = (lower > 0) | (upper != 1)
    first = np.argsort(~bounded, axis=1, kind="stable")[:, : max(1, int(bounded.sum(axis=1).max(initial=0)))]
    lower, upper = (np.take_along_axis(side, first, axis=1) for side in (lower, upper))
    return np.concatenate(edges), np.concatenate(inputs).astype(np.int64), lower, upper


def widths(smooth: Width, names: Sequence[str], argument: str = "smooth") -> np.ndarray:
    """One positive width for every input, in its units: a smoothing kernel's standard deviation, or a step.

    Raises
    ------
    ShapeError
        If there is not one positive width for every input.
    """
    if isinstance(smooth, Mapping):
        missing = [name for name in names if name not in smooth]
        if missing or len(smooth) != len(names):
            wrong = missing or [name for name in smooth if name not in names]
            raise ShapeError(
                f"a width for each of {', '.join(names)}",
                got=f"{'none' if missing else 'one'} for {', '.join(map(str, wrong))}",
                remedy="give every input one",
                where=f"argument {argument}",
            )
        smooth = [smooth[name] for name in names]
    given = np.asarray(smooth, dtype=np.float64)
    if given.ndim > 1 or given.shape not in ((), (len(names),)) or not np.all((given > 0) & np.isfinite(given)):
        raise ShapeError(
            f"a positive width, one for all or one for each of {len(names)} inputs, in their units",
            got=repr(smooth),
            remedy="a fifth of an input's spread is a start",
            where=f"argument {argument}",
        )
    return np.array(np.broadcast_to(given, (len(names),)))


def _split(estimator: Any) -> tuple[list[Any], Any]:
    """Steps before the trees, and the trees."""
    if type(estimator).__name__ in ("GridSearchCV", "RandomizedSearchCV") and hasattr(estimator, "best_estimator_"):
        return _split(estimator.best_estimator_)
    if type(estimator).__name__ != "Pipeline":
        return [], estimator
    steps = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
    before, trees = _split(steps[-1])
    return [*steps[:-1], *before], trees


def _affine(steps: Sequence[Any], n: int) -> tuple[np.ndarray, np.ndarray]:
    """The steps as a matrix and a shift with one input in every row.

    Raises
    ------
    ModelError
        If a step bends or mixes inputs: a box would no longer be one.
    """
    for step in steps:
        _refuse_bent(step)
    front = chain([translate(step, "transform") for step in steps])
    zero = np.zeros(n)
    with double_precision():
        shift, matrix = jacobian_forward(front.function, n, zero, *front.args)
    return np.asarray(matrix), np.asarray(shift)


def _refuse_bent(step: Any) -> None:
    if isinstance(step, str) or (type(step).__name__ == "FunctionTransformer" and step.func is None):
        return
    name = type(step).__name__
    inner: list[Any] = []
    if name == "ColumnTransformer":
        inner = [one for _, one, _ in step.transformers_]
    elif name == "FeatureUnion":
        inner = [one for _, one in step.transformer_list]
    elif name == "Pipeline":
        inner = [one for _, one in step.steps]
    elif name not in AXIS_ALIGNED or getattr(step, "clip", False):
        raise ModelError(
            "steps before the trees that scale or select inputs",
            got=f"{name}, which bends or mixes them",
            remedy="smooth the trees by themselves on what this step returns, or take landform.secant",
        )
    for one in inner:
        if one is not None:
            _refuse_bent(one)


def smoothed_trees(estimator: Any, method: str, rows: np.ndarray) -> tuple[TreeSum, np.ndarray]:
    """The trees in terms of the estimator's own inputs, and their unsmoothed outputs on the rows."""
    steps, trees = _split(estimator)
    total = tree_sum(trees, method)
    seen = rows
    leaves = total.leaves
    if steps:
        matrix, shift = _affine(steps, rows.shape[1])
        for step in steps:
            seen = own_values(step, "transform", seen)
        leaves = leaves.before(matrix, shift)
    sharp = total.leaves.at(seen.astype(np.float32).astype(np.float64) if total.single else seen) + total.offset
    return replace(total, leaves=leaves), sharp


def smoothed_translation(total: TreeSum, width: np.ndarray, names: Sequence[str]) -> Translation:
    """The smoothed sum, and after it the links."""
    args = (*_tables(total.leaves), total.leaves.values, total.offset, width)
    said = ", ".join(f"{name} {w:.4g}" for name, w in zip(names, width, strict=True))
    note = f"smoothed: the trees' mean over Gaussian noise in the inputs, of standard deviation {said}"
    if total.link:
        note += "; what turns their sum into the output comes after the smoothing"
    return chain([Translation(smoothed_boxes, args, (note,)), *total.link])
