"""Derivatives of black boxes: from values alone, with a noise level, an error bar each and an exact count."""

from landform.derivatives.coloring import ColoredPattern, color_columns
from landform.derivatives.numeric.black_box import NumericOptions
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.numeric.hessian import NumericHessian, numeric_hessian
from landform.derivatives.numeric.jacobian import NumericJacobian, numeric_jacobian
from landform.derivatives.numeric.noise import NoiseLevel, noise_level

__all__ = [
    "ColoredPattern",
    "Failure",
    "NoiseLevel",
    "NumericHessian",
    "NumericJacobian",
    "NumericOptions",
    "color_columns",
    "noise_level",
    "numeric_hessian",
    "numeric_jacobian",
]
