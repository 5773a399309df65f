"""Principal directions of a table: which few carry its variation, and how surely each is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float
from scipy import stats

from landform.directions.decompose import Decomposition, Scale, decompose
from landform.directions.doubt import (
    Pulls,
    gaussian_pulls,
    loading_covariance,
    loading_variances,
    observed_pulls,
    share_errors,
)
from landform.directions.rows import Rows, checked_batch, rows_of
from landform.directions.spans import Span, member_slices, spans_of, tied_neighbors
from landform.errors import ShapeError
from landform.findings import Bars, Biplot, Finding, Picture, minus

if TYPE_CHECKING:
    import pandas as pd

    from landform.directions.influence import RowInfluence

Errors = Literal["auto", "gaussian", "distribution-free"]
_MOST = 20
"""Directions kept where no number was asked for."""
_TOLD = 3
"""Columns named in the words of a direction."""


@dataclass(frozen=True, eq=False)
class PrincipalDirections(Finding):
    """Principal directions with their doubt.

    Parameters
    ----------
    names : tuple of str
        The d columns.
    eigenvalues, eigenvalue_errors : array, shape (count,)
        Variance along each direction and its standard error, in squared units of the scale.
    loadings, loading_errors : array, shape (d, count)
        Unit vectors, one a column, the largest entry of each positive, and their standard errors. Those of a
        direction that does not stand alone are shown in no table: its axis means nothing singly.
    shares, share_errors : array, shape (count,)
        Part of all variation, and its standard error.
    spans : tuple of Span
        Which directions stand alone, which only span a plane together.
    level : float
        Of the intervals.
    errors : {"gaussian", "distribution-free"}
        What the standard errors assume.
    notes : tuple of str
        What to know before believing the figures.
    decomposition, source
        Where it all came from.
    """

    names: tuple[str, ...]
    eigenvalues: Float[np.ndarray, " count"]
    eigenvalue_errors: Float[np.ndarray, " count"]
    loadings: Float[np.ndarray, "d count"]
    loading_errors: Float[np.ndarray, "d count"]
    shares: Float[np.ndarray, " count"]
    share_errors: Float[np.ndarray, " count"]
    spans: tuple[Span, ...]
    level: float
    errors: Literal["gaussian", "distribution-free"]
    notes: tuple[str, ...]
    decomposition: Decomposition = field(repr=False)
    source: Rows = field(repr=False)

    @property
    def count(self) -> int:
        """How many directions."""
        return len(self.eigenvalues)

    @property
    def how(self) -> str:
        """How it was obtained."""
        doubt = {"gaussian": "for Gaussian rows", "distribution-free": "for any distribution of the rows"}[self.errors]
        return f"{self.decomposition.how}; standard errors in closed form, {doubt}"

    @property
    def converged(self) -> bool:
        """Whether the span of the directions is as near the true one as was asked."""
        return self.decomposition.converged

    @property
    def words(self) -> str:
        """The finding in sentences."""
        lines = [span.words + self._mostly(span) for span in self.spans]
        return "\n".join([*lines, *self.notes])

    def _mostly(self, span: Span) -> str:
        if not span.alone:
            return ""
        j = span.members[0] - 1
        largest = np.argsort(-np.round(np.abs(self.loadings[:, j]), 10), kind="stable")[:_TOLD]
        parts = [
            f"{self.names[i]} {minus(f'{self.loadings[i, j]:+.2f}')} ± {self._z * self.loading_errors[i, j]:.2f}"
            for i in largest
        ]
        return f" Mostly {', '.join(parts)}."

    @property
    def _z(self) -> float:
        return float(stats.norm.ppf(0.5 + self.level / 2))

    def span_of(self, direction: int) -> Span:
        """The span that a direction (from 1) belongs to."""
        for span in self.spans:
            if direction in span.members:
                return span
        raise ShapeError(f"a direction from 1 to {self.count}", got=repr(direction), remedy="choose one of these")

    def eigenvalue_intervals(self) -> Float[np.ndarray, "count 2"]:
        """Intervals of the eigenvalues, symmetric for their logarithms."""
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.exp(self._z * np.nan_to_num(self.eigenvalue_errors / self.eigenvalues))
        return np.stack([self.eigenvalues / factor, self.eigenvalues * factor], axis=1)

    def to_frame(self) -> pd.DataFrame:
        """One row per direction and column: its loading with standard error and interval.

        Where a direction does not stand alone its loadings have no doubt of their own, and ``span`` says with which
        others it shares a plane.
        """
        import pandas as pd

        rows = []
        for j in range(self.count):
            span = self.span_of(j + 1)
            for i, name in enumerate(self.names):
                value, error = self.loadings[i, j], self.loading_errors[i, j] if span.alone else np.nan
                interval = {"lower": value - self._z * error, "upper": value + self._z * error}
                row = {"direction": j + 1, "column": name, "loading": value, "standard_error": error}
                rows.append({**row, **interval, "alone": span.alone, "span": span.name})
        return pd.DataFrame(rows)

    def eigenvalues_to_frame(self) -> pd.DataFrame:
        """One row per direction: eigenvalue and share with their doubt."""
        import pandas as pd

        lower, upper = self.eigenvalue_intervals().T
        return pd.DataFrame(
            {
                "direction": np.arange(1, self.count + 1),
                "eigenvalue": self.eigenvalues,
                "standard_error": self.eigenvalue_errors,
                "lower": lower,
                "upper": upper,
                "share": self.shares,
                "share_error": self.share_errors,
                "span": [self.span_of(j + 1).name for j in range(self.count)],
            }
        )

    def spans_to_frame(self) -> pd.DataFrame:
        """One row per span and column: how much of the column's axis lies in it."""
        import pandas as pd

        rows = [
            {"span": s.name, "column": name, "within": within, "standard_error": error, "angle": s.angle}
            for s in self.spans
            for name, within, error in zip(self.names, s.columns, s.column_errors, strict=True)
        ]
        return pd.DataFrame(rows)

    def transform(self, X: Any) -> Float[np.ndarray, "rows count"]:
        """Scores of rows: where they lie along each direction."""
        batch = checked_batch(X, self.names, start=0)
        return np.asarray(self.decomposition.standardized(batch) @ self.loadings)

    def loading_covariance(self, direction: int) -> Float[np.ndarray, "d d"]:
        """Covariance of the loadings of a direction (from 1) that stands alone.

        Raises
        ------
        ShapeError
            If it does not stand alone.
        """
        span = self.span_of(direction)
        if not span.alone:
            raise ShapeError(
                "a direction that stands alone", got=span.name, remedy="read spans_to_frame() for what is known of it"
            )
        wanted = [(direction - 1, direction - 1)]
        pulls = _pulls(self.decomposition, self.source, self.errors, wanted)
        return loading_covariance(self.decomposition, pulls, direction - 1)

    def influence(self, *, order: int = 2) -> RowInfluence:
        """What leaving out each row would do to every direction, from perturbation theory, without a refit.

        Parameters
        ----------
        order : {1, 2}
            Of the expansion.
        """
        from landform.directions.influence import influence_of_rows

        return influence_of_rows(self, order=order)

    def pictures(self) -> Sequence[Picture]:
        """Scree with intervals, loadings of the directions that stand alone (two at most), biplot."""
        shown = [span.members[0] - 1 for span in self.spans if span.alone][:2]
        lower, upper = self.eigenvalue_intervals().T
        labels = [str(j + 1) if self.span_of(j + 1).alone else f"{j + 1} *" for j in range(self.count)]
        title = "Variance along each direction" + (
            "\n* not apart from a neighbor" if any("*" in s for s in labels) else ""
        )
        scree = Bars(labels, list(self.eigenvalues), list(lower), list(upper), title, "eigenvalue")
        bars = [self._loading_bars(j) for j in shown]
        return [scree, *bars, *self._biplot()]

    def _loading_bars(self, j: int) -> Bars:
        order = np.argsort(-np.abs(self.loadings[:, j]), kind="stable")[:25]
        values, doubt = self.loadings[order, j], self._z * self.loading_errors[order, j]
        names = [self.names[i] for i in order]
        return Bars(names, list(values), list(values - doubt), list(values + doubt), f"Direction {j + 1}", "loading")

    def _biplot(self) -> list[Picture]:
        if self.count < 2 or self.source.whole is None:
            return []
        scores = self.decomposition.standardized(self.source.whole) @ self.loadings[:, :2]
        most = np.argsort(-np.square(self.loadings[:, :2]).sum(axis=1), kind="stable")[:15]
        axes = [f"direction {j + 1} ({100 * self.shares[j]:.0f} %)" for j in (0, 1)]
        apart = "" if all(self.span_of(j).alone for j in (1, 2)) else "\nthe axes may be turned in their plane"
        arrows = [tuple(self.loadings[i, :2]) for i in most]
        names = [self.names[i] for i in most]
        return [Biplot(scores.tolist(), arrows, names, f"Rows and columns{apart}", *axes)]


