"""Curvature added up over data rows: Kronecker factors, diagonals, whole matrices.

With features a and slopes g by the units of a layer, one row's curvature is a sum of (a ⊗ g)(a ⊗ g)'. Its Kronecker
approximation is mean(aa') ⊗ sum(gg'): exact where features and slopes of one row do not depend on each other, as in a
single layer with squared loss, and in deep linear networks with squared loss.

References
----------
Martens and Grosse (2015), "Optimizing neural networks with Kronecker-factored approximate curvature", ICML; Grosse and
Martens (2016), ICML (convolutions); George, Laurent, Bouthillier, Ballas and Vincent (2018), "Fast approximate natural
gradient descent in a Kronecker-factored eigenbasis", NeurIPS (corrected); Eschenhagen, Immer, Turner, Schneider and
Hennig (2023), "Kronecker-factored approximate curvature for modern neural network architectures", NeurIPS (expand and
reduce); Bernacchia, Lengyel and Hennequin (2018), NeurIPS (linear networks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from landform.backends.families import drawn, root, score
from landform.backends.layered import Rows
from landform.derivatives.kronecker.blocks import Block, DenseBlock, DiagonalBlock, LayerBlock, slopes_over
from landform.derivatives.kronecker.outputs import Outputs, Scores, features_of, rows_in
from landform.derivatives.plan import DEFAULT_MEMORY, memory_bytes, refuse_too_large
from landform.errors import ShapeError

Structure = Literal["kronecker", "corrected", "diagonal", "full", "last layer"]
STRUCTURES = ("kronecker", "corrected", "diagonal", "full", "last layer")
Sharing = Literal["expand", "reduce"]
_WHOLE = 1000
"""Up to so many numbers an array that is in no layer has its whole block; beyond that its diagonal."""

Read = Callable[[], Iterable[Sequence[Any]]]
"""Gives the inputs of all data, a batch at a time, from the beginning."""


def curvature_blocks(
    outputs: Outputs,
    read: Read,
    distribution: str,
    *,
    structure: Structure = "kronecker",
    sharing: Sharing = "expand",
    joint: bool = True,
    sigma: Any = 1.0,
    samples: int | None = None,
    seed: int = 0,
    memory: str | int = DEFAULT_MEMORY,
) -> list[Block]:
    """The Gauss-Newton matrix of a negative log-likelihood, summed over rows, by blocks.

    Parameters
    ----------
    outputs : Outputs
        The function by its layers.
    read : callable
        Gives the inputs, batch after batch.
    distribution : {"categorical", "bernoulli", "poisson", "gaussian"}
        What the observations follow given the outputs, as in `landform.fisher`.
    structure : {"kronecker", "corrected", "diagonal", "full", "last layer"}
        Of every layer's block; "full" and "last layer" are one whole block, for which give
        ``outputs.last_layer()``.
    sharing : {"expand", "reduce"}
        Where a row uses weights at several positions: taken as rows of their own, or features averaged and slopes
        added over them.
    joint : bool
        Whether a bias shares the block of its weights.
    sigma : float
        Of "gaussian".
    samples : int, optional
        Draw so many observations of every row from the model instead of the exact expectation.
    seed : int
        Of the draws.
    memory : str or int
        The most that whole matrices may take.
    """
    if structure not in STRUCTURES or sharing not in ("expand", "reduce"):
        raise ShapeError(
            f"a structure among {', '.join(STRUCTURES)}, and sharing 'expand' or 'reduce'",
            got=f"{structure!r}, {sharing!r}",
            remedy="choose one",
        )
    scores, directions = scores_of(outputs, distribution, sigma, samples, seed)
    sums = _sums(outputs, structure, sharing, joint, memory)
    count = _add_all(sums, outputs, read, scores, directions)
    blocks = [one.finished(count) for one in sums]
    if structure == "corrected":
        scores, _ = scores_of(outputs, distribution, sigma, samples, seed)
        again = [_Squares(block) for block in blocks if isinstance(block, LayerBlock)]
        _add_all(again, outputs, read, scores, directions)
        blocks = [one.finished(count) for one in again] + [b for b in blocks if not isinstance(b, LayerBlock)]
    return blocks


def scores_of(outputs: Outputs, distribution: str, sigma: Any, samples: int | None, seed: int) -> tuple[Scores, int]:
    """Directions of slopes whose outer products add to every row's information, and how many there are.

    Raises
    ------
    ShapeError
        If fewer than one sample is asked for.
    """
    if samples is None:
        return lambda eta: root(distribution, eta, sigma).transpose(2, 0, 1), outputs.m
    if samples < 1:
        raise ShapeError("one or more samples", got=str(samples), remedy="draw more", where="argument samples")
    rng = np.random.default_rng(seed)

    def drawn_scores(eta: np.ndarray) -> np.ndarray:
        each = [score(distribution, eta, drawn(distribution, eta, sigma, rng), sigma) for _ in range(samples)]
        return np.stack(each).reshape(samples, len(eta), -1).astype(eta.dtype) / np.sqrt(samples)

    return drawn_scores, samples


def _add_all(sums: Sequence[Any], outputs: Outputs, read: Read, scores: Scores, directions: int) -> int:
    count = 0
    for inputs in read():
        count += rows_in(inputs)
        for _, rows in outputs.stream(inputs, scores, directions):
            for one in sums:
                one.add(outputs, rows)
    return count


def _sums(outputs: Outputs, structure: str, sharing: str, joint: bool, memory: str | int) -> list[Any]:
    sites, rest = outputs.layered.sites, outputs.layered.rest
    every = tuple(range(len(sites)))
    if structure == "full":
        return [_Whole(outputs, every, tuple(rest), "whole matrix", memory)]
    if structure == "last layer":
        return [_Whole(outputs, every, (), "whole matrix of the last layer", memory)]
    found: list[Any] = []
    for k, site in enumerate(sites):
        cuts = [site.features] if site.with_bias and not joint else []
        edges = [0, *cuts, len(site.places)]
        for part in (slice(a, b) for a, b in pairwise(edges)):
            if structure == "diagonal":
                places = site.places[part]
                own = LayerBlock(places.ravel(), np.zeros(places.shape), "diagonal", k, part, None, None)
                found.append(_Squares(own))
            else:
                found.append(_Factors(outputs, k, part, sharing))
    for leaf in rest:
        if structure == "diagonal" or outputs.sizes[leaf] > _WHOLE:
            found.append(_Along(outputs, leaf))
        else:
            found.append(_Whole(outputs, (), (leaf,), f"whole block, {rest[leaf]}", memory))
    return found


class _Factors:
    """Sums of outer products of features and of slopes."""

    def __init__(self, outputs: Outputs, site: int, part: slice, sharing: str) -> None:
        self._site, self._part, self._sharing = site, part, sharing
        own = outputs.layered.sites[site]
        self._places, self._positions = own.places[part], own.positions
        d, w = self._places.shape
        self._A, self._G = np.zeros((d, d)), np.zeros((w, w))

    def add(self, outputs: Outputs, rows: Rows) -> None:
        """Take in some rows."""
        features, slopes = features_of(outputs, rows, self._site)[:, :, self._part], rows.slopes[self._site]
        if self._sharing == "reduce":
            features, slopes = features.mean(axis=1), slopes.sum(axis=2)
        a, g = features.reshape(-1, features.shape[-1]), slopes.reshape(-1, slopes.shape[-1])
        self._A += a.T @ a
        self._G += g.T @ g

    def finished(self, count: int) -> LayerBlock:
        """The block over ``count`` rows."""
        uses = count * (self._positions if self._sharing == "expand" else 1)
        (a, Qa), (g, Qg) = np.linalg.eigh(self._A / uses), np.linalg.eigh(self._G)
        values = np.maximum(a, 0)[:, None] * np.maximum(g, 0)
        how = "Kronecker factors" + (f", {self._sharing}" if self._positions > 1 else "")
        return LayerBlock(self._places.ravel(), values, how, self._site, self._part, Qa, Qg)


class _Squares:
    """Sums of squared slopes along a layer's eigenvectors."""

    def __init__(self, block: LayerBlock) -> None:
        self._block, self._sum = block, np.zeros(block.values.shape)

    def add(self, outputs: Outputs, rows: Rows) -> None:
        """Take in some rows."""
        self._sum += self._block.squares(outputs, rows)

    def finished(self, _: int) -> LayerBlock:
        """The block."""
        corrected = self._block.by_units is not None
        how = f"{self._block.how}, eigenvalues corrected" if corrected else self._block.how
        return replace(self._block, values=self._sum, how=how)


