"""To the best settings within limits, with a certificate that anyone can check."""

from landform.optimize.certificate import ActiveLimit, Certificate, certify
from landform.optimize.distinct import Solution, cluster
from landform.optimize.polytope import Polytope
from landform.optimize.program import Program, Smooth
from landform.optimize.solve import solve

__all__ = [
    "ActiveLimit",
    "Certificate",
    "Polytope",
    "Program",
    "Smooth",
    "Solution",
    "certify",
    "cluster",
    "solve",
]
