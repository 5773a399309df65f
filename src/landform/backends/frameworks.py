"""Which framework a function and its point belong to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from landform.errors import DerivativeError, ShapeError


def backend_of(function: Any, x: Any) -> Any:
    """The backend (`landform.backends.protocol.Backend`) for a function at a point.

    Raises
    ------
    ShapeError
        If a PyTorch module comes with a point that is no tensor.
    """
    torch = sys.modules.get("torch")  # whoever has a tensor has imported it
    if torch is None or not hasattr(torch, "Tensor"):
        return _jax()
    if _holds(x, torch.Tensor):
        from landform.backends import torch as backend

        return backend
    if isinstance(function, _modules(torch)):
        raise ShapeError(
            "a PyTorch tensor, or a tree of tensors, for a PyTorch module",
            got=type(x).__name__,
            remedy="convert it with torch.as_tensor(x, dtype=...) to the precision of the module",
            where="argument x",
        )
    return _jax()


def torch_of(function: Any, args: Any) -> Any:
    """The PyTorch backend for a model that is a module, or holds tensors; None for any other."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "Tensor"):
        return None
    if isinstance(function, _modules(torch)) or _holds(args, torch.Tensor):
        from landform.backends import torch as backend

        return backend
    return None


def own_data(function: Any) -> Any:
    """The data that a PyTorch module's function brought along, as it takes them again; None for any other function."""
    module = sys.modules.get("landform.backends.torch.module")
    return function.data if module is not None and isinstance(function, module.ModuleFunction) else None


def predictor_of(function: Any) -> Any:
    """A PyTorch module, or the function of one, as ``predict(parameters, *inputs)``; None for any other function."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(function, _modules(torch)):
        return None
    from landform.backends.torch.module import Prediction

    module: Any = function
    return Prediction(module if isinstance(module, torch.nn.Module) else module.module)


def _jax() -> Any:
    from landform.backends import jax as backend

    return backend


def _modules(torch: Any) -> tuple[type, ...]:
    own = sys.modules.get("landform.backends.torch.module")
    return (torch.nn.Module,) if own is None else (torch.nn.Module, own.ModuleFunction)


def _holds(x: Any, kind: type) -> bool:
    if isinstance(x, Mapping):
        return any(_holds(leaf, kind) for leaf in x.values())
    if isinstance(x, (list, tuple)):
        return any(_holds(leaf, kind) for leaf in x)
    return isinstance(x, kind)


def refuse_traced(where: str, *trees: Any) -> None:
    """Refuse numbers that JAX only stands in for: a search that ends when it has converged needs real ones.

    Raises
    ------
    DerivativeError
        If any is such a stand-in, as inside ``jax.jit``, ``jax.vmap`` or ``jax.grad``.
    """
    jax = sys.modules.get("jax")
    if jax is not None and any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(trees)):
        raise DerivativeError(
            "numbers",
            got="a tracer: this is called inside jax.jit, vmap, grad or jacfwd",
            remedy="call it outside, where its certificate can be read, or use landform.argmin(f, x0)(*args) there",
            where=where,
        )
