"""How many directions the data fix, and the volume that they leave: sums of a function over all curvatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landform.curvature.at_point import DENSE, LossAt
from landform.curvature.observed import Source, observed
from landform.derivatives.kronecker import rows_in
from landform.errors import DerivativeError, ShapeError
from landform.findings import Curve, Estimate, Finding, Picture, minus
from landform.linalg import Evidence, sampled_trace_of_function, spectral_quadrature

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class FixedDirections(Finding):
    """How many directions the data fix: MacKay's effective number of parameters.

    Parameters
    ----------
    estimate : Estimate
        Σ λ / (λ + shift); curvatures below zero count as none. Its interval holds at this shift.
    shift : float
        Curvature at which a direction counts half.
    why : str
        Where the shift comes from, and what is assumed.
    size : int
        Number of parameters.
    level : float
        Of the interval.
    converged : bool
        Whether it is as narrow as was asked.
    products : int
        Hessian products that it took.
    curve : tuple of (shifts, numbers)
        How the number falls as the shift grows.
    """

    estimate: Estimate
    shift: float
    why: str
    size: int
    level: float
    converged: bool
    products: int
    curve: tuple[tuple[float, ...], tuple[float, ...]]

    def sentences(self) -> list[str]:
        """The number, at what shift, and why there."""
        said = [f"The data fix {self.estimate} of {self.size} directions at a shift of {self.shift:.3g} ({self.why})."]
        return said if self.converged else [*said, "That is wider than was asked: allow more products."]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        import pandas as pd

        return pd.DataFrame([{**self.estimate.to_dict(), "shift": self.shift, "of": self.size, "why": self.why}])

    def pictures(self) -> list[Picture]:
        """The number against the shift."""
        x, y = self.curve
        none: list[None] = [None] * len(x)
        at = (float(np.log10(self.shift)), self.estimate.value)
        return [
            Curve(
                list(x), list(y), none, none, [at], title="Directions fixed by the data", x_axis="log₁₀ shift",
                y_axis="directions",
            )
        ]  # fmt: skip


@dataclass(frozen=True, eq=False)
class LogDeterminant(Finding):
    """The logarithm of a Hessian's determinant.

    Parameters
    ----------
    estimate : Estimate
        With its interval; no error where it is exact.
    shift : float
        What was added to every curvature.
    lowest : float
        The smallest curvature met, with the shift.
    level : float
        Of the interval.
    converged, exact : bool
        Whether the interval is as narrow as was asked, and whether nothing was left to chance.
    products : int
        Hessian products that it took.
    """

    estimate: Estimate
    shift: float
    lowest: float
    level: float
    converged: bool
    exact: bool
    products: int

    def sentences(self) -> list[str]:
        """The number, and what it rests on."""
        shift = f" plus {self.shift:.3g}" if self.shift else ""
        said = f"The logarithm of the determinant of the Hessian{shift} is {self.estimate}"
        if self.exact:
            return [said + ", exactly."]
        said += f" ({self.level:.0%}), if no curvature lies below the lowest met, {minus(f'{self.lowest:.2g}')}."
        return [said] if self.converged else [said, "That is wider than was asked: allow more products."]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        import pandas as pd

        return pd.DataFrame([{**self.estimate.to_dict(), "shift": self.shift, "products": self.products}])


def effective_dimension(
    source: Source, shift: float | None, *, tolerance: float, level: float, most: int | None, seed: int
) -> FixedDirections:
    """What `LossLandscape.effective_dimension` gives."""
    at = source.at
    if shift is not None and not 0 < shift < np.inf:
        raise ShapeError("a positive shift", got=repr(shift), remedy="give a weight decay", where="argument shift")
    values, weights, spent = _spectrum(at, seed)
    shift, why = (float(shift), "as given") if shift is not None else _by_evidence(source, values, weights)

    def part(curvatures: np.ndarray) -> np.ndarray:
        above = np.maximum(curvatures, 0)
        return above / (above + shift)

    grid = np.linspace(np.log10(shift) - 4, np.log10(shift) + 4, 81)
    above = np.maximum(values, 0)
    curve = tuple(grid.tolist()), tuple(float(weights @ (above / (above + 10**t))) for t in grid)
    if at.n <= DENSE:
        total = float(part(values).sum())
        return FixedDirections(Estimate(total, 0.0, how="exact"), shift, why, at.n, level, True, spent, curve)
    found = sampled_trace_of_function(at.product, at.n, part, tolerance=tolerance, level=level, most=most, seed=seed)
    estimate = Estimate(
        float(found.value), float(found.standard_error), max(float(found.lower), 0.0), float(found.upper),
        how="stochastic Lanczos quadrature",
    )  # fmt: skip
    return FixedDirections(estimate, shift, why, at.n, level, found.converged, spent + found.products, curve)


def _spectrum(at: LossAt, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Curvatures, how many each stands for, and the products that they took."""
    if at.n <= DENSE:
        return np.linalg.eigvalsh(at.dense()), np.ones(at.n), at.n
    found = spectral_quadrature(at.product, at.n, seed=seed)
    share = at.n / len(found.nodes)
    return np.concatenate(found.nodes), share * np.concatenate(found.weights), found.products


