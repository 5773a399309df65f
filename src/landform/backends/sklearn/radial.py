"""Kernels of a squared distance, differentiated four times: how surely a Gaussian process knows its second derivatives.

With u = Σ s (x − z)² and k = h(u), the covariance of two second derivatives is a sum over the ways to part their four
directions into ones and twos: h⁗ times four slopes of u, h‴ times a curve and two slopes, h″ times two curves.

References
----------
Hardy (2006), "Combinatorics of partial derivatives", *Electronic Journal of Combinatorics* 13: the sum over partitions.
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 4.2 and 9.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrmm
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import kernels

Array = np.ndarray
Profile = Callable[[Array], tuple[Array, Array, Array, Array]]
"""From u to h′, h″, h‴ and h⁗."""


@dataclass(frozen=True)
class Radial:
    """``height * h(u)`` with u the squared distance, every input scaled by its own factor."""

    height: float
    scale: Float[Array, " n"]
    profile: Profile


def _gaussian(u: Array) -> tuple[Array, Array, Array, Array]:
    K = np.exp(-0.5 * u)
    return -K / 2, K / 4, -K / 8, K / 16


def _rational(alpha: float) -> Profile:
    def profile(u: Array) -> tuple[Array, Array, Array, Array]:
        t = 1.0 + u / (2.0 * alpha)
        found, last = [], t**-alpha
        for k in range(4):
            last = last * (-(alpha + k) / (2.0 * alpha)) / t
            found.append(last)
        return found[0], found[1], found[2], found[3]

    return profile


def _matern_5(u: Array) -> tuple[Array, Array, Array, Array]:
    """Where t = 0 the last two have no limit; they only ever meet factors that vanish faster."""
    t = np.sqrt(5.0 * u)
    e, inside = np.exp(-t), t > 0
    safe = np.where(inside, t, 1.0)
    third = np.where(inside, -125.0 / 24.0 * e / safe, 0.0)
    return -5.0 / 6.0 * (1.0 + t) * e, 25.0 / 12.0 * e, third, np.where(inside, 625.0 / 48.0 * e * (1 + t) / safe**3, 0)


def radial_terms(kernel: Any, n: int) -> tuple[Radial, ...] | None:
    """A process's kernel as a sum of functions of squared distances; None where it is none that curves twice.

    What is constant or linear in both points has no second derivative, and no term.
    """
    kind = type(kernel)
    if kind is kernels.Sum:
        one, other = radial_terms(kernel.k1, n), radial_terms(kernel.k2, n)
        return None if one is None or other is None else one + other
    if kind is kernels.Product:
        for factor, inner in ((kernel.k1, kernel.k2), (kernel.k2, kernel.k1)):
            if type(factor) is kernels.ConstantKernel:
                terms = radial_terms(inner, n)
                height = float(factor.constant_value)
                return None if terms is None else tuple(Radial(height * t.height, t.scale, t.profile) for t in terms)
        return None
    if kind in (kernels.WhiteKernel, kernels.ConstantKernel, kernels.DotProduct):
        return ()
    profile = _profile(kernel)
    if profile is None:
        return None
    return (Radial(1.0, np.broadcast_to(1.0 / np.asarray(kernel.length_scale, dtype=np.float64) ** 2, (n,)), profile),)


def _profile(kernel: Any) -> Profile | None:
    kind = type(kernel)
    if kind is kernels.RBF or (kind is kernels.Matern and kernel.nu == np.inf):
        return _gaussian
    if kind is kernels.Matern and kernel.nu == 2.5:
        return _matern_5
    return _rational(float(kernel.alpha)) if kind is kernels.RationalQuadratic else None


def pairwise_terms(metric: Any, n: int, gamma: float) -> tuple[Radial, ...] | None:
    """The same for a kernel by its name among scikit-learn's pairwise ones."""
    if metric == "linear":
        return ()
    return (Radial(1.0, np.full(n, 2.0 * gamma), _gaussian),) if metric == "rbf" else None