def principal_directions(
    X: Any,
    *,
    scale: Scale = "covariance",
    count: int | None = None,
    errors: Errors = "auto",
    level: float = 0.95,
    chance: float = 0.05,
    names: Sequence[str] | None = None,
    tolerance: float = 1e-6,
    passes: int = 40,
) -> PrincipalDirections:
    """The directions that carry the variation of a table, each with its doubt: principal component analysis.

    Eigenvalues and loadings come with standard errors in closed form, and neighbors whose eigenvalues cannot be told
    apart are said to span a plane: the data fix the plane, not the axes in it.

    Parameters
    ----------
    X : array, data frame, scipy.sparse matrix, or batches of these
        Rows of observations, shape (rows, d). Batches come from a list, from a function that returns a new iterator,
        or (up to 1000 columns) from an iterator that is read once. Sparse rows are never centered densely.
    scale : {"covariance", "correlation"}
        "correlation" first divides each column by its standard deviation; columns in different units need it.
    count : int, optional
        How many directions; all up to 20, or 10 where there are more than 1000 columns and too many rows for memory.
    errors : {"auto", "gaussian", "distribution-free"}
        What standard errors assume. "auto" takes the distribution-free ones where rows can be read again.
    level : float
        Of the intervals.
    chance : float
        Neighbors count as apart where equal eigenvalues would lie as far apart less often than this.
    names : sequence of str, optional
        Of the columns; a data frame brings its own.
    tolerance, passes : float, int
        For more than 1000 columns: largest angle in radians allowed between the span found and the true one, and
        the most passes over the rows. What is not reached is said (``converged``, ``how``).

    Returns
    -------
    PrincipalDirections

    Raises
    ------
    ShapeError
        If a number is missing (row and column are named), nothing varies, or there are fewer than three rows.

    References
    ----------
    Anderson (1963), Ann. Math. Statist. 34; Jolliffe (2002), *Principal Component Analysis*, ch. 3 and 10.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((500, 3)) * [3.0, 1.0, 1.0]
    >>> found = principal_directions(X, names=["length", "width", "height"])
    >>> print(found.words)
    Direction 1 carries 81.6 % of the variation and stands alone, known to 1.3°. Mostly length +1.00 ± 0.00, ...
    Directions 2 and 3 carry 18.4 % of the variation and span a plane known to 1.3°; their axes mean nothing singly.
    """
    source = rows_of(X, names)
    _refuse_settings(count, errors, level, chance)
    found = decompose(source, scale=scale, count=count, tolerance=tolerance, passes=passes)
    count = min(_MOST, found.known) if count is None else count
    if count > found.known:
        raise ShapeError(
            f"at most {found.known} directions, as {found.rows} rows of {len(source.names)} columns have",
            got=f"count={count}",
            remedy="ask for fewer",
        )
    kind, notes = _kind_of_errors(found, source, errors)
    return _with_doubt(found, source, count, kind, level=level, chance=chance, notes=notes)


