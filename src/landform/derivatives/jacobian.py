"""The Jacobian: how every output moves with every input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from landform.backends.model import Model
from landform.derivatives.operator import MatrixOperator
from landform.derivatives.plan import (
    DEFAULT_MEMORY,
    WITHOUT_ZEROS,
    Mode,
    Plan,
    jacobian_plan,
    refuse_other_mode,
    refuse_other_pattern,
)
from landform.derivatives.target import (
    Target,
    make_target,
    refuse_not_finite,
    refuse_not_finite_product,
    refuse_unwalkable,
)
from landform.derivatives.untraceable import refuse_options
from landform.errors import ShapeError

if TYPE_CHECKING:
    import pandas as pd

    from landform.derivatives.batch import Jacobians
    from landform.derivatives.matrix_program import MatrixProgram
    from landform.derivatives.numeric import NumericOptions


class Jacobian(MatrixOperator):
    """Every first derivative of a function at one point, as a linear operator of shape (m, n).

    ``J @ v`` and ``J.T @ u`` cost a few evaluations of the function and form no matrix; `dense` forms it.
    Made by `jacobian`.
    """

    kind = "Jacobian"

    def __init__(
        self, target: Target, *, mode: Mode = "auto", memory: str | int = DEFAULT_MEMORY, sparsity: Any = None
    ) -> None:
        self._target = target
        self._mode: Mode = mode
        self._memory = memory
        self._sparsity = sparsity

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)."""
        return self._target.m, self._target.n

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the rows."""
        return self._target.outputs

    def __matmul__(self, v: Any) -> Any:
        """J v: the rate of change of every output along the direction v of shape (n,)."""
        t = self._target
        with t.precision():
            y, product = t.backend.value_and_pushforward(t.flat, t.x, t.vector(v, t.n, "input"), *t.args)
            refuse_not_finite_product(t.backend, y, t.output_names, "value at the point")
            return t.give(refuse_not_finite_product(t.backend, product, t.output_names, "product J v"))

    def rmatvec(self, u: Any) -> Any:
        """J' u for u of shape (m,): the gradient of u·f."""
        t = self._target
        with t.precision():
            y, product = t.backend.value_and_pullback(t.flat, t.x, t.vector(u, t.m, "output"), *t.args)
            refuse_not_finite_product(t.backend, y, t.output_names, "value at the point")
            return t.give(refuse_not_finite_product(t.backend, product, t.input_names, "product J' u"))

    @property
    def T(self) -> TransposedJacobian:  # noqa: N802 - the name every array library uses
        """The transpose, an operator itself."""
        return TransposedJacobian(self)

    @cached_property
    def plan(self) -> Plan:
        """How the matrix is formed."""
        t = self._target
        if self._leaves_zeros_out:
            return self._program.plan
        return jacobian_plan(t.m, t.n, t.itemsize, mode=self._mode, memory=self._memory, **t.costs)

    @cached_property
    def _dense(self) -> Any:
        t, plan = self._target, self.plan
        if self._leaves_zeros_out:
            return self._filled()
        form = t.backend.jacobian_forward if plan.mode == "forward" else t.backend.jacobian_reverse
        with t.precision():
            value, matrix = form(t.flat, plan.chunk, t.x, *t.args)
            refuse_not_finite_product(t.backend, value, t.output_names, "value at the point")
            matrix = t.give(matrix)
        refuse_not_finite(t.backend, matrix, t.output_names, t.input_names, "Jacobian")
        return matrix

    @cached_property
    def _program(self) -> MatrixProgram:
        from landform.derivatives.colored import jacobian_matrix

        mode: Mode = self._mode if self._mode in WITHOUT_ZEROS else "auto"
        return jacobian_matrix(self._target, self._memory, mode=mode, sparsity=self._sparsity)

    def sparse(self, *, sort: bool = True) -> Any:
        """The matrix without its zeros, at about the cost of a few evaluations of the function.

        Where the zeros are is found by tracing, once for a function: what may be non-zero at some point is
        stored. An operation whose structure is not known counts as dense; where the slopes would then be many,
        products shared by columns (``mode="colored"``) take their place. `explain`, of a Jacobian made with
        ``mode="sparse"`` or ``mode="colored"``, says what it costs.

        Parameters
        ----------
        sort : bool
            Whether columns are sorted within a row. Sorting may take as long as the rest.

        Returns
        -------
        scipy.sparse.csr_array
            A JAX point gives a `jax.experimental.sparse.BCOO`, a PyTorch
            point a sparse CSR tensor.

        Raises
        ------
        DerivativeError
            If an entry is NaN or infinite; the entry is named.
        ShapeError
            If the matrix turns out dense and does not fit the memory budget.

        Examples
        --------
        >>> import numpy as np
        >>> J = jacobian(lambda x: x[1:] * x[:-1], np.array([2.0, 3.0, 5.0]))
        >>> J.sparse().toarray()
        array([[3., 2., 0.],
               [0., 5., 3.]])
        """
        return self._handed_out(self._sparse if sort else self._unsorted)

    @cached_property
    def _sparse(self) -> Any:
        return self._without_zeros(self._program, self._target.output_names)

    @cached_property
    def _unsorted(self) -> Any:
        return self._without_zeros(self._program, self._target.output_names, sort=False)

    def to_frame(self) -> pd.DataFrame:
        """The matrix as a table with one row per output and one column per input."""
        import pandas as pd

        matrix = self._target.backend.to_numpy(self.dense())
        rows = [f"d {name}" for name in self.outputs]
        return pd.DataFrame(matrix, index=rows, columns=[f"/ d {name}" for name in self.inputs])


