"""A function prepared once for its sparse derivatives at many points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from jaxtyping import Float, Int

from landform.derivatives.colored.check import refuse_missing
from landform.derivatives.colored.choose import hessian_matrix, jacobian_matrix
from landform.derivatives.colored.structure import is_jax
from landform.derivatives.coloring import ColoredPattern, make_structure
from landform.derivatives.matrix_program import MatrixProgram
from landform.derivatives.plan import Mode, Plan
from landform.derivatives.prepared import Effort, Prepared
from landform.derivatives.sparse.point import refuse_not_finite_data
from landform.derivatives.target import Target, refuse_not_finite_product

Array = np.ndarray


@dataclass(frozen=True)
class PreparedSparse(Prepared):
    """Values and sparse derivatives of one function at any point of the same shape. Made by `prepare`.

    Matrices are `scipy.sparse.csr_array`, columns sorted within a row; all of one function share their index
    arrays, which are read-only until a matrix is changed in place: then it copies them first. With PyTorch a tensor
    gives a sparse CSR tensor. `native` gives the values alone, in the order of `rows` and `cols`, which is cheaper
    still.
    """

    mode: Mode = "sparse"
    sparsity: Any = None
    curve_sparsity: Any = None

    @cached_property
    def plan(self) -> Plan:
        """How the sparse Jacobian is formed."""
        return self.program.plan

    @cached_property
    def program(self) -> MatrixProgram:
        """The compiled Jacobian."""
        return jacobian_matrix(self.target, self.memory, mode=self.mode, sparsity=self.sparsity)

    @cached_property
    def _curved(self) -> MatrixProgram:
        weights = self.target.vector(np.ones(self.target.m), self.target.m, "output")
        return hessian_matrix(self.target, self.memory, weights, mode=self.mode, sparsity=self.curve_sparsity)

    @property
    def rows(self) -> Int[Array, " k"]:
        """Output of every value of `native`."""
        return self.program.rows

    @property
    def cols(self) -> Int[Array, " k"]:
        """Input of every value of `native`; where a place stands twice, its values add up."""
        return self.program.cols

    def native(self, x: Float[Array, " n"]) -> Float[Array, " k"]:
        """The slopes at x, in the order of `rows` and `cols`."""
        with self.target.precision():
            return self._give(x, self.program.native(self._at(x)))[0]

    def value_and_jacobian(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Any]:
        """f(x) and J(x), sparse, from one call."""
        y, data = self._both(self.program, x)
        return self._give(x, y)[0], self._matrix(self.program, x, data)

    def jacobian(self, x: Float[Array, " n"], *, sort: bool = True) -> Any:
        """J(x), sparse; ``sort=False``: as for `landform.Jacobian.sparse`."""
        return self._formed(self.program, x, sort=sort)

    def hessian(self, x: Float[Array, " n"], weights: Float[Array, " m"] | None = None, *, sort: bool = True) -> Any:
        """The Hessian of weights·f at x, sparse; the weights are one where there is one output."""
        weights = self.target.vector(np.ones(1) if weights is None else weights, self.target.m, "output")
        return self._formed(self._curved, x, weights, sort=sort)

    @property
    def _in_numpy(self) -> bool:
        """Whether every result is NumPy's, whatever the point."""
        return is_jax(self.target)

    def _formed(self, program: MatrixProgram, x: Any, *free: Any, sort: bool) -> Any:
        return self._matrix(program, x, self._both(program, x, *free, sort=sort)[1], sort=sort)

    def _both(self, program: MatrixProgram, x: Any, *free: Any, sort: bool = True) -> tuple[Any, Any]:
        """The function's value, which has to be finite, and the derivative's values."""
        at = self._at(x)
        with self.target.precision():
            if self._in_numpy:
                y, data = program.value_and_host_data(at, *free, sort=sort)
            else:
                y, data = program.value_and_data(at, *free)
        if self.finite:
            refuse_not_finite_product(self.target.backend, y, self.target.output_names, "value at the point")
        return y, data

    def _matrix(self, program: MatrixProgram, x: Any, data: Any, *, sort: bool = True) -> Any:
        """The values as a matrix in the form that the point x came in."""
        found = self._give(x, data)[0]
        matrix = program.matrix(found, sort=sort) if isinstance(found, np.ndarray) else None
        if self.finite:
            rows = self.target.output_names if program is self.program else self.target.input_names
            pattern = program.pattern if matrix is None else matrix
            refuse_not_finite_data(self.target, data, pattern, rows, self.target.input_names)
        if matrix is not None:
            return matrix
        indptr, indices = program.pattern.indptr, program.pattern.indices
        return cast(Any, self.target.backend).sparse_matrix(indptr, indices, found, (program.m, program.n))

    def explain(self) -> str:
        """Non-zeros, cost and memory."""
        return f"{self.target.m} × {self.target.n} Jacobian, {self.program.plan}"


def prepare_sparse(
    target: Target,
    effort: Effort,
    memory: str | int,
    *,
    mode: Mode,
    sparsity: Any = None,
    verify: bool = False,
    finite: bool = True,
) -> PreparedSparse:
    """The sparse derivatives of a target, prepared; see `landform.prepare`. "sparse" takes the cheaper way.

    A pattern of shape (m, n) is the Jacobian's. The Hessian's is found by tracing, or, where that cannot be, follows
    from it: inputs are coupled only by an output that both move. A function with one output may be given its
    Hessian's, of shape (n, n), instead.
    """
    slopes, curves = sparsity, None
    if sparsity is not None and not isinstance(sparsity, str):
        slopes, curves = _both(target, sparsity)
    way: Mode = "auto" if mode == "sparse" and sparsity is None else mode
    program = jacobian_matrix(target, memory, mode=way, sparsity=slopes)
    if verify:
        refuse_missing(target, program)
    found = PreparedSparse(target, way, effort, memory, finite, sparsity=slopes, curve_sparsity=curves)
    found.__dict__["program"] = program  # not worked out again
    if sparsity is not None and slopes is not sparsity and curves is not None:
        _ = found._curved  # the pattern was given, and is checked now
    return found


def _both(target: Target, sparsity: Any) -> tuple[Any, Any]:
    """Patterns of the Jacobian and of the Hessian from the one that was given."""
    given = sparsity if isinstance(sparsity, ColoredPattern) else make_structure(sparsity)
    if target.m == 1 and given.shape == (target.n, target.n) != (1, 1):
        return np.ones((1, target.n)), given
    if is_jax(target) or target.m == 1:
        return given, None
    pattern = given.structure.matrix if isinstance(given, ColoredPattern) else given.matrix
    return given, pattern.T @ pattern
