"""Trees of NumPy arrays (dictionaries, lists, tuples of them) as one vector of doubles, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from landform.backends.jax.tree import leaves
from landform.backends.protocol import Leaf
from landform.errors import ShapeError


def is_tree(value: Any) -> bool:
    """Whether a value holds others in a form that JAX knows.

    Examples
    --------
    >>> is_tree({"a": 1.0}), is_tree([1.0, 2.0]), is_tree(np.ones(2)), is_tree("text")
    (True, True, False, False)
    """
    return value is not None and not jax.tree_util.all_leaves([value])


def vector_of(tree: Any) -> tuple[Float[np.ndarray, " n"], Sequence[Leaf]]:
    """All numbers of a tree, and label and shape of every array in it, as outputs are named.

    Raises
    ------
    ShapeError
        If a leaf is no array of real floating-point numbers; it is named.

    Examples
    --------
    >>> vector_of({"mass": 1.5, "flow": np.ones(2)})
    (array([1. , 1. , 1.5]), [('flow', (2,)), ('mass', ())])
    """
    labels = leaves(tree, "y")
    return np.concatenate([_floats(leaf, label) for leaf, (label, _) in _paired(tree, labels)]), labels


def _paired(tree: Any, labels: Sequence[Leaf]) -> list[tuple[Any, Leaf]]:
    found = list(zip(jax.tree.leaves(tree), labels, strict=True))
    if not sum(prod(shape) for _, shape in labels):
        raise ShapeError("at least one number", got=repr(tree), remedy="give an array or a tree of arrays")
    return found


def _floats(leaf: Any, label: str) -> Float[np.ndarray, " size"]:
    array = np.asarray(leaf)
    if array.dtype.kind != "f":
        raise ShapeError(
            "real floating-point numbers",
            got=f"dtype {array.dtype} for {label}",
            remedy="convert it, for example with float(value) or array.astype(float)",
        )
    return array.astype(np.float64).ravel()


@dataclass(frozen=True)
class TreeForm:
    """The form of a tree: makes vectors of trees and trees of vectors. Made by `TreeForm.of`.

    Parameters
    ----------
    form : jax.tree_util.PyTreeDef
        How the leaves hang together.
    leaves : tuple of (str, tuple of int)
        Label and shape of every leaf.
    plain : tuple of bool
        Which leaves are plain numbers.
    """

    form: Any
    leaves: tuple[Leaf, ...]
    plain: tuple[bool, ...]

    @staticmethod
    def of(tree: Any) -> tuple[Float[np.ndarray, " n"], TreeForm]:
        """The numbers of a point and its form.

        Raises
        ------
        ShapeError
            If a leaf is no array of real floating-point numbers; it is named.

        Examples
        --------
        >>> x, form = TreeForm.of({"rate": 2.0, "dose": np.ones((1, 2))})
        >>> x, form.tree(np.array([3.0, 4.0, 5.0]))
        (array([1., 1., 2.]), {'dose': array([[3., 4.]]), 'rate': 5.0})
        """
        labels = leaves(tree)
        found = _paired(tree, labels)
        plain = tuple(isinstance(leaf, float) for leaf, _ in found)
        vector = np.concatenate([_floats(leaf, label) for leaf, (label, _) in found])
        return vector, TreeForm(jax.tree.structure(tree), tuple(labels), plain)

    def tree(self, vector: Float[np.ndarray, " n"]) -> Any:
        """A tree of this form; its arrays share the vector's memory."""
        parts, start = [], 0
        for (_, shape), plain in zip(self.leaves, self.plain, strict=True):
            part = vector[start : start + prod(shape)].reshape(shape)
            parts.append(float(part) if plain else part)
            start += prod(shape)
        return jax.tree.unflatten(self.form, parts)

    def vector(self, value: Any, where: str) -> Any:
        """A tree of this form as a vector, one number of it for a whole array if need be; else the value as it is.

        Raises
        ------
        ShapeError
            If the value is a tree of another form.
        """
        if not is_tree(value):
            return value
        if jax.tree.structure(value) != self.form:
            raise ShapeError(
                f"one number, or a tree with {', '.join(label for label, _ in self.leaves)}",
                got=repr(value),
                remedy="give it the form of the point",
                where=where,
            )
        given = zip(jax.tree.leaves(value), self.leaves, strict=True)
        return np.concatenate([np.broadcast_to(np.asarray(leaf, float), shape).ravel() for leaf, (_, shape) in given])


@dataclass(frozen=True)
class OfVector:
    """A function of a tree as one of a vector, sendable to other processes where the function is."""

    function: Callable[..., Any]
    form: TreeForm

    def __call__(self, x: Float[np.ndarray, " n"], *args: Any) -> Any:
        """The function's own value."""
        return self.function(self.form.tree(x), *args)
