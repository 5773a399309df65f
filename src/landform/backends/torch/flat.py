"""A PyTorch function between vectors, with the graph at its point kept for as long as the operator lives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from landform.backends.torch.graph import (
    custom_functions,
    depends_on,
    normalizes_batches,
    normalizes_weights,
    uses_fused_attention,
)
from landform.backends.torch.module import ModuleFunction
from landform.backends.torch.refusals import cut_off, explained, refuse_random, refuse_training_mode
from landform.backends.torch.tree import Tree, flat_output, tree_of
from landform.errors import DerivativeError, ShapeError

_MATH_KERNEL = "attention runs on PyTorch's math kernel inside these derivatives: its fused kernels have no second ones"

_REDRAWS = 8
"""Evaluations of a function that draws random numbers: dropout of a few units may leave the same ones twice."""

_OWN_RULE = "brings a derivative rule of its own, taken on trust: landform.verify checks it"


@dataclass(frozen=True)
class Graph:
    """What autograd recorded at one point: the vector, its tensors, and the outputs."""

    x: torch.Tensor
    pieces: list[torch.Tensor]
    y: torch.Tensor


class Flat:
    """The function ``f(x, *args)`` from shape (n,) to shape (m,).

    Parameters
    ----------
    function : callable
        Of the user's tensor or tree of tensors.
    tree : Tree
        The way from a vector to it.
    """

    def __init__(self, function: Callable[..., Any], tree: Tree) -> None:
        self.function, self.tree = function, tree
        self.out: Tree | None = None
        self.notes: tuple[str, ...] = ()
        self.work = self.m = 0
        self._fused = False
        self._once = ""
        self._weight_norm = False
        self.own_rules: tuple[str, ...] = ()
        self._held: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self._state = [(name, tensor, tensor._version) for name, tensor in _state_of(function)]

    def outputs(self, pieces: list[torch.Tensor], args: Sequence[Any]) -> list[torch.Tensor]:
        """What the function returns, as vectors."""
        return flat_output(self.function(self.tree.build(pieces), *args))

    def __call__(self, x: torch.Tensor, *args: Any) -> torch.Tensor:
        """The outputs as one vector."""
        with self.attention():
            return torch.cat(self.outputs(self.tree.split(x), args))

    def attention(self) -> AbstractContextManager[Any]:
        """Where attention was fused, the kernel that can be differentiated twice; the flags return afterwards."""
        return sdpa_kernel(SDPBackend.MATH) if self._fused else nullcontext()

    def graph(self, x: torch.Tensor, args: Sequence[Any]) -> Graph:
        """The function evaluated and recorded."""
        leaf = x.detach().requires_grad_()
        with self.attention():
            pieces = self.tree.split(leaf)
            return Graph(leaf, pieces, torch.cat(self.outputs(pieces, args)))

    def held(self, what: str, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What was recorded for these very tensors before, or is now.

        Raises
        ------
        DerivativeError
            If parameters of the module were changed in between.
        """
        self.refuse_changed()
        kept = self._held.get(what)
        if kept is None or len(kept[0]) != len(key) or any(a is not b for a, b in zip(kept[0], key, strict=True)):
            kept = self._held[what] = key, make()
        return kept[1]

    def refuse_second(self) -> None:
        """Refuse to differentiate twice through an operation that allows it once.

        Raises
        ------
        DerivativeError
        """
        if self._weight_norm:
            raise DerivativeError(
                "operations whose second derivatives PyTorch knows",
                got="weight_norm, whose it gets wrong",
                remedy="write g * v / v.norm() out, or torch.nn.utils.parametrize.remove_parametrizations first",
                where="argument function",
            )
        if self._once:
            raise DerivativeError(
                "a function that can be differentiated twice",
                got=f"the autograd.Function {self._once}, marked once_differentiable",
                remedy='write its backward with torch operations and no mark, or use J.T @ u and mode="reverse"',
                where="argument function",
            )

    def refuse_changed(self) -> None:
        """Refuse a module that is no longer the one at whose point the operator stands.

        Raises
        ------
        DerivativeError
        """
        changed = [name for name, tensor, version in self._state if tensor._version != version]
        if changed:
            raise DerivativeError(
                "the module as it was when the operator was made",
                got=f"{changed[0]} changed since" + (f", and {len(changed) - 1} more" if len(changed) > 1 else ""),
                remedy="make the operator again",
                where="argument function",
            )

    def look(self, x: torch.Tensor, args: Sequence[Any]) -> torch.Tensor:
        """Evaluate once, refuse what has no derivative, and note what a user should know.

        Raises
        ------
        DerivativeError, ShapeError
        """
        drawn = _random_state(x)
        leaf = x.detach().requires_grad_()
        pieces = self.tree.split(leaf)
        with torch.autograd.graph.saved_tensors_hooks(self._count, lambda kept: kept):
            out = self.function(self.tree.build(pieces), *args)
            outputs = flat_output(out)
        self.out = tree_of(out, "y")
        _refuse_kinds(outputs)
        if not torch.equal(_random_state(x), drawn):
            for _ in range(_REDRAWS):
                refuse_random(self._values(x, args), outputs)
        if normalizes_batches(outputs):
            raise DerivativeError(
                "batch normalization in evaluation mode",
                got="one in training mode: it changes its running statistics, and every row moves all others",
                remedy="call .eval() on the module",
                where="argument function",
            )
        self._fused = uses_fused_attention(outputs)
        self._weight_norm = normalizes_weights(outputs)
        own = custom_functions(outputs)
        self._once = ", ".join(name for name, marked in own.items() if marked)
        self.own_rules = tuple(own)
        self.notes = (_MATH_KERNEL,) if self._fused else ()
        self.notes += tuple(f"{name} {_OWN_RULE}" for name in own)
        self._look_for_cuts(x, args, outputs, depends_on(outputs, pieces))
        y = torch.cat(outputs)
        self.m = len(y)
        return y

    def _count(self, saved: torch.Tensor) -> torch.Tensor:
        self.work += 0 if saved.is_leaf else saved.numel() * saved.element_size()
        return saved.detach()

    def _values(self, x: torch.Tensor, args: Sequence[Any]) -> list[torch.Tensor]:
        with torch.no_grad():
            return self.outputs(self.tree.split(x.clone()), args)

    def _look_for_cuts(
        self, x: torch.Tensor, args: Sequence[Any], outputs: list[torch.Tensor], used: list[bool]
    ) -> None:
        """A way from input to output that autograd does not see is refused; what does not depend is named."""
        loose = [k for k, out in enumerate(outputs) if not out.requires_grad]
        unused = [k for k, seen in enumerate(used) if not seen and self.tree.sizes[k]]
        if loose:
            after = self._values(moved(x), args)
            changed = [k for k in loose if not torch.equal(torch.nan_to_num(after[k]), torch.nan_to_num(outputs[k]))]
            if changed:
                raise cut_off("its output" if len(outputs) == 1 else f"output {changed[0]}")
            which = "the outputs do" if len(loose) == len(outputs) else f"output {loose[0]} does"
            self.notes += (f"{which} not depend on the input, as moving it shows",)
        if not unused or len(loose) == len(outputs):
            return
        steps = torch.cat([torch.full((s,), float(k in unused)) for k, s in enumerate(self.tree.sizes)]).to(x)
        after = self._values(torch.where(steps > 0, moved(x), x), args)
        names = ", ".join(self.tree.labels[k] for k in unused)
        if any(not torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)) for a, b in zip(after, outputs, strict=True)):
            raise cut_off(f"what depends on {names}")
        if isinstance(self.function, ModuleFunction):
            raise ShapeError(
                "parameters that the result depends on",
                got=f"{names}, which it ignores",
                remedy="leave them out with parameters= in from_torch, or freeze them with requires_grad_(False)",
                where="argument x",
            )
        self.notes += (f"the outputs do not depend on {names}, as moving it shows",)


