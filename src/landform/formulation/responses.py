"""All fitted properties as one differentiable function of a recipe, in the properties' own units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from landform.backends import Model, exponential, stack_models
from landform.derivatives import Prepared, prepare
from landform.errors import ModelError
from landform.fit import Surrogate

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Response:
    """One property's surrogate, or something known exactly, such as cost.

    Parameters
    ----------
    name, unit : str
        The property.
    surrogate : Surrogate or None
        None for what is known exactly.
    log : bool
        Whether the surrogate was fitted to logarithms.
    exact : Model or None
        What is known exactly.
    values : callable or None
        The same for many recipes at once.
    """

    name: str
    unit: str
    surrogate: Surrogate | None
    log: bool = False
    exact: Model | None = None
    values: Callable[[Float[Array, "rows d"]], Float[Array, " rows"]] | None = None

    def model(self, inputs: tuple[str, ...]) -> Model:
        """The property as a differentiable model, in its own unit."""
        if self.surrogate is None:
            assert self.exact is not None
            return self.exact
        model = self.surrogate.model
        named = Model(model.function, model.args, inputs, (self.name,))
        return exponential(named) if self.log else named

    def mean(self, X: Float[Array, "rows d"]) -> Float[Array, " rows"]:
        """Predictions in the property's own unit: of the mean, or of the median where fitted to logarithms."""
        if self.surrogate is None:
            assert self.values is not None
            return np.asarray(self.values(X))
        found = np.asarray(self.surrogate.estimator.predict(X)).reshape(-1)
        return np.exp(found) if self.log else found

    def interval(
        self, X: Float[Array, "rows d"], *, batch: bool = False
    ) -> tuple[Float[Array, " rows"], Float[Array, " rows"], Float[Array, " rows"], Float[Array, " rows"]]:
        """Prediction, its standard error, and the ends of its interval; of one new batch if asked."""
        if self.surrogate is None:
            exact = self.mean(X)
            return exact, np.zeros(len(X)), exact, exact
        mean, error = self.surrogate.predict(X)
        spread = np.hypot(error, self.surrogate.noise) if batch else error
        half = self.surrogate.quantile() * spread
        if self.log:
            return np.exp(mean), np.exp(mean) * spread, np.exp(mean - half), np.exp(mean + half)
        return mean, spread, mean - half, mean + half


@dataclass(frozen=True, eq=False)
class Responses:
    """Several properties at once.

    Parameters
    ----------
    parts : tuple of Response
        One per property.
    inputs : tuple of str
        The d inputs' names.
    check : array, shape (rows, d)
        Where the differentiable functions are held against the surrogates they come from: the trials.
    silent : tuple of Response
        Further functions that only the search for recipes uses, and no reader sees.
    """

    parts: tuple[Response, ...]
    inputs: tuple[str, ...]
    check: Float[Array, "rows d"]
    silent: tuple[Response, ...] = ()

    @property
    def every(self) -> tuple[Response, ...]:
        """All of them."""
        return (*self.parts, *self.silent)

    @property
    def names(self) -> tuple[str, ...]:
        """The properties."""
        return tuple(part.name for part in self.parts)

    def at(self, name: str) -> int:
        """The place of a property, or of a silent function."""
        return [part.name for part in self.every].index(name)

    def means(self, X: Float[Array, "rows d"], names: Sequence[str] | None = None) -> Float[Array, "rows p"]:
        """Predictions of the named properties, or of all."""
        chosen = self.parts if names is None else [self.every[self.at(name)] for name in names]
        return np.column_stack([part.mean(X) for part in chosen]) if chosen else np.zeros((len(X), 0))

    @cached_property
    def derivatives(self) -> Prepared:
        """Values, Jacobian and Hessians of all of them, prepared once."""
        model = stack_models([part.model(self.inputs) for part in self.every])
        prepared = prepare(model, np.zeros(len(self.inputs)), mode="forward", effort="quick", finite=False)
        self._refuse_mismatch(prepared.values_and_jacobians(self.check)[0])
        return prepared

    def _refuse_mismatch(self, found: Float[Array, "rows p"]) -> None:
        """Refuse a translation that does not predict what its surrogate predicts."""
        for part, column in zip(self.every, found.T, strict=True):
            theirs = part.mean(self.check)
            gap = np.abs(column - theirs)
            # A Gaussian process sums large weights of both signs, which costs it some digits.
            if not np.all(gap <= 1e-7 * max(float(np.ptp(theirs)), float(np.max(np.abs(theirs))), 1e-300)):
                worst = int(np.argmax(gap))
                raise ModelError(
                    f"a translation of {part.name} equal to its surrogate on every trial",
                    got=f"{column[worst]} for {theirs[worst]}",
                    remedy="report this as an issue; its derivatives would be wrong",
                )
