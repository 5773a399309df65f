"""All inputs together: their distributions, what ties them, and the region they are confined to.

References
----------
Nataf (1962), *C. R. Acad. Sci. Paris* 225, 42 (the Gaussian copula); Aitchison (1986), *The Statistical Analysis of
Compositional Data*, ch. 3 (shares of independent gammas are Dirichlet, and stay so when some are held).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import special

from landform.errors import InfeasibleError, ProblemError, ShapeError
from landform.sensitivity.over_ranges.marginals import Marginal, make_marginal
from landform.sensitivity.over_ranges.region import Limit, Mixture, make_limits, refuse_empty

Rows = Float[np.ndarray, "rows d"]
_TRIES = 1000
_STUCK = 0.01
"""The largest share of points that may find no room for a fresh draw."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """The joint distribution of d inputs.

    A point is kept as scores: the share of its total for an ingredient of a mixture, else the normal score.

    Parameters
    ----------
    marginals : tuple of Marginal
        One for each input, in order.
    correlation : array, shape (d, d), or None
        Of the normal scores; None for independent inputs.
    mixture : Mixture or None
        Inputs that add to a total.
    limits : tuple of Limit
        Linear conditions that every point meets.
    """

    marginals: tuple[Marginal, ...]
    correlation: Float[np.ndarray, "d d"] | None = None
    mixture: Mixture | None = None
    limits: tuple[Limit, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs."""
        return tuple(m.name for m in self.marginals)

    @property
    def d(self) -> int:
        """How many there are."""
        return len(self.marginals)

    @property
    def independent(self) -> bool:
        """Whether nothing ties the inputs to one another."""
        return self.correlation is None and self.mixture is None and not self.limits

    @cached_property
    def _blended(self) -> Bool[np.ndarray, " d"]:
        names = () if self.mixture is None else self.mixture.names
        return np.array([name in names for name in self.names])

    @cached_property
    def _normal_correlation(self) -> Float[np.ndarray, "d d"]:
        return np.eye(self.d) if self.correlation is None else self.correlation

    def points(self, scores: Rows) -> Rows:
        """Scores in the inputs' own units."""
        X = np.empty_like(scores)
        for i, marginal in enumerate(self.marginals):
            if not self._blended[i]:
                X[:, i] = marginal.at(special.ndtr(scores[:, i]))
        if self.mixture is not None:
            X[:, self._blended] = self.mixture.amounts(scores[:, self._blended])
        return X

    def inside(self, X: Rows) -> Bool[np.ndarray, " rows"]:
        """Which points meet every condition."""
        good = np.ones(len(X), dtype=bool)
        for limit in self.limits:
            good &= limit.met(X)
        return good if self.mixture is None else good & self.mixture.met(X[:, self._blended])

    def scores(self, U: Rows) -> Rows:
        """Scores of points of the unit cube, whether or not they meet the conditions."""
        Z = special.ndtri(np.clip(U, 1e-12, 1 - 1e-12)) @ np.linalg.cholesky(self._normal_correlation).T
        if self.mixture is not None:
            Z[:, self._blended] = self.mixture.shares(U[:, self._blended])
        return np.asarray(Z)

    def redrawn(self, scores: Rows, kept: Bool[np.ndarray, " d"], U: Rows, rng: np.random.Generator) -> Rows:
        """Points that agree with given ones in the inputs ``kept``; the others drawn anew, given these.

        Parameters
        ----------
        scores : array, shape (rows, d)
            Points that meet the conditions.
        kept : array of bool, shape (d,)
            Which inputs agree.
        U : array, shape (rows, d)
            The unit cube's points to draw from; ``rng`` goes on where a draw misses a condition.
        """
        new = self._redrawn_once(scores, kept, U)
        if not self.limits and self.mixture is None:
            return new
        missing = np.flatnonzero(~self.inside(self.points(new)))
        for _ in range(_TRIES):
            if not len(missing):
                return new
            new[missing] = self._redrawn_once(scores[missing], kept, rng.random((len(missing), self.d)))
            missing = missing[~self.inside(self.points(new[missing]))]
        # In the corners of a region there may be next to no room: there the others stay as they are.
        if len(missing) > _STUCK * len(scores):
            raise InfeasibleError(
                "conditions that leave inputs room once others are held",
                got=f"none found in {_TRIES} draws for {len(missing) / len(scores):.0%} of the points",
                remedy="narrow the distributions to where the conditions hold",
                where="the region",
            )
        new[missing] = scores[missing]
        return new

    def _redrawn_once(self, scores: Rows, kept: Bool[np.ndarray, " d"], U: Rows) -> Rows:
        new = scores.copy()
        free, held = ~kept & ~self._blended, kept & ~self._blended
        if free.any():
            R = self._normal_correlation
            gain = np.linalg.solve(R[np.ix_(held, held)], R[np.ix_(held, free)]).T
            rest = R[np.ix_(free, free)] - gain @ R[np.ix_(held, free)]
            noise = special.ndtri(np.clip(U[:, free], 1e-12, 1 - 1e-12))
            new[:, free] = scores[:, held] @ gain.T + noise @ np.linalg.cholesky(rest).T
        if self.mixture is not None and (~kept & self._blended).any():
            new[:, self._blended] = self.mixture.redrawn(
                scores[:, self._blended], kept[self._blended], U[:, self._blended]
            )
        return new

    def require_room(self) -> float:
        """The share of draws that meet the conditions.

        Raises
        ------
        InfeasibleError
            If it is too small to draw from.
        """
        if not self.limits and self.mixture is None:
            return 1.0
        share = float(self.inside(self.points(self.scores(np.random.default_rng(0).random((20_000, self.d))))).mean())
        if share < 1e-3:
            raise InfeasibleError(
                "conditions that at least 1 in 1000 draws from the distributions meet",
                got=f"{share:.1g} of 20,000 draws",
                remedy="narrow the distributions to where the conditions hold",
                where="the region",
            )
        return share


