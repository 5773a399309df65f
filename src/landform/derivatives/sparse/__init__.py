"""Sparse Jacobians and Hessians without colouring: pattern and values from one walk through the program.

The files in the order in which a function passes them: `walk` (one equation after the other), the rules
(`elementwise`, `moves` and `indexing`, `sums` and `rewrites`, `rules`, `control`, and `blocks` for everything
else), all in terms of `slopes`; then `assemble` (where every value goes) and `program` (one compiled function).
"""

from landform.derivatives.sparse.program import SparseProgram

__all__ = ["SparseProgram"]
