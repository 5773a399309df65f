"""Carry slopes through a traced program, once, from its first equation to its last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from landform.derivatives.sparse import control, indexing, rewrites, rules, sums
from landform.derivatives.sparse.blocks import by_products
from landform.derivatives.sparse.elementwise import NAMES, elementwise
from landform.derivatives.sparse.known import Known, bind, evaluate
from landform.derivatives.sparse.moves import MOVERS
from landform.derivatives.sparse.slopes import Ragged, Slot, Term, Terms, typed
from landform.derivatives.sparse.step import Context, Step, Tally, Value, has_slope

_INSIDE = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr"}
_INSIDE |= {"remat": "jaxpr", "remat2": "jaxpr", "checkpoint": "jaxpr", "core_closed_call": "call_jaxpr"}
"""Calls that are walked as if their inside stood in their place."""

_UNKNOWABLE = ("pure_callback", "io_callback", "debug_callback", "debug_print")
_FLAT = frozenset(["stop_gradient", "argmax", "argmin", "sign", "floor", "ceil", "round", "is_finite"])
_DEEPEST = 12
"""Rules within rules: deeper than this a rule calls itself, and products serve."""

_RULES: dict[str, Callable[[Step], list[Terms]]] = {
    "reduce_sum": sums.summed,
    "dot_general": sums.contracted,
    "concatenate": indexing.concatenated_along,
    "pad": indexing.padded,
    "cond": control.branches,
    "while": control.while_loop,
    "scan": control.scan,
    "custom_jvp_call": rules.by_forward_rule,
    "custom_vjp_call": rules.by_reverse_rule,
    "custom_vjp_call_jaxpr": rules.by_reverse_rule,
    "custom_lin": rules.by_forward_rule,
    "custom_linear_solve": rules.linear_solve,
    **dict.fromkeys(MOVERS, indexing.rearranged),
    **dict.fromkeys(NAMES, elementwise),
}


class Walk:
    """A walk through a program of ``inputs`` inputs.

    Parameters
    ----------
    inputs : int
        Number of inputs.
    budget : int
        Bytes that one block of slopes may take.
    """

    def __init__(self, inputs: int, budget: int) -> None:
        self.notes: dict[str, int] = {}
        self.tally = Tally()
        self._context = Context(inputs, budget, self.run, self.notes, self.tally)
        self._depth = 0

    def start(self, closed: Any, consts: Sequence[Any], ins: Sequence[Value]) -> list[Value]:
        """The whole program, its constants handed in, so that they are not compiled into it."""
        values = [Value(now, [], _constant(c).known) for now, c in zip(consts, closed.consts, strict=True)]
        return self._walk(closed.jaxpr, values, ins)

    def run(self, closed: Any, ins: Sequence[Value]) -> list[Value]:
        """What a closed jaxpr gives, with slopes."""
        jaxpr, consts = (closed.jaxpr, closed.consts) if hasattr(closed, "consts") else (closed, ())
        return self._walk(jaxpr, [_constant(c) for c in consts], ins)

    def _walk(self, jaxpr: Any, consts: Sequence[Value], ins: Sequence[Value]) -> list[Value]:
        env: dict[Any, Value] = dict(zip(jaxpr.constvars, consts, strict=True))
        env.update(zip(jaxpr.invars, ins, strict=True))
        for eqn in _needed(jaxpr):
            outs = self._equation(eqn, [_read(env, a) for a in eqn.invars])
            env.update(zip(eqn.outvars, outs, strict=True))
        return [_read(env, a) for a in jaxpr.outvars]

    def _equation(self, eqn: Any, ins: list[Value]) -> list[Value]:
        if eqn.primitive.name in _INSIDE and not _opaque(eqn):
            return self.run(eqn.params[_INSIDE[eqn.primitive.name]], ins)
        primals = bind(eqn, [v.primal for v in ins])
        if all(v.known is not None for v in ins) and eqn.primitive.name not in _UNKNOWABLE and not eqn.effects:
            return _known(eqn, ins, primals)
        slopes = self._slopes(Step(eqn, ins, self._context))
        self.tally.count(primals, slopes)
        return [Value(y, _fitting(terms, y)) for y, terms in zip(primals, slopes, strict=True)]

    def _slopes(self, step: Step) -> list[Terms]:
        none: list[Terms] = [[] for _ in step.eqn.outvars]
        if not step.moving or step.name in _FLAT or not any(has_slope(v.aval.dtype) for v in step.eqn.outvars):
            return none
        if step.name in ("gather", "dynamic_slice", "dynamic_update_slice", "scatter", "scatter-add"):
            if indexing.places_known(step):
                return indexing.scattered_sum(step) if step.name == "scatter-add" else indexing.indexed(step)
            return by_products(step)
        if step.name in rewrites.REWRITES:
            return rewrites.rewritten(step) or by_products(step)
        return self._by_name(step)

    def _by_name(self, step: Step) -> list[Terms]:
        if self._depth > _DEEPEST:
            return by_products(step)
        self._depth += 1
        try:
            return _RULES.get(step.name, by_products)(step)
        finally:
            self._depth -= 1


def _constant(value: Any) -> Value:
    if isinstance(value, jax.core.Tracer):
        return Value(value)
    return Value(value, [], Known(lambda: _plain(value)))


def _plain(value: Any) -> Any:
    if hasattr(value, "dtype") and jax.dtypes.issubdtype(value.dtype, jax.dtypes.extended):
        return value
    return np.asarray(value)


def _read(env: dict[Any, Value], atom: Any) -> Value:
    if not hasattr(atom, "val"):
        return env[atom]
    value = np.asarray(atom.val, dtype=atom.aval.dtype)
    return Value(value, [], Known.of(value))


def _needed(jaxpr: Any) -> list[Any]:
    """The equations that the results need."""
    wanted = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    kept = []
    for eqn in reversed(jaxpr.eqns):
        if any(v in wanted for v in eqn.outvars):
            kept.append(eqn)
            wanted.update(v for v in eqn.invars if not hasattr(v, "val"))
    return kept[::-1]


def _opaque(eqn: Any) -> bool:
    """Whether a call should stay whole: its inside is not a jaxpr."""
    return _INSIDE[eqn.primitive.name] not in eqn.params


def _known(eqn: Any, ins: list[Value], primals: list[Any]) -> list[Value]:
    together = Known(lambda: evaluate(eqn, [v.known.get() for v in ins if v.known is not None]))
    return [Value(y, [], _part(together, k)) for k, y in enumerate(primals)]


def _part(together: Known, k: int) -> Known:
    return Known(lambda: together.get()[k])


def _fitting(terms: Terms, y: Any) -> Terms:
    """The terms in the precision of the array; none where it has no slopes."""
    return [_typed(t, y.dtype) for t in terms] if has_slope(y.dtype) else []


def _typed(term: Term, dtype: Any) -> Term:
    if isinstance(term, Slot):
        return Slot(term.cols, typed(term.val, dtype))
    return Ragged(term.rows, term.cols, typed(term.val, dtype))
