"""Effects and swaps of a study against the fitted functions' own differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landform.formulation import Study
from unit.formulation.published import PAINT

NAMES = ("a", "b", "c", "heat")


@pytest.fixture(scope="module")
def found():
    """Percent, three ingredients, one factor, one property on a logarithmic scale."""
    rng = np.random.default_rng(12)
    X = np.hstack([100 * rng.dirichlet(np.full(3, 2.0), 36), rng.uniform(150, 200, (36, 1))])
    gloss = 20 + 0.3 * X[:, 0] + 0.004 * X[:, 0] * X[:, 1] + 0.1 * (X[:, 3] - 170) + 0.3 * rng.standard_normal(36)
    viscosity = np.exp(1 + 0.02 * X[:, 1] - 0.01 * X[:, 0] + 0.005 * X[:, 3] + 0.03 * rng.standard_normal(36))
    table = pd.DataFrame(np.column_stack([X, gloss, viscosity]), columns=[*NAMES, "gloss [GU]", "viscosity [Pa s]"])
    problem = {
        "total": 100.0,
        "trials": {"closure": "none"},
        "ingredients": {"a": {}, "b": {"upper": 60.0}, "c": {"lower": 5.0}},
        "factors": {"heat": {"unit": "°C"}},
        "properties": {
            "gloss": {"goal": "maximize", "model": "quadratic"},
            "viscosity": {
                "goal": "target",
                "target": 12.0,
                "limits": [4.0, 20.0],
                "transform": "log",
                "model": "linear",
            },
        },
        "study": {"recipes": 1},
    }
    return Study.read(table, problem).run()


def effects(found, at):
    return {(e.to_dict()["property"], e.input): e for e in found.effects.effects if e.at == at}


def difference(part, x, v):
    """Central difference of the property in its own unit, extrapolated once."""
    one, half = ((part.mean(x[None] + h * v)[0] - part.mean(x[None] - h * v)[0]) / (2 * h) for h in (0.02, 0.01))
    return (4 * half - one) / 3


def test_slopes_are_differences_of_what_is_predicted(found):
    ground, x = found.ground, found.place
    for (name, raised), effect in effects(found, "recipe").items():
        part = found.responses.parts[found.responses.at(name)]
        v = np.zeros(4)
        v[NAMES.index(raised)] = 1.0
        for other, share in effect.gives_way.items():
            v[NAMES.index(other)] -= share
        step = ground.steps[NAMES.index(raised)]
        assert effect.estimate.value == pytest.approx(difference(part, x, v) * step, rel=1e-6, abs=1e-8)
        assert effect.estimate.lower < effect.estimate.value < effect.estimate.upper


def test_averages_are_averages_over_the_trials(found):
    for (name, raised), effect in effects(found, "region").items():
        i, part = NAMES.index(raised), found.responses.parts[found.responses.at(name)]
        slopes = []
        for x in found.trials.X:
            v = np.zeros(4)
            v[i] = 1.0
            if i < 3:
                others = [k for k in range(3) if k != i]
                v[others] = -x[others] / x[others].sum()
            slopes.append(difference(part, x, v))
        assert effect.estimate.value == pytest.approx(np.mean(slopes) * found.ground.steps[i], rel=1e-6, abs=1e-8)


def test_steps_are_those_of_a_person(found):
    here = effects(found, "recipe")
    assert here["gloss", "a"].step_words == "+1 percentage point"
    assert here["gloss", "heat"].step_words == "+2 °C"
    assert here["gloss", "heat"].direction == "factor" and here["gloss", "a"].direction == "Cox"
    assert here["gloss", "a"].estimate.unit == "GU"
    assert here["viscosity", "a"].estimate.unit == "Pa s"


def test_swaps_are_differences_of_what_is_predicted(found):
    here = [s for s in found.effects.swaps if s.at == "recipe"]
    assert len(here) == 2 * 6
    for swap in here:
        part = found.responses.parts[found.responses.at(swap.to_dict()["property"])]
        v = np.zeros(4)
        v[NAMES.index(swap.into)], v[NAMES.index(swap.out_of)] = 1.0, -1.0
        assert swap.estimate.value == pytest.approx(difference(part, found.place, v), rel=1e-6, abs=1e-8)


def test_a_swap_and_its_reverse_are_opposite(found):
    pairs = {(s.to_dict()["property"], s.at, s.into, s.out_of): s.estimate for s in found.effects.swaps}
    for (name, at, into, out_of), estimate in pairs.items():
        back = pairs[name, at, out_of, into]
        assert back.value == pytest.approx(-estimate.value, rel=1e-9, abs=1e-12)
        assert back.standard_error == pytest.approx(estimate.standard_error, rel=1e-6)


def test_a_swap_that_bounds_forbid_says_why():
    problem = {
        "total": 1.0,
        "ingredients": {"TiO2": {}, "vehicle": {}, "extender A": {}, "extender B": {}},
        "properties": {"hiding": {"goal": "maximize", "model": "linear"}},
        "study": {"recipes": 1},
    }
    found = Study.read(PAINT, problem).run()
    stuck = [s for s in found.effects.swaps if s.at == "recipe" and s.why_not]
    assert stuck
    for swap in stuck:
        k = found.ground.names.index(swap.into if "maximum" in swap.why_not else swap.out_of)
        bound = found.ground.upper[k] if "maximum" in swap.why_not else found.ground.lower[k]
        assert found.place[k] == pytest.approx(bound, abs=1e-7)
    assert all(s.why_not is None for s in found.effects.swaps if s.at == "region")


def test_tables(found):
    frame, swaps = found.effects.to_frame(), found.effects.swaps_to_frame()
    assert len(frame) == 2 * 2 * 4
    assert len(swaps) == 2 * 2 * 6
    assert {"value", "standard_error", "lower", "upper", "unit", "how"} <= set(frame.columns) & set(swaps.columns)
