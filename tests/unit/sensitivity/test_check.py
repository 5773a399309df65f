"""Checks of intervals: honest ones are found to hold, boasting ones are not, and by how much they boast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from landform.errors import ModelError
from landform.sensitivity import sensitivity
from landform.sensitivity.check import Asked, check_intervals

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
Y = X @ [1.0, -2.0] + RNG.normal(size=40)
PLANE = LinearRegression().fit(X, Y)


def test_students_intervals_hold():
    found = sensitivity(PLANE, X, y=Y, interactions=False, check=200)
    assert found.checked.ratios.shape == (200, 1, 2)
    assert found.checked.share == pytest.approx(0.95, abs=0.03) and found.checked.holds
    assert "they hold" in found.checked.sentences()[0]
    assert any("they hold" in words for words in found.sentences())
    assert found.checked.to_frame()["held"].mean() == pytest.approx(found.checked.share)
    # Held-out errors of a plane with unit noise: 95 % within about two.
    assert 1.4 < found.checked.strays[0] < 3.5


def test_intervals_that_boast_are_told_by_how_much():
    """Half as wide as Student's: they hold in 2 T(1.01) − 1 = 68 % and would have to be twice as wide."""
    found = sensitivity(PLANE, X, y=Y, interactions=False)
    own = Asked(found.inputs, lambda Z: np.broadcast_to(np.eye(2), (len(Z), 2, 2)), (), found.quantile / 2, 0.95)
    checked = check_intervals(found.subject, X, Y, found.known, own, worlds=200, seed=0, progress=lambda _words: None)
    assert not checked.holds
    assert checked.share == pytest.approx(0.68, abs=0.07)
    assert checked.factor == pytest.approx(2.0, rel=0.2)
    assert "too narrow" in checked.sentences()[0]
    assert len(checked.pictures()) == 1


def test_classes_and_refits():
    y = (X[:, 0] + RNG.normal(size=40) > 0).astype(int)
    logistic = sensitivity(LogisticRegression().fit(X, y), X, y=y, interactions=False, check=20).checked
    assert logistic.ratios.shape == (20, 2, 2) and logistic.strays is None and logistic.share > 0.8
    refits = sensitivity(PLANE, X, y=Y, interactions=False, doubt="refits", refits=20, check=60).checked
    assert 0.85 < refits.share <= 1.0


def test_worlds_within_one_count_once():
    """Two effects that always agree: the standard error is that of the worlds, not of twice as many."""
    found = sensitivity(PLANE, X, y=Y, interactions=False, check=10).checked
    ratios = np.repeat(np.where(np.arange(100) % 10, 0.5, 2.0)[:, None, None], 2, axis=2)
    assert replace(found, ratios=ratios).standard_error == pytest.approx(np.sqrt(0.9 * 0.1 / 99), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"y": None, "check": 50}, "pass y= of the fit"), ({"y": Y, "check": 3}, "10 worlds or more, got 3")],
)
def test_one_clear_sentence(options, words):
    with pytest.raises(ModelError, match=words):
        sensitivity(PLANE, X, interactions=False, **options)
