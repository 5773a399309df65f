"""A function with named inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.batch import checked_table, derivatives
from landform.backends.closed import Closed, SlopeDoubt
from landform.backends.frameworks import torch_of
from landform.errors import DerivativeError, ShapeError


def _numbers(args: Any) -> int:
    if isinstance(args, dict):
        args = args.values()
    elif not isinstance(args, (tuple, list)):
        return math.prod(np.shape(args))
    return sum(map(_numbers, args))


@dataclass(frozen=True)
class Model:
    """A differentiable function of one point, with a name for every input and output.

    Parameters
    ----------
    function : callable
        JAX-traceable, or a `torch.nn.Module`; ``function(x, *args)`` takes ``x`` of shape (n,) to shape (m,).
    args : tuple
        What the function needs besides the point: a pytree of arrays, held fixed. Models that share a
        function and differ only here share its compiled derivatives.
    inputs : tuple of str
        The n inputs' names.
    outputs : tuple of str
        The m outputs' names.
    notes : tuple of str
        Where the function is not smooth, and what its derivatives are there; empty if it is.
    closed : callable, optional
        Value, slopes and curves of many rows in closed form (`landform.backends.closed`); `values`, `jacobians` and
        `hessians` take it in place of automatic differentiation.
    doubt : SlopeDoubt, optional
        How surely the slopes are known, where the function was learned with a doubt of its own.
    unchecked : callable, optional
        What has yet to be checked before the function serves where the closed form was; it raises if that fails.

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
    closed: Closed | None = field(default=None, compare=False)
    doubt: SlopeDoubt | None = field(default=None, compare=False)
    unchecked: Callable[[], None] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for kind, names in (("input", self.inputs), ("output", self.outputs)):
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise ShapeError(f"every {kind} named once", got=f"{twice!r} twice", remedy="rename one of them")

    @cached_property
    def size(self) -> int:
        """How many numbers ``args`` hold."""
        return _numbers(self.args)

    def __call__(self, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
        """The outputs at one point, in double precision; a pandas series is taken by name."""
        point = np.asarray(self.point(x), dtype=np.float64)
        if point.shape != (len(self.inputs),):
            raise ShapeError(
                f"a point of {len(self.inputs)} numbers ({', '.join(self.inputs[:8])})",
                got=f"shape {point.shape}",
                remedy="for many rows call values",
                where="argument x",
            )
        if self.closed is not None:
            return np.asarray(self.closed(point[None], 0)[0][0])
        if torch_of(self.function, self.args) is not None:
            return self.values(point[None])[0]
        from landform.backends.jax import double_precision, explained

        with double_precision(), explained():
            return np.asarray(self.function(point, *self.args))

    def point(self, x: Any) -> Any:
        """A row of a data frame (a series, or a frame of one row) as an array in the order of the inputs.

        Anything else stays as it is.
        """
        if hasattr(x, "columns"):
            if len(x) != 1:
                raise ShapeError("one point", got=f"{len(x)} rows", remedy="take one of them", where="argument x")
            return checked_table(self, x)[0]
        if hasattr(x, "to_frame") and hasattr(x, "index"):
            numbered = x.index.dtype.kind in "iu" and not set(self.inputs) <= set(map(str, x.index))
            return x.to_numpy() if numbered else checked_table(self, x.to_frame().T)[0]
        return x

    def checked_function(self) -> Callable[..., Any]:
        """The function, once nothing about it is unchecked."""
        if self.unchecked is not None:
            self.unchecked()
        return self.function

    def values(self, X: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "rows m"]:
        """The outputs at every row; a data frame's columns are taken by name.

        Closed forms where the model has them, else one compiled program; many rows go through in blocks, so that
        memory holds the result and no more than 64 MB or so besides.

        Raises
        ------
        ShapeError
            If X is not a table of finite numbers with a column for every input.
        """
        return derivatives(self, X, 0)

    def jacobians(self, X: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "rows m n"]:
        """Every output's slopes at every row, as `values` goes about it.

        Examples
        --------
        >>> model = Model(lambda x: x[:1] * x[1:], (), inputs=("flour", "water"), outputs=("rise",))
        >>> model.jacobians(np.array([[2.0, 3.0], [1.0, 5.0]]))
        array([[[3., 2.]],
               [[5., 1.]]])
        """
        return derivatives(self, X, 1)

    def hessians(self, X: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "rows m n n"]:
        """Every output's curves at every row, as `values` goes about it."""
        return derivatives(self, X, 2)

    def slope_errors(self, X: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "rows m n"]:
        """The slopes' standard errors at every row, where the model knows how surely it knows its function.

        The derivative of a Gaussian process is one again: its posterior covariance has a closed form.

        Raises
        ------
        DerivativeError
            If the model has no such doubt of its own.

        References
        ----------
        Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 9.4.
        """
        return np.sqrt(np.maximum(self._known_doubt().variances(checked_table(self, X)), 0.0))

    def slope_covariances(self, X: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "rows m n n"]:
        """Covariances of every output's slopes at every row, as for `slope_errors`."""
        return self._known_doubt().covariances(checked_table(self, X))

    def _known_doubt(self) -> SlopeDoubt:
        if self.doubt is None:
            raise DerivativeError(
                "a model that knows its doubt, such as a fitted GaussianProcessRegressor with a smooth kernel",
                got="one without",
                remedy="refit on resampled rows and take the spread of the slopes",
            )
        return self.doubt
