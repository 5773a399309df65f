"""Fitted estimators whose value is a sum of products of functions of one input each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from sklearn import gaussian_process, kernel_ridge, linear_model, pipeline, preprocessing, svm
from sklearn.gaussian_process import kernels

from landform.backends.sklearn.data import own_values
from landform.errors import ModelError

Columnwise = Callable[[Float[np.ndarray, "rows d"]], Float[np.ndarray, "rows d"]]


@dataclass(frozen=True, eq=False)
class KernelSum:
    """``Σ weights[r] Π_i exp(−decay_i |x_i − centers[r, i]|^power)``.

    Parameters
    ----------
    centers : array, shape (r, d)
        Rows that the kernel compares with.
    weights : array, shape (r, m)
        What each counts for.
    decay : array, shape (d,)
        How fast the kernel falls along every input.
    power : {1, 2}
        2 for Gaussian kernels, 1 for Laplacian ones.
    """

    centers: Float[np.ndarray, "r d"]
    weights: Float[np.ndarray, "r m"]
    decay: Float[np.ndarray, " d"]
    power: Literal[1, 2] = 2


@dataclass(frozen=True, eq=False)
class ProductForm:
    """``shift + slopes · z + kernel sums of z``, where z are the inputs, each transformed by itself.

    Parameters
    ----------
    shift : array, shape (m,)
        Constant.
    slopes : array, shape (m, d)
        Linear part.
    sums : tuple of KernelSum
        The rest.
    columns : tuple of callable
        What transforms the inputs, one after the other.
    """

    shift: Float[np.ndarray, " m"]
    slopes: Float[np.ndarray, "m d"]
    sums: tuple[KernelSum, ...] = ()
    columns: tuple[Columnwise, ...] = ()

    def transformed(self, X: Float[np.ndarray, "rows d"]) -> Float[np.ndarray, "rows d"]:
        """The inputs as the products take them."""
        for step in self.columns:
            X = np.asarray(step(X), dtype=np.float64)
        return X


_LINEAR = (
    linear_model.LinearRegression,
    linear_model.Ridge,
    linear_model.RidgeCV,
    linear_model.Lasso,
    linear_model.LassoCV,
    linear_model.ElasticNet,
    linear_model.ElasticNetCV,
    linear_model.BayesianRidge,
    linear_model.ARDRegression,
    linear_model.HuberRegressor,
    linear_model.Lars,
    linear_model.LassoLars,
    linear_model.SGDRegressor,
    svm.LinearSVR,
)
_COLUMNWISE = (
    preprocessing.StandardScaler,
    preprocessing.MinMaxScaler,
    preprocessing.MaxAbsScaler,
    preprocessing.RobustScaler,
    preprocessing.PowerTransformer,
    preprocessing.QuantileTransformer,
)


def product_form(estimator: Any) -> ProductForm:
    """Read the product form of a fitted regressor's ``predict``.

    Parameters
    ----------
    estimator : estimator
        Exactly one of the linear regressors; `GaussianProcessRegressor` with sums of constants, RBF, dot products and
        white noise and products of the first two; `KernelRidge`, `SVR` and `NuSVR` with kernels linear, rbf or
        laplacian; or a pipeline of scalers that work column by column before one of these.

    Raises
    ------
    ModelError
        If it is none of these.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> product_form(linear_model.LinearRegression().fit(X, X @ [2.0, -1.0])).slopes.round(6)
    array([[ 2., -1.]])
    """
    kind = type(estimator)
    if kind is pipeline.Pipeline:
        steps = [step for _, step in estimator.steps[:-1] if step not in (None, "passthrough")]
        for step in steps:
            if type(step) not in _COLUMNWISE:
                raise _no_product(type(step).__name__)
        return replace(
            product_form(estimator.steps[-1][1]),
            columns=tuple(partial(own_values, step, "transform") for step in steps),
        )
    if kind in _LINEAR:
        slopes = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
        return ProductForm(np.broadcast_to(np.atleast_1d(estimator.intercept_), len(slopes)), slopes)
    if kind is gaussian_process.GaussianProcessRegressor and hasattr(estimator, "X_train_"):
        return _of_process(estimator)
    if kind is kernel_ridge.KernelRidge:
        X = np.asarray(estimator.X_fit_, dtype=np.float64)
        gamma = 1.0 / X.shape[1] if estimator.gamma is None else estimator.gamma
        return _expanded(estimator.kernel, gamma, X, np.asarray(estimator.dual_coef_).reshape(len(X), -1), 0.0)
    if kind in (svm.SVR, svm.NuSVR) and not hasattr(estimator.support_vectors_, "toarray"):
        weights = np.asarray(estimator.dual_coef_).T
        return _expanded(estimator.kernel, estimator._gamma, estimator.support_vectors_, weights, estimator.intercept_)
    raise _no_product(kind.__name__)


def _no_product(what: str) -> ModelError:
    return ModelError(
        "a linear regressor, a Gaussian process, KernelRidge or SVR with product kernels, or a pipeline of column-wise "
        "scalers before one",
        got=what,
        remedy="use one of these, or a model of at most 12 inputs, whose subsets can be enumerated",
    )


def _expanded(kernel: Any, gamma: float, X: np.ndarray, weights: np.ndarray, intercept: Any) -> ProductForm:
    shift = np.broadcast_to(np.asarray(intercept, dtype=np.float64), (weights.shape[1],))
    if kernel == "linear":
        return ProductForm(shift, weights.T @ X)
    if kernel not in ("rbf", "laplacian"):
        raise _no_product(f"the kernel {kernel!r}")
    decay = np.full(X.shape[1], float(gamma))
    sums = (KernelSum(np.asarray(X), weights, decay, 2 if kernel == "rbf" else 1),)
    return ProductForm(shift, np.zeros((weights.shape[1], X.shape[1])), sums)


def _of_process(estimator: Any) -> ProductForm:
    X = np.asarray(estimator.X_train_, dtype=np.float64)
    scale = np.atleast_1d(np.asarray(estimator._y_train_std, dtype=np.float64))
    weights = np.asarray(estimator.alpha_).reshape(len(X), -1) * scale
    shift = np.broadcast_to(np.atleast_1d(estimator._y_train_mean), (weights.shape[1],)).astype(np.float64)
    slopes, sums = np.zeros((weights.shape[1], X.shape[1])), []
    for height, decay, linear in _parts(estimator.kernel_, X.shape[1]):
        if decay is not None:
            sums.append(KernelSum(X, height * weights, decay))
            continue
        shift = shift + height * weights.sum(axis=0)
        slopes = slopes + linear * weights.T @ X
    return ProductForm(shift, slopes, tuple(sums))


def _parts(kernel: Any, d: int) -> list[tuple[float, np.ndarray | None, float]]:
    """A kernel as a sum: height and decays of each Gaussian, or a constant and what multiplies the dot product."""
    kind = type(kernel)
    if kind is kernels.Sum:
        return _parts(kernel.k1, d) + _parts(kernel.k2, d)
    if kind is kernels.Product:
        return [_times(a, b) for a in _parts(kernel.k1, d) for b in _parts(kernel.k2, d)]
    if kind is kernels.ConstantKernel:
        return [(float(kernel.constant_value), None, 0.0)]
    if kind is kernels.RBF or (kind is kernels.Matern and kernel.nu == np.inf):
        return [(1.0, np.broadcast_to(0.5 / np.asarray(kernel.length_scale) ** 2, (d,)).astype(np.float64), 0.0)]
    if kind is kernels.DotProduct:
        return [(float(kernel.sigma_0) ** 2, None, 1.0)]
    if kind is kernels.WhiteKernel:
        return []
    raise _no_product(f"the kernel {kernel}")


def _times(
    a: tuple[float, np.ndarray | None, float], b: tuple[float, np.ndarray | None, float]
) -> tuple[float, np.ndarray | None, float]:
    (height, decay, linear), (other, falling, slope) = a, b
    if decay is not None and falling is not None:
        return height * other, decay + falling, 0.0
    if decay is None and falling is None and not (linear and slope):
        return height * other, None, height * slope + other * linear
    if linear or slope:
        raise _no_product("a dot product kernel times another")
    return height * other, decay if falling is None else falling, 0.0
