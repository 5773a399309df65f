"""Nonlinear least squares as one compiled program: Levenberg and Marquardt's steps, bent along the path, then Newton's.

A step solves ``(J'J + d D²) s = −J'r`` with D the column lengths of J, the largest so far or the present ones. The
second derivative of the residuals along it, which is exact here, bends it (geodesic acceleration), and a step that is
bent too far is refused. Close to the end, where a large residual makes these steps slow, the exact Hessian of the sum
of squares takes over. Many starts go through one program side by side; those that have ended leave the batch, so none
waits for the slowest.

References
----------
Moré (1978), "The Levenberg-Marquardt algorithm: implementation and theory"; Transtrum and Sethna (2012), "Improvements
to the Levenberg-Marquardt algorithm for nonlinear least-squares minimization", arXiv:1201.5885; Nielsen (1999),
"Damping parameter in Marquardt's method", IMM-REP-1999-05.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

Residuals = Callable[..., jax.Array]
Array = np.ndarray

_ROUNDS = 25
"""Steps of a batch between two looks at which starts have ended."""

_SLOW = 1e-7
"""A gain below this part of the sum of squares is left to Newton's method."""

_BEND = 0.75
"""The most that the second-order part of a step may be, in parts of the first (Transtrum and Sethna 2012, sec. 4)."""


class State(NamedTuple):
    """Where one fit stands."""

    p: Any
    r: Any
    J: Any
    cost: Any
    scale: Any
    damping: Any
    growth: Any
    steps: Any
    done: Any


class Ended(NamedTuple):
    """Where fits ended, one row each: parameters, half the sum of squares, steps."""

    p: Float[Array, "starts n"]
    cost: Float[Array, " starts"]
    steps: Float[Array, " starts"]


def least_squares(
    residuals: Residuals,
    starts: Float[Array, "starts n"],
    *,
    args: tuple[Any, ...] = (),
    lower: Float[Array, " n"] | None = None,
    upper: Float[Array, " n"] | None = None,
    most: int = 1000,
    forgetful: bool = False,
) -> Ended:
    """Where least squares lead from every start, in double precision.

    Parameters
    ----------
    residuals : callable
        A JAX function ``residuals(p, *args)`` from shape (n,) to shape (m,).
    starts : array, shape (starts, n)
        Where to begin; within the bounds.
    args : tuple
        Further arguments of the function, held fixed.
    lower, upper : array, shape (n,), optional
        Bounds.
    most : int
        Steps of one fit.
    forgetful : bool
        Whether D is of the present column lengths instead of the largest so far: it goes on where slopes have shrunk by
        many powers of ten, and is lost more easily.
    """
    from landform.backends.jax import double_precision

    n = starts.shape[1]
    low = np.full(n, -np.inf) if lower is None else np.asarray(lower, dtype=np.float64)
    high = np.full(n, np.inf) if upper is None else np.asarray(upper, dtype=np.float64)
    with double_precision():
        if len(starts) == 1:
            state = _one(residuals, most, forgetful, jnp.asarray(starts[0], dtype=jnp.float64), low, high, args)
            return Ended(*(np.asarray(part)[None] for part in (state.p, state.cost, state.steps)))
        return _many(residuals, np.asarray(starts, dtype=np.float64), low, high, args, most, forgetful)


def _many(
    residuals: Residuals,
    starts: Array,
    low: Array,
    high: Array,
    args: tuple[Any, ...],
    most: int,
    forgetful: bool,
) -> Ended:
    """A batch that shrinks as its fits end; its size is a power of two, so few programs are compiled."""
    p, cost, steps = starts.copy(), np.full(len(starts), np.inf), np.zeros(len(starts))
    going = np.arange(len(starts))
    states = _begin(residuals, _padded(starts), low, high, args)
    while len(going):
        states = _rounds(residuals, forgetful, states, low, high, args)
        done = np.asarray(states.done)[: len(going)] | (np.asarray(states.steps)[: len(going)] >= most)
        places = np.flatnonzero(done)
        for found, part in ((p, states.p), (cost, states.cost), (steps, states.steps)):
            found[going[places]] = np.asarray(part)[places]
        left = np.flatnonzero(~done)
        going = going[left]
        if len(left):
            keep = _padded(left)
            states = State(*(leaf[keep] for leaf in states))
    p, cost = (np.asarray(part) for part in _finish(residuals, _padded(p), low, high, args))
    return Ended(p[: len(starts)], cost[: len(starts)], steps)


