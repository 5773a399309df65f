"""Finite effects: exact on lines and steps, within their intervals on trees, and never outside the bounds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from landform import from_sklearn, secant
from landform.errors import ModelError, ShapeError

RNG = np.random.default_rng(8)
X = RNG.uniform(-1, 2, (60, 3))
W = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]])


def test_a_plane_has_its_own_slopes_with_no_doubt():
    effect = secant(lambda table: table @ W.T, X, step=[0.3, 0.1, 2.0])
    for slopes in (effect.slopes, effect.lower, effect.upper):
        np.testing.assert_allclose(slopes, np.broadcast_to(W, (60, 2, 3)), atol=1e-12)
    assert effect.outputs == ("y0", "y1") and effect.one_sided == 0


def test_a_parabola():
    """Over a centered step (x²)' is 2x exactly; steps beside begin up to half a step away: ± the step."""
    effect = secant(lambda table: table[:, 0] ** 2, np.array([0.7]), step=0.2, draws=4000)
    np.testing.assert_allclose(effect.slopes, [[[1.4]]], atol=1e-12)
    np.testing.assert_allclose([effect.lower[0, 0, 0], effect.upper[0, 0, 0]], [1.4 - 0.19, 1.4 + 0.19], atol=4e-3)


def test_a_staircase_is_seen_over_a_step():
    stairs = lambda table: np.floor(10 * table[:, 0])  # noqa: E731
    effect = secant(stairs, np.linspace(0.3, 0.7, 40)[:, None], step=0.2)
    assert np.all((effect.lower <= 10.0) & (effect.upper >= 10.0))
    np.testing.assert_allclose(effect.slopes, 10.0, atol=5.0)


def test_the_domain_is_kept_and_its_ends_are_said():
    asked = []

    def log(table):
        asked.append(table)
        return np.log(table[:, 0])

    rows = np.array([[1e-3], [0.5], [1.0]])
    effect = secant(log, rows, step=0.01, bounds=(1e-3, 1.0))
    assert min(map(np.min, asked)) >= 1e-3 and max(map(np.max, asked)) <= 1.0
    assert effect.one_sided == 2 and "one-sided" in effect.explain()
    np.testing.assert_allclose(effect.slopes[1, 0, 0], 2.0, rtol=1e-4)
    np.testing.assert_allclose(effect.slopes[2, 0, 0], -np.log(0.995) / 0.005, rtol=1e-12)


def test_forests_and_neighbors_show_the_slope_they_learned():
    y = X @ W[0]
    for model in (RandomForestRegressor(50, random_state=0).fit(X, y), KNeighborsRegressor(3).fit(X, y)):
        effect = secant(model, X, step=1.0, bounds=(X.min(axis=0), X.max(axis=0)))
        middle = effect.slopes.mean(axis=0)[0]
        assert middle[0] > 0.3 and middle[1] < -1.0
        assert np.all(effect.lower <= effect.slopes) and np.all(effect.slopes <= effect.upper)


def test_names_and_table():
    frame = pd.DataFrame(X, columns=["sugar", "fat", "salt"])
    forest = RandomForestClassifier(5, random_state=0).fit(frame, np.where(X[:, 0] > 0, "yes", "no"))
    effect = secant(forest, frame.iloc[:4], step={"salt": 0.3, "sugar": 0.2, "fat": 0.1})
    assert effect.outputs == ("no", "yes") and list(effect.step) == [0.2, 0.1, 0.3]
    table = effect.to_frame()
    assert len(table) == 4 * 2 * 3 and list(table.columns[:3]) == ["row", "output", "input"]
    cell = table[(table.row == 2) & (table.output == "yes") & (table.input == "salt")]
    assert cell.slope.item() == effect.slopes[2, 1, 2] and cell.step.item() == 0.3


def test_the_picture_shows_mean_changes_over_a_step():
    """Of x² over rows of mean 1 the mean slope is 2; the steps' own changes are slope times step."""
    rows = np.array([[0.5, 0.0], [1.5, 1.0]])
    effect = secant(lambda table: table[:, 0] ** 2, rows, step=[0.2, 3.0])
    (bars,) = effect.pictures()
    assert bars.labels == ["x0 (step 0.2)", "x1 (step 3)"]
    np.testing.assert_allclose(bars.values, [0.4, 0.0], atol=1e-12)
    # The mean over rows moves less than either row's own slope does.
    assert 0.4 - 0.04 < bars.lower[0] < 0.4 < bars.upper[0] < 0.4 + 0.04
    assert effect.mean_upper[0, 0] - 2.0 < effect.upper[0, 0, 0] - effect.slopes[0, 0, 0]


def test_models_and_single_points():
    model = from_sklearn(LinearRegression().fit(X, X @ W.T), X)
    np.testing.assert_allclose(secant(model, X[0], step=1.0).slopes[0], W, atol=1e-12)


def test_the_same_seed_gives_the_same_interval():
    bent = lambda table: np.sin(5 * table[:, 0])  # noqa: E731
    one, two, other = (secant(bent, X, step=0.3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.upper, two.upper)
    assert np.any(one.upper != other.upper)


PLANE = lambda table: table @ W[0]  # noqa: E731
REFUSED = {
    "no step": (
        lambda: secant(PLANE, X, step=0.0),
        ShapeError,
        "positive width.*argument step|argument step.*positive",
    ),
    "wrong count": (lambda: secant(PLANE, X, step=[1.0]), ShapeError, "one for each of 3 inputs"),
    "outside": (lambda: secant(PLANE, X, step=0.1, bounds=(0, 2)), ShapeError, "rows with x0 between 0 and 2, got -0"),
    "too wide": (lambda: secant(PLANE, X, step=3.0, bounds=(-1, 2)), ShapeError, "room to stretch, got 3; take 1.5"),
    "odd bounds": (lambda: secant(PLANE, X, step=0.1, bounds=3), ShapeError, r"bounds as \(lower, upper\)"),
    "not fitted": (lambda: secant(RandomForestRegressor(), X, step=0.1), ModelError, "not fitted"),
    "no model": (lambda: secant("forest", X, step=0.1), ModelError, "function of a table, got 'forest'"),
    "a function of one point": (lambda: secant(lambda x: x[0], X, step=0.1), ShapeError, "for each of 1 rows"),
    "NaN out": (lambda: secant(lambda t: np.log(-1 - t[:, 0] ** 2), X, step=0.1), ShapeError, "NaN or inf"),
    "one draw": (lambda: secant(PLANE, X, step=0.1, draws=1), ShapeError, "2 draws or more"),
}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
