"""Transformers whose outputs are codes of intervals: flat in between, with a jump at every edge."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.sklearn.registry import Translation

JUMPS = "codes of intervals: the output jumps at their edges, and in between its slope is zero"


def above(x: jax.Array, threshold: jax.Array) -> jax.Array:
    """1 where x lies above the threshold, else 0."""
    return jnp.where(x > threshold, 1.0, 0.0)


def translate_binarizer(estimator: Any, method: str) -> Translation:
    """`Binarizer`."""
    return Translation(above, (np.float64(estimator.threshold),), (JUMPS,))


def bins(x: jax.Array, edges: jax.Array) -> jax.Array:
    """The number of edges at or below every entry; edges of shape (n, most), filled up with infinity."""
    return jnp.sum(jnp.where(x[:, None] >= edges, 1.0, 0.0), axis=1)


def marked_bins(x: jax.Array, edges: jax.Array, columns: jax.Array, codes: jax.Array) -> jax.Array:
    """1 for the bin that an entry lies in, 0 for its others; one output for every bin."""
    return jnp.where(bins(x, edges)[columns] == codes, 1.0, 0.0)


def translate_bins(estimator: Any, method: str) -> Translation:
    """`KBinsDiscretizer`, with one number for every input or one output for every bin."""
    inner = [np.asarray(edges)[1:-1] for edges in estimator.bin_edges_]
    table = np.full((len(inner), max(map(len, inner), default=0)), np.inf)
    for row, own in zip(table, inner, strict=True):
        row[: len(own)] = own
    if estimator.encode == "ordinal":
        return Translation(bins, (table,), (JUMPS,))
    counts = np.asarray(estimator.n_bins_)
    codes = np.concatenate([np.arange(count, dtype=np.float64) for count in counts])
    return Translation(marked_bins, (table, np.repeat(np.arange(len(counts)), counts), codes), (JUMPS,))
