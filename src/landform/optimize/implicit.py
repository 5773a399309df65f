"""How an optimum moves with its problem: the first-order conditions, differentiated.

References
----------
Fiacco (1983), *Introduction to Sensitivity and Stability Analysis in Nonlinear Programming*, ch. 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from landform.backends import Model
from landform.derivatives import prepare
from landform.errors import DerivativeError, ShapeError
from landform.findings import Finding
from landform.optimize.certificate import Certificate
from landform.optimize.problem import Problem
from landform.optimize.program import Program

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class OptimumSensitivity(Finding):
    """First derivatives of the optimum and second derivatives of its value. Made by `Optimum.sensitivity`.

    Parameters
    ----------
    parameters : tuple of str
        What may move: the numbers in ``args``, then the limits that hold the optimum.
    inputs : tuple of str
        The n variables.
    values : array, shape (q,)
        The parameters as they are.
    dx : array, shape (n, q)
        How the best point moves, per unit of each parameter.
    dvalue : array, shape (q,)
        How the best value moves.
    d2value : array, shape (q, q)
        Its second derivatives.
    dmultipliers : array, shape (k, q)
        How the multipliers of the limits move.
    low, high : array, shape (q,)
        To first order, how far each parameter alone can go before another limit holds or one of these lets go.
    """

    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    values: Float[Array, " q"]
    dx: Float[Array, "n q"]
    dvalue: Float[Array, " q"]
    d2value: Float[Array, "q q"]
    dmultipliers: Float[Array, "k q"]
    low: Float[Array, " q"]
    high: Float[Array, " q"]

    def to_frame(self) -> pd.DataFrame:
        """One row per parameter."""
        import pandas as pd

        found = pd.DataFrame(
            {
                "parameter": self.parameters,
                "at": self.values,
                "d value": self.dvalue,
                "d² value": np.diag(self.d2value),
                "holds from": self.low,
                "to": self.high,
            }
        )
        for name, row in zip(self.inputs, self.dx, strict=True):
            found[f"d {name}"] = row
        return found


def optimum_sensitivity(problem: Problem, x: Float[Array, " n"], certificate: Certificate) -> OptimumSensitivity:
    """Differentiate the first-order conditions at a certified optimum with respect to args and active limits."""
    if problem.program.sparse:
        raise DerivativeError(
            "a problem worked on with dense matrices",
            got=f"{problem.program.n} variables",
            remedy="minimize again with one parameter changed a little, from this optimum",
            where="sensitivity",
        )
    _refuse_unsmooth(certificate)
    program, sides, n = problem.program, problem.program.sides, problem.program.n
    p, joint = _joint(problem)
    z = np.concatenate([x, p])
    inner = problem.prepared.target
    prepared = prepare(joint, inner.backend.vector(z, inner.x))
    values, slopes = prepared.value_and_jacobian(z)
    held, multipliers = _held(problem, certificate)
    slack, N = _slacks(program, x, values[1:], slopes[1:])
    H = prepared.hessian(z, _weights(program, held, multipliers, len(values)))
    sign, (k, q) = sides.sign[held], (int(held.sum()), len(p))
    right = np.zeros((n + k, q + k))
    right[:n, :q], right[n:, :q], right[n:, q:] = -H[:n, n:], -N[held, n:], np.diag(sign)
    moved = _solved(np.block([[H[:n, :n], -N[held, :n].T], [N[held, :n], np.zeros((k, k))]]), right)
    dx, dm = moved[:n], moved[n:]
    dvalue = np.concatenate([slopes[0, n:] - multipliers @ N[held, n:], multipliers * sign])
    own = np.hstack([H[n:, n:], np.zeros((q, k))])
    curve = np.vstack([own + H[n:, :n] @ dx - N[held, n:].T @ dm, sign[:, None] * dm])
    rate = N[~held, :n] @ dx + np.hstack([N[~held, n:], np.zeros((len(N) - k, k))])
    inequality = ~sides.equality[held]
    down, up = _room(np.concatenate([slack[~held], multipliers[inequality]]), np.vstack([rate, dm[inequality]]))
    at = np.concatenate([p, sides.value[held]])
    names = (*inner.backend.leaf_names(problem.args, "args"), *(sides.words(i) for i in np.flatnonzero(held).tolist()))
    return OptimumSensitivity(
        names, program.region.names, at, dx, dvalue, (curve + curve.T) / 2, dm, at - down, at + up
    )


def _slacks(
    program: Program, x: Float[Array, " n"], values: Float[Array, " m"], slopes: Float[Array, "m all"]
) -> tuple[Float[Array, " l"], Float[Array, "l all"]]:
    """The slack of every side, and its slopes with respect to variables and parameters."""
    sides, A = program.sides, program.region.A
    rows = np.concatenate([x, A @ x, values])
    linear = np.vstack([np.eye(program.n), A])
    fixed = np.hstack([linear, np.zeros((len(linear), slopes.shape[1] - program.n))])
    return sides.sign * (rows[sides.row] - sides.value), sides.sign[:, None] * np.vstack([fixed, slopes])[sides.row]


def _weights(
    program: Program, held: Bool[Array, " l"], multipliers: Float[Array, " k"], size: int
) -> Float[Array, " m"]:
    """What the objective and each constraint weigh in the Lagrangian."""
    first = program.n + len(program.region.A) - 1
    row, pull = program.sides.row[held], -program.sides.sign[held] * multipliers
    weights = np.zeros(size)
    weights[0] = 1.0
    np.add.at(weights, row[row > first] - first, pull[row > first])
    return weights


def _refuse_unsmooth(certificate: Certificate) -> None:
    """Refuse where the implicit function theorem does not hold, with the reason."""
    touched = [a.words for a in certificate.multipliers if not a.strongly and not a.equality]
    reason = (
        certificate.words
        if not certificate.certified or certificate.nature not in ("strict minimum", "vertex")
        else f"{touched[0]} is only touched, so the optimum moves differently to either side"
        if touched
        else "the limits that hold it are dependent, so their multipliers are not unique"
        if not certificate.unique
        else ""
    )
    if reason:
        raise DerivativeError(
            "an optimum that moves smoothly with its problem",
            got=reason,
            remedy="move the parameters a little and minimize again",
            where="sensitivity",
        )


def _joint(problem: Problem) -> tuple[Float[Array, " q"], Any]:
    """The parameters as one vector, and objective and constraints as one function of variables and parameters."""
    functions: list[Any] = [problem.function, *problem.bent]
    extra: tuple[Any, ...] = ()
    if isinstance(problem.function, Model):
        functions[0], extra = problem.function.function, problem.function.args
    return problem.prepared.target.backend.joint_function(
        functions, problem.unflatten, problem.program.n, problem.args, extra
    )


def _held(problem: Problem, certificate: Certificate) -> tuple[Bool[Array, " l"], Float[Array, " k"]]:
    """Which sides hold the optimum, and their multipliers of ``slack``, in the order of the sides."""
    sides = problem.program.sides
    price = {a.words: a for a in certificate.multipliers}
    words = [sides.words(i) for i in range(len(sides.names))]
    held = np.array([w in price for w in words], dtype=bool)
    return held, np.array([price[w].multiplier for w in words if w in price])


def _solved(K: Float[Array, "a a"], right: Float[Array, "a b"]) -> Float[Array, "a b"]:
    if np.linalg.matrix_rank(K) < len(K):
        raise ShapeError(
            "first-order conditions that determine the optimum",
            got="a singular matrix",
            remedy="remove limits that say the same",
            where="sensitivity",
        )
    return np.linalg.solve(K, right)


def _room(level: Float[Array, " l"], rate: Float[Array, "l q"]) -> tuple[Float[Array, " q"], Float[Array, " q"]]:
    """How far each parameter can go down and up until one of the levels, moving at its rate, is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(rate != 0, np.maximum(level, 0.0)[:, None] / np.abs(rate), np.inf)
    down = np.where(rate > 0, reach, np.inf).min(axis=0, initial=np.inf)
    up = np.where(rate < 0, reach, np.inf).min(axis=0, initial=np.inf)
    return down, up
