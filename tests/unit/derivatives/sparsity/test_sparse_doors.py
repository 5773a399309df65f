"""`Jacobian.sparse`, `Hessian.sparse`, ``mode="sparse"``: what a caller gets."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.sparse import csr_array

import landform
from landform.derivatives.sparse import SparseProgram
from landform.errors import DerivativeError, ShapeError
from unit.derivatives.sparsity.programs import arwhead, brusselator, doubled_by_rule, rosenbrock, straight_through

HESSIANS = {
    "rosenbrock": (rosenbrock, 9),
    "arwhead": (arwhead, 8),
    "least squares": (lambda x: jnp.sum((jnp.sin(x[1:]) * x[:-1] - 1.0) ** 2), 6),
    "coupled": (lambda x: jnp.sum(x) ** 2 + jnp.prod(x[:3]), 5),
    "log-sum-exp": (lambda x: jax.nn.logsumexp(x[:4] * x[1:]), 5),
    "loop": (lambda x: jnp.sum(jax.lax.fori_loop(0, 4, lambda i, c: jnp.sin(c) + 0.1 * jnp.roll(c, 1), x)), 9),
    "straight through": (lambda x: jnp.sum(straight_through(x[1:]) * x[:-1] ** 2), 6),
    "custom vjp": (lambda x: jnp.sum(doubled_by_rule(x[1:]) * x[:-1] ** 2), 6),
    "linear": (lambda x: jnp.sum(x * 3.0), 4),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_hessian_equals_dense_and_is_symmetric(name: str) -> None:
    function, n = HESSIANS[name]
    x = np.random.default_rng(1).normal(size=n)
    H = landform.hessian(function, x)
    found = H.sparse()
    assert isinstance(found, csr_array)
    np.testing.assert_allclose(found.toarray(), H.dense(), atol=1e-12 * max(1.0, np.abs(H.dense()).max()))
    assert np.array_equal(found.toarray(), found.toarray().T)


def test_hessian_of_chained_rosenbrock_is_tridiagonal() -> None:
    assert landform.hessian(rosenbrock, np.ones(50)).sparse().nnz == 3 * 50 - 2


def test_hessian_of_arwhead_is_an_arrow() -> None:
    assert landform.hessian(arwhead, np.ones(50)).sparse().nnz == 3 * 50 - 2


def test_prepared_hessian_takes_weights_at_every_call() -> None:
    prepared = landform.prepare(lambda x: jnp.stack([x[0] ** 2 * x[1], x[1] * x[2] ** 2]), np.ones(3), mode="sparse")
    x, weights = np.array([2.0, 3.0, 5.0]), np.array([1.0, -2.0])
    np.testing.assert_allclose(prepared.hessian(x, weights).toarray(), [[6, 4, 0], [4, 0, -20], [0, -20, -12]])
    np.testing.assert_allclose(prepared.hessian(x, 0 * weights).toarray(), np.zeros((3, 3)))


def test_value_and_jacobian_share_index_arrays() -> None:
    prepared = landform.prepare(brusselator, np.ones(18), mode="sparse")
    x = np.random.default_rng(2).normal(size=18)
    y, first = prepared.value_and_jacobian(x)
    second = prepared.jacobian(2 * x)
    np.testing.assert_allclose(y, prepared.value(x))
    assert first.indices is second.indices or np.shares_memory(first.indices, second.indices)
    assert first.has_sorted_indices
    assert np.array_equal(np.sort(first.indices[:6]), first.indices[:6])


def test_second_point_uses_the_same_program() -> None:
    def function(x: jax.Array) -> jax.Array:
        return x[1:] * x[:-1]

    first = landform.jacobian(function, np.array([1.0, 2.0, 3.0]))
    second = landform.jacobian(function, np.array([4.0, 5.0, 6.0]))
    assert first._program is second._program


def test_further_arguments_are_part_of_the_program() -> None:
    def function(x: jax.Array, which: np.ndarray, a: np.ndarray) -> jax.Array:
        return x[which] * a

    for which, a in (([0, 2], [1.0, 2.0]), ([1, 1], [3.0, 4.0])):
        J = landform.jacobian(function, np.arange(3.0), args=(np.array(which), np.array(a)))
        np.testing.assert_allclose(J.sparse().toarray(), J.dense())
        assert J.sparse().nnz == 2


def test_single_precision_stays_and_jax_points_give_jax_matrices() -> None:
    x = jnp.arange(4.0, dtype=jnp.float32)
    found = landform.jacobian(lambda x: jnp.sin(x[1:]) * x[0], x).sparse()
    assert found.data.dtype == jnp.float32
    np.testing.assert_allclose(found.todense(), jax.jacfwd(lambda x: jnp.sin(x[1:]) * x[0])(x), rtol=1e-6)


def test_half_precision_stays() -> None:
    x = jnp.arange(1, 5, dtype=jnp.bfloat16)
    found = landform.jacobian(lambda x: x[1:] ** 2 * x[0], x).sparse()
    assert found.data.dtype == jnp.bfloat16


def test_inside_jit_and_vmap() -> None:
    def dense(x: jax.Array, scale: jax.Array) -> jax.Array:
        return landform.jacobian(lambda z: scale * z[1:] * z[:-1], x).sparse().todense()

    X = jnp.arange(8.0).reshape(2, 4)
    found = jax.jit(jax.vmap(dense, in_axes=(0, None)))(X, jnp.asarray(3.0))
    np.testing.assert_allclose(found[1], [[15.0, 12.0, 0, 0], [0, 18.0, 15.0, 0], [0, 0, 21.0, 18.0]])


def test_labels_stay() -> None:
    J = landform.jacobian(
        lambda x: x[1:] * x[:-1], np.ones(3), mode="sparse", inputs=("a", "b", "c"), outputs=("p", "q")
    )
    assert list(J.to_frame().index) == ["d p", "d q"]
    assert list(J.to_frame().columns) == ["/ d a", "/ d b", "/ d c"]
    np.testing.assert_allclose(J.dense(), [[1, 1, 0], [0, 1, 1]])


def test_explain_says_what_it_costs() -> None:
    words = landform.jacobian(lambda x: x[1:] * x[:-1], np.ones(30), mode="sparse").explain()
    assert "58 non-zeros" in words
    assert "0 products" in words
    words = landform.jacobian(lambda x: jnp.sort(x), np.ones(30), mode="sparse").explain()
    assert "sort: 30 products" in words


def test_not_finite_is_named() -> None:
    with pytest.raises(DerivativeError, match=r"inf for d y0 / d x1"):
        landform.jacobian(lambda x: jnp.sqrt(x[1:]) + x[:-1], np.array([1.0, 0.0, 2.0])).sparse()


def test_too_wide_a_block_makes_the_matrix_dense_and_says_so() -> None:
    function = lambda x: jnp.sum(jnp.sort(jnp.repeat(x, 400)).reshape(3, -1), axis=1)  # noqa: E731
    x = np.array([0.3, 0.1, 0.2])
    program = SparseProgram(function, jnp.asarray(x), budget=2**13)
    assert program.dense
    assert "whole matrix dense" in str(program.plan)
    np.testing.assert_allclose(program.matrix(program.data(jnp.asarray(x))).toarray().sum(), 1200.0)


def test_a_dense_matrix_that_cannot_fit_is_refused_with_its_size() -> None:
    with pytest.raises(ShapeError, match="within the memory budget"):
        landform.jacobian(jnp.sort, np.arange(3000.0), memory="1 MiB").sparse()


def test_a_call_back_without_a_rule_is_not_taken_for_a_constant() -> None:
    def function(x: jax.Array) -> jax.Array:
        return x[1:] * jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x[1:].shape, x.dtype), x[1:])

    with pytest.raises(ValueError, match="JVP"):
        landform.jacobian(function, np.ones(3)).sparse()


def test_empty_rows_and_columns() -> None:
    found = landform.jacobian(lambda x: jnp.concatenate([jnp.zeros(2), x[1:2] ** 2]), np.full(4, 3.0)).sparse()
    assert found.shape == (3, 4)
    np.testing.assert_allclose(found.toarray(), [[0] * 4, [0] * 4, [0, 6, 0, 0]])
