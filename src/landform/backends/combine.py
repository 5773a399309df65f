"""Models made of models: several as one, one on a logarithmic scale, a plain weighted sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model


@lru_cache(maxsize=64)
def _stacked(functions: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    def stacked(x: Any, *args: tuple[Any, ...]) -> Any:
        import jax.numpy as jnp

        return jnp.concatenate([f(x, *own) for f, own in zip(functions, args, strict=True)])

    return stacked


def stack_models(models: Sequence[Model]) -> Model:
    """Several models of the same inputs as one, their outputs one after the other.

    Examples
    --------
    >>> a = linear_model(np.array([1.0, 2.0]), inputs=("x", "z"), output="a")
    >>> b = linear_model(np.array([0.0, 3.0]), inputs=("x", "z"), output="b")
    >>> stack_models([a, b])(np.array([1.0, 1.0]))
    array([3., 3.])
    """
    outputs = tuple(name for model in models for name in model.outputs)
    functions = tuple(model.checked_function() for model in models)
    return Model(_stacked(functions), tuple(model.args for model in models), models[0].inputs, outputs)


@lru_cache(maxsize=64)
def _exponential(function: Callable[..., Any]) -> Callable[..., Any]:
    def raised(x: Any, *args: Any) -> Any:
        import jax.numpy as jnp

        return jnp.exp(function(x, *args))

    return raised


def exponential(model: Model) -> Model:
    """Exp of a model, for one that was fitted to logarithms."""
    return Model(_exponential(model.checked_function()), model.args, model.inputs, model.outputs)


def _weighted_sum(x: Any, weights: Any) -> Any:
    return (weights @ x)[None]


def linear_model(weights: Float[np.ndarray, " n"], *, inputs: tuple[str, ...], output: str) -> Model:
    """A weighted sum of the inputs, such as what a recipe costs."""
    return Model(_weighted_sum, (np.asarray(weights, dtype=np.float64),), inputs, (output,))
