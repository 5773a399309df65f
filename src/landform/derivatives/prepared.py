"""A function prepared once for its derivatives at many points: tracing and compilation are paid once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.plan import (
    DEFAULT_MEMORY,
    WITHOUT_ZEROS,
    Mode,
    Plan,
    hessian_plan,
    in_words,
    jacobian_plan,
    memory_bytes,
    refuse_other_mode,
)
from landform.derivatives.target import (
    Target,
    make_target,
    refuse_no_value,
    refuse_not_finite,
    refuse_not_finite_product,
    refuse_unwalkable,
)
from landform.derivatives.verify import verify as check
from landform.errors import ShapeError

Array = np.ndarray
Effort = Literal["full", "quick"]


@dataclass(frozen=True)
class Prepared:
    """Values and derivatives of one function at any point of the same shape. Made by `prepare`.

    Points and results are flat NumPy vectors in the precision of the point it was prepared with: made for
    the inside of a solver's loop. With PyTorch a tensor gives tensors. It stays the function that it was made from.
    """

    target: Target
    mode: Mode = "auto"
    effort: Effort = "full"
    memory: str | int = DEFAULT_MEMORY
    finite: bool = True
    _fixed: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def plan(self) -> Plan:
        """How the dense Jacobian is formed.

        Raises
        ------
        ShapeError
            If it does not fit the memory budget.
        """
        t = self.target
        return jacobian_plan(t.m, t.n, t.itemsize, mode=self.mode, memory=self.memory, **t.costs)

    def _run(self, program: Any, *args: Any) -> Any:
        """Call a compiled program in the precision of the point."""
        with self.target.precision():
            return (program.quick if self.effort == "quick" else program)(*args, *self.target.args)

    def _at(self, x: Any) -> Any:
        return self.target.vector(x, self.target.n, "input", finite=self.finite)

    def _give(self, x: Any, *results: Any) -> tuple[Any, ...]:
        """Results in the form that the point x came in."""
        return tuple(self.target.backend.in_form_of(result, x) for result in results)

    def _checked(self, what: str, matrix: Any, value: Any = None) -> None:
        """Refuse what is not finite, unless the caller looks after that."""
        t = self.target
        if not self.finite:
            return
        if value is not None:
            refuse_not_finite_product(t.backend, value, t.output_names, "value at the point")
        rows = t.output_names if what == "Jacobian" else t.input_names
        refuse_not_finite(t.backend, matrix, rows, t.input_names, what)

    def _refuse_no_value(self, at: Any) -> None:
        if self.finite:
            refuse_no_value(self.target, at)

    def value(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """f(x), finite or not."""
        return self._give(x, self._run(self.target.backend.value, self.target.flat, self._at(x)))[0]

    def values(self, X: Float[Array, "rows n"]) -> Float[Array, "rows m"]:
        """f at every row of X, in one call."""
        backend = self.target.backend
        Y = self._run(backend.values, self.target.flat, backend.rows(X, self.target.x))
        return self._give(X, Y)[0][: len(X)]

    def value_and_jacobian(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        """f(x) and J(x) from one call."""
        backend = self.target.backend
        form = backend.jacobian_forward if self.plan.mode == "forward" else backend.jacobian_reverse
        y, matrix = self._run(form, self.target.flat, self.plan.chunk, self._at(x))
        self._checked("Jacobian", matrix, y)
        y, matrix = self._give(x, y, matrix)
        return y, matrix

    def jacobian(self, x: Float[Array, " n"]) -> Float[Array, "m n"]:
        """J(x), dense."""
        return self.value_and_jacobian(x)[1]

    def values_and_jacobians(
        self, X: Float[Array, "rows n"]
    ) -> tuple[Float[Array, "rows m"], Float[Array, "rows m n"]]:
        """f and J at every row of X, in one call."""
        backend = self.target.backend
        found = self._run(backend.values_and_jacobians, self.target.flat, backend.rows(X, self.target.x))
        Y, J = (part[: len(X)] for part in found)
        self._checked("Jacobian", J, Y)
        Y, J = self._give(X, Y, J)
        return Y, J

    def jacobians(self, X: Float[Array, "rows n"]) -> Float[Array, "rows m n"]:
        """J at every row of X, in one call."""
        return self.values_and_jacobians(X)[1]

    def second(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"], Float[Array, "m n n"]]:
        """f, J and the Hessian of every output from one call; for functions of few inputs."""
        found = self._run(self.target.backend.second_derivatives, self.target.flat, self._at(x))
        y, jacobian, curves = found
        self._checked("Jacobian", jacobian, y)
        self._checked("Hessian", curves)
        y, jacobian, curves = self._give(x, *found)
        return y, jacobian, curves

    def bend(self, x: Float[Array, " n"], v: Float[Array, " n"]) -> Float[Array, " m"]:
        """The second derivative of every output at x along v, with no matrix formed."""
        t = self.target
        y, found = self._run(t.backend.bend, t.flat, self._at(x), self._at(v))
        if self.finite:
            refuse_not_finite_product(t.backend, y, t.output_names, "value at the point")
            refuse_not_finite_product(t.backend, found, t.output_names, "second derivative along v")
        return self._give(x, found)[0]

    def _weights(self, weights: Any) -> Any:
        weights = np.ones(1) if weights is None else weights
        return self.target.vector(weights, self.target.m, "output", finite=self.finite)

    def hessian(self, x: Float[Array, " n"], weights: Float[Array, " m"] | None = None) -> Float[Array, "n n"]:
        """The Hessian of weights·f at x, dense; the weights are one where there is one output.

        n products with a gradient linearized once: the outputs' own Hessians are not formed.

        Raises
        ------
        ShapeError
            If the matrix does not fit the memory budget, or there are several outputs and no weights.
        """
        u, chunk, at = self._weights(weights), self.curves.chunk, self._at(x)
        y, found = self._run(self.target.backend.hessian_dense, self.target.flat, chunk, at, u)
        self._checked("Hessian", found, y)
        return self._give(x, found)[0]

    def hessian_product(
        self, x: Float[Array, " n"], v: Float[Array, " n"], weights: Float[Array, " m"] | None = None
    ) -> Float[Array, " n"]:
        """The Hessian of weights·f at x times v; products at the point of the last call cost less than the first.

        What the gradient's linearization needs is kept for one point, unless it takes more than the memory budget.
        """
        t, v = self.target, self._at(v)
        found = self._product(self._at(x), v, self._weights(weights))
        if self.finite:
            refuse_not_finite_product(t.backend, found, t.input_names, "product H v")
        return self._give(x, found)[0]

    def _product(self, at: Any, v: Any, u: Any) -> Any:
        fixed = getattr(self.target.backend, "FixedPoint", None)
        if fixed is None:
            self._refuse_no_value(at)
            return self._run(self.target.backend.hessian_product, self.target.flat, at, u, v)
        key = (at.tobytes(), u.tobytes())
        if self._fixed.get("key") != key:
            self._fixed.clear()
            self._refuse_no_value(at)
            with self.target.precision():
                self._fixed["point"] = fixed(self.target.flat, at, u, self.target.args, memory_bytes(self.memory))
            self._fixed["key"] = key
        with self.target.precision():
            return self._fixed["point"](v)

    @cached_property
    def curves(self) -> Plan:
        """How `hessian` forms its matrix."""
        mode, reason = self.target.backend.hessian_plan
        t = self.target
        return hessian_plan(t.n, t.itemsize, memory=self.memory, mode=mode, reason=reason, work=t.work)

    def explain(self) -> str:
        """Which plan, why, and what it costs."""
        return f"{self.target.m} × {self.target.n} Jacobian, {in_words(lambda: self.plan)}"


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
    sparsity: Any = None,
    finite: bool = True,
) -> Prepared:
    """Prepare a function's derivatives once, for use at many points.

    Parameters
    ----------
    function, x, args, mode, memory, inputs, outputs
        As for `landform.jacobian`; ``x`` gives the shape and the precision. With ``mode="sparse"`` or
        ``mode="colored"`` matrices are `scipy.sparse.csr_array`. "auto" takes a model's closed form where it has one
        and ``x`` is NumPy's in double precision.
    effort : {"full", "quick"}
        "quick" compiles in half the time to code that runs slower on large arrays: for small functions.
    verify : bool
        Check the derivatives at ``x`` by Taylor remainders first, and a pattern by random products.
    sparsity : matrix, ColoredPattern or "detect", optional
        With ``mode="colored"``: where entries can differ from zero, as for `landform.jacobian`.

    finite : bool
        Refuse derivatives that are NaN or infinite, or belong to a point without a value, by name; False for a solver
        that steps out of the domain and looks after that itself. Values are given as they are.

    Returns
    -------
    Prepared
        The function as it is now: what it reads (variables it closes over, attributes) may change afterwards, and is
        read by the next preparation.

    Raises
    ------
    DerivativeError
        With ``verify=True``, if the derivatives fail the check.
    ShapeError
        If something does not fit; that a dense matrix does not fit the memory, when it is asked for.

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
            'mode "auto", "forward", "reverse", "sparse" or "colored"',
            got="'numeric'",
            remedy='call jacobian(f, x, mode="numeric") at every point: its steps are chosen there',
            where="argument mode",
        )
    refuse_other_mode(mode)
    memory_bytes(memory)
    if effort not in ("full", "quick"):
        raise ShapeError('effort "full" or "quick"', got=repr(effort), remedy="choose one", where="argument effort")
    if sparsity is not None and mode not in WITHOUT_ZEROS:
        raise ShapeError(
            'mode="colored" beside a pattern',
            got=f"sparsity= with mode={mode!r}",
            remedy="pass it",
            where="argument sparsity",
        )
    target = make_target(function, x, args=args, inputs=inputs, outputs=outputs)
    if verify:
        check(function, x, args=args).require()
    if mode == "sparse":
        refuse_unwalkable(target)
    if mode in WITHOUT_ZEROS:
        from landform.derivatives.colored.prepared import prepare_sparse

        return prepare_sparse(
            replace(target, native=False), effort, memory, mode=mode, sparsity=sparsity, verify=verify, finite=finite
        )
    if mode == "auto" and not verify:
        from landform.derivatives.prepared_closed import PreparedClosed, closed_of

        closed = closed_of(function, target, args)
        if closed is not None:
            return PreparedClosed(target, mode, effort, memory, finite, closed=closed)
    return Prepared(replace(target, native=False), mode, effort, memory, finite)
