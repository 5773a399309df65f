"""Sobol indices of engineering functions against published digits and SciPy's own estimates.

Borehole: OTBenchmark's `BoreholeSensitivity` (EDF, 2021), two digits, from a chaos of 1,000 points, for Worley's and
Morris's distributions. Wing weight and OTL circuit: `scipy.stats.sobol_indices` with 2^15 base points.
"""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import stats

import landform
from unit.sensitivity.functions import BOREHOLE, OTL, WING, borehole, otl_circuit, wing_weight


def test_borehole_as_published():
    found = landform.global_sensitivity(borehole, BOREHOLE)
    assert found.reached and found.gradients <= 100
    first = [0.66, 0.00, 0.00, 0.09, 0.00, 0.09, 0.09, 0.02]
    total = [0.69, 0.00, 0.00, 0.11, 0.00, 0.11, 0.10, 0.02]
    np.testing.assert_allclose(found.indices["first"].values[0], first, atol=0.01)
    np.testing.assert_allclose(found.indices["total"].values[0], total, atol=0.01)


CASES = {
    "borehole": (borehole, list(BOREHOLE.values())),
    "wing weight": (wing_weight, WING),
    "OTL circuit": (otl_circuit, OTL),
}


@pytest.mark.parametrize("name", CASES)
def test_as_scipy_estimates(name):
    function, laws = CASES[name]
    found = landform.global_sensitivity(function, laws)
    assert found.method == "chaos" and found.reached and found.gradients <= 100
    with jax.enable_x64(True):
        batch = jax.jit(jax.vmap(function))
        theirs = stats.sobol_indices(
            func=lambda X: np.array(batch(X.T)),
            n=2**15,
            dists=[stats.uniform(law[0], law[1] - law[0]) if isinstance(law, tuple) else law for law in laws],
            rng=np.random.default_rng(0),
        )
    np.testing.assert_allclose(found.indices["first"].values[0], theirs.first_order, atol=0.006)
    np.testing.assert_allclose(found.indices["total"].values[0], theirs.total_order, atol=0.006)
