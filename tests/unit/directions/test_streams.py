"""Batches, iterators and sparse matrices against the same rows in one dense array."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.linalg import subspace_angles

import landform
from landform.errors import ShapeError


def table(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, 5)) @ np.diag([6.0, 4.0, 2.0, 1.0, 0.5]) @ rng.standard_normal((5, 5)) + 10.0


def parts(X):
    return [X[:7], X[7:120], X[120:]]


FORMS = {
    "list": parts,
    "function": lambda X: lambda: iter(parts(X)),
    "frames": lambda X: [pd.DataFrame(p, columns=[f"x{i}" for i in range(5)]) for p in parts(X)],
    "sparse": sparse.csr_array,
    "sparse batches": lambda X: [sparse.coo_array(p) for p in parts(X)],
    "nested lists": lambda X: X.tolist(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scale", ["covariance", "correlation"])
def test_every_form_gives_the_same(form, scale):
    X = table()
    whole, found = landform.directions(X, scale=scale), landform.directions(FORMS[form](X), scale=scale)
    assert found.errors == "distribution-free"
    np.testing.assert_allclose(found.eigenvalues, whole.eigenvalues, rtol=1e-9)
    np.testing.assert_allclose(found.loadings, whole.loadings, atol=1e-9)
    np.testing.assert_allclose(found.loading_errors, whole.loading_errors, rtol=1e-6)
    np.testing.assert_allclose(found.share_errors, whole.share_errors, rtol=1e-6)
    assert [s.members for s in found.spans] == [s.members for s in whole.spans]


def test_an_iterator_is_read_once():
    X = table()
    found, whole = landform.directions(iter(parts(X))), landform.directions(X, errors="gaussian")
    assert found.errors == "gaussian"
    assert "one pass" in found.how
    np.testing.assert_allclose(found.loadings, whole.loadings, atol=1e-9)
    np.testing.assert_allclose(found.loading_errors, whole.loading_errors, rtol=1e-7)
    with pytest.raises(ShapeError, match=r"read again.*got rows read once"):
        landform.directions(iter(parts(X)), errors="distribution-free")


def test_a_mean_far_away_costs_no_digits():
    """Sums of squares would lose 14 of 16 digits here; merged moments lose those the rows themselves have not."""
    X = table() + 1e7
    found = landform.directions(parts(X))
    np.testing.assert_allclose(found.eigenvalues, landform.directions(table()).eigenvalues, rtol=1e-6)


def many_columns(seed=0, count=4):
    """Sparse rows of 1,500 columns with leading directions apart from the rest."""
    rng = np.random.default_rng(seed)
    X = sparse.random_array((2000, 1500), density=0.01, rng=rng, format="csr")
    groups = rng.integers(0, 2, (2000, count)) * np.array([4.0, 3.0, 2.2, 1.6][:count])
    shape = sparse.random_array((count, 1500), density=0.05, rng=rng, format="csr")
    return sparse.csr_array(X + sparse.csr_array(groups) @ shape)


@pytest.fixture(scope="module")
def wide():
    return many_columns()


@pytest.mark.parametrize("scale", ["covariance", "correlation"])
def test_many_sparse_columns_within_what_was_asked(wide, scale):
    matrix = np.cov(wide.toarray().T) if scale == "covariance" else np.corrcoef(wide.toarray().T)
    values, vectors = np.linalg.eigh(matrix)
    found = landform.directions(wide, scale=scale, count=4)
    assert found.converged
    np.testing.assert_allclose(found.eigenvalues, values[::-1][:4], rtol=1e-10)
    turn = subspace_angles(vectors[:, ::-1][:, :4], found.loadings).max()
    assert turn <= 1e-6
    assert turn <= 1.1 * found.decomposition.angle + 1e-9  # the bound holds
    assert found.decomposition.total == pytest.approx(np.trace(matrix), rel=1e-10)


def test_many_columns_errors_are_no_smaller_than_the_truth(wide):
    """Where only leading eigenpairs are known their errors are bounded from above, and not by much."""
    found = landform.directions([wide[:900], wide[900:]], count=4)
    values, vectors = np.linalg.eigh(np.cov(wide.toarray().T))
    for j in range(4):
        gaps = values[-1 - j] - values
        gaps[-1 - j] = np.inf
        exact = np.sqrt(values[-1 - j] * (vectors**2 @ (values / gaps**2)) / 2000)
        ratio = found.loading_errors[:, j] / exact
        assert ratio.min() > 1 - 1e-6
        assert np.median(ratio) < 1.3
        angle = np.degrees(np.arctan(np.sqrt(values[-1 - j] * np.sum(values / gaps**2) / 2000)))
        assert found.spans[j].alone
        assert 1 - 1e-6 < found.spans[j].angle / angle < 1.3


def test_what_has_not_converged_is_said(wide):
    found = landform.directions(wide, count=3, passes=2)
    assert not found.converged
    assert "NOT converged to 1e-06" in found.how
    assert "NOT converged" in found.words


def test_many_columns_need_rows_that_can_be_read_again(wide):
    with pytest.raises(ShapeError, match=r"more than 1000 columns, got an iterator.*returns a new iterator"):
        landform.directions(iter([wide]))
    with pytest.raises(ShapeError, match="fewer than 1500 directions, got count=1500"):
        landform.directions(wide, count=1500)
    with pytest.raises(ShapeError, match="all their eigenpairs, got leading directions alone"):
        landform.directions(wide, count=3).influence()
