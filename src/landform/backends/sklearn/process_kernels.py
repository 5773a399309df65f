"""Kernels of Gaussian processes as JAX functions, with finite derivatives where two points coincide."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special
from sklearn.gaussian_process import kernels

from landform.backends.sklearn.kernels import KernelFunction, linear, pairwise_kernel, whole
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError

ROUGH = "Matérn kernel with nu ≤ 1: no slope at the training rows; what is given there leaves their own peak out"


def constant(x: jax.Array, z: jax.Array, height: jax.Array) -> jax.Array:
    """One value everywhere."""
    return height + 0.0 * (x[0] + z[0])


def squared_exponential(x: jax.Array, z: jax.Array, length: jax.Array) -> jax.Array:
    """exp(−½ Σ ((x−z)/ℓ)²), with one length scale per input or one for all."""
    gap = (x - z) / length
    return jnp.exp(-0.5 * jnp.sum(gap * gap))


def noise_free(x: jax.Array, z: jax.Array) -> jax.Array:
    """What a white kernel adds between two points of the underlying function: nothing."""
    return 0.0 * (x[0] + z[0])


def rational_quadratic(x: jax.Array, z: jax.Array, length: jax.Array, alpha: jax.Array) -> jax.Array:
    """(1 + |x − z|² / 2αℓ²)^(−α)."""
    gap = x - z
    return (1.0 + (gap @ gap) / (2.0 * alpha * length**2)) ** -alpha


def _cosine_of_root(w: jax.Array) -> jax.Array:
    """Cos √w, smooth at w = 0: a power series where w is small."""
    small = w < 1.0
    near, far = jnp.where(small, w, 0.0), jnp.where(small, 1.0, w)
    series = jnp.zeros_like(near)
    for k in range(10, -1, -1):
        series = series * near + (-1.0) ** k / math.factorial(2 * k)
    return jnp.where(small, series, jnp.cos(jnp.sqrt(far)))


def periodic(x: jax.Array, z: jax.Array, length: jax.Array, period: jax.Array) -> jax.Array:
    """exp(−2 sin²(π |x − z| / p) / ℓ²)."""
    gap = (x - z) * (2.0 * math.pi / period)
    return jnp.exp((_cosine_of_root(gap @ gap) - 1.0) / length**2)


def dot_product(x: jax.Array, z: jax.Array, shift: jax.Array) -> jax.Array:
    """σ₀² + x · z."""
    return shift + linear(x, z)


def _bessel(order: float, t: jax.Array) -> jax.Array:
    """t^ν K_ν(t) for t > 0: in closed form for ν half of an odd number, else by SciPy."""
    p = abs(order) - 0.5
    if p.is_integer():
        total = jnp.zeros_like(t)
        for k in range(int(p), -1, -1):
            factor = math.factorial(int(p) + k) / (math.factorial(k) * math.factorial(int(p) - k) * 2.0**k)
            total = total + factor * t ** (order - 0.5 - k)
        return math.sqrt(math.pi / 2.0) * jnp.exp(-t) * total

    def by_scipy(values: np.ndarray) -> np.ndarray:
        values = np.asarray(values)
        return np.asarray(values**order * special.kv(order, values), dtype=values.dtype)

    return jax.pure_callback(by_scipy, jax.ShapeDtypeStruct(t.shape, t.dtype), t, vmap_method="expand_dims")


@lru_cache(maxsize=64)
def _bessel_of_square(order: float) -> Callable[[jax.Array], jax.Array]:
    """G(u) = t^ν K_ν(t) with t² = u. Its slope is −½ G of order ν − 1: derivatives of any order, without a root at 0.

    Where u = 0 and ν ≤ 0 the value has no limit; 0 stands there, since it only ever meets factors that vanish faster.
    """

    @jax.custom_jvp
    def value(u: jax.Array) -> jax.Array:
        inside = u > 0.0
        limit = 2.0 ** (order - 1.0) * math.gamma(order) if order > 0 else 0.0
        return jnp.where(inside, _bessel(order, jnp.sqrt(jnp.where(inside, u, 1.0))), limit)

    @value.defjvp
    def slope(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
        (u,), (du,) = primals, tangents
        return value(u), -0.5 * _bessel_of_square(order - 1.0)(u) * du

    return value


@lru_cache(maxsize=64)
def matern(nu: float) -> KernelFunction:
    """The Matérn kernel of one smoothness.

    Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, eq. 4.14.
    """
    height = 2.0 ** (1.0 - nu) / math.gamma(nu)
    bessel = _bessel_of_square(nu)

    def correlation(x: jax.Array, z: jax.Array, length: jax.Array) -> jax.Array:
        gap = (x - z) / length
        return height * bessel(2.0 * nu * (gap @ gap))

    return correlation


@lru_cache(maxsize=64)
def _sum(first: KernelFunction, second: KernelFunction) -> KernelFunction:
    return lambda x, z, a, b: first(x, z, *a) + second(x, z, *b)


@lru_cache(maxsize=64)
def _product(first: KernelFunction, second: KernelFunction) -> KernelFunction:
    return lambda x, z, a, b: first(x, z, *a) * second(x, z, *b)


@lru_cache(maxsize=64)
def _power(kernel: KernelFunction, exponent: float) -> KernelFunction:
    return lambda x, z, a: kernel(x, z, *a) ** exponent


def translate_kernel(kernel: Any, *, noisy: bool = False) -> Translation:
    """A fitted kernel between two points of the underlying, noise-free function.

    Parameters
    ----------
    kernel : kernel
        Fitted.
    noisy : bool
        Take the two points for one and the same measurement, whose noise then counts.

    Raises
    ------
    ModelError
        If the kernel's exact class has no translation.
    """
    kind = type(kernel)
    if kind in (kernels.Sum, kernels.Product):
        parts = (translate_kernel(kernel.k1, noisy=noisy), translate_kernel(kernel.k2, noisy=noisy))
        join = _sum if kind is kernels.Sum else _product
        notes = tuple(dict.fromkeys(parts[0].notes + parts[1].notes))
        return Translation(join(parts[0].function, parts[1].function), (parts[0].args, parts[1].args), notes)
    if kind is kernels.Exponentiation:
        inner = translate_kernel(kernel.kernel, noisy=noisy)
        return Translation(_power(inner.function, whole(kernel.exponent)), (inner.args,), inner.notes)
    if kind is kernels.WhiteKernel:
        return Translation(constant, (np.float64(kernel.noise_level),)) if noisy else Translation(noise_free, ())
    if kind is kernels.PairwiseKernel:
        more = {"degree": 3, "coef0": 1} | (kernel.pairwise_kernels_kwargs or {})
        return pairwise_kernel(kernel.metric, n=1, gamma=kernel.gamma, degree=more["degree"], coef0=more["coef0"])
    if kind is kernels.Matern and kernel.nu != np.inf:
        length = np.asarray(kernel.length_scale, dtype=np.float64)
        return Translation(matern(float(kernel.nu)), (length,), (ROUGH,) if kernel.nu <= 1 else ())
    return _plain(kernel)


def _plain(kernel: Any) -> Translation:
    kind = type(kernel)
    if kind is kernels.ConstantKernel:
        return Translation(constant, (np.float64(kernel.constant_value),))
    if kind in (kernels.RBF, kernels.Matern):
        return Translation(squared_exponential, (np.asarray(kernel.length_scale, dtype=np.float64),))
    if kind is kernels.RationalQuadratic:
        return Translation(rational_quadratic, (np.float64(kernel.length_scale), np.float64(kernel.alpha)))
    if kind is kernels.ExpSineSquared:
        return Translation(periodic, (np.float64(kernel.length_scale), np.float64(kernel.periodicity)))
    if kind is kernels.DotProduct:
        return Translation(dot_product, (np.float64(kernel.sigma_0) ** 2,))
    raise ModelError(
        "a kernel of constants, RBF, Matern, RationalQuadratic, ExpSineSquared, DotProduct, PairwiseKernel and white "
        "noise, their sums, products and powers",
        got=kind.__name__,
        remedy="fit with one of these",
    )


def curves_of(kernel: Any) -> bool:
    """Whether a process with this kernel has second derivatives: the kernel four of them where two points coincide.

    Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 4.2.1: Matérn processes have k
    derivatives for ν > k.
    """
    kind = type(kernel)
    if kind in (kernels.Sum, kernels.Product):
        return curves_of(kernel.k1) and curves_of(kernel.k2)
    if kind is kernels.Exponentiation:
        return curves_of(kernel.kernel)
    if kind is kernels.PairwiseKernel:
        return kernel.metric in ("rbf", "linear", "poly", "polynomial", "sigmoid")
    return kind is not kernels.Matern or kernel.nu > 2
