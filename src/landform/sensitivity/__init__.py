"""What moves what, along the directions that really exist, and how surely."""

from landform.sensitivity.ground import Ground
from landform.sensitivity.moves import Move, cox_move, cox_path, exchange_move, factor_move
from landform.sensitivity.over_ranges import (
    DerivativeMeasures,
    GlobalSensitivity,
    Mixture,
    Screening,
    derivative_measures,
    global_sensitivity,
    morris_screening,
)
from landform.sensitivity.shapley_values import ShapleyValues, shapley_values
from landform.sensitivity.slopes import Slope, slopes_along

__all__ = [
    "DerivativeMeasures",
    "GlobalSensitivity",
    "Ground",
    "Mixture",
    "Move",
    "Screening",
    "ShapleyValues",
    "Slope",
    "cox_move",
    "cox_path",
    "derivative_measures",
    "exchange_move",
    "factor_move",
    "global_sensitivity",
    "morris_screening",
    "shapley_values",
    "slopes_along",
]
