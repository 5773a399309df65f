"""Which rows of a batch every element of a value depends on, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from landform.backends.torch.layers.record import Call, NotLayers

Kind = Literal["fixed", "weights", "direct", "rows", "total"]

MOVERS = frozenset(
    [
        "view",
        "_unsafe_view",
        "reshape",
        "t",
        "transpose",
        "permute",
        "expand",
        "unsqueeze",
        "squeeze",
        "select",
        "slice",
        "split",
        "split_with_sizes",
        "unbind",
        "unfold",
        "flip",
        "roll",
        "repeat",
        "index",
        "index_select",
        "gather",
        "take",
        "diagonal",
        "as_strided",
    ]
)
"""Operations whose results are elements of their first argument."""
_SAME = frozenset(["clone", "alias", "detach", "_to_copy", "lift_fresh", "contiguous"])
_REDUCING = frozenset(
    [
        "sum",
        "mean",
        "amax",
        "amin",
        "logsumexp",
        "prod",
        "var",
        "std",
        "any",
        "all",
        "argmax",
        "argmin",
        "max",
        "min",
        "linalg_vector_norm",
        "norm",
    ]
)
_ALONG = frozenset(["_softmax", "_log_softmax", "cumsum", "cumprod", "sort", "softmax", "log_softmax"])
_LOSSES = frozenset(
    [
        "mse_loss",
        "smooth_l1_loss",
        "huber_loss",
        "soft_margin_loss",
        "nll_loss_forward",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
    ]
)
_ADDING = frozenset(["add", "sub"])
_LINEAR = frozenset(["neg", "sum", "mean", "cat", "stack"]) | MOVERS | _SAME
_PRODUCTS = frozenset(["mm", "bmm", "mv", "dot", "addmm", "baddbmm", "addmv"])


@dataclass(frozen=True)
class State:
    """What a value depends on.

    Parameters
    ----------
    kind : {"fixed", "weights", "direct", "rows", "total"}
        Nothing; weights as they stand, only rearranged; weights in some other way; what the layers give, every element
        of one row alone; a sum over rows, with or without terms of the weights alone.
    numbers : tensor of int, optional
        Of "weights", every element's place among the inputs; of "rows", its row.
    """

    kind: Kind
    numbers: Tensor | None = None


FIXED = State("fixed")


def pointwise(call: Call) -> bool:
    """Whether an operation goes element by element, its arguments broadcast."""
    kept = getattr(torch.ops.aten, call.name, None)  # the same that leaves its argument as it is
    tags = [getattr(kept, name).tags for name in kept.overloads()] if call.changes and kept else []
    return torch.Tag.pointwise in call.func.tags or any(torch.Tag.pointwise in some for some in tags)


def moved(call: Call, of: Callable[[int], State], values: Sequence[Tensor]) -> list[Tensor]:
    """The numbers of what a rearrangement gives; only its first argument carries numbers."""
    first = call.ins[0]

    def put(k: int) -> Any:
        return of(k).numbers if k == first else values[k]

    return call.run(put)


def followed(call: Call, of: Callable[[int], State], values: Sequence[Tensor]) -> list[State]:
    """What the results of an operation depend on, with operands among them that depend on rows or on their sum.

    Raises
    ------
    NotLayers
        If rows would mix otherwise than in a sum, or a sum over rows is not used linearly.
    """
    states = [of(k) for k in call.ins]
    kinds = {s.kind for s in states}
    if "total" in kinds:
        return _of_total(call, states)
    if kinds - {"rows", "fixed"}:
        raise NotLayers(f"'{call.name}' mixes weights into activations")
    outs = [values[k] for k in call.outs if k >= 0]
    name = call.name
    if name in _PRODUCTS:
        return [_of_product(call, of, values)]
    if name in _LOSSES:
        return _of_loss(call, states, outs)
    if name in _SAME:
        return [states[0]]
    if pointwise(call):
        return [_broadcast(name, states, outs[0].shape)]
    if name in ("cat", "stack"):
        return [State("rows", _joined(call, of, values))]
    if states[0].numbers is None or any(s.kind == "rows" for s in states[1:]):
        raise NotLayers(f"'{name}' mixes rows")
    if name in MOVERS:
        return [State("rows", numbers) for numbers in moved(call, of, values)]
    return _along(call, states[0].numbers, outs)


def _along(call: Call, numbers: Tensor, outs: Sequence[Tensor]) -> list[State]:
    """Operations along some axes of one value."""
    name = call.name
    if name in _REDUCING:
        return [_reduced(name, numbers, _axes(call, numbers.ndim), out.shape) for out in outs]
    if name in _ALONG:
        _constant(name, numbers, _axes(call, numbers.ndim))
        return [State("rows", numbers) for _ in outs]
    if name == "native_layer_norm":
        args, _ = call.arguments(lambda k: k)
        short = _constant(name, numbers, list(range(numbers.ndim - len(args[1]), numbers.ndim)))
        return [State("rows", numbers), State("rows", short), State("rows", short)]
    if name in ("convolution", "native_group_norm") or "pool" in name:
        flat = numbers.reshape(len(numbers), -1)
        if not torch.equal(flat[:, :1].expand_as(flat), flat):
            raise NotLayers(f"'{name}' mixes rows")
        first = flat[:, 0]
        return [State("rows", first.view(-1, *[1] * (o.ndim - 1)).expand(o.shape)) for o in outs if o.ndim]
    raise NotLayers(f"'{name}' may mix rows")


def _axes(call: Call, ndim: int) -> list[int]:
    """The axes that an operation goes along; all of them where it names none."""
    asked = call.func._schema.arguments
    args, kwargs = call.arguments(lambda k: k)
    given = {a.name: a.default_value for a in asked if a.has_default_value()}
    given |= {**{a.name: value for a, value in zip(asked, args, strict=False)}, **kwargs}
    axes = given.get("dim", given.get("dims"))
    if axes is None or axes == []:
        return list(range(ndim))
    return [int(a) % max(ndim, 1) for a in (axes if isinstance(axes, (list, tuple)) else [axes])]


def _constant(name: str, numbers: Tensor, axes: Sequence[int]) -> Tensor:
    """The numbers with one element left along some axes, along which they are the same."""
    short = numbers
    for axis in axes:
        short = short.narrow(axis, 0, 1) if short.ndim else short
    if not torch.equal(short.expand_as(numbers), numbers):
        raise NotLayers(f"'{name}' mixes rows")
    return short


def _reduced(name: str, numbers: Tensor, axes: list[int], shape: torch.Size) -> State:
    try:
        return State("rows", _constant(name, numbers, axes).reshape(shape))
    except NotLayers:
        if name not in ("sum", "mean"):
            raise
        return State("total")


def _broadcast(name: str, states: Sequence[State], shape: torch.Size) -> State:
    """Where operands meet element by element; different rows may be added."""
    all_rows = [s.numbers.expand(shape) for s in states if s.numbers is not None]
    if all(torch.equal(all_rows[0], other) for other in all_rows[1:]):
        return State("rows", all_rows[0])
    if name not in _ADDING:
        raise NotLayers(f"'{name}' mixes rows")
    return State("total")


def _joined(call: Call, of: Callable[[int], State], values: Sequence[Tensor]) -> Tensor:
    """Of operands side by side; what belongs to no row takes that of its neighbors along the axis."""

    def put(k: int) -> Tensor:
        numbers = of(k).numbers
        return values[k].new_full(values[k].shape, -1, dtype=torch.int64) if numbers is None else numbers

    numbers: Tensor = call.run(put)[0]
    if (numbers < 0).any():
        args, kwargs = call.arguments(lambda k: k)
        axis = kwargs.get("dim", args[1] if len(args) > 1 else 0)
        numbers = torch.where(numbers < 0, numbers.amax(axis, keepdim=True), numbers)
        if (numbers < 0).any():
            raise NotLayers(f"'{call.name}' mixes rows")
    return numbers


def _of_loss(call: Call, states: Sequence[State], outs: Sequence[Tensor]) -> list[State]:
    """A loss of rows and fixed targets, summed or row by row."""
    numbers = states[0].numbers
    if numbers is None or any(s.kind == "rows" for s in states[1:]) or len(outs) > 2:
        raise NotLayers(f"'{call.name}' mixes rows")
    rest = [FIXED] * (len(outs) - 1)
    if outs[0].ndim == 0 and numbers.ndim:
        one = len(numbers) == 1 or torch.equal(numbers.amin(), numbers.amax())
        return [State("rows", numbers.amin()) if one else State("total"), *rest]
    if outs[0].shape == numbers.shape:
        return [State("rows", numbers), *rest]
    return [State("rows", _constant(call.name, numbers, [1]).squeeze(1)), *rest]


def _of_product(call: Call, of: Callable[[int], State], values: Sequence[Tensor]) -> State:
    """Two operands, at least one of which depends on rows, multiplied and summed over an axis."""
    *before, a, b = call.ins
    if any(of(k).numbers is not None for k in before):
        raise NotLayers(f"'{call.name}' mixes rows")
    left, right, out = _matrix(of(a).numbers, 0), _matrix(of(b).numbers, 1), values[call.outs[0]]
    lines = values[a].shape[-2] if values[a].ndim > 1 else 1, values[b].shape[-1] if values[b].ndim > 1 else 1
    full = (*out.shape[:-2], *lines)
    try:
        found = [_constant(call.name, left, [-1]).expand(full)] if left is not None else []
        found += [_constant(call.name, right, [-2]).expand(full)] if right is not None else []
    except NotLayers:
        if before or not _paired(left, right):
            raise
        return State("total")
    if not torch.equal(found[0], found[-1]):
        raise NotLayers(f"'{call.name}' mixes rows")
    return State("rows", found[0].reshape(out.shape))


def _matrix(numbers: Tensor | None, axis: int) -> Tensor | None:
    return numbers.unsqueeze(axis) if numbers is not None and numbers.ndim == 1 else numbers


def _paired(left: Tensor | None, right: Tensor | None) -> bool:
    """Whether each summed pair belongs to one row: then the product is a sum over rows."""
    try:
        along = [_constant("", left, [-2])[..., 0, :]] if left is not None else []
        along += [_constant("", right, [-1])[..., 0]] if right is not None else []
    except NotLayers:
        return False
    return torch.equal(along[0], along[-1])


def _of_total(call: Call, states: Sequence[State]) -> list[State]:
    name, others = call.name, {s.kind for s in states} - {"total"}
    totals = [k for k, s in enumerate(states) if s.kind == "total"]
    scaled = name in ("mul", "dot", "mv", "mm") or (name == "div" and totals == [0])
    linear = name in _ADDING or (name in _LINEAR and "rows" not in others)
    if linear or (scaled and len(totals) == 1 and others <= {"fixed"}):
        return [State("total") for _ in call.outs]
    raise NotLayers(f"'{name}' of a sum over rows is not linear in it")
