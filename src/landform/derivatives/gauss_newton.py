"""The Gauss-Newton matrix: the curvature of a loss, the outputs it is taken of held straight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from landform.backends.model import Model
from landform.derivatives.hessian import Hessian
from landform.derivatives.plan import DEFAULT_MEMORY, Plan, hessian_plan
from landform.derivatives.target import Target, make_target, refuse_no_value
from landform.errors import ShapeError


class GaussNewton(Hessian):
    """``J' H_loss J`` at one point, as a symmetric operator of shape (n, n). Made by `gauss_newton`.

    It is the Hessian of the loss of the linearized function, so everything a `Hessian` does it does as well.
    """

    kind = "Gauss-Newton matrix"

    @property
    def plan(self) -> Plan:
        """How `dense` forms the matrix."""
        t, (mode, how) = self._target, self._target.backend.hessian_plan
        reason = f"the outputs held straight; {how}"
        return hessian_plan(t.n, t.itemsize, memory=self._memory, mode=mode, reason=reason, work=t.work)

    @property
    def _layers(self) -> str:
        return ""


def straightened(
    function: Callable[..., Any] | Model,
    loss: Callable[..., Any],
    x: Any,
    *,
    args: Sequence[Any] = (),
    loss_args: Sequence[Any] = (),
    inputs: Sequence[str] | None = None,
) -> Target:
    """The loss of the function's linearization at x, as a target at x.

    Raises
    ------
    ShapeError
        If the loss is no scalar.
    """
    inner = make_target(function, x, args=args, inputs=inputs)
    refuse_no_value(inner)
    outputs = inner.backend.outputs_at(inner.flat, inner.x, inner.args, inner.m, inner.precision)
    with inner.precision():
        outer = make_target(loss, outputs, args=loss_args)
    if outer.m != 1:
        raise ShapeError("a loss with one output", got=f"{outer.m} outputs", remedy="sum over rows", where="loss")
    flat = inner.backend.loss_of_linear(inner.flat, outer.flat)
    return replace(inner, flat=flat, args=(inner.x, tuple(loss_args), *inner.args), m=1, output_names=("loss",))


def gauss_newton(
    function: Callable[..., Any] | Model,
    loss: Callable[..., Any],
    x: Any,
    *,
    args: Sequence[Any] = (),
    memory: str | int = DEFAULT_MEMORY,
    inputs: Sequence[str] | None = None,
) -> GaussNewton:
    """The Gauss-Newton matrix ``J' H J`` of ``loss(function(x))``: its Hessian but for the function's own curvature.

    Positive semidefinite wherever the loss is convex in the outputs, and equal to the Hessian where the function
    is linear, or fits exactly.

    Parameters
    ----------
    function : callable or Model
        From parameters to outputs, an array or a tree of arrays of any shape.
    loss : callable
        From those outputs to one number.
    x : array or tree of arrays
        The parameters, n numbers in all.
    args : sequence
        Further arguments of the function, held fixed.
    memory : str or int
        The most that forming the matrix may take.
    inputs : sequence of str, optional
        Names of the parameters.

    Returns
    -------
    GaussNewton
        Operator of shape (n, n), in units of the loss per unit of parameter i per unit of parameter j.

    Raises
    ------
    ShapeError
        If the loss is no scalar, or the point is not numeric.

    References
    ----------
    Schraudolph (2002), "Fast curvature matrix-vector products for second-order gradient descent", Neural Comput. 14.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> t, seen = np.array([0.0, 1.0]), np.array([1.0, 3.0])
    >>> G = gauss_newton(lambda x: x[0] * jnp.exp(x[1] * t), lambda y: jnp.sum((y - seen) ** 2) / 2, np.array([1.0, 0]))
    >>> G.dense()
    array([[2., 1.],
           [1., 1.]])
    >>> float(G.quadratic(np.array([1.0, -1.0])))
    1.0
    """
    target = straightened(function, loss, x, args=args, inputs=inputs)
    return GaussNewton(target, target.vector(np.ones(1), 1, "output"), memory=memory)
