"""A function with named inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError


@dataclass(frozen=True)
class Model:
    """A differentiable function of one point, with a name for every input and output.

    Parameters
    ----------
    function : callable
        JAX-traceable; ``function(x, *args)`` takes ``x`` of shape (n,) to shape (m,).
    args : tuple
        What the function needs besides the point: a pytree of arrays, held fixed. Models that share a
        function and differ only here share its compiled derivatives.
    inputs : tuple of str
        The n inputs' names.
    outputs : tuple of str
        The m outputs' names.
    notes : tuple of str
        Where the function is not smooth, and what its derivatives are there; empty if it is.

    Raises
    ------
    ShapeError
        If a name stands twice among the inputs, or among the outputs.

    Examples
    --------
    >>> model = Model(lambda x: x[:1] * x[1:], (), inputs=("flour", "water"), outputs=("rise",))
    >>> model(np.array([2.0, 3.0]))
    array([6.])
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind, names in (("input", self.inputs), ("output", self.outputs)):
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise ShapeError(f"every {kind} named once", got=f"{twice!r} twice", remedy="rename one of them")

    def __call__(self, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
        """The outputs at one point, in double precision."""
        from landform.backends.jax import double_precision

        with double_precision():
            return np.asarray(self.function(np.asarray(x, dtype=np.float64), *self.args))
