"""Is a derivative right? Taylor remainders along random directions tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, Unpack

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.blame import blamed
from landform.derivatives.claim import Claim, claim_of_matrices, claim_of_target
from landform.derivatives.numeric.black_box import NumericOptions
from landform.derivatives.numeric.noise import measured_noise
from landform.derivatives.remainders import Fall, Rays, look_along, typical_falls
from landform.derivatives.verdict import Evidence, Fault, verdict
from landform.derivatives.verification import Verification
from landform.errors import ShapeError

_TINY = float(np.finfo(np.float64).tiny)


def verify(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    jacobian: Any = None,
    hessian: Any = None,
    mode: Literal["auto", "numeric"] = "auto",
    directions: int = 3,
    seed: int = 0,
    **numeric: Unpack[NumericOptions],
) -> Verification:
    """Check first and second derivatives against the function itself.

    Along random directions v (never the gradient, which hides errors across it) the remainder
    ``f(x ± t v) − f(x) ∓ t J v`` must fall like t², and with the curvature taken off like t³, until noise
    takes over; how much noise there is, is measured. The products J v and J' u must agree, and so must u'(H v) and
    v'(H u).

    Parameters
    ----------
    function : callable or Model
        What is differentiated: a framework's function, whose own rules are checked, or any Python function together
        with ``jacobian`` or ``mode="numeric"``.
    x : array or tree of arrays
        The point; choose one where the function is smooth.
    args : sequence
        Further arguments of the function, held fixed.
    jacobian, hessian : array, sparse matrix, operator or callable, optional
        Derivatives of one's own to check, shapes (m, n) and (m, n, n), the axis of outputs left out where there is one
        output; a callable is called as ``jacobian(x, *args)``. The function is then only called, never traced.
    mode : {"auto", "numeric"}
        "numeric" checks the Jacobian that `landform.jacobian` has from differences.
    directions : int
        How many random directions.
    seed : int
        Of the directions.
    **numeric
        ``bounds``, ``noise``, ``scale``, ``executor``, ``progress``, as for `landform.jacobian`; and ``sparsity``, a
        pattern of the Jacobian of a framework's function, which must hold every entry that differs from zero.

    Returns
    -------
    Verification
        ``correct`` and ``words``; orders of convergence, fitted ranges and the noise floor stand beside them.

    Raises
    ------
    DerivativeError
        If the function has no value at the point.
    ShapeError
        If a matrix given does not fit.

    References
    ----------
    Farrell, Ham, Funke and Rognes (2013), "Automated derivation of the adjoint of high-level transient finite
    element programs", SIAM J. Sci. Comput. 35, sec. 5.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> found = verify(lambda x: jnp.sin(x[:1] * x[1:]), np.array([0.7, 1.1]))
    >>> found.correct, round(found.order_first), round(found.order_second)
    (True, 2, 3)
    >>> verify(lambda x: x[0] ** 2 * x[1], np.array([3.0, 5.0]), jacobian=[30.0, 9.1]).words
    "a Jacobian whose Taylor remainder falls like step^1.00 instead of step^2, by input 'x1'"
    """
    if mode not in ("auto", "numeric"):
        raise ShapeError('mode "auto" or "numeric"', got=repr(mode), remedy="choose one", where="argument mode")
    if not isinstance(directions, int) or directions < 1:
        raise ShapeError("1 direction or more", got=repr(directions), remedy="raise it", where="argument directions")
    sparsity = numeric.pop("sparsity", None)
    if mode == "auto" and jacobian is None and hessian is None:
        claim = claim_of_target(function, x, args, numeric)
    else:
        claim = claim_of_matrices(function, x, args, numeric, jacobian=jacobian, hessian=hessian)
    seen = _evidence(claim, directions, np.random.default_rng(seed))
    fault = verdict(seen)
    words = fault.words + _blamed(seen, fault) if fault else _wrong_pattern(claim, sparsity)
    return Verification(
        not words,
        words or _right(seen),
        _worst(seen.first),
        _worst(seen.second),
        seen.noise,
        seen.dot_product_gap,
        seen.symmetry_gap,
        not seen.unrest.any(),
        claim.box.evaluator.count,
        claim.box.outputs,
        seen.rays,
    )


def _blamed(seen: Evidence, fault: Fault) -> str:
    """The inputs that a fault comes from, in words, where one or two of them show it alone."""
    claim, n = seen.claim, seen.claim.box.x.size
    if n == 1 or not fault.has_a_place:
        return ""

    def shows(direction: Float[np.ndarray, " n"], places: Sequence[int]) -> bool:
        part = np.zeros(n)
        part[list(places)] = direction[list(places)]
        return fault.shows_in(_along(claim, [part], seen.noise, seen.unrest, np.random.default_rng(0)))

    for ray in seen.rays:
        if shows(ray.direction, range(n)):
            names = [repr(claim.box.inputs[j]) for j in blamed(partial(shows, ray.direction), n)]
            return (
                f", by input{'s' * (len(names) - 1)} {' and '.join(names)}" + " together" * (len(names) - 1)
                if names
                else ""
            )
    return ""


def _wrong_pattern(claim: Claim, sparsity: Any) -> str:
    """What is wrong with a pattern, or nothing."""
    if sparsity is None:
        return ""
    if claim.target is None:
        raise ShapeError(
            "a framework's function with sparsity=", got=claim.how, remedy="leave it out", where="argument sparsity"
        )
    from landform.derivatives.colored import wrong_pattern

    return wrong_pattern(claim.target, sparsity)


def _right(seen: Evidence) -> str:
    if seen.noisy.any():
        return f"right, as far as noise of {np.max(seen.noise):.1e} lets it be seen"
    return "right"


def _worst(falls: list[Fall]) -> Fall:
    """The slowest; none where none of them could be fitted."""
    known = [fall for fall in falls if np.isfinite(fall.order)]
    return min(known, key=lambda fall: fall.order) if known else Fall()


def _evidence(claim: Claim, count: int, rng: np.random.Generator) -> Evidence:
    box = claim.box
    noise = measured_noise(box, seed=int(rng.integers(2**31))).level if box.noise is None else box.noise
    noise = np.maximum(noise, claim.eps * np.abs(box.value) / 4)
    directions = [_direction(claim, rng) for _ in range(count)]
    unrest = _unrest(claim)
    seen = _along(claim, directions, noise, unrest, rng)
    return replace(seen, unrest=np.maximum(unrest, _unrest(claim)))


def _along(
    claim: Claim,
    directions: list[np.ndarray],
    noise: Float[np.ndarray, " m"],
    unrest: Float[np.ndarray, " m"],
    rng: np.random.Generator,
) -> Evidence:
    """What is seen along some directions."""
    least = _least_step(claim, noise, directions)
    rays = [look_along(claim, v, least) for v in directions]
    sizes = _sizes(claim, rays)
    floors = np.maximum(20 * noise, _rounding(claim, rays, sizes))
    bent = [part for ray in rays if (part := ray.without_curve) is not None]
    noisy = noise > 1e3 * claim.eps * np.maximum(sizes, _TINY)
    return Evidence(
        claim,
        rays,
        floors,
        noise,
        noisy,
        unrest,
        typical_falls(rays, [ray.without_slope for ray in rays], floors),
        typical_falls(rays, bent, floors) if bent else [Fall()] * len(floors),
        max(_dot_product_gap(claim, ray, rng) for ray in rays),
        max(_symmetry_gap(claim, ray, rng) for ray in rays),
    )


def _direction(claim: Claim, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """A random direction as long as the inputs are large; from the edge of the domain it leads inside."""
    box = claim.box
    size = np.maximum(np.abs(box.x), 0.1)
    behind, ahead = box.x - box.bounds[0], box.bounds[1] - box.x
    direction = rng.standard_normal(box.x.size) * np.minimum(size, (ahead + behind) / 2)
    inward = np.where(ahead >= behind, np.abs(direction), -np.abs(direction))
    return np.where(np.minimum(ahead, behind) < 1e-3 * size, inward, direction)


def _least_step(claim: Claim, noise: Float[np.ndarray, " m"], directions: list[np.ndarray]) -> float:
    """Where the quietest output's remainder of order 2 has long gone under in its noise."""
    slopes = [np.abs(np.nan_to_num(claim.slope(v), posinf=0.0, neginf=0.0)) for v in directions]
    sizes = np.max([np.abs(claim.box.value), *slopes], axis=0)
    shares = noise[sizes > 0] / sizes[sizes > 0]
    return float(np.clip(shares.min(initial=0.01), claim.eps, 0.01)) ** 0.7 if shares.size else claim.eps**0.7


