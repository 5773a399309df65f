"""Several outputs or classes from several estimators: side by side, in a chain, one against the rest, pairs."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import Functions, chain, identity, notes_of, shares_if_any, side_by_side, take
from landform.backends.sklearn.linear import BOTH_CLASSES
from landform.backends.sklearn.registry import Translation, translate
from landform.backends.sklearn.svm import VOTES, signs, votes
from landform.errors import ModelError

LABELS = "labels are handed down the chain: jumps where one of them changes, smooth in between"


def translate_outputs(estimator: Any, method: str) -> Translation:
    """`MultiOutputRegressor` and `MultiOutputClassifier`."""
    return side_by_side([translate(one, method) for one in estimator.estimators_])


def _one_number(estimator: Any, method: str) -> Translation:
    """A decision, a prediction, or the probability of the second class."""
    part = translate(estimator, method)
    return chain([part, Translation(take, (np.array([1]),))]) if method == "predict_proba" else part


def _score(estimator: Any) -> tuple[Translation, float]:
    """What a binary classifier compares with a threshold, and the threshold."""
    if hasattr(estimator, "decision_function"):
        return _one_number(estimator, "decision_function"), 0.0
    return _one_number(estimator, "predict_proba"), 0.5


@lru_cache(maxsize=64)
def _chained(outputs: Functions, handed: Functions, labeled: bool) -> Callable[..., jax.Array]:
    def run(
        x: jax.Array, args: tuple[Any, ...], down: tuple[Any, ...], labels: jax.Array, order: jax.Array
    ) -> jax.Array:
        results, extended = [], x
        for k, (give, pass_on) in enumerate(zip(outputs, handed, strict=True)):
            results.append(give(extended, *args[k])[0])
            feature = pass_on(extended, *down[k])[0]
            if labeled:
                low, high, threshold = labels[k]
                feature = jnp.where(feature > threshold, high, low)
            extended = jnp.append(extended, feature)
        return jnp.stack(results)[order]

    return run


def translate_chain(estimator: Any, method: str) -> Translation:
    """`RegressorChain` and `ClassifierChain`: every estimator sees what the ones before it gave."""
    members = estimator.estimators_
    own = [_one_number(member, method) for member in members]
    handed, labels, labeled = own, np.zeros((len(members), 3)), False
    way = getattr(estimator, "chain_method_", "predict")
    if method != "predict" and way == "predict":
        labeled, handed = True, []
        for row, member in zip(labels, members, strict=True):
            score, threshold = _score(member)
            handed.append(score)
            row[:] = [*np.asarray(member.classes_, dtype=np.float64)[:2], threshold]
    elif way != method:
        handed = [_one_number(member, way) for member in members]
    function = _chained(tuple(p.function for p in own), tuple(p.function for p in handed), labeled)
    args = (tuple(p.args for p in own), tuple(p.args for p in handed), labels, np.argsort(estimator.order_))
    return Translation(function, args, notes_of([*own, *handed]) + ((LABELS,) if labeled else ()))


def translate_rest(estimator: Any, method: str) -> Translation:
    """`OneVsRestClassifier`."""
    if any(type(one).__name__ == "_ConstantPredictor" for one in estimator.estimators_):
        raise ModelError("classes that all occur", got="a class that is never or always there", remedy="leave it out")
    parts = side_by_side([_one_number(one, method) for one in estimator.estimators_])
    if method == "decision_function":
        return parts
    if len(estimator.estimators_) == 1:
        parts = chain([parts, BOTH_CLASSES])
    return parts if estimator.multilabel_ else chain([parts, Translation(shares_if_any, ())])


def second_against_first(x: jax.Array, sign: jax.Array, thresholds: jax.Array) -> jax.Array:
    """Votes of pairs whose score is for their second class."""
    return votes(x <= thresholds, -x, sign)


def translate_pairs(estimator: Any, method: str) -> Translation:
    """`OneVsOneClassifier`: votes of all pairs plus their summed confidence."""
    scored = [_score(one) for one in estimator.estimators_]
    indices = estimator.pairwise_indices_
    if indices is not None:
        raise ModelError("features", got="a kernel matrix worked out beforehand", remedy="fit with a kernel by name")
    count = len(estimator.classes_)
    parts = [part for part, _ in scored]
    args = (signs(count), np.array([threshold for _, threshold in scored]))
    cast = chain([side_by_side(parts), Translation(second_against_first, args, (VOTES,))])
    last = Translation(take, (np.array([1]),)) if count == 2 else Translation(identity, ())
    return chain([cast, last])
