"""Curvature by layers: Kronecker factors of every product with parameters, exact blocks for what is left.

`outputs` runs a function of parameters and data rows by its layers, `blocks` holds matrices by their eigenpairs, `sums`
adds them up over rows, `operator` is the door.
"""

from landform.derivatives.kronecker.blocks import Block, DenseBlock, DiagonalBlock, LayerBlock
from landform.derivatives.kronecker.operator import Kronecker, kronecker
from landform.derivatives.kronecker.outputs import Outputs, outputs_by_layers, rows_in
from landform.derivatives.kronecker.sums import STRUCTURES, Sharing, Structure, curvature_blocks

__all__ = [
    "STRUCTURES",
    "Block",
    "DenseBlock",
    "DiagonalBlock",
    "Kronecker",
    "LayerBlock",
    "Outputs",
    "Sharing",
    "Structure",
    "curvature_blocks",
    "kronecker",
    "outputs_by_layers",
    "rows_in",
]
