"""What confines inputs together: a total that ingredients add to, and linear conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy import special
from scipy.optimize import linprog

from landform.errors import InfeasibleError, ProblemError, ShapeError
from landform.sensitivity.over_ranges.marginals import Marginal

Shares = Float[np.ndarray, "rows k"]


@dataclass(frozen=True)
class Limit:
    """A linear condition ``lower <= coefficients · x <= upper``."""

    words: str
    coefficients: tuple[float, ...]
    lower: float
    upper: float

    def met(self, X: Float[np.ndarray, "rows d"]) -> Bool[np.ndarray, " rows"]:
        """At which rows it holds."""
        value = X @ np.asarray(self.coefficients)
        return np.asarray((value >= self.lower) & (value <= self.upper))


def make_limits(
    given: Sequence[tuple[Mapping[str, float], float | None, float | None]], names: Sequence[str]
) -> tuple[Limit, ...]:
    """Conditions by name as conditions by place.

    Raises
    ------
    ShapeError
        If one names an unknown input, or is no triple.
    """
    made = []
    for k, condition in enumerate(given):
        where = f"condition {k + 1}"
        if len(condition) != 3 or not isinstance(condition[0], Mapping):
            raise ShapeError(
                "(coefficients by name, lower, upper)", got=repr(condition)[:60], remedy="give the three", where=where
            )
        weights, low, high = condition
        unknown = [name for name in weights if name not in names]
        if unknown:
            raise ShapeError(
                f"inputs among {', '.join(names)}", got=repr(unknown[0]), remedy="correct the name", where=where
            )
        low, high = -np.inf if low is None else float(low), np.inf if high is None else float(high)
        words = " + ".join(name if w == 1 else f"{w:g} {name}" for name, w in weights.items())
        words = (f"{low:g} ≤ " if np.isfinite(low) else "") + words + (f" ≤ {high:g}" if np.isfinite(high) else "")
        made.append(Limit(words, tuple(float(weights.get(n, 0.0)) for n in names), low, high))
    return tuple(made)


@dataclass(frozen=True)
class Mixture:
    """Ingredients that add to a total.

    What lies above the lower bounds is Dirichlet distributed, cut at the upper bounds: with concentrations of 1
    every recipe within the bounds is as likely as every other.

    Parameters
    ----------
    names : tuple of str
        The ingredients, two or more.
    total : float
        What they add to.
    concentration : tuple of float
        One for each; ones if empty.

    Examples
    --------
    >>> Mixture(("water", "oil", "soap"), total=100).concentration
    (1.0, 1.0, 1.0)
    """

    names: tuple[str, ...]
    total: float = 1.0
    concentration: tuple[float, ...] = ()
    bounds: tuple[tuple[float, float], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        given = tuple(float(a) for a in self.concentration) or (1.0,) * len(self.names)
        object.__setattr__(self, "concentration", given)
        if len(self.names) < 2 or len(given) != len(self.names) or min(given) <= 0:
            raise ProblemError(
                "two ingredients or more, with a concentration above zero for each",
                got=f"{len(self.names)} ingredients with {given}",
                remedy="correct them",
                where="the mixture",
            )

    def within(self, marginals: Sequence[Marginal]) -> Mixture:
        """The mixture with the bounds, and in the order, of its ingredients' ranges.

        Raises
        ------
        ProblemError
            If an ingredient is missing, or has something else than bounds.
        """
        order = [m for m in marginals if m.name in self.names]
        wrong = [m.name for m in order if getattr(getattr(m.law, "dist", None), "name", "") != "uniform"]
        wrong = wrong or [name for name in self.names if name not in [m.name for m in order]]
        if wrong:
            raise ProblemError(
                "bounds (lower, upper) for every ingredient of the mixture",
                got=f"none for {wrong[0]}",
                remedy="give its bounds; `concentration` says how recipes spread between them",
                where="argument distributions",
            )
        strength = dict(zip(self.names, self.concentration, strict=True))
        return replace(
            self,
            names=tuple(m.name for m in order),
            concentration=tuple(strength[m.name] for m in order),
            bounds=tuple((float(m.law.support()[0]), float(m.law.support()[1])) for m in order),
        )

    @property
    def _floor(self) -> Float[np.ndarray, " k"]:
        return np.array([low for low, _ in self.bounds])

    def amounts(self, shares: Shares) -> Shares:
        """Shares of what lies above the lower bounds, as amounts."""
        return np.asarray(self._floor + (self.total - self._floor.sum()) * shares)

    def met(self, amounts: Shares) -> Bool[np.ndarray, " rows"]:
        """Which recipes stay below the upper bounds."""
        top = np.array([high for _, high in self.bounds])
        return np.asarray((amounts <= top * (1 + 1e-12)).all(axis=1))

    def shares(self, U: Shares) -> Shares:
        """Dirichlet shares from points of the unit cube."""
        return self._spread(U, np.ones(len(self.names), dtype=bool))

    def _spread(self, U: Shares, free: Bool[np.ndarray, " k"]) -> Shares:
        strength = np.asarray(self.concentration)[free]
        drawn = np.maximum(special.gammaincinv(strength, np.clip(U[:, free], 1e-12, 1 - 1e-12)), 1e-300)
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))

    def redrawn(self, shares: Shares, kept: Bool[np.ndarray, " k"], U: Shares) -> Shares:
        """Ingredients not kept drawn anew: they share what the kept ones leave."""
        new = shares.copy()
        left = np.maximum(1.0 - shares[:, kept].sum(axis=1, keepdims=True), 0.0)
        new[:, ~kept] = left * self._spread(U, ~kept)
        return new


def refuse_empty(marginals: Sequence[Marginal], mixture: Mixture | None, limits: Sequence[Limit]) -> None:
    """Refuse conditions that no point can meet, and totals that bounds exclude.

    Raises
    ------
    InfeasibleError
        Naming the first condition that cannot hold with the ones before it.
    """
    names = [m.name for m in marginals]
    bounds = [tuple(v if np.isfinite(v) else None for v in m.law.support()) for m in marginals]
    equal: list[list[float]] = []
    if mixture is not None:
        equal = [[float(name in mixture.names) for name in names]]
        total = f"{' + '.join(mixture.names)} = {mixture.total:g}"
    rows: list[np.ndarray] = []
    right: list[float] = []
    for k in range(len(limits) + 1):
        if k:
            row = np.asarray(limits[k - 1].coefficients)
            for sign, end in ((1.0, limits[k - 1].upper), (-1.0, -limits[k - 1].lower)):
                if np.isfinite(end):
                    rows.append(sign * row)
                    right.append(end)
        elif mixture is None:
            continue
        found = linprog(
            np.zeros(len(names)),
            A_ub=np.array(rows) if rows else None,
            b_ub=right or None,
            A_eq=equal or None,
            b_eq=[mixture.total] if mixture is not None else None,
            bounds=bounds,
        )
        if found.status == 2:
            raise InfeasibleError(
                "conditions that some point meets",
                got=f"none with {limits[k - 1].words if k else total}",
                remedy="loosen it or the ranges of its inputs",
                where="the region",
            )
