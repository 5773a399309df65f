"""The base of every result: numbers with their doubt, as tables and pictures."""

from landform.findings.estimate import Estimate, minus
from landform.findings.finding import Finding
from landform.findings.pictures import Bars, Biplot, Contour, Curve, HeatMap, Picture, Scatter, Shades, Swarm

__all__ = [
    "Bars",
    "Biplot",
    "Contour",
    "Curve",
    "Estimate",
    "Finding",
    "HeatMap",
    "Picture",
    "Scatter",
    "Shades",
    "Swarm",
    "minus",
]
