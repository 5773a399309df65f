"""Kernels as functions of a few scalars of two points, with derivatives by these: what closed forms are made of.

Every kernel here depends on two points x and z through squared distances Σ sᵢ (xᵢ − zᵢ)² and products x · z alone. Its
value and its derivatives by these scalars, its *jet*, are tables over all pairs of points; sums, products and powers of
kernels follow the rules of calculus. Slopes and curves by x of a weighted sum over z are then matrix products.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import kernels

Pair = tuple[int, int]


class Table(NamedTuple):
    """A number times a table over all pairs of points; without a table it is the same for all.

    Derivatives that are multiples of one table share it, and with it the matrix products it enters.
    """

    factor: float
    pairs: np.ndarray | None

    def dense(self) -> Any:
        """The table, or the number."""
        return self.factor if self.pairs is None else self.factor * self.pairs

    def times(self, other: Table) -> Table:
        """The product."""
        if self.pairs is None or other.pairs is None:
            pairs = other.pairs if self.pairs is None else self.pairs
            return Table(self.factor * other.factor, pairs)
        return Table(self.factor * other.factor, self.pairs * other.pairs)

    def plus(self, other: Table) -> Table:
        """The sum."""
        if self.factor == 0.0 or other.factor == 0.0:
            return other if self.factor == 0.0 else self
        if self.pairs is other.pairs:
            return Table(self.factor + other.factor, self.pairs)
        return Table(1.0, self.dense() + other.dense())


Tables = tuple[Table, ...]


@dataclass(frozen=True)
class Jet:
    """A kernel's values, and its derivatives by the scalars it depends on; none that are zero everywhere."""

    value: Table
    first: dict[int, Table]
    second: dict[Pair, Table]


@dataclass(frozen=True)
class Scalars:
    """The scalars: a vector s of shape (n,) for a squared distance, None for the product x · z."""

    scales: tuple[np.ndarray | None, ...]

    def between(self, X: np.ndarray, Z: np.ndarray) -> list[np.ndarray]:
        """Each scalar for every pair of rows, shape (rows, more)."""
        return [X @ Z.T if s is None else cdist(X * np.sqrt(s), Z * np.sqrt(s), "sqeuclidean") for s in self.scales]

    def of_itself(self, X: np.ndarray) -> list[np.ndarray]:
        """Each scalar of every row with itself, shape (rows, 1)."""
        return [np.sum(X * X, axis=1, keepdims=True) if s is None else np.zeros((len(X), 1)) for s in self.scales]


Evaluate = Callable[[Sequence[np.ndarray], int], Jet]


@dataclass(frozen=True)
class KernelForm:
    """A kernel in terms of its scalars: ``evaluate(scalars, order)`` is its jet."""

    scalars: Scalars
    evaluate: Evaluate


def _of_one(scale: np.ndarray | None, parts: Callable[[np.ndarray, int], Tables]) -> KernelForm:
    def evaluate(u: Sequence[np.ndarray], order: int) -> Jet:
        found = parts(u[0], order)
        return Jet(found[0], dict(zip((0,), found[1:2], strict=False)), dict(zip(((0, 0),), found[2:3], strict=False)))

    return KernelForm(Scalars((scale,)), evaluate)


def _fixed(height: float) -> KernelForm:
    return KernelForm(Scalars(()), lambda _u, _order: Jet(Table(height, None), {}, {}))


