"""What is verified: a function that can be evaluated, and the derivatives that are claimed for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.target import Target, make_target
from landform.errors import ShapeError

if TYPE_CHECKING:
    from landform.derivatives.numeric import NumericOptions
    from landform.derivatives.numeric.black_box import BlackBox

Product = Callable[..., Float[np.ndarray, " k"]]


@dataclass(frozen=True)
class Claim:
    """A function's values and the derivatives claimed for it, in NumPy's double precision.

    Parameters
    ----------
    box : BlackBox
        Point and values.
    slope : callable
        ``J v``, shape (m,).
    pull : callable or None
        ``J' u``, shape (n,).
    curve : callable or None
        ``v' H v`` of every output, shape (m,).
    product : callable or None
        The Hessian of ``w · f`` times v, shape (n,), from (w, v).
    eps : float
        Rounding of the numbers the function works with.
    again : callable or None
        The function evaluated anew by the framework, not as it was compiled.
    how : str
        Where the derivatives come from.
    target : Target or None
        The framework's function.
    """

    box: BlackBox
    slope: Product
    pull: Product | None
    curve: Product | None
    product: Product | None
    eps: float
    again: Callable[[], Float[np.ndarray, " m"]] | None
    how: str
    target: Target | None = None


def claim_of_target(
    function: Callable[..., Any] | Model, x: Any, args: Sequence[Any], options: NumericOptions
) -> Claim:
    """The derivatives that a framework's rules give."""
    from landform.derivatives.numeric.black_box import make_black_box

    target = make_target(function, x, args=args)
    backend = target.backend

    def value(z: np.ndarray) -> np.ndarray:
        return _numbers(target, backend.value, backend.vector(z, target.x))

    def again() -> np.ndarray:
        with target.precision():
            y = backend.evaluated_anew(target.flat, target.x, *target.args)
            return np.asarray(backend.to_numpy(y), dtype=np.float64)

    def program(name: str) -> Product:
        run = getattr(backend, name)
        return lambda *vectors: _numbers(target, run, target.x, *(backend.vector(v, target.x) for v in vectors))

    point = np.asarray(backend.to_numpy(target.x), dtype=np.float64)
    box = make_black_box(value, point, inputs=target.inputs, outputs=target.outputs, options=options)
    pull, product = program("pullback"), program("hessian_product")
    return Claim(
        box,
        program("pushforward"),
        pull if _works(pull, np.ones(target.m)) else None,
        program("bend"),
        product if _works(product, np.ones(target.m), np.ones(target.n)) else None,
        backend.rounding(target.x),
        again,
        "its rules",
        target,
    )


def _numbers(target: Target, program: Callable[..., Any], *vectors: Any) -> np.ndarray:
    with target.precision():
        found = program(target.flat, *vectors, *target.args)
        derivative = found[-1] if isinstance(found, tuple) else found
        return np.asarray(target.backend.to_numpy(derivative), dtype=np.float64)


def _works(product: Product, *vectors: np.ndarray) -> bool:
    """Whether the framework has rules for this product at all; a while loop has none in reverse."""
    try:
        product(*vectors)
    except (NotImplementedError, TypeError, ValueError):
        return False
    return True


def claim_of_matrices(
    function: Callable[..., Any] | Model,
    x: Any,
    args: Sequence[Any],
    options: NumericOptions,
    *,
    jacobian: Any,
    hessian: Any,
) -> Claim:
    """The derivatives that a user supplies, as arrays or functions of the point; differences where none is given.

    Raises
    ------
    ShapeError
        If a matrix does not fit the function.
    """
    from landform.derivatives.numeric import numeric_jacobian
    from landform.derivatives.numeric.black_box import make_black_box

    function = function if isinstance(function, Model) else InDouble(function)
    box = make_black_box(function, x, args=args, options=options)
    m, n = box.value.size, box.x.size
    how = "the Jacobian given"
    if jacobian is None:
        jacobian = numeric_jacobian(function, x, args=args, options=options).dense()
        how = "its Jacobian by differences"
    J = _matrix(jacobian, x, args, ((m, n), (n,)) if m == 1 else ((m, n),), "jacobian").reshape(m, n)
    if hessian is None:
        return Claim(box, lambda v: J @ v, lambda u: J.T @ u, None, None, _EPS, None, how)
    shapes = ((n, n), (1, n, n)) if m == 1 else ((m, n, n),)
    H = _matrix(hessian, x, args, shapes, "hessian").reshape(m, n, n)
    return Claim(
        box,
        lambda v: J @ v,
        lambda u: J.T @ u,
        lambda v: np.asarray(H @ v @ v),
        lambda w, v: np.asarray(np.tensordot(w, H, axes=1) @ v),
        _EPS,
        None,
        "the derivatives given",
    )


_EPS = float(np.finfo(np.float64).eps)


def _matrix(given: Any, x: Any, args: Sequence[Any], shapes: Sequence[tuple[int, ...]], what: str) -> np.ndarray:
    if callable(given):
        with _double_if_loaded():
            given = given(x, *args)
    given = given.dense() if hasattr(given, "dense") else given
    given = given.toarray() if hasattr(given, "toarray") else given
    matrix = np.asarray(given)
    if matrix.shape not in shapes or matrix.dtype.kind not in "fiu":
        raise ShapeError(
            f"real numbers of shape {' or '.join(map(str, shapes))}",
            got=f"shape {matrix.shape}, dtype {matrix.dtype}",
            remedy="one row for each output, one column for each input",
            where=f"argument {what}",
        )
    return matrix.astype(np.float64)


@dataclass(frozen=True)
class InDouble:
    """A function called as it is, in double precision should it turn out to be one of JAX's."""

    function: Callable[..., Any]

    def __call__(self, x: np.ndarray, *args: Any) -> Any:
        """The function's own result."""
        with _double_if_loaded():
            return self.function(x, *args)


def _double_if_loaded() -> AbstractContextManager[Any]:
    if "jax" not in sys.modules:
        return nullcontext()
    from landform.backends.jax import double_precision

    return double_precision()
