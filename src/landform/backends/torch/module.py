"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from landform.errors import ModelError, ShapeError


class ModuleFunction:
    """What a module, and a loss on top of it, gives for any values of the parameters. Made by `from_torch`.

    Calling it with a dictionary from parameters' names to tensors gives the outputs, or the loss; with further
    arguments like ``data``, for these data.

    Parameters
    ----------
    module : torch.nn.Module
        Left as it is.
    loss : callable or None
        ``loss(outputs, *targets)``.
    inputs : tuple
        What the module is called with.
    targets : tuple
        What else the loss takes.
    names : tuple of str
        The parameters that may move.
    """

    def __init__(
        self,
        module: nn.Module,
        loss: Callable[..., Any] | None,
        inputs: tuple[Any, ...],
        targets: tuple[Any, ...],
        names: tuple[str, ...],
    ) -> None:
        self.module, self.loss = module, loss
        self._inputs, self._targets, self._names = inputs, targets, names

    @property
    def point(self) -> dict[str, torch.Tensor]:
        """The parameters' values now, detached, by name."""
        values = dict(self.module.named_parameters())
        return {name: values[name].detach() for name in self._names}

    def fixed(self) -> list[tuple[str, torch.Tensor]]:
        """The parameters and buffers that do not move."""
        held = [(k, v) for k, v in self.module.named_parameters() if k not in self._names]
        return [*held, *self.module.named_buffers()]

    @property
    def data(self) -> tuple[Any, ...]:
        """What the module and the loss take, as a call takes other data."""
        return self._inputs if self.loss is None else (self._inputs, *self._targets)

    def __call__(self, parameters: dict[str, torch.Tensor], *data: Any) -> Any:
        """The outputs, or the loss, for these values of the parameters, on other data where they are given."""
        inputs, targets = _parted(data, self.loss) if data else (self._inputs, self._targets)
        outputs = functional_call(self.module, parameters, inputs)
        return outputs if self.loss is None else self.loss(outputs, *targets)


class Prediction:
    """A module's outputs for any values of the parameters, at any inputs.

    Parameters
    ----------
    module : torch.nn.Module
        Left as it is.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, parameters: dict[str, torch.Tensor], *inputs: Any) -> Any:
        """The outputs."""
        return functional_call(self.module, parameters, inputs)


def module_function(
    module: nn.Module, data: Any, loss: Callable[..., Any] | None, parameters: Sequence[str] | None
) -> ModuleFunction:
    """What `landform.backends.from_torch` gives.

    Raises
    ------
    ModelError, ShapeError
    """
    if not isinstance(module, nn.Module):
        raise ModelError(
            "a torch.nn.Module",
            got=type(module).__name__,
            remedy="pass a function of tensors to landform.jacobian or landform.hessian as it is",
            where="argument module",
        )
    inputs, targets = _parted(data, loss)
    return ModuleFunction(module, loss, inputs, targets, _chosen(module, parameters))


def _parted(data: Any, loss: Callable[..., Any] | None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What the module takes, and what the loss takes besides."""
    if not isinstance(data, (tuple, list)):
        return (data,), ()
    if loss is None:
        return tuple(data), ()
    if not data:
        raise ShapeError("data for the module", got="an empty tuple", remedy="pass (inputs, targets)")
    inputs = tuple(data[0]) if isinstance(data[0], (tuple, list)) else (data[0],)
    return inputs, tuple(data[1:])


def _chosen(module: nn.Module, parameters: Sequence[str] | None) -> tuple[str, ...]:
    there = dict(module.named_parameters())
    if parameters is None:
        names = tuple(name for name, value in there.items() if value.requires_grad)
    else:
        names = (parameters,) if isinstance(parameters, str) else tuple(parameters)
    unknown = [name for name in names if name not in there]
    if unknown or not names:
        raise ShapeError(
            "names of the module's parameters",
            got=", ".join(map(repr, unknown)) or "no parameter that requires a gradient",
            remedy=f"choose among {', '.join(list(there)[:8])}" + (" and more" if len(there) > 8 else "")
            if there
            else "pass a module that has parameters",
            where="argument parameters",
        )
    return names
