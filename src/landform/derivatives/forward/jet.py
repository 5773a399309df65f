"""What goes forwards: a value, its slopes along several directions, and the sum of its curves along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp


@dataclass(frozen=True)
class Jet:
    """A value that depends on the point.

    Parameters
    ----------
    value : array
        What the function computes.
    slopes : array, shape (directions, …)
        Derivatives along every direction.
    curve : array or None
        Sum over directions of the second derivatives; None for zero.
    """

    value: Any
    slopes: Any
    curve: Any = None

    @property
    def whole(self) -> Jet:
        """The same with the curve as numbers."""
        return self if self.curve is not None else Jet(self.value, self.slopes, jnp.zeros_like(self.value))


def value_of(entry: Any) -> Any:
    """The value, of a jet or of what does not depend on the point."""
    return entry.value if isinstance(entry, Jet) else entry


def flat_jet(value: Any, directions: int) -> Jet:
    """A value without slopes, as a jet."""
    value = jnp.asarray(value)
    return Jet(value, jnp.zeros((directions, *value.shape), value.dtype), jnp.zeros_like(value))


def has_slope(value: Any) -> bool:
    """Whether numbers of this kind have derivatives."""
    return bool(jnp.issubdtype(jnp.result_type(value), jnp.inexact))


def added(terms: Sequence[Any]) -> Any:
    """The sum of what is not None; None where nothing is left."""
    total = None
    for term in terms:
        if term is not None:
            total = term if total is None else total + term
    return total


jax.tree_util.register_dataclass(Jet, data_fields=["value", "slopes", "curve"], meta_fields=[])
