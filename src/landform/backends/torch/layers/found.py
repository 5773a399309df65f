"""The layers of a PyTorch function at its point, or why it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from landform.backends.torch.flat import Flat
from landform.backends.torch.layers.hessian import hessian_by_layers
from landform.backends.torch.layers.record import NotLayers, recorded
from landform.backends.torch.layers.search import Network, Search


@dataclass(frozen=True)
class Layers:
    """A function's layers at the point where it was recorded."""

    network: Network

    @property
    def rows(self) -> int:
        """Rows of data."""
        return self.network.rows

    @property
    def widths(self) -> list[int]:
        """Units of every layer."""
        return self.network.widths

    @property
    def widest(self) -> int:
        """Weights of the largest panel."""
        return max(panel.size for panel in self.network.panels)

    @property
    def matrices(self) -> int:
        """How many of the finished matrix's size are held at once."""
        return 2 if self.network.direct else 1

    def dense(self, f: Flat, chunk: int, x: Tensor) -> Tensor:
        """The Hessian, shape (n, n)."""
        with f.attention():
            return hessian_by_layers(self.network, chunk, f.tree.split(x.detach()), x)


def layers_of(f: Flat, x: Tensor, weights: Tensor, args: Sequence[Any]) -> Layers | str:
    """The layers of weights·f at x, or why there are none."""
    if type(f) is not Flat:
        return "a function made linear"
    if f.own_rules:
        return f"{f.own_rules[0]} brings a derivative rule of its own"
    if len({*f.tree.kinds, x.dtype}) > 1:
        return "tensors of several precisions"

    def scalar(pieces: list[Tensor]) -> Tensor:
        return weights @ torch.cat(f.outputs(pieces, args))

    try:
        with f.attention():
            tape, result = recorded(scalar, f.tree.split(x.detach().requires_grad_()))
        return Layers(Search(tape, result).network)
    except NotLayers as other:
        return str(other)
    except (RuntimeError, NotImplementedError, TypeError, AttributeError) as error:
        return f"it cannot be recorded ({type(error).__name__})"
