"""Gaussian processes: mean, slope, curve and their standard errors against scikit-learn's own predictions.

The reference is `predict` and `predict(return_cov=True)` of the fitted pipeline, differentiated by Richardson
extrapolation; its own error (what one level less would change) sets the tolerance.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from landform.derivatives import jacobian, prepare
from landform.fit import Observations, fit_process
from landform.fit.observations import grouped_folds
from landform.fit.process import hold_out_process
from richardson import along, stencil


def blends(n, seed=0):
    rng = np.random.default_rng(seed)
    X = np.hstack([100 * rng.dirichlet(np.ones(3), n), rng.uniform(150, 200, (n, 1))])
    y = 40 + 9 * np.sin(X[:, 0] / 25) + X[:, 1] * X[:, 2] / 300 + 0.05 * (X[:, 3] - 170) + 0.4 * rng.standard_normal(n)
    return Observations(X, y, np.arange(n), ("a", "b", "c", "t"), 3, 100.0)


@pytest.fixture(scope="module")
def data():
    return blends(30)


@pytest.fixture(scope="module")
def process(data):
    return fit_process(data)


X0 = np.array([41.0, 33.0, 26.0, 171.0])
V = np.array([[10.0, -6.0, -4.0, 0.0], [0.0, 10.0, -10.0, 0.0], [0.0, 0.0, 0.0, 5.0]])


def covariance(process, X):
    """scikit-learn's covariance of the underlying function: what it adds for a measurement's noise taken off."""
    scaler, regressor = process.estimator.named_steps["scale"], process.estimator.named_steps["process"]
    _, found = regressor.predict(scaler.transform(X), return_cov=True)
    return found - process.noise**2 * np.eye(len(X))


def spread(process, points, weights):
    """Covariance of linear functionals: each column of weights is one, over all points."""
    return weights.T @ covariance(process, points) @ weights


def functionals(x, directions, order, step, levels):
    """Points and weights of the derivatives of one order at x along several directions."""
    offsets, one = stencil(order, step, levels)
    points = np.vstack([x + offsets[:, None] * v for v in directions])
    weights = np.kron(np.eye(len(directions)), one[:, None])
    return points, weights


def test_mean_and_its_standard_error(process, data):
    X = np.vstack([data.X[:9] + 0.3, X0])
    np.testing.assert_allclose(process.predict(X)[0], process.estimator.predict(X), rtol=1e-12)
    np.testing.assert_allclose(process.model(X0), process.estimator.predict(X0[None]), rtol=1e-9)
    np.testing.assert_allclose(process.predict(X)[1] ** 2, np.diag(covariance(process, X)), rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(process.posterior.covariance(X), covariance(process, X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("k", range(3))
def test_slopes_and_curves_of_the_mean(process, k):
    slope, error = along(process.estimator.predict, X0, V[k], order=1, step=0.4)
    found = jacobian(process.model, X0) @ V[k]
    assert found[0] == pytest.approx(float(slope), abs=10 * float(error) + 1e-9)
    curve, error = along(process.estimator.predict, X0, V[k], order=2, step=0.4)
    H = prepare(process.model, X0).hessian(X0)
    assert V[k] @ H @ V[k] == pytest.approx(float(curve), abs=10 * float(error) + 1e-8)
    assert error < 1e-4 * max(1, abs(curve))


def test_standard_errors_of_slopes(process):
    found = process.posterior.slopes(X0[None], V.T[None])
    truth, coarse = (spread(process, *functionals(X0, V, 1, 0.4, levels)) for levels in (4, 3))
    size = np.max(np.diag(truth))
    error = np.max(np.abs(truth - coarse))
    assert error < 1e-4 * size
    np.testing.assert_allclose(found, truth, atol=10 * error + 1e-8 * size)
    assert np.all(np.linalg.eigvalsh(found) > 0)


def test_standard_error_of_a_slope_averaged_over_trials(process, data):
    """Each trial along its own direction, all covariances between trials included."""
    X = data.X[:6]
    own = np.array([v * (1 + 0.1 * i) for i, v in enumerate([V[0], V[1], V[2], V[0], V[1], V[2]])])
    found = process.posterior.slopes(X, own[:, :, None] / 6)[0, 0]
    results = []
    for levels in (3, 4):
        offsets, one = stencil(1, 0.4, levels)
        points = np.vstack([x + offsets[:, None] * v for x, v in zip(X, own, strict=True)])
        results.append(spread(process, points, np.tile(one / 6, 6)[:, None])[0, 0])
    assert found == pytest.approx(results[1], abs=10 * abs(results[1] - results[0]) + 1e-8 * results[1])


@pytest.mark.parametrize("k", range(3))
def test_standard_error_of_a_curve(process, k):
    found = process.posterior.curve(X0, V[k])
    truth, coarse = (spread(process, *functionals(X0, V[k : k + 1], 2, 0.8, levels))[0, 0] for levels in (4, 3))
    error = abs(truth - coarse)
    assert error < 1e-2 * truth
    assert found == pytest.approx(truth, abs=3 * error + 1e-7 * truth)


def test_held_out_in_closed_form_is_a_refit_with_the_kernel_kept():
    data = blends(160, seed=5)
    surrogate = fit_process(data)
    regressor, scaler = surrogate.estimator.named_steps["process"], surrogate.estimator.named_steps["scale"]
    (folds,) = grouped_folds(data, seed=0, repeats=1, folds=7)[:1]
    found = hold_out_process(data, surrogate, [folds])
    shift, scale = float(regressor._y_train_mean), float(regressor._y_train_std)
    for fold in range(7):
        out = folds == fold
        again = GaussianProcessRegressor(regressor.kernel_, optimizer=None)
        again.fit(scaler.transform(data.X[~out]), (data.y[~out] - shift) / scale)
        mean, deviation = again.predict(scaler.transform(data.X[out]), return_std=True)
        np.testing.assert_allclose(found.mean[0, out], shift + scale * mean, rtol=1e-8)
        np.testing.assert_allclose(found.deviation[0, out], scale * deviation, rtol=1e-7)
    assert np.all(np.isinf(found.degrees))


def test_held_out_of_few_trials_is_a_refit_without_them(process, data):
    """The folds' own values have no part: changing them by a thousand moves no prediction of theirs."""
    folds = np.arange(len(data.y)) % 3
    found = hold_out_process(data, process, [folds])
    changed = data.y + np.where(folds == 1, 1000.0, 0.0)
    moved = hold_out_process(Observations(data.X, changed, data.groups, data.names, 3, 100.0), process, [folds])
    np.testing.assert_array_equal(found.mean[0, folds == 1], moved.mean[0, folds == 1])
    assert np.sqrt(np.mean((found.mean[0] - data.y) ** 2)) < np.std(data.y)


def test_parameters_are_the_kernels_in_the_users_units(process, data):
    kernel = process.estimator.named_steps["process"].kernel_
    found = {name: value for name, value, _ in process.parameters}
    lengths = kernel.k1.k2.length_scale * np.std(data.X, axis=0)
    assert [found[f"length scale of {n}"] for n in data.names] == pytest.approx(lengths.tolist(), rel=1e-9)
    assert found["height"] == pytest.approx(np.std(data.y) * np.sqrt(kernel.k1.k1.constant_value), rel=1e-9)
    assert found["noise"] == pytest.approx(process.noise)
