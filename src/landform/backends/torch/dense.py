"""Matrices of derivatives from a recorded graph: many products at once where PyTorch can, one by one where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


def products(
    out: Tensor, wrt: list[Tensor], u: Tensor | None, *, create_graph: bool = False, batched: bool = False
) -> list[Tensor]:
    """The derivative of u·out (of every u of a batch) by each tensor; zeros where the graph leads nowhere."""
    found: tuple[Tensor | None, ...] = (None,) * len(wrt)
    if out.requires_grad:
        found = torch.autograd.grad(
            out, wrt, u, retain_graph=True, create_graph=create_graph, allow_unused=True, is_grads_batched=batched
        )
    lead = (len(u),) if batched and u is not None else ()
    return [p.new_zeros((*lead, *p.shape)) if g is None else g for g, p in zip(found, wrt, strict=True)]


def row_chunks(
    out: Tensor, wrt: list[Tensor], chunk: int, *, seeds: Tensor | None = None, create_graph: bool = False
) -> Iterator[tuple[int, list[Tensor]]]:
    """The derivative of u·out by each tensor, for ``chunk`` rows u of the seeds at a time, and where they begin.

    Without seeds: of every number in ``out``.
    """
    size = out.numel() if seeds is None else len(seeds)
    batched = chunk > 1 and size > 1
    for start in range(0, size, chunk):
        count = min(chunk, size - start)
        u = _units(out, start, count) if seeds is None else seeds[start : start + count]
        if batched:
            try:
                yield start, products(out, wrt, u, batched=True, create_graph=create_graph)
                continue
            except RuntimeError:  # an operation that cannot be vectorized
                batched = False
        rows = [products(out, wrt, one, create_graph=create_graph) for one in u]
        yield start, [torch.stack(column) for column in zip(*rows, strict=True)]


def _units(out: Tensor, start: int, count: int) -> Tensor:
    """Unit vectors of the outputs from ``start`` on."""
    unit = out.new_zeros((count, out.numel()))
    unit[torch.arange(count), start + torch.arange(count)] = 1
    return unit.view(count, *out.shape)


def seeded_rows(out: Tensor, wrt: Tensor, seeds: Any, chunk: int) -> Tensor:
    """The derivative of u·out by one vector for every row u of the seeds, an array of NumPy."""
    seeds = torch.as_tensor(seeds).to(out)
    rows = [part for _, (part,) in row_chunks(out, [wrt], chunk, seeds=seeds)]
    return torch.cat(rows) if rows else wrt.new_zeros((0, wrt.numel()), requires_grad=False)


def matrix_rows(out: Tensor, wrt: Tensor, chunk: int) -> Tensor:
    """The matrix of derivatives of one vector by another, row by row."""
    if not out.requires_grad:
        return wrt.new_zeros((out.numel(), wrt.numel()))
    matrix = wrt.new_empty((out.numel(), wrt.numel()), requires_grad=False)
    for start, (rows,) in row_chunks(out, [wrt], chunk):
        matrix[start : start + len(rows)] = rows
    return matrix


def symmetric(gradient: list[Tensor], pieces: list[Tensor], chunk: int, like: Tensor) -> Tensor:
    """The Hessian from the gradient by each of the point's tensors.

    A block between two tensors is formed from the smaller one, whose products are fewer and stop where the
    larger ones need nothing further; the transposed block is a copy. A tensor's block with itself is averaged.
    """
    sizes = [piece.numel() for piece in pieces]
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    order = sorted(range(len(sizes)), key=lambda k: sizes[k])
    matrix = room(like).zero_()
    for place, a in enumerate(order):
        if not gradient[a].requires_grad:
            continue
        rest = order[place:]
        for start, blocks in row_chunks(gradient[a], [pieces[b] for b in rest], chunk):
            for b, block in zip(rest, blocks, strict=True):
                rows = slice(starts[a] + start, starts[a] + start + len(block))
                columns = slice(starts[b], starts[b] + sizes[b])
                flat = block.reshape(len(block), -1).to(like.dtype)
                matrix[rows, columns] = flat
                if b != a:
                    matrix[columns, rows] = flat.T
        own = slice(starts[a], starts[a] + sizes[a])
        _average_with_transpose(matrix[own, own])
    return matrix


def room(like: Tensor) -> Tensor:
    """A square matrix to fill; NumPy asks for large pages, which are first touched four times as fast as small ones."""
    n = len(like)
    if like.device.type == "cpu" and like.dtype in (torch.float32, torch.float64):
        return torch.from_numpy(np.empty((n, n), np.float32 if like.dtype == torch.float32 else np.float64))
    return like.new_empty((n, n), requires_grad=False)


def _average_with_transpose(matrix: Tensor, tile: int = 512) -> None:
    """Make a matrix symmetric to the last bit, in place, tile by tile."""
    for i in range(0, len(matrix), tile):
        for j in range(i, len(matrix), tile):
            upper, lower = matrix[i : i + tile, j : j + tile], matrix[j : j + tile, i : i + tile]
            mean = (upper + lower.T) / 2
            upper.copy_(mean)
            lower.copy_(mean.T)
