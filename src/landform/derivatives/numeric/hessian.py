"""The Hessian of a black box: from values alone, an error bar for every entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.hessian import Hessian
from landform.derivatives.numeric.black_box import BlackBox, NumericOptions, make_black_box
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.numeric.jacobian import EACH, per_line
from landform.derivatives.numeric.lines import Line, follow, make_room
from landform.derivatives.numeric.taylor import EPS
from landform.derivatives.plan import Plan
from landform.derivatives.target import refuse_other_length
from landform.errors import ShapeError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

EACH_PAIR = 10


class NumericHessian(Hessian):
    """Every second derivative of a black box at one point, with an error bar each.

    The interface is that of `Hessian`. Made by ``hessian(f, x, mode="numeric")``.
    """

    def __init__(self, box: BlackBox, matrix: np.ndarray, errors: np.ndarray, noise: float) -> None:
        self._box = box
        self._values = matrix
        self._errors = errors
        self.noise = noise
        """Standard deviation of the noise in the output, in its unit."""

    @property
    def shape(self) -> tuple[int, int]:
        """(inputs, inputs)."""
        return self._box.x.size, self._box.x.size

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of rows and columns."""
        return self._box.inputs

    @property
    def evaluations(self) -> int:
        """How often the function was called, failures included."""
        return self._box.evaluator.count

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Evaluations that raised or were not finite; each was replaced by another."""
        return tuple(self._box.evaluator.failures)

    @property
    def plan(self) -> Plan:
        """How the entries were obtained."""
        return Plan("numeric", self.evaluations, 1, self._values.nbytes, "Taylor fits along inputs and pairs of inputs")

    def explain(self) -> str:
        """What was done, in words."""
        n = self.shape[0]
        failed = f"; {len(self.failures)} failed and were replaced" if self.failures else ""
        how = f"{self.evaluations} evaluations; {self.plan.reason}; noise {self.noise:.2g}{failed}"
        return f"{n} × {n} Hessian, numeric: {how}"

    def __matmul__(self, v: Any) -> Any:
        """H v for v of shape (n,)."""
        return self._values @ self._direction(v)

    def quadratic(self, v: Any) -> Any:
        """v' H v: the curvature along v."""
        direction = self._direction(v)
        return direction @ self._values @ direction

    def _direction(self, v: Any) -> np.ndarray:
        refuse_other_length(v, self.shape[0], "input")
        return np.asarray(v, dtype=np.float64)

    def dense(self) -> Float[np.ndarray, "n n"]:
        """The matrix, symmetric to the last bit."""
        return self._values.copy()

    def sparse(self, *, sort: bool = True) -> csr_array:
        """The matrix in compressed rows, columns sorted in any case."""
        del sort
        from scipy.sparse import csr_array

        return csr_array(self._values)

    def error(self) -> Float[np.ndarray, "n n"]:
        """The standard error of every entry."""
        return self._errors.copy()

    def to_scipy(self) -> LinearOperator:
        """The operator for SciPy's solvers."""
        from scipy.sparse.linalg import aslinearoperator

        return aslinearoperator(self._values)

    def to_frame(self, *, errors: bool = True) -> pd.DataFrame:
        """The matrix as a table labelled with the inputs' names; beside every column the column of its errors."""
        import pandas as pd

        rows = list(self.inputs)
        if not errors:
            return pd.DataFrame(self._values, index=rows, columns=rows)
        both = np.stack([self._values, self._errors], axis=2).reshape(len(rows), -1)
        return pd.DataFrame(both, index=rows, columns=[name for c in rows for name in (c, f"± {c}")])


