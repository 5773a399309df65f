"""The Hessian by layers where the framework records what a function runs, as PyTorch does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from landform.derivatives.plan import Plan, memory_bytes
from landform.derivatives.target import Target

_BLOCK = 2**25
"""Bytes of second derivatives by units made at a time."""


@dataclass(frozen=True)
class RecordedLayers:
    """A target's Hessian by layers that its backend found."""

    found: Any
    plan: Plan

    def dense(self, target: Target, weights: Any) -> Any:
        """The matrix, shape (n, n)."""
        del weights  # they were there when it was recorded
        return self.found.dense(target.flat, self.plan.chunk, target.x)


def recorded_layers(target: Target, weights: Any, memory: str | int) -> RecordedLayers | str:
    """The layers of weights·f, or why it is not formed by layers; nothing where the backend looks for none."""
    find = getattr(target.backend, "layers_of", None)
    if find is None:
        return ""
    with target.precision():
        found = find(target.flat, target.x, weights, target.args)
    if isinstance(found, str):
        return found
    units, kind = sum(found.widths), target.itemsize
    if refused := too_many_units(units, target.n):
        return refused
    chunk = int(np.clip(_BLOCK // (2 * kind * found.rows * units), 1, max(8, max(found.widths) // 4)))
    need = found.matrices * target.n**2 * kind + 8 * chunk * kind * found.rows * units
    if need > memory_bytes(memory):
        return "layers would take more than the memory budget"
    return RecordedLayers(found, Plan("by layers", units, chunk, need, layers_in_words(found.widths, found.rows)))


def too_many_units(units: int, inputs: int) -> str:
    """Why layers would not pay, if they would not."""
    return f"{units} units against {inputs} inputs" if 2 * units > inputs else ""


def layers_in_words(widths: Sequence[int], rows: int) -> str:
    """What a plan says of them."""
    shown = ", ".join(map(str, widths))
    return (
        f"{len(widths)} layers of {shown} units over {rows} rows, a product for each unit; checked by a random product"
    )
