"""Sparse Jacobians of black boxes: columns moved together, counted, with bars."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import landform
from landform.derivatives.coloring import color_columns, color_hessian
from landform.errors import DerivativeError


def chain(x):
    out = x**2
    out[1:] += np.sin(x[:-1])
    return out


def exact(x):
    return np.diag(2 * x) + np.diag(np.cos(x[:-1]), -1)


@pytest.mark.parametrize("budget", [None, "least"])
def test_a_pattern_saves_evaluations(budget):
    x = np.linspace(0.5, 2.0, 30)
    pattern = np.eye(30) + np.eye(30, k=-1)
    J = landform.jacobian(chain, x, mode="numeric", sparsity=pattern, budget=budget)
    assert J.evaluations == (29 + 14 if budget is None else 3)  # 14 check the pattern
    np.testing.assert_allclose(J.dense(), exact(x), atol=1e-10 if budget is None else 1e-6)
    assert J.sparse().nnz == 59
    held = np.abs(J.dense() - exact(x))[pattern > 0] <= 2 * J.error()[pattern > 0]
    assert held.mean() >= 0.9
    assert J.evaluations == (29 + 14 if budget is None else 5)


def test_least_stays_inside_and_names_failures():
    x = np.full(4, 1.0)
    J = landform.jacobian(np.sqrt, x, mode="numeric", sparsity=np.eye(4), budget="least", bounds=(0, 1))
    np.testing.assert_allclose(J.dense(), 0.5 * np.eye(4), atol=1e-6)
    assert (J.error()[np.eye(4) > 0] < 1e-6).all()

    def broken(z):
        if z[0] != 1.0:
            raise OSError("no answer")
        return z

    with pytest.raises(DerivativeError, match="no answer"):
        landform.jacobian(broken, x, mode="numeric", sparsity=np.eye(4), budget="least")


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 10**6))
def test_no_two_columns_of_a_color_meet(m, n, seed):
    pattern = np.random.default_rng(seed).random((m, n)) < 0.3
    colored = color_columns(sp.csr_array(pattern))
    for c in range(colored.colors):
        assert pattern[:, colored.color == c].sum(axis=1).max(initial=0) <= 1
    assert colored.colors >= pattern.sum(axis=1).max()


def test_a_coloring_of_another_kind_is_colored_by_columns():
    x = np.linspace(0.5, 2.0, 8)
    band = np.eye(8) + np.eye(8, k=-1) + np.eye(8, k=1)
    J = landform.jacobian(chain, x, mode="numeric", sparsity=color_hessian(band))
    np.testing.assert_allclose(J.dense(), exact(x), atol=1e-10)
    empty = landform.jacobian(lambda z: np.zeros(2), np.ones(3), mode="numeric", sparsity=np.zeros((2, 3)))
    assert not empty.dense().any()


def test_a_matrix_shares_nothing_with_its_pattern():
    """`eliminate_zeros` works in place: it must not reach the pattern, which serves other points."""
    pattern = color_columns(np.ones((2, 2)))
    first = landform.jacobian(lambda z: z**2, np.ones(2), mode="numeric", sparsity=pattern, budget="least").sparse()
    first.eliminate_zeros()
    first.data[:] = 0.0
    again = landform.jacobian(lambda z: z[::-1] ** 2, np.ones(2), mode="numeric", sparsity=pattern)
    np.testing.assert_allclose(again.dense(), [[0, 2], [2, 0]], atol=1e-9)


def test_a_wrong_pattern_is_named_within_a_budget_too_or_it_is_said_that_nobody_looked():
    x = np.linspace(0.5, 2.0, 8)
    with pytest.raises(DerivativeError, match="holds every entry"):
        landform.jacobian(chain, x, mode="numeric", sparsity=np.eye(8), budget=20)
    for budget in (3, "least"):
        unchecked = landform.jacobian(chain, x, mode="numeric", sparsity=np.eye(8), budget=budget)
        assert "the pattern is not checked" in unchecked.explain()
