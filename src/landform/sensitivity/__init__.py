"""What moves what, along the directions that really exist, and how surely."""

from landform.sensitivity.ground import Ground
from landform.sensitivity.moves import Move, cox_move, cox_path, exchange_move, factor_move
from landform.sensitivity.slopes import Slope, slopes_along

__all__ = ["Ground", "Move", "Slope", "cox_move", "cox_path", "exchange_move", "factor_move", "slopes_along"]
