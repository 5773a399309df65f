"""Kernel ridge regression and Gaussian processes: linear systems of a kernel matrix that the settings shape.

References
----------
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, alg. 2.1 and eq. 5.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from sklearn.gaussian_process import kernels

from landform.backends.sklearn.kernels import KernelFunction, pairwise_kernel
from landform.backends.sklearn.process_kernels import translate_kernel
from landform.errors import ModelError
from landform.fit.tuning.posed import Posed, Settings, Split

Array = np.ndarray
Covariance = Callable[[Settings, jax.Array, jax.Array], jax.Array]
"""From the settings and two sets of rows to the matrix of kernels between them."""


def _between(kernel: KernelFunction, args: tuple[Any, ...], X: jax.Array, Z: jax.Array) -> jax.Array:
    return jax.vmap(lambda x: jax.vmap(lambda z: kernel(x, z, *args))(Z))(X)


def pose_kernel_ridge(estimator: Any, d: int, loss: Callable[..., Any] | None) -> Posed:
    """`KernelRidge` as an inner problem: ``½ a'(K + αI)a − a'y`` over the dual coefficients."""
    if callable(estimator.kernel) or estimator.kernel == "precomputed":
        raise ModelError(
            "a kernel by its name",
            got=repr(estimator.kernel),
            remedy="use landform.tune(inner, outer, …) with a kernel of your own in JAX",
            where="tune",
        )
    given = {"gamma": estimator.gamma, "degree": estimator.degree, "coef0": estimator.coef0}
    fixed = pairwise_kernel(estimator.kernel, n=d, **given)

    def covariance(h: Settings, X: jax.Array, Z: jax.Array) -> jax.Array:
        own = {"gamma": 0, "coef0": 1}
        args = list(fixed.args)
        for name, place in own.items():
            if name in h and place < len(args):
                args[place] = h[name]
        return _between(fixed.function, tuple(args), X, Z)

    alpha = float(estimator.alpha)

    def trained(h: Settings, X: jax.Array) -> jax.Array:
        return covariance(h, X, X) + h.get("alpha", alpha) * jnp.eye(len(X))

    return _posed(trained, covariance, False, loss, marginal=False)


def tunable_of_kernel_ridge(estimator: Any) -> tuple[str, ...]:
    """Which settings of a `KernelRidge` are continuous."""
    by_kernel = {
        "rbf": ("gamma",),
        "laplacian": ("gamma",),
        "chi2": ("gamma",),
        "poly": ("gamma", "coef0"),
        "polynomial": ("gamma", "coef0"),
        "sigmoid": ("gamma", "coef0"),
    }
    return ("alpha", *by_kernel.get(str(estimator.kernel), ()))


def pose_process(estimator: Any, loss: Callable[..., Any] | None, *, marginal: bool) -> Posed:
    """`GaussianProcessRegressor` as an inner problem, judged by held-out rows or by its marginal likelihood."""
    kernel = process_kernel(estimator)
    smooth = translate_kernel(kernel)
    noisy = translate_kernel(kernel, noisy=True)
    jitter = np.asarray(estimator.alpha, dtype=np.float64)
    if jitter.ndim:
        raise ModelError(
            "one alpha for all rows",
            got=f"{len(jitter)} of them",
            remedy="add a WhiteKernel, or use losses of your own",
            where="tune",
        )

    def covariance(h: Settings, X: jax.Array, Z: jax.Array) -> jax.Array:
        return _between(smooth.function, kernel_args(kernel, h, noisy=False), X, Z)

    def trained(h: Settings, X: jax.Array) -> jax.Array:
        own, plain = kernel_args(kernel, h, noisy=True), kernel_args(kernel, h, noisy=False)
        noise = jax.vmap(lambda x: noisy.function(x, x, *own) - smooth.function(x, x, *plain))(X)
        return covariance(h, X, X) + jnp.diag(noise + h.get("alpha", jitter))

    return _posed(trained, covariance, bool(estimator.normalize_y), loss, marginal=marginal)


def process_kernel(estimator: Any) -> Any:
    """The prior's kernel; scikit-learn's default where none was given."""
    if estimator.kernel is not None:
        return estimator.kernel
    return kernels.ConstantKernel(1.0, constant_value_bounds="fixed") * kernels.RBF(1.0, length_scale_bounds="fixed")


def kernel_args(kernel: Any, h: Settings, *, noisy: bool, prefix: str = "") -> tuple[Any, ...]:
    """The arguments of a translated kernel, those that are tuned in their place."""
    kind = type(kernel)

    def own(name: str) -> Any:
        return h.get(prefix + name, np.asarray(getattr(kernel, name), dtype=np.float64))

    if kind in (kernels.Sum, kernels.Product):
        return tuple(
            kernel_args(part, h, noisy=noisy, prefix=f"{prefix}{k}__")
            for k, part in (("k1", kernel.k1), ("k2", kernel.k2))
        )
    if kind is kernels.Exponentiation:
        return (kernel_args(kernel.kernel, h, noisy=noisy, prefix=f"{prefix}kernel__"),)
    if kind is kernels.WhiteKernel:
        return (own("noise_level"),) if noisy else ()
    if kind is kernels.DotProduct:
        return (own("sigma_0") ** 2,)
    if kind is kernels.PairwiseKernel:
        args = translate_kernel(kernel).args
        return (own("gamma"), *args[1:]) if args else ()
    in_order = {
        kernels.ConstantKernel: ("constant_value",),
        kernels.RBF: ("length_scale",),
        kernels.Matern: ("length_scale",),
        kernels.RationalQuadratic: ("length_scale", "alpha"),
        kernels.ExpSineSquared: ("length_scale", "periodicity"),
    }
    return tuple(own(name) for name in in_order[kind])


def _posed(
    trained: Callable[[Settings, jax.Array], jax.Array],
    covariance: Covariance,
    standardized: bool,
    loss: Callable[..., Any] | None,
    *,
    marginal: bool,
) -> Posed:
    def inner(theta: jax.Array, h: Settings, X: Any, Y: Any, *_: Any) -> jax.Array:
        dual = theta.reshape(Y.shape)
        return 0.5 * jnp.sum(dual * (trained(h, X) @ dual)) - jnp.sum(dual * Y)

    def likelihood(theta: jax.Array, h: Settings, X: Any, Y: Any, *_: Any) -> jax.Array:
        factor = jnp.linalg.cholesky(trained(h, X))
        volume = jnp.sum(jnp.log(jnp.diag(factor))) + 0.5 * len(X) * np.log(2.0 * np.pi)
        return 0.5 * jnp.sum(Y * theta.reshape(Y.shape)) + Y.shape[1] * volume

    def held_out(theta: jax.Array, h: Settings, X: Any, Y: Any, Z: Any, T: Any, shift: Any, scale: Any) -> jax.Array:
        predicted = shift + scale * (covariance(h, Z, X) @ theta.reshape(Y.shape))
        predicted = predicted.reshape(T.shape)
        return jnp.mean((predicted - T) ** 2) if loss is None else loss(T, predicted)

    def curve(_: jax.Array, h: Settings, X: Any, Y: Any, *__: Any) -> jax.Array:
        return jnp.kron(trained(h, X), jnp.eye(Y.shape[1]))

    def scaled(y: Array) -> tuple[Float[Array, "rows k"], Float[Array, " k"], Float[Array, " k"]]:
        y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if not standardized:
            return y, np.zeros(y.shape[1]), np.ones(y.shape[1])
        shift, scale = y.mean(axis=0), y.std(axis=0)
        scale = np.where(scale < 10 * np.finfo(float).eps, 1.0, scale)
        return (y - shift) / scale, shift, scale

    def data(split: Split) -> tuple[Any, ...]:
        own, shift, scale = scaled(split.y)
        if marginal:
            return split.X, own
        return split.X, own, split.judging, np.asarray(split.judged, dtype=np.float64), shift, scale

    def start(split: Split) -> Array:
        return np.zeros(np.size(split.y))

    def names(split: Split) -> list[str]:
        return [f"dual[{i}]" for i in range(np.size(split.y))]

    return Posed(inner, likelihood if marginal else held_out, curve, data, start, names)