def numeric_hessian(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    weights: Any = None,
    inputs: Sequence[str] | None = None,
    options: NumericOptions | None = None,
) -> NumericHessian:
    """Every second derivative of a black box at one point, from its values; see `landform.hessian`.

    The diagonal comes from the curvature along every input; an entry off it from the curvature along a direction
    that moves two inputs at once, less their own: ``(a e_i + b e_j)' H (a e_i + b e_j)``.

    Examples
    --------
    >>> H = numeric_hessian(lambda x: x[0] ** 2 * np.sin(x[1]), np.array([1.5, 0.5]))
    >>> H.dense().round(6)
    array([[ 0.958851,  2.632748],
           [ 2.632748, -1.078707]])
    >>> H.evaluations, bool((H.error() < 1e-9).all())
    (39, True)
    """
    options = options or {}
    if options.get("sparsity") is not None or options.get("budget") == "least":
        raise ShapeError("a dense numeric Hessian", got="a sparsity", remedy='leave sparsity= and "least" out')
    if options.get("method", "fit") != "fit":
        raise ShapeError(
            "Taylor fits for a Hessian", got=repr(options["method"]), remedy="leave it out", where="argument method"
        )
    box = make_black_box(function, x, args=args, weights=weights, inputs=inputs, options=options)
    if box.value.size != 1:
        raise ShapeError(
            "a function with one output",
            got=f"{box.value.size} outputs",
            remedy="pass weights= to say which combination of them",
        )
    n, budget = box.x.size, options.get("budget")
    pairs = [(i, j) for i in range(n) for j in range(i)]
    each = max(3, per_line(budget, n + len(pairs), EACH))
    told: dict[str, Any] = {"order": 2, "bounds": box.bounds, "most": np.inf if budget is None else budget}
    axes = [_line(box, {i: box.scale[i]}) for i in range(n)]
    follow(axes, box.evaluator, box.x, box.value, each=each, noise=box.noise, **told)
    curves = [line.coefficient(2, box.noise, final=True) for line in axes]
    largest = max(float(np.max(np.abs(line.table()[1]))) for line in axes)
    noise = np.maximum(np.exp(np.mean([np.log(c.noise) for c in curves], axis=0)), 2 * EPS * largest)
    # A pair's line is as long as the reach that each of its inputs turned out to have.
    reach = box.scale * np.array([np.max(np.abs(line.t)) for line in axes])
    across = [_longer(box, i, j, reach) for i, j in pairs]
    if across:
        follow(across, box.evaluator, box.x, box.value, each=min(each, EACH_PAIR), noise=noise, radius=1.0, **told)
    diagonal = 2 * np.array([c.value[0] for c in curves]) / box.scale**2
    doubt = 2 * np.array([c.error[0] for c in curves]) / box.scale**2
    matrix, errors = np.diag(diagonal), np.diag(doubt)
    for (i, j), line in zip(pairs, across, strict=True):
        a, b = line.direction[i], line.direction[j]
        found = line.coefficient(2, noise)
        own = a * a * diagonal[i] + b * b * diagonal[j]
        matrix[i, j] = matrix[j, i] = (2 * found.value[0] - own) / (2 * a * b)
        bar = np.sqrt((2 * found.error[0]) ** 2 + (a * a * doubt[i]) ** 2 + (b * b * doubt[j]) ** 2)
        errors[i, j] = errors[j, i] = bar / abs(2 * a * b)
    return NumericHessian(box, matrix, errors, float(noise[0]))


def _line(box: BlackBox, moved: dict[int, float]) -> Line:
    direction = np.zeros(box.x.size)
    direction[list(moved)] = list(moved.values())
    name = " and ".join(f"input {box.inputs[i]!r}" for i in moved)
    return Line(name, direction, make_room(box.x, direction, *box.bounds))


def _longer(box: BlackBox, i: int, j: int, reach: np.ndarray) -> Line:
    """Of the two diagonals through inputs i and j the one with more room on both sides."""
    lines = [_line(box, {i: reach[i], j: sign * reach[j]}) for sign in (1.0, -1.0)]
    both = [(min(-r.low, r.high, 1.0), min(r.high - r.low, 2.0)) for r in (line.room for line in lines)]
    return lines[int(both[1] > both[0])]
