"""A minimum as a function that JAX can compile, batch and differentiate; NaN wherever it is none.

Damped Newton steps in one loop, and the implicit function theorem as the rule of differentiation. Whether the problem
was solved travels with every number that leaves here, derivatives included: a program that asks for derivatives alone
(``jit(jacfwd(…))``) drops whatever is only checked beside the value.

References
----------
Nocedal and Wright (2006), *Numerical Optimization*, algorithm 3.2; Griewank and Walther (2008), *Evaluating
Derivatives*, ch. 15 (implicit differentiation).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.jax.context import double_precision
from landform.backends.jax.tree import as_double, flatten_point
from landform.errors import ShapeError

Function = Callable[..., jax.Array]
"""``f(x, *args)`` of a vector, one number."""


class _State(NamedTuple):
    x: jax.Array
    value: jax.Array
    slope: jax.Array
    hessian: jax.Array
    damping: jax.Array
    steps: jax.Array
    resting: jax.Array


class Argmin:
    """``best(*args)``: the point where ``function(x, *args)`` is lowest, near where Newton's steps lead from the start.

    NaN in value and in derivatives of any order where the search did not end at a strict minimum.
    """

    def __init__(self, function: Callable[..., Any], x0: Any, most: int) -> None:
        self._function, self._x0, self._most = function, x0, most
        self._made: dict[Any, tuple[Any, Any, Any]] = {}

    def __call__(self, *args: Any) -> Any:
        """The lowest point, in the form of the start; NaN where none was reached."""
        with self._precision(args):
            best, _, unflatten = self._parts(args)
            return unflatten(best(*args))

    def solved(self, *args: Any) -> Any:
        """Whether a strict minimum was reached, as an array."""
        with self._precision(args):
            return self._parts(args)[1](*args)

    def _precision(self, args: Any) -> AbstractContextManager[Any]:
        """Double for plain numbers and NumPy alone; what is traced, or JAX's own, stays in the caller's precision."""
        own = any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves((self._x0, args)))
        return nullcontext() if own else double_precision()

    def _parts(self, args: Any) -> tuple[Any, Any, Any]:
        """The compiled search for the precision that holds now, and the way back to the form of the start."""
        key = jax.dtypes.canonicalize_dtype(jnp.float64)
        if key not in self._made:
            x0 = self._x0 if all(isinstance(v, jax.Array) for v in jax.tree.leaves(self._x0)) else as_double(self._x0)
            with jax.ensure_compile_time_eval():  # the start is the same for every trace
                flattened, unflatten = flatten_point(x0)
                vector = np.asarray(flattened, dtype=jax.dtypes.canonicalize_dtype(flattened.dtype))

            def flat(x: jax.Array, *rest: Any) -> jax.Array:
                return self._function(unflatten(x), *rest)

            shape = jax.eval_shape(flat, vector, *args)
            if getattr(shape, "shape", None) != ():
                raise ShapeError(
                    "a function that returns one number",
                    got=f"shape {getattr(shape, 'shape', type(shape).__name__)}",
                    remedy="return the sum or the mean",
                    where="argmin",
                )
            most = self._most
            solved = jax.jit(lambda *rest: _solved(_descended(flat, vector, rest, most)))
            self._made[key] = jax.jit(_with_rule(flat, vector, most)), solved, unflatten
        return self._made[key]


def _with_rule(f: Function, start: np.ndarray, most: int) -> Callable[..., jax.Array]:
    """The search, with the implicit function theorem as its rule of differentiation."""

    @jax.custom_jvp
    def best(*args: Any) -> jax.Array:
        state = _descended(f, start, args, most)
        return jnp.where(_solved(state), state.x, jnp.nan)

    @best.defjvp
    def rule(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[jax.Array, jax.Array]:
        # Where x is NaN so is all that is computed from it, whatever parts of the program are kept.
        x = best(*primals)
        slope = jax.grad(f)
        _, moved = jax.jvp(lambda *a: slope(x, *a), primals, tangents)
        hessian = jax.jacfwd(slope)(x, *primals)
        unit = _unit(hessian)
        scaled = (hessian + hessian.T) / 2 * unit[:, None] * unit
        step = -unit * jax.scipy.linalg.solve(scaled, unit * moved, assume_a="pos")
        # 1, or NaN where x is. It depends on x, so that derivatives of any order are NaN too: those of a constant, or
        # of the branch of `where` that is not taken, would be 0. Every tangent passes it, those too that do not move.
        mark = 0.0 * jnp.sum(x)
        floats = [t for t in jax.tree.leaves(tangents) if jnp.issubdtype(t.dtype, jnp.floating)]
        return x, step * (1.0 + mark) + mark * sum(jnp.sum(t).astype(x.dtype) for t in floats)

    return best


def _unit(hessian: jax.Array) -> jax.Array:
    """One over the root of every variable's own curvature."""
    own = jnp.abs(jnp.diag(hessian))
    return jax.lax.stop_gradient(1.0 / jnp.sqrt(jnp.where(own > 0, own, 1.0)))


