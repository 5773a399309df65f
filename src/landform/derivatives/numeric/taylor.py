"""A Taylor polynomial through noisy values: its coefficients, each with an error bar.

Values ``y(t)`` near t = 0 are a polynomial plus noise. The leading coefficients are left free; coefficient k of
the others is taken as normal with standard deviation ``s rho^k``, where s, rho and the noise are unknown. Integrated
over all three with their likelihood, the posterior weighs every order and every step at once: where the higher
coefficients cannot be seen the fit is of low order and averages the noise, where they can they are taken off, and
what remains of them stands in the error bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

EPS = float(np.finfo(np.float64).eps)
RHOS = 2.0 ** np.arange(-5.0, 2.5)
TAUS = np.concatenate([[0.0], 10.0 ** np.arange(-1.0, 34.0, 0.5)])
PRIOR = np.ones((len(RHOS), len(TAUS)))
"""How likely every pair of decay and signal-to-noise is beforehand."""
PRIOR[:, 0] = [8.0, *np.zeros(len(RHOS) - 1)]  # without higher terms (a straight line, say) there is no decay
_EXTRA = 5
_OUTPUTS_AT_ONCE = 256


@dataclass(frozen=True)
class Coefficient:
    """One Taylor coefficient for each of m outputs.

    Parameters
    ----------
    value, error : array, shape (m,)
        The coefficient and its standard deviation.
    noise : array, shape (m,)
        Standard deviation of the noise in the values.
    weights : array, shape (rhos, taus)
        How likely each pair of decay and signal-to-noise is, averaged over outputs.
    evidence : array, shape (m,)
        Logarithm of the values' likelihood, but for a constant that all models of the same values share.
    """

    value: Float[np.ndarray, " m"]
    error: Float[np.ndarray, " m"]
    noise: Float[np.ndarray, " m"]
    weights: Float[np.ndarray, "rhos taus"]
    evidence: Float[np.ndarray, " m"]


@dataclass(frozen=True)
class _Basis:
    """What depends on the scaled steps alone: the free terms' inverse and, for every decay, one decomposition."""

    inverse: Float[np.ndarray, "free steps"]
    contrasts: Float[np.ndarray, "steps rest"]
    left: Float[np.ndarray, "rhos rest r"]
    singular: Float[np.ndarray, "rhos r"]
    leak: Float[np.ndarray, "rhos free r"]
    unseen: Float[np.ndarray, "rhos free"]
    log_free: float


@lru_cache(maxsize=128)
def _even_basis(u: tuple[float, ...], free: int) -> _Basis:
    return _basis(np.array(u), free, np.ones(len(u)))


def _basis(steps: np.ndarray, free: int, spread: np.ndarray) -> _Basis:
    orders = np.arange(free, len(steps) + _EXTRA)
    even = 1.0 / spread[:, None]
    q, r = np.linalg.qr(even * steps[:, None] ** np.arange(free), mode="complete")
    inverse = np.linalg.solve(r[:free], q[:, :free].T)
    features = even * steps[:, None] ** orders * RHOS[:, None, None] ** (orders - free)
    left, singular, right = np.linalg.svd(q[:, free:].T @ features, full_matrices=False)
    gain = inverse @ features
    leak = gain @ right.transpose(0, 2, 1)
    unseen = ((gain - leak @ right) ** 2).sum(axis=2)
    log_free = -float(np.log(np.abs(np.diag(r[:free]))).sum())
    return _Basis(inverse, q[:, free:], left, singular, leak, unseen, log_free)


def taylor_coefficient(
    t: Float[np.ndarray, " steps"],
    y: Float[np.ndarray, "steps m"],
    order: int,
    *,
    noise: Float[np.ndarray, " m"] | None = None,
    spread: Float[np.ndarray, " steps"] | None = None,
) -> Coefficient:
    """Coefficient ``order`` of the Taylor polynomial of y at t = 0, for every column of y.

    Parameters
    ----------
    t : array, shape (steps,)
        Where the values were taken; more of them than ``order + 1``.
    y : array, shape (steps, m)
        The values.
    order : int
        Which coefficient; those up to it are free of any prior.
    noise : array, shape (m,), optional
        The noise's standard deviation where it is known.
    spread : array, shape (steps,), optional
        How the noise differs from value to value: factors whose product is one.

    References
    ----------
    Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 2.7 (free leading terms) and
    5.4 (several explanations weighed by their likelihood).

    Examples
    --------
    >>> t = np.linspace(-0.5, 0.5, 11)
    >>> found = taylor_coefficient(t, np.exp(t)[:, None], 1)
    >>> bool(abs(found.value[0] - 1) < 2 * found.error[0] < 1e-10)
    True
    """
    reach = float(np.max(np.abs(t)))
    u, free = t / reach, order + 1
    basis = _even_basis(tuple(u.tolist()), free) if spread is None else _basis(u, free, spread)
    # In units of a power of two near each output's size no square leaves the range of numbers, and no digit is lost.
    unit = np.ldexp(1.0, np.frexp(np.max(np.abs(y), axis=0))[1] - 1)
    y, noise = y / unit, None if noise is None else noise / unit
    size, centred = np.max(np.abs(y), axis=0), y - y[np.argmin(np.abs(t))]
    if spread is not None:
        centred = centred / spread[:, None]
    blocks = [slice(i, i + _OUTPUTS_AT_ONCE) for i in range(0, y.shape[1], _OUTPUTS_AT_ONCE)]
    parts = [_posterior(basis, centred[:, b], size[b], order, None if noise is None else noise[b]) for b in blocks]
    value, error, level, evidence = (np.concatenate([part[k] for part in parts]) for k in range(4))
    weights = sum((part[4] for part in parts), np.zeros(PRIOR.shape)) / y.shape[1]
    return Coefficient(value / reach**order * unit, error / reach**order * unit, level * unit, weights, evidence)


