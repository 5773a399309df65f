"""What a search ended with: the best point, its certificate, the other optima, and how it moves with the problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landform.findings import Finding
from landform.optimize.certificate import Certificate
from landform.optimize.distinct import Solution
from landform.optimize.implicit import OptimumSensitivity, optimum_sensitivity
from landform.optimize.problem import Problem

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Optimum(Finding):
    """The best point that was found, and what is proven about it. Made by `minimize`.

    Parameters
    ----------
    x : array or tree
        The point, in the form of the start, in double precision.
    value : float
        The objective there.
    certificate : Certificate
        What the exact derivatives prove about it, whoever found it.
    words : str
        The verdict in one sentence.
    optima : tuple of Solution
        The different points that the starts led to, best first; the first is this one.
    led_here : int
        How many starts led to it.
    starts : int
        How many there were.
    problem : Problem
        What was minimized.
    """

    x: Any
    value: float
    certificate: Certificate
    words: str
    optima: tuple[Solution, ...]
    led_here: int
    starts: int
    problem: Problem

    @property
    def by(self) -> str:
        """The solver that led there, whose answer was then polished and judged."""
        return self.optima[0].by

    @property
    def certified(self) -> bool:
        """Whether the point meets the limits and nothing better is near, to first and second order."""
        return self.certificate.certified

    def to_frame(self) -> pd.DataFrame:
        """One row per variable: its value, its bounds, and which of them hold it, with the price."""
        import pandas as pd

        region = self.problem.program.region
        price = {a.words: a.multiplier for a in self.certificate.multipliers if a.kind == "bound"}
        rows = []
        for name, x, low, high in zip(region.names, self.optima[0].x, region.lower, region.upper, strict=True):
            held = [words for words in price if words.rpartition(" ")[0].rpartition(" ")[0] == name]
            rows.append((name, x, low, high, price[held[0]] if held else 0.0))
        return pd.DataFrame(rows, columns=["variable", "value", "lower", "upper", "multiplier"])

    def optima_to_frame(self) -> pd.DataFrame:
        """One row per different point found, best first: objective, verdict, variables."""
        import pandas as pd

        names = self.problem.program.region.names
        return pd.DataFrame(
            [(s.objective, s.certificate.nature, *s.x) for s in self.optima], columns=["objective", "nature", *names]
        )

    def sensitivity(self) -> OptimumSensitivity:
        """How the optimum moves when the function's ``args`` or the active limits move.

        Returns
        -------
        OptimumSensitivity

        Raises
        ------
        DerivativeError
            Where the problem is a large one, or the optimum does not move smoothly: it is not certified, it is flat, a
            limit is only touched, or the multipliers are not unique; it says which.

        Examples
        --------
        >>> from landform.optimize import minimize
        >>> best = minimize(lambda x, a: (x[0] - a) ** 2 + a, np.array([0.0]), args=(3.0,))
        >>> best.sensitivity().to_frame()[["parameter", "at", "d value", "d x"]]
          parameter   at  d value  d x
        0   args[0]  3.0      1.0  1.0
        """
        return optimum_sensitivity(self.problem, self.optima[0].x, self.certificate)

    def _repr_html_(self) -> str:
        return f"<p>{self.words}</p>{super()._repr_html_()}"

    def __repr__(self) -> str:
        point = ", ".join(f"{v:.6g}" for v in np.asarray(self.optima[0].x)[:8])
        return f"Optimum({self.value:.10g} at [{point}{', …' if self.problem.program.n > 8 else ''}]; {self.words})"
