"""From a user's function and limits to a program: exact derivatives, every variable and every limit with its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint
from scipy.sparse import csr_array, issparse, vstack

from landform.backends import Model
from landform.backends.frameworks import backend_of, refuse_traced
from landform.derivatives import Prepared, prepare
from landform.derivatives.plan import Mode
from landform.errors import ShapeError
from landform.optimize.polytope import Polytope
from landform.optimize.program import Point, Program, Smooth
from landform.optimize.sparse.smooth import constraints_of, objective_of

Constraints: TypeAlias = Any
"""SciPy's LinearConstraint or NonlinearConstraint, a sequence of them, or a mapping of names to them."""

Limits: TypeAlias = Any
"""A pair (lower, upper), SciPy's Bounds, or None."""

LARGE = 300
"""A JAX function of more variables than this is worked on with sparse matrices."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A program, and what is needed to speak of it in the user's own terms.

    Parameters
    ----------
    program : Program
        With exact derivatives, in flat vectors.
    start : array, shape (n,)
        The user's start.
    unflatten : object
        The framework's way from a flat vector to the form of the user's start.
    function : callable or Model
        The objective as it was given.
    bent : tuple of callable
        The nonlinear constraints' functions as they were given, in the order of the program's constraints.
    args : tuple
        Further arguments of all of them.
    prepared : Prepared
        The objective's derivatives.
    """

    program: Program
    start: Point
    unflatten: Any
    function: Callable[..., Any] | Model
    bent: tuple[Callable[..., Any], ...]
    args: tuple[Any, ...]
    prepared: Prepared

    def shaped(self, x: Point) -> Any:
        """A flat vector in the form of the user's start, in double precision: as NumPy arrays, or as tensors."""
        target = self.prepared.target
        return target.backend.shaped(self.unflatten, x, target.x)


def make_problem(
    function: Callable[..., Any] | Model,
    x0: Any,
    *,
    args: Sequence[Any] = (),
    bounds: Limits = None,
    constraints: Constraints = (),
    inputs: Sequence[str] | None = None,
    within: bool = True,
) -> Problem:
    """Bring an objective, bounds and constraints into one form; ``within`` says whether the start must meet the bounds.

    Raises
    ------
    ShapeError
        If the objective has several outputs, bounds or constraints do not fit the variables, or the start lies outside
        its bounds; the variable is named.
    DerivativeError
        If start or args are tracers of JAX.
    """
    refuse_traced("minimize, certify or fit", x0, tuple(args))
    backend = backend_of(function.function if isinstance(function, Model) else function, x0)
    x0 = backend.as_double(x0)
    with backend.precision_of(x0):
        flat, unflatten = backend.flatten_point(x0)
        start = np.asarray(backend.to_numpy(flat), dtype=np.float64)
    large = backend.name == "JAX" and len(start) > LARGE
    way: Mode = "sparse" if large else "auto"
    prepared = prepare(function, x0, args=args, inputs=inputs, mode=way, finite=False)
    if prepared.target.m != 1:
        raise ShapeError(
            "an objective with one output",
            got=f"{prepared.target.m} outputs",
            remedy="return one number, or fit several with landform.fit",
            where="argument function",
        )
    names = prepared.target.inputs
    lower, upper = _bounds(bounds, names, backend)
    if within:
        _refuse_outside(start, lower, upper, names)
    linear, bent = _sorted(constraints)
    A, A_lower, A_upper, A_names = _rows(linear, len(names), large)
    region = Polytope(names, lower, upper, A, A_lower, A_upper, A_names)
    parts = [prepare(_function(c.fun, name), x0, args=args, mode=way, finite=False) for name, c in bent]
    sizes = [part.target.m for part in parts]
    c_lower, c_upper, c_names = _sides(bent, sizes)
    if large:
        objective, curved = objective_of(prepared), constraints_of(parts) if parts else None
    else:
        objective, curved = _smooth(prepared), _stacked([_smooth(p) for p in parts], sizes) if parts else None
    program = Program(objective, region, curved, c_lower, c_upper, tuple(c_names))
    functions = tuple(c.fun for _, c in bent)
    return Problem(program, start, unflatten, function, functions, tuple(args), prepared)


def _smooth(prepared: Prepared) -> Smooth:
    return Smooth(prepared.value, prepared.jacobian, prepared.hessian)


def _stacked(parts: Sequence[Smooth], sizes: Sequence[int]) -> Smooth:
    """Several functions as one."""
    ends = np.cumsum(sizes)[:-1]

    def hessian(x: Point, weights: Float[np.ndarray, " m"]) -> Float[np.ndarray, "n n"]:
        total = np.zeros((len(x), len(x)))
        for part, own in zip(parts, np.split(weights, ends), strict=True):
            if own.any():
                total += part.hessian(x, own)
        return total

    return Smooth(
        lambda x: np.concatenate([part.value(x) for part in parts]),
        lambda x: np.concatenate([part.jacobian(x) for part in parts]),
        hessian,
    )


