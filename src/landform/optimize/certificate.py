"""Is this point really the best nearby? An answer from the derivatives alone, whoever found the point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float

from landform.findings import Finding
from landform.optimize.critical import Cone, critical_cone, least_curvature
from landform.optimize.flat import lower_nearby
from landform.optimize.local import Local, curvature, look, prices, residual, steps
from landform.optimize.program import Program

if TYPE_CHECKING:
    import pandas as pd

Nature = Literal["strict minimum", "vertex", "flat", "saddle", "not certified"]
FLAT = 1e-8
"""Curvature below this part of the largest gradient or curvature is taken for none."""

WEAK = 1e-5
"""Curvature below this part may be rounding beside a point of inflection: trial steps must find nothing lower."""

DEPENDENT = 1e-2
"""The most that a miss of the limits by the tolerance may be worth, in parts of the gradient."""


@dataclass(frozen=True)
class ActiveLimit:
    """A limit that the point sits on.

    Parameters
    ----------
    name, words : str
        Which one, and as a user reads it: ``"extender A ≥ 0.3"``.
    multiplier : float
        For an inequality: by how much the smallest objective falls per unit of relaxing the limit, never
        negative. For an equality: by how much it rises per unit that the right-hand side is raised.
    kind : str
        "bound", "linear" or "constraint".
    equality : bool
        Whether it leaves no room.
    strongly : bool
        Whether leaving it costs to first order. Where False the limit is only touched.
    """

    name: str
    words: str
    multiplier: float
    kind: str
    equality: bool
    strongly: bool


@dataclass(frozen=True, eq=False)
class Certificate(Finding):
    """What the derivatives prove about a point.

    Parameters
    ----------
    certified : bool
        Whether the point meets the limits and nothing better is near, to first and second order.
    nature : str
        "strict minimum": second-order sufficient conditions hold. "vertex": as many limits as dimensions
        hold the point with positive multipliers. "flat": the necessary conditions hold with zero curvature
        in some direction, and trial steps along it find nothing lower. "saddle": a way down of second order
        exists. "not certified": a limit is missed, the gradient is not explained, or the point is a
        maximum.
    violation : float
        By how much the worst limit is missed, in its own unit.
    kkt_residual : float
        What the multipliers leave of the gradient, in parts of the gradient and the curvature (no unit).
    complementarity : float
        Largest product of multiplier and distance over the active limits, in parts of the gradient (no unit).
    eigenvalues : array
        Of the Hessian of the Lagrangian on the critical subspace (tangent to equalities and strongly active
        limits), ascending, per squared unit of the variables; empty at a vertex.
    multipliers : sequence of ActiveLimit
        Every limit the point sits on, with its multiplier.
    unique : bool
        Whether the multipliers are the only ones (the active gradients are independent).
    words : str
        The verdict in one sentence.
    escape : array or None
        Where there is one, a direction of second order along which the objective falls.
    """

    certified: bool
    nature: Nature
    violation: float
    kkt_residual: float
    complementarity: float
    eigenvalues: Float[np.ndarray, " t"]
    multipliers: Sequence[ActiveLimit]
    unique: bool
    words: str
    escape: Float[np.ndarray, " n"] | None = field(default=None, repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per active limit."""
        import pandas as pd

        columns = ["limit", "kind", "multiplier", "strongly"]
        return pd.DataFrame([(a.words, a.kind, a.multiplier, a.strongly) for a in self.multipliers], columns=columns)


def judge(
    program: Program,
    x: Float[np.ndarray, " n"],
    *,
    tolerance: float = 1e-7,
    multipliers: Float[np.ndarray, " l"] | None = None,
) -> Certificate:
    """Judge a point of a program, whoever proposed it: `certify` says how.

    Parameters
    ----------
    program : Program
        What is minimized, within what limits.
    x : array, shape (n,)
        The point.
    tolerance : float
        As in `certify`.
    multipliers : array, shape (l,), optional
        One for the slack of every side of the program; found anew where not given.
    """
    with np.errstate(all="ignore"):
        local = look(program, x, steps(program, x))
        if not local.finite:
            return _unfinished("not certified: the objective, a limit or a slope is not finite here", np.inf)
        return _judge(program, local, tolerance, None if multipliers is None else multipliers * local.size)


def _unfinished(words: str, violation: float) -> Certificate:
    empty = np.empty(0)
    return Certificate(False, "not certified", violation, np.inf, np.inf, empty, (), False, words)


