"""Jacobians and Hessians at a point, as operators: nothing is formed until it is asked for."""

from landform.derivatives.hessian import Hessian, hessian
from landform.derivatives.jacobian import Jacobian, jacobian
from landform.derivatives.plan import Plan
from landform.derivatives.prepared import Prepared, prepare
from landform.derivatives.secant import Secant, secant
from landform.derivatives.verify import Verification, verify

__all__ = [
    "Hessian",
    "Jacobian",
    "Plan",
    "Prepared",
    "Secant",
    "Verification",
    "hessian",
    "jacobian",
    "prepare",
    "secant",
    "verify",
]
