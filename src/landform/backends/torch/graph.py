"""What the graph that autograd recorded tells about a function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd.function import once_differentiable

_MARKED = once_differentiable(repr).__code__
"""The code that stands in for every backward with the mark."""


def nodes(outputs: list[torch.Tensor]) -> Iterator[Any]:
    """Every operation that the outputs were made by, once each."""
    todo = [out.grad_fn for out in outputs if out.grad_fn is not None]
    seen = set(todo)
    while todo:
        node = todo.pop()
        yield node
        for before, _ in node.next_functions:
            if before is not None and before not in seen:
                seen.add(before)
                todo.append(before)


def uses_fused_attention(outputs: list[torch.Tensor]) -> bool:
    """Whether a fused attention kernel took part: these have first derivatives only."""
    return any(node.name().startswith("ScaledDotProduct") for node in nodes(outputs))


def normalizes_weights(outputs: list[torch.Tensor]) -> bool:
    """Whether `weight_norm` took part, whose second derivatives PyTorch gets wrong (seen in 2.13)."""
    return any("WeightNormInterface" in node.name() for node in nodes(outputs))


def normalizes_batches(outputs: list[torch.Tensor]) -> bool:
    """Whether a batch normalization took part that uses the batch's own mean and variance."""
    return any("BatchNorm" in node.name() and getattr(node, "_saved_training", False) for node in nodes(outputs))


def custom_functions(outputs: list[torch.Tensor]) -> dict[str, bool]:
    """Names of the `torch.autograd.Function`s that took part, and whether each is marked once_differentiable."""
    found = {}
    for node in nodes(outputs):
        own = getattr(node, "_forward_cls", None)
        if own is not None:
            rules = (own.backward, own.vjp)
            found[own.__name__] = any(getattr(rule, "__code__", None) is _MARKED for rule in rules)
    return found


def depends_on(outputs: list[torch.Tensor], pieces: list[torch.Tensor]) -> list[bool]:
    """Which of the pieces the outputs were made from, as far as the graph knows."""
    live = [out for out in outputs if out.requires_grad]
    if not live:
        return [False] * len(pieces)
    total = torch.stack([out.sum() for out in live]).sum()
    return [g is not None for g in torch.autograd.grad(total, pieces, retain_graph=True, allow_unused=True)]