@dataclass(frozen=True, eq=False)
class CurvePosterior:
    """The posterior of a process's second derivatives along pairs of directions, before its scale.

    Parameters
    ----------
    terms : tuple of Radial
        Whose sum is the kernel, but for what is linear.
    Z : array, shape (N, n)
        Training rows.
    factor : array, shape (N, N)
        Cholesky factor of their covariance.
    """

    terms: tuple[Radial, ...]
    Z: Float[Array, "N n"]
    factor: Float[Array, "N N"]

    @cached_property
    def root(self) -> Float[Array, "N N"]:
        """The factor's inverse."""
        return np.asarray(solve_triangular(self.factor, np.eye(len(self.factor)), lower=True))

    def local(
        self, X: Float[Array, "rows n"], V: Float[Array, "rows n k"], first: Array, second: Array
    ) -> Float[Array, "rows p"]:
        """Variances of the second derivatives at every row."""
        found = np.zeros((len(X), len(first)))
        for one in self.terms:
            B = _bends(one, V)
            own = np.einsum("rkk->rk", B)
            ways = 2.0 * B[:, first, second] ** 2 + own[:, first] * own[:, second]
            found += one.height * float(one.profile(np.zeros(1))[1][0]) * ways
        for p, known in enumerate(self._known(X, V, first, second)):
            # Transposed, so that BLAS finds the columns where they are and copies nothing.
            taught = dtrmm(1.0, self.root.T, known, side=1, lower=0)
            found[:, p] -= np.einsum("rN,rN->r", taught, taught)
        return found

    def mean(
        self, X: Float[Array, "rows n"], V: Float[Array, "rows n k"], first: Array, second: Array
    ) -> Float[Array, " p"]:
        """Variances of the second derivatives' means over the rows."""
        apart = V.shape[0] > 1 and np.any(V[:1] != V)
        prior = sum((_varied if apart else _constant)(one, X, V, first, second) for one in self.terms)
        known = np.stack([one.mean(axis=0) for one in self._known(X, V, first, second)])
        return np.asarray(prior / len(X) ** 2 - np.sum((known @ self.root.T) ** 2, axis=1))

    def _known(self, X: Array, V: Array, first: Array, second: Array) -> Iterator[Float[Array, "rows N"]]:
        """Covariances of the second derivatives at every row with the values at the training rows, pair by pair."""
        parts = []
        for one in self.terms:
            h1, h2, _, _ = _profiles(one, X, self.Z)
            parts.append((h1, h2, _slopes(one, X, V, self.Z), _bends(one, V)))
        for i, j in zip(first, second, strict=True):
            found = np.zeros((len(X), len(self.Z)))
            for h1, h2, slopes, B in parts:
                found += h2 * slopes[i] * slopes[j] + h1 * B[:, i, j, None]
            yield found


def _profiles(one: Radial, X: Array, Z: Array) -> list[Array]:
    """Derivatives of h by u for all pairs of points."""
    root = np.sqrt(one.scale)
    return [one.height * part for part in one.profile(cdist(X * root, Z * root, "sqeuclidean"))]


def _bends(one: Radial, V: Array) -> Float[Array, "rows k k"]:
    """Second derivatives of u at one point along pairs of directions."""
    return np.asarray(2.0 * np.einsum("rdk,d,rdl->rkl", V, one.scale, V, optimize=True))


def _slopes(one: Radial, X: Array, V: Array, Z: Array) -> Float[Array, "k rows N"]:
    """Slopes of u at the first point along every direction."""
    center = Z.mean(axis=0)
    x, z = X - center, Z - center
    along = 2.0 * one.scale[:, None] * V
    own = np.einsum("rd,rdk->kr", x, along)
    return np.asarray(own[:, :, None] - np.einsum("rdk,Nd->krN", along, z, optimize=True))


def _constant(one: Radial, X: Array, V: Array, first: Array, second: Array) -> Float[Array, " p"]:
    """The prior's covariances over all pairs of rows, summed, where every row has the same directions."""
    _, h2, h3, h4 = _profiles(one, X, X)
    slopes = _slopes(one, X, V, X).reshape(V.shape[2], -1)
    B = _bends(one, V[:1])[0]
    squares, own = slopes**2, np.diag(B)
    four = (squares * h4.ravel()) @ squares.T
    two = (slopes * h3.ravel()) @ slopes.T
    single = own[:, None] * np.diag(two) + own * np.diag(two)[:, None] + 4.0 * B * two
    found = four + single + np.sum(h2) * (2.0 * B**2 + np.outer(own, own))
    return np.asarray(found[first, second])


def _varied(one: Radial, X: Array, V: Array, first: Array, second: Array) -> Float[Array, " p"]:
    """The same where directions differ from row to row. Slopes at the second point are transposes of the first's."""
    _, h2, h3, h4 = _profiles(one, X, X)
    slopes, B, found = _slopes(one, X, V, X), _bends(one, V), np.zeros(len(first))
    for p, (i, j) in enumerate(zip(first, second, strict=True)):
        a, b, bends = slopes[i], slopes[j], B[:, i, j]
        own, other, across = (-2.0 * (V[:, :, k] * one.scale) @ V[:, :, m].T for k, m in ((i, i), (j, j), (i, j)))
        both = a * b
        # One curve and two slopes, in six ways: at one point, at the other, and four across.
        single = 2.0 * bends[:, None] * both.T + own * b * b.T + other * a * a.T + 2.0 * across * b * a.T
        two = np.outer(bends, bends) + own * other + across * across.T
        found[p] = np.sum(h4 * both * both.T + h3 * single + h2 * two)
    return found
