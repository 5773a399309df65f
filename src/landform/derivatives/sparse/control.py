"""Branches and loops: patterns by a fixed point, slopes carried beside the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun, jaxprs_in_params

from landform.derivatives.sparse.blocks import by_products
from landform.derivatives.sparse.slopes import Slot, Terms, fitted, keys_of, merged, slots_for
from landform.derivatives.sparse.step import Step, Value, has_slope

Layout = list[np.ndarray]
"""Columns of the slots that one array carries."""

MOST_UNROLLED = 1500
"""A loop of more equations than this, its rounds taken together, is not unrolled."""
MOST_ROUNDS = 12
"""Rounds after which a pattern that still grows is given up."""
WIDEST_CARRIED = 64
"""Slots beyond which a loop goes by products."""


def _layouts(keys: Sequence[np.ndarray], avals: Sequence[Any], inputs: int) -> list[Layout]:
    return [slots_for(k, v.shape, inputs) for k, v in zip(keys, avals, strict=True)]


def _slots(layout: Layout, vals: Sequence[Any]) -> Terms:
    return [Slot(c, v) for c, v in zip(layout, vals, strict=True)]


def _patterns(step: Step, run: Callable[[], list[Value]]) -> list[np.ndarray]:
    """Which coordinates a piece of program may fill, without running it."""
    found: list[np.ndarray] = []

    def look() -> int:
        found[:] = [keys_of(v.terms, step.context.inputs) for v in run()]
        return 0

    jax.eval_shape(look)
    return found


def branches(step: Step) -> list[Terms]:
    """Slopes of a branch: the pattern of all, the slopes of the one that is taken."""
    which, ins, jaxprs = step.ins[0], step.ins[1:], step.eqn.params["branches"]
    if which.known is not None:
        taken = int(np.clip(int(which.known.get()), 0, len(jaxprs) - 1))
        return [v.terms for v in step.context.run(jaxprs[taken], ins)]
    patterns = [_patterns(step, partial(step.context.run, j, ins)) for j in jaxprs]
    joined = [np.unique(np.concatenate(p)) for p in zip(*patterns, strict=True)]
    layouts = _layouts(joined, [v.aval for v in step.eqn.outvars], step.context.inputs)

    def taking(jaxpr: Any) -> Callable[[], list[list[Any]]]:
        def branch() -> list[list[Any]]:
            outs = step.context.run(jaxpr, ins)
            return [fitted(v.terms, lay, v.dtype) for v, lay in zip(outs, layouts, strict=True)]

        return branch

    vals = jax.lax.switch(which.primal, [taking(j) for j in jaxprs])
    return [_slots(lay, v) for lay, v in zip(layouts, vals, strict=True)]


def _grown(
    step: Step, start: list[np.ndarray], avals: Sequence[Any], body: Callable[[list[Value]], list[Value]], rounds: int
) -> list[Layout] | None:
    """Layouts that hold a loop's slopes in every round, or None where they grow too wide."""
    keys = start
    for _ in range(min(rounds, MOST_ROUNDS) + 1):
        layouts = _layouts(keys, avals, step.context.inputs)
        if any(len(lay) > WIDEST_CARRIED for lay in layouts):
            return None
        after = _patterns(step, partial(_from_blank, body, avals, layouts))
        joined = [np.union1d(a, b) for a, b in zip(keys, after, strict=True)]
        if all(len(a) == len(b) for a, b in zip(joined, keys, strict=True)):
            return layouts
        keys = joined
    return None


def _blank(avals: Sequence[Any], layouts: Sequence[Layout]) -> list[Value]:
    """Stand-ins for what a loop carries."""
    return [
        Value(_empty(v), [Slot(c, jnp.zeros(v.shape, v.dtype)) for c in lay])
        for v, lay in zip(avals, layouts, strict=True)
    ]


def _from_blank(
    body: Callable[[list[Value]], list[Value]], avals: Sequence[Any], layouts: Sequence[Layout]
) -> list[Value]:
    return body(_blank(avals, layouts))


