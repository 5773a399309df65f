"""What moves what, along the directions that really exist, and how surely."""

from landform.callable_room import answers_calls
from landform.sensitivity.effect import Effect
from landform.sensitivity.finding import Sensitivity
from landform.sensitivity.ground import Ground
from landform.sensitivity.interactions import Interaction, Interactions
from landform.sensitivity.local import sensitivity
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
from landform.sensitivity.trace import Trace

__all__ = [
    "DerivativeMeasures",
    "Effect",
    "GlobalSensitivity",
    "Ground",
    "Interaction",
    "Interactions",
    "Mixture",
    "Move",
    "Screening",
    "Sensitivity",
    "ShapleyValues",
    "Slope",
    "Trace",
    "cox_move",
    "cox_path",
    "derivative_measures",
    "exchange_move",
    "factor_move",
    "global_sensitivity",
    "morris_screening",
    "sensitivity",
    "shapley_values",
    "slopes_along",
]

answers_calls(__name__, sensitivity)
