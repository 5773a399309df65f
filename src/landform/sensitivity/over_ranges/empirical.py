"""The distribution of measured values: alike between neighbors, nothing beyond the smallest and the largest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

_MOST = 400
"""More edges than this would describe the sample's accidents, not the distribution."""


@dataclass(frozen=True, eq=False)
class Empirical:
    """A distribution by its edges, between which it is uniform, and the share below each.

    Parameters
    ----------
    edges : array, shape (k + 1,)
        Rising.
    below : array, shape (k + 1,)
        From 0 to 1.

    Examples
    --------
    >>> law = Empirical.of(np.array([0.0, 1.0, 4.0]))
    >>> law.mean(), law.ppf(np.array([0.25, 0.75]))
    (1.5, array([0.5, 2.5]))
    """

    edges: Float[np.ndarray, " edges"]
    below: Float[np.ndarray, " edges"]

    @classmethod
    def of(cls, values: Float[np.ndarray, " n"]) -> Empirical:
        """The distribution of measured values; equal ones make a narrow step, not an atom."""
        share = np.linspace(0.0, 1.0, min(len(values), _MOST))
        edges = np.quantile(values, share)
        width = 1e-6 * float(np.ptp(values))
        for k in range(1, len(edges)):
            edges[k] = max(edges[k], edges[k - 1] + width)
        return cls(edges, share)

    def support(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return float(self.edges[0]), float(self.edges[-1])

    def ppf(self, u: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Values below which shares ``u`` lie."""
        return np.asarray(np.interp(u, self.below, self.edges))

    def cdf(self, x: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Shares below ``x``."""
        return np.asarray(np.interp(x, self.edges, self.below))

    def pdf(self, x: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Density at ``x``."""
        place = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.edges) - 2)
        inside = (x >= self.edges[0]) & (x <= self.edges[-1])
        return np.where(inside, (np.diff(self.below) / np.diff(self.edges))[place], 0.0)

    @cached_property
    def _moments(self) -> tuple[float, float]:
        low, high, share = self.edges[:-1], self.edges[1:], np.diff(self.below)
        mean = float(share @ (low + high) / 2)
        return mean, float(share @ (low**2 + low * high + high**2) / 3) - mean**2

    def mean(self) -> float:
        """Mean."""
        return self._moments[0]

    def std(self) -> float:
        """Standard deviation."""
        return float(np.sqrt(self._moments[1]))
