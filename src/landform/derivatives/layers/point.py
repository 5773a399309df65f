"""The Hessian by layers at a target's point, where the function has layers; programs are kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import jax
import numpy as np

from landform.derivatives.layers.hessian import hessian_by_layers
from landform.derivatives.layers.program import Program
from landform.derivatives.layers.recorded import RecordedLayers, layers_in_words, recorded_layers, too_many_units
from landform.derivatives.layers.rows import NotLayers
from landform.derivatives.layers.search import Search
from landform.derivatives.plan import Plan, memory_bytes
from landform.derivatives.target import Target

_KEPT = 32
_FEWEST_INPUTS = 200
"""Below this many inputs products cost less than compiling layers."""
_BLOCK = 2**22
"""Bytes of slopes made at a time: what stays in a processor's cache gains, what is larger does not."""

_found: OrderedDict[Any, Program | str] = OrderedDict()


@dataclass(frozen=True)
class Layers:
    """A target's Hessian by layers."""

    program: Program
    plan: Plan

    def dense(self, target: Target, weights: Any) -> Any:
        """The matrix, shape (n, n)."""
        return hessian_by_layers(self.program, self.plan.chunk, 32, target.x, weights, *_leaves(target))


def _leaves(target: Target) -> list[Any]:
    return jax.tree.leaves(target.args)


def layers_of(target: Target, weights: Any, memory: str | int) -> Layers | RecordedLayers | str:
    """The layers of a scalar function, or why it is not formed by layers."""
    from landform.backends import jax as backend

    if target.n < _FEWEST_INPUTS:
        return ""
    if target.backend is not backend:
        return recorded_layers(target, weights, memory)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in (target.x, *_leaves(target))):
        return "inside a traced function"
    program = _program(target)
    if isinstance(program, str):
        return program
    if refused := too_many_units(program.units, target.n):
        return refused
    size, kind = target.n * target.n * target.itemsize, target.itemsize
    widest = max(p.places.size for p in program.panels)
    chunk = int(np.clip(_BLOCK // (kind * program.rows * widest), 1, min(64, max(program.widths))))
    need = 3 * size + 2 * chunk * kind * program.rows * widest
    if need > memory_bytes(memory):
        return "layers would take three times the matrix's memory"
    return Layers(program, Plan("by layers", program.units, chunk, need, layers_in_words(program.widths, program.rows)))


def _program(target: Target) -> Program | str:
    leaves, tree = jax.tree.flatten(target.args)
    shapes = tuple((np.shape(v), str(getattr(v, "dtype", type(v)))) for v in leaves)
    key = (target.flat, target.n, target.m, str(target.x.dtype), tree, shapes)
    exact: Any = key
    if leaves and key not in _found:
        exact = (*key, blake2b(b"".join(np.asarray(v).tobytes() for v in leaves)).digest())
    for known in (key, exact):
        if known in _found:
            _found.move_to_end(known)
            return _found[known]
    program, looked = _searched(target)
    _found[exact if looked else key] = program
    if len(_found) > _KEPT:
        _found.popitem(last=False)
    return program


def _searched(target: Target) -> tuple[Program | str, bool]:
    """What a search finds, and whether that depends on the arguments' values."""
    leaves, tree = jax.tree.flatten(target.args)
    weights = np.ones(target.m, dtype=target.x.dtype)

    def scalar(x: Any, u: Any, *rest: Any) -> Any:
        return u @ target.flat(x, *jax.tree.unflatten(tree, rest))

    with target.precision():
        try:
            search = Search(jax.make_jaxpr(scalar)(target.x, weights, *leaves), [weights, *leaves])
            return Program(search), search.looked_at_values
        except NotLayers as other:
            return str(other), True
