"""A model with closed forms, prepared: NumPy at one point and at many, and nothing compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.closed import Closed, values_and_slopes
from landform.backends.model import Model
from landform.derivatives.prepared import Prepared
from landform.derivatives.target import Target, refuse_not_finite_product

Array = np.ndarray


def closed_of(function: Any, target: Target, args: Any) -> Closed | None:
    """The closed form that serves a model at NumPy points in double precision; None where none does."""
    if not isinstance(function, Model) or len(args) or target.native:
        return None
    return function.closed if getattr(target.x, "dtype", None) == np.float64 else None


@dataclass(frozen=True)
class PreparedClosed(Prepared):
    """Values and derivatives by a model's closed forms. Made by `landform.prepare`."""

    closed: Closed = field(kw_only=True)

    def _form(self, X: Array, order: int) -> list[Array]:
        """Values, slopes and curves at rows up to an order, in full."""
        m, n = self.target.m, self.target.n
        found = []
        for k, part in enumerate(self.closed(X, order)):
            shape = (len(X), m, *(n,) * k)
            found.append(np.zeros(shape) if part is None else np.array(np.broadcast_to(part, shape)))
        return found

    def _of(self, x: Any, order: int) -> list[Array]:
        found = [part[0] for part in self._form(self._at(x)[None], order)]
        if order > 0:
            self._checked("Jacobian", found[1], found[0])
        if order > 1:
            self._checked("Hessian", found[2])
        return found

    def _rows(self, X: Any) -> Array:
        return np.asarray(X, dtype=np.float64)

    def value(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """f(x), finite or not."""
        return self._of(x, 0)[0]

    def values(self, X: Float[Array, "rows n"]) -> Float[Array, "rows m"]:
        """f at every row of X, in one call."""
        return self._form(self._rows(X), 0)[0]

    def value_and_jacobian(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        """f(x) and J(x)."""
        y, matrix = self._of(x, 1)
        return y, matrix

    def values_and_jacobians(
        self, X: Float[Array, "rows n"]
    ) -> tuple[Float[Array, "rows m"], Float[Array, "rows m n"]]:
        """f and J at every row of X, in one call."""
        Y, J = values_and_slopes(self.closed, self._rows(X), self.target.m)
        self._checked("Jacobian", J, Y)
        return Y, J

    def second(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"], Float[Array, "m n n"]]:
        """f, J and the Hessian of every output."""
        y, jacobian, curves = self._of(x, 2)
        return y, jacobian, curves

    def bend(self, x: Float[Array, " n"], v: Float[Array, " n"]) -> Float[Array, " m"]:
        """The second derivative of every output at x along v."""
        v = self._at(v)
        return self._finite(self._of(x, 2)[2] @ v @ v, self.target.output_names, "second derivative along v")

    def hessian(self, x: Float[Array, " n"], weights: Float[Array, " m"] | None = None) -> Float[Array, "n n"]:
        """The Hessian of weights·f at x; the weights are one where there is one output."""
        return np.asarray(np.tensordot(self._weights(weights), self._of(x, 2)[2], axes=1))

    def hessian_product(
        self, x: Float[Array, " n"], v: Float[Array, " n"], weights: Float[Array, " m"] | None = None
    ) -> Float[Array, " n"]:
        """The Hessian of weights·f at x times v."""
        return self._finite(self.hessian(x, weights) @ self._at(v), self.target.input_names, "product H v")

    def _finite(self, product: Array, names: Any, what: str) -> Array:
        if self.finite:
            refuse_not_finite_product(self.target.backend, product, names, what)
        return product

    def explain(self) -> str:
        """Which plan."""
        return f"{self.target.m} × {self.target.n} Jacobian, by the model's closed form"