def moved(x: torch.Tensor) -> torch.Tensor:
    """A point nearby, every number moved by about a thousandth of itself, up and down in turns."""
    steps = 1e-3 * (0.1 + x.detach().abs()) * (1 + torch.arange(len(x), device=x.device) % 3 / 4).to(x)
    return x.detach() + torch.where(torch.arange(len(x), device=x.device) % 2 > 0, -steps, steps)


def _state_of(function: Any) -> list[tuple[str, torch.Tensor]]:
    """The tensors of a module that are held fixed."""
    if isinstance(function, ModuleFunction):
        return function.fixed()
    if isinstance(function, nn.Module):
        return [*function.named_parameters(), *function.named_buffers()]
    return []


def _random_state(x: torch.Tensor) -> torch.Tensor:
    """The state of the generators that a function at x may draw from."""
    states = [torch.get_rng_state()]
    if x.device.type == "cuda":
        states.append(torch.cuda.get_rng_state(x.device))
    return torch.cat(states)


def _refuse_kinds(outputs: list[torch.Tensor]) -> None:
    for out in outputs:
        if not out.is_floating_point():
            raise DerivativeError(
                "real floating-point outputs",
                got=f"dtype {out.dtype}",
                remedy="return the real and imaginary part, for example with torch.view_as_real"
                if out.is_complex()
                else "return floats: whole numbers have no slope",
                where="argument function",
            )


def flat_function(function: Callable[..., Any], tree: Tree) -> Flat:
    """The function between flat vectors.

    Raises
    ------
    DerivativeError
        If it is a module in training mode whose value is random or depends on other rows.
    """
    module = function.module if isinstance(function, ModuleFunction) else function
    if isinstance(module, nn.Module):
        refuse_training_mode(module)
    return Flat(function, tree)


def output_leaves(f: Flat, m: int) -> list[tuple[str, tuple[int, ...]]]:
    """Label and shape of every tensor among the m outputs."""
    return [("y", (m,))] if f.out is None else f.out.leaves


def outputs_at(f: Flat, x: torch.Tensor, args: Sequence[Any], m: int, precision: Callable[[], Any]) -> Any:
    """The outputs at x in their own shapes."""
    del m
    with precision(), explained(), torch.no_grad():
        y = f(x.clone(), *args)
    return y if f.out is None else f.out.build(f.out.split(y))


def output_size(f: Flat, x: torch.Tensor, args: Sequence[Any]) -> tuple[int, torch.dtype]:
    """Number of outputs and their dtype, by one evaluation."""
    y = f.look(x, args)
    return len(y), y.dtype


def evaluated_anew(f: Flat, x: torch.Tensor, *args: Any) -> torch.Tensor:
    """f(x) by the user's function itself, which is what is always called."""
    return f(x, *args)
