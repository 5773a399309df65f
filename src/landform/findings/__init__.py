"""The base of every result: numbers with their doubt, as tables and pictures."""

from landform.findings.estimate import Estimate, minus
from landform.findings.finding import Finding
from landform.findings.pictures import Bars, Contour, Picture, Scatter

__all__ = ["Bars", "Contour", "Estimate", "Finding", "Picture", "Scatter", "minus"]
