"""How every operation carries jets forwards; what has no rule goes by its own second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from landform.derivatives.forward.jet import Jet, added, has_slope, value_of
from landform.derivatives.sparse.elementwise import NAMES
from landform.derivatives.sparse.known import bind
from landform.derivatives.sparse.moves import MOVERS

Entries = Sequence[Any]

_SUMS = frozenset(
    ["add", "add_any", "sub", "neg", "reduce_sum", "cumsum", "convert_element_type", "real", "imag", "complex"]
)
_FILLED = frozenset(["concatenate", "pad", "select_n", "dynamic_update_slice"])
"""Linear in all that they move: what does not depend on the point counts as zero."""
_TAKEN = frozenset(["gather", "dynamic_slice", "reduce_precision", "split", "squeeze", *MOVERS])
_BILINEAR = frozenset(["mul", "dot_general", "conv_general_dilated"])
_SINGLE = NAMES - {"optimization_barrier", "device_put"}
_POINTWISE = NAMES | {"eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "xor", "stop_gradient"}


def carried(eqn: Any, entries: Entries) -> list[Any]:
    """The results of an operation, of which some operands are jets."""
    name = eqn.primitive.name
    floats = [k for k, e in enumerate(entries) if isinstance(e, Jet)]
    if not any(has_slope(v.aval) for v in eqn.outvars):
        return bind(eqn, [value_of(e) for e in entries])
    if name in _SUMS or name in _FILLED:
        return _linear(eqn, entries, fill=True)
    if name in _TAKEN or (name in _BILINEAR and len(floats) == 1) or (name == "div" and floats == [0]):
        return _linear(eqn, entries, fill=False)
    if name == "mul" or name == "dot_general":
        return [_product(eqn, *entries)]
    if name in _SINGLE and _real(eqn) and all(jnp.shape(entries[k].value) == eqn.outvars[0].aval.shape for k in floats):
        return [_pointwise(partial(_bound, eqn), entries, floats)]
    if name == "custom_jvp_call" and _is_pointwise(eqn, entries):
        return [_pointwise(partial(_bound, eqn), entries, floats)]
    return _by_itself(eqn, entries, floats)


def _real(eqn: Any) -> bool:
    """Whether no complex numbers take part: the slope of their modulus is no product."""
    return not any(jnp.issubdtype(v.aval.dtype, jnp.complexfloating) for v in (*eqn.invars, *eqn.outvars))


def _bound(eqn: Any, *values: Any) -> Any:
    return bind(eqn, values)[0]


def _linear(eqn: Any, entries: Entries, *, fill: bool) -> list[Any]:
    """Operations that are linear in the jets; the rest is zero for their slopes (``fill``) or stays as it is."""
    values = [value_of(e) for e in entries]
    jets = [k for k, e in enumerate(entries) if isinstance(e, Jet)]

    def moved(parts: Sequence[Any]) -> list[Any]:
        put = dict(zip(jets, parts, strict=True))
        rest = [jnp.zeros_like(v) if fill and has_slope(v) else v for v in values]
        return bind(eqn, [put.get(k, v) for k, v in enumerate(rest)])

    slopes = jax.vmap(moved)([entries[k].slopes for k in jets])
    curves: list[Any] = [None] * len(slopes)
    if any(entries[k].curve is not None for k in jets):
        curves = moved([entries[k].whole.curve for k in jets])
    return [Jet(*parts) for parts in zip(bind(eqn, values), slopes, curves, strict=True)]


def _product(eqn: Any, a: Jet, b: Jet) -> Jet:
    """A product of two jets: the curve has twice the sum of the slopes' products beside the usual two terms."""

    def times(s: Any, t: Any) -> Any:
        return _bound(eqn, s, t)

    slopes = jax.vmap(lambda s: times(s, b.value))(a.slopes) + jax.vmap(lambda t: times(a.value, t))(b.slopes)
    curve = added(
        [
            2 * _summed_product(eqn, a.slopes, b.slopes),
            None if a.curve is None else times(a.curve, b.value),
            None if b.curve is None else times(a.value, b.curve),
        ]
    )
    return Jet(times(a.value, b.value), slopes, curve)


def _summed_product(eqn: Any, s: Any, t: Any) -> Any:
    """The products of two stacks of operands, summed over the stack."""
    if eqn.primitive.name == "mul":
        return jnp.einsum("k...,k...->...", s, t)
    (ca, cb), (ba, bb) = eqn.params["dimension_numbers"]
    numbers = ((0, *_next(ca)), (0, *_next(cb))), (_next(ba), _next(bb))
    p = {k: v for k, v in eqn.params.items() if k != "dimension_numbers"}
    return lax.dot_general(s, t, numbers, **p)


