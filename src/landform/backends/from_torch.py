"""The door to PyTorch's modules; PyTorch itself is imported when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from landform.errors import ModelError

if TYPE_CHECKING:
    import torch

    from landform.backends.torch.module import ModuleFunction


def from_torch(
    module: torch.nn.Module,
    data: Any,
    *,
    loss: Callable[..., Any] | None = None,
    parameters: Sequence[str] | None = None,
) -> ModuleFunction:
    """A module's outputs or loss on given data as a function of its parameters.

    A module itself is a function of its input: ``landform.jacobian(module, x)``. This is the other door:
    ``landform.hessian(f, f.point)`` with ``f = landform.from_torch(module, (X, y), loss=…)``. Rows and columns are
    named after the parameters, such as ``layer1.weight[0, 3]``.

    Parameters
    ----------
    module : torch.nn.Module
        It is not changed; without dropout and batch normalization in training mode.
    data : tensor, or tuple of tensors
        What the module is called with. With a loss: ``(inputs, targets)``, where a module of several inputs takes
        a tuple of them.
    loss : callable, optional
        ``loss(outputs, targets)``, such as ``torch.nn.functional.cross_entropy``, or ``loss(outputs)`` where the data
        hold no targets. Without it the outputs are what is differentiated.
    parameters : sequence of str, optional
        The parameters to differentiate by, named as in ``module.named_parameters()``; every one that requires a
        gradient if not given.

    Returns
    -------
    ModuleFunction
        Callable with a dictionary of parameters; its ``point`` is the dictionary of the values now.

    Raises
    ------
    ModelError
        If ``module`` is no module, or PyTorch is not installed.
    ShapeError
        If there is no such parameter, or none is left to move.

    Examples
    --------
    >>> import pytest
    >>> torch = pytest.importorskip("torch", reason="needs the extra torch")
    >>> net = torch.nn.Linear(2, 1).double()
    >>> X, y = torch.tensor([[1.0, 2.0], [3.0, 5.0]]).double(), torch.tensor([[1.0], [0.0]]).double()
    >>> f = from_torch(net, (X, y), loss=torch.nn.functional.mse_loss)
    >>> from landform.derivatives import hessian
    >>> hessian(f, f.point).to_frame().round(6)
                  weight[0, 0]  weight[0, 1]  bias[0]
    weight[0, 0]          10.0          17.0      4.0
    weight[0, 1]          17.0          29.0      7.0
    bias[0]                4.0           7.0      2.0
    """
    try:
        from landform.backends.torch.module import module_function
    except ModuleNotFoundError as error:
        raise ModelError(
            "PyTorch for a PyTorch module",
            got=f"no package {error.name!r}",
            remedy='install it with pip install "landform[torch]"',
            where="from_torch",
        ) from error
    return module_function(module, data, loss, parameters)