def _padded(rows: Array) -> Array:
    size = 1 << (len(rows) - 1).bit_length()
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])


@partial(jax.jit, static_argnums=(0, 1, 2))
def _one(residuals: Residuals, most: int, forgetful: bool, p: Any, low: Any, high: Any, args: tuple[Any, ...]) -> State:
    f = _of(residuals, args)
    state = jax.lax.while_loop(
        lambda s: ~s.done & (s.steps < most), lambda s: _step(f, s, low, high, forgetful), _first(f, p, low, high)
    )
    p, cost = _newton(f, state.p, low, high)
    return state._replace(p=p, cost=cost)


@partial(jax.jit, static_argnums=0)
def _begin(residuals: Residuals, P: Any, low: Any, high: Any, args: tuple[Any, ...]) -> State:
    return jax.vmap(lambda p: _first(_of(residuals, args), p, low, high))(P)


@partial(jax.jit, static_argnums=(0, 1))
def _rounds(residuals: Residuals, forgetful: bool, states: State, low: Any, high: Any, args: tuple[Any, ...]) -> State:
    f = _of(residuals, args)

    def step(state: State) -> State:
        moved = _step(f, state, low, high, forgetful)
        return jax.tree.map(partial(jnp.where, state.done), state, moved)

    return jax.lax.fori_loop(0, _ROUNDS, lambda _, s: jax.vmap(step)(s), states)


@partial(jax.jit, static_argnums=0)
def _finish(residuals: Residuals, P: Any, low: Any, high: Any, args: tuple[Any, ...]) -> tuple[Any, Any]:
    return jax.vmap(lambda p: _newton(_of(residuals, args), p, low, high))(P)


def _of(residuals: Residuals, args: tuple[Any, ...]) -> Callable[[Any], Any]:
    return lambda p: residuals(p, *args)


def _first(f: Callable[[Any], Any], p: Any, low: Any, high: Any) -> State:
    p = jnp.clip(p, low, high)
    r, J = f(p), jax.jacfwd(f)(p)
    scale = jnp.linalg.norm(J, axis=0)
    cost = 0.5 * r @ r
    bad = ~(jnp.isfinite(cost) & jnp.isfinite(J).all())
    return State(p, r, J, cost, scale, jnp.asarray(1e-3), jnp.asarray(2.0), jnp.asarray(0), bad)


