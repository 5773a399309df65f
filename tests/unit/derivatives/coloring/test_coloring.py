"""Colorings: every entry comes back from nothing but products with the matrix; counts from the literature."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from landform.derivatives.coloring import color_columns, color_hessian, color_jacobian, make_structure
from landform.errors import ShapeError

drawn = settings(deadline=None, max_examples=80, derandomize=True, database=None)


def recovered(colored, A):
    """The entries from nothing but A times the seeds and A' times the row seeds."""
    return colored.entries(colored.seeds @ A.T, colored.row_seeds @ A)


def drawn_matrix(m, n, share, seed):
    rng = np.random.default_rng(seed)
    pattern = rng.random((m, n)) < share
    return pattern, np.where(pattern, rng.normal(size=(m, n)), 0.0)


@drawn
@given(st.integers(1, 13), st.integers(1, 11), st.floats(0, 1), st.integers(0, 10**6))
def test_any_matrix_comes_back(m, n, share, seed):
    pattern, A = drawn_matrix(m, n, share, seed)
    for kind in ("auto", "column", "row", "bidirectional"):
        colored = color_jacobian(pattern, kind=kind)
        assert np.array_equal(recovered(colored, A), A[colored.rows, colored.columns])


@drawn
@given(st.integers(1, 13), st.floats(0, 1), st.integers(0, 10**6))
def test_any_symmetric_matrix_comes_back(n, share, seed):
    pattern, A = drawn_matrix(n, n, share, seed)
    pattern, A = pattern | pattern.T, A + A.T
    for kind in ("auto", "star", "acyclic", "column"):
        colored = color_hessian(pattern, kind=kind)
        found = recovered(colored, A)
        np.testing.assert_allclose(found, A[colored.rows, colored.columns], rtol=0, atol=1e-12)
        whole = np.zeros((n, n))
        whole[colored.rows, colored.columns] = found
        assert np.array_equal(whole, whole.T) or kind == "column"


@drawn
@given(st.integers(2, 10), st.integers(2, 10), st.floats(0.1, 0.6), st.integers(0, 10**6))
def test_the_order_of_inputs_and_outputs_changes_no_entry(m, n, share, seed):
    pattern, A = drawn_matrix(m, n, share, seed)
    rng = np.random.default_rng(seed + 1)
    rows, columns = rng.permutation(m), rng.permutation(n)
    turned = color_jacobian(pattern[rows][:, columns])
    found = recovered(turned, A[rows][:, columns])
    assert np.array_equal(found, A[rows[turned.rows], columns[turned.columns]])


def test_an_arrow_needs_three_products_whatever_its_size():
    """One row, one column, one diagonal: 3n − 2 entries cannot stand in two products."""
    for n in (10, 1000):
        arrow = sp.lil_array((n, n))
        arrow.setdiag(1)
        arrow[0] = arrow[:, 0] = 1
        assert color_jacobian(arrow).products == 3
        assert color_hessian(arrow).products == 2


def test_dense_rows_and_columns_are_peeled_off():
    band = sp.diags_array([1.0] * 3, offsets=[-1, 0, 1], shape=(300, 300))
    rows = color_jacobian(sp.vstack([np.ones((2, 300)), band]))
    assert (rows.colors, rows.row_colors) == (3, 2)
    columns = color_jacobian(sp.hstack([np.ones((300, 2)), band]))
    assert (columns.colors, columns.row_colors) == (5, 0)


def test_bands_take_what_the_literature_says():
    """Coleman and Moré (1984): a band of half-width b needs 2b+1 colors by columns; a path 3 by star, 2 acyclic."""
    for b in (1, 2, 3):
        band = sp.diags_array([1.0] * (2 * b + 1), offsets=range(-b, b + 1), shape=(60, 60))
        assert color_columns(band).colors == 2 * b + 1
        assert color_hessian(band, kind="acyclic").products == b + 1
    assert color_hessian(sp.diags_array([1.0] * 3, offsets=[-1, 0, 1], shape=(60, 60))).products == 3


def test_a_dense_matrix_takes_the_shorter_side():
    assert color_jacobian(np.ones((20, 4))).products == 4
    assert str(color_jacobian(np.ones((3, 40)))).startswith("3 row colors")


def test_star_colors_leave_no_two_colored_path_of_four():
    """The definition of Gebremedhin et al. (2007), by looking at every path."""
    pattern, _ = drawn_matrix(14, 14, 0.15, 3)
    pattern |= pattern.T
    np.fill_diagonal(pattern, True)  # so that every vertex keeps its color
    color = color_hessian(pattern, kind="star").color
    beside = [np.flatnonzero(pattern[v] & (np.arange(14) != v)) for v in range(14)]
    for b in range(14):
        for c in beside[b]:
            assert color[b] != color[c]
            for a in beside[b]:
                for d in beside[c]:
                    if a not in (c, d) and d != b:
                        assert len({color[v] for v in (a, b, c, d)}) > 2


def test_every_form_of_a_pattern_is_read():
    import jax.numpy as jnp
    from jax.experimental.sparse import BCOO

    dense = np.array([[1, 0, 2], [0, -1, 0]])
    for form in (dense, dense.tolist(), dense.astype(bool), sp.coo_matrix(dense), BCOO.fromdense(jnp.asarray(dense))):
        found = make_structure(form)
        assert (found.indptr.tolist(), found.columns.tolist()) == ([0, 2, 3], [0, 2, 1])
    twice = sp.coo_array(([1.0, -1.0], ([0, 0], [1, 1])), shape=(2, 3))
    assert make_structure(twice).nnz == 1


@pytest.mark.parametrize("bad", [np.ones(3), "band", np.ones((0, 3)), np.array([[np.nan, 1.0]]), None])
def test_what_is_no_pattern_is_refused(bad):
    with pytest.raises(ShapeError, match="a matrix of shape"):
        make_structure(bad)


def test_kinds_and_shapes_are_refused_by_name():
    with pytest.raises(ShapeError, match=r"a symmetric pattern"):
        color_hessian(np.tri(4))
    with pytest.raises(ShapeError, match="'stars'"):
        color_hessian(np.eye(4), kind="stars")
    with pytest.raises(ShapeError, match="rows are outputs"):
        make_structure(np.eye(3), shape=(3, 4))
