"""Eigenpairs, density, trace and diagonal of a loss's Hessian, as findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.curvature.at_point import DENSE, LossAt, Vector
from landform.errors import ShapeError
from landform.findings import Bars, Curve, Estimate, Finding, Picture, minus
from landform.linalg import Quadrature, extreme_pairs, sampled_diagonal, sampled_trace, spectral_quadrature

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class TopPairs(Finding):
    """The largest curvatures and their directions.

    Parameters
    ----------
    eigenvalues : array, shape (k,)
        Largest first (or as asked for).
    vectors : array, shape (n, k)
        Unit directions, one a column.
    residuals : array, shape (k,)
        ‖H v − θ v‖: a true eigenvalue lies within this of every one, whatever was overlooked.
    errors : array, shape (k,)
        How far each may be off, if none between it and its neighbours was overlooked.
    missed : float
        With a chance of 99.9 % none lies further than this beyond the outermost; zero where it is exact.
    converged : bool
        Whether all are known as well as was asked.
    products : int
        Hessian products that it took.
    """

    eigenvalues: Float[np.ndarray, " k"]
    vectors: Float[np.ndarray, "n k"]
    residuals: Float[np.ndarray, " k"]
    errors: Float[np.ndarray, " k"]
    missed: float
    converged: bool
    products: int

    def sentences(self) -> list[str]:
        """The largest one, and whether all are as near as was asked."""
        first = minus(f"{self.eigenvalues[0]:.4g}")
        found = f"The first curvature is {first} ± {self.errors[0]:.1g}."
        if not self.converged:
            worst = int(np.argmax(self.errors))
            found += f" Not converged: number {worst + 1} is known to ±{self.errors[worst]:.1g} only."
        return [found]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every pair."""
        import pandas as pd

        number = np.arange(1, len(self.eigenvalues) + 1)
        return pd.DataFrame({"number": number, "eigenvalue": self.eigenvalues, "within": self.errors})

    def pictures(self) -> list[Picture]:
        """Bars of the eigenvalues."""
        low, high = self.eigenvalues - self.errors, self.eigenvalues + self.errors
        labels = [str(k + 1) for k in range(len(low))]
        values = self.eigenvalues.tolist()
        return [Bars(labels, values, low.tolist(), high.tolist(), title="Largest curvatures", axis="eigenvalue")]


def top_pairs(
    at: LossAt,
    count: int,
    *,
    end: Any,
    tolerance: float,
    most: int | None,
    start: Any,
    seed: int,
    exact: Any = "values",
) -> TopPairs:
    """What `LossLandscape.top` gives."""
    vectors = start.vectors if isinstance(start, TopPairs) else start
    if vectors is not None and np.shape(vectors)[0] != at.n:
        raise ShapeError(
            f"vectors of {at.n} numbers",
            got=f"shape {np.shape(vectors)}",
            remedy="pass an earlier result",
            where="start",
        )
    found = extreme_pairs(
        at.product, at.n, count=count, end=end, tolerance=max(tolerance, 8 * at.rounding), most=most, start=vectors,
        copies=vectors is None, exact=exact, seed=seed,
    )  # fmt: skip
    asked = found.converged and tolerance >= 8 * at.rounding
    return TopPairs(
        found.eigenvalues, found.vectors, found.residuals, found.errors, found.missed, asked, found.products
    )


