"""Fitted scikit-learn estimators as differentiable models."""

from landform.backends.sklearn.registry import Translation, register_translation, translate
from landform.backends.sklearn.stored import load_estimator
from landform.backends.sklearn.wrap import from_sklearn

__all__ = ["Translation", "from_sklearn", "load_estimator", "register_translation", "translate"]
