"""The search on a landscape with two hills: both are found, ranked, and told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landform.formulation import Study


@pytest.fixture(scope="module")
def two_hills():
    """A property with a high hill and a lower one along one factor; a Gaussian process follows it closely."""
    x, z = np.meshgrid(np.linspace(0, 10, 21), np.linspace(0, 4, 4))
    x, z = x.ravel(), z.ravel()
    y = 8 * np.exp(-((x - 2) ** 2) / 2) + 10 * np.exp(-((x - 8) ** 2) / 2) - 0.2 * (z - 2) ** 2
    y += 0.01 * np.random.default_rng(0).standard_normal(len(x))
    problem = {
        "factors": {"x": {}, "z": {}},
        "properties": {"y": {"goal": "maximize", "model": "gaussian process", "limits": [0.0, 12.0]}},
        "study": {"recipes": 4},
    }
    return Study.read(pd.DataFrame({"x": x, "z": z, "y": y}), problem).run()


def test_the_higher_hill_is_best(two_hills):
    best = two_hills.recipes[0]
    assert best.kind == "best"
    assert best.inputs["x"] == pytest.approx(8, abs=0.1)
    assert best.inputs["z"] == pytest.approx(2, abs=0.3)
    assert best.certificate.certified
    assert best.certificate.nature == "strict minimum"


def test_the_lower_hill_is_said_to_be_a_local_optimum(two_hills):
    (lower,) = [r for r in two_hills.recipes if r.kind == "local optimum"]
    assert lower.inputs["x"] == pytest.approx(2, abs=0.1)
    assert lower.certificate.certified
    assert lower.desirability < two_hills.recipes[0].desirability


def test_alternatives_keep_their_distance(two_hills):
    width = np.array([10.0, 4.0])
    points = [np.array(list(r.inputs.values())) / width for r in two_hills.recipes]
    for k, point in enumerate(points):
        assert all(np.linalg.norm(point - other) >= 0.05 - 1e-6 for other in points[:k])


def test_the_seed_decides(two_hills):
    again = Study(two_hills.trials, two_hills.problem).run()
    assert [r.inputs for r in again.recipes] == [r.inputs for r in two_hills.recipes]
