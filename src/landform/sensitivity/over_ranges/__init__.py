"""What moves an output over whole ranges of its inputs: shares of its variance, screening, bounds by slopes."""

from landform.sensitivity.over_ranges.derivative_measures import DerivativeMeasures, derivative_measures
from landform.sensitivity.over_ranges.global_sensitivity import global_sensitivity
from landform.sensitivity.over_ranges.indices import Measured
from landform.sensitivity.over_ranges.morris import Screening, morris_screening
from landform.sensitivity.over_ranges.region import Mixture
from landform.sensitivity.over_ranges.variance_shares import GlobalSensitivity

__all__ = [
    "DerivativeMeasures",
    "GlobalSensitivity",
    "Measured",
    "Mixture",
    "Screening",
    "derivative_measures",
    "global_sensitivity",
    "morris_screening",
]
