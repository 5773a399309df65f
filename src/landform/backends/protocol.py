"""What the derivative operators ask of a framework; a new one fills this list, as `jax` and `torch` do.

A backend is a module. Its functions take `Flat` functions, ``f(x, *args)`` from a vector of shape (n,) to one of
shape (m,), and vectors of the framework. They are called inside the context that `precision_of` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from landform.backends.layered import Rows, Site

Flat = Callable[..., Any]
Leaf = tuple[str, tuple[int, ...]]
"""Label and shape of one array in a point."""


class Program(Protocol):
    """What computes one kind of derivative."""

    def __call__(self, *args: Any) -> Any:
        """Run it."""
        ...

    def quick(self, *args: Any) -> Any:
        """Run what is ready sooner, where there is anything to get ready."""
        ...


class Families(Protocol):
    """Distributions by name, and log-likelihoods of a user's own (`landform.backends.families`)."""

    LOG_PARTITION: Mapping[str, Callable[[Any, Any], Any]]
    """The log-partition summed over rows, of outputs and sigma."""

    def score_of(self, log_likelihood: Callable[..., Any], eta: Any, targets: Any) -> Any:
        """Slope of a log-likelihood by the outputs."""

    def squared_scores(self, eta: Any, scores: Any) -> Any:
        """Half the mean over samples of the sum over rows of (score · output)²."""


class Layered(Protocol):
    """A function of parameters and data rows by its layers (`landform.backends.layered`)."""

    sites: list[Site]
    rest: dict[int, str]

    def restricted(self, sites: Sequence[int]) -> Layered:
        """The same with slopes by some sites' units alone."""

    def at(self, parameters: Any, inputs: Sequence[Any], scores: Any) -> Rows:
        """Outputs, features and slopes of the outputs along every score, shape (k, rows, outputs), by all units."""


