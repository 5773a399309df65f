"""Batches, trees and their names, operators inside jit, vmap and grad, and Hessians prepared once."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import LandformError, ShapeError

RNG = np.random.default_rng(8)
B = RNG.standard_normal((4, 3))


def f(x):
    return jnp.tanh(jnp.asarray(B, x.dtype) @ x)


def slopes(x):
    return (1 - np.tanh(B @ x) ** 2)[:, None] * B


def curves(x, u):
    t = np.tanh(B @ x)
    return B.T @ np.diag(-2 * u * t * (1 - t**2)) @ B


@pytest.mark.parametrize("rows", [1, 5, 7])
def test_a_batch_is_its_rows(rows):
    X = RNG.standard_normal((rows, 3))
    found = landform.jacobian(f, X, batched=True, memory=rows * 96 + 3 * 400)
    assert found.shape == (rows, 4, 3)
    assert found.chunk <= 3
    np.testing.assert_allclose(found.dense(), [slopes(x) for x in X], atol=1e-14)
    table = found.to_frame()
    assert table.loc[(rows - 1, "d y2"), "/ d x1"] == found.dense()[-1, 2, 1]
    assert f"{rows} Jacobians of 4 × 3" in found.explain()


def test_a_batch_of_trees_and_its_names():
    X = {"layer1": {"weight": RNG.standard_normal((6, 2, 2)), "bias": RNG.standard_normal((6,))}}

    def g(tree):
        own = tree["layer1"]
        return {"sum": own["weight"].sum() * own["bias"], "pair": own["weight"][0] ** 2}

    found = landform.jacobian(g, X, batched=True)
    assert found.inputs == ("layer1.bias", *(f"layer1.weight[{i}, {j}]" for i in (0, 1) for j in (0, 1)))
    assert found.outputs == ("pair[0]", "pair[1]", "sum")
    table = found.to_frame()
    w, b = X["layer1"]["weight"], X["layer1"]["bias"]
    assert table.loc[(3, "d pair[1]"), "/ d layer1.weight[0, 1]"] == pytest.approx(2 * w[3, 0, 1])
    assert table.loc[(3, "d sum"), "/ d layer1.bias"] == pytest.approx(w[3].sum())
    one = landform.jacobian(g, jax.tree.map(lambda leaf: leaf[3], X))
    assert (one.inputs, one.outputs) == (found.inputs, found.outputs)
    np.testing.assert_allclose(one.dense(), found.dense()[3], atol=1e-14)
    assert b.shape == (6,)


def test_a_batch_stays_in_its_framework():
    X = jnp.asarray(RNG.standard_normal((5, 3)), jnp.float32)
    found = landform.jacobian(f, X, batched=True).dense()
    assert isinstance(found, jax.Array) and found.dtype == jnp.float32


REFUSED = {
    "a single point": (lambda: landform.jacobian(f, np.ones(3), batched=True), "points as rows"),
    "no rows": (lambda: landform.jacobian(f, np.ones((0, 3)), batched=True), "points as rows"),
    "rows of different number": (
        lambda: landform.jacobian(f, {"a": np.ones((2, 3)), "b": np.ones((3, 3))}, batched=True),
        "points as rows",
    ),
    "NaN": (lambda: landform.jacobian(f, np.array([[1.0, 2, 3], [1, np.nan, 2]]), batched=True), "NaN"),
    "too much": (lambda: landform.jacobian(f, np.ones((9, 3)), batched=True, memory=800).dense(), "9 of 96 B each"),
    "a mode": (lambda: landform.jacobian(f, np.ones((9, 3)), batched=True, mode="numeric"), "batch"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(case):
    make, words = REFUSED[case]
    with pytest.raises(LandformError, match=words):
        make()


def test_operators_inside_jit_vmap_and_grad():
    u, v = RNG.standard_normal(4).astype(np.float32), RNG.standard_normal(3).astype(np.float32)
    x = jnp.asarray(RNG.standard_normal((5, 3)), jnp.float32)

    def both(z):
        H = landform.hessian(f, z, weights=u)
        J = landform.jacobian(f, z)
        G = landform.gauss_newton(f, lambda y: jnp.sum(y**2) / 2, z)
        return J.dense(), J @ v, J.T @ u, H.dense(), H @ v, H.quadratic(v), G @ v, landform.laplacian(f, z)

    for row, found in zip(np.asarray(x), zip(*jax.jit(jax.vmap(both))(x), strict=True), strict=True):
        J, H = slopes(row), curves(row, u)
        lap = [np.trace(curves(row, e)) for e in np.eye(4)]
        truth = (J, J @ v, J.T @ u, H, H @ v, v @ H @ v, J.T @ J @ v, lap)
        for a, b in zip(found, truth, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    slope = jax.grad(lambda z: landform.jacobian(f, z).dense()[2, 1])(x[0])
    np.testing.assert_allclose(slope, curves(np.asarray(x[0]), np.eye(4)[2])[1], rtol=1e-4, atol=1e-5)
    third = jax.grad(lambda z: landform.hessian(f, z, weights=u).quadratic(v))(x[0])
    t, along = np.tanh(B @ x[0]), B @ v
    np.testing.assert_allclose(third, B.T @ (u * (6 * t**2 - 2) * (1 - t**2) * along**2), rtol=1e-3, atol=1e-4)


def test_prepared_hessians_and_products_at_a_fixed_point():
    p = landform.prepare(f, np.zeros(3))
    u, v = RNG.standard_normal(4), RNG.standard_normal(3)
    for x in RNG.standard_normal((3, 3)):
        np.testing.assert_allclose(p.hessian(x, u), curves(x, u), atol=1e-13)
        np.testing.assert_allclose(p.hessian_product(x, v, u), curves(x, u) @ v, atol=1e-13)
        np.testing.assert_allclose(p.hessian_product(x, 2 * v, u), 2 * curves(x, u) @ v, atol=1e-13)
        np.testing.assert_allclose(p.hessian_product(x, v, -u), -curves(x, u) @ v, atol=1e-13)
    with pytest.raises(ShapeError, match="output"):
        p.hessian_product(np.zeros(3), v)
    tight = landform.prepare(lambda x: jnp.sum(jnp.cosh(jnp.outer(x, jnp.ones(400)))), np.zeros(3), memory=100)
    np.testing.assert_allclose(tight.hessian_product(np.zeros(3), v), 400 * v)
