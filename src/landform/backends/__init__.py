"""Frameworks made alike: a function of any origin becomes a model with named inputs and outputs.

This is the only room that knows a framework.
"""

from landform.backends.combine import exponential, linear_model, stack_models
from landform.backends.from_torch import from_torch
from landform.backends.model import Model
from landform.backends.sklearn import from_sklearn, register_translation

__all__ = ["Model", "exponential", "from_sklearn", "from_torch", "linear_model", "register_translation", "stack_models"]
