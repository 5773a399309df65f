"""Every estimator in the table: its values, its slopes and curves, and their being finite where functions fold."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import estimators
from landform.backends import from_sklearn
from landform.backends.sklearn.catalogue import BUILT_IN, METHODS
from landform.backends.sklearn.data import own_values
from landform.derivatives import prepare
from richardson import stencil

LEVELS = 4


def differences(f, x, steps):
    """Jacobian and Hessian of every output by extrapolated differences, every value from one call."""
    n = len(x)
    ways = [(i, i) for i in range(n)] + [(i, j) for i in range(n) for j in range(i + 1, n)]
    one, first = stencil(1, 1.0, LEVELS)
    two, second = stencil(2, 1.0, LEVELS)
    V = np.array([np.eye(n)[i] + (i != j) * np.eye(n)[j] for i, j in ways]) * steps
    along = np.concatenate([one[:, None, None] * V[:n], two[:, None, None] * V], axis=None).reshape(-1, n)
    values = f(x + along)
    slopes = np.einsum("t,tvm->mv", first, values[: len(one) * n].reshape(len(one), n, -1))
    bends = np.einsum("t,tvm->vm", second, values[len(one) * n :].reshape(len(two), len(ways), -1))
    H = np.zeros((values.shape[1], n, n))
    for (i, j), bend in zip(ways, bends, strict=True):
        H[:, i, j] = H[:, j, i] = bend if i == j else (bend - bends[i] - bends[j]) / 2
    return slopes / steps, H / np.outer(steps, steps)


def lost_in(order):
    """What a difference makes of rounding in the values, at worst."""
    return np.abs(stencil(order, 1.0, LEVELS)[1]).sum()


def relative(found, expected, scale):
    return np.max(np.abs(found - expected)) / scale


@pytest.mark.parametrize("case", estimators.CASES, ids=lambda case: f"{case.name}-{case.method}")
def test_values_slopes_and_curves(case):
    X, _ = estimators.data(case.data)
    rows = np.asarray(X)
    spread = rows.std(axis=0)
    estimator = estimators.fitted(case)

    def own(points):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return own_values(estimator, case.method, points)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = from_sklearn(estimator, X, method=case.method)
    # Off the lattice of the data: a fold may lie exactly where rows share a value.
    x = 0.55 * rows[1] + 0.45 * rows[30] + (0.0137 * spread if case.step < 0.02 else 0.0)
    ready = prepare(model, x, effort="quick")
    y, J, H = ready.second(x)
    on_rows, theirs = own(rows), own(x[None])[0]
    steady = np.ptp(on_rows, axis=0) == 0
    scale = np.where(steady, np.maximum(np.max(np.abs(on_rows), axis=0, initial=0.0), 1.0), np.ptp(on_rows, axis=0))
    assert np.all(np.abs(model.values(rows) - on_rows) <= case.values * scale)
    assert np.all(np.abs(y - theirs) <= case.values * scale)
    size = max(1.0, np.max(np.abs(theirs), initial=0.0))
    first, second = differences(own, x, case.step * spread)
    units = np.max(np.abs(first * spread)), np.max(np.abs(second * np.outer(spread, spread)))
    # Differences cannot see below the rounding of the values themselves.
    lost = own(x * (1 + np.finfo(float).eps * np.random.default_rng(0).choice([-1, 1], (32, len(x))))) - theirs
    noise = max(1e-14 * size, float(np.max(np.abs(lost))))
    blind = lost_in(1) * noise / case.step / case.slopes
    assert relative(J * spread, first * spread, max(units[0], 1e-3, blind)) <= case.slopes
    blind = lost_in(2) * noise / case.step**2 / (10 * case.slopes)
    scales = np.outer(spread, spread)
    assert relative(H * scales, second * scales, max(units[1], 1e-3, blind)) <= case.slopes * 10
    for point in (rows[0], rows[17], *([np.zeros_like(x)] if case.zero else [])):
        y, J, H = ready.second(point)
        assert np.all(np.isfinite(y)) and np.all(np.isfinite(J)) and np.all(np.isfinite(H))


def test_every_translation_is_in_the_table():
    def classes(estimator):
        yield type(estimator).__name__
        for value in estimator.get_params().values():
            if hasattr(value, "get_params") and not isinstance(value, type):
                yield type(value).__name__

    tested = {name for case in estimators.CASES for name in classes(case.estimator)}
    assert {name for name, method in BUILT_IN if method in METHODS} <= tested


def test_the_page_is_up_to_date():
    assert estimators.PAGE.read_text(encoding="utf-8") == estimators.page(), "run python tests/estimators.py"
