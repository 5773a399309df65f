"""The slope of an outer loss over hyperparameters at a point that somebody's solver found, with an error bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from landform.backends.frameworks import refuse_traced
from landform.backends.jax import as_double, double_precision, explained, flatten_point
from landform.errors import DerivativeError, ShapeError
from landform.findings import Finding
from landform.findings.pictures import Bars, Picture
from landform.fit.tuning.answer import answer, refuse_unconverged
from landform.fit.tuning.curved import Free, NoMinimumError, require_positive
from landform.fit.tuning.hyper import Hyper, names_of, read_hyper
from landform.fit.tuning.inner import DENSE, standing
from landform.fit.tuning.level import Level

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Solver = Literal["auto", "dense", "products"]


@dataclass(frozen=True, eq=False)
class Hypergradient(Finding):
    """How an outer loss moves with hyperparameters through the inner minimum. Made by `hypergradient`.

    Parameters
    ----------
    names : tuple of str
        The hyperparameters.
    at : array, shape (p,)
        Where they stand.
    value, value_error : float
        The outer loss, and how far it is from its value at the exact inner minimum.
    gradient : tree
        The slopes, in the form of the hyperparameters.
    vector, error : array, shape (p,)
        The same as a vector, and a bound on how far each entry is off: from what is left of the inner gradient, from
        the linear solve, and from rounding; to first order, doubled.
    direct : array, shape (p,)
        The part that does not go through the parameters.
    residual : float
        The largest entry of what is left of the inner gradient.
    conditioning : float
        Of the inner Hessian, every parameter in its own unit; NaN where the matrix was not formed.
    """

    names: tuple[str, ...]
    at: Float[Array, " p"]
    value: float
    value_error: float
    gradient: Any
    vector: Float[Array, " p"]
    error: Float[Array, " p"]
    direct: Float[Array, " p"]
    residual: float
    conditioning: float

    def to_frame(self) -> pd.DataFrame:
        """One row per hyperparameter: where it stands, the slope, how far that may be off, its direct part."""
        import pandas as pd

        return pd.DataFrame(
            {
                "hyperparameter": self.names,
                "at": self.at,
                "slope": self.vector,
                "error": self.error,
                "direct": self.direct,
                "through the parameters": self.vector - self.direct,
            }
        )

    def pictures(self) -> list[Picture]:
        """The slopes as bars, the largest first."""
        first = np.argsort(-np.abs(self.vector), kind="stable")[:20]
        low, high = self.vector - self.error, self.vector + self.error
        at, low, high = ([float(v[i]) for i in first] for v in (self.vector, low, high))
        names = [self.names[i] for i in first]
        return [Bars(names, at, low, high, title="hypergradient", axis="slope of the outer loss")]


def hypergradient(
    inner: Callable[..., Any],
    outer: Callable[..., Any],
    parameters: Any,
    hyper: Any,
    *,
    tolerance: float = 1e-6,
    solver: Solver = "auto",
) -> Hypergradient:
    """The slope of ``outer`` over hyperparameters, where ``parameters`` minimize ``inner``: exact, with its error.

    ``dF/dλ = ∂F/∂λ − ∂²g/∂λ∂θ (∂²g/∂θ²)⁻¹ ∂F/∂θ`` holds at the inner minimum only. Parameters that are short of it,
    stand at a saddle, or are not determined are refused.

    Parameters
    ----------
    inner : callable
        JAX function ``inner(parameters, hyper)``, one number: what training minimizes.
    outer : callable
        JAX function ``outer(parameters, hyper)``, one number: what judges the trained parameters.
    parameters : array or tree of arrays
        Where training ended, n numbers in all. Work is done in double precision.
    hyper : array or tree of arrays
        The p hyperparameters.
    tolerance : float
        What the rest of the inner gradient may cost, in parts of the terms that the slope is a sum of.
    solver : {"auto", "dense", "products"}
        Whether the inner Hessian is formed (up to 2,000 parameters by itself), or met by products alone.

    Returns
    -------
    Hypergradient

    Raises
    ------
    DerivativeError
        If the inner problem is not at a minimum that determines its parameters; the sentence says what it is at.
    ShapeError
        If a loss does not return one number.

    References
    ----------
    Bengio (2000), "Gradient-based optimization of hyperparameters", Neural Computation 12.

    Examples
    --------
    >>> found = hypergradient(
    ...     lambda w, h: (w - 3.0) ** 2 + h["alpha"] * w**2,
    ...     lambda w, h: (w - 2.0) ** 2,
    ...     np.array(3.0 / 1.5),
    ...     {"alpha": 0.5},
    ... )
    >>> found.to_frame()[["hyperparameter", "slope"]]
      hyperparameter  slope
    0          alpha    0.0
    >>> hypergradient(lambda w, h: (w - 3.0) ** 2 + h * w**2, lambda w, h: (w - 2.0) ** 2, np.array(2.2), np.array(0.5))
    Traceback (most recent call last):
    ...
    landform.errors.DerivativeError: hypergradient: expected an inner problem at its minimum, got one that is not: it
    has not converged: ...
    """
    refuse_traced("hypergradient", parameters, hyper)
    posed = read_hyper(hyper)
    level, theta = make_level(inner, outer, parameters, posed)
    try:
        here = standing(level, theta, posed.start, dense=forms_hessian(solver, len(theta)))
        if isinstance(here.curved, Free):
            require_positive(here.curved, len(theta))
        found = answer(level, here, posed.start)
        refuse_unconverged(found, tolerance)
    except NoMinimumError as error:
        raise no_minimum(str(error), "solve the inner problem further, or let landform.tune solve it") from None
    return Hypergradient(
        names=posed.names,
        at=posed.start,
        value=found.value,
        value_error=found.value_error,
        gradient=posed.shaped(found.gradient),
        vector=found.gradient,
        error=found.error,
        direct=found.direct,
        residual=float(np.abs(here.slope).max()),
        conditioning=getattr(here.curved, "conditioning", float("nan")),
    )


def no_minimum(why: str, remedy: str, where: str = "hypergradient") -> DerivativeError:
    """The refusal of an inner problem that is at no minimum."""
    return DerivativeError("an inner problem at its minimum", got=f"one that is not: {why}", remedy=remedy, where=where)


def forms_hessian(solver: Solver, n: int) -> bool:
    """Whether the inner Hessian is formed."""
    if solver not in ("auto", "dense", "products"):
        raise ShapeError(
            'solver "auto", "dense" or "products"', got=repr(solver), remedy="choose one", where="argument solver"
        )
    return solver == "dense" or (solver == "auto" and n <= DENSE)


def make_level(
    inner: Callable[..., Any], outer: Callable[..., Any], parameters: Any, hyper: Hyper
) -> tuple[Level, Float[Array, " n"]]:
    """Two losses of trees as losses of vectors, and the parameters as one."""
    doubled = as_double(parameters)
    with double_precision():
        vector, unflatten = flatten_point(doubled)
        theta = np.asarray(vector, dtype=np.float64)

    def flat(loss: Callable[..., Any]) -> Callable[..., jax.Array]:
        return lambda t, z: jnp.reshape(loss(unflatten(t), hyper.traced(z)), ())

    for name, loss in (("inner", inner), ("outer", outer)):
        with double_precision(), explained():
            shape = jax.eval_shape(lambda t, z, loss=loss: loss(unflatten(t), hyper.traced(z)), theta, hyper.start)
        if getattr(shape, "size", 0) != 1:
            raise ShapeError(
                f"an {name} loss that returns one number",
                got=f"{getattr(shape, 'shape', type(shape).__name__)}",
                remedy="return the sum or the mean",
                where=f"argument {name}",
            )
    return Level(flat(inner), flat(outer), (), lambda: names_of(doubled, "parameters")), theta
