"""PyTorch as a backend of the derivative operators (`landform.backends.protocol.Backend`).

The files in the order in which a point passes them: `tree` (tensors as one vector), `flat` (the function between
vectors; what cannot be differentiated is refused, with `graph` and `refusals`), `programs` and `dense` (products and
matrices), `layers` (Hessians of networks), `layered` (slopes by layers and rows), `tables` (a model at every row),
`seeds` (sparse matrices), `higher` (Gauss-Newton, Laplacians, Taylor coefficients), `joint` (what a solver asks).
`families` has what a Fisher information needs of distributions, `module` makes a module a function of its parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from landform.backends.torch import families
from landform.backends.torch.flat import Flat, evaluated_anew, flat_function, output_leaves, output_size, outputs_at
from landform.backends.torch.higher import laplacian, loss_of_linear, taylor
from landform.backends.torch.joint import as_double, half_squared, joint_function, leaf_names, shaped
from landform.backends.torch.layered import layered
from landform.backends.torch.layers import layers_of
from landform.backends.torch.programs import (
    bend,
    hessian_dense,
    hessian_product,
    jacobian_forward,
    jacobian_reverse,
    pullback,
    pushforward,
    second_derivatives,
    value,
    value_and_hessian_product,
    value_and_pullback,
    value_and_pushforward,
    value_and_quadratic,
    values,
    values_and_jacobians,
)
from landform.backends.torch.refusals import explained
from landform.backends.torch.seeds import hessian_products, pullbacks, pushforwards, sparse_matrix, taken
from landform.backends.torch.tables import at_rows
from landform.backends.torch.tree import flatten_point, leaves, leaves_of, map_leaves, rows_of
from landform.errors import ShapeError

__all__ = [
    "as_double",
    "as_point",
    "at_rows",
    "bend",
    "evaluated_anew",
    "explained",
    "families",
    "first_not_finite",
    "flat_function",
    "flatten_point",
    "half_squared",
    "hessian_dense",
    "hessian_plan",
    "hessian_product",
    "hessian_products",
    "in_form_of",
    "is_native",
    "jacobian_forward",
    "jacobian_reverse",
    "joined",
    "joint_function",
    "laplacian",
    "layered",
    "layers_of",
    "leaf_names",
    "leaves",
    "leaves_of",
    "loss_of_linear",
    "map_leaves",
    "name",
    "notes",
    "output_leaves",
    "output_size",
    "outputs_at",
    "precision_of",
    "pullback",
    "pullback_cost",
    "pullbacks",
    "pushforward",
    "pushforwards",
    "rounding",
    "rows",
    "rows_of",
    "second_derivatives",
    "shaped",
    "sparse_matrix",
    "taken",
    "taylor",
    "to_numpy",
    "value",
    "value_and_hessian_product",
    "value_and_pullback",
    "value_and_pushforward",
    "value_and_quadratic",
    "values",
    "values_and_jacobians",
    "vector",
    "work_bytes",
]

name = "PyTorch"
hessian_plan = ("reverse over reverse", "the graph of the gradient is recorded once")
pullback_cost = 0.75


def as_point(x: Any) -> Any:
    """The point as it is: tensors are never made of something else unasked."""
    return x


def is_native(x: Any) -> bool:
    """Results are always tensors."""
    del x
    return True


@contextmanager
def precision_of(x: Any) -> Iterator[None]:
    """Recording is on, whatever the caller has switched off; afterwards it is as it was."""
    del x
    with torch.inference_mode(False), torch.enable_grad():
        yield


def work_bytes(f: Flat) -> int:
    """What one evaluation keeps for its derivative."""
    return f.work


def notes(f: Flat) -> tuple[str, ...]:
    """What a user should know about these derivatives."""
    return f.notes


def vector(v: Any, like: torch.Tensor) -> torch.Tensor:
    """A vector on the device and in the precision of ``like``.

    Raises
    ------
    ShapeError
        If it holds complex numbers.
    """
    with torch.inference_mode(False):
        v = v.detach() if torch.is_tensor(v) else torch.from_numpy(np.array(v))
        if v.is_complex():
            raise ShapeError("real numbers", got=f"dtype {v.dtype}", remedy="treat real and imaginary part separately")
        return (v.clone() if v.is_inference() else v).to(like)


rows = vector


def joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Tensors one below the other."""
    return torch.cat(list(parts))


def to_numpy(array: Any) -> np.ndarray:
    """A tensor, or what NumPy takes, as NumPy's; 16-bit floats that NumPy lacks become 32-bit."""
    if not torch.is_tensor(array):
        return np.asarray(array)
    array = array.detach().cpu()
    return np.asarray((array.float() if array.dtype == torch.bfloat16 else array).numpy())


def in_form_of(array: torch.Tensor, point: Any) -> Any:
    """A tensor for a tensor, NumPy for anything else (such as what SciPy's solvers pass)."""
    return array if torch.is_tensor(point) else to_numpy(array)


def rounding(x: torch.Tensor) -> float:
    """The relative spacing of numbers as precise as x."""
    return float(torch.finfo(x.dtype).eps)


def first_not_finite(matrix: torch.Tensor) -> tuple[tuple[int, ...], float, int] | None:
    """Place and value of the first NaN or infinity, and how many there are."""
    if torch.isfinite(matrix.sum()):  # one number that is not finite makes the sum so, and this is ten times quicker
        return None
    bad = ~torch.isfinite(matrix)
    count = int(bad.sum())
    if not count:
        return None
    place = tuple(int(k) for k in torch.nonzero(bad)[0])
    return place, float(matrix[place]), count
