"""Where to evaluate next along one line: a difference table first, then the radius that promises most.

Shi, Xie, Xuan and Nocedal bracket the interval in which a difference's truncation is a small multiple of its noise,
and move by a constant factor until it is inside. Here both sides of that balance come from the fit to all values
so far: of a ladder of radii the one is taken whose expected error, truncation and noise together, is least.

References
----------
Shi, Xie, Xuan and Nocedal (2022), "Adaptive finite-difference interval estimation for noisy derivative-free
optimization", SIAM J. Sci. Comput. 44.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.derivatives.numeric.taylor import TAUS, expected_log_error

FIRST = 6
NEXT = 2
LAST_FROM, LAST = 10, 4
_LADDER = 10.0 ** np.arange(-2.0, 1.01, 0.125)
_ASSUMED_NOISE = 1e-7


@dataclass(frozen=True)
class Room:
    """How far a line may be followed, in its own steps.

    Parameters
    ----------
    low, high : float
        Ends of the domain, ``low <= 0 <= high``.
    zero : float
        Where the input would reach zero, a place many functions do not survive; infinite where the domain was
        stated or the line has no such place. It is crossed only for a gain.
    """

    low: float
    high: float
    zero: float = np.inf


def first_radius(count: int, relative_noise: float | None = None) -> float:
    """Where truncation and noise would balance for a polynomial through ``count`` steps and a scale of one.

    Examples
    --------
    >>> round(first_radius(4, 1e-5), 3)
    0.1
    """
    return float(max(relative_noise or _ASSUMED_NOISE, 1e-12) ** (1.0 / (count + 1)))


def first_steps(count: int, room: Room, radius: float) -> Float[np.ndarray, " count"]:
    """``count`` steps of a difference table around t = 0, equally spaced, inside the room.

    Examples
    --------
    >>> first_steps(4, Room(-np.inf, np.inf), 0.1).round(2)
    array([-0.1 , -0.05,  0.05,  0.1 ])
    >>> first_steps(4, Room(0.0, 1.0), 0.1).round(2)
    array([0.05, 0.1 , 0.15, 0.2 ])
    """
    low = max(-radius, room.low)
    high = min(low + 2 * radius, room.high)
    low = max(high - 2 * radius, room.low)
    left = round(count * -low / (high - low))
    gaps = [width / parts for width, parts in ((-low, left), (high, count - left)) if parts]
    numbers = np.arange(-left, count - left + 1)
    return np.asarray(numbers[numbers != 0] * min(gaps))


def next_steps(
    t: Float[np.ndarray, " steps"], order: int, weights: Float[np.ndarray, "rhos taus"], count: int, room: Room
) -> Float[np.ndarray, " count"]:
    """The ``count`` steps that promise the smallest error for a Taylor coefficient, given all values so far.

    Parameters
    ----------
    t : array, shape (steps,)
        Steps taken already, 0 among them.
    order : int
        The coefficient.
    weights : array
        From the fit to the values at those steps.
    count : int
        How many more.
    room : Room
        Limits.
    """
    reach = float(np.max(np.abs(t)))
    widest = min(max(-room.low, room.high), _LADDER[-1] * reach)
    if weights[:, TAUS <= 100.0].sum() > 0.5:
        # No higher terms are clearly seen: nothing tells what lies beyond the input's own scale.
        widest = min(widest, max(reach, 1.0))
    ladder = _LADDER * reach
    ladder = np.append(ladder[ladder < widest], widest)
    sets = np.stack([spread(radius, count, room) for radius in ladder])
    promise = expected_log_error(np.concatenate([np.tile(t, (len(sets), 1)), sets], axis=1), order, weights, reach)
    crossing = (sets.min(axis=1) <= room.zero) & (room.zero < 0) | (sets.max(axis=1) >= room.zero) & (room.zero > 0)
    return np.asarray(sets[np.argmin(promise + np.log(2.0) * crossing)])


def spread(radius: float, count: int, room: Room) -> Float[np.ndarray, " count"]:
    """``count`` steps within a radius, denser outside, in pairs where the room allows it.

    Examples
    --------
    >>> spread(1.0, 4, Room(-2.0, 2.0))
    array([-1. , -0.6,  0.6,  1. ])
    >>> spread(1.0, 4, Room(0.0, 2.0))
    array([0.25, 0.5 , 0.75, 1.  ])
    """
    low, high = max(-radius, room.low), min(radius, room.high)
    if -low < 0.2 * high:
        return np.arange(1, count + 1) / count * high
    if high < -0.2 * low:
        return np.arange(1, count + 1) / count * low
    half = (count + 1) // 2
    outward = 1.0 - 0.8 * np.arange(half)[::-1] / half
    return np.concatenate([low * outward[::-1], high * outward[half - (count - half) :]])
