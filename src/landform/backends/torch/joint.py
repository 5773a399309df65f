"""What a solver asks of PyTorch: points in double precision, and functions of a point and further arguments as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import keystr, tree_flatten_with_path, tree_map

from landform.backends.torch.tree import Tree, flat_output, flatten_point, leaves_of
from landform.errors import ShapeError


def as_double(x: Any) -> Any:
    """The point as it is, if a solver can work in its precision.

    Raises
    ------
    ShapeError
        If it is not in double precision: the function may hold tensors that no one here can convert.
    """
    for leaf in leaves_of(x):
        if torch.is_tensor(leaf) and leaf.is_floating_point() and leaf.dtype != torch.float64:
            raise ShapeError(
                "a start in double precision, in which the solver works",
                got=str(leaf.dtype),
                remedy="pass x.double(), and call module.double() on the modules of the function",
                where="argument x0",
            )
    return x


def shaped(unflatten: Tree, x: np.ndarray, like: Tensor) -> Any:
    """A vector of NumPy as the user's own tensors."""
    return unflatten.build(unflatten.split(torch.from_numpy(np.array(x)).to(like)))


def half_squared(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Half the squared length of all that a function returns."""

    def half(x: Any, *args: Any) -> Tensor:
        residuals = torch.cat(flat_output(function(x, *args)))
        return 0.5 * residuals @ residuals

    return half


def joint_function(
    functions: Sequence[Callable[..., Any]], unflatten: Tree, n: int, args: tuple[Any, ...], extra: tuple[Any, ...] = ()
) -> tuple[np.ndarray, Callable[[Tensor], Tensor]]:
    """Several functions of a point and further arguments as one of a single vector; and these arguments as a vector.

    The first function takes ``extra`` before the arguments.
    """
    vector, tree = flatten_point(_tensors(args)) if leaves_of(args) else (torch.zeros(0), None)

    def joint(z: Tensor) -> Tensor:
        x = unflatten.build(unflatten.split(z[:n]))
        rest = () if tree is None else tree.build(tree.split(z[n:]))
        outputs = [f(x, *(extra if i == 0 else ()), *rest) for i, f in enumerate(functions)]
        return torch.cat([piece.to(z) for y in outputs for piece in flat_output(y)])

    return vector.cpu().double().numpy(), joint


def _tensors(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments as tensors; whole numbers have no slope and are refused."""

    def tensor(leaf: Any) -> Tensor:
        found = torch.tensor(leaf, dtype=torch.float64) if isinstance(leaf, float) else torch.as_tensor(leaf)
        if not found.is_floating_point():
            raise ShapeError(
                "args of floating-point numbers",
                got=f"dtype {found.dtype}",
                remedy="convert them, for example with float(a), or close over what has no slope",
                where="argument args",
            )
        return found

    converted: tuple[Any, ...] = tree_map(tensor, args)
    return converted


def leaf_names(tree: Any, prefix: str) -> list[str]:
    """A name for every number in a tree, in the order in which points are flattened: ``args[0]['rate'][2]``."""
    names = []
    for path, leaf in tree_flatten_with_path(tree)[0]:
        root = prefix + keystr(path)
        names += [root + "".join(f"[{i}]" for i in place) for place in np.ndindex(tuple(np.shape(leaf)))]
    return names
