"""Layers of a function of parameters and data rows, found in its jaxpr, and slopes by their units at many rows.

The function is traced for one row and run for many under ``vmap``, so rows need no bookkeeping. `jax.numpy` products
with parameters, however they were reshaped, and convolutions become sites; parameters that enter in another way are
handed to every row as a copy of its own, so that their slopes are per row too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.jax.record import with_own_numbers
from landform.backends.jax.state import state_of
from landform.backends.layered import Rows, Search, Site, Use, settled

_INSIDE = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr"}
_INSIDE |= {"remat": "jaxpr", "remat2": "jaxpr", "checkpoint": "jaxpr"}
_MOVES = ("reshape", "transpose", "squeeze", "expand_dims", "broadcast_in_dim", "slice", "rev", "copy", "split")
_AS_IT_IS = ("convert_element_type", "copy_p", "optimization_barrier", "reduce_precision")
_ADDING = {"add": 1.0, "add_any": 1.0, "sub": -1.0}


class Layered:
    """A function ``predict(parameters, *inputs)`` by its layers. Made by `layered`.

    Parameters
    ----------
    sites : list of Site
        Weights that multiply features.
    rest : dict
        Numbers of the other arrays of parameters, with how they enter.
    """

    def __init__(self, predict: Callable[..., Any], parameters: Any, inputs: Sequence[Any]) -> None:
        leaves, tree = jax.tree.flatten(parameters)
        self._rows = jax.tree.structure(tuple(inputs))

        def one(leaves: Sequence[Any], row: Sequence[Any]) -> Any:
            alone = [v[None] for v in row]
            return predict(jax.tree.unflatten(tree, leaves), *jax.tree.unflatten(self._rows, alone))[0]

        row = [jax.ShapeDtypeStruct(np.shape(v)[1:], jnp.result_type(v)) for v in jax.tree.leaves(tuple(inputs))]
        self._walk = _Walk(with_own_numbers(jax.make_jaxpr(one)(leaves, row)), [np.size(v) for v in leaves])
        self.sites, self.rest = settled(self._walk.search)
        self._slopes: Any = None
        self._parts: dict[tuple[int, ...], Layered] = {}

    def restricted(self, sites: Sequence[int]) -> Layered:
        """The same with slopes by some sites' units alone."""
        key = tuple(sites)
        if key not in self._parts:
            found = self._parts[key] = copy(self)
            found.sites, found.rest, found._slopes = [self.sites[k] for k in sites], {}, None
        return self._parts[key]

    def at(self, parameters: Any, inputs: Sequence[Any], scores: np.ndarray) -> Rows:
        """Outputs, features and slopes of the outputs along every score, shape (k, rows, outputs), by all units."""
        if self._slopes is None:
            self._slopes = jax.jit(self._slopes_at)
        found = self._slopes(jax.tree.leaves(parameters), jax.tree.leaves(tuple(inputs)), scores)
        outputs, features, slopes, rest = jax.tree.map(np.asarray, found)
        return Rows(outputs, features, slopes, dict(zip(self.rest, rest, strict=True)))

    def _slopes_at(self, leaves: Sequence[Any], inputs: Sequence[Any], scores: Any) -> Any:
        rows = len(inputs[0])
        uses = [use for site in self.sites for use in _shifted(site)]
        rest = [jnp.broadcast_to(leaves[k], (rows, *jnp.shape(leaves[k]))) for k in self.rest]

        def outputs(shifts: Sequence[Any], rest: Sequence[Any]) -> tuple[Any, Any]:
            def one(row: Sequence[Any], shifts: Sequence[Any], rest: Sequence[Any]) -> tuple[Any, Any]:
                own = list(leaves)
                for k, leaf in zip(self.rest, rest, strict=True):
                    own[k] = leaf
                by_step = {use.step: shift for use, shift in zip(uses, shifts, strict=True)}
                wanted = {use.step: use.operand for site in self.sites for use in site.uses if use.operand >= 0}
                out, operands = self._walk.run([*own, *row], by_step, wanted)
                return out.reshape(-1), operands

            return jax.vmap(one)(inputs, shifts, rest)

        shapes = [self._walk.shapes[use.step] for use in uses]
        shifts = [jnp.zeros((rows, *shape.shape), shape.dtype) for shape in shapes]
        y, pull, operands = jax.vjp(outputs, shifts, rest, has_aux=True)
        by_shift, by_rest = jax.lax.map(pull, jnp.asarray(scores, y.dtype))
        features = [
            jnp.concatenate([_feature(use, operands, rows, y.dtype) for use in site.uses], 1) for site in self.sites
        ]
        turned, number = [], 0
        for site in self.sites:
            parts = [_turned(use, by_shift[number + k], rows) for k, use in enumerate(_shifted(site))]
            number += len(parts)
            turned.append(jnp.concatenate(parts, 2))
        return y, features, turned, [g.reshape(*g.shape[:2], -1) for g in by_rest]