def _refuse_settings(count: int | None, errors: str, level: float, chance: float) -> None:
    if count is not None and (not isinstance(count, (int, np.integer)) or count < 1):
        raise ShapeError("a number of directions from 1", got=repr(count), remedy="ask for one at least")
    if errors not in ("auto", "gaussian", "distribution-free"):
        raise ShapeError(
            '"auto", "gaussian" or "distribution-free"', got=repr(errors), remedy="choose one", where="argument errors"
        )
    for name, value in (("level", level), ("chance", chance)):
        if not 0 < value < 1:
            raise ShapeError(
                "a number between 0 and 1", got=repr(value), remedy="0.95 and 0.05 serve", where=f"argument {name}"
            )


def _kind_of_errors(
    found: Decomposition, source: Rows, asked: Errors
) -> tuple[Literal["gaussian", "distribution-free"], list[str]]:
    """What standard errors can assume, and what to know about them."""
    d, known = len(source.names), len(found.pairs.values)
    wide = found.correlation and known < d
    if asked == "distribution-free" and (not source.again or not found.complete):
        raise ShapeError(
            "rows that can be read again, and every eigenvalue, for distribution-free errors",
            got="rows read once" if not source.again else "leading directions alone",
            remedy='pass a list of batches, or take errors="gaussian"',
            where="argument errors",
        )
    notes = [] if found.converged else [f"The directions are {found.how}."]
    if wide:
        notes.append(f"Standard errors on the correlation scale of {d} columns leave out directions not found.")
    if found.rows < 5 * d:
        notes.append(
            f"{found.rows} rows for {d} columns: the standard errors are those of many rows, and too small here; "
            "leading eigenvalues are too large."
        )
    if not found.correlation and found.variances.max() > 0.9 * found.total and d > 2:
        name = source.names[int(np.argmax(found.variances))]
        notes.append(
            f'Column {name} alone has most of the variance; scale="correlation" lets every column count alike.'
        )
    if asked == "gaussian" or not source.again or not found.complete:
        return "gaussian", notes
    return "distribution-free", notes


