"""A function at many points, counted, with what is not a number refused by the point it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from landform.backends import Model
from landform.derivatives import Prepared, prepare
from landform.errors import DerivativeError, ShapeError

Rows = Float[np.ndarray, "rows d"]
Mode = Literal["auto", "values"]
_BLOCK = 4096
_VALUES = 'mode="values" to do without derivatives'


@dataclass
class Evaluator:
    """Values and gradients of a function at rows, with a count of both.

    Parameters
    ----------
    inputs, outputs : tuple of str
        Names.
    prepared : Prepared or None
        What gives exact derivatives; None where only values are used.
    function : callable
        Called row by row where only values are used.
    notes : tuple of str
        Where the function is known not to be smooth.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    prepared: Prepared | None
    function: Callable[..., Any]
    notes: tuple[str, ...] = ()
    values_taken: int = field(default=0)
    gradients_taken: int = field(default=0)

    @property
    def differentiable(self) -> bool:
        """Whether gradients can be had."""
        return self.prepared is not None

    def values(self, X: Rows) -> Float[np.ndarray, "rows m"]:
        """The outputs at every row.

        Raises
        ------
        DerivativeError
            If one is not finite, naming the point.
        """
        self.values_taken += len(X)
        if self.prepared is None:
            Y = np.array([np.ravel(np.asarray(self.function(x), dtype=np.float64)) for x in X])
        else:
            blocks = [self.prepared.values(X[k : k + _BLOCK]) for k in range(0, len(X), _BLOCK)]
            Y = np.concatenate(blocks)
        self._refuse(X, Y, "value")
        return Y

    def values_and_gradients(self, X: Rows) -> tuple[Float[np.ndarray, "rows m"], Float[np.ndarray, "rows m d"]]:
        """The outputs and their gradients at every row.

        Raises
        ------
        DerivativeError
            If one is not finite, naming the point, or the function has no gradients.
        """
        if self.prepared is None:
            raise DerivativeError(
                "a function with exact derivatives",
                got='mode="values"',
                remedy="write it with jax.numpy and leave the mode out, or use a method that needs values alone",
            )
        self.gradients_taken += len(X)
        Y, J = self.prepared.values_and_jacobians(X)
        self._refuse(X, Y, "value")
        self._refuse(X, J, "derivative")
        return Y, J

    def _refuse(self, X: Rows, found: np.ndarray, what: str) -> None:
        bad = np.argwhere(~np.isfinite(found))
        if not len(bad):
            return
        row, output, *column = bad[0]
        place = ", ".join(f"{name} = {v:.6g}" for name, v in zip(self.inputs, X[row], strict=True))
        wrt = f" against {self.inputs[column[0]]}" if column else ""
        rows = len(np.unique(bad[:, 0]))
        more = f" (and at {rows - 1} more of {len(X)} points)" if rows > 1 else ""
        raise DerivativeError(
            f"a finite {what} of {self.outputs[output]}{wrt} everywhere in the ranges",
            got=f"{found[tuple(bad[0])]} at {place}{more}",
            remedy="narrow the ranges or the region to where the function is defined",
        )


def refuse_effort(tolerance: float, budget: int) -> None:
    """Refuse a tolerance or a budget that is not above zero.

    Raises
    ------
    ShapeError
    """
    for name, given in (("tolerance", tolerance), ("budget", budget)):
        if not given > 0:
            raise ShapeError("a number above zero", got=repr(given), remedy="raise it", where=f"argument {name}")


def make_evaluator(
    function: Callable[..., Any] | Model,
    inputs: Sequence[str],
    x: Float[np.ndarray, " d"],
    *,
    outputs: Sequence[str] | None = None,
    mode: Mode = "auto",
) -> Evaluator:
    """Prepare a function for many points.

    Parameters
    ----------
    function : callable or Model
        Takes a vector of d inputs; JAX-traceable unless ``mode`` is "values".
    inputs : sequence of str
        The d inputs.
    x : array, shape (d,)
        Any point where it is defined.
    outputs : sequence of str, optional
        Names of the outputs.
    mode : {"auto", "values"}
        "values" calls any Python function, row by row, and uses no derivative.
    """
    if mode not in ("auto", "values"):
        raise ShapeError('mode "auto" or "values"', got=repr(mode), remedy="choose one", where="argument mode")
    if not callable(function):
        raise ShapeError(
            "a function or a model",
            got=type(function).__name__,
            remedy="translate a fitted estimator with landform.from_sklearn",
            where="argument function",
        )
    notes = function.notes if isinstance(function, Model) else ()
    if mode == "auto":
        try:
            prepared = prepare(function, x, inputs=inputs, outputs=outputs, finite=False)
        except DerivativeError as error:
            from landform.backends.jax.context import BLACK_BOX  # loaded: it is JAX that could not trace the function

            remedy = error.remedy.replace(BLACK_BOX, f"or pass {_VALUES}")
            raise DerivativeError(error.expected, got=error.got, remedy=remedy, where=error.where) from error
        return Evaluator(tuple(inputs), prepared.target.outputs, prepared, function, notes)
    m = np.ravel(np.asarray(function(x), dtype=np.float64)).size
    names = tuple(outputs) if outputs else ("y",) if m == 1 else tuple(f"y{i}" for i in range(m))
    if isinstance(function, Model) and not outputs:
        names = function.outputs
    if len(names) != m:
        raise ShapeError(f"{m} names of outputs", got=f"{len(names)}", remedy="name each", where="argument outputs")
    return Evaluator(tuple(inputs), names, None, function, notes)