class _Along:
    """Sums of squared slopes by the numbers of an array."""

    def __init__(self, outputs: Outputs, leaf: int) -> None:
        self._leaf, self._places = leaf, outputs.places(leaf)
        self._how = f"diagonal, {outputs.layered.rest[leaf]}"
        self._sum = np.zeros(len(self._places))

    def add(self, _: Outputs, rows: Rows) -> None:
        """Take in some rows."""
        self._sum += np.einsum("krp,krp->p", rows.rest[self._leaf], rows.rest[self._leaf])

    def finished(self, _: int) -> DiagonalBlock:
        """The block."""
        return DiagonalBlock(self._places, self._sum, self._how, self._leaf)


class _Whole:
    """Sums of outer products of slopes."""

    def __init__(
        self, outputs: Outputs, sites: tuple[int, ...], leaves: tuple[int, ...], how: str, memory: str | int
    ) -> None:
        self._sites, self._leaves, self._how = sites, leaves, how
        own = [outputs.layered.sites[k].places.ravel() for k in sites] + [outputs.places(k) for k in leaves]
        self._places = np.concatenate(own)
        size = len(self._places)
        refuse_too_large(3 * 8 * size**2, memory_bytes(memory), f"a {size} × {size} matrix and its eigenvectors")
        self._sum = np.zeros((size, size))

    def add(self, outputs: Outputs, rows: Rows) -> None:
        """Take in some rows."""
        flat = slopes_over(outputs, rows, self._sites, self._leaves).reshape(-1, len(self._places))
        self._sum += flat.T @ flat

    def finished(self, _: int) -> DenseBlock:
        """The block."""
        values, vectors = np.linalg.eigh(self._sum)
        return DenseBlock(self._places, np.maximum(values, 0), self._how, self._sites, self._leaves, vectors)
