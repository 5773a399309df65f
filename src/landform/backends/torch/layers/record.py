"""Write down the operations that a PyTorch function runs at a point, so that they can be run again with changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten


class NotLayers(Exception):  # noqa: N818 - a turn of the road, not an error that a user meets
    """A function that is not a sum over rows of a network's losses, and where that showed."""


@dataclass(frozen=True)
class Slot:
    """A numbered tensor among the arguments of an operation."""

    number: int


@dataclass(frozen=True)
class Call:
    """One operation between numbered tensors.

    Parameters
    ----------
    func : OpOverload
        The operation, below autograd.
    leaves : list
        Its arguments, tensors as slots.
    spec : TreeSpec
        Positional and named arguments from these.
    outs : list of int
        Numbers of its results; -1 for what is no tensor.
    changes : bool
        Whether it writes into its first argument.
    """

    func: Any
    leaves: list[Any]
    spec: TreeSpec
    outs: list[int]
    changes: bool = False

    @property
    def name(self) -> str:
        """Of the operation, without its overload: ``tanh``, ``add``; that of ``add_`` too."""
        name = str(self.func.overloadpacket.__name__)
        return name.removesuffix("_") if self.changes else name

    @property
    def ins(self) -> list[int]:
        """Numbers of the tensors that it takes."""
        return [leaf.number for leaf in self.leaves if isinstance(leaf, Slot)]

    def arguments(self, put: Callable[[int], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and named arguments with something in place of every numbered tensor."""
        leaves = [put(leaf.number) if isinstance(leaf, Slot) else leaf for leaf in self.leaves]
        args, kwargs = tree_unflatten(leaves, self.spec)
        return args, kwargs

    def run(self, put: Callable[[int], Any]) -> list[Any]:
        """The results for other tensors."""
        args, kwargs = self.arguments(put)
        if self.changes:
            args = (args[0].clone(), *args[1:])
        return list(tree_flatten(self.func(*args, **kwargs))[0])


class Tape(TorchDispatchMode):
    """Records while it is entered. The first tensors are those given.

    Parameters
    ----------
    inputs : sequence of tensors
        They get the numbers 0, 1, …
    """

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.tensors: list[Tensor] = []
        self._numbers: dict[int, int] = {}
        for tensor in inputs:
            self._new(tensor)
        self.inputs = len(self.tensors)

    def _new(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)  # alive, so that its id stays its own
        self._numbers[id(tensor)] = len(self.tensors) - 1
        return len(self.tensors) - 1

    def number(self, tensor: Tensor) -> int:
        """Of a tensor; one that no operation made is a constant and gets a new one."""
        known = self._numbers.get(id(tensor))
        return self._new(tensor) if known is None else known

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and write it down."""
        del types
        leaves, spec = tree_flatten((args, kwargs or {}))
        kept = [Slot(self.number(leaf)) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        changes = bool(func._schema.is_mutable)
        if changes:
            self._refuse_shared(func, args)
            self.tensors[self._numbers[id(args[0])]] = args[0].detach().clone()
        result = func(*args, **(kwargs or {}))
        outs = [self._new(leaf) if isinstance(leaf, Tensor) else -1 for leaf in tree_flatten(result)[0]]
        self.calls.append(Call(func, kept, spec, outs, changes))
        return result

    def _refuse_shared(self, func: Any, args: Any) -> None:
        """Refuse what writes elsewhere than into its first argument, or where another tensor looks on."""
        written = [a.alias_info is not None and a.alias_info.is_write for a in func._schema.arguments]
        first = args[0] if args else None
        if written[1:] != [False] * (len(written) - 1) or not isinstance(first, Tensor):
            raise NotLayers(f"'{func}' writes into several tensors")
        place = first.untyped_storage().data_ptr()
        makers = {out for call in self.calls for out in call.outs}
        others = {id(t) for t in self.tensors if t.untyped_storage().data_ptr() == place} - {id(first)}
        if others or self._numbers.get(id(first)) not in makers:
            raise NotLayers(f"'{func}' changes what others look at")


def recorded(function: Callable[[list[Tensor]], Tensor], inputs: list[Tensor]) -> tuple[Tape, int]:
    """The operations of a function at a point, and the number of its result.

    Raises
    ------
    NotLayers
        If it writes into tensors in a way that cannot be run again.
    """
    tape = Tape(inputs)
    with torch.enable_grad(), tape:
        result = function(inputs)
    return tape, tape.number(result)
