"""Counts and codes: weights of words, topics of documents, entries of a dictionary."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.join import chain, mix, shares
from landform.backends.sklearn.registry import Translation
from landform.backends.sklearn.scaling import norm
from landform.errors import ModelError

_State = tuple[jax.Array, jax.Array, jax.Array]

FOLDED = "thresholds: a kink where an entry of the code becomes 0; the curve is zero everywhere"
ABSENT = "logarithms of counts: a jump where a count becomes 0"
ITERATED = "topics from an iteration that stops early: tiny jumps where one more step is taken"


def logarithms(x: jax.Array) -> jax.Array:
    """1 + log x, and 0 where x is 0."""
    return jnp.where(x != 0, 1.0 + jnp.log(jnp.where(x != 0, x, 1.0)), 0.0)


def weighted(x: jax.Array, weights: jax.Array) -> jax.Array:
    """Every entry times its weight."""
    return x * weights


def translate_weights(estimator: Any, method: str) -> Translation:
    """`TfidfTransformer`, on a row of counts."""
    parts = [Translation(logarithms, (), (ABSENT,))] if estimator.sublinear_tf else []
    weights = np.asarray(estimator.idf_) if estimator.use_idf else np.ones(estimator.n_features_in_)
    parts.append(Translation(weighted, (weights,)))
    return chain([*parts, norm(estimator.norm)] if estimator.norm else parts)


@lru_cache(maxsize=8)
def thresholded(positive: bool, split: bool) -> Callable[..., jax.Array]:
    """x moved towards 0 by the height; positive entries alone, or both signs apart."""

    def code(x: jax.Array, height: jax.Array) -> jax.Array:
        up = jnp.where(x > height, x - height, 0.0)
        down = jnp.zeros_like(x) if positive else jnp.where(-x > height, -x - height, 0.0)
        return jnp.concatenate([up, down]) if split else up - down

    return code


def translate_codes(estimator: Any, method: str) -> Translation:
    """`DictionaryLearning` and `SparseCoder` that code by thresholds."""
    name, way = type(estimator).__name__, estimator.transform_algorithm
    if way != "threshold":
        raise ModelError(
            f"a {name} with transform_algorithm='threshold'",
            got=f"{way!r}, whose search picks other entries from row to row and jumps where it does",
            remedy="set transform_algorithm='threshold', or take PCA or SparsePCA",
        )
    dictionary = estimator.dictionary if name == "SparseCoder" else estimator.components_
    height = estimator.transform_alpha
    height = getattr(estimator, "alpha", None) if height is None else height
    given = np.float64(1.0 if height is None else height)
    code = Translation(thresholded(estimator.positive_code, estimator.split_sign), (given,), (FOLDED,))
    return chain([Translation(mix, (np.asarray(dictionary, dtype=np.float64),)), code])


def digamma(x: jax.Array) -> jax.Array:
    """The digamma function to the eight digits that scikit-learn has of it.

    Bernardo (1976), *Applied Statistics* 25, 315, algorithm AS 103.
    """
    small = x <= 1e-6
    at, total = jnp.where(small, 6.0, x), jnp.zeros_like(x)
    for _ in range(6):
        below = at < 6
        total = total - jnp.where(below, 1.0 / jnp.where(below, at, 1.0), 0.0)
        at = at + jnp.where(below, 1.0, 0.0)
    r = 1.0 / at
    total = total + jnp.log(at) - 0.5 * r
    r = r * r
    total = total - r * ((1.0 / 12.0) - r * ((1.0 / 120.0) - r * (1.0 / 252.0)))
    return jnp.where(small, -0.577215664901532860606512090082402431 - 1.0 / jnp.where(small, x, 1.0), total)


@lru_cache(maxsize=16)
def topics(most: int) -> Callable[..., jax.Array]:
    """Expected topics of one row of counts, iterated as scikit-learn does.

    Hoffman, Blei and Bach (2010), *NIPS* 23, alg. 1, its E step.
    """

    def expected(gamma: jax.Array) -> jax.Array:
        return jnp.exp(digamma(gamma) - digamma(jnp.sum(gamma)))

    def of_row(x: jax.Array, words: jax.Array, prior: jax.Array, stop: jax.Array) -> jax.Array:
        tiny = np.finfo(np.float64).eps

        def step(state: _State, _: None) -> tuple[_State, None]:
            gamma, theta, done = state
            new = prior + theta * (words @ (x / (theta @ words + tiny)))
            moved = jnp.where(done, gamma, new)
            halted = done | (jnp.mean(jnp.abs(new - gamma)) < stop)
            return (moved, jnp.where(done, theta, expected(new)), halted), None

        gamma = jnp.ones(words.shape[0], dtype=x.dtype)
        return jax.lax.scan(step, (gamma, expected(gamma), jnp.asarray(False)), None, length=most)[0][0]

    return of_row


def translate_topics(estimator: Any, method: str) -> Translation:
    """`LatentDirichletAllocation`: the shares of topics in a row of counts."""
    words = np.asarray(estimator.exp_dirichlet_component_)
    args = (words, np.float64(estimator.doc_topic_prior_), np.float64(estimator.mean_change_tol))
    return chain([Translation(topics(estimator.max_doc_update_iter), args, (ITERATED,)), Translation(shares, ())])