class Backend(Protocol):
    """One framework.

    Of the programs, ``value``, ``pushforward`` and ``pullback`` are the essence:

    - ``value(f, x, *args)`` f(x); ``values(f, X, *args)`` at every row
    - ``pushforward(f, x, v, *args)`` J v; ``pullback(f, x, u, *args)`` J'u; ``value_and_…`` f(x) with them
    - ``jacobian_forward(f, chunk, x, *args)``, ``jacobian_reverse(…)`` f(x) and J, ``chunk`` products at a time
    - ``values_and_jacobians(f, X, *args)`` both at every row of X
    - ``hessian_product(f, x, weights, v, *args)`` of weights·f; ``value_and_…`` weights·f(x) with it
    - ``value_and_quadratic(…)`` the same and v'Hv
    - ``hessian_dense(f, chunk, x, weights, *args)`` f(x) and the matrix, symmetric to the last bit
    - ``bend(f, x, v, *args)`` f(x) and v'Hv of every output
    - ``second_derivatives(f, x, *args)`` f, J and the Hessian of every output
    """

    name: str
    """As a user knows it."""
    hessian_plan: tuple[str, str]
    """How `hessian_dense` goes about it, and why, in words."""

    pullback_cost: float
    """Of one pull-back, in push-forwards."""

    families: Families
    """What a Fisher information needs of distributions."""

    value: Program
    values: Program
    pushforward: Program
    pullback: Program
    jacobian_forward: Program
    jacobian_reverse: Program
    values_and_jacobians: Program
    hessian_product: Program
    value_and_pushforward: Program
    value_and_pullback: Program
    value_and_hessian_product: Program
    value_and_quadratic: Program
    hessian_dense: Program
    bend: Program
    second_derivatives: Program

    def as_point(self, x: Any) -> Any:
        """The point as an array or a tree of arrays; plain numbers are made one."""

    def as_double(self, x: Any) -> Any:
        """The point in double precision, for a solver."""

    def shaped(self, unflatten: Any, x: Any, like: Any) -> Any:
        """A vector of NumPy in the form of the point."""

    def half_squared(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Half the squared length of all that a function returns."""

    def joint_function(
        self, functions: Sequence[Callable[..., Any]], unflatten: Any, n: int, args: tuple[Any, ...], extra: Any = ()
    ) -> tuple[Any, Flat]:
        """Several functions of a point and further arguments as one of a single vector; and these as a vector.

        The first function takes ``extra`` before the arguments.
        """

    def leaf_names(self, tree: Any, prefix: str) -> list[str]:
        """A name for every number in a tree: ``args[0]['rate'][2]``."""

    def is_native(self, x: Any) -> bool:
        """Whether results stay arrays of the framework."""

    def precision_of(self, x: Any) -> AbstractContextManager[Any]:
        """The context to work in; nothing global stays changed."""

    def explained(self) -> AbstractContextManager[Any]:
        """A context in which the framework's complaints about a function become a `DerivativeError`."""

    def flatten_point(self, x: Any) -> tuple[Any, Any]:
        """The point as one vector, and the way back for `flat_function`."""

    def leaves(self, x: Any) -> list[Leaf]:
        """Label and shape of every array in the point, in the order of the vector."""

    def output_leaves(self, f: Flat, m: int) -> list[Leaf]:
        """The same of its m outputs."""

    def flat_function(self, function: Callable[..., Any], unflatten: Any) -> Flat:
        """The function between vectors."""

    def output_size(self, f: Flat, x: Any, args: Sequence[Any]) -> tuple[int, Any]:
        """Number of outputs and their dtype; whatever has no derivative is refused here."""

    def evaluated_anew(self, f: Flat, x: Any, *args: Any) -> Any:
        """f(x) by the user's function itself, whatever was recorded or compiled of it."""

    def work_bytes(self, f: Flat) -> int:
        """What one derivative product keeps in memory beside its vectors; 0 where it is not known."""

    def notes(self, f: Flat) -> tuple[str, ...]:
        """What a user should know about these derivatives."""

    def vector(self, v: Any, like: Any) -> Any:
        """A vector from the user in the framework, on the device and in the precision of ``like``."""

    def outputs_at(self, f: Flat, x: Any, args: Sequence[Any], m: int, precision: Callable[[], Any]) -> Any:
        """The outputs at x in their own shapes."""

    def loss_of_linear(self, f: Flat, loss: Flat) -> Flat:
        """``z ↦ loss(f(x) + J(x)(z − x))``, a function of ``(z, x, the loss's args, *args)``."""

    def laplacian(self, f: Flat, chunk: int, x: Any, *args: Any) -> Any:
        """The sum of every output's second derivatives along the inputs, ``chunk`` inputs at a time."""

    def layered(self, predict: Callable[..., Any], parameters: Any, inputs: Sequence[Any]) -> Layered:
        """The layers of ``predict(parameters, *inputs)``, every input with rows along its first axis."""

    def taylor(self, f: Flat, order: int, x: Any, v: Any, *args: Any) -> Any:
        """Taylor coefficients of f along v, shape (order + 1, m)."""

    def leaves_of(self, tree: Any) -> list[Any]:
        """The leaves of a tree, None among them, in the order in which points are flattened."""

    def map_leaves(self, change: Callable[[Any], Any], tree: Any) -> Any:
        """The tree with every leaf changed."""

    def rows_of(self, X: Any, rows: int) -> Any:
        """A batch of points, each as one vector, from a tree with the points along the first axis."""

    def joined(self, parts: Sequence[Any]) -> Any:
        """Arrays one below the other."""

    def rows(self, X: Any, like: Any) -> Any:
        """The same for points as rows; there may be more of them at the end than were given."""

    def to_numpy(self, array: Any) -> Any:
        """The array as NumPy's."""

    def in_form_of(self, array: Any, point: Any) -> Any:
        """A result of `Prepared` as its caller expects it."""

    def rounding(self, x: Any) -> float:
        """The relative spacing of numbers as precise as x."""

    def first_not_finite(self, matrix: Any) -> tuple[tuple[int, ...], float, int] | None:
        """Place and value of the first NaN or infinity, and how many there are."""
