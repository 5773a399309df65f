"""The dense Hessian of a network's loss by layers: found by tracing, formed from products for its units."""

from landform.derivatives.layers.point import Layers, layers_of
from landform.derivatives.layers.recorded import RecordedLayers

__all__ = ["Layers", "RecordedLayers", "layers_of"]
