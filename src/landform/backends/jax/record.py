"""A recorded program with numbers of its own: NumPy arrays that it met are copied, and may then be written into."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal


def with_own_numbers(record: ClosedJaxpr) -> ClosedJaxpr:
    """The same program; arrays that belong to somebody else are copied, wherever they stand in it.

    Examples
    --------
    >>> import jax
    >>> theirs = np.array([1.0, 2.0])
    >>> record = with_own_numbers(jax.make_jaxpr(lambda x: x * theirs)(1.0))
    >>> theirs[0] = 5.0
    >>> np.asarray(record.consts[0]).tolist()
    [1.0, 2.0]
    """
    consts = [_own(c) for c in record.consts]
    inside = _inside(record.jaxpr)
    changed = inside is not record.jaxpr or any(a is not b for a, b in zip(consts, record.consts, strict=True))
    return ClosedJaxpr(inside, consts) if changed else record


def _own(value: Any) -> Any:
    borrowed = isinstance(value, np.ndarray) and value.base is not None
    return value.copy() if borrowed else value


def _inside(jaxpr: Jaxpr) -> Jaxpr:
    eqns = [_equation(eqn) for eqn in jaxpr.eqns]
    outs = [_atom(v) for v in jaxpr.outvars]
    if all(a is b for a, b in zip([*eqns, *outs], [*jaxpr.eqns, *jaxpr.outvars], strict=True)):
        return jaxpr
    return jaxpr.replace(eqns=eqns, outvars=outs)


def _equation(eqn: Any) -> Any:
    params = {name: _parameter(value) for name, value in eqn.params.items()}
    atoms = [_atom(v) for v in eqn.invars]
    same = all(params[name] is value for name, value in eqn.params.items())
    if same and all(a is b for a, b in zip(atoms, eqn.invars, strict=True)):
        return eqn
    return eqn.replace(invars=atoms, params=params)


def _parameter(value: Any) -> Any:
    if isinstance(value, ClosedJaxpr):
        return with_own_numbers(value)
    if isinstance(value, Jaxpr):
        return _inside(value)
    if type(value) is tuple and any(isinstance(part, (ClosedJaxpr, Jaxpr)) for part in value):
        parts = tuple(_parameter(part) for part in value)
        return value if all(a is b for a, b in zip(parts, value, strict=True)) else parts
    return value


def _atom(atom: Any) -> Any:
    if not isinstance(atom, Literal):
        return atom
    own = _own(atom.val)
    return atom if own is atom.val else Literal(own, atom.aval)
