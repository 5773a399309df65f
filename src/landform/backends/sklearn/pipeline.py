"""Pipelines: one step's output is the next one's input."""

from __future__ import annotations

from typing import Any

from landform.backends.sklearn.join import chain, compose, identity
from landform.backends.sklearn.registry import Translation, translate

__all__ = ["compose", "translate_inverse_pipeline", "translate_pipeline"]


def _steps(estimator: Any) -> list[Any]:
    return [step for _, step in estimator.steps if step is not None and step != "passthrough"]


def translate_pipeline(estimator: Any, method: str = "predict") -> Translation:
    """`Pipeline` of steps that have translations themselves; "passthrough" steps fall away."""
    steps = _steps(estimator)
    last = [] if estimator.steps[-1][1] in (None, "passthrough") else steps[-1:]
    parts = [translate(step, "transform") for step in steps[: len(steps) - len(last)]]
    parts += [translate(step, method) for step in last]
    return chain(parts) if parts else Translation(identity, ())


def translate_inverse_pipeline(estimator: Any, method: str = "inverse_transform") -> Translation:
    """The way back through a `Pipeline` of transformers."""
    parts = [translate(step, method) for step in reversed(_steps(estimator))]
    return chain(parts) if parts else Translation(identity, ())