def _next(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(axis + 1 for axis in axes)


def _pointwise(function: Callable[..., Any], entries: Entries, jets: list[int]) -> Jet:
    """Element by element: slopes f' J, curve f' L + f'' Σ J², the partial derivatives from the operation's own rule."""
    values = [value_of(e) for e in entries]

    def of(*parts: Any) -> Any:
        put = dict(zip(jets, parts, strict=True))
        return function(*[put.get(k, v) for k, v in enumerate(values)])

    at = [values[k] for k in jets]
    first = [_partial(of, k) for k in range(len(jets))]
    slopes = added([d(*at) * entries[k].slopes for d, k in zip(first, jets, strict=True)])
    curves = [d(*at) * entries[k].curve for d, k in zip(first, jets, strict=True) if entries[k].curve is not None]
    for i, d in enumerate(first):
        for j in range(i, len(jets)):
            square = jnp.einsum("k...,k...->...", entries[jets[i]].slopes, entries[jets[j]].slopes)
            curves.append((1 if i == j else 2) * _partial(d, j)(*at) * square)
    return Jet(function(*values), slopes, added(curves))


def _partial(function: Callable[..., Any], place: int) -> Callable[..., Any]:
    """The derivative of an operation element by element, by one of its operands."""

    def slope(*parts: Any) -> Any:
        along = [jnp.ones_like(v) if k == place else jnp.zeros_like(v) for k, v in enumerate(parts)]
        return jax.jvp(function, parts, tuple(along))[1]

    return slope


def _is_pointwise(eqn: Any, entries: Entries) -> bool:
    """Whether a function with a rule of its own goes element by element, and its rule and that rule's slope too."""
    shape = eqn.outvars[0].aval.shape
    values = [value_of(e) for e in entries]
    fits = all(jnp.shape(value_of(e)) in ((shape,) if isinstance(e, Jet) else ((), shape)) for e in entries)
    if len(eqn.outvars) > 1 or not fits or not _real(eqn) or not all(has_slope(v) for v in values):
        return False

    def twice(*parts: Any) -> Any:
        once = lambda *p: jax.jvp(partial(_bound, eqn), p, parts[: len(p)])[1]  # noqa: E731 - nested once
        return jax.jvp(once, parts, parts)

    return _all_pointwise(jax.make_jaxpr(twice)(*values).jaxpr, shape)


def _all_pointwise(jaxpr: Any, shape: tuple[int, ...]) -> bool:
    for eqn in jaxpr.eqns:
        name = eqn.primitive.name
        inner = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
        if inner is not None:
            if not _all_pointwise(getattr(inner, "jaxpr", inner), shape):
                return False
        elif name == "broadcast_in_dim":
            if eqn.invars[0].aval.shape != () and eqn.invars[0].aval.shape != eqn.outvars[0].aval.shape:
                return False
        elif name not in _POINTWISE or any(v.aval.shape not in ((), shape) for v in eqn.outvars):
            return False
    return True


def _by_itself(eqn: Any, entries: Entries, jets: list[int]) -> list[Any]:
    """An operation without a rule here: its second derivatives along the slopes, one direction like another."""
    values = [value_of(e) for e in entries]
    real = [k for k, v in enumerate(eqn.outvars) if has_slope(v.aval)]

    def of(*parts: Any) -> tuple[Any, ...]:
        put = dict(zip(jets, parts, strict=True))
        outs = bind(eqn, [put.get(k, v) for k, v in enumerate(values)])
        return tuple(outs[k] for k in real)

    at = tuple(values[k] for k in jets)

    def along(parts: tuple[Any, ...]) -> tuple[Any, Any]:
        def slope(*p: Any) -> Any:
            return jax.jvp(of, p, parts)[1]

        return jax.jvp(slope, at, parts)

    slopes, curves = jax.vmap(along)(tuple(entries[k].slopes for k in jets))
    bent = [curve.sum(0) for curve in curves]
    if any(entries[k].curve is not None for k in jets):
        more = jax.jvp(of, at, tuple(entries[k].whole.curve for k in jets))[1]
        bent = [a + b for a, b in zip(bent, more, strict=True)]
    found: list[Any] = bind(eqn, values)
    for k, slope, curve in zip(real, slopes, bent, strict=True):
        found[k] = Jet(found[k], slope, curve)
    return found
