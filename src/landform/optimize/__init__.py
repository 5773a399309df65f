"""To the best settings within limits, with a certificate that anyone can check."""

from landform.optimize.argmin import argmin
from landform.optimize.certificate import ActiveLimit, Certificate
from landform.optimize.certify import certify
from landform.optimize.descent import Descent, descend
from landform.optimize.distinct import Solution, cluster
from landform.optimize.implicit import OptimumSensitivity
from landform.optimize.minimize import minimize
from landform.optimize.optimum import Optimum
from landform.optimize.polytope import Polytope
from landform.optimize.program import Program, Smooth
from landform.optimize.solve import solve

__all__ = [
    "ActiveLimit",
    "Certificate",
    "Descent",
    "Optimum",
    "OptimumSensitivity",
    "Polytope",
    "Program",
    "Smooth",
    "Solution",
    "argmin",
    "certify",
    "cluster",
    "descend",
    "minimize",
    "solve",
]
