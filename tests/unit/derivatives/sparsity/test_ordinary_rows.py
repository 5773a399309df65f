"""What is handed out is an ordinary ``csr_array``: whatever SciPy does with one it does with these.

Source: the same operation on a ``csr_array`` that SciPy made from copies of the three arrays. What shares its
structure stays as it was.
"""

from __future__ import annotations

import copy
import pickle

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph, csr_array, linalg

import landform


def _around(w):
    """A periodic stencil of two fields: in sorted rows the columns wrap, as they come they do not."""
    u, v = w.reshape(2, 3, 4)
    near = sum(jnp.roll(u, s, axis) for axis in (0, 1) for s in (1, 2))
    return jnp.stack([near + u * u * v, jnp.sin(u) * v - near]).ravel()


N = 24
X = np.where(np.arange(N) % 5, np.random.default_rng(0).normal(size=N), 0.0)


def _changed(change):
    def operation(matrix):
        change(matrix)
        return matrix

    return operation


def _scaled(matrix):
    matrix *= 2.0
    matrix /= 3.0
    return matrix


def _written(matrix):
    matrix.data[:] = 1.0
    return matrix


def _at_places(matrix):
    matrix[0, 0], matrix[2] = 7.0, 0.0
    return matrix


OPERATIONS = {
    "max": lambda A: A.max(),
    "argmin": lambda A: A.argmin(axis=1),
    "abs": abs,
    "compared": lambda A: A > 0.3,
    "unequal": lambda A: A != A.T,
    "sum": lambda A: A + A.T,
    "maximum": lambda A: A.maximum(A.T),
    "sum_duplicates": _changed(lambda A: A.sum_duplicates()),
    "sort_indices": _changed(lambda A: A.sort_indices()),
    "eliminate_zeros": _changed(lambda A: A.eliminate_zeros()),
    "prune": _changed(lambda A: A.prune()),
    "resize": _changed(lambda A: A.resize(5, 6)),
    "setdiag": _changed(lambda A: A.setdiag(7.0)),
    "places": _at_places,
    "scaled": _scaled,
    "written": _written,
    "transposed": lambda A: A.T.max(axis=0),
    "transposed, sorted": lambda A: _changed(lambda B: B.sort_indices())(A.T),
    "csr_array": lambda A: csr_array(A).max(),
    "csr_matrix": lambda A: sparse.csr_matrix(A).min(),
    "csc_array": lambda A: _changed(lambda B: B.eliminate_zeros())(sparse.csc_array(A)),
    "lists": lambda A: A.tolil(),
    "blocks": lambda A: sparse.block_array([[A, None], [None, A]], format="csr").max(),
    "product": lambda A: A @ A.T,
    "solved": lambda A: linalg.spsolve(A + 9 * sparse.eye_array(N, format="csr"), np.ones(N)),
    "factored": lambda A: linalg.splu((A + 9 * sparse.eye_array(N)).tocsc()).solve(np.ones(N)),
    "norm": lambda A: linalg.norm(A, 1),
    "components": lambda A: csgraph.connected_components(A)[1],
    "order": lambda A: csgraph.reverse_cuthill_mckee(A),
    "tree": lambda A: csgraph.minimum_spanning_tree(abs(A)),
    "pickled": lambda A: _changed(lambda B: B.sum_duplicates())(pickle.loads(pickle.dumps(A))),
    "copied": lambda A: _changed(lambda B: B.sum_duplicates())(copy.deepcopy(A)),
}


def _plain(found):
    return found.toarray() if sparse.issparse(found) else found


@pytest.fixture(scope="module")
def prepared():
    return landform.prepare(_around, X, mode="sparse")


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("door", ["prepared", "operator"])
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
def test_whatever_scipy_does(prepared, sort, door):
    J = landform.jacobian(_around, X)
    dense = J.dense()

    def made():
        return J.sparse(sort=sort) if door == "operator" else prepared.jacobian(X, sort=sort)

    other = made()
    assert isinstance(other, csr_array) and other.data.flags.writeable
    assert bool(other.has_sorted_indices) is sort
    for name, operation in OPERATIONS.items():
        ours = made()
        plain = csr_array(tuple(part.copy() for part in (ours.data, ours.indices, ours.indptr)), shape=(N, N))
        wanted, found = _plain(operation(plain)), _plain(operation(ours))
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-13, err_msg=name)
        np.testing.assert_array_equal(other.toarray(), dense, err_msg=f"{name} reached another matrix")
        np.testing.assert_array_equal(made().toarray(), dense, err_msg=f"{name} reached what comes after")
    np.testing.assert_array_equal(J.dense(), dense)


def test_structure_is_shared_until_it_is_changed(prepared):
    one, other = prepared.jacobian(X), prepared.jacobian(2 * X)
    assert one.indices is other.indices and not one.indices.flags.writeable
    one.sum_duplicates()  # nothing to do
    assert one.indices is other.indices
    one[0, 0] = 1.0
    assert one.indices is not other.indices and one.indices.flags.writeable
    assert type(pickle.loads(pickle.dumps(other))) is csr_array


def test_slopes_that_are_constants_may_be_written_into():
    p = landform.prepare(lambda x: 2.0 * x[1:] - x[:-1], X, mode="sparse")
    p.jacobian(X).data[:] = 0.0
    np.testing.assert_array_equal(p.jacobian(X).toarray(), 2 * np.eye(N - 1, N, 1) - np.eye(N - 1, N))
