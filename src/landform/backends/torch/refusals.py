"""What PyTorch says about a function that cannot be differentiated, in one sentence with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from landform.errors import DerivativeError, LandformError

_BLACK_BOX = 'or differentiate it as a black box: landform.jacobian(f, x, mode="numeric"), or hessian, at a NumPy point'
_CHANGES_INPUT = (
    "a function that leaves its input as it is",
    "an operation that changes it in place",
    "write x = x * 2 instead of x *= 2 or x.mul_(2), or begin with x = x.clone()",
)
_OTHER_PRECISION = (
    "a point in the precision of the function's own tensors",
    "another one",
    "convert the point, x.float() or x.double(), or the module, module.double()",
)
_KNOWN = {
    "leaf Variable that requires grad": _CHANGES_INPUT,
    "is a view and is being modified inplace": _CHANGES_INPUT,
    "modified by an inplace operation": (
        "a function that keeps what its derivative needs",
        "an in-place operation that overwrites it",
        "replace the operation whose name ends in _ (or +=, [...] =) by one that returns a new tensor",
    ),
    "Can't call numpy() on Tensor that requires grad": (
        "a function that PyTorch can follow",
        "a function that turns its input into a NumPy array",
        f"write it with torch, {_BLACK_BOX}",
    ),
    "the same dtype": _OTHER_PRECISION,
    "expected scalar type": _OTHER_PRECISION,
    "Inference tensors cannot be saved": (
        "tensors that autograd may record",
        "tensors made under torch.inference_mode()",
        "make the module and its data outside of it, or clone them",
    ),
}


@contextmanager
def explained() -> Iterator[None]:
    """Say in one sentence what autograd could not do, and what helps; other errors pass as they are.

    Raises
    ------
    DerivativeError
        If the function cannot be differentiated.
    """
    try:
        yield
    except (RuntimeError, TypeError, ValueError) as error:
        told = None if isinstance(error, LandformError) else _translated(error)
        if told is None:
            raise
        raise told from error


def _translated(error: Exception) -> DerivativeError | None:
    words = str(error)
    for mark, (expected, got, remedy) in _KNOWN.items():
        if mark in words:
            return DerivativeError(expected, got=got, remedy=remedy, where="argument function")
    if "is not implemented" in words and "erivative" in words:
        operation = words.split("aten::")[-1].split(" ")[0].rstrip(".,")
        return DerivativeError(
            "operations that PyTorch can differentiate as often as asked",
            got=f"{operation}, which it cannot",
            remedy=f"replace it by one that it can, {_BLACK_BOX}",
            where="argument function",
        )
    if isinstance(error, TypeError) and "<class 'torch.Tensor'>" in words:
        return DerivativeError(
            "a PyTorch function for a PyTorch point",
            got=f"a function that calls JAX ({type(error).__name__})",
            remedy="pass the point as a JAX or NumPy array, or write the function with torch",
            where="argument function",
        )
    return None


def _is_restless(module: nn.Module) -> bool:
    """Whether the module in training mode gives another value each time, or one that depends on the other rows."""
    if not module.training:
        return False
    if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.RReLU)):
        return True
    if isinstance(module, nn.modules.instancenorm._InstanceNorm):
        return bool(module.track_running_stats)
    rate = getattr(module, "p" if isinstance(module, nn.modules.dropout._DropoutNd) else "dropout", 0.0)
    return isinstance(rate, (int, float)) and rate > 0


def refuse_training_mode(module: nn.Module) -> None:
    """Refuse a module whose value is random, or depends on the other rows, in training mode.

    Raises
    ------
    DerivativeError
        Naming the submodules.
    """
    found = [
        f"{name or 'the module'} ({type(part).__name__})" for name, part in module.named_modules() if _is_restless(part)
    ]
    if found:
        shown = ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
        raise DerivativeError(
            "a module in evaluation mode",
            got=f"training mode with {shown}",
            remedy="call module.eval() first",
            where="argument function",
        )


def cut_off(what: str) -> DerivativeError:
    """The error for something that changes with the input while autograd sees no way from one to the other."""
    return DerivativeError(
        "a function that PyTorch can follow from input to output",
        got=f"{what} changes with the input but is cut off from it",
        remedy="remove .detach(), .data, .item(), .numpy(), torch.tensor(...) and torch.no_grad() from the way",
        where="argument function",
    )


def refuse_random(again: Any, first: Any) -> None:
    """Refuse a function that drew random numbers and gave two values at one point.

    Raises
    ------
    DerivativeError
    """
    if any(not torch.equal(a, b) for a, b in zip(again, first, strict=True)):
        raise DerivativeError(
            "a function that gives the same value at the same point",
            got="one that draws random numbers (dropout?)",
            remedy="call .eval() on its modules, or fix the random numbers outside of it",
            where="argument function",
        )
