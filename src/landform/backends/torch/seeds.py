"""Products with many seeds at once, and the sparse matrices that are read off them.

Seeds are boolean arrays of NumPy, one a row.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from landform.backends.torch.dense import seeded_rows
from landform.backends.torch.flat import Flat
from landform.backends.torch.programs import Eager, linear_map, slopes_of_sum


@Eager
def pullbacks(f: Flat, chunk: int, x: Tensor, seeds: np.ndarray, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x), and J' u for every u among the rows of ``seeds``."""
    graph = f.graph(x, args)
    return graph.y.detach(), seeded_rows(graph.y, graph.x, seeds, chunk)


@Eager
def pushforwards(f: Flat, chunk: int, x: Tensor, seeds: np.ndarray, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x), and J v for every v among the rows of ``seeds``."""
    graph = f.graph(x, args)
    u, pulled = linear_map(f, graph)
    return graph.y.detach(), seeded_rows(pulled, u, seeds, chunk)


@Eager
def hessian_products(f: Flat, chunk: int, x: Tensor, weights: Tensor, seeds: np.ndarray, *args: Any) -> Tensor:
    """The Hessian of weights·f times every v among the rows of ``seeds``."""
    leaf, gradient = slopes_of_sum(f, x, weights, args)
    return seeded_rows(gradient, leaf, seeds, chunk)


def taken(parts: Sequence[Tensor], source: np.ndarray) -> Tensor:
    """The numbers at ``source`` among all tensors set end to end."""
    line = torch.cat([part.reshape(-1) for part in parts])
    return line[torch.from_numpy(source).to(line.device)]


def sparse_matrix(indptr: np.ndarray, columns: np.ndarray, data: Tensor, shape: tuple[int, int]) -> Tensor:
    """A matrix in compressed rows as a sparse CSR tensor on the device of its data."""
    rows, places = (torch.from_numpy(a.astype(np.int64)).to(data.device) for a in (indptr, columns))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(rows, places, data, shape, check_invariants=False)
