"""Means over the unit cube from one randomly shifted lattice, with an error bar from the same points.

The lattice is folded, so that no function jumps from one side of the cube to the other; a random shift leaves no bias.
The error bar is that of a Gaussian process of the kernel that the lattice was made for: its matrix is circulant.

References
----------
Hickernell (2002), *Monte Carlo and Quasi-Monte Carlo Methods 2000*, 274 (the fold); Nuyens and Cools (2006), *Math.
Comput.* 75, 903 (component by component); Rathinavel and Hickernell (2019), *Stat. Comput.* 29, 1215 (the error bar).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy import stats

SIZES = (97, 193, 389, 769, 1543, 3079)
"""Primes: a fold doubles frequencies, which an even count would confuse."""
_WEIGHT = 0.3
"""What an input counts for when the lattice is chosen."""
_WEIGHTS = tuple(10.0**power for power in np.arange(-3.0, 1.51, 0.25))


def _bernoulli(x: np.ndarray) -> np.ndarray:
    return 2.0 * np.pi**2 * (x * x - x + 1.0 / 6.0)


@lru_cache(maxsize=32)
def _generator(n: int, d: int) -> tuple[int, ...]:
    """Component by component, each the one of least worst-case error."""
    i = np.arange(n)
    kernel = 1.0 + _WEIGHT * _bernoulli(i / n)
    chosen, product = [1], kernel.copy()
    for _ in range(1, d):
        error = np.array([product @ kernel[i * c % n] for c in range(1, n // 2 + 1)])
        chosen.append(int(np.argmin(error)) + 1)
        product = product * kernel[i * chosen[-1] % n]
    return tuple(chosen)


def lattice(n: int, d: int, rng: np.random.Generator) -> Float[np.ndarray, "n d"]:
    """The points of one shifted lattice, folded.

    Examples
    --------
    >>> U = lattice(97, 2, np.random.default_rng(0))
    >>> U.shape, bool(abs(U[:, 0].mean() - 0.5) < 0.01)
    ((97, 2), True)
    """
    shifted = (np.outer(np.arange(n), _generator(n, d)) / n + rng.random(d)) % 1.0
    return np.asarray(1.0 - np.abs(2.0 * shifted - 1.0))


def mean_with_error(
    values: Float[np.ndarray, "n k"], generator_size: int, d: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Means over the cube of functions known at the points of a lattice, and half-widths at 95 %.

    Parameters
    ----------
    values : array, shape (n, k)
        In the order of the lattice.
    generator_size, d : int
        The lattice's n and d.
    """
    n = generator_size
    power = np.abs(np.fft.fft(values, axis=0)[1:]) ** 2
    columns = [_bernoulli(np.arange(n) * z % n / n) for z in _generator(n, d)]
    weights = np.full((d, values.shape[1]), 0.1)
    for _ in range(2):
        for j in range(d):
            others = np.ones((n, values.shape[1]))
            for i in range(d):
                if i != j:
                    others *= 1.0 + weights[i] * columns[i][:, None]
            doubt = [_evidence(others * (1.0 + w * columns[j][:, None]), power)[0] for w in _WEIGHTS]
            weights[j] = np.asarray(_WEIGHTS)[np.argmin(doubt, axis=0)]
    kernel = np.prod([1.0 + w * c[:, None] for w, c in zip(weights, columns, strict=True)], axis=0)
    _, scale = _evidence(kernel, power)
    excess = np.maximum(kernel.sum(axis=0) / n - 1.0, 0.0)
    return values.mean(axis=0), float(stats.t.ppf(0.975, n - 1)) * np.sqrt(scale * excess)


def _evidence(
    kernel: Float[np.ndarray, "n k"], power: Float[np.ndarray, "rest k"]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Minus the log of the likelihood at its best scale, up to constants, and that scale."""
    n = len(kernel)
    eigenvalues = np.maximum(np.fft.fft(kernel, axis=0).real[1:], 1e-300)
    scale = np.sum(power / eigenvalues, axis=0) / n / (n - 1)
    return np.log(np.maximum(scale, 1e-300)) + np.log(eigenvalues).mean(axis=0), scale
