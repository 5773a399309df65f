"""``mode="colored"``: the matrix equals the dense one, a wrong pattern is caught by name, and the choice is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.sparse import BCOO
from scipy.sparse import coo_array, csr_array

import landform
from landform.backends import jax as backend
from landform.derivatives.colored import jacobian_matrix
from landform.derivatives.colored.prepared import prepare_sparse
from landform.derivatives.coloring import color_hessian, color_jacobian
from landform.derivatives.jacobian import Jacobian
from landform.derivatives.target import make_target
from landform.errors import DerivativeError, ShapeError
from unit.derivatives.sparsity.programs import PROGRAMS, Program, arwhead, doubled_by_rule, rosenbrock

X = np.arange(1.0, 7.0)
BAND = np.eye(5, 6) + np.eye(5, 6, k=1)


def neighbors(x: Any) -> Any:
    return x[1:] * x[:-1]


def arrow(x: Any) -> Any:
    return jnp.concatenate([jnp.sum(x**2)[None], x[1:] ** 2 * x[0]])


@pytest.mark.parametrize("program", PROGRAMS[::4], ids=lambda p: p.name)
def test_colored_equals_slopes_carried_through(program: Program) -> None:
    x = np.random.default_rng(len(program.name)).normal(size=program.n)
    found = landform.prepare(program.function, x, mode="colored").jacobian(x)
    truth = landform.prepare(program.function, x, mode="sparse").jacobian(x).toarray()
    scale = max(1.0, np.abs(truth).max(initial=0.0))
    np.testing.assert_allclose(found.toarray(), truth, rtol=0, atol=max(1e-10, 10 * program.tolerance) * scale)


@pytest.mark.parametrize("form", [np.asarray, csr_array, lambda p: BCOO.fromdense(jnp.asarray(p)), color_jacobian])
def test_a_pattern_in_every_form(form: Any) -> None:
    J = landform.jacobian(neighbors, X, mode="colored", sparsity=form(BAND))
    np.testing.assert_allclose(J.dense(), landform.jacobian(neighbors, X).dense())
    assert "2 column colors" in J.explain()
    assert "given and checked" in J.explain()


def test_given_patterns_serve_without_a_mode_too() -> None:
    J = landform.jacobian(neighbors, X, sparsity=BAND)
    assert J.sparse().nnz == 10
    assert J.plan.mode == "colored"  # the dense matrix is filled from it


def test_an_arrow_takes_three_products() -> None:
    J = landform.jacobian(arrow, X, mode="colored")
    assert J.plan.products == 3
    np.testing.assert_allclose(J.dense(), landform.jacobian(arrow, X).dense())


@pytest.mark.parametrize("function", [rosenbrock, arwhead])
@pytest.mark.parametrize("kind", ["star", "acyclic", "column"])
def test_hessians_of_every_kind(function: Any, kind: Any) -> None:
    x = np.random.default_rng(0).normal(size=9)
    truth = landform.hessian(function, x).dense()
    pattern = color_hessian(truth != 0, kind=kind)
    H = landform.hessian(function, x, mode="colored", sparsity=pattern)
    np.testing.assert_allclose(H.sparse().toarray(), truth, rtol=1e-12, atol=1e-12 * np.abs(truth).max())
    assert kind in H.explain()


def test_hessian_by_tracing_is_symmetric_to_the_last_bit() -> None:
    x = np.random.default_rng(1).normal(size=12)
    found = landform.hessian(lambda z: jnp.sum(jnp.sin(z[1:] * z[:-1]) ** 2), x, mode="colored").sparse().toarray()
    assert np.array_equal(found, found.T)


def test_missing_entries_are_named() -> None:
    short = BAND.copy()
    short[2, 3] = 0
    with pytest.raises(DerivativeError, match=r"d flow / d d = 3 outside it"):
        landform.jacobian(
            neighbors, X, mode="colored", sparsity=short, inputs=list("abedfg"), outputs=["p", "q", "flow", "r", "s"]
        ).sparse()
    with pytest.raises(DerivativeError, match=r"d y2 / d x3 = 3 outside it"):
        landform.prepare(neighbors, X, mode="colored", sparsity=short)
    with pytest.raises(DerivativeError, match=r"d² / d x0 d x1 = -400 outside it"):
        landform.hessian(rosenbrock, X, mode="colored", sparsity=np.eye(6)).sparse()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="rows are outputs"):
        landform.jacobian(neighbors, X, mode="colored", sparsity=BAND.T).sparse()
    with pytest.raises(ShapeError, match="a symmetric pattern"):
        landform.hessian(rosenbrock, X, mode="colored", sparsity=np.tri(6)).sparse()
    with pytest.raises(ShapeError, match='leave it out, or pass mode="colored"'):
        landform.jacobian(neighbors, X, mode="sparse", sparsity=BAND).sparse()
    with pytest.raises(ShapeError, match='"detect"'):
        landform.jacobian(neighbors, X, mode="colored", sparsity="guess").sparse()
    with pytest.raises(ShapeError, match="memory budget"):
        landform.jacobian(neighbors, np.ones(3000), mode="colored", memory="20 KiB").sparse()
    with pytest.raises(ShapeError, match="sparsity="):
        landform.prepare(neighbors, X, sparsity=BAND)


def test_prepared_hessian_by_its_own_pattern() -> None:
    band = np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)
    prepared = landform.prepare(rosenbrock, X, mode="colored", sparsity=band, verify=True)
    np.testing.assert_allclose(prepared.hessian(X).toarray(), landform.hessian(rosenbrock, X).dense())
    with pytest.raises(DerivativeError, match="d² / d x0 d x1"):
        landform.prepare(rosenbrock, X, mode="colored", sparsity=np.eye(6))


def test_inside_jit_and_single_precision() -> None:
    x = jnp.arange(1.0, 7.0, dtype=jnp.float32)
    found = jax.jit(lambda z: landform.jacobian(arrow, z, mode="colored").sparse().todense())(x)
    np.testing.assert_allclose(found, jax.jacfwd(arrow)(x), rtol=1e-6)
    assert found.dtype == jnp.float32


def test_rules_for_reverse_alone_are_followed() -> None:
    J = landform.jacobian(lambda x: doubled_by_rule(x[1:]) * x[:-1], X, mode="colored")
    np.testing.assert_allclose(J.dense(), landform.jacobian(lambda x: doubled_by_rule(x[1:]) * x[:-1], X).dense())


def test_a_narrow_end_is_not_reached_by_carrying_wide_slopes() -> None:
    W = np.random.default_rng(0).normal(size=(100, 400))

    def narrow(x: Any) -> Any:
        return jnp.sum(jnp.tanh(W @ x).reshape(4, 25), axis=1)

    x = np.random.default_rng(1).normal(size=400)
    J = landform.jacobian(narrow, x)
    np.testing.assert_allclose(J.sparse().toarray(), J.dense(), rtol=1e-11, atol=1e-12)
    assert "4 row colors" in str(J._program.plan)
    assert "instead" in str(J._program.plan) or "cheaper than carrying" in str(J._program.plan)
    banded = landform.jacobian(neighbors, np.ones(3000))
    assert banded.sparse().nnz == 2 * 2999
    assert banded._program.plan.mode == "sparse"


PLAIN = SimpleNamespace(
    __name__="another framework",
    name="another framework",
    work_bytes=backend.work_bytes,
    notes=backend.notes,
    vector=backend.vector,
    to_numpy=backend.to_numpy,
    in_form_of=backend.in_form_of,
    first_not_finite=backend.first_not_finite,
    value=backend.value,
    pushforward=backend.pushforward,
    pullback=backend.pullback,
    hessian_product=backend.hessian_product,
)
"""A framework that multiplies one vector at a time and cannot be traced."""


def _plain_target(function: Any, x: np.ndarray) -> Any:
    from dataclasses import replace

    return replace(make_target(function, x), backend=PLAIN)


def test_a_framework_without_batches_or_tracing() -> None:
    target = _plain_target(arrow, X)
    truth = landform.jacobian(arrow, X).dense()
    with pytest.raises(ShapeError, match="can be traced"):
        Jacobian(target, mode="colored").sparse()
    seen = Jacobian(target, mode="colored", sparsity="detect")
    np.testing.assert_allclose(seen.sparse().toarray(), truth)
    assert "as seen at 3 points" in seen.explain()
    given = jacobian_matrix(target, "1 GiB", mode="colored", sparsity=coo_array(truth))
    assert given.plan.products == 3
    prepared = prepare_sparse(_plain_target(neighbors, X), "full", "1 GiB", mode="colored", sparsity=BAND, verify=True)
    np.testing.assert_allclose(prepared.hessian(X, np.ones(5)).toarray(), np.eye(6, k=1) + np.eye(6, k=-1))


def test_verify_checks_a_pattern() -> None:
    assert landform.verify(neighbors, X, sparsity=BAND).correct
    found = landform.verify(neighbors, X, sparsity=np.eye(5, 6))
    assert not found.correct
    assert "d y0 / d x1 = 1 outside it" in found.words
