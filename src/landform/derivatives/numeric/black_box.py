"""A black box at a point: checked once at the door, before anything is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal, TypedDict

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.backends.trees import OfVector, TreeForm, is_tree
from landform.derivatives.names import Names, refuse_same_names
from landform.derivatives.numeric.evaluate import Evaluator
from landform.derivatives.target import as_arguments, refuse_not_callable
from landform.errors import ShapeError

_NOTHING = 1e-100
"""An input below this is taken as zero: steps of its size would vanish in the arithmetic."""
_FEW = 100
"""A domain that holds no more numbers than this is no room to move in."""


class NumericOptions(TypedDict, total=False):
    """What numeric derivatives may be told, besides the function and the point.

    Parameters
    ----------
    bounds : pair of arrays
        ``(lower, upper)``, each one number or one per input: the domain, which no evaluation leaves.
    noise : float or array, shape (m,)
        Standard deviation of the noise in the outputs, in their units; measured where it is not given, and 0
        stands for a function that is exact to rounding.
    scale : float or array, shape (n,)
        A change of every input that is neither small nor large; its own size where not given, 1 at
        zero, and between a tenth of the domain and all of it where that is stated.
    budget : int or "least"
        The most evaluations; 15 for every line that is followed where not given. "least", with a sparsity,
        takes one per color and one at the point.
    sparsity : matrix of shape (m, n), ColoredPattern or "detect"
        Where entries can differ from zero; "detect" finds it by moving groups of inputs.
    method : {"fit", "interval"}
        Taylor fits, or one difference whose step passes an interval test: fewer evaluations where little accuracy
        will do, larger errors (`landform.derivatives.numeric.interval`). For Jacobians.
    executor : concurrent.futures.Executor
        Where evaluations run, a batch at a time: threads, processes, Dask's ``client.get_executor()``.
    progress : bool
        Show a bar on stderr.
    """

    bounds: tuple[Any, Any] | None
    noise: Any
    scale: Any
    budget: Any
    sparsity: Any
    method: Literal["fit", "interval"]
    executor: Executor | None
    progress: bool


@dataclass(frozen=True)
class BlackBox:
    """A function with its point, domain and scales, all flat and checked. Made by `make_black_box`."""

    evaluator: Evaluator
    x: Float[np.ndarray, " n"]
    value: Float[np.ndarray, " m"]
    bounds: tuple[np.ndarray, np.ndarray]
    noise: Float[np.ndarray, " m"] | None
    scale: Float[np.ndarray, " n"]
    given_inputs: tuple[str, ...] | None
    given_outputs: tuple[str, ...] | None

    @cached_property
    def bounded(self) -> bool:
        """Whether any input has a bound."""
        low, high = self.bounds
        return low is not _everywhere(low.size)[0] and bool(np.isfinite(low).any() or np.isfinite(high).any())

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The inputs' names."""
        return self.given_inputs or tuple(Names([("x", (self.x.size,))]))

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The outputs' names."""
        return self.given_outputs or tuple(Names(self.evaluator.leaves or [("y", (self.value.size,))]))


def make_black_box(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    weights: Any = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    options: NumericOptions,
) -> BlackBox:
    """Check everything, evaluate the function at the point, and bring both into one form.

    Raises
    ------
    ShapeError
        If the point is not real and finite, lies outside its bounds, or an option does not fit.
    DerivativeError
        If the function fails at the point.
    """
    refuse_not_callable(function)
    args = as_arguments(args)
    unknown = sorted(set(options) - set(NumericOptions.__annotations__))
    if unknown:
        known = ", ".join(f"{name}=" for name in NumericOptions.__annotations__)
        raise ShapeError("options of numeric derivatives", got=f"{unknown[0]}=", remedy=f"choose among {known}")
    executor = options.get("executor")
    if executor is not None and (isinstance(executor, type) or not hasattr(executor, "submit")):
        raise ShapeError(
            "an executor with a method submit, such as concurrent.futures.ThreadPoolExecutor(8)",
            got=f"the class {executor.__name__}" if isinstance(executor, type) else type(executor).__name__,
            remedy="make one, or leave it out",
            where="argument executor",
        )
    if isinstance(function, Model):
        function = replace(function, args=(*function.args, *args))
        inputs, outputs, args = inputs or function.inputs, outputs or function.outputs, ()
    point, form = _point(x)
    flat = point.ravel()
    if form is not None:
        function, options = OfVector(function, form), _in_vectors(options, form)
        inputs = inputs or tuple(Names(form.leaves))
    low, high = _bounds(flat, options.get("bounds"))
    names = None if inputs is None else _counted(inputs, flat.size, "inputs")
    labels = None if outputs is None else tuple(outputs)
    if weights is not None:
        function, labels = Weighted(function, np.asarray(weights, dtype=np.float64)), None
    evaluator = Evaluator(function, point.shape, tuple(args), executor, bool(options.get("progress")), labels)
    value = evaluator.at_point(flat)
    if labels is not None:
        _counted(labels, value.size, "outputs")
    scale = _scale(flat, low, high, options.get("scale"))
    noise = _noise(options.get("noise"), value.size)
    return BlackBox(evaluator, flat, value, (low, high), noise, scale, names, labels)


