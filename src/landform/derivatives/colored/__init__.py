"""Sparse Jacobians and Hessians by compressed products: the plan for patterns that a user gives, and for wide ones.

`structure` (where the pattern comes from), `program` (products and where their numbers go), `check` (whether the
pattern holds), `choose` (this plan or the one without coloring).
"""

from landform.derivatives.colored.check import missing_entries, wrong_pattern
from landform.derivatives.colored.choose import hessian_matrix, jacobian_matrix
from landform.derivatives.colored.program import ColoredProgram

__all__ = ["ColoredProgram", "hessian_matrix", "jacobian_matrix", "missing_entries", "wrong_pattern"]