def _step(f: Callable[[Any], Any], s: State, low: Any, high: Any, forgetful: bool) -> State:
    """One trial: taken where it lowers the sum of squares, else damped more."""
    scale = jnp.where(s.scale > 0, s.scale, 1.0)
    slope = s.r @ s.J
    held = ((s.p <= low) & (slope > 0)) | ((s.p >= high) & (slope < 0))
    solve = _damped(jnp.where(held, 0.0, s.J) / scale, s.damping)
    first = solve(-s.r) / scale
    bend = jax.jvp(lambda p: jax.jvp(f, (p,), (first,))[1], (s.p,), (first,))[1]
    second = 0.5 * solve(-bend) / scale
    sizes = jnp.linalg.norm(scale * second), jnp.linalg.norm(scale * first)
    bent = jnp.isfinite(second).all() & (2 * sizes[0] <= _BEND * sizes[1])
    p = jnp.clip(jnp.where(held, s.p, s.p + first + jnp.where(bent, second, 0.0)), low, high)
    r, J = f(p), jax.jacfwd(f)(p)
    cost = 0.5 * r @ r
    along = s.J @ (p - s.p)
    promised = -(s.r @ along) - 0.5 * along @ along
    fine = bent & jnp.isfinite(cost) & jnp.isfinite(J).all() & (cost < s.cost)
    ratio = (s.cost - cost) / jnp.where(promised > 0, promised, s.cost - cost)
    eased = s.damping * jnp.maximum(1 / 3, 1 - (2 * jnp.minimum(ratio, 1.5) - 1) ** 3)
    slow = fine & (s.cost - cost <= _SLOW * s.cost) & (s.damping < 1e-2)
    stuck = ~fine & ((s.damping > 1e16) | (sizes[1] <= 1e-16 * jnp.linalg.norm(scale * s.p)))
    lengths = jnp.linalg.norm(J, axis=0)
    lengths = lengths if forgetful else jnp.maximum(s.scale, lengths)
    taken = State(p, r, J, cost, lengths, eased, jnp.asarray(2.0), s.steps, slow)
    refused = s._replace(damping=s.damping * s.growth, growth=s.growth * 2, done=stuck)
    return jax.tree.map(partial(jnp.where, fine), taken, refused)._replace(steps=s.steps + 1)


def _damped(J: Any, damping: Any) -> Callable[[Any], Any]:
    """The solution of ``(J'J + d) s = J'b`` as a function of b, by the singular values of J."""
    U, S, V = jnp.linalg.svd(J, full_matrices=False)
    filtered = S / (S**2 + damping)
    return lambda b: V.T @ (filtered * (b @ U))


def _newton(f: Callable[[Any], Any], p: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Newton's method on the sum of squares, as long as the slope shrinks; parameters on a bound that holds stay.

    With ``J = QR`` the step is ``−R⁻¹ (I + R⁻ᵀ S R⁻¹)⁻¹ Q'r``, S the residuals' own curvature: J'J, whose condition is
    the square of J's, is never formed, and ``Q'r`` is the slope as exactly as the residuals are known.
    """

    def look(p: Any) -> Any:
        r, J = f(p), jax.jacfwd(f)(p)
        slope = r @ J
        held = ((p <= low) & (slope > 0)) | ((p >= high) & (slope < 0))
        scale = jnp.linalg.norm(J, axis=0)
        scale = jnp.where(scale > 0, scale, 1.0)
        Q, R = jnp.linalg.qr(jnp.where(held, 0.0, J) / scale)
        R = R + jnp.diag(jnp.where(jnp.abs(jnp.diag(R)) > 0, 0.0, 1.0))
        seen = r @ Q
        return p, r, R, scale, held, seen, jnp.linalg.norm(seen)

    def body(carry: Any) -> Any:
        (p, r, R, scale, held, seen, size), _, count = carry
        own = jax.jacfwd(jax.grad(lambda q: r @ f(q)))(p) / (scale[:, None] * scale)
        own = jnp.where(held[:, None] | held, 0.0, own)
        bent = jax.scipy.linalg.solve_triangular(R, jax.scipy.linalg.solve_triangular(R, own, trans=1).T, trans=1)
        inner = jnp.linalg.solve(jnp.eye(len(p)) + bent, seen)
        step = -jax.scipy.linalg.solve_triangular(R, inner) / scale
        there = look(jnp.clip(jnp.where(held, p, p + step), low, high))
        better = (there[-1] < size) & (there[1] @ there[1] <= r @ r * (1 + 1e-8))
        return jax.tree.map(partial(jnp.where, better), there, carry[0]), ~better, count + 1

    found, _, _ = jax.lax.while_loop(lambda c: ~c[1] & (c[2] < 30), body, (look(p), jnp.asarray(False), jnp.asarray(0)))
    return found[0], 0.5 * found[1] @ found[1]
