"""Principal directions against scikit-learn, covariances whose eigenvalues are known, and symmetries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import circulant, sqrtm
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA

import landform


def rows_with(covariance, rows=60, seed=0):
    """Rows whose sample covariance is the given one to rounding."""
    X = np.random.default_rng(seed).standard_normal((rows, len(covariance)))
    X = X - X.mean(axis=0)
    white = X @ np.linalg.inv(np.linalg.cholesky(np.cov(X.T))).T
    return 3.0 + white @ np.real(sqrtm(covariance))


@pytest.mark.parametrize("scale", ["covariance", "correlation"])
def test_as_scikit_learn_has_it(scale):
    table = load_wine(as_frame=True).data
    found = landform.directions(table, scale=scale)
    X = table.to_numpy()
    theirs = PCA().fit(X if scale == "covariance" else (X - X.mean(axis=0)) / X.std(axis=0, ddof=1))
    np.testing.assert_allclose(found.eigenvalues, theirs.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(found.shares, theirs.explained_variance_ratio_, rtol=1e-10)
    signs = np.sign(np.sum(found.loadings * theirs.components_.T, axis=0))
    np.testing.assert_allclose(found.loadings, theirs.components_.T * signs, atol=1e-9)
    assert np.all(found.loadings[np.argmax(np.abs(found.loadings), axis=0), np.arange(13)] > 0)
    scores = found.transform(table)
    np.testing.assert_allclose(np.cov(scores.T), np.diag(found.eigenvalues), atol=1e-8 * found.eigenvalues[0])


def test_equal_correlations():
    """Eigenvalues 1 + (d − 1) ρ once and 1 − ρ otherwise: one direction, and a space without axes."""
    d, rho = 5, 0.6
    found = landform.directions(rows_with(np.full((d, d), rho) + (1 - rho) * np.eye(d)))
    np.testing.assert_allclose(found.eigenvalues, [1 + (d - 1) * rho] + [1 - rho] * (d - 1), rtol=1e-10)
    np.testing.assert_allclose(found.loadings[:, 0], np.full(d, d**-0.5), rtol=1e-10)
    assert [span.members for span in found.spans] == [(1,), (2, 3, 4, 5)]
    np.testing.assert_allclose(found.spans[1].columns, 1 - 1 / d, rtol=1e-10)
    assert np.all(np.isfinite(found.spans[1].column_errors))
    assert "span a space of 4 dimensions" in found.words
    assert "their axes mean nothing singly" in found.words


def test_circulant_covariance():
    """Eigenvalues are the Fourier coefficients of the first row, in tied pairs: planes."""
    first = np.array([2.0, 1.0, 0.3, 0.1, 0.3, 1.0])
    found = landform.directions(rows_with(circulant(first), rows=400))
    np.testing.assert_allclose(found.eigenvalues, np.sort(np.fft.fft(first).real)[::-1], rtol=1e-9)
    assert [span.members for span in found.spans[:2]] == [(1,), (2, 3)]
    frame = found.to_frame()
    assert frame.loc[frame["direction"] == 2, "standard_error"].isna().all()
    assert frame.loc[frame["direction"] == 1, "standard_error"].notna().all()
    with pytest.raises(landform.errors.ShapeError, match="stands alone, got directions 2 and 3"):
        found.loading_covariance(2)


def test_more_columns_than_rows():
    X = np.random.default_rng(3).standard_normal((12, 30)) * np.linspace(5, 0.2, 30)
    found = landform.directions(X)
    theirs = PCA().fit(X)
    assert found.count == 11
    np.testing.assert_allclose(found.eigenvalues, theirs.explained_variance_[:11], rtol=1e-10)
    assert "12 rows for 30 columns" in found.words
    wide = landform.directions(np.random.default_rng(3).standard_normal((12, 1500)), count=3)
    assert np.all(np.isfinite(wide.loading_errors))


def test_a_direction_without_variation():
    """Columns that add to one: the last direction is the sum, known exactly."""
    X = np.random.default_rng(0).dirichlet([5.0, 3.0, 2.0], size=200)
    found = landform.directions(X)
    assert found.eigenvalues[2] == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(found.loadings[:, 2], 3**-0.5, rtol=1e-10)
    assert found.loading_errors[:, 2].max() < 1e-10
    copied = landform.directions(np.hstack([X[:, :2], X[:, :1]]), scale="correlation")
    np.testing.assert_allclose(copied.loadings[:, 2], [0.5**0.5, 0, -(0.5**0.5)], atol=1e-10)


def test_gaussian_errors_are_andersons():
    """Anderson (1963): variance 2 λ² / n, and λⱼ Σ λₖ / (λₖ − λⱼ)² vₖ vₖ' / n."""
    X = rows_with(np.diag([9.0, 4.0, 2.0, 0.5]) + 0.3, rows=500)
    found = landform.directions(X, errors="gaussian")
    w, V = found.eigenvalues, found.loadings
    np.testing.assert_allclose(found.eigenvalue_errors, w * np.sqrt(2 / 500), rtol=1e-10)
    for j in range(4):
        others = [k for k in range(4) if k != j]
        truth = sum(w[j] * w[k] / (w[k] - w[j]) ** 2 * np.outer(V[:, k], V[:, k]) for k in others) / 500
        np.testing.assert_allclose(found.loading_covariance(j + 1), truth, atol=1e-12)
        np.testing.assert_allclose(found.loading_errors[:, j], np.sqrt(np.diag(truth)), rtol=1e-10)


tables = st.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).standard_normal((40, 3)) @ np.diag([5.0, 2.0, 0.7]) + 1.0
)


@settings(max_examples=25, deadline=None)
@given(X=tables, seed=st.integers(0, 1000))
def test_a_rotation_turns_the_loadings(X, seed):
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    one, other = landform.directions(X), landform.directions(X @ Q.T)
    np.testing.assert_allclose(other.eigenvalues, one.eigenvalues, rtol=1e-10)
    np.testing.assert_allclose(other.eigenvalue_errors, one.eigenvalue_errors, rtol=1e-8)
    np.testing.assert_allclose(np.abs(np.sum(other.loadings * (Q @ one.loadings), axis=0)), 1, rtol=1e-10)
    assert [s.members for s in other.spans] == [s.members for s in one.spans]


@settings(max_examples=25, deadline=None)
@given(X=tables, seed=st.integers(0, 1000), scale=st.sampled_from(["covariance", "correlation"]))
def test_the_order_of_rows_does_not_matter(X, seed, scale):
    shuffled = np.random.default_rng(seed).permutation(X)
    one, other = landform.directions(X, scale=scale), landform.directions(shuffled, scale=scale)
    np.testing.assert_allclose(other.loadings, one.loadings, atol=1e-10)
    np.testing.assert_allclose(other.loading_errors, one.loading_errors, rtol=1e-7)


@settings(max_examples=25, deadline=None)
@given(X=tables, units=st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3))
def test_units_do_not_matter_on_the_correlation_scale(X, units):
    one, other = (landform.directions(Y, scale="correlation") for Y in (X, X * np.array(units) + 7.0))
    np.testing.assert_allclose(other.eigenvalues, one.eigenvalues, rtol=1e-8)
    np.testing.assert_allclose(other.eigenvalue_errors, one.eigenvalue_errors, rtol=1e-6)
