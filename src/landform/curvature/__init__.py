"""Where am I: hill, valley, saddle, ridge; which directions are stiff, which hardly matter."""

from landform.curvature.canonical import Curve, Landscape, canonical, nature_of
from landform.curvature.stationary import find_stationary

__all__ = ["Curve", "Landscape", "canonical", "find_stationary", "nature_of"]
