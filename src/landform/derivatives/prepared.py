"""A function prepared once for its derivatives at many points: tracing and compilation are paid once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.plan import DEFAULT_MEMORY, Mode, Plan, hessian_plan, jacobian_plan, memory_bytes
from landform.derivatives.target import Target, make_target
from landform.derivatives.untraceable import traceable
from landform.derivatives.verify import verify as check
from landform.errors import ShapeError

Array = np.ndarray
Effort = Literal["full", "quick"]


@dataclass(frozen=True)
class Prepared:
    """Values and derivatives of one function at any point of the same shape. Made by `prepare`.

    Points and results are flat NumPy vectors in the precision of the point it was prepared with: made for
    the inside of a solver's loop.
    """

    target: Target
    plan: Plan
    effort: Effort = "full"
    memory: str | int = DEFAULT_MEMORY
    _fixed: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def _run(self, program: Any, *args: Any) -> Any:
        """Call a compiled program in the precision of the point."""
        with self.target.precision():
            return (program.quick if self.effort == "quick" else program)(*args, *self.target.args)

    def _at(self, x: Any) -> Array:
        return np.asarray(self.target.vector(x, self.target.n, "input"), dtype=self.target.x.dtype)

    def value(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """f(x)."""
        return np.asarray(self._run(self.target.backend.value, self.target.flat, self._at(x)))

    def values(self, X: Float[Array, "rows n"]) -> Float[Array, "rows m"]:
        """f at every row of X, in one call."""
        return np.asarray(self._run(self.target.backend.values, self.target.flat, padded(X)))[: len(X)]

    def value_and_jacobian(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        """f(x) and J(x) from one call."""
        backend = self.target.backend
        form = backend.jacobian_forward if self.plan.mode == "forward" else backend.jacobian_reverse
        y, matrix = self._run(form, self.target.flat, self.plan.chunk, self._at(x))
        return np.asarray(y), np.asarray(matrix)

    def jacobian(self, x: Float[Array, " n"]) -> Float[Array, "m n"]:
        """J(x), dense."""
        return self.value_and_jacobian(x)[1]

    def values_and_jacobians(
        self, X: Float[Array, "rows n"]
    ) -> tuple[Float[Array, "rows m"], Float[Array, "rows m n"]]:
        """f and J at every row of X, in one call."""
        Y, J = self._run(self.target.backend.values_and_jacobians, self.target.flat, padded(X))
        return np.asarray(Y)[: len(X)], np.asarray(J)[: len(X)]

    def jacobians(self, X: Float[Array, "rows n"]) -> Float[Array, "rows m n"]:
        """J at every row of X, in one call."""
        return self.values_and_jacobians(X)[1]

    def second(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"], Float[Array, "m n n"]]:
        """f, J and the Hessian of every output from one call; for functions of few inputs."""
        y, jacobian, curves = self._run(self.target.backend.second_derivatives, self.target.flat, self._at(x))
        return np.asarray(y), np.asarray(jacobian), np.asarray(curves)

    def bend(self, x: Float[Array, " n"], v: Float[Array, " n"]) -> Float[Array, " m"]:
        """The second derivative of every output at x along v, with no matrix formed."""
        return np.asarray(self._run(self.target.backend.bend, self.target.flat, self._at(x), self._at(v)))

    def _weights(self, weights: Any) -> Array:
        if weights is None:
            weights = np.ones(1)
        return np.asarray(self.target.vector(weights, self.target.m, "output"), dtype=self.target.x.dtype)

    def hessian(self, x: Float[Array, " n"], weights: Float[Array, " m"] | None = None) -> Float[Array, "n n"]:
        """The Hessian of weights·f at x, dense; the weights are one where there is one output.

        n products with a gradient linearized once: the outputs' own Hessians are not formed.

        Raises
        ------
        ShapeError
            If the matrix does not fit the memory budget, or there are several outputs and no weights.
        """
        u, chunk = self._weights(weights), self.curves.chunk
        return np.asarray(self._run(self.target.backend.hessian_dense, self.target.flat, chunk, self._at(x), u))

    def hessian_product(
        self, x: Float[Array, " n"], v: Float[Array, " n"], weights: Float[Array, " m"] | None = None
    ) -> Float[Array, " n"]:
        """The Hessian of weights·f at x times v; products at the point of the last call cost less than the first.

        What the gradient's linearization needs is kept for one point, unless it takes more than the memory budget.
        """
        x, v, u = self._at(x), self._at(v), self._weights(weights)
        fixed = getattr(self.target.backend, "FixedPoint", None)
        if fixed is None:
            return np.asarray(self._run(self.target.backend.hessian_product, self.target.flat, x, u, v))
        key = (x.tobytes(), u.tobytes())
        if self._fixed.get("key") != key:
            self._fixed.clear()
            with self.target.precision():
                self._fixed["point"] = fixed(self.target.flat, x, u, self.target.args, memory_bytes(self.memory))
            self._fixed["key"] = key
        with self.target.precision():
            return np.asarray(self._fixed["point"](v))

    @property
    def curves(self) -> Plan:
        """How `hessian` forms its matrix."""
        return hessian_plan(self.target.n, self.target.itemsize, memory=self.memory)

    def explain(self) -> str:
        """Which plan, why, and what it costs."""
        return f"{self.target.m} × {self.target.n} Jacobian, {self.plan}"


def padded(X: Float[Array, "rows n"]) -> Float[Array, "more n"]:
    """X with its last row repeated up to a power of two, so that one compiled program serves many sizes.

    Examples
    --------
    >>> padded(np.ones((20, 2))).shape, padded(np.ones((33, 2))).shape
    ((32, 2), (64, 2))
    """
    X = np.asarray(X)
    rows = max(32, 1 << (len(X) - 1).bit_length()) if len(X) else 0
    return np.concatenate([X, np.repeat(X[-1:], rows - len(X), axis=0)])


def prepare(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    mode: Mode = "auto",
    memory: str | int = DEFAULT_MEMORY,
    effort: Effort = "full",
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    verify: bool = False,
) -> Prepared:
    """Prepare a function's derivatives once, for use at many points.

    Parameters
    ----------
    function, x, args, mode, memory, inputs, outputs
        As for `landform.jacobian`; ``x`` gives the shape and the precision. With ``mode="sparse"`` matrices
        are `scipy.sparse.csr_array`.
    effort : {"full", "quick"}
        "quick" compiles in half the time to code that runs slower on large arrays: for small functions.
    verify : bool
        Check the derivatives at ``x`` by Taylor remainders first.

    Returns
    -------
    Prepared

    Raises
    ------
    DerivativeError
        With ``verify=True``, if the derivatives fail the check.

    Examples
    --------
    >>> import numpy as np
    >>> p = prepare(lambda x: x[:1] ** 2 * x[1:], np.array([1.0, 1.0]))
    >>> p.value_and_jacobian(np.array([3.0, 5.0]))
    (array([45.]), array([[30.,  9.]]))
    >>> p.hessian(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    if mode == "numeric":
        raise ShapeError(
            'mode "auto", "forward", "reverse" or "sparse"',
            got="'numeric'",
            remedy='call jacobian(f, x, mode="numeric") at every point: its steps are chosen there',
            where="argument mode",
        )
    with traceable():
        target = make_target(function, x, args=args, inputs=inputs, outputs=outputs)
    if verify:
        check(function, x, args=args).require()
    if mode == "sparse":
        from landform.derivatives.sparse.point import jacobian_program
        from landform.derivatives.sparse.prepared import PreparedSparse

        target = replace(target, native=False)
        return PreparedSparse(target, jacobian_program(target, memory).plan, effort, memory)
    plan = jacobian_plan(target.m, target.n, target.itemsize, mode=mode, memory=memory)
    return Prepared(replace(target, native=False), plan, effort, memory)