def make_inputs(
    distributions: Mapping[str, Any] | Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    correlation: Any = None,
    mixture: Mixture | None = None,
    limits: Sequence[tuple[Mapping[str, float], float | None, float | None]] = (),
) -> Inputs:
    """Distributions and what ties them, checked.

    Parameters
    ----------
    distributions : mapping from name, or sequence
        A pair ``(lower, upper)``, a frozen continuous `scipy.stats` distribution, or measured values, for each input.
    names : sequence of str, optional
        The function's inputs, in order; a mapping must name exactly these.
    correlation : array, shape (d, d), optional
        Of the inputs' normal scores (the Gaussian copula).
    mixture : Mixture, optional
        Inputs that add to a total; the pair of each are its bounds.
    limits : sequence of (coefficients by name, lower, upper), optional
        Linear conditions; None for no bound.

    Raises
    ------
    ProblemError
        If a distribution or the correlation is none, or the parts exclude each other.
    ShapeError
        If names do not fit.
    InfeasibleError
        If no point, or next to none, meets the conditions.

    Examples
    --------
    >>> inputs = make_inputs({"a": (0, 1), "b": (0, 1)}, limits=[({"a": 1, "b": 1}, None, 1)])
    >>> inputs.require_room() > 0.45
    True
    """
    given = _by_name(distributions, names)
    marginals = tuple(make_marginal(name, law) for name, law in given.items())
    order = tuple(given)
    R = None if correlation is None else _correlation(correlation, len(order))
    inputs = Inputs(
        marginals,
        R,
        None if mixture is None else mixture.within(marginals),
        make_limits(limits, order),
    )
    blended = inputs._blended
    if R is not None and blended.any() and np.any(R[blended] - np.eye(len(order))[blended]):
        raise ProblemError(
            "ingredients of a mixture without correlations",
            got="a correlation with one of them",
            remedy="leave theirs at 0: their sum already ties them",
            where="argument correlation",
        )
    refuse_empty(inputs.marginals, inputs.mixture, inputs.limits)
    inputs.require_room()
    return inputs


def _by_name(distributions: Any, names: Sequence[str] | None) -> dict[str, Any]:
    if len(distributions) == 0:
        raise ShapeError("one distribution or more", got="none", remedy="say how each input varies")
    if not isinstance(distributions, Mapping):
        count = len(distributions)
        names = names if names is not None else tuple(f"x{i}" for i in range(count)) if count > 1 else ("x",)
        if len(names) != count:
            raise ShapeError(
                f"{len(names)} distributions, one for each input",
                got=f"{count}",
                remedy="give the others",
                where="argument distributions",
            )
        return dict(zip(names, distributions, strict=True))
    if names is None:
        return dict(distributions)
    if set(names) != set(distributions):
        missing = [n for n in names if n not in distributions]
        unknown = [n for n in distributions if n not in names]
        raise ShapeError(
            f"a distribution for each of {', '.join(names)}",
            got=", ".join([f"none for {n}" for n in missing] + [f"one for {n}, which is no input" for n in unknown]),
            remedy="name the function's inputs",
            where="argument distributions",
        )
    return {name: distributions[name] for name in names}


def _correlation(given: Any, d: int) -> Float[np.ndarray, "d d"] | None:
    where = "argument correlation"
    try:
        R = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"a {d} × {d} matrix", got=repr(given)[:60], remedy="give numbers", where=where) from error
    if R.shape != (d, d):
        raise ShapeError(f"a {d} × {d} matrix", got=f"shape {R.shape}", remedy="give one row per input", where=where)
    if not np.isfinite(R).all() or np.abs(R - R.T).max() > 1e-10 or np.abs(np.diag(R) - 1).max() > 1e-10:
        raise ProblemError(
            "a symmetric matrix with ones on its diagonal", got=R.tolist(), remedy="correct it", where=where
        )
    least = float(np.linalg.eigvalsh(R)[0])
    if least < 1e-10:
        raise ProblemError(
            "a positive definite correlation matrix",
            got=f"an eigenvalue of {least:.3g}",
            remedy="weaken the correlations, or leave out an input that follows from others",
            where=where,
        )
    return None if not np.any(R - np.eye(d)) else R
