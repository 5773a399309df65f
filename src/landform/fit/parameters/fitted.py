"""A fit: the parameters, how surely each is known, and what the model predicts with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from landform.derivatives import prepare
from landform.errors import ShapeError
from landform.findings import Finding, plain, plain_rows
from landform.findings.pictures import Bars, Picture, Scatter
from landform.fit.parameters.data import Data
from landform.fit.parameters.design import Next, next_points
from landform.fit.parameters.identify import Sloppy, blind_directions, sloppy_directions
from landform.fit.parameters.profile import Profile, profile_of
from landform.optimize import Certificate
from landform.optimize.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Objective:
    """What was added up: its kind, the scale of a robust loss, the weighted residuals and what each row adds."""

    kind: str
    scale: float
    residuals: Callable[..., Any]
    rows: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Fitted(Finding):
    """Parameters found from data. Made by `fit`.

    Parameters
    ----------
    model : callable
        ``model(x, p)``.
    data : Data
        What it was fitted to.
    vector : array, shape (n,)
        The parameters as one vector.
    names : tuple of str
        Their names.
    unflatten : callable
        From the vector to the form of the start.
    certificate : Certificate
        What the exact derivatives prove about the point.
    objective : Objective
        What was minimized.
    problem : Problem
        The same as a problem with bounds.
    starts : int
        How many starts were made.
    """

    model: Callable[..., Any]
    data: Data
    vector: Float[Array, " n"]
    names: tuple[str, ...]
    unflatten: Callable[[Any], Any]
    certificate: Certificate
    objective: Objective
    problem: Problem
    starts: int

    @property
    def parameters(self) -> Any:
        """The parameters in the form of the start."""
        from landform.backends.jax import double_precision, map_leaves

        with double_precision():
            return map_leaves(np.asarray, self.unflatten(self.vector))

    @property
    def certified(self) -> bool:
        """Whether this is proven to be a minimum, at least nearby."""
        return self.certificate.certified

    @property
    def words(self) -> str:
        """The verdict in one sentence."""
        blind = blind_directions(self.slopes, self.names)
        return f"{self.certificate.words}; {blind}" if blind else self.certificate.words

    @cached_property
    def residuals(self) -> Float[Array, " m"]:
        """Weighted residuals, ``(model − y)`` over the errors."""
        from landform.backends.jax import double_precision

        with double_precision():
            return np.asarray(self.objective.residuals(self.vector, *self._args))

    @property
    def _args(self) -> tuple[Any, ...]:
        return self.data.x, self.data.y, self.data.weights

    @cached_property
    def slopes(self) -> Float[Array, "m n"]:
        """The Jacobian of the weighted residuals."""
        return prepare(self.objective.residuals, self.vector, args=self._args).jacobian(self.vector)

    @property
    def free(self) -> Float[Array, " n"]:
        """Which parameters are not held by a bound."""
        held = {
            a.words.rpartition(" ")[0].rpartition(" ")[0] for a in self.certificate.multipliers if a.kind == "bound"
        }
        return np.array([name not in held for name in self.names], dtype=bool)

    @property
    def degrees(self) -> float:
        """Degrees of freedom of the residuals; infinite where the errors are known or a likelihood is maximized."""
        if self.data.known or self.objective.kind == "likelihood":
            return np.inf
        return float(len(self.residuals) - self.free.sum())

    @cached_property
    def noise(self) -> float:
        """Standard deviation of a measurement of weight 1, from the residuals; 1 where errors are known."""
        if np.isinf(self.degrees):
            return 1.0
        return float(np.sqrt(self.residuals @ self.residuals / self.degrees)) if self.degrees > 0 else float("nan")

    @cached_property
    def covariance(self) -> Float[Array, "n n"]:
        """Covariance of the parameters to first order; NaN for those held by a bound or that the data do not see.

        Least squares: ``s² (J'J)⁻¹``. Likelihood: the inverse of the exact Hessian. Robust losses: the sandwich
        ``H⁻¹ (Σ g g') H⁻¹`` (Huber 1967).
        """
        n, free = len(self.vector), self.free
        found = np.full((n, n), np.nan)
        J = self.slopes[:, free]
        if not free.any() or blind_directions(J, tuple(np.array(self.names)[free])):
            return found
        if self.objective.kind == "squares":
            size = np.linalg.norm(J, axis=0)
            inverse = np.linalg.inv(np.linalg.qr(J / size)[1]) / size[:, None]
            own = self.noise**2 * inverse @ inverse.T
        else:
            H = self.problem.prepared.hessian(self.vector)[np.ix_(free, free)]
            own = np.linalg.inv(H)
            if self.objective.kind != "likelihood":
                G = prepare(self.objective.rows, self.vector, args=self._args).jacobian(self.vector)[:, free]
                own = own @ (G.T @ G) @ own
        found[np.ix_(free, free)] = own
        return found

    @property
    def errors(self) -> Float[Array, " n"]:
        """Standard errors of the parameters."""
        return np.sqrt(np.diag(self.covariance))

    def _half(self, level: float) -> float:
        return float(
            stats.norm.ppf((1 + level) / 2) if np.isinf(self.degrees) else stats.t.ppf((1 + level) / 2, self.degrees)
        )

    def table(self, *, level: float = 0.95, profile: bool = False) -> pd.DataFrame:
        """One row per parameter: estimate, standard error, interval (Wald; by profile if asked), and a word on each."""
        import pandas as pd

        half = self._half(level) * self.errors
        found = pd.DataFrame(
            {
                "parameter": self.names,
                "estimate": self.vector,
                "standard error": self.errors,
                "lower": self.vector - half,
                "upper": self.vector + half,
            }
        )
        if profile:
            profiles = [
                self.profile(name, level=level) if open_ else None
                for name, open_ in zip(self.names, self.free, strict=True)
            ]
            found["profile lower"] = [np.nan if p is None else p.lower for p in profiles]
            found["profile upper"] = [np.nan if p is None else p.upper for p in profiles]
            found["verdict"] = [self._verdict(i, p) for i, p in enumerate(profiles)]
        else:
            found["verdict"] = [self._verdict(i, None) for i in range(len(self.names))]
        return found

    def _verdict(self, i: int, profile: Profile | None) -> str:
        if not self.free[i]:
            return "held by a bound"
        if not np.linalg.norm(self.slopes[:, i]):
            return "the model ignores it here"
        if not self.degrees:
            return "as many measurements as parameters: its error cannot be had"
        if np.isnan(self.errors[i]):
            return "not identifiable: others make up for it exactly"
        if profile is not None and not (np.isfinite(profile.lower) and np.isfinite(profile.upper)):
            return "not identifiable in practice: the data bound it on " + (
                "one side only" if np.isfinite(profile.lower) or np.isfinite(profile.upper) else "no side"
            )
        share = self.errors[i] / abs(self.vector[i]) if self.vector[i] else np.inf
        return "well determined" if share < 0.1 else "loosely determined" if share < 0.5 else "hardly determined"

    def to_frame(self) -> pd.DataFrame:
        """The table of parameters."""
        return self.table()

    def correlation(self) -> pd.DataFrame:
        """Correlations of the parameters' errors."""
        import pandas as pd

        with np.errstate(invalid="ignore"):
            matrix = self.covariance / np.outer(self.errors, self.errors)
        return pd.DataFrame(matrix, index=list(self.names), columns=list(self.names))

    def profile(self, name: str, *, level: float = 0.95) -> Profile:
        """How the best fit worsens as one parameter moves and the others give way, and the interval that follows.

        Raises
        ------
        ShapeError
            If there is no such parameter, it is held by a bound, or the loss is robust (it has no likelihood).
        """
        if name not in self.names:
            raise ShapeError(
                f"one of {', '.join(self.names)}", got=repr(name), remedy="name a parameter", where="profile"
            )
        i = self.names.index(name)
        if not self.free[i] or self.objective.kind not in ("squares", "likelihood"):
            raise ShapeError(
                "a free parameter of a fit by least squares or likelihood",
                got=f"{name} of a fit by {self.objective.kind}" + ("" if self.free[i] else ", held by a bound"),
                remedy="use the intervals of table()",
                where="profile",
            )
        width = self.errors[i] if np.isfinite(self.errors[i]) else max(abs(float(self.vector[i])), 1.0)
        return profile_of(self.problem, self.vector, i, variance=self.noise**2, limit=self._half(level), width=width)

    def sloppy(self) -> Sloppy:
        """Which combinations of the parameters the data pin down, and which they do not."""
        return sloppy_directions(
            self.slopes[:, self.free], self.vector[self.free], tuple(np.array(self.names)[self.free]), self.noise
        )

    def predict(self, x: Any, *, level: float = 0.95) -> pd.DataFrame:
        """Predictions at new conditions: mean, its standard error and interval, and the interval of a new measurement.

        Parameters
        ----------
        x : array or dict of arrays
            Conditions, in the form they had in the data.
        level : float
            Of the intervals.
        """
        import pandas as pd

        mean, slopes = self._at(x)
        error = np.sqrt(
            np.einsum("ri,ij,rj->r", slopes, np.where(np.isnan(self.covariance), 0.0, self.covariance), slopes)
        )
        if np.isnan(self.errors[self.free]).any():
            error = np.full(len(mean), np.nan)
        half, new = self._half(level) * error, self._half(level) * np.hypot(error, self.noise)
        columns = {"mean": mean, "standard error": error, "lower": mean - half, "upper": mean + half}
        if not self.data.known and self.objective.kind == "squares":
            columns |= {"new lower": mean - new, "new upper": mean + new}
        return pd.DataFrame(columns)

    def _at(self, x: Any) -> tuple[Float[Array, " r"], Float[Array, "r n"]]:
        model, unflatten = self.model, self.unflatten
        found = prepare(lambda p, x: model(x, unflatten(p)), self.vector, args=(x,))
        return found.value_and_jacobian(self.vector)

    def next_points(self, candidates: Any, *, criterion: str = "D", count: int = 1) -> Next:
        """Which of these conditions to measure next, so that the parameters become known best.

        Parameters
        ----------
        candidates : array or dict of arrays
            Conditions that could be measured.
        criterion : {"D", "I", "E"}
            Smallest confidence region; smallest average variance of the predictions at the candidates; smallest
            variance of the least certain combination of relative parameters.
        count : int
            How many, chosen one after the other.
        """
        _, slopes = self._at(candidates)
        free = self.free
        return next_points(
            self.slopes[:, free], slopes[:, free], criterion=criterion, count=count, scale=self.vector[free]
        )

    def pictures(self) -> Sequence[Picture]:
        """Estimates relative to their size with intervals; residuals in their order."""
        half = self._half(0.95) * self.errors
        size = np.where(self.vector != 0, np.abs(self.vector), 1.0)
        ends = [None if np.isnan(h) else float(h) for h in half / size]
        base = np.sign(self.vector)
        low = [None if e is None else float(b - e) for b, e in zip(base, ends, strict=True)]
        high = [None if e is None else float(b + e) for b, e in zip(base, ends, strict=True)]
        none = [None] * len(self.residuals)
        return (
            Bars(self.names, base.tolist(), low, high, "Parameters, in parts of their size, with 95 % intervals", ""),
            Scatter(
                range(len(none)),
                self.residuals.tolist(),
                none,
                none,
                "Residuals",
                "row",
                "model − data",
                diagonal=False,
            ),
        )

    def sentences(self) -> Sequence[str]:
        """The verdict, what the data pin down, and how often it was tried."""
        tried = f"{self.starts} starts were made." if self.starts > 1 else ""
        parts = [
            f"{self.words[0].upper()}{self.words[1:]}.",
            self.sloppy().words[0].upper() + self.sloppy().words[1:] + ".",
        ]
        return [*parts, tried] if tried else parts

    def tables(self) -> Sequence[tuple[str, pd.DataFrame]]:
        """Parameters with intervals, correlations, and combinations from the best known to the least."""
        correlation = self.correlation().rename_axis("parameter").reset_index()
        profiled = self.objective.kind in ("squares", "likelihood") and self.certified
        return [
            ("Parameters", self.table(profile=profiled)),
            ("Correlation", correlation),
            ("Combinations", self.sloppy().to_frame()),
        ]

    def to_dict(self) -> dict[str, Any]:
        """The fit as plain data; what is not known is None."""
        tables = {title.lower(): plain_rows(frame) for title, frame in self.tables()}
        degrees = None if np.isinf(self.degrees) else self.degrees
        said = {"words": self.words, "certified": self.certified, "nature": self.certificate.nature}
        facts = {"loss": self.objective.kind, "noise": plain(self.noise), "degrees_of_freedom": degrees}
        return {"fit": {**said, **facts, "starts": self.starts, **tables}}

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{n}={v:.6g} ± {e:.2g}" for n, v, e in zip(self.names, self.vector, self.errors, strict=True)
        )
        return f"Fitted({parts}; {self.words})"
