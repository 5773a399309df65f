"""Two losses, one inside the other: the inner is minimized over parameters, the outer judges what came out.

Everything is a function of two vectors, the parameters θ and the hyperparameters z, and of data; the derivatives that
tuning needs are compiled here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from landform.backends.jax import double_precision, symmetric_rows

Array = np.ndarray
Loss = Callable[..., jax.Array]
"""``loss(θ, z, *data)``, one number."""

_TOGETHER = 64
"""Products with derivatives that are taken at once."""


@dataclass(frozen=True, eq=False)
class Level:
    """An inner and an outer loss of parameters and hyperparameters.

    Parameters
    ----------
    inner, outer : callable
        ``loss(θ, z, *data)`` of two vectors.
    data : tuple of arrays
        What both losses look at.
    names : callable
        Gives the names of the parameters, in the order of θ.
    curve : callable, optional
        The inner Hessian in closed form, ``curve(θ, z, *data)``, where one is known to be cheaper.
    """

    inner: Loss
    outer: Loss
    data: tuple[Any, ...]
    names: Callable[[], Sequence[str]]
    curve: Callable[..., jax.Array] | None = None

    def value(self, theta: Float[Array, " n"], z: Float[Array, " p"]) -> float:
        """The inner loss."""
        with double_precision():
            return float(_value(self.inner, theta, z, self.data))

    def slope(self, theta: Float[Array, " n"], z: Float[Array, " p"]) -> Float[Array, " n"]:
        """The inner gradient, over θ."""
        with double_precision():
            return np.asarray(_slope(self.inner, theta, z, self.data)[1])

    def first(self, theta: Float[Array, " n"], z: Float[Array, " p"]) -> tuple[float, Float[Array, " n"]]:
        """The inner loss and its gradient over θ."""
        with double_precision():
            value, slope = _slope(self.inner, theta, z, self.data)
            return float(value), np.asarray(slope)

    def second(
        self, theta: Float[Array, " n"], z: Float[Array, " p"]
    ) -> tuple[float, Float[Array, " n"], Float[Array, "n n"]]:
        """The inner loss, its gradient and its Hessian over θ."""
        with double_precision():
            value, slope, hessian = _second(self.inner, self.curve, theta, z, self.data)
            return float(value), np.asarray(slope), np.asarray(hessian)

    def bent(self, theta: Float[Array, " n"], z: Float[Array, " p"], v: Float[Array, " n"]) -> Float[Array, " n"]:
        """The inner Hessian times v."""
        with double_precision():
            return np.asarray(_product(self.inner, theta, z, self.data, v))

    def judged(
        self, theta: Float[Array, " n"], z: Float[Array, " p"]
    ) -> tuple[float, Float[Array, " n"], Float[Array, " p"]]:
        """The outer loss, and its slopes over θ and over z."""
        with double_precision():
            value, (over_theta, over_z) = _judged(self.outer, theta, z, self.data)
            return float(value), np.asarray(over_theta), np.asarray(over_z)

    def pulled(self, theta: Float[Array, " n"], z: Float[Array, " p"], q: Float[Array, " n"]) -> Float[Array, " p"]:
        """``∂/∂z`` of ``q ·`` the inner gradient."""
        with double_precision():
            return np.asarray(_pulled(self.inner, theta, z, self.data, q))

    def mixed(self, theta: Float[Array, " n"], z: Float[Array, " p"]) -> Float[Array, "p n"]:
        """How the inner gradient moves with each hyperparameter."""
        with double_precision():
            return np.asarray(_mixed(self.inner, theta, z, self.data))

    def lagrangian(
        self,
        theta: Float[Array, " n"],
        z: Float[Array, " p"],
        q: Float[Array, " n"],
        along: tuple[Float[Array, "k n"], Float[Array, "k p"]],
    ) -> tuple[Float[Array, "k n"], Float[Array, "k p"]]:
        """The Hessian over (θ, z) of ``outer − q · inner gradient``, times k directions."""
        with double_precision():
            over_theta, over_z = _lagrangian(self.inner, self.outer, theta, z, self.data, q, along)
            return np.asarray(over_theta), np.asarray(over_z)


@partial(jax.jit, static_argnums=0)
def _value(g: Loss, theta: Any, z: Any, data: Any) -> Any:
    return g(theta, z, *data)


@partial(jax.jit, static_argnums=0)
def _slope(g: Loss, theta: Any, z: Any, data: Any) -> Any:
    return jax.value_and_grad(g)(theta, z, *data)


@partial(jax.jit, static_argnums=(0, 1))
def _second(g: Loss, curve: Callable[..., Any] | None, theta: Any, z: Any, data: Any) -> Any:
    value, slope = jax.value_and_grad(g)(theta, z, *data)
    if curve is not None:
        return value, slope, curve(theta, z, *data)
    push = jax.linearize(lambda t: jax.grad(g)(t, z, *data), theta)[1]
    return value, slope, symmetric_rows(push, theta.size, min(theta.size, _TOGETHER), theta.dtype)


@partial(jax.jit, static_argnums=0)
def _product(g: Loss, theta: Any, z: Any, data: Any, v: Any) -> Any:
    return jax.jvp(lambda t: jax.grad(g)(t, z, *data), (theta,), (v,))[1]


@partial(jax.jit, static_argnums=0)
def _judged(F: Loss, theta: Any, z: Any, data: Any) -> Any:
    return jax.value_and_grad(F, (0, 1))(theta, z, *data)


def _along(g: Loss, theta: Any, z: Any, data: Any, q: Any) -> Any:
    """``q ·`` the inner gradient, by one forward product."""
    return jax.jvp(lambda t: g(t, z, *data), (theta,), (q,))[1]


@partial(jax.jit, static_argnums=0)
def _pulled(g: Loss, theta: Any, z: Any, data: Any, q: Any) -> Any:
    return jax.grad(lambda w: _along(g, theta, w, data, q))(z)


@partial(jax.jit, static_argnums=0)
def _mixed(g: Loss, theta: Any, z: Any, data: Any) -> Any:
    push = jax.linearize(lambda w: jax.grad(g)(theta, w, *data), z)[1]
    return jax.lax.map(push, jnp.eye(z.size, dtype=z.dtype), batch_size=min(z.size, _TOGETHER))


@partial(jax.jit, static_argnums=(0, 1))
def _lagrangian(g: Loss, F: Loss, theta: Any, z: Any, data: Any, q: Any, along: Any) -> Any:
    def lagrangian(t: Any, w: Any) -> Any:
        return F(t, w, *data) - _along(g, t, w, data, q)

    push = jax.linearize(jax.grad(lagrangian, (0, 1)), theta, z)[1]
    return jax.lax.map(lambda v: push(*v), along, batch_size=min(len(along[0]), _TOGETHER))
