"""The Jacobian of a black box: from values alone, an error bar for every entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.coloring import ColoredPattern, color_columns
from landform.derivatives.jacobian import Jacobian
from landform.derivatives.numeric.black_box import BlackBox, NumericOptions, make_black_box
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.numeric.forward import forward_differences
from landform.derivatives.numeric.interval import interval_slopes
from landform.derivatives.numeric.lines import LEAST, Line, follow, make_room
from landform.derivatives.numeric.missing import refuse_missing
from landform.derivatives.numeric.noise import TABLE, measured_noise
from landform.derivatives.numeric.probing import seen_pattern
from landform.derivatives.numeric.taylor import EPS
from landform.derivatives.plan import Plan
from landform.derivatives.target import refuse_other_length
from landform.errors import ShapeError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

EACH = 14
CHECK = 4
"""Evaluations that a check of the pattern takes at least."""


@dataclass(frozen=True)
class Entries:
    """A Jacobian's entries: values, where they stand, and their errors, which may cost evaluations of their own."""

    values: Float[np.ndarray, " entries"]
    errors: Callable[[], Float[np.ndarray, " entries"]]
    noise: Float[np.ndarray, " m"]
    how: str


class NumericJacobian(Jacobian):
    """Every first derivative of a black box at one point, with an error bar each.

    The interface is that of `Jacobian`, and besides it tells the error of every entry, the noise in the outputs,
    how many evaluations were made and which of them failed. Made by ``jacobian(f, x, mode="numeric")``.
    """

    def __init__(self, box: BlackBox, entries: Entries, pattern: ColoredPattern | None) -> None:
        self._box = box
        self._entries = entries
        self._pattern = pattern

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)."""
        return self._box.value.size, self._box.x.size

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._box.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the rows."""
        return self._box.outputs

    @property
    def evaluations(self) -> int:
        """How often the function was called so far, failures included."""
        return self._box.evaluator.count

    @property
    def noise(self) -> Float[np.ndarray, " m"]:
        """Standard deviation of the noise in every output, in its units."""
        return self._entries.noise

    @property
    def pattern(self) -> ColoredPattern | None:
        """Where entries can differ from zero, given or detected: ``sparsity=J.pattern`` spares finding it elsewhere."""
        return self._pattern

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Evaluations that raised or were not finite; each was replaced by another."""
        return tuple(self._box.evaluator.failures)

    @cached_property
    def plan(self) -> Plan:
        """How the entries were obtained."""
        return Plan("numeric", self.evaluations, 1, 8 * len(self._entries.values), self._entries.how)

    def explain(self) -> str:
        """What was done, in words."""
        m, n = self.shape
        how = f"{self.evaluations} evaluations; {self._entries.how}; noise up to {np.max(self.noise):.2g}"
        failed = f"; {len(self.failures)} failed and were replaced" if self.failures else ""
        return f"{m} × {n} Jacobian, numeric: {how}{failed}"

    def sparse(self, *, sort: bool = True) -> csr_array:
        """The matrix in compressed rows, columns sorted in any case."""
        del sort
        return self._in_rows(self._entries.values)

    def _in_rows(self, values: np.ndarray) -> csr_array:
        from scipy.sparse import csr_array

        if self._pattern is None:
            return csr_array(values.reshape(self.shape))
        return self._pattern.structure.filled(values)

    def _full(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(self.shape) if self._pattern is None else np.asarray(self._in_rows(values).toarray())

    @cached_property
    def _matrix(self) -> Any:
        return self._entries.values.reshape(self.shape) if self._pattern is None else self.sparse()

    def __matmul__(self, v: Any) -> Any:
        """J v for v of shape (n,)."""
        return self._matrix @ _vector(v, self.shape[1], "input")

    def rmatvec(self, u: Any) -> Any:
        """J' u for u of shape (m,)."""
        return self._matrix.T @ _vector(u, self.shape[0], "output")

    def dense(self) -> Float[np.ndarray, "m n"]:
        """The matrix, shape (m, n)."""
        return self._full(self._entries.values)

    @cached_property
    def _errors(self) -> Float[np.ndarray, " entries"]:
        return self._entries.errors()

    def error(self) -> Float[np.ndarray, "m n"]:
        """The standard error of every entry; twice it is exceeded about one time in twenty.

        After ``budget="least"`` the first call evaluates the function once more per color.
        """
        return self._full(self._errors)

    def to_scipy(self) -> LinearOperator:
        """The operator for SciPy's solvers."""
        from scipy.sparse.linalg import aslinearoperator

        return aslinearoperator(self._matrix)

    def to_frame(self, *, errors: bool = True) -> pd.DataFrame:
        """The matrix as a table with one row per output; for every input its column and the column of errors."""
        import pandas as pd

        rows, columns = [f"d {name}" for name in self.outputs], [f"/ d {name}" for name in self.inputs]
        if not errors:
            return pd.DataFrame(self.dense(), index=rows, columns=columns)
        both = np.stack([self.dense(), self.error()], axis=2).reshape(self.shape[0], -1)
        return pd.DataFrame(both, index=rows, columns=[name for c in columns for name in (c, f"± {c}")])


