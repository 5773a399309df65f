"""Certificates in double precision against the same conditions worked out by mpmath with forty digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from scipy.optimize import NonlinearConstraint

import landform

INF = np.inf

# Hock and Schittkowski (1981), written so that JAX and mpmath both evaluate them: objective, constraints (name to
# function and limits), bounds, start.
SAMPLE = {
    "HS71": (
        lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
        {
            "product": (lambda x: x[0] * x[1] * x[2] * x[3], 25, INF),
            "sphere": (lambda x: x[0] ** 2 + x[1] ** 2 + x[2] ** 2 + x[3] ** 2, 40, 40),
        },
        (1, 5),
        [1, 5, 5, 1],
    ),
    "HS29": (
        lambda x: -x[0] * x[1] * x[2],
        {"ellipsoid": (lambda x: 48 - x[0] ** 2 - 2 * x[1] ** 2 - 4 * x[2] ** 2, 0, INF)},
        None,
        [1, 1, 1],
    ),
    "HS43": (
        lambda x: x[0] ** 2 + x[1] ** 2 + 2 * x[2] ** 2 + x[3] ** 2 - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3],
        {
            "a": (lambda x: 8 - x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - x[3] ** 2 - x[0] + x[1] - x[2] + x[3], 0, INF),
            "b": (lambda x: 10 - x[0] ** 2 - 2 * x[1] ** 2 - x[2] ** 2 - 2 * x[3] ** 2 + x[0] + x[3], 0, INF),
            "c": (lambda x: 5 - 2 * x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - 2 * x[0] + x[1] + x[3], 0, INF),
        },
        None,
        [0, 0, 0, 0],
    ),
}


def slopes(f, x):
    n = len(x)
    return [mp.diff(lambda *p: f(p), tuple(x), tuple(int(i == j) for i in range(n))) for j in range(n)]


def curves(f, x):
    n = len(x)
    orders = [[tuple(int(k == i) + int(k == j) for k in range(n)) for j in range(n)] for i in range(n)]
    return mp.matrix([[mp.diff(lambda *p: f(p), tuple(x), order) for order in row] for row in orders])


@pytest.mark.parametrize("name", SAMPLE)
def test_first_and_second_order(name):
    f, limits, bounds, x0 = SAMPLE[name]
    best = landform.minimize(
        f, x0, bounds=bounds, constraints={k: NonlinearConstraint(c, low, high) for k, (c, low, high) in limits.items()}
    )
    assert best.certificate.nature == "strict minimum"
    names = best.problem.program.region.names
    with mp.workdps(40):
        x = [mp.mpf(float(v)) for v in best.x]
        left, H, normals = slopes(f, x), curves(f, x), []
        for active in best.certificate.multipliers:
            upper = "≤" in active.words
            price = mp.mpf(active.multiplier) * (-1 if upper and not active.equality else 1)
            if active.kind == "bound":
                normal = [mp.mpf(int(n == active.name)) for n in names]
            else:
                normal = slopes(limits[active.name][0], x)
                H -= price * curves(limits[active.name][0], x)
                low, high = limits[active.name][1:]
                assert min(abs(limits[active.name][0](x) - end) for end in (low, high)) < 1e-11
            left = [a - price * b for a, b in zip(left, normal, strict=True)]
            normals.append([float(v) for v in normal])
            assert active.equality or active.multiplier > 0
        assert max(map(abs, left)) < 1e-9 * max(map(abs, slopes(f, x)))
        Z = mp.matrix(np.linalg.svd(np.array(normals))[2][len(normals) :].T.tolist())
        values = sorted(mp.eigsy(Z.T * H * Z, eigvals_only=True))
    np.testing.assert_allclose([float(v) for v in values], best.certificate.eigenvalues, rtol=1e-6)
    assert values[0] > 0
