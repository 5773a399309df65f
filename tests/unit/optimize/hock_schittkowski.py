"""Problems of W. Hock and K. Schittkowski (1981), *Test Examples for Nonlinear Programming Codes*, Springer.

Objective, constraints (all c(x) >= 0 unless limits say otherwise), bounds, standard start and published
solution, with derivatives by hand; HS33, HS35, HS43, HS71 and HS76 carry the book's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landform.optimize import Polytope, Program, Smooth

INF = np.inf


@dataclass(frozen=True)
class Case:
    name: str
    program: Program
    start: np.ndarray
    x: np.ndarray
    objective: float


def _smooth(value, jacobian, hessians):
    """Functions from lists: values, gradients and one Hessian per value."""
    return Smooth(
        lambda x: np.array(value(x), dtype=float),
        lambda x: np.array(jacobian(x), dtype=float),
        lambda x, w: np.einsum("k,kij->ij", w, np.array(hessians(x), dtype=float)),
    )


def _region(lower, upper, A=None, A_lower=(), A_upper=()):
    n = len(lower)
    A = np.zeros((0, n)) if A is None else A
    rows = tuple(f"row {i + 1}" for i in range(len(A)))
    return Polytope(tuple(f"x{i + 1}" for i in range(n)), lower, upper, A, A_lower, A_upper, rows)


def quadratic(Q, c, constant=0.0):
    Q, c = np.array(Q, dtype=float), np.array(c, dtype=float)
    return Smooth(
        lambda x: np.array([x @ Q @ x / 2 + c @ x + constant]),
        lambda x: (Q @ x + c)[None],
        lambda x, w: w[0] * Q,
    )


def hs33():
    objective = _smooth(
        lambda x: [(x[0] - 1) * (x[0] - 2) * (x[0] - 3) + x[2]],
        lambda x: [[3 * x[0] ** 2 - 12 * x[0] + 11, 0, 1]],
        lambda x: [np.diag([6 * x[0] - 12, 0, 0])],
    )
    constraints = _smooth(
        lambda x: [x[2] ** 2 - x[1] ** 2 - x[0] ** 2, x[0] ** 2 + x[1] ** 2 + x[2] ** 2 - 4],
        lambda x: [[-2 * x[0], -2 * x[1], 2 * x[2]], 2 * x],
        lambda x: [np.diag([-2, -2, 2]), 2 * np.eye(3)],
    )
    region = _region([0, 0, 0], [INF, INF, 5])
    program = Program(objective, region, constraints, [0, 0], [INF, INF], ("cone", "sphere"))
    root = np.sqrt(2)
    return Case("HS33", program, np.array([0.0, 0, 3]), np.array([0, root, root]), root - 6)


def hs35():
    Q = [[4, 2, 2], [2, 4, 0], [2, 0, 2]]
    region = _region([0] * 3, [INF] * 3, [[1, 1, 2]], [-INF], [3])
    program = Program(quadratic(Q, [-8, -6, -4], 9), region)
    return Case("HS35", program, np.full(3, 0.5), np.array([4 / 3, 7 / 9, 4 / 9]), 1 / 9)


def hs43():
    objective = quadratic(np.diag([2, 2, 4, 2]), [-5, -5, -21, 7])
    signs = np.array([[-1, -1, -1, -1], [-1, -2, -1, -2], [-2, -1, -1, 0]], dtype=float)
    linear = np.array([[-1, 1, -1, 1], [1, 0, 0, 1], [-2, 1, 0, 1]], dtype=float)
    constant = np.array([8.0, 10, 5])
    constraints = _smooth(
        lambda x: constant + signs @ x**2 + linear @ x,
        lambda x: 2 * signs * x + linear,
        lambda x: [np.diag(2 * s) for s in signs],
    )
    region = _region([-INF] * 4, [INF] * 4)
    program = Program(objective, region, constraints, [0] * 3, [INF] * 3, ("c1", "c2", "c3"))
    return Case("HS43", program, np.zeros(4), np.array([0.0, 1, 2, -1]), -44.0)


def hs71():
    def hessian(x):
        a, b, c, d = x
        return np.array(
            [[2 * d, d, d, 2 * a + b + c], [d, 0, 0, a], [d, 0, 0, a], [2 * a + b + c, a, a, 0]], dtype=float
        )

    def product(x):
        H = np.zeros((4, 4))
        for i in range(4):
            for j in range(4):
                if i != j:
                    H[i, j] = np.prod(np.delete(x, [i, j]))
        return H

    objective = _smooth(
        lambda x: [x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]],
        lambda x: [[x[3] * (2 * x[0] + x[1] + x[2]), x[0] * x[3], x[0] * x[3] + 1, x[0] * (x[0] + x[1] + x[2])]],
        lambda x: [hessian(x)],
    )
    constraints = _smooth(
        lambda x: [np.prod(x), x @ x],
        lambda x: [[np.prod(np.delete(x, i)) for i in range(4)], 2 * x],
        lambda x: [product(x), 2 * np.eye(4)],
    )
    program = Program(objective, _region([1] * 4, [5] * 4), constraints, [25, 40], [INF, 40], ("product", "sphere"))
    best = np.array([1, 4.7429994, 3.8211503, 1.3794082])
    return Case("HS71", program, np.array([1.0, 5, 5, 1]), best, 17.0140173)


def hs76():
    Q = [[2, 0, -1, 0], [0, 1, 0, 0], [-1, 0, 2, 1], [0, 0, 1, 1]]
    A = [[1, 2, 1, 1], [3, 1, 2, -1], [0, 1, 4, 0]]
    region = _region([0] * 4, [INF] * 4, A, [-INF, -INF, 1.5], [5, 4, INF])
    program = Program(quadratic(Q, [-1, -3, 1, -1]), region)
    return Case("HS76", program, np.full(4, 0.5), np.array([0.2727273, 2.090909, 0, 0.5454545]), -4.681818181)


CASES = (hs33(), hs35(), hs43(), hs71(), hs76())
