"""The dense Hessian of a network's loss by layers: found by recording, formed from products for its units.

`record` writes down what a function runs, `rows` says which rows of a batch every value depends on, `search` finds the
layers, `hessian` runs the operations again with the layers' units shifted, `found` puts it together.
"""

from landform.backends.torch.layers.found import Layers, layers_of

__all__ = ["Layers", "layers_of"]
