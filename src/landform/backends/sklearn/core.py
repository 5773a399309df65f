"""The heart of pipelines, searches and transformed targets: steps before it, the estimator, the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from landform.backends.sklearn.columns import translate_step
from landform.backends.sklearn.held import held_now, holding
from landform.backends.sklearn.join import chain, identity
from landform.backends.sklearn.registry import Translation, translate

_SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


@dataclass(frozen=True)
class Core:
    """A fitted estimator taken apart.

    Parameters
    ----------
    steps : tuple
        Fitted transformers that the inputs go through first.
    estimator : estimator
        What was fitted to their output.
    target : transformer or None
        What the target went through before the fit.
    """

    steps: tuple[Any, ...]
    estimator: Any
    target: Any = None

    @property
    def before(self) -> Translation:
        """The steps as one translation."""
        parts: list[Translation] = []
        for step in self.steps:
            # Only the first step sees the columns of the table, and with them what is held.
            with holding(None if parts else held_now()):
                parts.append(translate_step(step))
        return chain(parts) if parts else Translation(identity, ())

    @property
    def after(self) -> Translation:
        """The way back through the target's transformer."""
        return Translation(identity, ()) if self.target is None else translate(self.target, "inverse_transform")

    def features(self, X: Any) -> np.ndarray:
        """Rows as the estimator at the heart sees them."""
        for step in self.steps:
            X = step.transform(X)
        return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=np.float64)

    def fitted_target(self, y: np.ndarray) -> np.ndarray:
        """The target as the estimator at the heart saw it."""
        if self.target is None:
            return y
        return np.asarray(self.target.transform(np.asarray(y, dtype=np.float64).reshape(len(y), -1)))


def core_of(estimator: Any) -> Core:
    """Take a fitted estimator apart, as far as it is made of pipelines, searches and transformed targets.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> core = core_of(make_pipeline(StandardScaler(), LinearRegression()))
    >>> len(core.steps), core.estimator
    (1, LinearRegression())
    """
    steps: list[Any] = []
    target = None
    while True:
        kind = type(estimator).__name__ if type(estimator).__module__.startswith("sklearn.") else ""
        if kind == "Pipeline":
            steps += [s for _, s in estimator.steps[:-1] if s is not None and s != "passthrough"]
            estimator = estimator.steps[-1][1]
        elif kind in _SEARCHES and hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif kind == "TransformedTargetRegressor" and target is None:
            target, estimator = estimator.transformer_, estimator.regressor_
        else:
            return Core(tuple(steps), estimator, target)