def _look(f: Function, x: jax.Array, args: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    value, slope = jax.value_and_grad(f)(x, *args)
    return value, slope, jax.jacfwd(jax.grad(f))(x, *args)


def _newton(slope: jax.Array, hessian: jax.Array, damping: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Newton's step with damping, and the smallest pivot of the scaled matrix; NaN where it is not positive."""
    unit = _unit(hessian)
    scaled = hessian * unit[:, None] * unit + damping * jnp.eye(len(slope), dtype=slope.dtype)
    factor = jnp.linalg.cholesky((scaled + scaled.T) / 2)
    return -unit * jax.scipy.linalg.cho_solve((factor, True), unit * slope), jnp.min(jnp.diag(factor))


def _solved(state: _State) -> jax.Array:
    """Whether the Hessian is positive definite beyond rounding, and Newton's next step is short."""
    eps = jnp.finfo(state.x.dtype).eps
    step, pivot = _newton(state.slope, state.hessian, jnp.zeros_like(state.value))
    size = jnp.sqrt(jnp.abs(step @ state.hessian @ step))
    measure = jnp.sqrt(jnp.abs(state.x @ jnp.abs(state.hessian) @ state.x)) + jnp.sqrt(jnp.abs(state.value))
    short = size <= jnp.sqrt(eps) * jnp.where(measure > 0, measure, 1.0)
    return short & (pivot**2 > 1e2 * eps) & jnp.isfinite(state.value) & jnp.isfinite(step).all()


def _descended(f: Function, begin: np.ndarray, args: Any, most: int) -> _State:
    """The loop: a step that lowers the value is taken and damping falls, any other is not and damping rises."""
    start = jnp.asarray(begin)
    eps = jnp.finfo(start.dtype).eps

    def going(state: _State) -> jax.Array:
        return (state.steps < most) & ~state.resting

    def step(state: _State) -> _State:
        move, _ = _newton(state.slope, state.hessian, state.damping)
        promised = -state.slope @ move
        there = state.x + move
        value, slope, hessian = _look(f, there, args)
        last_digits = promised <= 1e2 * eps * jnp.abs(state.value)
        shorter = jnp.linalg.norm(slope) < 0.5 * jnp.linalg.norm(state.slope)
        lower = value <= state.value - 1e-4 * promised
        taken = jnp.isfinite(promised) & jnp.isfinite(value) & jnp.where(last_digits, shorter, lower)
        resting = (last_digits & ~shorter & (state.damping == 0)) | (promised == 0) | (state.damping > 1e12)
        grown = jnp.maximum(10.0 * state.damping, 1e-4)
        shrunk = jnp.where(state.damping < 1e-6, 0.0, 0.1 * state.damping)
        damping = jnp.where(taken | (last_digits & ~shorter), shrunk, grown).astype(start.dtype)
        return _State(
            jnp.where(taken, there, state.x),
            jnp.where(taken, value, state.value),
            jnp.where(taken, slope, state.slope),
            jnp.where(taken, hessian, state.hessian),
            damping,
            state.steps + 1,
            resting,
        )

    zero = jnp.zeros((), start.dtype)
    first = _State(start, *_look(f, start, args), zero, jnp.zeros((), jnp.int32), jnp.zeros((), bool))
    return jax.lax.while_loop(going, step, first)
