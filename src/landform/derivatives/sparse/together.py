"""A matrix product of slopes, taken as a matrix product: one for every input that meets others.

Where what is contracted depends on few inputs throughout, as the units of a network at one point of a grid do, or
where a dense matrix follows another, coordinates would meet again and again; here every input's slopes go through
the matrix at once. Only the product itself is dense; before and behind it slopes are carried as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from landform.derivatives.sparse.slopes import Ragged, Slot, Term, Terms, as_ragged, run_of, spread
from landform.derivatives.sparse.step import Context, TooWide

SCATTER = 10
"""What adding a number in another place costs, in numbers worked out in place."""
FLOPS = 16
"""Multiplications of a dense product that take as long as one such number."""
MOST_SLOTS = 8
"""Inputs that meet up to which each becomes a slot."""


@dataclass(frozen=True)
class Contraction:
    """One operand's part in a matrix product, its axes in the order batch, free, contracted.

    Parameters
    ----------
    shape : tuple of int
        Of the operand.
    order : list of int
        Its axes in that order.
    sizes : tuple of int
        Batch, free, contracted.
    matrix : array, shape (batch, contracted, across)
        The other operand.
    nonzero : array of bool
        Where that is not known to be zero.
    places : array, shape (batch, free, across)
        Element of the result, counted flat.
    dtype, precision
        Of the result, and of the product.
    """

    shape: tuple[int, ...]
    order: list[int]
    sizes: tuple[int, int, int]
    matrix: Any
    nonzero: Bool[np.ndarray, "b c p"]
    places: Int[np.ndarray, "b f p"]
    dtype: Any
    precision: Any

    def lined(self, array: Any) -> Any:
        """An array of the operand's shape, as (batch, free, contracted)."""
        return array.transpose(self.order).reshape(self.sizes)

    @cached_property
    def canonical(self) -> Int[np.ndarray, " k"]:
        """For every element of the operand its place in that order."""
        number = self.lined(np.arange(int(np.prod(self.shape, dtype=np.int64))).reshape(self.shape)).ravel()
        found = np.empty_like(number)
        found[number] = np.arange(len(number))
        return found

    def reached(self, moving: Bool[np.ndarray, "... f c"]) -> Bool[np.ndarray, "... f p"]:
        """The results that an input moves which moves these elements."""
        if self.nonzero.all():
            return np.broadcast_to(moving.any(axis=-1, keepdims=True), (*moving.shape[:-1], self.matrix.shape[-1]))
        return np.matmul(moving.astype(np.float32), self.nonzero.astype(np.float32)) > 0

    def product(self, val: Any) -> Any:
        """Slopes of shape (…, batch, free, contracted) times the matrix."""
        return jnp.matmul(jnp.asarray(val, self.dtype), self.matrix, precision=self.precision)


def of_one_input(term: Term, c: Contraction) -> Slot | None:
    """A slot in which whatever is contracted depends on one input, times the matrix, as (batch, free, across)."""
    if not isinstance(term, Slot) or c.sizes[2] < 2:
        return None
    cols = c.lined(term.cols)
    col = cols.max(axis=2, keepdims=True)
    if not np.all((cols == col) | (cols < 0)):
        return None
    reached = c.reached(cols >= 0)
    return Slot(np.where(reached, col, np.int32(-1)), c.product(c.lined(spread(term.val, c.shape))))


def of_many_inputs(terms: Sequence[Term], c: Contraction, context: Context) -> Terms | None:
    """Terms times the matrix, an input at a time; None where coordinates are cheaper.

    Raises
    ------
    TooWide
        If neither fits the budget.
    """
    parts, inputs, budget = [as_ragged(t) for t in terms], context.inputs, context.budget
    at = np.concatenate([c.canonical[p.rows] for p in parts])
    cols = np.concatenate([p.cols for p in parts])
    nb, free, nk = c.sizes
    across, group = c.nonzero.shape[2], at // nk
    unique, where = np.unique(group * np.int64(inputs) + cols, return_inverse=True)
    owner = unique // inputs
    rank = np.arange(len(unique)) - np.searchsorted(owner, owner)
    products = int(rank.max(initial=-1)) + 1
    line = at // (free * nk) * nk + at % nk
    met = int(c.nonzero.reshape(nb * nk, across).sum(axis=1)[line].sum())
    dense = products * nb * free * (nk + across + nk * across / FLOPS) + SCATTER * len(at)
    largest = products * nb * free * max(nk, across)
    fits, coordinates_fit = largest * 8 <= budget, met * 8 <= budget
    if not fits and not coordinates_fit:
        raise TooWide(f"dot_general: {largest} slopes")
    if coordinates_fit and (not fits or (met if met <= len(unique) * across else (1 + SCATTER) * met) <= dense):
        return None
    context.note(f"dot_general: {products} products pushed forward", products)
    context.tally.slopes += products * nb * free * nk
    table = np.full((products, nb * free), -1, np.int32)
    table[rank, owner] = unique % inputs
    return _pushed(parts, c, rank[where.ravel()], at, table)


def _pushed(parts: Sequence[Ragged], c: Contraction, rank: np.ndarray, at: np.ndarray, table: np.ndarray) -> Terms:
    """Every input's slopes in a row of their own, times the matrix."""
    products, (nb, free, nk) = len(table), c.sizes
    seeds = jnp.zeros((products, nb * free * nk), c.dtype)
    moving = np.zeros(seeds.shape, bool)
    moving[rank, at] = True
    first = 0
    for p in parts:
        here = slice(first, first + len(p.rows))
        seeds = seeds.at[rank[here], at[here]].add(jnp.asarray(p.val, c.dtype))
        first = here.stop
    out = c.product(seeds.reshape(products, *c.sizes))
    reached = c.reached(moving.reshape(products, *c.sizes))
    cols = np.where(reached, table.reshape(products, nb, free, 1), np.int32(-1))
    if products <= MOST_SLOTS:
        return [Slot(a, v) for a, v in zip(cols, out, strict=True)]
    kept = np.flatnonzero(cols.ravel() >= 0)
    val = out.reshape(-1)
    rows = c.places.ravel()[kept % c.places.size]
    return [Ragged(rows, cols.ravel()[kept], val if len(kept) == cols.size else val[run_of(kept)])]
