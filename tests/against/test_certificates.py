"""Published optima, found and certified.

Paint: R package MixOptim, vignette, data of examples/paint. Yarn: Cornell (2002), *Experiments with
Mixtures*, fitted Scheffé quadratic. Hock and Schittkowski (1981): see `unit/optimize/hock_schittkowski.py`.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from landform.optimize import Polytope, Program, Smooth, certify, cluster, solve

PAINT = Path(__file__).parents[2] / "examples" / "paint" / "trials.csv"
INGREDIENTS = ("TiO2", "vehicle", "extender A", "extender B")
PAIRS = list(combinations(range(4), 2))


def paint_trials():
    table = np.genfromtxt(PAINT, delimiter=",", skip_header=1)
    X, Y = table[:, :4], table[:, 4:]
    off = np.abs(X.sum(axis=1) - 1) > 5e-3
    assert off.sum() == 4
    for two, three in ((0.33, 0.333), (0.43, 0.433), (0.18, 0.183)):
        X[off] = np.where(np.isclose(X[off], two), three, X[off])
    return X, Y


def scheffe(X, y):
    """Linear part and Hessian of the fitted Scheffé quadratic."""
    columns = np.hstack([X] + [(X[:, i] * X[:, j])[:, None] for i, j in PAIRS])
    beta = np.linalg.lstsq(columns, y, rcond=None)[0]
    Q = np.zeros((4, 4))
    for value, (i, j) in zip(beta[4:], PAIRS, strict=True):
        Q[i, j] = Q[j, i] = value
    return beta[:4], Q


def geometric_mean(n, goals):
    """Minus the mean logarithm of the variables behind the first n."""

    def jacobian(x):
        g = np.zeros((1, n + goals))
        g[0, n:] = -1 / (goals * x[n:])
        return g

    return Smooth(
        lambda x: np.array([-np.log(x[n:]).mean()]),
        jacobian,
        lambda x, w: w[0] * np.diag(np.concatenate([np.zeros(n), 1 / (goals * x[n:] ** 2)])),
    )


def paint_program():
    """Maximize sum log u with u_k below its desirability, which is linear in the fitted property."""
    X, Y = paint_trials()
    low, high = Y.min(axis=0), Y.max(axis=0)
    fits = [scheffe(X, Y[:, k]) for k in range(2)]
    slope = np.array([1 / (high[0] - low[0]), -1 / (high[1] - low[1])])
    offset = np.array([-low[0] * slope[0], -high[1] * slope[1]])
    b = np.array([slope[k] * fits[k][0] for k in range(2)])
    Q = np.array([slope[k] * fits[k][1] for k in range(2)])

    def value(x):
        r = x[:4]
        return offset + b @ r + (Q @ r) @ r / 2 - x[4:]

    def jacobian(x):
        return np.hstack([b + Q @ x[:4], -np.eye(2)])

    def hessian(x, w):
        H = np.zeros((6, 6))
        H[:4, :4] = w[0] * Q[0] + w[1] * Q[1]
        return H

    region = Polytope(
        (*INGREDIENTS, "hiding's u", "scrub's u"),
        [0.05, 0.20, 0.30, 0.05, 1e-9, 1e-9],
        [0.45, 0.60, 0.70, 0.45, 1, 1],
        [[1, 1, 1, 1, 0, 0]],
        [1],
        [1],
        ("sum",),
    )
    constraints = Smooth(value, jacobian, hessian)
    limits = ([0, 0], [np.inf, np.inf], ("hiding's desirability", "scrub's desirability"))
    return Program(geometric_mean(4, 2), region, constraints, *limits)


def paint_starts(program, count=16):
    starts = program.region.sample(count, seed=1)
    starts[:, 4:] = 0.5
    return starts


def test_paint_best_recipe_and_desirability():
    program = paint_program()
    best = solve(program, paint_starts(program))[0]
    assert best.certificate.certified
    np.testing.assert_allclose(np.exp(-best.objective), 0.65920337, rtol=1e-8)
    np.testing.assert_allclose(best.x[:4], [0.3076064, 0.3423936, 0.30, 0.05], atol=1e-7)
    words = {a.words for a in best.certificate.multipliers if a.strongly}
    assert {"extender A ≥ 0.3", "extender B ≥ 0.05", "sum = 1"} <= words


def test_a_multiplier_is_what_relaxing_the_limit_gains():
    program = paint_program()
    best = solve(program, paint_starts(program, 4))[0]
    price = {a.words: a.multiplier for a in best.certificate.multipliers}
    lower = program.region.lower.copy()
    step = 1e-4
    ends = []
    for sign in (1, -1):
        lower[2] = 0.30 - sign * step
        region = Polytope(program.region.names, lower, program.region.upper, program.region.A, [1], [1], ("sum",))
        moved = Program(program.objective, region, program.constraints, [0, 0], [np.inf] * 2, program.c_names)
        ends.append(solve(moved, best.x[None])[0].objective)
    np.testing.assert_allclose((ends[1] - ends[0]) / (2 * step), price["extender A ≥ 0.3"], rtol=1e-6)


def yarn_program():
    b = np.array([11.7, 9.4, 16.4])
    Q = np.array([[0, 19.0, 11.4], [19.0, 0, -9.6], [11.4, -9.6, 0]])
    yarn = Smooth(lambda x: -np.array([b @ x + x @ Q @ x / 2]), lambda x: -(b + Q @ x)[None], lambda x, w: -w[0] * Q)
    names = ("polyethylene", "polystyrene", "polypropylene")
    return Program(yarn, Polytope(names, np.zeros(3), np.ones(3), np.ones((1, 3)), [1], [1], ("sum",)))


def test_yarn_optimum_and_multiplier():
    program = yarn_program()
    found = cluster(solve(program, program.region.sample(12, seed=0)), 1e-3)
    best = found[0]
    np.testing.assert_allclose(best.x, [0.2938596, 0, 0.7061404], atol=1e-7)
    np.testing.assert_allclose(-best.objective, 17.38442983, rtol=1e-9)
    certificate = best.certificate
    assert certificate.nature == "strict minimum"
    (price,) = [a.multiplier for a in certificate.multipliers if a.words == "polystyrene ≥ 0"]
    np.testing.assert_allclose(price, 11.545614, rtol=1e-7)


def test_every_local_optimum_of_yarn_is_found_and_none_is_a_saddle():
    program = yarn_program()
    found = cluster(solve(program, program.region.sample(20, seed=3)), 1e-3)
    assert all(s.certificate.certified for s in found)
    np.testing.assert_allclose([-s.objective for s in found], [17.38442983, 15.36960526], rtol=1e-8)


@pytest.mark.parametrize("size", [1e-5, 1e-3])
def test_a_recipe_beside_the_optimum_is_not_certified(size):
    program = paint_program()
    best = solve(program, paint_starts(program, 4))[0]
    rng = np.random.default_rng(0)
    basis = program.region.tangent_basis()
    for _ in range(10):
        beside = best.x + size * basis @ rng.standard_normal(basis.shape[1])
        assert not certify(program, beside).certified