def _bounds(bounds: Limits, names: Sequence[str], backend: Any) -> tuple[Point, Point]:
    """Lower and upper bound of every variable."""
    if bounds is None:
        return np.full(len(names), -np.inf), np.full(len(names), np.inf)
    pair = (bounds.lb, bounds.ub) if isinstance(bounds, Bounds) else bounds
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ShapeError(
            "a pair (lower, upper)",
            got=repr(bounds),
            remedy="give two numbers, two arrays or two trees like the start; None stands for no bound",
            where="argument bounds",
        )
    lower, upper = (_like(end, empty, len(names), backend) for end, empty in zip(pair, (-np.inf, np.inf), strict=True))
    wrong = np.flatnonzero(~(lower <= upper))
    if len(wrong):
        i = int(wrong[0])
        raise ShapeError(
            "lower bounds at or below the upper ones",
            got=f"{lower[i]:g} and {upper[i]:g} for {names[i]}",
            remedy="exchange or correct them",
            where="argument bounds",
        )
    return lower, upper


def _like(end: Any, empty: float, n: int, backend: Any) -> Point:
    """One side of the bounds as a flat vector: a number for all, or the form of the start."""
    if end is None or (np.ndim(end) == 0 and not isinstance(end, Mapping)):
        return np.full(n, empty if end is None else float(end))
    leaves = [np.asarray(backend.to_numpy(leaf)) for leaf in backend.leaves_of(end)]
    flat = [leaf if leaf.dtype != object else np.where(_missing(leaf), empty, leaf) for leaf in leaves]
    vector = np.concatenate([part.astype(np.float64).reshape(-1) for part in flat])
    if len(vector) != n:
        raise ShapeError(
            f"one bound for each of {n} variables",
            got=f"{len(vector)}",
            remedy="give one number for all, or the form of the start",
            where="argument bounds",
        )
    return np.asarray(vector)


def _missing(leaf: Any) -> Any:
    return np.vectorize(lambda entry: entry is None, otypes=[bool])(np.asarray(leaf, dtype=object))


def _refuse_outside(start: Point, lower: Point, upper: Point, names: Sequence[str]) -> None:
    out = np.flatnonzero((start < lower) | (start > upper))
    if len(out):
        i = int(out[0])
        also = f" (and {len(out) - 1} more)" if len(out) > 1 else ""
        raise ShapeError(
            f"a start within the bounds {lower[i]:g} to {upper[i]:g} of {names[i]}",
            got=f"{start[i]:g}{also}",
            remedy="move the start inside, or widen the bounds",
            where="argument x0",
        )


def _sorted(
    constraints: Constraints,
) -> tuple[list[tuple[str, LinearConstraint]], list[tuple[str, NonlinearConstraint]]]:
    """Linear and nonlinear constraints, each with its name."""
    if isinstance(constraints, (LinearConstraint, NonlinearConstraint)):
        constraints = [constraints]
    named = (
        list(constraints.items())
        if isinstance(constraints, Mapping)
        else [(f"constraint {i}", c) for i, c in enumerate(constraints, 1)]
    )
    for name, c in named:
        if not isinstance(c, (LinearConstraint, NonlinearConstraint)):
            raise ShapeError(
                "scipy.optimize.LinearConstraint or NonlinearConstraint",
                got=f"{type(c).__name__} for {name}",
                remedy="write NonlinearConstraint(function, lower, upper)",
                where="argument constraints",
            )
    linear = [(name, c) for name, c in named if isinstance(c, LinearConstraint)]
    return linear, [(name, c) for name, c in named if isinstance(c, NonlinearConstraint)]


def _function(function: Any, name: str) -> Callable[..., Any]:
    if callable(function):
        return function
    raise ShapeError(
        "a function", got=type(function).__name__, remedy="pass what computes it", where=f"constraint {name!r}"
    )


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}[{i}]" for i in range(count)]


def _rows(linear: Sequence[tuple[str, LinearConstraint]], n: int, large: bool) -> tuple[Any, Any, Any, tuple[str, ...]]:
    """Every linear constraint as rows; in a large program they stay sparse."""
    matrices: list[Any] = [csr_array((0, n)) if large else np.zeros((0, n))]
    low, high, names = [np.zeros(0)], [np.zeros(0)], []
    for name, c in linear:
        A: Any = c.A if issparse(c.A) else np.atleast_2d(np.asarray(c.A, dtype=np.float64))
        A = csr_array(A) if large else A.toarray() if issparse(A) else A
        if A.shape[1] != n:
            raise ShapeError(
                f"a matrix with {n} columns, one for each variable",
                got=f"{A.shape[1]} columns",
                remedy="give one coefficient for each",
                where=f"constraint {name!r}",
            )
        matrices.append(A)
        low.append(_one_each(c.lb, A.shape[0], name))
        high.append(_one_each(c.ub, A.shape[0], name))
        names += _numbered(name, A.shape[0])
    matrix = csr_array(vstack(matrices, format="csr")) if large else np.concatenate(matrices)
    return matrix, np.concatenate(low), np.concatenate(high), tuple(names)


def _sides(
    bent: Sequence[tuple[str, NonlinearConstraint]], sizes: Sequence[int]
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"], list[str]]:
    low, high, names = [np.zeros(0)], [np.zeros(0)], []
    for (name, c), size in zip(bent, sizes, strict=True):
        low.append(_one_each(c.lb, size, name))
        high.append(_one_each(c.ub, size, name))
        names += _numbered(name, size)
    return np.concatenate(low), np.concatenate(high), names


def _one_each(limit: Any, size: int, name: str) -> Float[np.ndarray, " m"]:
    try:
        return np.array(np.broadcast_to(np.asarray(limit, dtype=np.float64), (size,)))
    except ValueError:
        raise ShapeError(
            f"one limit, or one for each of {size} values",
            got=f"shape {np.shape(limit)}",
            remedy="give as many as the function has outputs",
            where=f"constraint {name!r}",
        ) from None
