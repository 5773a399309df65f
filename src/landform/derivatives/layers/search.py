"""Find the layers of a traced function: where weights multiply activations row by row, and where they stand else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from landform.derivatives.layers.rows import NotLayers, State, followed
from landform.derivatives.sparse.known import Known, evaluate
from landform.derivatives.sparse.moves import MOVERS

_INSIDE = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr"}
_INSIDE |= {"remat": "jaxpr", "remat2": "jaxpr", "checkpoint": "jaxpr"}
_OWN_RULE = {"custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr"}
_ADDING = {"add": 1.0, "add_any": 1.0, "sub": -1.0}


@dataclass(frozen=True)
class Tap:
    """Where weights enter linearly: ``units = features @ weights``, row by row.

    Parameters
    ----------
    places : array of int, shape (d, w)
        Every weight's place among the inputs.
    operand : int
        Which operand of the operation brings the features; -1 for a bias, whose feature is one.
    order : tuple of int
        The operand's axes: rows first (where there is such an axis), then those that are summed over.
    axis : int, optional
        Axis of the rows in the result.
    sign : float
        Minus one for a bias that is taken off.
    """

    places: np.ndarray
    operand: int
    order: tuple[int, ...]
    axis: int | None
    sign: float = 1.0


@dataclass(frozen=True)
class Step:
    """One operation between numbered values."""

    eqn: Any
    ins: tuple[int, ...]
    outs: tuple[int, ...]
    moves_weights: bool = False
    tap: Tap | None = None
    site: int | None = None


class Search:
    """Walk a traced scalar function of (inputs, weights of the outputs, arguments) and write down its layers.

    Parameters
    ----------
    closed : ClosedJaxpr
        The function; its first argument is the vector of inputs.
    values : sequence of arrays
        Values of the other arguments.

    Raises
    ------
    NotLayers
        If the function is none of a sum over rows of a network's losses.
    """

    def __init__(self, closed: Any, values: Sequence[Any]) -> None:
        self.steps: list[Step] = []
        self.states: list[State] = []
        self.literals: dict[int, Any] = {}
        self.rows: int | None = None
        self.started = False
        self.looked_at_values = False
        size = closed.jaxpr.invars[0].aval.size
        first = self._new(State("weights", (size,), places=np.arange(size)))
        rest = [self._new(State("fixed", np.shape(v), known=self._argument(v))) for v in values]
        consts = [self._constant(c) for c in closed.consts]
        self.inputs, self.consts = [first, *rest], dict(zip(consts, closed.consts, strict=True))
        (self.result,) = self._walk(closed.jaxpr, consts, self.inputs)
        last = self.states[self.result].kind
        if not self.started or last != ("total" if self.rows is not None else "rows"):
            raise NotLayers("no sum over rows comes out")

    def _new(self, state: State) -> int:
        self.states.append(state)
        return len(self.states) - 1

    def _argument(self, value: Any) -> Known:
        def look() -> Any:
            self.looked_at_values = True
            return np.asarray(value)

        return Known(look)

    def _constant(self, value: Any) -> int:
        return self._new(State("fixed", np.shape(value), known=Known(lambda: np.asarray(value))))

    def _read(self, env: dict[Any, int], atom: Any) -> int:
        if not hasattr(atom, "val"):
            return env[atom]
        value = np.asarray(atom.val, dtype=atom.aval.dtype)
        slot = self._constant(value)
        self.literals[slot] = value
        return slot

    def _walk(self, jaxpr: Any, consts: Sequence[int], ins: Sequence[int]) -> list[int]:
        env: dict[Any, int] = dict(zip(jaxpr.constvars, consts, strict=True))
        env.update(zip(jaxpr.invars, ins, strict=True))
        for eqn in jaxpr.eqns:
            outs = self._equation(eqn, [self._read(env, a) for a in eqn.invars])
            env.update(zip(eqn.outvars, outs, strict=True))
        return [self._read(env, a) for a in jaxpr.outvars]

    def _equation(self, eqn: Any, ins: list[int]) -> list[int]:
        name = eqn.primitive.name
        if eqn.effects:
            raise NotLayers(f"'{name}' has effects")
        if name in _INSIDE and _INSIDE[name] in eqn.params:
            inner = eqn.params[_INSIDE[name]]
            jaxpr, consts = (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, ())
            slots = [self._constant(c) for c in consts]
            self.literals.update(zip(slots, consts, strict=True))
            return self._walk(jaxpr, slots, ins)
        states = [self.states[k] for k in ins]
        tap = None
        moves = name in (*MOVERS, "split") and states[0].kind == "weights"
        if moves:
            found = _moved(eqn, states[0])
        elif {s.kind for s in states} <= {"fixed"}:
            found = _fixed(eqn, states)
        else:
            tap, found = self._dependent(eqn, states)
        outs = tuple(self._new(s) for s in found)
        self.steps.append(Step(eqn, tuple(ins), outs, moves, tap))
        return list(outs)

    def _dependent(self, eqn: Any, states: list[State]) -> tuple[Tap | None, list[State]]:
        name, kinds = eqn.primitive.name, [s.kind for s in states]
        if name == "dot_general" and sorted(kinds) in (["fixed", "weights"], ["rows", "weights"]):
            tap = self._product_tap(eqn, states)
        elif name in _ADDING and sorted(kinds) == ["rows", "weights"]:
            tap = self._bias_tap(eqn, states)
        elif not {"rows", "total"} & set(kinds):
            return None, [State("direct", v.aval.shape) for v in eqn.outvars]
        elif name in _OWN_RULE:
            return None, self._own_rule(eqn, states)
        else:
            return None, followed(eqn, states, self.rows)
        return tap, [State("rows", eqn.outvars[0].aval.shape, tap.axis)]

    def _own_rule(self, eqn: Any, states: list[State]) -> list[State]:
        """A call with a derivative rule of its own stays whole; its inside tells which rows it mixes."""
        inner = eqn.params.get(_OWN_RULE[eqn.primitive.name])
        if inner is None:
            raise NotLayers(f"'{eqn.primitive.name}' hides its inside")
        kept = self.steps
        self.steps = []
        slots = [self._constant(c) for c in inner.consts]
        outs = [self.states[k] for k in self._walk(inner.jaxpr, slots, [self._new(s) for s in states])]
        tapped = any(step.tap for step in self.steps)
        self.steps = kept
        if tapped or any(s.kind in ("weights", "direct") for s in states):
            raise NotLayers("weights go into a function with a derivative rule of its own")
        return outs

    def _product_tap(self, eqn: Any, states: list[State]) -> Tap:
        contracted, batch = eqn.params["dimension_numbers"]
        k = 1 if states[0].kind == "weights" else 0
        a, w = states[k], states[1 - k]
        free = [i for i in range(len(a.shape)) if i not in contracted[k]]
        if batch[0] or len(free) > 1 or w.places is None:
            raise NotLayers("weights multiply more than rows of vectors")
        if not self.started:
            self.started, self.rows = True, a.shape[free[0]] if free else None
        rows = a.shape[free[0]] if free else None
        if rows != self.rows or (a.kind == "rows" and free != [a.axis] and rows is not None):
            raise NotLayers("weights multiply along the rows")
        others = [i for i in range(w.places.ndim) if i not in contracted[1 - k]]
        order = (*contracted[1 - k], *others)
        d = int(np.prod([w.places.shape[i] for i in contracted[1 - k]], dtype=int))
        axis = (0 if k == 0 else len(others)) if free else None
        return Tap(_distinct(w.places.transpose(order).reshape(d, -1)), k, (*free, *contracted[k]), axis)

    def _bias_tap(self, eqn: Any, states: list[State]) -> Tap:
        k = 1 if states[1].kind == "weights" else 0
        places, axis = states[k].places, states[1 - k].axis
        shape = eqn.outvars[0].aval.shape
        if places is None or states[1 - k].shape != shape:
            raise NotLayers("a bias wider than its layer")
        places = np.broadcast_to(places, shape)
        if axis is not None:
            places = np.moveaxis(places, axis, 0)
            if (places != places[:1]).any():
                raise NotLayers("a bias that differs from row to row")
            places = places[0]
        sign = _ADDING[eqn.primitive.name] if k else 1.0
        if k == 0 and eqn.primitive.name == "sub":
            raise NotLayers("activations taken off a bias")
        return Tap(_distinct(places.reshape(1, -1)), -1, (), axis, sign)


def _distinct(places: np.ndarray) -> np.ndarray:
    if len(np.unique(places)) < places.size:
        raise NotLayers("one weight in several places of a layer")
    return places


def _moved(eqn: Any, state: State) -> list[State]:
    """Weights rearranged."""
    places, p = state.places, eqn.params
    if places is None:
        raise NotLayers("weights without places")
    if eqn.primitive.name == "split":
        parts = np.split(places, np.cumsum(p["sizes"])[:-1], p["axis"])
    else:
        parts = [MOVERS[eqn.primitive.name](places, p)]
    return [State("weights", part.shape, places=part) for part in parts]


def _fixed(eqn: Any, states: Sequence[State]) -> list[State]:
    together = Known(lambda: evaluate(eqn, [s.known.get() for s in states if s.known is not None]))

    def part(k: int) -> Known:
        return Known(lambda: together.get()[k])

    return [State("fixed", v.aval.shape, known=part(k)) for k, v in enumerate(eqn.outvars)]


def with_sites(search: Search) -> list[Step]:
    """The steps, each tap with the number of its site; a bias shares that of the product it is added to."""
    used = [k for step in search.steps for k in step.ins] + [search.result]
    counts = np.bincount(used, minlength=len(search.states))
    maker = {step.outs[0]: i for i, step in enumerate(search.steps) if step.tap}
    found, sites = list(search.steps), 0
    for i, step in enumerate(found):
        if step.tap is None:
            continue
        before = [maker[k] for k in step.ins if k in maker and counts[k] == 1] if step.tap.operand < 0 else []
        site = found[before[0]].site if before else sites
        sites += not before
        found[i] = replace(step, site=site)
    return found
