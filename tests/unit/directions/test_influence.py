"""What each row does to each direction, against refits without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import subspace_angles

import landform
from landform.errors import ShapeError


def table(rows, seed=5):
    """Rows whose eigenvalues lie apart by a factor of 2 or more on both scales."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    return rng.standard_normal((rows, 4)) @ np.diag([5.0, 3.0, 2.0, 1.0]) @ turn + 5.0


def refits(X, scale):
    """Changes of eigenvalues and turns in degrees from decompositions without each row."""
    whole = landform.directions(X, scale=scale)
    changes, turns = [], []
    for i in range(len(X)):
        left = np.delete(X, i, axis=0)
        matrix = np.cov(left.T) if scale == "covariance" else np.corrcoef(left.T)
        values, vectors = np.linalg.eigh(matrix)
        changes.append(values[::-1] - whole.eigenvalues)
        across = np.abs(np.sum(vectors[:, ::-1] * whole.loadings, axis=0))
        turns.append(np.degrees(np.arccos(np.minimum(across, 1.0))))
    return np.array(changes), np.array(turns)


@pytest.mark.parametrize("scale", ["covariance", "correlation"])
def test_as_refits_without_each_row(scale):
    """The second order leaves a third of what the first leaves, or less, and both fall as they should with rows."""
    missed = {}
    for rows in (100, 400):
        X = table(rows)
        changes, turns = refits(X, scale)
        found = landform.directions(X, scale=scale, chance=0.9999)
        assert all(span.alone for span in found.spans)
        for order in (1, 2):
            one = found.influence(order=order)
            missed[rows, order] = np.median(np.abs(one.turns - turns)), np.median(np.abs(one.changes - changes))
            if order == 2:
                np.testing.assert_allclose(one.turns, turns, rtol=0.1, atol=0.02 * turns.max())
                np.testing.assert_allclose(one.changes, changes, atol=0.02 * np.abs(changes).max())
    for turn_or_change in (0, 1):
        for rows in (100, 400):
            assert missed[rows, 2][turn_or_change] < missed[rows, 1][turn_or_change] / 3
        fall = [missed[100, order][turn_or_change] / missed[400, order][turn_or_change] for order in (1, 2)]
        assert fall[0] > 4**1.6  # an error of order ε², ε = 1 / rows
        assert fall[1] > 4**2.6  # of order ε³


@pytest.mark.parametrize("scale", ["covariance", "correlation"])
def test_a_plane_turns_as_a_whole(scale):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((150, 4)) * [6.0, 3.0, 3.0, 1.0]
    if scale == "correlation":
        mix = np.linalg.cholesky(np.full((4, 4), 0.5) + 0.5 * np.eye(4))
        X = rng.standard_normal((150, 4)) @ mix.T
    found = landform.directions(X, scale=scale)
    place, span = next((k, s) for k, s in enumerate(found.spans) if len(s.members) > 1)
    inside = slice(span.members[0] - 1, span.members[-1])
    one = found.influence()
    for i in range(0, 150, 10):
        left = np.delete(X, i, axis=0)
        values, vectors = np.linalg.eigh(np.cov(left.T) if scale == "covariance" else np.corrcoef(left.T))
        turn = np.degrees(subspace_angles(vectors[:, ::-1][:, inside], found.loadings[:, inside]).max())
        assert one.turns[i, place] == pytest.approx(turn, rel=0.05, abs=0.01)
        change = values[::-1][inside].mean() - found.eigenvalues[inside].mean()
        assert one.changes[i, place] == pytest.approx(change, rel=0.05, abs=1e-4)


def test_a_planted_row_is_named():
    X = pd.DataFrame(table(80), index=[f"wine {i}" for i in range(80)], columns=list("abcd"))
    X.loc["wine 17"] = X.mean() + 6.0 * np.array([1.0, -1.0, 1.0, 1.0])
    found = landform.directions(X).influence()
    assert "Row wine 17 turns" in found.words
    frame = found.to_frame()
    assert len(frame) == found.turns.size
    assert frame.loc[frame["turn"].idxmax(), "row"] == "wine 17"
    np.testing.assert_allclose(frame["turn"].to_numpy().reshape(found.turns.shape), found.turns)


def test_batches_give_the_same():
    X = table(90)
    whole, parts = landform.directions(X).influence(), landform.directions([X[:40], X[40:]]).influence()
    np.testing.assert_allclose(parts.turns, whole.turns, rtol=1e-8)


def test_refusals():
    found = landform.directions(table(30))
    with pytest.raises(ShapeError, match="order 1 or 2, got 3"):
        found.influence(order=3)
    once = landform.directions(iter([table(30)]))
    with pytest.raises(ShapeError, match="rows that can be read again"):
        once.influence()
