"""Products with many seeds at once: by the framework where it has them, else one after the other.

Seeds are boolean arrays of NumPy; a framework's ``pushforwards``, ``pullbacks`` and ``hessian_products`` make numbers
of them in the precision they need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from landform.derivatives.coloring import ColoredPattern
from landform.derivatives.target import Target
from landform.errors import DerivativeError


def pushforwards(t: Target, chunk: int, x: Any, seeds: np.ndarray) -> tuple[Any, Any]:
    """f(x) if it comes along, and J v for every row v of the seeds."""
    if hasattr(t.backend, "pushforwards"):
        return t.backend.pushforwards(t.flat, chunk, x, seeds, *t.args)
    return None, np.stack([to_numpy(t, t.backend.pushforward(t.flat, x, as_vector(t, v), *t.args)) for v in seeds])


def pullbacks(t: Target, chunk: int, x: Any, seeds: np.ndarray) -> tuple[Any, Any]:
    """f(x) if it comes along, and J' u for every row u of the seeds."""
    if hasattr(t.backend, "pullbacks"):
        return t.backend.pullbacks(t.flat, chunk, x, seeds, *t.args)
    return None, np.stack([to_numpy(t, t.backend.pullback(t.flat, x, as_vector(t, u), *t.args)) for u in seeds])


def hessian_products(t: Target, chunk: int, x: Any, weights: Any, seeds: np.ndarray) -> Any:
    """H v for every row v of the seeds."""
    if hasattr(t.backend, "hessian_products"):
        return t.backend.hessian_products(t.flat, chunk, x, weights, seeds, *t.args)
    found = [t.backend.hessian_product(t.flat, x, weights, as_vector(t, v), *t.args) for v in seeds]
    return np.stack([to_numpy(t, row) for row in found]) if found else np.zeros((0, t.n))


def as_vector(t: Target, v: np.ndarray) -> Any:
    """A direction in the framework, in the point's precision."""
    return t.backend.vector(v, t.x)


def to_numpy(t: Target, array: Any) -> np.ndarray:
    """An array of the framework as NumPy's."""
    return t.backend.to_numpy(array)


def arranged(t: Target, colored: ColoredPattern) -> Callable[[Sequence[Any]], Any]:
    """The way from products to the values in the order of the pattern."""
    backend = t.backend
    if not colored.structure.nnz:
        return lambda _: as_vector(t, np.zeros(0))
    if hasattr(backend, "taken") and colored.forest is None:
        source = colored.source.astype(np.int32 if colored.source.max() < 2**31 else np.int64)
        return lambda parts: backend.taken(parts, source)

    def on_host(parts: Sequence[Any]) -> Any:
        if any(not hasattr(part, "__array__") or type(part).__name__.endswith("Tracer") for part in parts):
            raise DerivativeError(
                "products that are numbers",
                got="an acyclic coloring inside a traced function",
                remedy='color the pattern with kind="star" there',
            )
        return as_vector(t, colored.entries(*(to_numpy(t, part) for part in parts)))

    return on_host
