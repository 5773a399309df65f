"""Taylor coefficients of a function along a direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from landform.backends.model import Model
from landform.derivatives.target import make_target, refuse_not_finite_product
from landform.errors import ShapeError


def taylor(function: Callable[..., Any] | Model, x: Any, v: Any, *, order: int = 2, args: Sequence[Any] = ()) -> Any:
    """The coefficients c of ``f(x + t v) = c[0] + c[1] t + c[2] t² + …`` up to an order.

    Parameters
    ----------
    function : callable or Model
        A JAX or PyTorch function of ``x`` (and ``args``), m outputs.
    x : array or tree of arrays
        The point, n numbers in all.
    v : array, shape (n,)
        The direction.
    order : int
        The last coefficient; each costs about as much as all before it where JAX's Taylor arithmetic
        (`jax.experimental.jet`) has no rule for an operation and derivatives of derivatives serve.
    args : sequence
        Further arguments of the function, held fixed.

    Returns
    -------
    array, shape (order + 1, m)
        Coefficient k is the k-th derivative along v divided by k!.

    Raises
    ------
    ShapeError
        If the direction does not fit the point, or the order is no whole number from 0.

    References
    ----------
    Griewank and Walther (2008), *Evaluating Derivatives*, ch. 13; Bettencourt, Johnson and Duvenaud (2019).

    Examples
    --------
    >>> import numpy as np
    >>> import jax.numpy as jnp
    >>> taylor(lambda x: jnp.exp(x), np.array([0.0]), np.array([2.0]), order=3).ravel()
    array([1.        , 2.        , 2.        , 1.33333333])
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ShapeError("an order of 0 or more", got=repr(order), remedy="pass a whole number", where="argument order")
    t = make_target(function, x, args=args)
    with t.precision():
        found = t.backend.taylor(t.flat, order, t.x, t.vector(v, t.n, "input"), *t.args)
        return t.give(refuse_not_finite_product(t.backend, found, t.output_names, "Taylor coefficient"))