def _empty(aval: Any) -> Any:
    if jax.dtypes.issubdtype(aval.dtype, jax.dtypes.extended):
        return jax.random.wrap_key_data(jnp.zeros((*aval.shape, *aval.dtype._impl.key_shape), jnp.uint32))
    return jnp.zeros(aval.shape, aval.dtype)


def _start(step: Step, ins: Sequence[Value]) -> list[np.ndarray]:
    return [keys_of(v.terms, step.context.inputs) for v in ins]


def _carried(ins: Sequence[Value], layouts: Sequence[Layout]) -> list[tuple[Any, list[Any]]]:
    return [(v.primal, fitted(v.terms, lay, v.dtype)) for v, lay in zip(ins, layouts, strict=True)]


def _held(carry: Sequence[tuple[Any, list[Any]]], layouts: Sequence[Layout]) -> list[Value]:
    return [Value(x, _slots(lay, s)) for (x, s), lay in zip(carry, layouts, strict=True)]


def while_loop(step: Step) -> list[Terms]:
    """Slopes through a loop of unknown length: carried in a pattern that no round leaves."""
    p = step.eqn.params
    nc, nb = p["cond_nconsts"], p["body_nconsts"]
    before, consts, init = step.ins[:nc], step.ins[nc : nc + nb], step.ins[nc + nb :]
    avals = p["body_jaxpr"].out_avals

    def body(carry: list[Value]) -> list[Value]:
        return step.context.run(p["body_jaxpr"], [*consts, *carry])

    layouts = _grown(step, _start(step, init), avals, body, MOST_ROUNDS)
    if layouts is None:
        return by_products(step)

    def going(carry: Any) -> Any:
        still = [Value(x) for x, _ in carry]
        return step.context.run(p["cond_jaxpr"], [*(v.still() for v in before), *still])[0].primal

    end = jax.lax.while_loop(going, lambda c: _carried(body(_held(c, layouts)), layouts), _carried(init, layouts))
    return [_slots(lay, s) for (_, s), lay in zip(end, layouts, strict=True)]


def scan(step: Step) -> list[Terms]:
    """Slopes through a loop of known length, by what suits it.

    Rounds that owe nothing to each other become one batch; a short loop is unrolled; a loop over what is fixed
    carries its slopes; anything else goes by products.
    """
    parts = _Scan(step)
    if parts.length == 0:
        return [*(v.terms for v in parts.init), *([] for _ in range(parts.outs - len(parts.init)))]
    if parts.rounds_are_independent():
        return parts.as_batch()
    if parts.length * _size(parts.closed.jaxpr) <= MOST_UNROLLED:
        return parts.unrolled()
    return parts.looped() or by_products(step)


def _size(jaxpr: Any) -> int:
    """Equations, those inside included."""
    return sum(1 + sum(map(_size, jaxprs_in_params(e.params))) for e in jaxpr.eqns)


