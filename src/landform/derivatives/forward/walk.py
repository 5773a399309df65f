"""Walk a traced function with jets, into its calls, loops and branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from landform.derivatives.forward.jet import Jet, flat_jet, value_of
from landform.derivatives.forward.rules import carried
from landform.derivatives.sparse.known import bind

_INSIDE = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr"}
_INSIDE |= {"remat": "jaxpr", "remat2": "jaxpr", "checkpoint": "jaxpr"}

Entries = Sequence[Any]


def walked(jaxpr: Any, consts: Entries, entries: Entries, directions: int) -> list[Any]:
    """The results of a traced function, jets where they depend on jets."""
    env: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, entries, strict=True))

    def read(atom: Any) -> Any:
        return jnp.asarray(atom.val, atom.aval.dtype) if hasattr(atom, "val") else env[atom]

    for eqn in jaxpr.eqns:
        outs = _equation(eqn, [read(a) for a in eqn.invars], directions)
        env.update(zip(eqn.outvars, outs, strict=True))
    return [read(a) for a in jaxpr.outvars]


def _equation(eqn: Any, entries: Entries, directions: int) -> list[Any]:
    name = eqn.primitive.name
    if not any(isinstance(e, Jet) for e in entries):
        return bind(eqn, entries)
    if name in _INSIDE and _INSIDE[name] in eqn.params:
        return walked(*_open(eqn.params[_INSIDE[name]]), entries, directions)
    if name == "scan":
        return _scan(eqn, entries, directions)
    if name == "while":
        return _while(eqn, entries, directions)
    if name == "cond" and not isinstance(entries[0], Jet):
        return _cond(eqn, entries, directions)
    return carried(eqn, entries)


def _open(inner: Any) -> tuple[Any, Sequence[Any]]:
    return (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, ())


def _settled(run: Any, carry: Entries, directions: int) -> list[Any]:
    """The carried values, those that become jets on the way as jets from the beginning."""
    found = list(carry)
    for _ in range(len(found) + 1):
        shapes = jax.eval_shape(run, found)
        late = [k for k, out in enumerate(shapes) if isinstance(out, Jet) and not isinstance(found[k], Jet)]
        for k in late:
            found[k] = flat_jet(found[k], directions)
        if not late:
            break
    return [entry.whole if isinstance(entry, Jet) else entry for entry in found]


def _like(outs: Entries, carry: Entries, directions: int) -> list[Any]:
    """Results in the form of what is carried."""
    return [
        (out.whole if isinstance(out, Jet) else flat_jet(out, directions)) if isinstance(c, Jet) else out
        for out, c in zip(outs, carry, strict=True)
    ]


def _scan(eqn: Any, entries: Entries, directions: int) -> list[Any]:
    p = eqn.params
    a, b = p["num_consts"], p["num_consts"] + p["num_carry"]
    jaxpr, consts = _open(p["jaxpr"])
    lines = [_line(e) for e in entries[b:]]

    def body(carry: Entries, line: Entries) -> list[Any]:
        return walked(jaxpr, consts, [*entries[:a], *carry, *line], directions)

    one = [jax.tree.map(lambda leaf: leaf[0], line) for line in lines] if p["length"] else lines
    carry = _settled(lambda c: body(c, one)[: b - a], entries[a:b], directions)

    def step(carry: Entries, line: Entries) -> tuple[list[Any], list[Any]]:
        outs = body(carry, line)
        return _like(outs[: b - a], carry, directions), [e.whole if isinstance(e, Jet) else e for e in outs[b - a :]]

    carry, ys = lax.scan(step, carry, lines, length=p["length"], reverse=p["reverse"], unroll=p["unroll"])
    back = [Jet(y.value, jnp.moveaxis(y.slopes, 1, 0), y.curve) if isinstance(y, Jet) else y for y in ys]
    return [*carry, *back]


def _line(entry: Any) -> Any:
    """What a scan goes along: its axis first."""
    if not isinstance(entry, Jet):
        return entry
    whole = entry.whole
    return Jet(whole.value, jnp.moveaxis(whole.slopes, 0, 1), whole.curve)


def _while(eqn: Any, entries: Entries, directions: int) -> list[Any]:
    p = eqn.params
    a, b = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    cond, cond_consts = _open(p["cond_jaxpr"])
    body, body_consts = _open(p["body_jaxpr"])

    def run(carry: Any) -> list[Any]:
        return walked(body, body_consts, [*entries[a:b], *carry], directions)

    def goes_on(carry: Any) -> Any:
        values = [value_of(e) for e in (*entries[:a], *carry)]
        return walked(cond, cond_consts, values, directions)[0]

    carry = _settled(run, entries[b:], directions)

    def step(carry: Any) -> Any:
        return _like(run(carry), carry, directions)

    return list(lax.while_loop(goes_on, step, carry))


def _cond(eqn: Any, entries: Entries, directions: int) -> list[Any]:
    index, *operands = entries
    branches = [_open(branch) for branch in eqn.params["branches"]]

    def outs(branch: Any) -> Any:
        return lambda *given: walked(branch[0], branch[1], list(given), directions)

    shapes = [jax.eval_shape(outs(branch), *operands) for branch in branches]
    jets = [any(isinstance(s[k], Jet) for s in shapes) for k in range(len(eqn.outvars))]

    def same(branch: Any) -> Any:
        def run(*given: Any) -> list[Any]:
            found = outs(branch)(*given)
            return [
                (e.whole if isinstance(e, Jet) else flat_jet(e, directions)) if jet else e
                for e, jet in zip(found, jets, strict=True)
            ]

        return run

    return list(lax.switch(index, [same(branch) for branch in branches], *operands))


def jets_of(entry: Any, directions: int) -> Jet:
    """A result as a jet, whether it depends on the point or not."""
    return entry.whole if isinstance(entry, Jet) else flat_jet(entry, directions)
