"""A function prepared once for its sparse derivatives at many points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from landform.derivatives.prepared import Prepared
from landform.derivatives.sparse.point import hessian_program, jacobian_program
from landform.derivatives.sparse.program import SparseProgram

Array = np.ndarray


@dataclass(frozen=True)
class PreparedSparse(Prepared):
    """Values and sparse derivatives of one function at any point of the same shape. Made by `prepare`.

    Matrices are `scipy.sparse.csr_array`, columns sorted within a row; all of one function share their index
    arrays. `native` gives the values alone, in the order of `rows` and `cols`, which is cheaper still.
    """

    @property
    def program(self) -> SparseProgram:
        """The compiled Jacobian."""
        return jacobian_program(self.target, self.memory)

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
            return np.asarray(self.program.native(self._at(x)))

    def value_and_jacobian(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Any]:
        """f(x) and J(x), sparse, from one call."""
        program = self.program
        with self.target.precision():
            y, data = program.value_and_data(self._at(x))
        return np.asarray(y), program.matrix(data)

    def jacobian(self, x: Float[Array, " n"]) -> Any:
        """J(x), sparse."""
        program = self.program
        with self.target.precision():
            return program.matrix(program.data(self._at(x)))

    def hessian(self, x: Float[Array, " n"], weights: Float[Array, " m"] | None = None) -> Any:
        """The Hessian of weights·f at x, sparse; the weights are one where there is one output."""
        program = hessian_program(self.target, self.memory)
        weights = self.target.vector(np.ones(1) if weights is None else weights, self.target.m, "output")
        with self.target.precision():
            data = program.data(self._at(x), weights)
        return program.matrix(data)

    def explain(self) -> str:
        """Non-zeros, cost and memory."""
        return f"{self.target.m} × {self.target.n} Jacobian, {self.program.plan}"
