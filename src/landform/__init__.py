"""landform: what moves what, the shape of the landscape, and the best settings.

Nothing heavy is imported here: a name is fetched from its room when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_ROOMS = {
    "jacobian": "landform.derivatives",
    "hessian": "landform.derivatives",
    "gauss_newton": "landform.derivatives",
    "fisher": "landform.derivatives",
    "kronecker": "landform.derivatives.kronecker",
    "laplacian": "landform.derivatives",
    "taylor": "landform.derivatives",
    "prepare": "landform.derivatives",
    "verify": "landform.derivatives",
    "argmin": "landform.optimize",
    "certify": "landform.optimize",
    "descend": "landform.optimize",
    "fit": "landform.fit",
    "hypergradient": "landform.fit",
    "minimize": "landform.optimize",
    "tune": "landform.fit",
    "noise_level": "landform.derivatives.numeric",
    "from_sklearn": "landform.backends",
    "directions": "landform.directions",
    "active_subspace": "landform.directions",
    "from_torch": "landform.backends",
    "chain": "landform.curvature",
    "landscape": "landform.curvature",
    "global_sensitivity": "landform.sensitivity",
    "shapley_values": "landform.sensitivity",
    "sensitivity": "landform.sensitivity",
    "secant": "landform.derivatives",
    "distill": "landform.fit",
    "Study": "landform.formulation",
    "study": "landform.formulation",
}

__all__ = ["__version__", *sorted(_ROOMS)]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        room = importlib.import_module(_ROOMS[name])
        return room if _ROOMS[name] == f"{__name__}.{name}" else getattr(room, name)
    raise AttributeError(f"module 'landform' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