def _shifted(site: Site) -> tuple[Use, ...]:
    """Where the units of a site are moved: past the bias, if there is one."""
    return site.biases or site.uses


def _feature(use: Use, operands: dict[int, Any], rows: int, kind: Any) -> Any:
    if use.features is None:
        return jnp.full((rows, use.positions, 1), use.sign, kind)
    return use.features(operands[use.step])


def _turned(use: Use, slope: Any, rows: int) -> Any:
    axes = (0, 1, *(2 + k for k in use.turn))
    return slope.transpose(axes).reshape(len(slope), rows, use.positions, -1)


class _Walk:
    """A traced function as numbered steps, searched for uses of its first arguments."""

    def __init__(self, closed: Any, sizes: Sequence[int]) -> None:
        self.search = Search(sizes)
        self._steps: list[tuple[Any, tuple[int, ...], tuple[int, ...]]] = []
        self._constants: dict[int, Any] = {}
        self._places: dict[int, np.ndarray | None] = {}
        self.shapes: dict[int, Any] = {}
        self._made_by: dict[int, int] = {}
        starts = np.cumsum([0, *sizes])
        self._inputs = []
        for k, variable in enumerate(closed.jaxpr.invars):
            shape = variable.aval.shape
            own = np.arange(starts[k], starts[k + 1], dtype=np.int32).reshape(shape) if k < len(sizes) else None
            self._inputs.append(self._new(own))
        (self._result,) = self._follow(closed.jaxpr, [self._constant(c) for c in closed.consts], self._inputs)
        if self._places[self._result] is not None:
            self.search.use_directly(self._known(self._result), "given out as it is")
        self._count()

    def _new(self, places: np.ndarray | None = None) -> int:
        self._places[len(self._places)] = places
        return len(self._places) - 1

    def _constant(self, value: Any) -> int:
        slot = self._new()
        self._constants[slot] = value
        return slot

    def _known(self, slot: int) -> np.ndarray:
        found = self._places[slot]
        assert found is not None
        return found

    def _follow(self, jaxpr: Any, consts: Sequence[int], ins: Sequence[int]) -> list[int]:
        env: dict[Any, int] = dict(zip(jaxpr.constvars, consts, strict=True))
        env.update(zip(jaxpr.invars, ins, strict=True))

        def read(atom: Any) -> int:
            return self._constant(np.asarray(atom.val, atom.aval.dtype)) if hasattr(atom, "val") else env[atom]

        for eqn in jaxpr.eqns:
            own = [read(a) for a in eqn.invars]
            name = eqn.primitive.name
            if name in _INSIDE and _INSIDE[name] in eqn.params:
                inner = eqn.params[_INSIDE[name]]
                closed = (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, ())
                outs = self._follow(closed[0], [self._constant(c) for c in closed[1]], own)
            else:
                outs = self._step(eqn, own)
            env.update(zip(eqn.outvars, outs, strict=True))
        return [read(a) for a in jaxpr.outvars]

    def _step(self, eqn: Any, ins: list[int]) -> list[int]:
        number, name = len(self._steps), eqn.primitive.name
        weights = [k for k, slot in enumerate(ins) if self._places[slot] is not None]
        moved: list[Any] = [None] * len(eqn.outvars)
        if weights == [0] and name in _MOVES and len(ins) == 1:
            with jax.ensure_compile_time_eval():
                moved = [np.asarray(part) for part in bind(eqn, [self._places[ins[0]]])]
        elif weights == [0] and name in _AS_IT_IS and jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.floating):
            moved = [self._places[ins[0]]]
        elif weights and not (len(weights) == 1 and self._used(number, eqn, ins, weights[0])):
            for k in weights:
                self.search.use_directly(self._known(ins[k]), f"used by '{name}'")
        outs = [self._new(part) for part in moved]
        self._steps.append((eqn, tuple(ins), tuple(outs)))
        self.shapes[number] = eqn.outvars[0].aval
        self._made_by.update(dict.fromkeys(outs, number))
        return outs

    def _used(self, number: int, eqn: Any, ins: Sequence[int], k: int) -> bool:
        """Whether the weights multiply features, or are added to them."""
        name, places = eqn.primitive.name, self._known(ins[k])
        if name == "dot_general":
            use = _product(number, eqn, places, k)
        elif name == "conv_general_dilated" and k == 1:
            use = _convolution(number, eqn, places)
        elif (
            name in _ADDING and (k == 1 or name != "sub") and eqn.invars[1 - k].aval.shape == eqn.outvars[0].aval.shape
        ):
            spread = np.broadcast_to(places, eqn.outvars[0].aval.shape)
            return self.search.bias(number, spread, self._made_by.get(ins[1 - k], -1), _ADDING[name])
        else:
            return False
        if use is not None:
            self.search.uses.append(use)
        return use is not None

    def _count(self) -> None:
        for _, ins, _ in self._steps:
            for slot in ins:
                step = self._made_by.get(slot, -1)
                self.search.readers[step] = self.search.readers.get(step, 0) + 1
        last = self._made_by.get(self._result, -1)
        self.search.readers[last] = self.search.readers.get(last, 0) + 1

    def run(self, inputs: Sequence[Any], shifts: dict[int, Any], wanted: dict[int, int]) -> tuple[Any, dict[int, Any]]:
        """The result with some steps' first outcomes shifted, and operands of some steps."""
        env: dict[int, Any] = dict(self._constants)
        env.update(zip(self._inputs, inputs, strict=True))
        operands = {}
        for number, (eqn, ins, outs) in enumerate(self._steps):
            own = [env[k] for k in ins]
            found = bind(eqn, own)
            if number in wanted:
                operands[number] = own[wanted[number]]
            if number in shifts:
                found = [found[0] + shifts[number], *found[1:]]
            env.update(zip(outs, found, strict=True))
        return env[self._result], operands


