"""What is differentiated: a function with its point, its framework's precision and its names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from landform.backends.frameworks import backend_of
from landform.backends.model import Model
from landform.backends.protocol import Backend, Leaf
from landform.derivatives.names import Names, refuse_same_names
from landform.errors import DerivativeError, ShapeError


@dataclass(frozen=True)
class Target:
    """A function between flat vectors at one point.

    Parameters
    ----------
    backend : module
        What the framework does: evaluate, push forward, pull back (`landform.backends.protocol` says what is asked).
    flat : callable
        ``flat(x, *args)`` from shape (n,) to shape (m,).
    x : array, shape (n,)
        The point.
    args : tuple
        What else the function takes, held fixed.
    m : int
        Number of outputs.
    itemsize : int
        Bytes of one number.
    input_names, output_names : sequence of str
        Names; those of a network are made when they are asked for.
    native : bool
        Whether results stay arrays of the framework (the point was one) or become NumPy arrays.
    precision : callable
        Makes the context to work in.
    """

    backend: Backend
    flat: Callable[..., Any]
    x: Any
    args: tuple[Any, ...]
    m: int
    itemsize: int
    input_names: Sequence[str]
    output_names: Sequence[str]
    native: bool
    precision: Callable[[], AbstractContextManager[Any]]

    @property
    def n(self) -> int:
        """Number of inputs."""
        return len(self.input_names)

    @property
    def inputs(self) -> tuple[str, ...]:
        """All names of inputs."""
        return tuple(self.input_names)

    @property
    def outputs(self) -> tuple[str, ...]:
        """All names of outputs."""
        return tuple(self.output_names)

    @property
    def work(self) -> int:
        """Bytes that one derivative product keeps beside its vectors."""
        return self.backend.work_bytes(self.flat)

    @property
    def costs(self) -> dict[str, Any]:
        """What a plan needs to know of the framework and the function."""
        return {"pullback_cost": self.backend.pullback_cost, "work": self.work}

    def give(self, array: Any) -> Any:
        """The array as the caller expects it."""
        return array if self.native else self.backend.to_numpy(array)

    def vector(self, v: Any, size: int, what: str, *, finite: bool = True) -> Any:
        """A direction of the right length.

        Raises
        ------
        ShapeError
            If it is not a vector of ``size`` numbers, or with ``finite`` one of them is NaN or infinite.
        """
        refuse_other_length(v, size, what)
        if not self.native:
            _refuse_traced(v)
        vector = self.backend.vector(v, self.x)
        bad = self.backend.first_not_finite(vector) if finite else None
        if bad is not None:
            names = self.input_names if what == "input" else self.output_names
            raise ShapeError(
                f"a vector of finite numbers, one for each {what}",
                got=f"{bad[1]} for {names[bad[0][0]]}",
                remedy="clean the vector",
            )
        return vector


def make_target(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Target:
    """Bring a function and a point into one form.

    Raises
    ------
    ShapeError
        If the point is not numeric, or the names do not fit the sizes.
    DerivativeError
        If the framework cannot differentiate the function.
    """
    refuse_not_callable(function)
    if isinstance(function, Model):
        model = function
        inputs, outputs = inputs or model.inputs, outputs or model.outputs
        function, args, x = model.checked_function(), (*model.args, *args), model.point(x)
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    args = as_arguments(args)
    backend = backend_of(function, x)
    if backend.name == "JAX":
        args = _own(args)
    x = backend.as_point(x)
    native = backend.is_native(x)
    with backend.precision_of(x), backend.explained():
        flat_x, unflatten = backend.flatten_point(x)
        flat = backend.flat_function(function, unflatten)
        m, kind = backend.output_size(flat, flat_x, args)
        if not native:
            _refuse_traced(flat_x)
        point = flat_x if native else backend.to_numpy(flat_x)
    return Target(
        backend,
        flat,
        point,
        args,
        m,
        kind.itemsize,
        _names(inputs, backend.leaves(x), "inputs"),
        _names(outputs, backend.output_leaves(flat, m), "outputs"),
        native,
        lambda: backend.precision_of(x),
    )


def as_arguments(args: Any) -> tuple[Any, ...]:
    """Further arguments as a tuple.

    Raises
    ------
    ShapeError
        If they are no sequence.
    """
    if isinstance(args, (str, Mapping)) or not isinstance(args, Iterable) or getattr(args, "ndim", 1) == 0:
        raise ShapeError(
            "a tuple of arguments", got=type(args).__name__, remedy="write args=(value,)", where="argument args"
        )
    return tuple(args)


def _refuse_traced(vector: Any) -> None:
    """Refuse to make NumPy arrays where there are no numbers yet."""
    if type(vector).__name__.endswith("Tracer"):
        raise ShapeError(
            "a JAX point inside jit, vmap or grad",
            got="a NumPy one",
            remedy="pass jnp.asarray(x)",
            where="argument x",
        )


def _own(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The fixed arguments, copied where the caller may write into them; what JAX cannot hand on is refused."""
    import jax

    def own(leaf: Any) -> Any:
        if not hasattr(leaf, "dtype") and not isinstance(leaf, (bool, int, float, complex)):
            raise ShapeError(
                "further arguments that are arrays or numbers",
                got=type(leaf).__name__,
                remedy="bind it to the function: functools.partial(f, name=value)",
                where="argument args",
            )
        return leaf.copy() if isinstance(leaf, np.ndarray) and leaf.flags.writeable else leaf

    return tuple(jax.tree.map(own, args))


