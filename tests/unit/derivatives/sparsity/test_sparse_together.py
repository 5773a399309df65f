"""Matrix products of slopes taken together: against dense Jacobians of JAX, and a wide part inside a sparse program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.derivatives.sparse import SparseProgram, together
from landform.errors import ShapeError

RNG = np.random.default_rng(11)
FIRST, SECOND = RNG.normal(size=(14, 11)), RNG.normal(size=(13, 14))
HOLED = np.where(RNG.random((13, 14)) < 0.3, SECOND, 0.0)
HOLED[4] = 0.0
LAYERS = RNG.normal(size=(3, 9)), RNG.normal(size=(9, 8)), RNG.normal(size=(8, 2))
BATCH = RNG.normal(size=(4, 6, 5))


def _stencil(x: Any) -> Any:
    return jnp.sin(x) * (jnp.roll(x, 1) - 2 * x + jnp.roll(x, -1))


def _coupled(x: Any) -> Any:
    return _stencil(x).at[:13].add(SECOND @ jnp.tanh(FIRST @ x[:11]))


def _coupled_with_holes(x: Any) -> Any:
    return _stencil(x).at[:13].add(HOLED @ jnp.tanh(FIRST @ x[:11]))


def _closed(x: Any) -> Any:
    """A network at every point of a line, of what is near it."""
    a, b, c = LAYERS
    near = jnp.stack([x, jnp.roll(x, 1), x * jnp.roll(x, -1)], -1)
    return _stencil(x)[:, None] + jnp.tanh(jnp.tanh(near @ a) @ b) @ c


def _both_move(x: Any) -> Any:
    left, right = jnp.outer(x[:10], x[5:12]), jnp.cos(jnp.outer(x[3:10], x[:9]))
    return (left @ right).ravel()[::3]


def _batches(x: Any) -> Any:
    """Batch axes, and the contracted axis first on one side, last on the other."""
    wide = jnp.tanh(jnp.einsum("bij,bj->bi", BATCH, x[:20].reshape(4, 5)))
    return jnp.einsum("bij,bi->jb", BATCH * 0.5, wide).ravel()


def _complex(x: Any) -> Any:
    wave = jnp.exp(1j * (FIRST @ x[:11]))
    return jnp.abs(SECOND @ wave) ** 2


def _empty_axis(x: Any) -> Any:
    return jnp.concatenate([x[:4], (jnp.zeros((3, 0)) @ jnp.outer(x[:0], x[:5])).ravel()])


PROGRAMS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "dense block in a stencil": (_coupled, 40),
    "with zeros": (_coupled_with_holes, 40),
    "network at every point": (_closed, 17),
    "both factors move": (_both_move, 15),
    "batches": (_batches, 23),
    "complex": (_complex, 19),
    "empty": (_empty_axis, 6),
    "three in a row": (lambda x: SECOND @ jnp.sin(FIRST @ jnp.cos(FIRST.T @ x[:14])), 14),
    "transposed": (lambda x: (jnp.tanh(jnp.outer(x[:6], x[1:12]) @ FIRST.T) @ SECOND.T).T.ravel(), 13),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("scatter", [-1, 10**6])
def test_slopes_through_matrices_equal_dense(name: str, scatter: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "SCATTER", scatter)  # makes coordinates the cheaper, or products
    function, n = PROGRAMS[name]
    x = np.random.default_rng(3).normal(size=n)
    with jax.enable_x64(True):
        exact = np.asarray(jax.jacobian(lambda x: jnp.ravel(function(x)))(jnp.asarray(x)))
        program = SparseProgram(lambda x: jnp.ravel(function(x)), jnp.asarray(x), budget=2**28)
        found = program.matrix(program.host_data(jnp.asarray(x)))
    np.testing.assert_allclose(found.toarray(), exact, atol=1e-12 * max(1.0, np.abs(exact).max()))
    assert found.nnz >= np.count_nonzero(exact)
    if name != "complex":
        assert found.nnz == np.count_nonzero(exact)


@pytest.mark.parametrize("name", ["dense block in a stencil", "network at every point", "with zeros"])
def test_hessians_through_matrices(name: str) -> None:
    function, n = PROGRAMS[name]
    x = np.random.default_rng(5).normal(size=n)

    def energy(x: Any) -> Any:
        return jnp.sum(function(x) ** 2)

    found = landform.hessian(energy, x, mode="sparse").sparse().toarray()
    with jax.enable_x64(True):
        exact = np.asarray(jax.hessian(energy)(jnp.asarray(x)))
    np.testing.assert_allclose(found, exact, atol=1e-11 * np.abs(exact).max())
    assert np.array_equal(found, found.T)


def test_a_wide_part_goes_by_products_and_the_rest_is_carried() -> None:
    k, n = 60, 3000
    one, two = RNG.normal(size=(k, k)), RNG.normal(size=(k, k))

    def function(x: Any) -> Any:
        return _stencil(x).at[:k].add(two @ jnp.tanh(one @ x[:k]))

    J = landform.jacobian(function, np.ones(n))
    matrix = J.sparse()
    assert f"dot_general: {k} products pushed forward" in str(J._program.plan)
    assert matrix.nnz == 3 * n + k * k - 3 * k + 2  # the stencil's three diagonals lie in the block but for two corners
    v = RNG.normal(size=n)
    np.testing.assert_allclose(matrix @ v, J @ v, rtol=1e-10, atol=1e-10)


def test_a_network_at_every_point_costs_no_products() -> None:
    J = landform.jacobian(_closed, np.ones(17), mode="sparse")
    assert "0 products" in J.explain()


def test_a_wide_part_beyond_the_budget_is_refused_with_its_size() -> None:
    one = RNG.normal(size=(60, 60))
    with jax.enable_x64(True), pytest.raises(ShapeError, match=r"got a 60 × 60 Jacobian of 28.1 KiB"):
        SparseProgram(lambda x: one @ jnp.tanh(one @ x), jnp.ones(60), budget=2**13)
