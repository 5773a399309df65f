"""The Laplacian: the sum of the second derivatives along every input, without a Hessian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from landform.backends.model import Model
from landform.derivatives.plan import DEFAULT_MEMORY, memory_bytes
from landform.derivatives.target import make_target, refuse_no_value, refuse_not_finite_product


def laplacian(
    function: Callable[..., Any] | Model, x: Any, *, args: Sequence[Any] = (), memory: str | int = DEFAULT_MEMORY
) -> Any:
    """The trace of every output's Hessian, in one pass forwards: no matrix is formed.

    With JAX every operation carries values, slopes along all inputs and Laplacians to those of its results; one
    without a rule goes by its own second derivatives. With PyTorch the Hessian's diagonal is summed product by product.

    Parameters
    ----------
    function : callable or Model
        A JAX or PyTorch function of ``x`` (and ``args``), m outputs.
    x : array or tree of arrays
        The point, n numbers in all.
    args : sequence
        Further arguments of the function, held fixed.
    memory : str or int
        What the slopes taken at once may need; where those along all inputs need more, some are taken at a time.

    Returns
    -------
    array, shape (m,)
        In units of the output per squared unit of the inputs, which should have one unit.

    Raises
    ------
    ShapeError, DerivativeError
        As for `landform.jacobian`.

    References
    ----------
    Li et al. (2024), "A computational framework for neural network-based variational Monte Carlo with Forward
    Laplacian", Nature Machine Intelligence 6.

    Examples
    --------
    >>> import numpy as np
    >>> laplacian(lambda x: x[:1] ** 2 * x[1:], np.array([3.0, 5.0]))
    array([10.])
    """
    t = make_target(function, x, args=args)
    refuse_no_value(t)
    if t.backend.name == "JAX":
        from landform.derivatives.forward import forward_laplacian

        with t.precision():
            found = forward_laplacian(t.flat, memory_bytes(memory), t.x, *t.args)
            return t.give(refuse_not_finite_product(t.backend, found, t.output_names, "Laplacian"))
    chunk = max(1, min(32, t.n, memory_bytes(memory) // (16 * t.itemsize * (t.m + t.n))))
    with t.precision():
        found = t.backend.laplacian(t.flat, chunk, t.x, *t.args)
        return t.give(refuse_not_finite_product(t.backend, found, t.output_names, "Laplacian"))
