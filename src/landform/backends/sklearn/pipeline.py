"""Pipelines: one step's output is the next one's input."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
from sklearn.pipeline import Pipeline

from landform.backends.sklearn.registry import Translation, register_translation, translate


@lru_cache(maxsize=256)
def compose(functions: tuple[Callable[..., Any], ...]) -> Callable[..., jax.Array]:
    """The functions one after the other; the same object for the same functions, so compiled code is shared."""

    def composed(x: jax.Array, *args: tuple[Any, ...]) -> jax.Array:
        for function, own in zip(functions, args, strict=True):
            x = function(x, *own)
        return x

    return composed


@register_translation(Pipeline)
def translate_pipeline(estimator: Any) -> Translation:
    """`Pipeline` of steps that have translations themselves; "passthrough" steps fall away."""
    steps = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
    parts = [translate(step) for step in steps]
    return Translation(compose(tuple(p.function for p in parts)), tuple(p.args for p in parts))