def _sizes(claim: Claim, rays: list[Rays]) -> Float[np.ndarray, " m"]:
    """How large each output and its changes are."""
    moved = np.concatenate([np.abs(ray.moves).reshape(-1, len(claim.box.value)) for ray in rays])
    typical = np.nanmedian(np.where(np.isfinite(moved).any(axis=0), moved, 0.0), axis=0)
    slopes = [np.abs(np.nan_to_num(ray.slope, posinf=0.0, neginf=0.0)) for ray in rays]
    return np.asarray(np.max([np.abs(claim.box.value), typical, *slopes], axis=0))


def _rounding(claim: Claim, rays: list[Rays], sizes: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Below this remainders are rounding: of the size of each output, or what the smallest steps leave over."""
    floor = np.maximum(50 * claim.eps * sizes, _TINY)
    for ray in rays:
        tiny = ray.steps < 1e-10
        if tiny.any():
            left = 20 * np.nan_to_num(ray.without_slope[:, tiny]).max(axis=(0, 1))
            # More than this is no rounding but a jump.
            floor = np.maximum(floor, np.where(left < np.sqrt(claim.eps) * sizes, left, 0.0))
    return floor


def _unrest(claim: Claim) -> Float[np.ndarray, " m"]:
    """How far values at the point itself are apart from the first one."""
    box = claim.box
    apart = np.abs([box.evaluator.at_point(box.x) - box.value for _ in range(2)]).max(axis=0)
    if claim.again is not None:
        # Compiled once, a function shows its hidden state no more; the framework's own evaluation does.
        anew = [claim.again(), claim.again()]
        compiled = np.abs(anew[1] - box.value)
        rounding = np.sqrt(claim.eps) * np.maximum(np.abs(box.value), 1.0)
        apart = np.max([apart, np.abs(anew[1] - anew[0]), np.where(compiled > rounding, compiled, 0.0)], axis=0)
    return np.asarray(apart)


def _dot_product_gap(claim: Claim, ray: Rays, rng: np.random.Generator) -> float:
    if claim.pull is None or not np.isfinite(ray.slope).all():
        return float("nan")
    u, v = rng.standard_normal(len(claim.box.value)), ray.direction
    pulled = claim.pull(u)
    size = max(np.abs(u) @ np.abs(ray.slope), np.abs(v) @ np.abs(pulled), _TINY)
    return float(abs(u @ ray.slope - v @ pulled) / size)


def _symmetry_gap(claim: Claim, ray: Rays, rng: np.random.Generator) -> float:
    """The largest of |u·(Hv) − v·(Hu)| and |v·(Hv) − w·(v'Hv)|, relative."""
    if claim.product is None or ray.curve is None or not np.isfinite(ray.curve).all():
        return float("nan")
    w, v = rng.standard_normal(len(claim.box.value)), ray.direction
    u = rng.standard_normal(len(v)) * np.maximum(np.abs(claim.box.x), 0.1)
    along, across = claim.product(w, v), claim.product(w, u)
    size = max(np.abs(u) @ np.abs(along), np.abs(v) @ np.abs(across), _TINY)
    twice = max(np.abs(v) @ np.abs(along), np.abs(w) @ np.abs(ray.curve), _TINY)
    return float(max(abs(u @ along - v @ across) / size, abs(v @ along - w @ ray.curve) / twice))
