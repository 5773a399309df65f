"""Functions that bring their own derivative: the rule is followed, never the inside.

A straight-through rounding is flat inside and has slope one by its rule. Tracing the rule as a linear program of
the direction shows its pattern, whatever the rule is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import jaxprs_in_params

from landform.derivatives.sparse.blocks import by_products
from landform.derivatives.sparse.known import bind
from landform.derivatives.sparse.slopes import Terms
from landform.derivatives.sparse.step import Step, Value, has_slope

Push = Callable[[Callable[..., Any], tuple[Any, ...], tuple[Any, ...]], Any]
"""From a function, a point and a direction to the direction of the results."""


def by_forward_rule(step: Step) -> list[Terms]:
    """Slopes by the rule of a ``custom_jvp``."""
    return _along(step, lambda f, xs, ts: jax.jvp(f, xs, ts)[1])


def by_reverse_rule(step: Step) -> list[Terms]:
    """Slopes by the rule of a ``custom_vjp``, transposed; by its products where it cannot be."""
    try:
        return _along(step, _transposed)
    except (NotImplementedError, AssertionError, TypeError, ValueError, KeyError):
        return by_products(step)


def _transposed(f: Callable[..., Any], xs: tuple[Any, ...], ts: tuple[Any, ...]) -> Any:
    outs, pull = jax.vjp(f, *xs)
    return jax.linear_transpose(lambda u: pull(u), outs)(ts)[0]


def _along(step: Step, push: Push) -> list[Terms]:
    """Walk the rule as a program of point and direction; the direction carries the operands' slopes."""
    moving = [k for k in step.moving if has_slope(step.ins[k].dtype)]
    results = [k for k, v in enumerate(step.eqn.outvars) if has_slope(v.aval.dtype)]
    found: list[Terms] = [[] for _ in step.eqn.outvars]
    if not moving or not results:
        return found
    count = len(step.ins)

    def rule(*both: Any) -> Any:
        def function(*moved: Any) -> list[Any]:
            xs = list(both[:count])
            for k, x in zip(moving, moved, strict=True):
                xs[k] = x
            outs = bind(step.eqn, xs)
            return [outs[k] for k in results]

        return push(function, tuple(both[k] for k in moving), tuple(both[count:]))

    directions = [jnp.zeros_like(step.primals[k]) for k in moving]
    closed = jax.make_jaxpr(rule)(*step.primals, *directions)
    moved = [Value(t, step.ins[k].terms) for k, t in zip(moving, directions, strict=True)]
    for k, value in zip(results, step.context.run(closed, [*(v.still() for v in step.ins), *moved]), strict=True):
        found[k] = value.terms
    return found


def linear_solve(step: Step) -> list[Terms]:
    """Slopes of a linear solve: by its rule where the matrix moves, then by the solver of the right-hand side."""
    lengths, jaxprs = step.eqn.params["const_lengths"], step.eqn.params["jaxprs"]
    consts = sum(lengths)
    if any(k < consts for k in step.moving):
        return by_forward_rule(step)
    batched = any(v.ndim > 2 for v in jaxprs.matvec.in_avals)
    if not batched or jaxprs.solve is None or _loops(jaxprs.solve.jaxpr):
        return by_products(step)
    first = lengths.matvec + lengths.vecmat
    values = [*step.ins[first : first + lengths.solve], *step.ins[consts:]]
    return [v.terms for v in step.context.run(jaxprs.solve, values)]


def _loops(jaxpr: Any) -> bool:
    """Whether there is a loop inside, whose end may depend on what it solves."""
    return any(e.primitive.name in ("while", "scan") or any(map(_loops, _inside(e))) for e in jaxpr.eqns)


def _inside(eqn: Any) -> list[Any]:
    return list(jaxprs_in_params(eqn.params))