def _judge(
    program: Program, local: Local, tolerance: float, given: Float[np.ndarray, " l"] | None = None
) -> Certificate:
    active = local.near(tolerance)
    multipliers = prices(local, active) if given is None else given
    H = curvature(program, local, multipliers)
    if not np.isfinite(H).all():
        return _unfinished("not certified: the curvature is not finite here", local.violation)
    measure = max(np.abs(local.gradient).max(), np.abs(H).max())
    cone = critical_cone(local, active, multipliers, weak=10 * tolerance * measure)
    kkt = residual(local, multipliers, H)
    product = np.abs(multipliers * local.reach)[~local.equality].max(initial=0.0)
    nature: Nature = "not certified"
    escape = None
    if local.misfit > tolerance:
        words = f"not certified: {_worst(program, local)} is missed by {local.violation:.3g}"
    elif kkt > tolerance:
        words = f"not certified: a way down remains (first-order residual {kkt:.2g}, allowed {tolerance:.2g})"
        if not _independent(local, active):
            words += "; the active limits are dependent here, so multipliers need not exist"
    elif multipliers[~local.equality].min(initial=0.0) < -tolerance * measure:
        words = "not certified: a multiplier has the wrong sign, so leaving that limit leads down"
    elif product > tolerance * measure:
        words = f"not certified: a multiplier belongs to a limit that the point does not touch ({product:.2g})"
    elif np.abs(multipliers).max(initial=0.0) * tolerance > DEPENDENT * np.abs(local.gradient).max():
        # A miss of the limits too small to see would move the objective by what can be seen (HS13).
        size = np.abs(multipliers).max()
        words = f"not certified: the active limits are all but dependent here (multipliers up to {size:.2g})"
    else:
        nature, words, escape = _second_order(program, local, cone, multipliers, H, measure)
    return Certificate(
        nature not in ("saddle", "not certified"),
        nature,
        local.violation,
        kkt,
        float(product / measure) if measure else 0.0,
        _eigenvalues(local, cone, H),
        _active_limits(program, local, active, cone, multipliers),
        _independent(local, active),
        words,
        escape,
    )


def _worst(program: Program, local: Local) -> str:
    return program.sides.words(int(np.where(local.equality, np.abs(local.reach), -local.reach).argmax()))


def _independent(local: Local, active: Bool[np.ndarray, " l"]) -> bool:
    N = local.normals[active]
    return not len(N) or bool(np.linalg.matrix_rank(N, tol=1e-9) == len(N))


def _second_order(
    program: Program,
    local: Local,
    cone: Cone,
    multipliers: Float[np.ndarray, " l"],
    H: Float[np.ndarray, "n n"],
    measure: float,
) -> tuple[Nature, str, Float[np.ndarray, " n"] | None]:
    """Nature, sentence and way down of a point that meets the first-order conditions."""
    if not cone.basis.shape[1]:
        return "vertex", f"a vertex: {_count(cone)} hold it, and leaving any of them costs", None
    least, way, seen = least_curvature(H, cone)
    if least > WEAK * measure:
        return "strict minimum", "a strict minimum: every way within the limits leads up", None
    if way is not None and least < -FLAT * measure:
        return _downhill(program, local, cone, multipliers, H, way)
    if not seen:
        return "not certified", "not certified: too many limits are only touched here to tell", None
    lower = lower_nearby(program, local, cone, multipliers, H, level=WEAK * measure)
    if lower is not None:
        return "saddle", "a saddle: no way down of second order, but one further along", lower * local.unit
    if least > FLAT * measure:
        return "strict minimum", "a strict minimum: every way within the limits leads up", None
    return "flat", "flat: no way down, but in some direction nothing changes", None


def _count(cone: Cone) -> str:
    count = int(cone.strong.sum())
    return f"{count} active limit" + ("s" if count != 1 else "")


def _downhill(
    program: Program,
    local: Local,
    cone: Cone,
    multipliers: Float[np.ndarray, " l"],
    H: Float[np.ndarray, "n n"],
    way: Float[np.ndarray, " n"],
) -> tuple[Nature, str, Float[np.ndarray, " n"] | None]:
    direction = way * local.unit
    held = cone.strong & ~local.equality
    if not held.any() and np.linalg.eigvalsh(cone.basis.T @ H @ cone.basis)[-1] < 0:
        return "not certified", "not certified: a maximum, every way leads down", direction
    bent = np.array([kind == "constraint" for kind in program.sides.kinds], dtype=bool) & (multipliers != 0)
    if bent.any() and not _independent(local, cone.strong):
        words = "not certified: curvature falls for these multipliers, and others exist"
        return "not certified", words, direction
    return "saddle", f"a saddle: it falls along {_named(program, direction)}", direction


def _named(program: Program, direction: Float[np.ndarray, " n"]) -> str:
    """Name the direction by its largest parts."""
    share = direction / np.abs(direction).max()
    first = np.argsort(-np.abs(share), kind="stable")[:3]
    return ", ".join(f"{share[j]:+.2g} {program.region.names[j]}" for j in first if abs(share[j]) > 0.05)


def _eigenvalues(local: Local, cone: Cone, H: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " t"]:
    """Of the reduced Hessian, with a basis that is orthonormal in the variables' own units."""
    if not cone.basis.shape[1]:
        return np.empty(0)
    Z = np.linalg.qr(cone.basis * local.unit[:, None])[0]
    return np.linalg.eigvalsh(Z.T @ (H / np.outer(local.unit, local.unit)) @ Z)


def _active_limits(
    program: Program,
    local: Local,
    active: Bool[np.ndarray, " l"],
    cone: Cone,
    multipliers: Float[np.ndarray, " l"],
) -> tuple[ActiveLimit, ...]:
    sides = program.sides
    return tuple(
        ActiveLimit(
            sides.names[i],
            sides.words(i),
            float(multipliers[i] / local.size[i]),
            sides.kinds[i],
            bool(local.equality[i]),
            bool(cone.strong[i]),
        )
        for i in np.flatnonzero(active).tolist()
    )
