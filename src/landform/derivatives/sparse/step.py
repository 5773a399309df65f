"""One equation on the way through a traced program, and what is known when it is met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from landform.derivatives.sparse.known import Known
from landform.derivatives.sparse.slopes import Terms


class TooWide(Exception):  # noqa: N818 - a turn of the road, not an error that a user meets
    """A block whose slopes would not fit the memory budget."""


@dataclass(frozen=True)
class Value:
    """One number or array of the program.

    Parameters
    ----------
    primal : array
        Its (traced) value.
    terms : list of Slot and Ragged
        Its slopes; none where it does not depend on the point.
    known : Known, optional
        Its value where that does not depend on the point.
    """

    primal: Any
    terms: Terms = field(default_factory=list)
    known: Known | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(np.shape(self.primal))

    @property
    def dtype(self) -> Any:
        """Its precision."""
        return self.primal.dtype

    def still(self) -> Value:
        """The same value, its slopes forgotten."""
        return replace(self, terms=[])


@dataclass
class Tally:
    """Numbers worked out on the way: those of the function itself, and slopes (products of blocks included)."""

    once: int = 0
    slopes: int = 0

    def scattered(self, places: int) -> None:
        """Slopes that are added up in other places, which takes about ten times a sum done in place."""
        self.slopes += 10 * places

    def fused(self, before: int, rounds: int) -> None:
        """Slopes since ``before`` belong to rounds in a row, which XLA fuses and works out again and again.

        Measured with neighbors coupled: 7 times the cost of a slope at 6 rounds, 40 at 12, 50 at 20.
        """
        self.slopes += int((self.slopes - before) * max(0.0, rounds**2 / 4 - 1))

    def count(self, primals: Sequence[Any], terms: Sequence[Terms]) -> None:
        """One equation met."""
        self.once += sum(int(np.size(y)) for y in primals)
        self.slopes += sum(int(np.size(t.val)) for line in terms for t in line)


Runner = Callable[[Any, Sequence[Value]], list[Value]]


@dataclass(frozen=True)
class Context:
    """What every rule may use.

    Parameters
    ----------
    inputs : int
        Number of inputs.
    budget : int
        Bytes that one block of slopes may take.
    run : callable
        Walks a closed jaxpr.
    notes : dict
        What fell back to products, with their number.
    tally : Tally
        What it costs.
    """

    inputs: int
    budget: int
    run: Runner
    notes: dict[str, int]
    tally: Tally

    def note(self, text: str, products: int) -> None:
        """Say once what fell back."""
        self.notes[text] = products


@dataclass(frozen=True)
class Step:
    """An equation met with its operands.

    Parameters
    ----------
    eqn : JaxprEqn
        The equation.
    ins : list of Value
        Its operands.
    context : Context
        What rules may use.
    """

    eqn: Any
    ins: list[Value]
    context: Context

    @property
    def name(self) -> str:
        """The operation."""
        return str(self.eqn.primitive.name)

    @property
    def primals(self) -> list[Any]:
        """Operands' values."""
        return [v.primal for v in self.ins]

    @property
    def moving(self) -> list[int]:
        """Operands that depend on the point."""
        return [k for k, v in enumerate(self.ins) if v.terms]

    @property
    def out(self) -> Any:
        """Shape and precision of the (first) result."""
        return self.eqn.outvars[0].aval

    @property
    def out_size(self) -> int:
        """Elements of the (first) result."""
        return int(np.prod(self.out.shape, dtype=np.int64))


def is_real(dtype: Any) -> bool:
    """Whether a derivative of such a number is a real number."""
    return bool(jnp.issubdtype(dtype, jnp.floating))


def has_slope(dtype: Any) -> bool:
    """Whether such a number has a derivative."""
    return bool(jnp.issubdtype(dtype, jnp.inexact))
