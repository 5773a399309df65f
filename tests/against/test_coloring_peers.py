"""Numbers of colors beside asdex: never more, on grids, bands, arrows and random patterns."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp

from landform.derivatives.coloring import color_hessian, color_jacobian


def ring(k):
    return sp.csr_array(np.roll(np.eye(k), 1, 0) + np.roll(np.eye(k), -1, 0))


def grid(k):
    return sp.kron(ring(k), sp.eye_array(k)) + sp.kron(sp.eye_array(k), ring(k)) + sp.eye_array(k * k)


def scattered(m, n, share, seed):
    return sp.random_array((m, n), density=share, rng=np.random.default_rng(seed), format="csr")


def arrow(n):
    return np.eye(n) + (np.arange(n)[:, None] * np.arange(n) == 0)


BRUSSELATOR = sp.block_array([[grid(20), sp.eye_array(400)], [sp.eye_array(400), grid(20)]])
MATRICES = {
    "grid": grid(31),
    "brusselator": BRUSSELATOR,
    "arrow": arrow(60),
    "tall": scattered(400, 50, 0.05, 4),
    "wide": scattered(50, 400, 0.03, 3),
    "scattered": scattered(500, 400, 0.01, 2),
    "two steps": grid(16) @ grid(16),
}


def theirs(asdex, pattern):
    found = sp.coo_array(pattern)
    return asdex.SparsityPattern.from_coo(*found.coords, found.shape)


@pytest.mark.parametrize("name", MATRICES)
def test_no_more_colors_than_asdex(name):
    asdex = pytest.importorskip("asdex", reason="asdex, the peer, is not installed")
    pattern = sp.csr_array(MATRICES[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it colors a dense row
        peer = theirs(asdex, pattern)
        columns, rows = asdex.color_cols(peer)[1], asdex.color_rows(peer)[1]
        stars = asdex.color_symmetric(theirs(asdex, pattern + pattern.T))[1] if len(set(pattern.shape)) == 1 else None
    assert color_jacobian(pattern, kind="column").products <= columns
    assert color_jacobian(pattern, kind="row").products <= rows
    best = color_jacobian(pattern)
    assert best.colors + 2 * best.row_colors <= min(columns, 2 * rows)
    if stars is not None:
        assert color_hessian(pattern + pattern.T, kind="star").products <= stars
