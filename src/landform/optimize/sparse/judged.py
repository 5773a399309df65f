"""Is this point of a large program really the best nearby? Theorems as in `certify`, by sparse factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from landform.optimize.certificate import DEPENDENT, FLAT, ActiveLimit, Certificate, Nature
from landform.optimize.program import Point, Program
from landform.optimize.sparse.conditions import WEAK, Conditions, Seen, conditions, normals_of, seen_at
from landform.optimize.sparse.factor import COARSE, Factor, factored
from landform.optimize.sparse.nlp import Nlp
from landform.optimize.sparse.patterns import scaled

Array = np.ndarray
_TRIALS = (3e-2, 3e-3)
_MIXTURES = 8


@dataclass(frozen=True, eq=False)
class ActiveLimits(Sequence[ActiveLimit]):
    """The active limits of a large program, put into words when they are asked for."""

    program: Program
    sides: Int[Array, " k"]
    multipliers: Float[Array, " k"]
    strong: Bool[Array, " k"]

    def __len__(self) -> int:
        return len(self.sides)

    @overload
    def __getitem__(self, place: int) -> ActiveLimit: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[ActiveLimit, ...]: ...
    def __getitem__(self, place: int | slice) -> ActiveLimit | tuple[ActiveLimit, ...]:
        """One limit, or a tuple of them."""
        if isinstance(place, slice):
            return tuple(self[k] for k in range(*place.indices(len(self))))
        sides, i = self.program.sides, int(self.sides[place])
        price = float(self.multipliers[place])
        words, equal = sides.words(i), bool(sides.equality[i])
        row = int(sides.row[i])
        name, kind = sides.row_names[row], sides.row_kinds[row]
        return ActiveLimit(name, words, price, kind, equal, bool(self.strong[place]))


def judged(
    nlp: Nlp,
    x: Point,
    *,
    tolerance: float = 1e-7,
    multipliers: Float[Array, " l"] | None = None,
    known: Conditions | None = None,
) -> Certificate:
    """Judge a point of a large program; `certify` says what is proven.

    Definiteness on the critical subspace is read off the signs of the pivots of the first-order conditions' matrix
    (Nocedal and Wright 2006, theorem 16.3). Limits that are only touched are left aside, which can only lose a
    certificate. Of the eigenvalues one is given, an estimate of the least, from above. ``known`` is what was worked out
    at x before.
    """
    with np.errstate(all="ignore"):
        found = known
        if known is None or not (known.seen.reach[known.active] <= tolerance).all():
            seen = seen_at(nlp, x)
            prices = None if known is None else known.prices
            found = conditions(nlp, seen, near=tolerance, prices=prices) if seen.finite else None
        if found is None:
            words = "not certified: the objective, a limit or a slope is not finite here"
            return Certificate(False, "not certified", np.inf, np.inf, np.inf, np.empty(0), (), False, words)
        if multipliers is not None:
            found = _with(nlp, found, multipliers * found.seen.size)
        return _verdict(nlp, found, tolerance)


def _verdict(nlp: Nlp, at: Conditions, tolerance: float) -> Certificate:
    seen, size = at.seen, float(np.abs(at.multipliers).max(initial=0.0))
    strong = ~at.one_sided | (at.multipliers > 10 * tolerance * at.measure)
    nature: Nature = "not certified"
    escape, least = None, np.empty(0)
    if seen.misfit > tolerance:
        worst = int(np.where(seen.equality, np.abs(seen.reach), -seen.reach).argmax())
        words = f"not certified: {nlp.program.sides.words(worst)} is missed by {seen.violation:.3g}"
    elif at.residual > tolerance:
        words = f"not certified: a way down remains (first-order residual {at.residual:.2g}, allowed {tolerance:.2g})"
    elif at.multipliers[at.one_sided].min(initial=0.0) < -tolerance * at.measure:
        words = "not certified: a multiplier has the wrong sign, so leaving that limit leads down"
    elif at.complementarity > tolerance:
        words = "not certified: a multiplier belongs to a limit that the point does not touch"
    elif size * tolerance > DEPENDENT * np.abs(seen.gradient).max():
        words = f"not certified: the active limits are all but dependent here (multipliers up to {size:.2g})"
    else:
        nature, words, escape, least = _second_order(nlp, at, strong)
    return Certificate(
        nature not in ("saddle", "not certified"),
        nature,
        seen.violation,
        at.residual,
        at.complementarity,
        least,
        ActiveLimits(nlp.program, at.active, at.multipliers / seen.size[at.active], strong),
        at.factor is not None and at.factor.independent(),
        words,
        escape,
    )


def _with(nlp: Nlp, at: Conditions, given: Float[Array, " l"]) -> Conditions:
    """The same point with the multipliers that were given, one for the unit normal of every side."""
    seen, sides = at.seen, nlp.program.sides
    active = np.union1d(at.active, np.flatnonzero(given))
    prices, row = np.zeros(nlp.m), sides.row[active]
    own = given[active]
    bent = row >= nlp.n
    np.add.at(prices, row[bent] - nlp.n, (sides.sign[active] * own / seen.size[active])[bent])
    hessian = scaled(nlp.hessian(seen.x, 1.0, -prices), seen.unit, seen.unit)
    normals = normals_of(nlp, seen, active)
    return Conditions(
        seen, active, normals, own, prices, hessian, at.measure, factored(hessian / at.measure, normals, WEAK)
    )


def _second_order(
    nlp: Nlp, at: Conditions, strong: Bool[Array, " k"]
) -> tuple[Nature, str, Point | None, Float[Array, " t"]]:
    """Nature, sentence, way down and about the least eigenvalue of a point that meets the first-order conditions."""
    normals = at.normals if strong.all() else csr_array(at.normals[np.flatnonzero(strong)])
    n, held = nlp.n, normals.shape[0]
    if held == n and at.factor is not None and at.factor.independent():
        return "vertex", f"a vertex: {held} active limits hold it, and leaving any of them costs", None, np.empty(0)
    hessian = at.hessian / at.measure
    factor = at.factor if strong.all() else factored(hessian, normals, WEAK)
    lowest = "a strict minimum: every way within the limits leads up"
    if factor is not None and factor.positive():
        return "strict minimum", lowest, None, _least(at, factor)
    below = factored(hessian, normals, -FLAT, COARSE)
    if below is None or not below.positive():
        return _indefinite(nlp, at, hessian, normals, strong)
    ways = below.lowest(min(n, 4))
    least = _own_units(at, ways[:, 0])
    lower = _lower(nlp, at, ways)
    if lower is not None:
        return "saddle", "a saddle: no way down of second order, but one further along", lower, least
    above = factored(hessian, normals, FLAT, COARSE)
    if above is not None and above.positive():
        return "strict minimum", lowest, None, least
    if not strong.all():
        return "not certified", "not certified: limits are only touched here, and curvature is zero", None, least
    return "flat", "flat: no way down, but in some direction nothing changes", None, least


def _indefinite(
    nlp: Nlp, at: Conditions, hessian: csr_array, normals: csr_array, strong: Bool[Array, " k"]
) -> tuple[Nature, str, Point | None, Float[Array, " t"]]:
    value, way = _bottom(hessian, normals)
    least = _own_units(at, way)
    if not value < -FLAT:
        return "not certified", "not certified: rounding hides whether the curvature is positive here", None, least
    if not strong.all():
        return "not certified", "not certified: too many limits are only touched here to tell", None, least
    direction = way * at.seen.unit
    if at.factor is None or not at.factor.independent():
        return (
            "not certified",
            "not certified: curvature falls for these multipliers, and others exist",
            direction,
            least,
        )
    share = direction / np.abs(direction).max()
    first = np.argsort(-np.abs(share), kind="stable")[:3]
    names = nlp.program.region.names
    named = ", ".join(f"{share[j]:+.2g} {names[j]}" for j in first if abs(share[j]) > 0.05)
    return "saddle", f"a saddle: it falls along {named}", direction, least


def _bottom(hessian: csr_array, normals: csr_array) -> tuple[float, Point]:
    """About the least curvature where the normals see nothing, and a unit direction that has it (Lanczos)."""
    n, k = hessian.shape[0], normals.shape[0]
    flat = factored(csr_array(diags_array(np.ones(n))), normals, 0.0) if k else None
    high = float(abs(hessian).sum(axis=1).max()) or 1.0

    def tangent(v: Point) -> Point:
        return v if flat is None else flat.solve(v, np.zeros(k), np.zeros(k))[0]

    def product(v: Point) -> Point:
        there = tangent(v.ravel())
        return tangent(hessian @ there - high * there)

    begin = tangent(np.random.default_rng(0).standard_normal(n))
    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    try:
        way = eigsh(operator, k=1, which="SA", v0=begin, tol=1e-6, maxiter=50, ncv=min(n, 40))[1][:, 0]
    except ArpackNoConvergence as stopped:
        way = stopped.eigenvectors[:, 0] if len(stopped.eigenvalues) else begin
    way = tangent(way)
    way /= np.linalg.norm(way)
    return float(way @ (hessian @ way)), way


def _least(at: Conditions, factor: Factor) -> Float[Array, " one"]:
    return _own_units(at, factor.lowest(1)[:, 0])


def _own_units(at: Conditions, way: Point) -> Float[Array, " one"]:
    """Curvature along a direction, per squared unit of the variables."""
    own = way * at.seen.unit
    return np.array([float(way @ (at.hessian @ way)) / float(own @ own)])


def _lower(nlp: Nlp, at: Conditions, ways: Float[Array, "n k"]) -> Point | None:
    """A flat direction along which the objective falls after all, each step brought back to the active limits first."""
    seen = at.seen
    pull = at.multipliers / seen.size[at.active]
    mixed = ways @ np.random.default_rng(0).standard_normal((ways.shape[1], _MIXTURES))
    for way in np.concatenate([ways.T, -ways.T, mixed.T]):
        for length in _TRIALS:
            there = _brought_back(nlp, at, seen.x + length / np.abs(way).max() * way * seen.unit)
            if there is None or there.misfit > 1e-9:
                continue
            gain = seen.objective - there.objective + pull @ there.slack[at.active]
            noise = 1e-13 * (abs(seen.objective) + abs(there.objective)) + 1e-9 * length * np.abs(seen.gradient).max()
            if gain > noise + 10 * np.abs(there.gradient).max() * there.misfit:
                return way * seen.unit
    return None


def _brought_back(nlp: Nlp, at: Conditions, x: Point) -> Seen | None:
    region = nlp.program.region
    there = seen_at(nlp, np.clip(x, region.lower, region.upper))
    k = len(at.active)
    for _ in range(4):
        if not there.finite:
            return None
        if not k or np.abs(there.reach[at.active]).max() < 1e-12:
            break
        normals = normals_of(nlp, there, at.active)
        factor = factored(csr_array(diags_array(np.ones(nlp.n))), normals, 0.0)
        if factor is None:
            return None
        back = factor.solve(np.zeros(nlp.n), -there.reach[at.active], np.zeros(k))[0]
        there = seen_at(nlp, np.clip(there.x + back * there.unit, region.lower, region.upper))
    return there if there.finite else None