def _by_evidence(source: Source, values: np.ndarray, weights: np.ndarray) -> tuple[float, str]:
    """The shift of most evidence, in units of the loss."""
    above, squared, loss = np.maximum(values, 0), float((source.at.x**2).sum()), source.at.value()
    if source.model is not None:
        model = observed(source, None)
        scale = -model.log_likelihood / loss if loss else 1.0
        gaussian = model.distribution == "gaussian"
        evidence = Evidence(
            scale * above, squared, None if gaussian else model.log_likelihood,
            -2 * model.log_likelihood if gaussian else 0.0, model.rows * model.outputs.m if gaussian else 0, weights,
        )  # fmt: skip
        precision, noise, _ = evidence.best(None, None)
        return precision * noise**2 / scale, f"by most evidence, {model.said}"
    scale = _rows(source)
    precision, _, _ = Evidence(scale * above, squared, -scale * loss, weights=weights).best(None, None)
    return precision / scale, "by most evidence, the loss taken for a negative log-likelihood"


def _rows(source: Source) -> float:
    batches = [batch for batch, _ in source.at.batches()]
    if not source.at.mean:
        return 1.0
    if not batches[0]:
        raise ShapeError(
            "a shift, for a loss without data: how many rows it averages is not known",
            got="none",
            remedy="pass shift=, such as the weight decay",
            where="argument shift",
        )
    return float(sum(rows_in(_first(batch)) for batch in batches))


def _first(batch: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(batch[0])[:1] if isinstance(batch[0], (tuple, list)) else batch[:1]


def log_determinant(
    at: LossAt, shift: float, *, tolerance: float, level: float, most: int | None, seed: int
) -> LogDeterminant:
    """What `LossLandscape.logdet` gives."""
    if not np.isfinite(shift):
        raise ShapeError("a finite shift", got=repr(shift), remedy="give a number", where="argument shift")
    lowest = np.inf

    def logarithm(curvatures: np.ndarray) -> np.ndarray:
        nonlocal lowest
        lowest = min(lowest, float(curvatures.min()) + shift)
        floor = 8 * at.rounding * float(np.abs(curvatures).max())
        if lowest <= floor:
            raise DerivativeError(
                "a Hessian plus shift that is positive definite",
                got=f"a curvature of {lowest - shift:.3g} with a shift of {shift:.3g}",
                remedy="raise shift=",
                where="argument shift",
            )
        return np.log(curvatures + shift)

    if at.n <= DENSE:
        total = float(logarithm(np.linalg.eigvalsh(at.dense())).sum())
        return LogDeterminant(Estimate(total, 0.0, how="exact"), shift, lowest, level, True, True, at.n)
    found = sampled_trace_of_function(
        at.product, at.n, logarithm, tolerance=tolerance, floor=float(at.n), level=level, most=most, seed=seed
    )
    value, error, lower, upper = (float(one) for one in (found.value, found.standard_error, found.lower, found.upper))
    estimate = Estimate(value, error, lower, upper, how="stochastic Lanczos quadrature")
    return LogDeterminant(estimate, shift, lowest, level, found.converged, False, found.products)
