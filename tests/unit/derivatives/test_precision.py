"""Arrays stay in the framework and precision they came in; nothing global changes."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from landform.derivatives import hessian, jacobian, prepare, verify
from landform.derivatives.covariance import covariance_of_slopes
from landform.errors import DerivativeError


def pair(x):
    """3 inputs to 2 outputs."""
    return jnp.stack([jnp.sin(x[0] * x[1]) + x[2] ** 2, x[0] * x[2]])


def truth(x):
    a, b, c = x
    return np.array([[b * np.cos(a * b), a * np.cos(a * b), 2 * c], [c, 0, a]])


X = np.array([0.3, 1.7, -0.6])


def test_numpy_points_give_double_precision():
    J = jacobian(pair, X)
    for found in (J.dense(), J @ np.ones(3), J.T @ np.ones(2)):
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.float64
    assert np.max(np.abs(J.dense() - truth(X))) < 1e-15
    assert J.plan.memory == 8 * (3 * 2 + 3 * 2)


@pytest.mark.parametrize("x", [X.tolist(), tuple(X.tolist())], ids=["list", "tuple"])
def test_plain_numbers_are_double_precision(x):
    assert np.max(np.abs(jacobian(pair, x).dense() - truth(X))) < 1e-15


def test_numpy_single_precision_stays_single():
    found = jacobian(pair, X.astype(np.float32)).dense()
    assert found.dtype == np.float32


def test_jax_single_precision_stays_single_and_jax():
    x = jnp.asarray(X, dtype=jnp.float32)
    J, H = jacobian(pair, x), hessian(lambda z: pair(z)[0], x)
    for found in (J.dense(), J @ jnp.ones(3), J.T @ jnp.ones(2), H.dense(), H @ jnp.ones(3), H.quadratic(jnp.ones(3))):
        assert isinstance(found, jax.Array)
        assert found.dtype == jnp.float32
    np.testing.assert_allclose(J.dense(), truth(X), atol=1e-6)
    assert J.plan.memory == 4 * (3 * 2 + 3 * 2)


def test_single_precision_is_worked_in_too():
    """Constants that a function makes of its own follow the caller's precision, as they do without landform."""
    x = jnp.asarray(X, dtype=jnp.float32)
    J = jacobian(lambda z: jnp.arange(1.0, 3.0) * z[0] * z[2], x)
    assert J.dense().dtype == jnp.float32
    assert (J.T @ jnp.ones(2, dtype=jnp.float32)).dtype == jnp.float32


def test_jax_arrays_are_jit_vmap_and_grad_able():
    x = jnp.asarray(X, dtype=jnp.float32)
    batch = jnp.stack([x, 2 * x, x + 1, x - 1])

    def norm(z):
        return jnp.sum(jacobian(pair, z).dense() ** 2)

    np.testing.assert_allclose(jax.jit(lambda z: jacobian(pair, z).dense())(x), truth(X), atol=1e-6)
    found = jax.vmap(lambda z: jacobian(pair, z).dense())(batch)
    assert found.shape == (4, 2, 3)
    np.testing.assert_allclose(found[2], truth(X + 1), atol=1e-5)
    # d/dx of |J|^2, against central differences of the closed form in double precision
    h = 1e-5
    steps = [(np.sum(truth(X + h * e) ** 2) - np.sum(truth(X - h * e) ** 2)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(jax.grad(norm)(x), steps, rtol=1e-4)
    through = jax.jit(jax.vmap(lambda z: hessian(lambda w: pair(w)[0], z) @ z))(batch)
    assert through.shape == (4, 3)


def test_jax_double_precision_inside_the_callers_context():
    with jax.enable_x64(True):
        found = jacobian(pair, jnp.asarray(X)).dense()
        assert found.dtype == jnp.float64
        assert np.max(np.abs(np.asarray(found) - truth(X))) < 1e-15


def test_trees_are_flattened_in_order():
    x = {"b": np.array([[0.3, 1.7]]), "c": np.float64(-0.6)}
    J = jacobian(lambda t: {"r": pair(jnp.append(t["b"][0], t["c"])), "s": t["c"] ** 2}, x)
    assert J.shape == (3, 3)
    np.testing.assert_allclose(J.dense(), np.vstack([truth(X), [0, 0, -1.2]]), atol=1e-15)


@pytest.mark.parametrize("before", [False, True])
def test_no_global_setting_changes(before):
    kept = jax.config.jax_enable_x64
    state, filters = np.geterr(), list(warnings.filters)
    with jax.enable_x64(before):
        jacobian(pair, X).dense()
        hessian(lambda z: pair(z)[1], X).dense()
        prepare(pair, X).second(X)
        verify(pair, X)
        covariance_of_slopes(lambda x, z: jnp.exp(-jnp.sum((x - z) ** 2)), np.zeros((1, 2)), np.eye(2)[None])
        assert jax.config.jax_enable_x64 is before
    assert jax.config.jax_enable_x64 is kept
    assert jnp.ones(1).dtype == (jnp.float64 if kept else jnp.float32)
    assert np.geterr() == state
    assert list(warnings.filters) == filters


def test_no_global_setting_changes_after_an_error():
    kept = jax.config.jax_enable_x64

    def broken(_):
        raise RuntimeError("mine")

    with pytest.raises(DerivativeError, match="RuntimeError: mine"):
        jacobian(broken, X)
    assert jax.config.jax_enable_x64 is kept