class TransposedJacobian:
    """J' as an operator of shape (n, m)."""

    def __init__(self, jacobian: Jacobian) -> None:
        self.T = jacobian

    @property
    def shape(self) -> tuple[int, int]:
        """(inputs, outputs)."""
        return self.T.shape[1], self.T.shape[0]

    def __matmul__(self, u: Any) -> Any:
        """J' u."""
        return self.T.rmatvec(u)

    def dense(self) -> Any:
        """The matrix, shape (n, m)."""
        return self.T.dense().T


@overload
def jacobian(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = ...,
    mode: Mode = ...,
    memory: str | int = ...,
    inputs: Sequence[str] | None = ...,
    outputs: Sequence[str] | None = ...,
    batched: Literal[False] = ...,
    **numeric: Unpack[NumericOptions],
) -> Jacobian: ...


@overload
def jacobian(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = ...,
    mode: Mode = ...,
    memory: str | int = ...,
    inputs: Sequence[str] | None = ...,
    outputs: Sequence[str] | None = ...,
    batched: Literal[True],
    **numeric: Unpack[NumericOptions],
) -> Jacobians: ...


def jacobian(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    mode: Mode = "auto",
    memory: str | int = DEFAULT_MEMORY,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    batched: bool = False,
    **numeric: Unpack[NumericOptions],
) -> Jacobian | Jacobians:
    """Every first derivative of every output at one point, exactly, by automatic differentiation.

    Entry (i, j) says how fast output i changes per unit of input j. A black box, any Python function of a NumPy
    array, is differentiated from its values with ``mode="numeric"``, and then every entry has an error bar.

    Parameters
    ----------
    function : callable or Model
        A JAX function of ``x`` (and ``args``), a model from another room, or with a point of tensors a PyTorch
        function or ``torch.nn.Module`` (by its parameters: `landform.from_torch`).
    x : array or tree of arrays
        The point, n numbers in all, in the function's own units. NumPy points are worked on in double
        precision and give NumPy results; JAX arrays and PyTorch tensors keep their precision and device.
    args : sequence
        Further arguments of the function, held fixed.
    mode : {"auto", "forward", "reverse", "sparse", "colored", "numeric"}
        How the matrix is formed; "auto" takes the cheaper exact dense way, "sparse" leaves out the zeros, "colored"
        too, by products that columns or rows share. "numeric" calls the function as it is and never traces it;
        nothing switches to it unasked.
    memory : str or int
        The most that forming the matrix may take.
    inputs, outputs : sequence of str, optional
        Names; a model brings its own, and those of trees come from their paths, such as ``layer1.weight[0, 3]``.
    batched : bool
        Whether ``x`` holds many points along its first axis: then every row's Jacobian is made, by one compiled
        program in chunks under the memory budget, and given as `Jacobians` of shape (rows, m, n).
    sparsity : matrix of shape (m, n), ColoredPattern or "detect", optional
        Where entries can differ from zero, for `Jacobian.sparse`, ``mode="colored"`` and ``mode="numeric"``: an array,
        a SciPy sparse matrix or a JAX BCOO. It is checked at the point by random products. Found by tracing where
        not given; "detect" says so for JAX, and elsewhere takes what is seen at three points near ``x``, or, of a black
        box, what groups of inputs move there.
    **numeric
        With ``mode="numeric"`` only: ``bounds=(lower, upper)``, which no evaluation leaves; ``noise``, the
        outputs' standard deviation, measured where not given; ``budget``, the most evaluations (15 per input);
        ``scale`` of the inputs; ``executor``; ``progress`` (`landform.derivatives.numeric.NumericOptions`).

    Returns
    -------
    Jacobian
        Operator of shape (m, n), in units of output i per unit of input j. A numeric one also has ``error()``,
        ``evaluations``, ``noise`` and ``failures``.

    Raises
    ------
    ShapeError
        If the point holds whole numbers, complex numbers, NaN or infinity, or names do not fit.
    DerivativeError
        If the outputs are not real floating-point numbers, or a pattern lacks an entry (when the matrix is formed).

    References
    ----------
    Griewank and Walther (2008), *Evaluating Derivatives*, ch. 3.
    The numeric mode fits Taylor terms and noise together; for the problem it solves in another way, see Shi, Xie, Xuan
    and Nocedal (2022), "Adaptive finite-difference interval estimation for noisy derivative-free optimization", SIAM J.
    Sci. Comput. 44.

    Examples
    --------
    >>> import numpy as np
    >>> J = jacobian(lambda x: np.array([1.0, 2.0]) * x[0] ** 2 * x[1], np.array([3.0, 5.0]))
    >>> J.dense()
    array([[30.,  9.],
           [60., 18.]])
    >>> J @ np.array([1.0, 0.0])
    array([30., 60.])
    >>> J.T @ np.array([1.0, 1.0])
    array([90., 27.])

    >>> import math
    >>> S = jacobian(lambda x: math.exp(x[0]), np.array([1.0]), mode="numeric", bounds=(0, 1), inputs=["dose"])
    >>> bool(abs(S.dense()[0, 0] - math.e) < 2 * S.error()[0, 0] < 1e-10), S.evaluations
    (True, 15)
    """
    refuse_other_mode(mode)
    if mode == "numeric" and not batched:
        from landform.derivatives.numeric import numeric_jacobian

        return numeric_jacobian(function, x, args=args, inputs=inputs, outputs=outputs, options=numeric)
    sparsity = numeric.pop("sparsity", None)
    refuse_options(numeric)
    refuse_other_pattern(sparsity)
    if sparsity is not None and (batched or mode in ("forward", "reverse")):
        raise ShapeError(
            'mode "auto", "colored" or "numeric" at one point beside a pattern',
            got="sparsity= with batched=True" if batched else f"sparsity= with mode={mode!r}",
            remedy="leave one of them out",
            where="argument sparsity",
        )
    if batched:
        from landform.derivatives.batch import jacobians

        if mode != "auto":
            raise ShapeError('mode "auto" for a batch', got=repr(mode), remedy="leave it out", where="argument mode")
        return jacobians(function, x, args=args, memory=memory, inputs=inputs, outputs=outputs)
    target = make_target(function, x, args=args, inputs=inputs, outputs=outputs)
    if mode == "sparse":
        refuse_unwalkable(target)
    return Jacobian(target, mode=mode, memory=memory, sparsity=sparsity)
