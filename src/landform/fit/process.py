"""Gaussian process surrogates: one length scale per input, a noise term, exact posterior.

References
----------
Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*, sec. 2.2, 5.1 (automatic relevance
determination), 5.4.2 (held-out predictions in closed form).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import cho_solve
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, WhiteKernel
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from landform.backends.sklearn import translate
from landform.backends.sklearn.gaussian_process import posterior_covariance
from landform.backends.sklearn.pipeline import compose
from landform.fit.observations import Observations
from landform.fit.posterior import Posterior, Prior
from landform.fit.surrogate import HeldOut, Surrogate

MOST_TRIALS = 3000
"""Past this the training covariance takes minutes to factor: other candidates serve."""

_SEARCH_ROWS = 300
"""Length scales are a handful of numbers: a random subset of so many rows pins them down."""

_REFIT_ROWS = 150
"""Up to so many trials the length scales are sought anew in every fold."""

_LONGEST = 100.0


def why_not_process(data: Observations) -> str:
    """Why a Gaussian process cannot be fitted to these trials; empty where it can."""
    if len(data.y) > MOST_TRIALS:
        return f"a Gaussian process takes at most {MOST_TRIALS} trials here, there are {len(data.y)}"
    if data.recipes < 5:
        return f"a Gaussian process needs at least 5 different recipes, there are {data.recipes}"
    return ""


def _first_kernel(inputs: int, length: float) -> Kernel:
    return ConstantKernel(1.0, (1e-2, 1e3)) * RBF(np.full(inputs, length), (0.1, _LONGEST)) + WhiteKernel(
        0.05, (1e-5, 2.0)
    )


def _search(objective: Callable[[np.ndarray], Any], start: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, float]:
    found = minimize(
        objective, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-7, "maxiter": 200}
    )
    return found.x, found.fun


def _warm_search(
    objective: Callable[[np.ndarray], Any], start: np.ndarray, bounds: np.ndarray
) -> tuple[np.ndarray, float]:
    found = minimize(
        objective, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-4, "maxiter": 15}
    )
    return found.x, found.fun


def _regressor(kernel: Kernel, optimizer: Any) -> GaussianProcessRegressor:
    return GaussianProcessRegressor(kernel, normalize_y=True, optimizer=optimizer)


def _fit_quietly(regressor: GaussianProcessRegressor, X: np.ndarray, y: np.ndarray) -> GaussianProcessRegressor:
    with warnings.catch_warnings():
        # A length scale at its bound means an input without influence; it is said in the parameters instead.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return regressor.fit(X, y)


def search_kernel(X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], *, seed: int) -> Kernel:
    """The kernel of greatest marginal likelihood, sought from a short and a long length scale."""
    if len(y) > _SEARCH_ROWS:
        some = np.random.default_rng(seed).choice(len(y), _SEARCH_ROWS, replace=False)
        X, y = X[some], y[some]
    starts = [_fit_quietly(_regressor(_first_kernel(X.shape[1], length), _search), X, y) for length in (0.7, 3.0)]
    return max(starts, key=lambda fitted: fitted.log_marginal_likelihood_value_).kernel_


def fit_process(data: Observations, *, seed: int = 0) -> Surrogate:
    """Fit a Gaussian process with a squared exponential kernel, a length scale per input, and noise.

    Parameters
    ----------
    data : Observations
        The trials; `why_not_process` must have nothing to say.
    seed : int
        Of the subset that length scales are sought on where there are more than 300 trials.
    """
    scaler = StandardScaler().fit(data.X)
    scaled = scaler.transform(data.X)
    kernel = search_kernel(scaled, data.y, seed=seed)
    regressor = _regressor(kernel, None).fit(scaled, data.y)
    estimator = Pipeline([("scale", scaler), ("process", regressor)])
    white = float(regressor.kernel_.k2.noise_level)
    spread = float(np.squeeze(regressor._y_train_std))
    return Surrogate(
        kind="gaussian process",
        words="Gaussian process",
        posterior=_posterior(scaler, regressor, data.X.shape[1]),
        noise=spread * float(np.sqrt(white)),
        degrees=float("inf"),
        estimator=estimator,
        X=data.X,
        names=data.names,
        parameters=_parameters(regressor, scaler, spread, data.names),
    )


def _parameters(
    regressor: GaussianProcessRegressor, scaler: StandardScaler, spread: float, names: tuple[str, ...]
) -> tuple[tuple[str, float, float | None], ...]:
    kernel = regressor.kernel_
    lengths = np.broadcast_to(kernel.k1.k2.length_scale, (len(names),)) * scaler.scale_
    rows: list[tuple[str, float, float | None]] = [
        (f"length scale of {name}", float(length), None) for name, length in zip(names, lengths, strict=True)
    ]
    height = spread * float(np.sqrt(kernel.k1.k1.constant_value))
    return (*rows, ("height", height, None), ("noise", spread * float(np.sqrt(kernel.k2.noise_level)), None))


@lru_cache(maxsize=16)
def _between_scaled(kernel: Callable[..., Any], rescale: Callable[..., Any]) -> Callable[..., Any]:
    def scaled(x: Any, z: Any, scaling: tuple[Any, ...], height: Any, args: tuple[Any, ...]) -> Any:
        return height * kernel(rescale(x, *scaling), rescale(z, *scaling), *args)

    return scaled


def _posterior(scaler: StandardScaler, regressor: GaussianProcessRegressor, inputs: int) -> Posterior:
    parts, scaling = posterior_covariance(regressor), translate(scaler)
    smooth, variance = regressor.kernel_.k1, parts.scale**2
    prior = Prior(
        kernel=_between_scaled(parts.kernel.function, scaling.function),
        args=(scaling.args, np.float64(variance), parts.kernel.args),
        gram=lambda X: variance * smooth(scaler.transform(X)),
        diagonal=lambda X: variance * smooth.diag(scaler.transform(X)),
    )
    return Posterior(
        features=compose((scaling.function, parts.against.function)),
        args=(scaling.args, parts.against.args),
        feature_rows=lambda X: smooth(scaler.transform(X), regressor.X_train_),
        root=parts.scale * parts.root,
        sign=-1,
        inputs=inputs,
        prior=prior,
    )


def hold_out_process(data: Observations, surrogate: Surrogate, splits: Sequence[Int[np.ndarray, " n"]]) -> HeldOut:
    """Predict every fold from the others.

    Up to 150 trials the length scales are sought anew without the fold, from the full fit's as a start; above,
    they are kept (a handful of numbers from hundreds of trials) and the held-out predictions have a closed form.
    """
    mean, deviation = (np.full((len(splits), len(data.y)), np.nan) for _ in range(2))
    refit = len(data.y) <= _REFIT_ROWS
    hold_out = _refit_without if refit else _closed_form(data, surrogate)
    for repeat, folds in enumerate(splits):
        for fold in np.unique(folds):
            rows = np.flatnonzero(folds == fold)
            mean[repeat, rows], deviation[repeat, rows] = hold_out(data, surrogate, rows)
    return HeldOut(mean, deviation, np.full(mean.shape, np.inf))


def _refit_without(
    data: Observations, surrogate: Surrogate, rows: Int[np.ndarray, " g"]
) -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]:
    keep = np.setdiff1d(np.arange(len(data.y)), rows)
    scaler = StandardScaler().fit(data.X[keep])
    start = surrogate.estimator.named_steps["process"].kernel_
    fitted = _fit_quietly(_regressor(start, _warm_search), scaler.transform(data.X[keep]), data.y[keep])
    # With the white kernel in the sum this deviation is that of a measurement, not of the function alone.
    mean, deviation = fitted.predict(scaler.transform(data.X[rows]), return_std=True)
    return mean, deviation


def _closed_form(data: Observations, surrogate: Surrogate) -> Callable[..., Any]:
    process = surrogate.estimator.named_steps["process"]
    inverse = cho_solve((process.L_, True), np.eye(len(data.y)))
    shift, scale = float(np.squeeze(process._y_train_mean)), float(np.squeeze(process._y_train_std))
    target = (data.y - shift) / scale
    pulled = inverse @ target

    def hold_out(_data: Observations, _surrogate: Surrogate, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        block = np.linalg.inv(inverse[np.ix_(rows, rows)])
        return shift + scale * (target[rows] - block @ pulled[rows]), scale * np.sqrt(np.diag(block))

    return hold_out
