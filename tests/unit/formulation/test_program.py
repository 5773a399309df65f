"""The smooth programs behind the search: exact derivatives against Richardson differences; kinks as constraints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from landform.formulation import Study
from landform.formulation.goals import Goal
from landform.formulation.program import Search, best_recipe_program, least_bad_program, u_name
from richardson import along
from unit.formulation.published import PAINT


@pytest.fixture(scope="module")
def search():
    problem = {
        "total": 1.0,
        "ingredients": {"TiO2": {}, "vehicle": {}, "extender A": {}, "extender B": {}},
        "properties": {"hiding": {"model": "quadratic"}, "scrub": {"model": "quadratic"}},
    }
    found = Study.read(PAINT, problem).run()
    goals = (
        Goal("hiding", "", "target", 4.0, 30.0, target=18.0, weight=2.0, shape=1.5),
        Goal("scrub", "", "in range", 50.0, 400.0),
        Goal("scrub", "", "minimize", 30.0, 700.0),
    )
    other = np.array([0.2, 0.3, 0.35, 0.15])
    scale = np.array([1.0, 0.5, 2.0, 1.0])
    return Search(found.region, found.responses, goals, scale, np.ones(4), apart=(other,), distance=0.05)


@pytest.mark.parametrize("make", [best_recipe_program, least_bad_program])
@pytest.mark.parametrize("part", ["objective", "constraints"])
def test_derivatives_are_exact(search, make, part):
    program = make(search)
    smooth = getattr(program, part)
    x = np.append(np.array([0.3, 0.25, 0.35, 0.10]) / search.scale, np.full(program.n - 4, 0.4))
    rng = np.random.default_rng(1)

    def values(X):
        return np.array([smooth.value(row) for row in X])

    weights = rng.standard_normal(len(smooth.value(x)))
    for _ in range(3):
        v = rng.standard_normal(program.n)
        slope, error = along(values, x, v, order=1, step=0.02)
        size = 1 + np.max(np.abs(slope))
        np.testing.assert_allclose(smooth.jacobian(x) @ v, slope, atol=10 * np.max(error) + 1e-9 * size)
        curve, error = along(lambda X: values(X) @ weights, x, v, order=2, step=0.02)
        assert v @ smooth.hessian(x, weights) @ v == pytest.approx(float(curve), abs=10 * float(error) + 1e-6 * size)
    H = smooth.hessian(x, weights)
    np.testing.assert_allclose(H, H.T, atol=1e-10 * (1 + np.max(np.abs(H))))


def test_constraints_are_the_lines_of_the_goals(search):
    program = best_recipe_program(search)
    x = np.array([0.3, 0.25, 0.35, 0.10])
    hiding, scrub = search.responses.means(x[None], ["hiding", "scrub"])[0]
    found = program.constraints.value(np.append(x / search.scale, [0.4, 0.2]))
    up, down = (hiding - 4) / 14 - 0.4, (30 - hiding) / 12 - 0.4
    gap = np.sum((x - search.apart[0]) ** 2)
    np.testing.assert_allclose(found, [up, down, scrub, (700 - scrub) / 670 - 0.2, gap], rtol=1e-10)
    assert program.c_names == ("line of hiding", "line of hiding", "scrub", "line of scrub", "distance from recipe 1")
    np.testing.assert_array_equal(program.c_lower, [0, 0, 50, 0, 0.05**2])
    np.testing.assert_array_equal(program.c_upper, [np.inf, np.inf, 400, np.inf, np.inf])


def test_the_objective_is_the_weighted_mean_of_logarithms(search):
    """Weights 2 and 1, exponent 1.5: −(2·1.5 log .4 + log .2)/3."""
    found = best_recipe_program(search).objective.value(np.array([0.3, 0.5, 0.2, 0.1, 0.4, 0.2]))
    assert found[0] == pytest.approx(-(3 * np.log(0.4) + np.log(0.2)) / 3)


def test_variables_have_names_and_caps(search):
    capped, open_ = best_recipe_program(search), best_recipe_program(search, capped=False)
    assert capped.region.names[4:] == (u_name(search.goals[0]), u_name(search.goals[2]))
    assert capped.region.upper[4:].tolist() == [1.0, 1.0]
    assert np.all(np.isinf(open_.region.upper[4:]))


def test_scaled_and_plain_programs_agree(search):
    plain = replace(search, scale=np.ones(4))
    x = np.array([0.3, 0.25, 0.35, 0.10])
    one = best_recipe_program(search).constraints.value(np.append(x / search.scale, [0.4, 0.2]))
    other = best_recipe_program(plain).constraints.value(np.append(x, [0.4, 0.2]))
    np.testing.assert_allclose(one, other, rtol=1e-12)