def _posterior(
    basis: _Basis, centred: np.ndarray, size: np.ndarray, order: int, told: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation, noise and evidence per output, and the summed weights, in scaled steps."""
    rest = basis.contrasts.T @ centred
    seen = basis.left.transpose(0, 2, 1) @ rest
    # Rounding is the least noise there is: one observation's worth of half a unit in the last place.
    known, least = (0.0, (0.5 * EPS * size) ** 2) if told is None else (1e4, 1e4 * told**2)
    least = np.maximum(least, np.finfo(float).tiny)
    shrink = 1.0 + TAUS[:, None] * basis.singular[:, None, :] ** 2
    quadratic = (1.0 / shrink) @ seen**2 + least
    freedom = len(rest) + 1.0 + known
    log_weight = -0.5 * np.log(shrink).sum(axis=2)[..., None] - 0.5 * freedom * np.log(quadratic)
    highest = log_weight.max(axis=(0, 1))
    weight = PRIOR[..., None] * np.exp(log_weight - highest)
    total = weight.sum(axis=(0, 1))
    weight /= total
    variance = quadratic / max(freedom - 2.0, 1.0)
    pull = TAUS[:, None] * (basis.leak[:, order] * basis.singular)[:, None, :] / shrink
    mean = basis.inverse[order] @ centred - pull @ seen
    doubt = (basis.inverse[order] ** 2).sum() + TAUS * (
        (basis.leak[:, order, None, :] ** 2 / shrink).sum(axis=2) + basis.unseen[:, order, None]
    )
    value = (weight * mean).sum(axis=(0, 1))
    spread = (weight * (variance * doubt[..., None] + (mean - value) ** 2)).sum(axis=(0, 1))
    level = np.exp(0.5 * (weight * np.log(variance)).sum(axis=(0, 1)))
    return (
        value,
        np.sqrt(spread + (EPS * value) ** 2),
        level,
        highest + np.log(total) + basis.log_free,
        weight.sum(axis=2),
    )


def expected_log_error(
    t: Float[np.ndarray, "designs steps"], order: int, weights: Float[np.ndarray, "rhos taus"], reach: float
) -> Float[np.ndarray, " designs"]:
    """Expected log standard deviation of a coefficient, in units of the noise, for several sets of steps.

    Parameters
    ----------
    t : array, shape (designs, steps)
        The sets, all of one size.
    order : int
        Which coefficient.
    weights : array
        The explanations' weights as they stand, from `taylor_coefficient`.
    reach : float
        The largest step those weights are scaled to.
    """
    likely = np.argsort(weights.ravel())[::-1][:8]
    rho, tau = RHOS[likely // len(TAUS)], TAUS[likely % len(TAUS)]
    free = order + 1
    orders = np.arange(t.shape[1] + _EXTRA)
    outer = np.max(np.abs(t), axis=1, keepdims=True)
    sizes = np.where(orders < free, 1.0, np.sqrt(tau)[:, None] * rho[:, None] ** np.maximum(orders - free, 0.0))
    # In steps scaled to the outermost, coefficient k grows by (outer / reach)^k.
    scaled = (t / outer)[:, None, :, None] ** orders
    grown = np.where(orders < free, 1.0, (outer / reach) ** orders)[:, None, :] * sizes
    prior = np.diag((orders >= free).astype(float))[free:]
    stack = np.concatenate(
        [scaled * grown[:, :, None, :], np.broadcast_to(prior, (len(t), len(likely), *prior.shape))], axis=2
    )
    triangle = np.asarray(np.linalg.qr(stack, mode="r"))
    unit = np.zeros((*triangle.shape[:2], len(orders), 1))
    unit[:, :, order] = 1.0
    row = np.linalg.solve(triangle.transpose(0, 1, 3, 2), unit)
    share = weights.ravel()[likely] / weights.ravel()[likely].sum()
    return 0.5 * np.log((row[..., 0] ** 2).sum(axis=2)) @ share - order * np.log(outer[:, 0])
