"""The base of every result: numbers with their doubt, as tables and pictures."""

from landform.findings.estimate import Estimate, minus
from landform.findings.finding import Finding
from landform.findings.pictures import Bars, Biplot, Contour, Curve, HeatMap, Picture, Scatter, Shades, Swarm
from landform.findings.plain import plain, plain_rows

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
    "plain",
    "plain_rows",
]
