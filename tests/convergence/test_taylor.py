"""Taylor remainders fall like step² and step³: on scenarios and on fitted surrogates.

Source of the orders: Taylor's theorem; of the test: Farrell, Ham, Funke and Rognes (2013), SIAM J. Sci. Comput. 35.
"""

from __future__ import annotations

import numpy as np
import pytest

from landform.derivatives import hessian, jacobian, prepare
from landform.fit import Observations, fit_polynomial, fit_process
from scenarios import SCENARIOS

NAMES = ["waves", "logistic", "network", "bump", "recursion", "rational"]


def orders(f, x, v, slope, curve, *, steps):
    """Slopes of the log remainders, the derivatives given from outside."""
    y = f(x)
    first = np.array([f(x + t * v) - y - t * slope for t in steps])
    second = first - 0.5 * np.asarray(steps)[:, None] ** 2 * curve
    logs = np.log(steps)
    return tuple(float(np.polyfit(logs, np.log(np.linalg.norm(r, axis=1)), 1)[0]) for r in (first, second))


@pytest.mark.parametrize("name", NAMES)
def test_scenarios(name):
    s = next(s for s in SCENARIOS if s.name == name)
    v = np.random.default_rng(1).standard_normal(s.n)
    p = prepare(s.function, s.x, effort="quick")
    slope = jacobian(s.function, s.x) @ v
    curve = np.array([hessian(s.function, s.x, weights=u).quadratic(v) for u in np.eye(s.m)])
    first, second = orders(p.value, s.x, v, slope, curve, steps=0.5 ** np.arange(9, 13))
    assert first == pytest.approx(2, abs=0.05)
    assert second == pytest.approx(3, abs=0.1)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(6)
    X = np.hstack([rng.dirichlet(np.ones(3), 28), rng.uniform(10, 50, (28, 1))])
    y = 2 + np.sin(4 * X[:, 0]) + X[:, 1] * X[:, 2] * X[:, 0] * 20 + 0.02 * X[:, 3] + 0.05 * rng.standard_normal(28)
    return Observations(X, y, np.arange(28), ("a", "b", "c", "t"), 3)


@pytest.mark.parametrize("kind", ["special cubic", "gaussian process"])
def test_fitted_surrogates(data, kind):
    """Values are scikit-learn's own predictions, derivatives landform's."""
    fitted = fit_process(data) if kind == "gaussian process" else fit_polynomial(kind, data)
    x, v = np.array([0.3, 0.4, 0.3, 30.0]), np.array([0.6, -0.5, -0.1, 4.0])

    def predict(z):
        return fitted.estimator.predict(z[None])

    p = prepare(fitted.model, x)
    _, J, H = p.second(x)
    first, second = orders(predict, x, v, J @ v, v @ H[0] @ v, steps=0.5 ** np.arange(6, 10))
    assert first == pytest.approx(2, abs=0.1)
    assert second == pytest.approx(3, abs=0.2)


def test_a_wrong_slope_and_a_wrong_curve_show():
    """The instrument itself: a slope off by a millionth gives order 1, a curve off by a thousandth order 2."""
    s = next(s for s in SCENARIOS if s.name == "waves")
    v = np.array([0.3, -0.5, 0.8])
    p = prepare(s.function, s.x, effort="quick")
    _, J, H = p.second(s.x)
    curve = np.einsum("ijk,j,k->i", H, v, v)
    steps = 0.5 ** np.arange(16, 20)
    assert orders(p.value, s.x, v, (1 + 1e-3) * J @ v, curve, steps=steps)[0] == pytest.approx(1, abs=0.05)
    steps = 0.5 ** np.arange(9, 13)
    assert orders(p.value, s.x, v, J @ v, 1.1 * curve, steps=steps)[1] == pytest.approx(2, abs=0.1)
