"""Published figures, to the digits they were published with (6 significant ones where there are as many).

Yarn: Cornell (2002), *Experiments with Mixtures*, 3rd ed.; the same table in Myers and Montgomery and in Penn State
STAT 503, example 11.3; recomputed to more digits in shared/examples/SOURCES.md.
Paint: the vignette of the R package MixOptim, with the thirds (.333 .433 .183) that it prints as .33 .43 .18.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from landform.fit import Observations, fit_polynomial
from landform.formulation import Study
from landform.formulation.effects import find_effects
from landform.formulation.responses import Response, Responses
from landform.formulation.steps import make_ground
from landform.sensitivity import Ground, cox_move, slopes_along
from unit.formulation.published import PAINT, YARN, yarn

YARN_TERMS = {
    "polyethylene": 11.7,
    "polystyrene": 9.4,
    "polypropylene": 16.4,
    "polyethylene × polystyrene": 19.0,
    "polyethylene × polypropylene": 11.4,
    "polystyrene × polypropylene": -9.6,
}
YARN_COX = (7.0666667, -6.8833333, -0.1833333)
YARN_COX_ERROR = 0.8418088
CENTROID = np.full(3, 1 / 3)

PAINT_TERMS = {
    "hiding": "68.748 7.291 11.419 14.578 -64.32 35.878 -15.696 -31.006 -38.668 -6.59",
    "scrub": "3937.5 899.3 502 2354.8 -8227.2 -3327.4 -2447.7 -2435.3 -6325.1 -1050.3",
}
PAINT_HALF_UNIT = {"hiding": 0.5e-3, "scrub": 0.05}
PAINT_RECIPE = {"TiO2": 0.3076064, "vehicle": 0.3423936, "extender A": 0.30, "extender B": 0.05}
PAINT_BOUNDS = {"TiO2": (0.05, 0.45), "vehicle": (0.20, 0.60), "extender A": (0.30, 0.70), "extender B": (0.05, 0.45)}


def six(published: float) -> object:
    """Equal to six significant digits."""
    return pytest.approx(published, rel=5e-7)


@pytest.fixture(scope="module")
def yarn_fit():
    trials = yarn()
    names = tuple(i.name for i in trials.inputs)
    data = Observations(trials.X, trials.Y[:, 0], trials.groups, names, 3, 1.0)
    return trials, fit_polynomial("quadratic", data)


@pytest.fixture(scope="module")
def yarn_study():
    return Study.read(YARN, YARN.with_name("problem.toml")).run()


def test_yarn_coefficients_and_their_standard_errors(yarn_fit):
    _, fitted = yarn_fit
    assert [name for name, _, _ in fitted.parameters] == list(YARN_TERMS)
    for name, value, error in fitted.parameters:
        assert value == six(YARN_TERMS[name])
        assert error == six(2.6082490 if "×" in name else 0.6036923)


def test_yarn_residual_mean_square_and_r_squared(yarn_fit):
    trials, fitted = yarn_fit
    assert fitted.noise**2 == six(0.7288889)
    assert fitted.degrees == 9
    y = trials.Y[:, 0]
    residuals = y - fitted.predict(trials.X)[0]
    assert 1 - residuals @ residuals / np.sum((y - y.mean()) ** 2) == six(0.9513555)


def test_yarn_cox_derivatives_at_the_centroid_by_slopes_along(yarn_fit):
    _, fitted = yarn_fit
    ground = Ground(fitted.names, 3, np.zeros(3), np.ones(3), np.full(3, 0.01))
    V = np.column_stack([cox_move(CENTROID, i, ground).vector for i in range(3)])[None]
    response = Responses((Response("elongation", "", fitted),), fitted.names, fitted.X)
    J = response.derivatives.jacobian(CENTROID)
    for slope, published in zip(slopes_along(J, CENTROID[None], V, fitted.posterior.slopes), YARN_COX, strict=True):
        assert slope.value == six(published)
        assert slope.standard_error == six(YARN_COX_ERROR)


def test_yarn_cox_derivatives_at_the_centroid_by_find_effects(yarn_fit):
    """In percentage points, with intervals from Student's t with 9 degrees of freedom (2.262157)."""
    trials, fitted = yarn_fit
    responses = Responses((Response("elongation", "", fitted),), fitted.names, fitted.X)
    words = ("+1 percentage point",) * 3
    found = find_effects(responses, CENTROID, trials.X, make_ground(trials, 1.0), words, ranges=np.ones(3))
    here = [e for e in found.effects if e.at == "recipe"]
    for effect, published in zip(here, YARN_COX, strict=True):
        assert effect.estimate.value == six(published / 100)
        assert effect.estimate.standard_error == six(YARN_COX_ERROR / 100)
        assert effect.estimate.half_width == six(2.2621572 * YARN_COX_ERROR / 100)
        assert effect.over_range == six(published)