def _sum_of(one: dict[Any, Table], other: dict[Any, Table]) -> dict[Any, Table]:
    shared = {key: one[key].plus(other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _times(factor: Table, parts: dict[Any, Table]) -> dict[Any, Table]:
    return {key: factor.times(part) for key, part in parts.items()}


def _outer(one: Jet, other: Jet) -> dict[Pair, Table]:
    """First derivatives of one times those of another, both ways round."""
    found: dict[Pair, Table] = {}
    for p, a in one.first.items():
        for q, b in other.first.items():
            both = a.times(b).times(Table(2.0 if p == q else 1.0, None))
            found = _sum_of(found, {(min(p, q), max(p, q)): both})
    return found


def _added(a: Jet, b: Jet) -> Jet:
    return Jet(a.value.plus(b.value), _sum_of(a.first, b.first), _sum_of(a.second, b.second))


def _multiplied(a: Jet, b: Jet) -> Jet:
    first = _sum_of(_times(b.value, a.first), _times(a.value, b.first))
    second = _sum_of(_times(b.value, a.second), _times(a.value, b.second))
    return Jet(a.value.times(b.value), first, _sum_of(second, _outer(a, b)) if second else {})


def _shifted(jet: Jet, by: int) -> Jet:
    return Jet(
        jet.value,
        {p + by: part for p, part in jet.first.items()},
        {(p + by, q + by): part for (p, q), part in jet.second.items()},
    )


def _joined(one: KernelForm, other: KernelForm, join: Callable[[Jet, Jet], Jet]) -> KernelForm:
    count = len(one.scalars.scales)

    def evaluate(u: Sequence[np.ndarray], order: int) -> Jet:
        return join(one.evaluate(u[:count], order), _shifted(other.evaluate(u[count:], order), count))

    return KernelForm(Scalars(one.scalars.scales + other.scalars.scales), evaluate)


def _raised(inner: KernelForm, power: int) -> KernelForm:
    def evaluate(u: Sequence[np.ndarray], order: int) -> Jet:
        jet = inner.evaluate(u, order)
        value = jet.value.dense()
        first, second = {}, {}
        if order > 0:
            slope = Table(power, value ** (power - 1))
            first = _times(slope, jet.first)
        if order > 1:
            curve = Table(power * (power - 1) / 2.0, value ** max(power - 2, 0))
            second = _sum_of(_times(slope, jet.second), _times(curve, _outer(jet, jet)))
        return Jet(Table(1.0, value**power), first, second)

    return KernelForm(inner.scalars, evaluate)


def _gaussian(u: np.ndarray, order: int) -> Tables:
    K = np.multiply(u, -0.5, out=u)
    np.exp(K, out=K)
    return (Table(1.0, K), Table(-0.5, K), Table(0.25, K))[: order + 1]


def _rational(alpha: float) -> Callable[[np.ndarray, int], Tables]:
    def parts(u: np.ndarray, order: int) -> Tables:
        t = 1.0 + u / (2.0 * alpha)
        found = [Table(1.0, t**-alpha)]
        for k in range(order):
            last = found[-1]
            found.append(Table(last.factor * -(alpha + k) / (2.0 * alpha), last.dense() / last.factor / t))
        return tuple(found)

    return parts


def _matern_3(u: np.ndarray, order: int) -> Tables:
    t = np.sqrt(3.0 * u)
    e = np.exp(-t)
    found = [Table(1.0, (1.0 + t) * e), Table(-1.5, e)][: order + 1]
    if order > 1:
        # At t = 0 the second derivative has no limit; it only ever meets factors that vanish faster.
        found.append(Table(2.25, np.where(t > 0, e / np.where(t > 0, t, 1.0), 0.0)))
    return tuple(found)


def _matern_5(u: np.ndarray, order: int) -> Tables:
    t = np.sqrt(5.0 * u)
    e = np.exp(-t)
    found = [Table(1.0, (1.0 + t + t * t / 3.0) * e)]
    if order > 0:
        found.append(Table(-5.0 / 6.0, (1.0 + t) * e))
    return (*found, Table(25.0 / 12.0, e)) if order > 1 else tuple(found)


def _periodic(length: float, period: float) -> Callable[[np.ndarray, int], Tables]:
    factor = (2.0 * math.pi / period) ** 2

    def parts(u: np.ndarray, order: int) -> Tables:
        w = factor * u
        t = np.sqrt(w)
        near = t < 0.05
        safe = np.where(near, 1.0, t)
        # cos √w: its derivatives by w, as power series where w is small.
        one = np.where(near, -0.5 + w / 12.0 - w**2 / 240.0 + w**3 / 10080.0, -np.sin(safe) / (2.0 * safe))
        two = np.where(
            near, 1.0 / 12.0 - w / 120.0 + w**2 / 3360.0, (np.sin(safe) / safe - np.cos(safe)) / (4.0 * safe**2)
        )
        K = np.exp((np.cos(t) - 1.0) / length**2)
        rate = one * factor / length**2
        curve = rate**2 + two * (factor / length) ** 2
        return (Table(1.0, K), Table(1.0, K * rate), Table(1.0, K * curve))[: order + 1]

    return parts


def _polynomial(degree: int, gamma: float, shift: float) -> Callable[[np.ndarray, int], Tables]:
    def parts(u: np.ndarray, order: int) -> Tables:
        t = gamma * u + shift
        found = [Table(1.0, t**degree)]
        if order > 0:
            found.append(Table(degree * gamma, t ** (degree - 1)))
        if order > 1:
            found.append(Table(degree * (degree - 1) * gamma**2, t ** max(degree - 2, 0)))
        return tuple(found)

    return parts


def _hyperbolic(gamma: float, shift: float) -> Callable[[np.ndarray, int], Tables]:
    def parts(u: np.ndarray, order: int) -> Tables:
        K = np.tanh(gamma * u + shift)
        slope = 1.0 - K * K
        return (Table(1.0, K), Table(gamma, slope), Table(-2.0 * gamma**2, K * slope))[: order + 1]

    return parts


def _spread(length: Any, n: int) -> np.ndarray:
    return np.broadcast_to(1.0 / np.asarray(length, dtype=np.float64) ** 2, (n,))


def pairwise_form(metric: Any, n: int, gamma: float, degree: float, shift: float) -> KernelForm | None:
    """A kernel by its name among scikit-learn's pairwise ones, or None where it depends on something else."""
    if metric == "rbf":
        return _of_one(np.full(n, 2.0 * gamma), _gaussian)
    if metric == "linear":
        return _of_one(None, _polynomial(1, 1.0, 0.0))
    if metric in ("poly", "polynomial") and float(degree).is_integer() and degree >= 1:
        return _of_one(None, _polynomial(int(degree), gamma, shift))
    return _of_one(None, _hyperbolic(gamma, shift)) if metric == "sigmoid" else None


def process_form(kernel: Any, n: int) -> KernelForm | None:
    """A kernel of a Gaussian process without its noise, or None where it has no such form with a smooth jet."""
    kind = type(kernel)
    if kind in (kernels.Sum, kernels.Product):
        one, other = process_form(kernel.k1, n), process_form(kernel.k2, n)
        return one and other and _joined(one, other, _added if kind is kernels.Sum else _multiplied)
    if kind is kernels.Exponentiation:
        inner = process_form(kernel.kernel, n)
        whole = float(kernel.exponent).is_integer() and kernel.exponent >= 1
        return _raised(inner, int(kernel.exponent)) if inner and whole else None
    if kind in (kernels.WhiteKernel, kernels.ConstantKernel):
        return _fixed(float(kernel.constant_value) if kind is kernels.ConstantKernel else 0.0)
    if kind is kernels.RBF or (kind is kernels.Matern and kernel.nu == np.inf):
        return _of_one(_spread(kernel.length_scale, n), _gaussian)
    if kind is kernels.Matern and kernel.nu in (1.5, 2.5):
        return _of_one(_spread(kernel.length_scale, n), _matern_3 if kernel.nu == 1.5 else _matern_5)
    if kind is kernels.RationalQuadratic:
        return _of_one(_spread(kernel.length_scale, n), _rational(float(kernel.alpha)))
    if kind is kernels.ExpSineSquared:
        return _of_one(np.ones(n), _periodic(float(kernel.length_scale), float(kernel.periodicity)))
    if kind is kernels.DotProduct:
        return _of_one(None, _polynomial(1, 1.0, float(kernel.sigma_0) ** 2))
    return None
