"""Several surrogates as one function; intervals on the scale a person reads."""

from __future__ import annotations

import numpy as np
import pytest

from landform.backends import linear_model
from landform.errors import ModelError
from landform.fit import Observations, fit_polynomial
from landform.formulation.responses import Response, Responses

RNG = np.random.default_rng(3)
X = RNG.uniform(0, 2, (20, 2))
LOGS = 0.5 + X @ [0.3, -0.2] + 0.05 * RNG.standard_normal(20)
FIT = fit_polynomial("linear", Observations(X, LOGS, np.arange(20), ("p", "q"), 0))
PRICES = np.array([2.0, 3.0])
COST = Response(
    "cost", "", None, exact=linear_model(PRICES, inputs=("p", "q"), output="cost"), values=lambda X: X @ PRICES
)


def test_logarithms_come_back_as_the_property():
    """exp of the fit, its interval asymmetric, its standard error by the delta method."""
    part = Response("viscosity", "Pa s", FIT, log=True)
    mean, error, low, high = part.interval(X[:4])
    logs, spread = FIT.predict(X[:4])
    half = FIT.quantile() * spread
    np.testing.assert_allclose(mean, np.exp(logs))
    np.testing.assert_allclose(error, np.exp(logs) * spread)
    np.testing.assert_allclose(low, np.exp(logs - half))
    np.testing.assert_allclose(high, np.exp(logs + half))
    np.testing.assert_allclose(part.mean(X[:4]), np.exp(logs))


def test_a_batch_is_less_sure_than_the_mean():
    part = Response("logs", "", FIT)
    _, error, low, high = part.interval(X[:4])
    _, wider, low_batch, high_batch = part.interval(X[:4], batch=True)
    np.testing.assert_allclose(wider**2, error**2 + FIT.noise**2)
    assert np.all(low_batch < low) and np.all(high_batch > high)


def test_what_is_exact_has_no_width():
    mean, error, low, high = COST.interval(X[:4])
    np.testing.assert_array_equal(mean, X[:4] @ PRICES)
    np.testing.assert_array_equal(error, 0)
    np.testing.assert_array_equal(low, high)


def test_all_together():
    parts = (Response("viscosity", "Pa s", FIT, log=True), Response("logs", "", FIT))
    both = Responses(parts, ("p", "q"), X, silent=(COST,))
    value, slopes, curves = both.derivatives.second(X[2])
    b = np.array([v for _, v, _ in FIT.parameters])[1:] / (np.ptp(X, axis=0) / 2)  # factors are scaled to −1 … 1
    size = np.exp(FIT.predict(X[2:3])[0][0])
    np.testing.assert_allclose(value, [size, np.log(size), X[2] @ PRICES])
    np.testing.assert_allclose(slopes, [size * b, b, PRICES], rtol=1e-10)
    np.testing.assert_allclose(curves[0], size * np.outer(b, b), rtol=1e-10)
    np.testing.assert_allclose(curves[1:], 0, atol=1e-12)
    assert both.names == ("viscosity", "logs")
    assert both.at("cost") == 2
    np.testing.assert_allclose(both.means(X[:3], ["cost", "logs"])[:, 0], X[:3] @ PRICES)
    assert both.means(X[:3]).shape == (3, 2)


def test_a_translation_that_differs_is_refused():
    wrong = Response(
        "cost",
        "",
        None,
        exact=linear_model(PRICES * 1.001, inputs=("p", "q"), output="cost"),
        values=lambda X: X @ PRICES,
    )
    with pytest.raises(ModelError, match="cost equal to its surrogate on every trial"):
        _ = Responses((wrong,), ("p", "q"), X).derivatives
