"""What Jacobians and Hessians share: names, the plan in words, and the matrix in every form once it is asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from landform.derivatives.plan import WITHOUT_ZEROS, Mode, Plan, in_words, memory_bytes, refuse_too_large
from landform.derivatives.target import Target, refuse_not_finite_product
from landform.findings import Finding

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

    from landform.derivatives.matrix_program import MatrixProgram


class MatrixOperator(Finding):
    """A matrix of derivatives as a linear operator: nothing is formed until it is asked for."""

    kind: ClassVar[str]
    _target: Target
    _memory: str | int
    _mode: Mode = "auto"
    _sparsity: Any = None

    @property
    def _leaves_zeros_out(self) -> bool:
        """Whether the matrix is formed from its non-zeros: so asked for, or a pattern is given."""
        return self._mode in WITHOUT_ZEROS or (self._mode == "auto" and self._sparsity is not None)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""

    @property
    @abstractmethod
    def plan(self) -> Plan:
        """How the matrix is formed."""

    @abstractmethod
    def __matmul__(self, v: Any) -> Any:
        """The operator times a vector."""

    @abstractmethod
    def rmatvec(self, u: Any) -> Any:
        """Its transpose times a vector."""

    @property
    @abstractmethod
    def _dense(self) -> Any: ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._target.inputs

    def explain(self) -> str:
        """The plan in words, with its cost in products and memory, and what else there is to know."""
        t = self._target
        words = f"{self.shape[0]} × {self.shape[1]} {self.kind}, {in_words(lambda: self.plan)}"
        return "; ".join((words, *t.backend.notes(t.flat)))

    def dense(self) -> Any:
        """The matrix, of the operator's shape; that of a Hessian is symmetric to the last bit.

        Raises
        ------
        ShapeError
            If it does not fit the memory budget.
        DerivativeError
            If an entry is NaN or infinite; the entry is named.
        """
        return self._dense

    def _without_zeros(self, program: MatrixProgram, rows: Sequence[str], *free: Any, sort: bool = True) -> Any:
        """The matrix that a sparse program gives at the point."""
        from landform.derivatives.sparse.point import refuse_not_finite_data, sparse_matrix

        t, budget = self._target, memory_bytes(self._memory)
        refuse_too_large(program.plan.memory, budget, f"a sparse {program.m} × {program.n} {self.kind}")
        with t.precision():
            if t.native:
                y, data = program.value_and_data(t.x, *free)
            else:
                y, data = program.value_and_host_data(t.x, *free, sort=sort)
            refuse_not_finite_product(t.backend, y, t.output_names, "value at the point")
        matrix = sparse_matrix(t, program, data) if t.native else program.matrix(data, sort=sort)
        refuse_not_finite_data(t, data, program.pattern if t.native else matrix, rows, t.input_names)
        return matrix

    def _handed_out(self, matrix: Any) -> Any:
        """The matrix kept here as one of the caller's own, whose arrays may be written into."""
        return matrix.apart() if hasattr(matrix, "apart") else matrix

    def _filled(self) -> Any:
        """The sparse matrix with its zeros."""
        m, n = self.shape
        size = m * n * self._target.itemsize
        refuse_too_large(size, memory_bytes(self._memory), f"a {m} × {n} {self.kind}")
        matrix = self._sparse
        return matrix.to_dense() if hasattr(matrix, "to_dense") else matrix.todense()

    @property
    @abstractmethod
    def _sparse(self) -> Any: ...

    @abstractmethod
    def sparse(self, *, sort: bool = True) -> Any:
        """The matrix without its zeros."""

    def to_scipy(self) -> LinearOperator:
        """The operator for SciPy's solvers."""
        from scipy.sparse.linalg import LinearOperator

        give = self._target.backend.to_numpy
        return LinearOperator(
            self.shape,
            matvec=lambda v: give(self @ v.ravel()),
            rmatvec=lambda u: give(self.rmatvec(u.ravel())),
            dtype=give(self._target.x[:0]).dtype,
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(float_format=lambda v: f"{v:.4g}"))
