"""Fitted scikit-learn estimators as differentiable models."""

from landform.backends.sklearn.registry import Translation, from_sklearn, register_translation, translate

__all__ = ["Translation", "from_sklearn", "register_translation", "translate"]
