"""Pipelines: one step's output is the next one's input."""

from __future__ import annotations

from typing import Any

from landform.backends.sklearn.columns import translate_step
from landform.backends.sklearn.held import held_now, holding
from landform.backends.sklearn.join import chain, compose, identity
from landform.backends.sklearn.registry import Translation, translate

__all__ = ["compose", "translate_inverse_pipeline", "translate_pipeline"]


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps if step is not None and step != "passthrough"]


def translate_pipeline(estimator: Any, method: str = "predict") -> Translation:
    """`Pipeline` of steps that have translations themselves; "passthrough" steps fall away."""
    steps = _steps(estimator)
    last = [] if estimator.steps[-1][1] in (None, "passthrough") else steps[-1:]
    ways = ["transform"] * (len(steps) - len(last)) + [method] * len(last)
    parts: list[Translation] = []
    for step, way in zip(steps, ways, strict=True):
        # Only the first step sees the columns of the table, and with them what is held.
        with holding(None if parts else held_now()):
            parts.append(translate_step(step) if way == "transform" else translate(step, way))
    return chain(parts) if parts else Translation(identity, ())


def translate_inverse_pipeline(estimator: Any, method: str = "inverse_transform") -> Translation:
    """The way back through a `Pipeline` of transformers."""
    parts = [translate(step, method) for step in reversed(_steps(estimator))]
    return chain(parts) if parts else Translation(identity, ())
