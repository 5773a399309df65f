"""Support vector machines: kernels with the support vectors, votes of pairs, Platt's probabilities."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import chain
from landform.backends.sklearn.kernels import pairwise_expansion
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

VOTES = "votes of pairs of classes: jumps by 1 where a vote changes, smooth in between"
_MULTIPLE = 64
ITERATED = "probabilities from an iteration that libsvm stops early: tiny jumps where one more step is taken"


def _expansion(estimator: Any, weights: Any, intercept: Any) -> Translation:
    """Support vectors with their weights, filled up to a multiple of 64 by the first one with weight zero.

    So that machines of nearly as many vectors, as refits have, share compiled code.
    """
    if hasattr(estimator.support_vectors_, "toarray"):
        raise ModelError("an estimator fitted on dense data", got="sparse support vectors", remedy="fit on X.toarray()")
    vectors = np.asarray(estimator.support_vectors_)
    more = -len(vectors) % _MULTIPLE if len(vectors) else 0
    return pairwise_expansion(
        estimator.kernel,
        np.concatenate([vectors, np.repeat(vectors[:1], more, axis=0)]),
        np.pad(np.asarray(weights), ((0, 0), (0, more))),
        intercept,
        gamma=estimator._gamma,
        degree=estimator.degree,
        coef0=estimator.coef0,
    )


def translate_support_vectors(estimator: Any, method: str) -> Translation:
    """`SVR`, `NuSVR`, `OneClassSVM`, and the decision function of two classes."""
    intercept = np.asarray(estimator.intercept_, dtype=np.float64)
    if method == "score_samples":
        intercept = intercept + np.asarray(estimator.offset_)
    return _expansion(estimator, estimator.dual_coef_, intercept)


def pair_weights(dual: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weights of the support vectors in the decision between every pair of classes, shape (pairs, vectors).

    Parameters
    ----------
    dual : array, shape (classes − 1, vectors)
        As libsvm keeps them: a vector of class i has its weight against class j in row j − 1 if i < j, else in row j.
    counts : array, shape (classes,)
        Support vectors of every class.
    """
    ends = np.concatenate([[0], np.cumsum(counts)])
    pairs = list(combinations(range(len(counts)), 2))
    weights = np.zeros((len(pairs), dual.shape[1]))
    for row, (i, j) in zip(weights, pairs, strict=True):
        row[ends[i] : ends[i + 1]] = dual[j - 1, ends[i] : ends[i + 1]]
        row[ends[j] : ends[j + 1]] = dual[i, ends[j] : ends[j + 1]]
    return weights


def _pairs(estimator: Any) -> Translation:
    """Libsvm's own decision value of every pair of classes."""
    weights = pair_weights(np.asarray(estimator._dual_coef_), np.asarray(estimator._n_support))
    return _expansion(estimator, weights, estimator._intercept_)


def signs(classes: int) -> np.ndarray:
    """+1 for the first class of each pair, −1 for the second, shape (classes, pairs)."""
    pairs = list(combinations(range(classes), 2))
    matrix = np.zeros((classes, len(pairs)))
    for k, (i, j) in enumerate(pairs):
        matrix[i, k], matrix[j, k] = 1.0, -1.0
    return matrix


def votes(first: jax.Array, confidence: jax.Array, sign: jax.Array) -> jax.Array:
    """Votes for every class, plus what the summed confidence adds between −1/3 and 1/3.

    ``first`` says which pairs vote for their first class; the confidence is for the first class.
    """
    cast = jnp.where(first, sign > 0, sign < 0).sum(axis=1)
    total = sign @ confidence
    return cast + total / (3.0 * (jnp.abs(total) + 1.0))


def pair_votes(x: jax.Array, sign: jax.Array) -> jax.Array:
    """Votes of pairs whose decision is positive for the first class."""
    return votes(x >= 0, x, sign)


def translate_votes(estimator: Any, method: str) -> Translation:
    """The decision function of `SVC` and `NuSVC`: two classes, pairs, or votes plus confidence."""
    if len(estimator.classes_) == 2:
        return translate_support_vectors(estimator, method)
    pairs = _pairs(estimator)
    if estimator.decision_function_shape == "ovo":
        return pairs
    return chain([pairs, Translation(pair_votes, (signs(len(estimator.classes_)),), (VOTES,))])


def couple(x: jax.Array, slope: jax.Array, shift: jax.Array, sign: jax.Array) -> jax.Array:
    """Class probabilities from pairwise ones.

    Wu, Lin and Weng (2004), *J. Mach. Learn. Res.* 5, 975: second method, iterated as libsvm does.
    """
    k = sign.shape[0]
    r = jnp.clip(jax.nn.sigmoid(-(x * slope + shift)), 1e-7, 1 - 1e-7)
    first, second = np.triu_indices(k, 1)
    R = jnp.zeros((k, k)).at[first, second].set(r).at[second, first].set(1.0 - r)
    Q = jnp.diag(jnp.sum(R * R, axis=0)) - R * R.T

    def sweep(state: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], None]:
        p, done = state
        Qp = Q @ p
        pQp = p @ Qp
        done = done | (jnp.max(jnp.abs(Qp - pQp)) < 0.005 / k)
        new = p
        for t in range(k):
            step = (pQp - Qp[t]) / Q[t, t]
            pQp = (pQp + step * (step * Q[t, t] + 2 * Qp[t])) / (1 + step) ** 2
            Qp = (Qp + step * Q[t]) / (1 + step)
            new = new.at[t].add(step) / (1 + step)
        return (jnp.where(done, p, new), done), None

    start = (jnp.full(k, 1.0 / k, dtype=r.dtype), jnp.asarray(False))
    return jax.lax.scan(sweep, start, None, length=max(100, k))[0][0]


def translate_platt(estimator: Any, method: str) -> Translation:
    """``predict_proba`` of `SVC` and `NuSVC` fitted with ``probability=True``."""
    args = (np.asarray(estimator._probA), np.asarray(estimator._probB), signs(len(estimator.classes_)))
    return chain([_pairs(estimator), Translation(couple, args, (ITERATED,))])
