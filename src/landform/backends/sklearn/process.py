"""The posterior covariance behind Gaussian processes and kernel ridge regression, in parts with derivatives.

cov(f(x), f(z)) = scale² (k(φ(x), φ(z)) − |L⁻¹ k(T, φ(x))| · |L⁻¹ k(T, φ(z))|), with T the training rows and L the
Cholesky factor of their covariance. Kernel ridge regression is the posterior mean of the process whose noise variance
is its penalty.

References
----------
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, eq. 2.24 and sec. 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular

from landform.backends.sklearn.core import Core
from landform.backends.sklearn.join import chain
from landform.backends.sklearn.kernels import against, pairwise_kernel
from landform.backends.sklearn.process_kernels import ROUGH, curves_of, translate_kernel
from landform.backends.sklearn.radial import CurvePosterior, pairwise_terms, radial_terms
from landform.backends.sklearn.registry import Translation
from landform.errors import ModelError


@dataclass(frozen=True, eq=False)
class Process:
    """A Gaussian process behind fixed steps.

    Parameters
    ----------
    before : Translation
        φ: the steps before, taken as known.
    kernel : Translation
        k of two points behind these steps.
    features : Translation
        From x to k(T, φ(x)), shape (rows,).
    factor : array, shape (rows, rows)
        L.
    scales : array, shape (m,)
        Standard deviation that every output was divided by.
    degrees : float
        Degrees of freedom of the scale; infinite where it is taken as known.
    how : str
        In words.
    curved : bool
        Whether it has second derivatives.
    curves : CurvePosterior or None
        Their doubt in closed form, behind the steps before.
    """

    before: Translation
    kernel: Translation
    features: Translation
    factor: Float[np.ndarray, "rows rows"]
    scales: Float[np.ndarray, " m"]
    degrees: float
    how: str
    curved: bool = True
    curves: CurvePosterior | None = None

    @cached_property
    def root(self) -> Float[np.ndarray, "rows rows"]:
        """L⁻¹."""
        return np.asarray(solve_triangular(self.factor, np.eye(len(self.factor)), lower=True))


def process_of(core: Core, method: str, y: np.ndarray | None) -> Process | None:
    """The process behind a fitted estimator, or None where there is none.

    Raises
    ------
    ModelError
        If ``y`` cannot be the target of the fit.
    """
    estimator = core.estimator
    name = type(estimator).__name__ if type(estimator).__module__.startswith("sklearn.") else ""
    if method != "predict" or core.target is not None:
        return None
    if name == "GaussianProcessRegressor" and hasattr(estimator, "X_train_"):
        return _gaussian_process(core)
    if name == "KernelRidge" and y is not None and np.ndim(estimator.alpha) == 0 and estimator.alpha > 0:
        return _kernel_ridge(core, y)
    return None


def _gaussian_process(core: Core) -> Process | None:
    estimator = core.estimator
    kernel = translate_kernel(estimator.kernel_)
    if ROUGH in kernel.notes:
        return None
    T = np.asarray(estimator.X_train_, dtype=np.float64)
    outputs = np.asarray(estimator.alpha_).reshape(len(T), -1).shape[1]
    scales = np.broadcast_to(np.atleast_1d(estimator._y_train_std), (outputs,)).astype(np.float64)
    how = "closed form: the derivative of the Gaussian process, its kernel taken as known"
    factor, terms = np.asarray(estimator.L_), radial_terms(estimator.kernel_, T.shape[1])
    curves = None if terms is None else CurvePosterior(terms, T, factor)
    curved = curves_of(estimator.kernel_)
    return Process(core.before, kernel, _features(core, kernel, T), factor, scales, np.inf, how, curved, curves)


def _kernel_ridge(core: Core, y: np.ndarray) -> Process | None:
    estimator = core.estimator
    T = np.asarray(estimator.X_fit_, dtype=np.float64)
    kernel = pairwise_kernel(
        estimator.kernel, n=T.shape[1], gamma=estimator.gamma, degree=estimator.degree, coef0=estimator.coef0
    )
    if kernel.notes or estimator.kernel == "sigmoid":
        return None
    gram = np.asarray(estimator._get_kernel(T), dtype=np.float64)
    noisy = gram + estimator.alpha * np.eye(len(T))
    weights = np.asarray(estimator.dual_coef_, dtype=np.float64).reshape(len(T), -1)
    Y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    if Y.shape != weights.shape or np.max(np.abs(noisy @ weights - Y)) > 1e-5 * max(float(np.max(np.abs(Y))), 1e-300):
        raise ModelError(
            "the target that KernelRidge was fitted with",
            got="values that its weights do not reproduce",
            remedy="pass it as y=, with train= where it belongs to other rows than X; fit without sample weights",
            where="argument y",
        )
    free = float(estimator.alpha * np.trace(np.linalg.inv(noisy)))
    residuals = estimator.alpha * weights
    scales = np.sqrt(np.sum(residuals**2, axis=0) / free / estimator.alpha)
    how = "closed form: kernel ridge read as a Gaussian process, noise from the residuals"
    factor = np.linalg.cholesky(noisy)
    terms = pairwise_terms(estimator.kernel, T.shape[1], kernel.args[0] if estimator.kernel == "rbf" else 0.0)
    curves = None if terms is None else CurvePosterior(terms, T, factor)
    return Process(core.before, kernel, _features(core, kernel, T), factor, scales, free, how, True, curves)


def _features(core: Core, kernel: Translation, T: np.ndarray) -> Translation:
    return chain([*([core.before] if core.steps else []), Translation(against(kernel.function), (T, kernel.args))])