def bind(eqn: Any, xs: Sequence[Any]) -> list[Any]:
    """Run one equation."""
    params, functions = eqn.primitive.get_bind_params(eqn.params), ()
    if isinstance(params, tuple):  # JAX before 0.10
        functions, params = params
    out = eqn.primitive.bind(*functions, *xs, **params)
    return list(out) if eqn.primitive.multiple_results else [out]


def _product(step: int, eqn: Any, places: np.ndarray, k: int) -> Use | None:
    contracted, batch = eqn.params["dimension_numbers"]
    if batch[0]:
        return None
    shape = eqn.invars[1 - k].aval.shape
    along = list(contracted[1 - k])
    free = [i for i in range(len(shape)) if i not in along]
    own = [i for i in range(places.ndim) if i not in contracted[k]]
    d = int(np.prod([shape[i] for i in along], dtype=int))
    positions = int(np.prod([shape[i] for i in free], dtype=int))
    matrix = places.transpose(*contracted[k], *own).reshape(d, -1)
    if len(np.unique(matrix)) < matrix.size:
        return None
    first, second = range(len(own)), range(len(own), len(own) + len(free))
    turn = (*second, *first) if k == 0 else tuple(range(len(free) + len(own)))

    def features(a: Any) -> Any:
        return a.transpose(0, *(1 + i for i in (*free, *along))).reshape(len(a), positions, d)

    return Use(step, matrix, 1 - k, features, turn, positions)


def _convolution(step: int, eqn: Any, places: np.ndarray) -> Use | None:
    p = eqn.params
    layout = p["dimension_numbers"]
    if p["feature_group_count"] != 1 or p["batch_group_count"] != 1 or len(np.unique(places)) < places.size:
        return None
    out, channels, *window = layout.rhs_spec
    d = places.size // places.shape[out]
    matrix = places.transpose(channels, *window, out).reshape(d, -1)
    shape = eqn.outvars[0].aval.shape
    images, units, *space = layout.out_spec
    positions = int(np.prod([shape[i] for i in (images, *space)], dtype=int))
    patches = partial(
        jax.lax.conv_general_dilated_patches, filter_shape=tuple(places.shape[i] for i in window),
        window_strides=p["window_strides"], padding=p["padding"], lhs_dilation=p["lhs_dilation"],
        rhs_dilation=p["rhs_dilation"], dimension_numbers=layout,
    )  # fmt: skip

    def features(a: Any) -> Any:
        return jax.vmap(lambda one: patches(one).transpose(images, *space, units).reshape(positions, d))(a)

    return Use(step, matrix, 0, features, (images, *space, units), positions)


_KEPT = 16
_SETTINGS = ("enable_x64", "default_matmul_precision")
_found: OrderedDict[Any, Layered] = OrderedDict()


def layered(predict: Callable[..., Any], parameters: Any, inputs: Sequence[Any]) -> Layered:
    """The layers of ``predict(parameters, *inputs)``, every input with rows along its first axis.

    They are found again as long as nothing changed that the function reads.
    """
    state = state_of(predict)
    if state is None:
        return Layered(predict, parameters, inputs)
    leaves, tree = jax.tree.flatten(parameters)
    rows, form = jax.tree.flatten(tuple(inputs))
    shapes = *(np.shape(v) for v in leaves), *(np.shape(v)[1:] for v in rows)
    kinds = tuple(str(jnp.result_type(v)) for v in (*leaves, *rows))
    key = state, tree, form, shapes, kinds, *(getattr(jax.config, f"jax_{name}") for name in _SETTINGS)
    if key not in _found:
        _found[key] = Layered(predict, parameters, inputs)
        if len(_found) > _KEPT:
            _found.popitem(last=False)
    _found.move_to_end(key)
    return _found[key]
