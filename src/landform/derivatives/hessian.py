"""The Hessian: how the slopes change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np

from landform.backends.model import Model
from landform.derivatives.operator import MatrixOperator
from landform.derivatives.plan import DEFAULT_MEMORY, WITHOUT_ZEROS, Mode, Plan, hessian_plan, refuse_other_pattern
from landform.derivatives.target import (
    Target,
    make_target,
    refuse_no_value,
    refuse_not_finite,
    refuse_not_finite_product,
)
from landform.derivatives.untraceable import refuse_options
from landform.errors import ShapeError

if TYPE_CHECKING:
    import pandas as pd

    from landform.derivatives.layers import Layers, RecordedLayers
    from landform.derivatives.matrix_program import MatrixProgram
    from landform.derivatives.numeric import NumericOptions


class Hessian(MatrixOperator):
    """Every second derivative of a scalar at one point, as a symmetric operator of shape (n, n).

    ``H @ v`` and ``H.quadratic(v)`` form no matrix. Made by `hessian`.
    """

    kind = "Hessian"

    def __init__(
        self,
        target: Target,
        weights: Any,
        *,
        memory: str | int = DEFAULT_MEMORY,
        mode: Mode = "auto",
        sparsity: Any = None,
    ) -> None:
        self._target = target
        self._weights = weights
        self._memory = memory
        self._mode = mode
        self._sparsity = sparsity

    @property
    def shape(self) -> tuple[int, int]:
        """(inputs, inputs)."""
        return self._target.n, self._target.n

    def __matmul__(self, v: Any) -> Any:
        """H v for v of shape (n,), at about two and a half gradients."""
        t = self._target
        with t.precision():
            found = t.backend.value_and_hessian_product(t.flat, t.x, self._weights, t.vector(v, t.n, "input"), *t.args)
            product = self._with_value(*found)
            return t.give(refuse_not_finite_product(t.backend, product, t.input_names, "product H v"))

    def rmatvec(self, u: Any) -> Any:
        """H' u, which is H u."""
        return self @ u

    def quadratic(self, v: Any) -> Any:
        """v' H v: the curvature along v, with no matrix formed."""
        t = self._target
        with t.precision():
            found = t.backend.value_and_quadratic(t.flat, t.x, self._weights, t.vector(v, t.n, "input"), *t.args)
            curve = self._with_value(*found)
            return t.give(refuse_not_finite_product(t.backend, curve, ("the curvature along v",), "product v' H v"))

    def _with_value(self, value: Any, found: Any) -> Any:
        """What was found, where the function has a value."""
        if self._target.backend.first_not_finite(value) is not None:
            refuse_no_value(self._target)
        return found

    @cached_property
    def plan(self) -> Plan:
        """How the matrix is formed."""
        if self._leaves_zeros_out:
            return self._program.plan
        layers = self._layers
        return self._by_products(layers) if isinstance(layers, str) else layers.plan

    def _by_products(self, why: str) -> Plan:
        t = self._target
        mode, reason = t.backend.hessian_plan
        plan = hessian_plan(t.n, t.itemsize, memory=self._memory, mode=mode, reason=reason, work=t.work)
        return replace(plan, reason=f"{plan.reason}; not by layers: {why}") if why else plan

    @cached_property
    def _layers(self) -> Layers | RecordedLayers | str:
        from landform.derivatives.layers import layers_of

        return layers_of(self._target, self._weights, self._memory)

    @cached_property
    def _dense(self) -> Any:
        t = self._target
        if self._leaves_zeros_out:
            return self._filled()
        if not isinstance(self._layers, str):
            refuse_no_value(t)
            matrix = self._checked_layers(self._layers)
            if matrix is not None:
                return t.give(matrix)
        with t.precision():
            y, matrix = t.backend.hessian_dense(t.flat, self.plan.chunk, t.x, self._weights, *t.args)
            refuse_not_finite_product(t.backend, y, t.output_names, "value at the point")
        matrix = t.give(matrix)
        refuse_not_finite(t.backend, matrix, t.input_names, t.input_names, "Hessian")
        return matrix

    def _checked_layers(self, layers: Layers | RecordedLayers) -> Any:
        """The matrix by layers, if it agrees with a product along a random direction.

        A matrix that agrees is finite: one NaN or infinity would spoil the product.
        """
        t = self._target
        with t.precision():
            v = t.backend.vector(np.random.default_rng(t.n).standard_normal(t.n), t.x)
            matrix = layers.dense(t, self._weights)
            truth = t.backend.to_numpy(t.backend.hessian_product(t.flat, t.x, self._weights, v, *t.args))
            gap = float(np.linalg.norm(t.backend.to_numpy(matrix @ v) - truth))
        if gap <= t.backend.rounding(t.x) ** 0.5 * max(float(np.linalg.norm(truth)), float(np.finfo(truth.dtype).tiny)):
            return matrix
        self.plan = self._by_products(f"they miss a product by {gap:.2g}")
        return None

    @cached_property
    def _program(self) -> MatrixProgram:
        from landform.derivatives.colored import hessian_matrix

        return hessian_matrix(self._target, self._memory, self._weights, mode=self._mode, sparsity=self._sparsity)

    def sparse(self, *, sort: bool = True) -> Any:
        """The matrix without its zeros, at about the cost of a few gradients.

        Parameters
        ----------
        sort : bool
            Whether columns are sorted within a row. Sorting may take as long as the rest.

        Returns
        -------
        scipy.sparse.csr_array
            Symmetric to the last bit. A JAX point gives a
            `jax.experimental.sparse.BCOO`, a PyTorch point a sparse CSR tensor.

        Raises
        ------
        DerivativeError
            If an entry is NaN or infinite; the entry is named.
        ShapeError
            If the matrix turns out dense and does not fit the memory budget.

        Examples
        --------
        >>> H = hessian(lambda x: (x[1:] ** 2 * x[:-1]).sum(), np.array([2.0, 3.0, 5.0]))
        >>> H.sparse().toarray()
        array([[ 0.,  6.,  0.],
               [ 6.,  4., 10.],
               [ 0., 10.,  6.]])
        """
        return self._handed_out(self._sparse if sort else self._unsorted)

    @cached_property
    def _sparse(self) -> Any:
        return self._without_zeros(self._program, self._target.input_names, self._weights)

    @cached_property
    def _unsorted(self) -> Any:
        return self._without_zeros(self._program, self._target.input_names, self._weights, sort=False)

    def diagonal(self) -> Any:
        """The second derivative along every input, shape (n,)."""
        sparse = self._leaves_zeros_out and not self._target.native
        return self.sparse().diagonal() if sparse else self.dense().diagonal()

    def to_frame(self) -> pd.DataFrame:
        """The matrix as a table labelled with the inputs' names."""
        import pandas as pd

        matrix = self._target.backend.to_numpy(self.dense())
        return pd.DataFrame(matrix, index=list(self.inputs), columns=list(self.inputs))


