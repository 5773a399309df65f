"""Patterns found by moving groups of inputs: none missing, and far fewer evaluations than inputs."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import landform
from landform.errors import DerivativeError, ShapeError


def chain(x):
    return np.concatenate([x[:1], x[1:] ** 2 * x[:-1]])


BAND = np.eye(200) + np.eye(200, k=-1)


def structure(J):
    p = J.pattern.structure
    return sp.csr_array((np.ones(len(p.columns)), p.columns, p.indptr), shape=p.shape).toarray() > 0


@pytest.mark.parametrize("order", ["as they are", "shuffled"])
def test_a_band_is_found_with_fewer_evaluations_than_inputs(order):
    x = np.linspace(0.5, 2.0, 200)
    shuffle = np.arange(200) if order == "as they are" else np.random.default_rng(0).permutation(200)
    calls = []

    def f(z):
        calls.append(z.copy())
        return chain(z[shuffle])

    J = landform.jacobian(f, x, mode="numeric", sparsity="detect", budget="least", bounds=(0.5, 2.0))
    np.testing.assert_array_equal(structure(J), BAND[:, np.argsort(shuffle)] > 0)
    assert J.evaluations == len(calls) < (40 if order == "as they are" else 120)
    assert min(map(np.min, calls)) >= 0.5 and max(map(np.max, calls)) <= 2.0
    truth = np.diag(np.append(1.0, 2 * x[shuffle][1:] * x[shuffle][:-1])) + np.diag(x[shuffle][1:] ** 2, -1)
    np.testing.assert_allclose(J.dense(), truth[:, np.argsort(shuffle)], atol=1e-6)
    assert "counts as zero" in J.explain()
    again = landform.jacobian(f, x, mode="numeric", sparsity=J.pattern, budget="least")
    assert again.evaluations == 1 + J.pattern.colors


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 10**6), st.floats(0.02, 0.9))
def test_no_entry_is_missing_and_none_is_made_up(m, n, seed, density):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, n)) * (rng.random((m, n)) < density)
    J = landform.jacobian(
        lambda x: np.where(A, A * np.sin(x), 0.0).sum(axis=1), np.ones(n) / 2, mode="numeric", sparsity="detect"
    )
    np.testing.assert_array_equal(structure(J), A != 0)
    np.testing.assert_allclose(J.dense(), A * np.cos(0.5), atol=1e-9)


def test_noise_is_no_entry():
    rng = np.random.default_rng(1)

    def f(x):
        return chain(x) * (1 + 1e-6 * rng.standard_normal(x.size))

    J = landform.jacobian(f, np.linspace(0.5, 2.0, 40), mode="numeric", sparsity="detect")
    np.testing.assert_array_equal(structure(J), BAND[:40, :40] > 0)
    assert "below 10 times the noise" in J.explain()


def test_moves_that_fail_are_made_shorter_or_leave_the_entry_in():
    def edge(x):
        if abs(x[3] - 1.0) > 0.04:
            raise RuntimeError("diverged")
        return chain(x)

    J = landform.jacobian(edge, np.ones(20), mode="numeric", sparsity="detect")
    np.testing.assert_array_equal(structure(J), BAND[:20, :20] > 0)

    def stuck(x):
        return chain(x) if x[3] == 1.0 else np.full(6, np.nan)

    with pytest.raises(DerivativeError, match="'x3'"):
        landform.jacobian(stuck, np.ones(6), mode="numeric", sparsity="detect")


def test_an_entry_that_does_not_show_near_x_is_told():
    """Beyond a threshold that no probe reaches the second output depends on both inputs; at x it is zero, and right."""
    J = landform.jacobian(
        lambda x: np.array([x[0], x[0] if x[1] > 9 else 1.0]), np.ones(2), mode="numeric", sparsity="detect"
    )
    np.testing.assert_allclose(J.dense(), [[1, 0], [0, 0]], atol=1e-12)
    assert "did not show near x" in J.explain()


def test_what_does_not_fit():
    with pytest.raises(ShapeError, match="budget that lets"):
        landform.jacobian(chain, np.ones(50), mode="numeric", sparsity="detect", budget=10)
    with pytest.raises(ShapeError, match='"detect"'):
        landform.jacobian(chain, np.ones(5), mode="numeric", sparsity="found")
    J = landform.jacobian(chain, np.ones(50), mode="numeric", sparsity="detect", budget=80)
    assert J.evaluations <= 80
