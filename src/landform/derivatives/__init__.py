"""Jacobians and Hessians at a point, as operators: nothing is formed until it is asked for."""

from landform.derivatives.fisher import Fisher, fisher
from landform.derivatives.gauss_newton import GaussNewton, gauss_newton
from landform.derivatives.hessian import Hessian, hessian
from landform.derivatives.jacobian import Jacobian, jacobian
from landform.derivatives.laplacian import laplacian
from landform.derivatives.plan import Plan
from landform.derivatives.prepared import Prepared, prepare
from landform.derivatives.secant import Secant, secant
from landform.derivatives.taylor import taylor
from landform.derivatives.verification import Verification
from landform.derivatives.verify import verify

__all__ = [
    "Fisher",
    "GaussNewton",
    "Hessian",
    "Jacobian",
    "Plan",
    "Prepared",
    "Secant",
    "Verification",
    "fisher",
    "gauss_newton",
    "hessian",
    "jacobian",
    "laplacian",
    "prepare",
    "secant",
    "taylor",
    "verify",
]
