"""Layers of a function of parameters and data rows, found in its ATen graph, and slopes by their units at many rows.

The function is traced for one row and run for many under ``vmap``, so rows need no bookkeeping. Products with
parameters, however they were reshaped, and convolutions become sites, whatever module they stand in; parameters that
enter in another way are handed to every row as a copy of its own, so that their slopes are per row too. A function
that cannot be traced is differentiated row by row, and has no sites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from landform.backends.layered import Rows, Search, Site, Use, settled

_ATEN = torch.ops.aten
_MOVES = frozenset(
    [
        "t", "view", "_unsafe_view", "reshape", "permute", "transpose", "slice", "select", "unsqueeze", "squeeze",
        "expand", "split", "split_with_sizes", "unbind", "alias", "clone", "chunk", "_reshape_alias", "narrow",
        "contiguous", "unflatten", "flatten", "numpy_T", "swapaxes", "movedim", "view_as", "lift_fresh",
    ]
)  # fmt: skip
_ADDING = {"add": 1.0, "sub": -1.0}


class Layered:
    """A function ``predict(parameters, *inputs)`` by its layers. Made by `layered`.

    Parameters
    ----------
    sites : list of Site
        Weights that multiply features.
    rest : dict
        Numbers of the other arrays of parameters, with how they enter.
    """

    def __init__(self, predict: Callable[..., Any], parameters: Any, inputs: Sequence[Any]) -> None:
        leaves, spec = tree_flatten(parameters)
        self._spec, self._predict, self._walk = spec, predict, None
        with _math_kernel():
            try:
                self._walk = self._traced(leaves, inputs)
                self.sites, self.rest = settled(self._walk.search)
                self._try_out(parameters, inputs)
            except Exception as error:  # whatever tracing or vectorizing stumbles over
                self._walk, said = None, f"not traced: {str(error).splitlines()[0][:120] if str(error) else error!r}"
                self.sites, self.rest = [], dict.fromkeys(range(len(leaves)), said)

    def _traced(self, leaves: Sequence[Tensor], inputs: Sequence[Any]) -> _Walk:
        def one(leaves: list[Tensor], row: Sequence[Any]) -> Tensor:
            return self._predict(tree_unflatten(leaves, self._spec), *row)

        row = tree_map(lambda v: v[:1].detach(), tuple(inputs))
        moving = [leaf.detach().requires_grad_() for leaf in leaves]
        graph = make_fx(torch.func.functionalize(one, remove="mutations"))(moving, row)
        return _Walk(graph, [leaf.numel() for leaf in leaves], [tuple(leaf.shape) for leaf in leaves])

    def _try_out(self, parameters: Any, inputs: Sequence[Any]) -> None:
        """Run two rows, so that what cannot be vectorized shows now."""
        two = tree_map(lambda v: v[:2], tuple(inputs))
        outputs = self._recorded(tree_flatten(parameters)[0], two)[0]
        torch.autograd.grad(outputs.sum(), outputs, retain_graph=True)

    def restricted(self, sites: Sequence[int]) -> Layered:
        """The same with slopes by some sites' units alone."""
        found = copy(self)
        found.sites, found.rest = [self.sites[k] for k in sites], {}
        return found

    def at(self, parameters: Any, inputs: Sequence[Any], scores: np.ndarray) -> Rows:
        """Outputs, features and slopes of the outputs along every score, shape (k, rows, outputs), by all units."""
        leaves = tree_flatten(parameters)[0]
        if self._walk is None:
            return self._row_by_row(leaves, inputs, scores)
        with torch.inference_mode(False), torch.enable_grad(), _math_kernel():
            outputs, operands, shifts, rest = self._recorded(leaves, inputs)
            wrt = [*shifts, *rest]
            along = torch.from_numpy(np.array(scores)).to(outputs)
            found = [_slopes(outputs, wrt, u) for u in along]
        slopes = [torch.stack([one[k] for one in found]) for k in range(len(wrt))]
        turned, number, rows = [], 0, len(outputs)
        for site in self.sites:
            parts = [_turned(use, slopes[number + k], rows) for k, use in enumerate(_shifted(site))]
            number += len(parts)
            turned.append(_numpy(torch.cat(parts, 2)))
        features = [
            _numpy(torch.cat([_feature(use, operands, outputs) for use in site.uses], 1)) for site in self.sites
        ]
        others = {k: _numpy(g.flatten(2)) for k, g in zip(self.rest, slopes[number:], strict=True)}
        return Rows(_numpy(outputs), features, turned, others)

    def _recorded(self, leaves: Sequence[Tensor], inputs: Sequence[Any]) -> tuple[Any, Any, list[Tensor], list[Tensor]]:
        """Outputs of many rows, operands of the sites, and the shifts and copies they were computed with."""
        assert self._walk is not None
        walk = self._walk
        flat = [v.detach() for v in tree_flatten(tuple(inputs))[0]]
        rows = len(flat[0])
        uses = [use for site in self.sites for use in _shifted(site)]
        like = leaves[0]
        shifts = [like.new_zeros((rows, *walk.shapes[use.step])).requires_grad_() for use in uses]
        rest = [leaves[k].detach().expand(rows, *leaves[k].shape).clone().requires_grad_() for k in self.rest]
        wanted = {use.step: use.operand for site in self.sites for use in site.uses if use.operand >= 0}

        def one(row: list[Tensor], shifts: list[Tensor], rest: list[Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
            own = [leaf.detach() for leaf in leaves]
            for k, leaf in zip(self.rest, rest, strict=True):
                own[k] = leaf
            by_step = {use.step: shift for use, shift in zip(uses, shifts, strict=True)}
            out, operands = walk.run([*own, *(v[None] for v in row)], by_step, wanted)
            return out.reshape(-1), operands

        outputs, operands = torch.func.vmap(one)(flat, shifts, rest)
        return outputs, {k: v.detach() for k, v in operands.items()}, shifts, rest

    def _row_by_row(self, leaves: Sequence[Tensor], inputs: Sequence[Any], scores: np.ndarray) -> Rows:
        outputs, slopes, along = [], [], torch.from_numpy(np.array(scores)).to(leaves[0])
        with torch.inference_mode(False), torch.enable_grad():
            for i in range(scores.shape[1]):
                own = [leaf.detach().requires_grad_() for leaf in leaves]
                row = tree_map(lambda v, i=i: v[i : i + 1], tuple(inputs))
                y = self._predict(tree_unflatten(own, self._spec), *row).reshape(-1)
                outputs.append(_numpy(y))
                slopes.append([_slopes(y, own, u) for u in along[:, i]])
        rest = {
            k: np.stack([[_numpy(one[k].reshape(-1)) for one in row] for row in slopes], 1) for k in range(len(leaves))
        }
        return Rows(np.stack(outputs), [], [], rest)


def _math_kernel() -> AbstractContextManager[Any]:
    """Attention in plain operations, which can be vectorized; the flags return afterwards."""
    return sdpa_kernel(SDPBackend.MATH)


def _numpy(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy())


def _slopes(y: Tensor, wrt: Sequence[Tensor], u: Tensor) -> list[Tensor]:
    found = torch.autograd.grad(y, wrt, u, retain_graph=True, allow_unused=True) if wrt else ()
    return [torch.zeros_like(v) if g is None else g for g, v in zip(found, wrt, strict=True)]


def _shifted(site: Site) -> tuple[Use, ...]:
    """Where the units of a site are moved: past the bias, if there is one."""
    return site.biases or site.uses


def _feature(use: Use, operands: dict[int, Tensor], like: Tensor) -> Tensor:
    if use.features is None:
        return like.new_full((len(like), use.positions, 1), use.sign).detach()
    found: Tensor = use.features(operands[use.step])
    return found


def _turned(use: Use, slope: Tensor, rows: int) -> Tensor:
    axes = (0, 1, *(2 + k for k in use.turn))
    return slope.permute(axes).reshape(len(slope), rows, use.positions, -1)


class _Walk:
    """A traced function as numbered nodes, searched for uses of its first arguments."""

    def __init__(self, graph: fx.GraphModule, sizes: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> None:
        graph.graph.eliminate_dead_code()
        self._graph, self.search = graph, Search(sizes)
        self._nodes: list[Any] = list(graph.graph.nodes)
        self._number = {node: k for k, node in enumerate(self._nodes)}
        self.shapes: dict[int, tuple[int, ...]] = {}
        self._places: dict[fx.Node, Any] = {}
        starts, given = np.cumsum([0, *sizes]), 0
        for k, node in enumerate(self._nodes):
            meta = node.meta.get("val", node.meta.get("tensor_meta"))
            self.shapes[k] = tuple(getattr(meta, "shape", ()))
            self.search.readers[k] = sum(node in _operands(user) for user in node.users)
            if node.op == "placeholder":
                if given < len(sizes):
                    self._places[node] = torch.arange(starts[given], starts[given + 1]).reshape(shapes[given])
                given += 1
            elif node.op == "output":
                self._direct(_operands(node), "given out as it is")
            elif node.op == "call_function":
                self._look(k, node)

    def _look(self, k: int, node: Any) -> None:
        weights = [arg for arg in _operands(node) if arg in self._places]
        if not weights:
            return None
        name = _name(node)
        if len(weights) == 1 and (name in _MOVES or name == "getitem") and weights[0] is node.args[0]:
            if name == "getitem" and not isinstance(self._places[weights[0]], (tuple, list)):
                return self._direct(weights, "used by an index")
            args = fx.node.map_arg(node.args, lambda arg: self._places[arg])
            self._places[node] = node.target(*args, **node.kwargs)
        elif not self._used(k, node, name, weights):
            self._direct(weights, f"used by '{name}'")
        return None

    def _direct(self, weights: Sequence[Any], how: str) -> None:
        for arg in weights:
            if arg in self._places:
                for part in tree_flatten(self._places[arg])[0]:
                    self.search.use_directly(part.numpy(), how)

    def _used(self, k: int, node: Any, name: str, weights: Sequence[Any]) -> bool:
        """Whether the weights multiply features, or are added to them; a bias in the same node is noted as a step."""
        args = node.args
        if name == "addmm" and not node.kwargs and args[0] in weights:
            used = self._product(k, node, 1)
            return used and self._added(k, args[0], k)
        if name in ("mm", "addmm") and not node.kwargs:
            return len(weights) == 1 and self._product(k, node, name == "addmm")
        if name == "bmm" and len(weights) == 1:
            return self._batched(k, node)
        if name == "convolution" and args[1] in weights and args[0] not in weights:
            return self._convolution(k, node) and (args[2] is None or self._added(k, args[2], k, axis=1))
        if name in _ADDING and len(weights) == 1 and not node.kwargs and all(isinstance(a, fx.Node) for a in args[:2]):
            other = args[0] if args[1] is weights[0] else args[1]
            if (other is args[1] and name == "sub") or self.shapes[self._number[other]] != self.shapes[k]:
                return False
            return self._added(k, weights[0], self._number[other], sign=_ADDING[name])
        return False

    def _added(self, k: int, bias: Any, before: int, *, axis: int | None = None, sign: float = 1.0) -> bool:
        if bias not in self._places:
            return True
        places = self._places[bias].numpy()
        if axis is not None:
            places = places.reshape([-1 if i == axis else 1 for i in range(len(self.shapes[k]))])
        return self.search.bias(k, np.broadcast_to(places, self.shapes[k]), before, sign)

    def _product(self, k: int, node: Any, first: int) -> bool:
        left, right = node.args[first], node.args[first + 1]
        if left in self._places and right in self._places:
            return False
        own_left = left in self._places
        places = (self._places[left].T if own_left else self._places[right]).numpy()
        positions = self.shapes[self._number[right if own_left else left]][1 if own_left else 0]

        def features(a: Tensor) -> Tensor:
            return a.transpose(1, 2) if own_left else a

        operand = first + 1 if own_left else first
        return self._note(Use(k, places, operand, features, (1, 0) if own_left else (0, 1), positions))

    def _batched(self, k: int, node: Any) -> bool:
        """A product of stacks in which the weights are the same in every one."""
        _, right = node.args
        if right not in self._places:
            return False
        places = self._places[right].numpy()
        if np.any(places != places[:1]):
            return False
        positions = int(np.prod(self.shapes[k][:2], dtype=int))
        d = places.shape[1]
        return self._note(Use(k, places[0], 0, lambda a: a.reshape(len(a), -1, d), (0, 1, 2), positions))

    def _convolution(self, k: int, node: Any) -> bool:
        _, kernel, _, stride, padding, dilation, transposed, _, groups = node.args
        places = self._places[kernel].numpy()
        if transposed or groups != 1:
            return False
        window, space = places.shape[2:], range(2, places.ndim)
        matrix = places.reshape(len(places), -1).T
        positions = int(np.prod([self.shapes[k][0], *(self.shapes[k][i] for i in space)], dtype=int))

        def features(a: Tensor) -> Tensor:
            patches = _patches(a.flatten(0, 1), window, stride, padding, dilation)
            return patches.reshape(len(a), -1, len(matrix))

        return self._note(Use(k, matrix, 0, features, (0, *space, 1), positions))

    def _note(self, use: Use) -> bool:
        if len(np.unique(use.places)) < use.places.size:
            return False
        self.search.uses.append(use)
        return True

    def run(
        self, inputs: Sequence[Tensor], shifts: dict[int, Tensor], wanted: dict[int, int]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """The result with some nodes' outcomes shifted, and operands of some nodes."""
        env: dict[fx.Node, Any] = {}
        given = iter(inputs)
        operands: dict[int, Tensor] = {}
        for k, node in enumerate(self._nodes):
            if node.op == "placeholder":
                env[node] = next(given)
            elif node.op == "get_attr":
                env[node] = getattr(self._graph, str(node.target))
            elif node.op == "output":
                return tree_flatten(fx.node.map_arg(node.args[0], env.__getitem__))[0][0], operands
            else:
                args = fx.node.map_arg(node.args, env.__getitem__)
                found = node.target(*args, **fx.node.map_arg(node.kwargs, env.__getitem__))
                if k in wanted:
                    operands[k] = args[wanted[k]]
                env[node] = found + shifts[k] if k in shifts else found
        raise AssertionError("a graph without an output")


def _operands(node: Any) -> list[Any]:
    found: list[Any] = []
    fx.node.map_arg((node.args, node.kwargs), found.append)
    return found


def _name(node: Any) -> str:
    target = node.target
    return target.overloadpacket.__name__ if hasattr(target, "overloadpacket") else getattr(target, "__name__", "")


def _patches(a: Tensor, window: Sequence[int], stride: Any, padding: Any, dilation: Any) -> Tensor:
    """What every position of a convolution sees, shape (images, positions, channels · window)."""
    if len(window) == 2:
        return functional.unfold(a, tuple(window), dilation, padding, stride).transpose(1, 2)
    d = a.shape[1] * int(np.prod(window, dtype=int))
    unit = torch.eye(d).to(a).reshape(d, a.shape[1], *window)
    seen = torch.convolution(a, unit, None, stride, padding, dilation, False, [0] * len(window), 1)
    return seen.flatten(2).transpose(1, 2)


def layered(predict: Callable[..., Any], parameters: Any, inputs: Sequence[Any]) -> Layered:
    """The layers of ``predict(parameters, *inputs)``, every input with rows along its first axis."""
    with torch.inference_mode(False), torch.enable_grad():
        return Layered(predict, parameters, inputs)