def _vector(v: Any, size: int, what: str) -> np.ndarray:
    refuse_other_length(v, size, what)
    return np.asarray(v, dtype=np.float64)


def numeric_jacobian(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    options: NumericOptions | None = None,
) -> NumericJacobian:
    """Every first derivative of a black box at one point, from its values; see `landform.jacobian`.

    Every input (every color of inputs, with a sparsity) is moved along a line: six values of a difference table,
    then two, two and four where they tell most. A sparsity is checked along one more line, as far as the budget
    goes. Taylor's polynomial through them, of no fixed order, gives
    slope, noise and error bar (`taylor_coefficient`).

    Examples
    --------
    >>> J = numeric_jacobian(lambda x: np.array([np.sin(x[0]), x[0] * x[1], 4.0]), np.array([0.5, 2.0]))
    >>> J.dense().round(6)
    array([[0.877583, 0.      ],
           [2.      , 0.5     ],
           [0.      , 0.      ]])
    >>> J.evaluations, bool((J.error() < 1e-12).all())
    (29, True)
    """
    options = options or {}
    box = make_black_box(function, x, args=args, inputs=inputs, outputs=outputs, options=options)
    budget = options.get("budget")
    pattern, origin = _pattern(options.get("sparsity"), box, budget)
    if budget == "least" and pattern is not None:
        values, errors, noise = forward_differences(box, pattern)
        how = f"forward differences, {pattern.colors} colors{origin}; the pattern is not checked"
        return NumericJacobian(box, Entries(values, errors, noise, how), pattern)
    color = np.arange(box.x.size) if pattern is None else pattern.color
    lines = _lines(box, color)
    way = {"fit": _fitted, "interval": _tested}.get(options.get("method", "fit"))
    if way is None:
        raise ShapeError(
            'method "fit" or "interval"', got=repr(options["method"]), remedy="choose one", where="argument method"
        )
    slopes, bars, noise, how = way(box, lines, budget)
    how = f"{how} along {len(lines)} {'inputs' if pattern is None else 'colors'}{origin}"
    if pattern is None:
        values, errors = ((part / box.scale[:, None]).T.ravel() for part in (slopes, bars))
    else:
        place = color[pattern.columns], pattern.rows
        values, errors = (part[place] / box.scale[pattern.columns] for part in (slopes, bars))
    left = EACH if budget is None else int(budget) - box.evaluator.count
    how += "; the pattern is not checked: the budget is spent" if pattern is not None and left < CHECK else ""
    found = NumericJacobian(box, Entries(values, lambda: errors, noise, how), pattern)
    if pattern is not None and left >= CHECK:
        refuse_missing(box, found.sparse(), found._in_rows(errors), each=min(EACH, left))
    return found


_Slopes = tuple[Float[np.ndarray, "lines m"], Float[np.ndarray, "lines m"], Float[np.ndarray, " m"], str]


