"""Where am I: hill, valley, saddle, ridge; which directions are stiff, which hardly matter; how far may a step go.

`landscape` answers for a loss, `chain` lays a composition of layers open; `canonical` and `find_stationary` serve the
small smooth surfaces of formulations.
"""

from landform.curvature.by_layer import LayerShares
from landform.curvature.canonical import Curve, Landscape, canonical, nature_of
from landform.curvature.chain import Chain, chain
from landform.curvature.compare import Comparison
from landform.curvature.cuts import Plane, Slice
from landform.curvature.fixed import FixedDirections, LogDeterminant
from landform.curvature.influence import Influence
from landform.curvature.landscape import LossLandscape, landscape
from landform.curvature.overview import Overview
from landform.curvature.posterior import Posterior
from landform.curvature.predictive import Predictive
from landform.curvature.spectra import Density, Diagonal, TopPairs, Total
from landform.curvature.stable_step import StableStep
from landform.curvature.stationary import find_stationary
from landform.curvature.verdict import Verdict

__all__ = [
    "Chain",
    "Comparison",
    "Curve",
    "Density",
    "Diagonal",
    "FixedDirections",
    "Influence",
    "Landscape",
    "LayerShares",
    "LogDeterminant",
    "LossLandscape",
    "Overview",
    "Plane",
    "Posterior",
    "Predictive",
    "Slice",
    "StableStep",
    "TopPairs",
    "Total",
    "Verdict",
    "canonical",
    "chain",
    "find_stationary",
    "landscape",
    "nature_of",
]
