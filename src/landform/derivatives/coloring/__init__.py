"""Which derivative products fill a sparse matrix, and where every entry stands in them: one coloring for all.

The files in the order in which a pattern passes them: `pattern` (what may differ from zero), `orders` (in which
vertices are colored), `lines` (columns, rows, and both), `star` and `acyclic` (symmetric matrices), `choose` (the
best of them), `colored` (what comes out).
"""

from landform.derivatives.coloring.choose import color_columns, color_hessian, color_jacobian
from landform.derivatives.coloring.colored import ColoredPattern
from landform.derivatives.coloring.pattern import Structure, make_structure

__all__ = ["ColoredPattern", "Structure", "color_columns", "color_hessian", "color_jacobian", "make_structure"]
