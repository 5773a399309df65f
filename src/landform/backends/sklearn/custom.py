"""Functions of the user's own in a `FunctionTransformer`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.jax import double_precision
from landform.backends.sklearn.join import identity
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

_FUNCTIONS: dict[Any, Callable[[jax.Array], jax.Array]] = {
    getattr(np, name): getattr(jnp, name)
    for name in (
        *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "square", "reciprocal", "negative"),
        *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
        *("abs", "deg2rad", "rad2deg"),
    )
}


@lru_cache(maxsize=256)
def _of_a_row(function: Callable[..., Any], keywords: tuple[tuple[str, Any], ...]) -> Callable[..., jax.Array]:
    """A function of a table, on a table of one row."""

    def row(x: jax.Array) -> jax.Array:
        return jnp.atleast_2d(function(x[None], **dict(keywords)))[0]

    return row


def _hashable(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _translate(function: Callable[..., Any] | None, keywords: dict[str, Any] | None, n: int) -> Translation:
    if function is None:
        return Translation(identity, ())
    if isinstance(function, np.ufunc) and function in _FUNCTIONS:
        return Translation(_FUNCTIONS[function], ())
    name = getattr(function, "__name__", repr(function))
    given = tuple(sorted((keywords or {}).items()))
    try:
        row = (_of_a_row if _hashable((function, given)) else _of_a_row.__wrapped__)(function, given)
        with double_precision():
            jax.eval_shape(row, jax.ShapeDtypeStruct((n,), np.float64))
    except Exception as error:
        raise ModelError(
            "a FunctionTransformer whose function JAX can trace",
            got=f"{name!r}, which raises {type(error).__name__}",
            remedy="write it with jax.numpy in place of numpy, on arrays of shape (rows, columns), "
            "or register a translation with landform.backends.register_translation",
        ) from error
    return Translation(row, ())


def translate_function(estimator: Any, method: str) -> Translation:
    """`FunctionTransformer` of a NumPy ufunc, or of a function written for JAX arrays."""
    return _translate(estimator.func, estimator.kw_args, getattr(estimator, "n_features_in_", 1))


def translate_inverse_function(estimator: Any, method: str) -> Translation:
    """The way back through a `FunctionTransformer`."""
    return _translate(estimator.inverse_func, estimator.inv_kw_args, getattr(estimator, "n_features_in_", 1))