@dataclass(frozen=True)
class Weighted:
    """``weights · function``, sendable to other processes where the function is."""

    function: Callable[..., Any]
    weights: Float[np.ndarray, " m"]

    def __call__(self, x: np.ndarray, *args: Any) -> float:
        """One number."""
        value = np.asarray(self.function(x, *args)).ravel()
        if value.shape != self.weights.shape:
            raise ShapeError(
                f"{value.size} weights, one for each output", got=f"shape {self.weights.shape}", remedy="reshape them"
            )
        return float(self.weights @ value)


def _point(x: Any) -> tuple[Float[np.ndarray, " ..."], TreeForm | None]:
    """The point as an array, and the form of the tree it was."""
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    plain = isinstance(x, (list, tuple, float)) and all(isinstance(v, (int, float)) for v in _items(x))
    form = None
    if not plain and is_tree(x):
        x, form = TreeForm.of(x)
    point = np.asarray(x, dtype=np.float64 if plain else None)
    if point.dtype.kind != "f" or point.size == 0:
        raise ShapeError(
            "a point of real floating-point numbers",
            got=f"dtype {point.dtype}" if point.size else "an empty array",
            remedy="convert it, for example with x.astype(float)",
            where="argument x",
        )
    if not np.isfinite(point).all():
        raise ShapeError("finite numbers", got="NaN or inf", remedy="clean the point", where="argument x")
    return point.astype(np.float64, copy=False), form


def _items(x: Any) -> Iterator[Any]:
    """All that lists hold, however deep."""
    if isinstance(x, (list, tuple)):
        for item in x:
            yield from _items(item)
    else:
        yield x


def _in_vectors(options: NumericOptions, form: TreeForm) -> NumericOptions:
    """The options with trees of the point's form as vectors."""
    bounds, given = options.get("bounds"), options.copy()
    if isinstance(bounds, (tuple, list)) and len(bounds) == 2:
        given["bounds"] = (form.vector(bounds[0], "argument bounds"), form.vector(bounds[1], "argument bounds"))
    if "scale" in given:
        given["scale"] = form.vector(given["scale"], "argument scale")
    return given


def _counted(names: Sequence[str], size: int, what: str) -> tuple[str, ...]:
    if isinstance(names, str):
        raise ShapeError(f"a list of {size} names", got=repr(names), remedy="use a list", where=f"argument {what}")
    names = tuple(names)
    if len(names) != size:
        raise ShapeError(f"{size} names", got=f"{len(names)}", remedy="give one for each", where=f"argument {what}")
    refuse_same_names(names, what)
    return names


def _each(value: Any, size: int, where: str) -> Float[np.ndarray, " n"]:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.size not in (1, size) or np.isnan(array).any():
        raise ShapeError(f"one number or {size}", got=f"{value!r}", remedy="give one for each", where=where)
    return np.broadcast_to(array.ravel(), (size,)).copy()


def _bounds(x: np.ndarray, bounds: Any) -> tuple[np.ndarray, np.ndarray]:
    if bounds is None:
        return _everywhere(x.size)
    if not isinstance(bounds, (tuple, list, np.ndarray)) or len(bounds) != 2:
        raise ShapeError("a pair (lower, upper)", got=repr(bounds), remedy="give two", where="argument bounds")
    low, high = (_each(side, x.size, "argument bounds") for side in bounds)
    for i in np.flatnonzero(~((low <= x) & (x <= high) & (high - low > _FEW * np.spacing(np.abs(x))))):
        raise ShapeError(
            f"a point inside its bounds {low[i]:g} to {high[i]:g}",
            got=f"{x[i]:g} for input {i}",
            remedy="move the point, widen the bounds, or leave an input that cannot move out",
            where="argument bounds",
        )
    return low, high


@lru_cache(maxsize=16)
def _everywhere(size: int) -> tuple[np.ndarray, np.ndarray]:
    """No bounds."""
    low, high = np.full(size, -np.inf), np.full(size, np.inf)
    low.flags.writeable = high.flags.writeable = False
    return low, high


def _scale(x: np.ndarray, low: np.ndarray, high: np.ndarray, told: Any) -> Float[np.ndarray, " n"]:
    if told is not None:
        scale = _each(told, x.size, "argument scale")
        if not ((scale > 0) & np.isfinite(scale)).all():
            raise ShapeError("scales above zero", got=repr(told), remedy="give their sizes", where="argument scale")
        return scale
    # Within a stated domain no change is large that is a tenth of it, and none small that crosses it.
    size, width = np.abs(x), None if low is _everywhere(low.size)[0] else high - low
    if width is not None and np.isfinite(width).any():
        size = np.clip(size, np.where(np.isfinite(width), width / 10, 0.0), width)
    size[size < _NOTHING] = 1.0
    return size


def _noise(told: Any, size: int) -> Float[np.ndarray, " m"] | None:
    if told is None:
        return None
    noise = _each(told, size, "argument noise")
    if not ((noise >= 0) & np.isfinite(noise)).all():
        raise ShapeError("a standard deviation", got=repr(told), remedy="give 0 or more", where="argument noise")
    return noise