def _fitted(box: BlackBox, lines: list[Line], budget: Any) -> _Slopes:
    """Slopes, bars, noise and how they were had: Taylor fits."""
    each, most = per_line(budget, len(lines), EACH, box.evaluator.count), np.inf if budget is None else budget
    follow(lines, box.evaluator, box.x, box.value, order=1, each=each, bounds=box.bounds, noise=box.noise, most=most)
    found = [line.coefficient(1, box.noise, final=True) for line in lines]
    slopes, bars = (np.stack([getattr(c, part) for c in found]) for part in ("value", "error"))
    return slopes, bars, np.exp(np.mean([np.log(c.noise) for c in found], axis=0)), "Taylor fits"


def _tested(box: BlackBox, lines: list[Line], budget: Any) -> _Slopes:
    """The same by differences whose step passes the interval test, with the noise from a difference table."""
    each = per_line(budget, len(lines), EACH, box.evaluator.count)
    most, central = np.inf if budget is None else budget, 4 * len(lines)
    least = box.evaluator.count + central + (TABLE if box.noise is None else 0)
    if most < least:
        raise ShapeError(
            f"a budget of {least} evaluations or more for interval tests",
            got=repr(budget),
            remedy="raise it, or tell the noise",
            where="argument budget",
        )
    noise = measured_noise(box, most=most - central).level if box.noise is None else box.noise
    noise = np.maximum(noise, np.maximum(EPS * np.abs(box.value), np.finfo(float).tiny))
    found = interval_slopes(box, lines, noise, each=each, most=most)
    return np.stack([s.value for s in found]), np.stack([s.error for s in found]), noise, "interval tests"


def _lines(box: BlackBox, color: np.ndarray) -> list[Line]:
    lines = []
    for c in range(int(color.max()) + 1):
        moved = np.flatnonzero(color == c)
        direction = np.zeros(box.x.size)
        direction[moved] = box.scale[moved]
        name = f"input {box.inputs[moved[0]]!r}" + (f" and {len(moved) - 1} more" if len(moved) > 1 else "")
        lines.append(Line(name, direction, make_room(box.x, direction, *box.bounds)))
    return lines


def per_line(budget: Any, lines: int, usual: int, used: int = 1) -> int:
    """How often every line is evaluated within a budget of which some evaluations are used.

    Raises
    ------
    ShapeError
        If the budget is no whole number or too small for any estimate.

    Examples
    --------
    >>> per_line(None, 3, 14), per_line(20, 3, 14)
    (14, 6)
    """
    if budget is None:
        return usual
    least = used + LEAST * lines
    if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < least:
        raise ShapeError(
            f"a budget of {least} evaluations or more",
            got=repr(budget),
            remedy="raise it, or say where entries are zero with sparsity=",
            where="argument budget",
        )
    return min(usual, (int(budget) - used) // lines)


def _pattern(sparsity: Any, box: BlackBox, budget: Any) -> tuple[ColoredPattern | None, str]:
    """The colored pattern, and where it comes from if it was looked for."""
    if sparsity is None:
        return None, ""
    if isinstance(sparsity, str):
        if sparsity != "detect":
            raise ShapeError('a pattern, or "detect"', got=repr(sparsity), remedy="give one", where="argument sparsity")
        seen = seen_pattern(box, most=int(budget) if isinstance(budget, (int, np.integer)) else np.inf)
        return color_columns(seen.pattern), f"; {seen}"
    given = sparsity.structure if isinstance(sparsity, ColoredPattern) and sparsity.kind != "column" else sparsity
    pattern = given if isinstance(given, ColoredPattern) else color_columns(given)
    if pattern.shape != (box.value.size, box.x.size):
        raise ShapeError(
            f"a pattern of shape {(box.value.size, box.x.size)}",
            got=f"shape {pattern.shape}",
            remedy="rows are outputs, columns inputs",
            where="argument sparsity",
        )
    return pattern, ""
