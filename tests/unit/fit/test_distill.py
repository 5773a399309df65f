"""Stand-ins: their fidelity is measured on rows they never saw, and their derivatives are the estimator's own."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor

from landform import distill, hessian, jacobian
from landform.backends import Model
from landform.errors import ModelError, ShapeError

RNG = np.random.default_rng(3)
X = RNG.uniform(-1, 1, (150, 2))


def surface(table):
    return np.sin(2 * table[:, 0]) + table[:, 0] * table[:, 1]


def test_a_smooth_function_is_repeated_with_its_slopes():
    smooth = distill(surface, X)
    assert isinstance(smooth, Model) and smooth.fidelity[0].r2 > 0.9999
    x = np.array([0.2, -0.3])
    np.testing.assert_allclose(jacobian(smooth, x).dense(), [[2 * np.cos(0.4) - 0.3, 0.2]], atol=0.02)
    np.testing.assert_allclose(hessian(smooth, x).dense(), [[-4 * np.sin(0.4), 1.0], [1.0, 0.0]], atol=0.15)


def test_fidelity_is_that_of_held_out_rows():
    """The rows set aside are the first fifth of the seeded permutation: their R² and largest error, worked out here."""
    frame, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    forest = RandomForestRegressor(100, min_samples_leaf=3, random_state=0).fit(frame, y)
    smooth = distill(forest, frame, seed=4, kinds=("spline", "process"))
    test = np.random.default_rng(4).permutation(frame.to_numpy())[: len(frame) // 5]
    values, found = forest.predict(frame.__class__(test, columns=frame.columns)), smooth.values(test)[:, 0]
    one = smooth.fidelity[0]
    assert one.rows == len(test) == 88
    np.testing.assert_allclose(one.r2, 1 - np.sum((values - found) ** 2) / np.sum((values - values.mean()) ** 2))
    np.testing.assert_allclose(one.largest_error, np.abs(values - found).max())
    assert 0.8 < one.r2 < 1.0 and f"{one.r2:.1%}" in smooth.notes[0]
    assert smooth.inputs == tuple(frame.columns) and dict(smooth.candidates).keys() == {"spline", "process"}
    assert smooth.to_frame().r2.item() == one.r2
    (picture,) = smooth.pictures()
    np.testing.assert_allclose(picture.x, values, rtol=1e-12)
    np.testing.assert_allclose(picture.y, found, rtol=1e-9)
    assert "R²" in picture.title and "<table" in smooth._repr_html_()


def test_class_probabilities_and_several_outputs():
    forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0).fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    smooth = distill(forest, X, kinds=("spline",))
    assert smooth.outputs == ("no", "yes") and len(smooth.fidelity) == 2
    np.testing.assert_allclose(smooth.values(X).sum(axis=1), 1.0, atol=1e-6)


def test_the_better_candidate_is_taken():
    smooth = distill(GradientBoostingRegressor(random_state=0).fit(X, surface(X)), X)
    scores = dict(smooth.candidates)
    assert scores[smooth.kind] == max(scores.values()) and len(scores) == 3


REFUSED = {
    "few rows": (lambda: distill(surface, X[:19]), ShapeError, "20 rows or more, got 19"),
    "flat": (lambda: distill(lambda t: 0 * t[:, 0], X), ModelError, "varies over these rows, got one value of y"),
    "no such kind": (lambda: distill(surface, X, kinds=("tree",)), ModelError, "kinds among spline, process, network"),
    "none": (lambda: distill(surface, X, kinds=()), ModelError, "kinds among"),
    "not fitted": (lambda: distill(RandomForestRegressor(), X), ModelError, "not fitted"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        make()
