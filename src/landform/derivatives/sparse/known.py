"""Numbers of a traced program that do not depend on the point: indices, masks, constant matrices.

They are worked out only when a rule asks for them, in NumPy where that is simple, so that a pattern can follow
computed indices without compiling anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from landform.derivatives.sparse.moves import MOVERS


class Known:
    """A number worked out on demand, once."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make: Callable[[], Any] | None = make
        self._found: Any = None

    def get(self) -> Any:
        """The number."""
        if self._make is not None:
            self._found, self._make = self._make(), None
        return self._found

    @staticmethod
    def of(value: Any) -> Known:
        """One that is there already."""
        return Known(lambda: value)


def _iota(p: dict[str, Any]) -> np.ndarray:
    shape, axis = p["shape"], p["dimension"]
    line = np.arange(shape[axis], dtype=p["dtype"]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return np.broadcast_to(line, shape)


_NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "max": np.maximum,
    "min": np.minimum,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "not": np.invert,
}


def _in_numpy(eqn: Any, xs: Sequence[Any]) -> Any:
    """The value by NumPy, or None where there is no simple way."""
    name, p = eqn.primitive.name, eqn.params
    if name == "iota":
        return _iota(p)
    if not all(isinstance(x, (np.ndarray, np.generic)) for x in xs):
        return None
    if name in _NUMPY:
        with np.errstate(all="ignore"):
            return np.asarray(_NUMPY[name](*xs))
    if name == "convert_element_type" and xs[0].dtype.kind in "iub":
        return np.asarray(xs[0]).astype(p["new_dtype"])
    if name == "select_n":
        return np.asarray(np.where(np.asarray(xs[0]).astype(bool), xs[2], xs[1])) if len(xs) == 3 else None
    if name in MOVERS:
        return MOVERS[name](xs[0], p)
    return None


def evaluate(eqn: Any, xs: Sequence[Any]) -> list[Any]:
    """What an equation gives for known operands."""
    simple = _in_numpy(eqn, xs)
    if simple is not None:
        return [simple]
    with jax.ensure_compile_time_eval():
        outs = bind(eqn, xs)
    return [_as_numpy(y) for y in outs]


def _as_numpy(y: Any) -> Any:
    return y if jax.dtypes.issubdtype(y.dtype, jax.dtypes.extended) else np.asarray(y)


def bind(eqn: Any, xs: Sequence[Any]) -> list[Any]:
    """Run one equation."""
    params, functions = eqn.primitive.get_bind_params(eqn.params), ()
    if isinstance(params, tuple):  # JAX before 0.10
        functions, params = params
    out = eqn.primitive.bind(*functions, *xs, **params)
    return list(out) if eqn.primitive.multiple_results else [out]