def hessian(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    weights: Any = None,
    memory: str | int = DEFAULT_MEMORY,
    inputs: Sequence[str] | None = None,
    mode: Literal["auto", "sparse", "colored", "numeric"] = "auto",
    **numeric: Unpack[NumericOptions],
) -> Hessian:
    """Every second derivative of a scalar function at one point, exactly, by automatic differentiation.

    A black box is differentiated from its values with ``mode="numeric"``, and then every entry has an error bar.

    Parameters
    ----------
    function : callable or Model
        A JAX or PyTorch function of ``x`` (and ``args``) with one output, as for `landform.jacobian`; with several,
        pass ``weights``.
    x : array or tree of arrays
        The point, n numbers in all.
    args : sequence
        Further arguments of the function, held fixed.
    weights : array, shape (m,), optional
        The Hessian is that of ``weights · function``.
    memory : str or int
        The most that forming the matrix may take.
    inputs : sequence of str, optional
        Names; a model brings its own.
    mode : {"auto", "sparse", "colored", "numeric"}
        "sparse" leaves out the zeros, "colored" too, by products that columns share. "numeric" calls the function
        as it is and never traces it; nothing switches to it unasked.
    sparsity : symmetric matrix of shape (n, n), ColoredPattern or "detect", optional
        Where entries can differ from zero, as for `landform.jacobian`; not for ``mode="numeric"``.
    **numeric
        As for `landform.jacobian`; at most 15 evaluations for an input and 10 for a pair.

    Returns
    -------
    Hessian
        Operator of shape (n, n), in units of the output per unit of input i per unit of input j.

    Raises
    ------
    ShapeError
        If the function has several outputs and no weights are given, or the point is not numeric.

    References
    ----------
    Pearlmutter (1994), "Fast exact multiplication by the Hessian", Neural Computation 6.

    Examples
    --------
    >>> import numpy as np
    >>> H = hessian(lambda x: x[0] ** 2 * x[1], np.array([3.0, 5.0]))
    >>> H.dense()
    array([[10.,  6.],
           [ 6.,  0.]])
    >>> float(H.quadratic(np.array([1.0, 1.0])))
    22.0
    """
    if mode == "numeric":
        from landform.derivatives.numeric import numeric_hessian

        return numeric_hessian(function, x, args=args, weights=weights, inputs=inputs, options=numeric)
    if mode not in ("auto", *WITHOUT_ZEROS):
        expected = 'mode "auto", "sparse", "colored" or "numeric"'
        raise ShapeError(expected, got=repr(mode), remedy="choose one", where="argument mode")
    sparsity = numeric.pop("sparsity", None)
    refuse_options(numeric)
    refuse_other_pattern(sparsity)
    target = make_target(function, x, args=args, inputs=inputs)
    if weights is None:
        if target.m != 1:
            raise ShapeError(
                "a function with one output",
                got=f"{target.m} outputs",
                remedy="pass weights= to say which combination of them",
            )
        weights = np.ones(1)
    if hasattr(weights, "copy_") or isinstance(weights, np.ndarray):  # the caller may write into them later
        weights = weights.clone() if hasattr(weights, "clone") else weights.copy()
    weights = target.vector(weights, target.m, "output")
    return Hessian(target, weights, memory=memory, mode=mode, sparsity=sparsity)