class _Scan:
    """A scan taken apart."""

    def __init__(self, step: Step) -> None:
        p = step.eqn.params
        self.step, self.closed, self.length, self.reverse = step, p["jaxpr"], p["length"], p["reverse"]
        nc, carried = p["num_consts"], p["num_carry"]
        self.consts, self.init, self.xs = step.ins[:nc], step.ins[nc : nc + carried], step.ins[nc + carried :]
        self.carried, self.outs = carried, len(step.eqn.outvars)
        self.avals = self.closed.out_avals

    def run(self, carry: Sequence[Value], xs: Sequence[Value]) -> list[Value]:
        """One round."""
        return self.step.context.run(self.closed, [*self.consts, *carry, *xs])

    def rounds_are_independent(self) -> bool:
        """Whether nothing that is carried has slopes, whatever is met."""
        if any(v.terms for v in self.init):
            return False
        xs = [
            Value(jnp.zeros(v.shape[1:], v.dtype), [Slot(np.zeros(v.shape[1:], np.int32), np.ones((), v.dtype))])
            for v in self.xs
            if has_slope(v.dtype)
        ]
        if not any(v.terms for v in self.xs) and not any(v.terms for v in self.consts):
            return False
        firsts = iter(xs)
        seen = [next(firsts) if has_slope(v.dtype) else Value(_empty_like(v)) for v in self.xs]
        after = _patterns(self.step, lambda: self.run([v.still() for v in self.init], seen))
        return not any(len(k) for k in after[: self.carried])

    def as_batch(self) -> list[Terms]:
        """All rounds side by side, at the numbers that the loop itself carries."""
        fixed = [v.primal for v in self.consts]

        def round_(carry: Any, xs: Any) -> Any:
            outs = jaxpr_as_fun(self.closed)(*fixed, *carry, *xs)
            return outs[: self.carried], carry

        _, met = jax.lax.scan(
            round_, [v.primal for v in self.init], [v.primal for v in self.xs], self.length, reverse=self.reverse
        )
        nc = len(self.consts)
        axes = [None] * nc + [0] * (self.carried + len(self.xs))
        call = jax.vmap(lambda *a: jaxpr_as_fun(self.closed)(*a), in_axes=axes, axis_size=self.length)
        ins = [*self.consts, *(Value(m) for m in met), *self.xs]
        closed = jax.make_jaxpr(call)(*(v.primal for v in ins))
        outs = self.step.context.run(closed, ins)
        return [*([] for _ in range(self.carried)), *(v.terms for v in outs[self.carried :])]

    def unrolled(self) -> list[Terms]:
        """Round after round as one straight program."""
        closed, count = self.closed, self.carried
        nc, order = len(self.consts), range(self.length)

        def straight(*ins: Any) -> Any:
            consts, carry, xs = ins[:nc], list(ins[nc : nc + count]), ins[nc + count :]
            ys = []
            for t in reversed(order) if self.reverse else order:
                here = [jax.lax.index_in_dim(x, t, keepdims=False) for x in xs]
                outs = jaxpr_as_fun(closed)(*consts, *carry, *here)
                carry = list(outs[:count])
                ys.append(outs[count:])
            ys = ys[::-1] if self.reverse else ys
            return [*carry, *(jnp.stack(y) for y in zip(*ys, strict=True))]

        program = jax.make_jaxpr(straight)(*self.step.primals)
        tally = self.step.context.tally
        before = tally.slopes
        found = [v.terms for v in self.step.context.run(program, self.step.ins)]
        tally.fused(before, self.length)
        return found

    def looped(self) -> list[Terms] | None:
        """As a loop that carries slopes, where what is met round by round has none."""
        if any(v.terms for v in self.xs):
            return None
        blank = [Value(_empty_like(v)) for v in self.xs]
        layouts = _grown(
            self.step,
            _start(self.step, self.init),
            self.avals[: self.carried],
            lambda carry: self.run(carry, blank)[: self.carried],
            self.length,
        )
        if layouts is None:
            return None
        inputs = self.step.context.inputs
        given = _patterns(
            self.step, lambda: self.run(_blank(self.avals[: self.carried], layouts), blank)[self.carried :]
        )
        out_layouts = _layouts(given, self.avals[self.carried :], inputs)

        def round_(carry: Any, xs: Any) -> Any:
            outs = self.run(_held(carry, layouts), [Value(x) for x in xs])
            ys = [fitted(v.terms, lay, v.dtype) for v, lay in zip(outs[self.carried :], out_layouts, strict=True)]
            return _carried(outs[: self.carried], layouts), ys

        xs = [v.primal for v in self.xs]
        end, ys = jax.lax.scan(round_, _carried(self.init, layouts), xs, self.length, reverse=self.reverse)
        found = [_slots(lay, s) for (_, s), lay in zip(end, layouts, strict=True)]
        for lay, stack in zip(out_layouts, ys, strict=True):
            wide = [np.broadcast_to(c, (self.length, *c.shape)) for c in lay]
            found.append(merged(_slots(wide, stack), inputs))
        return found


def _empty_like(value: Value) -> Any:
    """One round's share of what a loop meets."""
    return jax.tree.map(lambda x: x[0], value.primal)
