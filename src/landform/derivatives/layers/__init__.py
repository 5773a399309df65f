"""The dense Hessian of a network's loss by layers: found by tracing, formed from products for its units."""

from landform.derivatives.layers.point import Layers, layers_of

__all__ = ["Layers", "layers_of"]
