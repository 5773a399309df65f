"""Operations element by element: every partial derivative from the operation's own rule."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.known import bind
from landform.derivatives.sparse.moves import Move
from landform.derivatives.sparse.slopes import Ragged, Slot, Term, Terms, masked, merged, spread
from landform.derivatives.sparse.step import Step, is_real

NAMES = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "add",
        "add_any",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "bessel_i0e",
        "bessel_i1e",
        "cbrt",
        "ceil",
        "clamp",
        "complex",
        "conj",
        "convert_element_type",
        "cos",
        "cosh",
        "digamma",
        "div",
        "erf",
        "erf_inv",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "igamma",
        "igamma_grad_a",
        "igammac",
        "imag",
        "integer_pow",
        "is_finite",
        "lgamma",
        "log",
        "log1p",
        "logistic",
        "max",
        "min",
        "mul",
        "neg",
        "nextafter",
        "polygamma",
        "pow",
        "random_gamma_grad",
        "real",
        "reduce_precision",
        "regularized_incomplete_beta",
        "rem",
        "round",
        "rsqrt",
        "select_n",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "sub",
        "tan",
        "tanh",
        "zeta",
        "optimization_barrier",
        "device_put",
    ]
)


def elementwise(step: Step) -> list[Terms]:
    """Slopes of a result whose every element takes one element of each operand."""
    if step.name in ("optimization_barrier", "device_put"):
        return [v.terms for v in step.ins]
    special = _SPECIAL.get(step.name, _by_rule)
    terms = [t for k in step.moving for t in special(step, k)]
    return [merged(terms, step.context.inputs) if len(terms) > 1 else terms]


def _at_full_shape(step: Step, k: int) -> Terms:
    """Operand k's terms at the result's shape, along axes of length one repeated."""
    value, shape = step.ins[k], step.out.shape
    if value.shape == shape:
        return value.terms
    size = int(np.prod(value.shape, dtype=np.int64))
    source = np.broadcast_to(np.arange(size).reshape(value.shape), shape)
    found: Terms = []
    for t in value.terms:
        if isinstance(t, Slot):
            val = t.val if np.ndim(t.val) == 0 else spread(t.val, shape)
            found.append(Slot(np.broadcast_to(t.cols, shape), val))
        else:
            moved = Move(source, size)(t)
            found += [moved] if moved is not None else []
    return found


def _unchanged(step: Step, k: int) -> Terms:
    return _at_full_shape(step, k)


def _negated(step: Step, k: int) -> Terms:
    return [_scaled(t, np.asarray(-1, step.out.dtype)) for t in _at_full_shape(step, k)]


def _difference(step: Step, k: int) -> Terms:
    return _negated(step, k) if k else _unchanged(step, k)


def _product(step: Step, k: int) -> Terms:
    """A known factor keeps constant slopes constant, and its zeros leave the pattern."""
    other = step.ins[1 - k]
    if other.known is None or not is_real(step.out.dtype):
        return _by_rule(step, k)
    factor = np.asarray(other.known.get())
    terms = _at_full_shape(step, k)
    if not factor.ndim:
        return [_scaled(t, factor) for t in terms] if factor != 0 else []
    zero = np.broadcast_to(factor == 0, step.out.shape)
    if zero.any():
        terms = _without(terms, zero)
    whole = jnp.broadcast_to(other.primal, step.out.shape)
    return [_scaled(t, whole) for t in terms]


def _without(terms: Terms, dropped: np.ndarray) -> Terms:
    """The terms without the elements that are dropped."""
    kept: Terms = []
    for t in terms:
        if isinstance(t, Slot):
            found = masked(t, ~dropped)
            kept += [found] if found else []
        else:
            stay = np.flatnonzero(~dropped.ravel()[t.rows])
            kept += [Ragged(t.rows[stay], t.cols[stay], t.val[stay])] if len(stay) else []
    return kept


def _scaled(term: Term, factor: Any) -> Term:
    """A term times a factor of the array's shape, or a single number."""
    if isinstance(term, Slot):
        return Slot(term.cols, term.val * factor)
    if np.ndim(factor):
        factor = factor.reshape(-1)[term.rows]
    return Ragged(term.rows, term.cols, term.val * factor)


def _selected(step: Step, k: int) -> Terms:
    """``select_n`` gives one of its cases, element by element."""
    which = step.ins[0]
    terms = _at_full_shape(step, k)
    if which.known is not None:
        return _without(terms, np.broadcast_to(np.asarray(which.known.get()).astype(int) != k - 1, step.out.shape))
    chosen = which.primal if np.dtype(which.dtype) == bool else which.primal == k - 1
    if np.dtype(which.dtype) == bool and k == 1:
        chosen = ~chosen
    return [_kept(t, jnp.broadcast_to(chosen, step.out.shape)) for t in terms]


def _kept(term: Term, chosen: Any) -> Term:
    if isinstance(term, Slot):
        return Slot(term.cols, jnp.where(chosen, term.val, jnp.zeros((), term.val.dtype)))
    return Ragged(term.rows, term.cols, jnp.where(chosen.reshape(-1)[term.rows], term.val, 0))


def _converted(step: Step, k: int) -> Terms:
    """Real to real keeps the slope; the walk brings it into the new precision."""
    return step.ins[k].terms if is_real(step.ins[k].dtype) else _by_rule(step, k)


def _by_rule(step: Step, k: int) -> Terms:
    """The partial derivative by the operation's own forward rule."""
    xs = step.primals
    terms = _at_full_shape(step, k)

    def alone(z: Any) -> Any:
        return bind(step.eqn, [*xs[:k], z, *xs[k + 1 :]])[0]

    if is_real(step.ins[k].dtype) and is_real(step.out.dtype):
        factor = jax.jvp(alone, (xs[k],), (jnp.ones_like(xs[k]),))[1]
        return [_scaled(t, factor) for t in terms]
    # Complex numbers: a slope is a direction of its own, pushed through as it is.
    return [_pushed(step, k, t, alone) for t in terms]


def _pushed(step: Step, k: int, term: Term, alone: Any) -> Term:
    shape, dtype = step.out.shape, step.ins[k].dtype
    x = step.primals[k]
    if isinstance(term, Slot):
        val = jnp.asarray(spread(term.val, shape), dtype)
        wide = jnp.broadcast_to(x, shape)
        return Slot(term.cols, jax.jvp(alone, (wide,), (val,))[1] if x.shape == shape else _wide(step, k, x, val))
    xs = [jnp.broadcast_to(v, shape).reshape(-1)[term.rows] for v in step.primals]

    def there(z: Any) -> Any:
        return bind(step.eqn, [*xs[:k], z, *xs[k + 1 :]])[0]

    return Ragged(term.rows, term.cols, jax.jvp(there, (xs[k],), (jnp.asarray(term.val, dtype),))[1])


def _wide(step: Step, k: int, x: Any, val: Any) -> Any:
    """A scalar complex operand beside larger ones: every operand at full shape."""
    xs = [jnp.broadcast_to(v, step.out.shape) for v in step.primals]

    def there(z: Any) -> Any:
        return bind(step.eqn, [*xs[:k], z, *xs[k + 1 :]])[0]

    return jax.jvp(there, (jnp.broadcast_to(x, step.out.shape),), (val,))[1]


_SPECIAL = {
    "add": _unchanged,
    "add_any": _unchanged,
    "sub": _difference,
    "neg": _negated,
    "mul": _product,
    "select_n": _selected,
    "convert_element_type": _converted,
}