def _names(given: Sequence[str] | None, leaves: Sequence[Leaf], what: str) -> Sequence[str]:
    names = Names(leaves)
    if given is None:
        return names
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ShapeError(
            f"a list of {len(names)} names", got=repr(given), remedy="put them in a list", where=f"argument {what}"
        )
    given = tuple(given)
    if len(given) != len(names):
        raise ShapeError(
            f"{len(names)} names", got=f"{len(given)}", remedy="give one for each", where=f"argument {what}"
        )
    refuse_same_names(given, what)
    return given


def refuse_not_finite(backend: Backend, matrix: Any, rows: Sequence[str], columns: Sequence[str], what: str) -> None:
    """Refuse NaN and infinity in a matrix of derivatives, by name.

    Raises
    ------
    DerivativeError
        Naming the first row and column concerned.
    """
    bad = backend.first_not_finite(matrix)
    if bad is not None:
        place, value, count = bad
        i, j = place[-2:]
        raise not_finite(f"a finite {what}", value, rows[i], columns[j], count)


def refuse_not_finite_product(backend: Backend, product: Any, names: Sequence[str], what: str) -> Any:
    """The product itself, if its entries are finite.

    Raises
    ------
    DerivativeError
        Naming the first entry that is not.
    """
    bad = backend.first_not_finite(product)
    if bad is not None:
        place, value, _ = bad
        raise DerivativeError(
            f"a finite {what}",
            got=f"{value} for {names[place[-1] if place else 0]}",
            remedy="move the point away from where the function has a corner or leaves its domain",
        )
    return product


def refuse_no_value(target: Target, x: Any = None) -> None:
    """A derivative is worth nothing where the function has no value, as that of log at -1.

    Raises
    ------
    DerivativeError
        Naming the first output that is not finite, at the target's point or at x.
    """
    t, at = target, target.x if x is None else x
    if type(at).__name__.endswith("Tracer"):
        return  # no numbers to look at
    with t.precision():
        refuse_not_finite_product(t.backend, t.backend.value(t.flat, at, *t.args), t.output_names, "value at the point")


def refuse_not_callable(function: Any) -> None:
    """Refuse what is no function.

    Raises
    ------
    ShapeError
    """
    if not callable(function):
        raise ShapeError(
            "a function", got=f"{type(function).__name__}", remedy="pass what is called", where="argument function"
        )


def refuse_unwalkable(target: Target) -> None:
    """Refuse a sparse matrix where the program cannot be walked through for its zeros.

    Raises
    ------
    DerivativeError
    """
    if target.backend.name != "JAX":
        raise DerivativeError(
            "a JAX function for a sparse matrix",
            got=f"one of {target.backend.name}, whose program is not known before it runs",
            remedy='pass mode="colored" with sparsity= its pattern, or "detect"; products and dense() need none',
        )


def not_finite(expected: str, value: Any, row: str, column: str, count: int) -> DerivativeError:
    """The error that names the first of ``count`` entries that are not finite."""
    more = f" and {count - 1} more entries" if count > 1 else ""
    return DerivativeError(
        expected,
        got=f"{value} for d {row} / d {column}{more}",
        remedy="move the point away from where the function has a corner or leaves its domain",
    )


def refuse_other_length(v: Any, size: int, what: str) -> None:
    """Refuse a direction that is not a vector of ``size`` numbers.

    Raises
    ------
    ShapeError
    """
    if np.shape(v) != (size,):
        raise ShapeError(
            f"a vector of {size} numbers, one for each {what}", got=f"shape {tuple(np.shape(v))}", remedy="reshape it"
        )
    if type(v) is np.ndarray and v.dtype.kind == "f":
        return
    # By name: NumPy has no word for some of PyTorch's kinds of number.
    if "complex" in str(v.dtype if hasattr(v, "dtype") else np.asarray(v).dtype):
        raise ShapeError(f"{size} real numbers, one for each {what}", got="complex ones", remedy="take real parts")