def _pulls(found: Decomposition, source: Rows, kind: str, wanted: list[tuple[int, int]]) -> Pulls:
    return gaussian_pulls(found, wanted) if kind == "gaussian" else observed_pulls(found, source, wanted)


def _with_doubt(
    found: Decomposition,
    source: Rows,
    count: int,
    kind: Literal["gaussian", "distribution-free"],
    *,
    level: float,
    chance: float,
    notes: list[str],
) -> PrincipalDirections:
    last = min(count + 1, found.known)
    wanted = [(j, j) for j in range(last)] + [(j, j + 1) for j in range(last - 1)]
    pulls = _pulls(found, source, kind, wanted)
    chances = tied_neighbors(found, pulls, count)
    members = member_slices(chances, count, chance)
    inside = [(j, m) for run in members for j in range(run.start, run.stop) for m in range(j + 2, run.stop)]
    if inside:
        pulls |= _pulls(found, source, kind, inside)
    own = np.array([pulls[j, j][j, j] for j in range(count)])
    return PrincipalDirections(
        source.names,
        found.pairs.values[:count],
        np.sqrt(own / found.rows),
        found.pairs.vectors[:, :count],
        np.sqrt(np.stack([loading_variances(found, pulls, j) for j in range(count)], axis=1)),
        found.pairs.values[:count] / found.total,
        share_errors(found, None if kind == "gaussian" else source, own),
        spans_of(found, pulls, members, chances, chance),
        level,
        kind,
        tuple(notes),
        found,
        source,
    )
