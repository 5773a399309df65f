"""Names of inputs and outputs, made when they are asked for: a network has millions."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import prod
from typing import overload

import numpy as np

from landform.errors import ShapeError


def refuse_same_names(names: Sequence[str], what: str) -> None:
    """Refuse a name that stands for two numbers.

    Raises
    ------
    ShapeError
        Naming it.
    """
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise ShapeError("every name once", got=f"{twice!r} twice", remedy="rename one", where=f"argument {what}")


class Names(Sequence[str]):
    """The names of all numbers in labelled arrays, one array after the other.

    Parameters
    ----------
    leaves : sequence of (str, tuple of int)
        Label and shape of every array. One vector alone is numbered without brackets.

    Examples
    --------
    >>> names = Names([("layer.weight", (2, 3)), ("layer.bias", (2,)), ("scale", ())])
    >>> len(names), names[5], names[6], names[8]
    (9, 'layer.weight[1, 2]', 'layer.bias[0]', 'scale')
    >>> list(Names([("x", (3,))])), list(Names([("x", (1, 2))])), list(Names([("x", (1,))]))
    (['x0', 'x1', 'x2'], ['x[0, 0]', 'x[0, 1]'], ['x'])
    """

    def __init__(self, leaves: Sequence[tuple[str, tuple[int, ...]]]) -> None:
        self._leaves = tuple(leaves)
        self._ends = list(accumulate(prod(shape) for _, shape in leaves))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        """The name at one place, or a tuple of names."""
        if isinstance(place, slice):
            return tuple(self[k] for k in range(*place.indices(len(self))))
        k = range(len(self))[place]
        leaf = bisect_right(self._ends, k)
        label, shape = self._leaves[leaf]
        within = k - (self._ends[leaf - 1] if leaf else 0)
        if len(self._leaves) == 1 and len(shape) == 1:
            return label if shape == (1,) else f"{label}{within}"
        return label + (f"[{', '.join(map(str, np.unravel_index(within, shape)))}]" if shape else "")

    def __iter__(self) -> Iterator[str]:
        """All names; those of one long vector at once."""
        if len(self._leaves) == 1 and len(self._leaves[0][1]) == 1 and len(self) > 1:
            label = self._leaves[0][0]
            return (f"{label}{k}" for k in range(len(self)))
        return (self[k] for k in range(len(self)))
