"""What is minimized, and within what limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from landform.errors import ShapeError
from landform.optimize.limits import say
from landform.optimize.polytope import Polytope

Point = Float[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Smooth:
    """Twice differentiable functions of n variables, m values, with their exact derivatives.

    Parameters
    ----------
    value : callable
        ``x`` to an array of shape (m,).
    jacobian : callable
        ``x`` to an array of shape (m, n).
    hessian : callable
        ``(x, weights)`` to the sum over k of ``weights[k]`` times the Hessian of value k, shape (n, n).

    Examples
    --------
    >>> square = Smooth(lambda x: np.array([x @ x]), lambda x: 2 * x[None], lambda x, w: 2 * w[0] * np.eye(2))
    >>> square.value(np.array([3.0, 4.0]))
    array([25.])
    """

    value: Callable[[Point], Float[np.ndarray, " m"]]
    jacobian: Callable[[Point], Float[np.ndarray, "m n"]]
    hessian: Callable[[Point, Float[np.ndarray, " m"]], Float[np.ndarray, "n n"]]


@dataclass(frozen=True, eq=False)
class Sides:
    """Every limit of a program as one side: ``slack >= 0``, or ``slack = 0`` for an equality.

    ``row`` counts through the variables, the linear rows and the constraints; the slack is
    ``sign * (row's value - value)``, with sign 1 for a lower limit or an equality and -1 for an upper limit.
    """

    row: Int[np.ndarray, " l"]
    sign: Float[np.ndarray, " l"]
    value: Float[np.ndarray, " l"]
    equality: Bool[np.ndarray, " l"]
    row_names: Sequence[str]
    row_kinds: Sequence[str]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of every side."""
        return tuple(self.row_names[r] for r in self.row.tolist())

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Of every side: "bound", "linear" or "constraint"."""
        return tuple(self.row_kinds[r] for r in self.row.tolist())

    def words(self, i: int) -> str:
        """Limit ``i`` as a user reads it."""
        symbol = "=" if self.equality[i] else "≥" if self.sign[i] > 0 else "≤"
        return say(self.row_names[int(self.row[i])], symbol, float(self.value[i]))


@dataclass(frozen=True, eq=False)
class Program:
    """Minimize ``objective(x)`` within ``region`` and ``c_lower <= constraints(x) <= c_upper``.

    Parameters
    ----------
    objective : Smooth
        One value.
    region : Polytope
        Bounds and linear constraints.
    constraints : Smooth, optional
        m values; None where there are none.
    c_lower, c_upper : array, shape (m,)
        Limits; infinite where there is none, equal for an equality.
    c_names : tuple of str
        What each constraint is, in a user's words.

    Raises
    ------
    ShapeError
        If the limits, the names and the constraints do not fit together.
    """

    objective: Smooth
    region: Polytope
    constraints: Smooth | None = None
    c_lower: Float[np.ndarray, " m"] = ()  # type: ignore[assignment]
    c_upper: Float[np.ndarray, " m"] = ()  # type: ignore[assignment]
    c_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part in ("c_lower", "c_upper"):
            array = np.array(getattr(self, part), dtype=np.float64)
            if array.shape != (len(self.c_names),) or np.isnan(array).any():
                raise ShapeError(
                    f"one number for each of {len(self.c_names)} named constraints",
                    got=array.tolist(),
                    remedy="give every constraint a name and two limits (infinite where there is none)",
                    where=f"Program.{part}",
                )
            object.__setattr__(self, part, array)
        if (self.constraints is None) != (not self.c_names):
            raise ShapeError(
                "constraints and their names together",
                got=f"{len(self.c_names)} names, constraints {self.constraints}",
                remedy="give both or neither",
                where="Program.constraints",
            )

    @property
    def n(self) -> int:
        """How many variables there are."""
        return self.region.n

    @property
    def sparse(self) -> bool:
        """Whether its matrices are sparse: it is worked on without ever forming a dense one."""
        return not isinstance(self.region.A, np.ndarray)

    @cached_property
    def sides(self) -> Sides:
        """Every limit, one side at a time: bounds first, then linear rows, then constraints."""
        region = self.region
        low = np.concatenate([region.lower, region.A_lower, self.c_lower])
        high = np.concatenate([region.upper, region.A_upper, self.c_upper])
        names = region.names + region.A_names + tuple(self.c_names)
        kinds = ("bound",) * self.n + ("linear",) * len(region.A_names) + ("constraint",) * len(self.c_lower)
        equal = low == high
        below, above = np.isfinite(low), np.isfinite(high) & ~equal
        row = np.concatenate([np.flatnonzero(below), np.flatnonzero(above)])
        sign = np.repeat([1.0, -1.0], [below.sum(), above.sum()])
        order = np.argsort(row, kind="stable")
        row, sign = row[order], sign[order]
        return Sides(
            row,
            sign,
            np.where(sign > 0, low[row], high[row]),
            equal[row],
            names,
            kinds,
        )