@dataclass(frozen=True, eq=False)
class Density(Finding):
    """How many curvatures lie where.

    Parameters
    ----------
    edges : array, shape (bins + 1,)
        Of the bins.
    shares, errors : array, shape (bins,)
        Share of all eigenvalues in every bin, and its standard error; zero errors where all were computed.
    level : float
        Of the intervals.
    half_width : float
        Standard errors that make half an interval.
    resolution : float
        Clusters nearer than this are not told apart; zero where all were computed.
    negative : Estimate
        Share of eigenvalues below minus the resolution.
    outliers : tuple of float
        Curvatures that stand apart from the bulk.
    quadrature : Quadrature or None
        Nodes and weights of every random vector.
    """

    edges: Float[np.ndarray, " b+1"]
    shares: Float[np.ndarray, " b"]
    errors: Float[np.ndarray, " b"]
    level: float
    half_width: float
    resolution: float
    negative: Estimate
    outliers: tuple[float, ...]
    quadrature: Quadrature | None

    def sentences(self) -> list[str]:
        """Where the bulk is, what stands out of it, how much bends down."""
        inside = np.flatnonzero(np.cumsum(self.shares) >= 0.05)[0], np.flatnonzero(np.cumsum(self.shares) >= 0.95)[0]
        low, high = self.edges[inside[0]], self.edges[inside[1] + 1]
        words = [minus(f"Nine in ten curvatures lie between {low:.3g} and {high:.3g}.")]
        if self.outliers:
            words.append(
                minus(f"{len(self.outliers)} stand apart from the bulk, the largest at {self.outliers[0]:.4g}.")
            )
        share, doubt = 100 * self.negative.value, 100 * (self.negative.half_width or 0.0)
        words.append(f"{share:.2g} ± {doubt:.1g} % bend down." if doubt else f"{share:.2g} % bend down.")
        if self.quadrature is not None:
            words.append(f"Nothing is blurred; clusters nearer than {self.resolution:.2g} are not told apart.")
        return words

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every bin."""
        import pandas as pd

        reach = self.half_width * self.errors
        return pd.DataFrame(
            {
                "from": self.edges[:-1],
                "to": self.edges[1:],
                "share": self.shares,
                "lower": np.maximum(self.shares - reach, 0),
                "upper": np.minimum(self.shares + reach, 1),
            }
        )

    def pictures(self) -> list[Picture]:
        """Share per bin."""
        middles = (self.edges[1:] + self.edges[:-1]) / 2
        frame = self.to_frame()
        sides = frame["lower"].tolist(), frame["upper"].tolist()
        title = "Density of curvatures"
        return [Curve(middles.tolist(), self.shares.tolist(), *sides, title=title, x_axis="eigenvalue", y_axis="share")]


def density(at: LossAt, *, bins: int, probes: int, steps: int, level: float, seed: int) -> Density:
    """What `LossLandscape.density` gives."""
    if bins < 1 or not 0 < level < 1:
        raise ShapeError(
            "one or more bins, a level between 0 and 1", got=f"{bins}, {level}", remedy="50 and 0.95 serve"
        )
    if at.n <= DENSE:
        values = np.linalg.eigvalsh(at.dense())
        edges = _edges(float(values[0]), float(values[-1]), bins)
        shares = np.histogram(values, edges)[0] / at.n
        floor = 8 * np.sqrt(at.n) * at.rounding * np.abs(values).max()
        negative = Estimate(float(np.mean(values < -floor)), 0.0, how="exact")
        outliers = tuple(float(v) for v in _outliers(values, (values[-1] - values[0]) / 30))
        return Density(edges, shares, np.zeros(bins), level, 0.0, 0.0, negative, outliers, None)
    found = spectral_quadrature(at.product, at.n, probes=probes, steps=steps, seed=seed)
    edges, wide = _edges(*found.ends, bins), found.half_width(level)
    shares, errors = found.shares(edges)
    share, error = (float(one[0]) for one in found.below(np.array([-found.resolution])))
    negative = Estimate(share, error, max(share - wide * error, 0.0), min(share + wide * error, 1.0), how="quadrature")
    apart = _outliers(np.sort(found.nodes[0]), 2 * found.resolution)
    return Density(edges, shares, errors, level, wide, found.resolution, negative, tuple(apart), found)


def _edges(low: float, high: float, bins: int) -> Float[np.ndarray, " b+1"]:
    margin = 1e-9 * max(abs(low), abs(high), 1e-300)
    return np.linspace(low - margin, high + margin, bins + 1)


def _outliers(values: Vector, apart: float) -> list[float]:
    """Values at either end beyond a gap that is wide beside the typical one, largest absolute value first."""
    middle = np.median(values)
    found = []
    for side in (values[values > middle], -values[values < middle][::-1]):
        gaps = np.flatnonzero(np.diff(side) > max(apart, 1e-300))
        if len(gaps) and len(side) - gaps[0] - 1 <= max(1, len(values) // 5):
            found += [v if side[-1] == values[-1] else -v for v in side[gaps[0] + 1 :]]
    return sorted((float(v) for v in found), key=abs, reverse=True)


@dataclass(frozen=True, eq=False)
class Total(Finding):
    """The trace: the sum of all curvatures.

    Parameters
    ----------
    estimate : Estimate
        With its standard error and interval; no error where it is exact.
    level : float
        Of the interval.
    converged : bool
        Whether the interval is as narrow as was asked.
    exact : bool
        Whether nothing was left to chance.
    products : int
        Hessian products that it took.
    """

    estimate: Estimate
    level: float
    converged: bool
    exact: bool
    products: int

    def sentences(self) -> list[str]:
        """The number, with its doubt."""
        said = f"The curvatures add to {self.estimate}" + (", exactly." if self.exact else f" ({self.level:.0%}).")
        return [said if self.converged else said + " That is wider than was asked: allow more products."]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        import pandas as pd

        return pd.DataFrame([{**self.estimate.to_dict(), "converged": self.converged, "products": self.products}])


def trace(at: LossAt, *, tolerance: float, level: float, most: int | None, seed: int) -> Total:
    """What `LossLandscape.trace` gives."""
    found = sampled_trace(at.product, at.n, tolerance=tolerance, level=level, most=most, seed=seed)
    value, error, lower, upper = (float(one) for one in (found.value, found.standard_error, found.lower, found.upper))
    how = "products with every unit vector" if found.exact else "Hutch++"
    return Total(Estimate(value, error, lower, upper, how=how), level, found.converged, found.exact, found.products)


@dataclass(frozen=True, eq=False)
class Diagonal(Finding):
    """The curvature along every parameter.

    Parameters
    ----------
    names : sequence of str
        The parameters.
    values, standard_errors, lower, upper : array, shape (n,)
        With an interval each.
    converged : bool
        Whether the intervals are as narrow as was asked, all together.
    """

    names: Any
    values: Vector
    standard_errors: Vector
    lower: Vector
    upper: Vector
    converged: bool

    def sentences(self) -> list[str]:
        """The stiffest parameter."""
        k = int(np.argmax(self.values))
        most = Estimate(float(self.values[k]), lower=float(self.lower[k]), upper=float(self.upper[k]))
        return [f"The loss bends most along {self.names[k]}: {most}."]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every parameter."""
        import pandas as pd

        columns = {"curvature": self.values, "standard_error": self.standard_errors}
        return pd.DataFrame({"parameter": list(self.names), **columns, "lower": self.lower, "upper": self.upper})


def diagonal(at: LossAt, *, tolerance: float, level: float, most: int | None, seed: int) -> Diagonal:
    """What `LossLandscape.diagonal` gives."""
    found = sampled_diagonal(at.product, at.n, tolerance=tolerance, level=level, most=most, seed=seed)
    value, error, lower, upper = map(np.asarray, (found.value, found.standard_error, found.lower, found.upper))
    return Diagonal(at.target.input_names, value, error, lower, upper, found.converged)
