"""Points of PyTorch: tensors, or trees of them, as one vector and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import TreeSpec, tree_flatten, tree_flatten_with_path, tree_leaves, tree_map, tree_unflatten

from landform.errors import ShapeError


@dataclass(frozen=True)
class Tree:
    """The way from a vector back to the user's own tensors.

    Parameters
    ----------
    spec : TreeSpec
        Structure.
    labels : tuple of str
        Every tensor's name.
    shapes, kinds : tuple
        Every tensor's shape and dtype.
    """

    spec: TreeSpec
    labels: tuple[str, ...]
    shapes: tuple[torch.Size, ...]
    kinds: tuple[torch.dtype, ...]

    @property
    def sizes(self) -> list[int]:
        """Numbers in every tensor."""
        return [shape.numel() for shape in self.shapes]

    @property
    def leaves(self) -> list[tuple[str, tuple[int, ...]]]:
        """Label and shape of every tensor."""
        return [(label, tuple(shape)) for label, shape in zip(self.labels, self.shapes, strict=True)]

    def split(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The tensors that x holds, as views where their dtype is that of x."""
        if len(self.shapes) == 1:
            return [x if len(self.shapes[0]) == 1 else x.view(self.shapes[0])]
        parts = zip(x.split(self.sizes), self.shapes, self.kinds, strict=True)
        return [part.view(shape).to(kind) for part, shape, kind in parts]

    def build(self, pieces: list[torch.Tensor]) -> Any:
        """The tree that a function takes."""
        return tree_unflatten(pieces, self.spec)


def map_leaves(change: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with every leaf changed."""
    return tree_map(change, tree)


def leaves_of(tree: Any) -> list[Any]:
    """The leaves of a tree, None among them, in the order in which points are flattened."""
    return list(tree_leaves(tree))


def _label(path: Any, letter: str) -> str:
    """A leaf's name as Python would index it.

    Examples
    --------
    >>> [_label(path, "x") for path, _ in tree_flatten_with_path({"a": [1, {"b": 2}]})[0]]
    ['a[0]', 'a[1].b']
    """
    words = ""
    for step in path:
        if hasattr(step, "idx"):
            words += f"{'' if words else letter}[{step.idx}]"
        else:
            words += f"{'.' if words else ''}{getattr(step, 'key', getattr(step, 'name', step))}"
    return words or letter


def leaves(x: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Label and shape of every tensor in the point."""
    return tree_of(x, "x").leaves


def tree_of(x: Any, letter: str) -> Tree:
    """The structure of a tree of tensors; one without keys is called by the letter."""
    found, spec = tree_flatten_with_path(x)
    labels, tensors = tuple(_label(path, letter) for path, _ in found), [leaf for _, leaf in found]
    return Tree(spec, labels, tuple(t.shape for t in tensors), tuple(t.dtype for t in tensors))


def flatten_point(x: Any) -> tuple[torch.Tensor, Tree]:
    """The point as one vector of its own (what is later done to x in place does not reach it), and the way back.

    Raises
    ------
    ShapeError
        If a leaf is no dense tensor of real floating-point numbers, or is not finite, or there is none, or they lie
        on several devices.
    """
    found, _ = tree_flatten_with_path(x)
    tensors = [leaf for _, leaf in found]
    for path, tensor in found:
        _refuse_leaf(_label(path, "x"), tensor)
    if not sum(t.numel() for t in tensors):
        raise ShapeError("a point with at least one number", got="an empty tensor", remedy="pass numbers")
    devices = sorted({str(t.device) for t in tensors})
    if len(devices) > 1:
        raise ShapeError("a point on one device", got=" and ".join(devices), remedy="move it with .to(device)")
    return torch.cat([t.detach().reshape(-1) for t in tensors]), tree_of(x, "x")


def rows_of(X: Any, rows: int) -> torch.Tensor:
    """A batch of points, each as one vector, from a tree with the points along the first axis.

    Raises
    ------
    ShapeError
        If a number is not finite, or a leaf is no tensor.
    """
    for path, leaf in tree_flatten_with_path(X)[0]:
        _refuse_leaf(_label(path, "x"), leaf)
    return torch.cat([leaf.detach().reshape(rows, -1) for leaf in tree_leaves(X)], dim=1)


def _refuse_leaf(label: str, tensor: Any) -> None:
    where = "argument x" if label == "x" else f"argument x, {label}"
    if not isinstance(tensor, torch.Tensor):
        raise ShapeError(
            "tensors throughout a tree of tensors",
            got=type(tensor).__name__,
            remedy="convert it with torch.as_tensor, or hold it fixed with args=",
            where=where,
        )
    if not tensor.is_floating_point() or tensor.layout != torch.strided:
        kind = f"dtype {tensor.dtype}" if tensor.layout == torch.strided else f"layout {tensor.layout}"
        raise ShapeError(
            "a dense point of real floating-point numbers",
            got=kind,
            remedy="convert it, for example with x.double()" if tensor.layout == torch.strided else "use x.to_dense()",
            where=where,
        )
    bad = torch.nonzero(~torch.isfinite(tensor.detach()))
    if len(bad):
        place = f"[{', '.join(str(int(k)) for k in bad[0])}]" if tensor.ndim else ""
        raise ShapeError("finite numbers", got=f"NaN or inf in {label}{place}", remedy="clean the point", where=where)


def flat_output(out: Any) -> list[torch.Tensor]:
    """The tensors that a function returned, each as a vector.

    Raises
    ------
    ShapeError
        If it returned something else.
    """
    found, _ = tree_flatten(out)
    others = [leaf for leaf in found if not isinstance(leaf, torch.Tensor)] if found else [out]
    if others:
        kind = type(others[0])
        foreign = kind.__module__.partition(".")[0] in ("jax", "jaxlib")
        raise ShapeError(
            "a PyTorch function for a PyTorch point" if foreign else "a function that returns tensors",
            got="a JAX array" if foreign else kind.__name__,
            remedy="pass the point as a JAX or NumPy array, or write the function with torch"
            if foreign
            else "return a tensor or a tree of them, without .item(), float() or .numpy()",
            where="the function's result",
        )
    return [leaf.reshape(-1) for leaf in found]
