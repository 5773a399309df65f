"""Traces of functions against known spectra, and evidence against closed forms and dense determinants."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from landform.errors import DerivativeError, ShapeError
from landform.linalg import Evidence, sampled_trace_of_function

D = np.r_[np.geomspace(1e-2, 10, 140), np.linspace(50, 100, 10)]
FUNCTIONS = {"fixed": lambda v: v / (v + 0.1), "logarithm": lambda v: np.log(v + 5)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_intervals_hold_as_often_as_they_say(name):
    """200 seeds; 95 % intervals, widened by the quadrature's doubt."""
    f = FUNCTIONS[name]
    truth = f(D).sum()
    found = [sampled_trace_of_function(lambda v: D * v, 150, f, tolerance=0.2, seed=k) for k in range(200)]
    inside = [one.lower <= truth <= one.upper for one in found]
    assert 0.92 <= np.mean(inside) <= 0.99
    assert np.mean([one.converged for one in found]) > 0.95
    half = np.array([(one.upper - one.lower) / 2 for one in found])
    assert np.median(half) <= 0.2 * abs(truth)


def test_a_krylov_space_that_ends_is_exact():
    found = sampled_trace_of_function(lambda v: 3.0 * v, 50, np.log)
    assert found.value == pytest.approx(50 * np.log(3)) and found.converged and found.products == 16


def test_what_products_do_not_suffice_for_is_said():
    found = sampled_trace_of_function(lambda v: D * v, 150, FUNCTIONS["logarithm"], tolerance=1e-4, most=60)
    assert not found.converged and found.products <= 100


def test_bad_input():
    with pytest.raises(ShapeError, match="positive tolerance"):
        sampled_trace_of_function(lambda v: v, 5, np.log, tolerance=0)
    with pytest.raises(DerivativeError, match="finite products"):
        sampled_trace_of_function(lambda v: v * np.nan, 5, np.log)


def regression(seed: int, n: int = 5, rows: int = 30):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, n))
    y = X @ (rng.standard_normal(n) / 2) + 0.4 * rng.standard_normal(rows)
    return X, y


def ridge_evidence(X, y, precision, noise):
    """Of a linear model, straight from the marginal normal distribution of the data (Bishop 2006, eq. 3.78)."""
    return multivariate_normal(np.zeros(len(y)), noise**2 * np.eye(len(y)) + X @ X.T / precision).logpdf(y)


def at_mode(X, y, ridge):
    w = np.linalg.solve(X.T @ X + ridge * np.eye(X.shape[1]), X.T @ y)
    residual = float(((X @ w - y) ** 2).sum())
    return Evidence(np.linalg.eigvalsh(X.T @ X), float(w @ w), residual=residual, count=len(y))


@pytest.mark.parametrize("seed", range(3))
def test_evidence_of_a_linear_model_is_exact(seed):
    X, y = regression(seed)
    one = at_mode(X, y, 2.0 * 0.3**2)
    assert one.at(2.0, 0.3) == pytest.approx(ridge_evidence(X, y, 2.0, 0.3), rel=1e-10)


def test_the_best_prior_and_noise_are_those_of_a_search():
    """The profile over the ridge against SciPy's search over both, at fixed parameters; MacKay's conditions hold."""
    X, y = regression(7)
    one = at_mode(X, y, 0.1)
    precision, noise, doubt = one.best(None, None)
    other = minimize(lambda t: -one.at(*np.exp(t)), np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9})
    np.testing.assert_allclose(np.log([precision, noise]), other.x, atol=1e-4)
    gamma = one.effective(precision, noise)
    assert precision * one.squared == pytest.approx(gamma, rel=1e-5)  # MacKay (1992), eq. 4.9
    assert noise**2 * (one.count - gamma) == pytest.approx(one.residual, rel=1e-5)
    assert 0.1 < doubt < 2
    assert one.best(None, 0.4)[0] == pytest.approx(np.exp(minimize(lambda t: -one.at(np.exp(t[0]), 0.4), [0.0]).x[0]), rel=1e-3)  # fmt: skip  # noqa: E501
    assert one.best(3.0, None)[1] == pytest.approx(np.exp(minimize(lambda t: -one.at(3.0, np.exp(t[0])), [0.0]).x[0]), rel=1e-3)  # fmt: skip  # noqa: E501


def test_an_evidence_without_maximum_is_refused():
    with pytest.raises(ShapeError, match="grows without end"):
        Evidence(np.ones(3), 0.0, log_likelihood=-1.0).best(None, None)
