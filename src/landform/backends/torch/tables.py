"""Values, slopes and curves of a module at every row of a table of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from landform.backends.torch.flat import flat_function
from landform.backends.torch.module import ModuleFunction
from landform.backends.torch.programs import second_derivatives, values, values_and_jacobians
from landform.backends.torch.refusals import explained
from landform.backends.torch.tree import flatten_point, leaves_of
from landform.errors import ShapeError


def at_rows(function: Callable[..., Any], rows: np.ndarray, args: Sequence[Any], order: int, m: int) -> np.ndarray:
    """Values (order 0), slopes (1) or curves (2) of m outputs at every row, in the precision of the module.

    Raises
    ------
    DerivativeError, ShapeError
        As for `landform.jacobian`, and if the function has another number of outputs.
    """
    with torch.inference_mode(False), torch.enable_grad(), explained():
        X = torch.from_numpy(np.array(rows)).to(_like(function, args))
        point = function.point if isinstance(function, ModuleFunction) else X[0]
        flat = flat_function(function, flatten_point(point)[1])
        if len(flat.look(X[0], args)) != m:
            raise ShapeError(
                f"as many outputs as names, {m}", got=f"{flat.m}", remedy="give a name for each", where="Model"
            )
        if order == 0:
            found = values(flat, X, *args)
        elif order == 1:
            found = values_and_jacobians(flat, X, *args)[1]
        else:
            found = torch.stack([second_derivatives(flat, x, *args)[2] for x in X])
    return np.asarray(found.cpu().double().numpy())


def _like(function: Any, args: Sequence[Any]) -> Tensor:
    """A tensor whose precision and device the function expects."""
    module = function.module if isinstance(function, ModuleFunction) else function
    own = [*module.parameters(), *module.buffers()] if isinstance(module, nn.Module) else []
    held = [leaf for leaf in [*own, *leaves_of(tuple(args))] if torch.is_tensor(leaf) and leaf.is_floating_point()]
    return held[0] if held else torch.zeros((), dtype=torch.float64)