def test_yarn_swaps_are_differences_of_partial_derivatives(yarn_fit):
    """Closed form from the published coefficients: d/dx_i at the centroid is b_i + Σ b_ij / 3."""
    trials, fitted = yarn_fit
    b = list(YARN_TERMS.values())
    partial = np.array([b[0] + (b[3] + b[4]) / 3, b[1] + (b[3] + b[5]) / 3, b[2] + (b[4] + b[5]) / 3])
    responses = Responses((Response("elongation", "", fitted),), fitted.names, fitted.X)
    found = find_effects(responses, CENTROID, trials.X, make_ground(trials, 1.0), ("",) * 3, ranges=np.ones(3))
    here = {(s.into, s.out_of): s.estimate.value for s in found.swaps if s.at == "recipe"}
    assert len(here) == 6
    for i, into in enumerate(fitted.names):
        for j, out_of in enumerate(fitted.names):
            if i != j:
                assert here[into, out_of] == six((partial[i] - partial[j]) / 100)


def test_yarn_optimum_and_multiplier(yarn_study):
    best = yarn_study.recipes[0]
    assert best.certificate.certified
    np.testing.assert_allclose(list(best.inputs.values()), [0.2938596, 0, 0.7061404], atol=5e-8)
    assert best.expected[0].mean.value == six(17.38442983)
    # Desirability is linear from the smallest (8.8) to the largest (17.7) elongation observed.
    assert best.desirability == six((17.38442983 - 8.8) / (17.7 - 8.8))
    (held,) = best.active
    assert held.limit == "polystyrene ≥ 0"
    assert held.gain == six(11.545614 / (17.7 - 8.8) / 100)
    assert "1 percentage point of it would cost about 0.013" in held.words


def test_yarn_multiplier_from_the_jacobian(yarn_study):
    """On the bound: how much more the free ingredients' common slope is than that of the one held at 0."""
    J = yarn_study.responses.derivatives.jacobian(yarn_study.place)[0]
    assert J[0] == pytest.approx(J[2], rel=1e-7)
    assert J[0] - J[1] == six(11.545614)


def restored() -> pd.DataFrame:
    """The paint table with thirds to three decimals; these rows then add to .999."""
    table = pd.read_csv(PAINT)
    names = list(PAINT_BOUNDS)
    off = (table[names].sum(axis=1) - 1).abs() > 5e-3
    assert off.sum() == 4
    for two, three in ((0.33, 0.333), (0.43, 0.433), (0.18, 0.183)):
        table.loc[off, names] = table.loc[off, names].where((table.loc[off, names] - two).abs() > 1e-9, three)
    return table


@pytest.fixture(scope="module")
def paint_study():
    problem = {
        "total": 1.0,
        "trials": {"closure": "none"},
        "ingredients": {name: {"lower": low, "upper": high} for name, (low, high) in PAINT_BOUNDS.items()},
        "properties": {
            "hiding": {"goal": "maximize", "model": "quadratic"},
            "scrub": {"goal": "minimize", "model": "quadratic"},
        },
        "study": {"recipes": 2},
    }
    return Study.read(restored(), problem).run()


def test_paint_sums_are_used_as_written(paint_study):
    assert np.sum(np.isclose(paint_study.trials.X.sum(axis=1), 0.999, atol=1e-12)) == 4


@pytest.mark.parametrize("name", PAINT_TERMS)
def test_paint_coefficients(paint_study, name):
    fitted = next(s for s in paint_study.surrogates if s.choice.surrogate and s.to_dict()["property"] == name)
    found = [value for _, value, _ in fitted.choice.surrogate.parameters]
    published = [float(v) for v in PAINT_TERMS[name].split()]
    np.testing.assert_allclose(found, published, rtol=0, atol=PAINT_HALF_UNIT[name] * (1 + 1e-9))


def test_paint_best_recipe(paint_study):
    best = paint_study.recipes[0]
    assert best.certificate.certified
    assert best.desirability == pytest.approx(0.65920337, abs=5e-9)
    for name, amount in PAINT_RECIPE.items():
        assert best.inputs[name] == pytest.approx(amount, abs=5.1e-8)
    assert {a.limit for a in best.active} == {"extender A ≥ 0.3", "extender B ≥ 0.05"}
    assert all(a.gain > 0 for a in best.active)


def test_paint_as_printed_is_closed_and_said(paint_study):
    found = Study.read(PAINT, PAINT.with_name("problem.toml")).trials
    assert [c.row for c in found.closures] == [12, 13, 14, 15]
    np.testing.assert_allclose(found.X.sum(axis=1), 1, atol=1e-15)
