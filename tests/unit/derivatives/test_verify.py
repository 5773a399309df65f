"""Right functions pass the Taylor test; lying rules and functions that change are named."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from landform.derivatives import jacobian, prepare, verify
from landform.derivatives.remainders import fitted_fall
from landform.errors import DerivativeError

X = np.array([0.7, 1.1, -0.4])


def smooth(x):
    return jnp.stack([jnp.sin(x[0] * x[1]), jnp.exp(x[2]) * x[0]])


@jax.custom_jvp
def lies_forward(x):
    return jnp.sin(x)


@lies_forward.defjvp
def _(primals, tangents):
    return jnp.sin(primals[0]), 1.001 * jnp.cos(primals[0]) * tangents[0]


@jax.custom_jvp
def lies_about_curves(x):
    return jnp.sin(x)


@jax.custom_jvp
def _cosine(x):
    return jnp.cos(x)


@_cosine.defjvp
def _(primals, tangents):
    return jnp.cos(primals[0]), jnp.sin(primals[0]) * tangents[0]  # the sign is wrong


@lies_about_curves.defjvp
def _(primals, tangents):
    return jnp.sin(primals[0]), _cosine(primals[0]) * tangents[0]


@jax.custom_vjp
def lies_backward(x):
    return jnp.sin(x)


lies_backward.defvjp(lambda x: (jnp.sin(x), x), lambda x, u: (1.5 * jnp.cos(x) * u,))


def test_right_functions_pass():
    found = verify(smooth, X)
    assert found.correct
    assert found.words == "right"
    assert found.order_first == pytest.approx(2, abs=0.05)
    assert found.order_second == pytest.approx(3, abs=0.1)
    assert found.require() is found
    assert 1e-12 < found.first.low < found.first.high < 1e-3
    assert 1e-9 < found.second.low < found.second.high < 0.1
    assert (found.noise < 1e-14).all()
    assert found.dot_product_gap < 1e-14 and found.symmetry_gap < 1e-14
    assert "without slopes step^2.0" in str(found) and "noise floor" in str(found)


def test_every_remainder_in_a_table_and_a_picture():
    found = verify(smooth, X, directions=2)
    frame = found.to_frame()
    assert list(frame.columns) == ["direction", "output", "step", "without slopes", "without curves"]
    assert frame.groupby(["direction", "output"]).ngroups == 4 and len(frame) == 4 * 2 * 16
    pytest.importorskip("matplotlib", reason="matplotlib draws pictures")
    assert len(found.plot().axes) == 2


def test_right_in_single_precision():
    assert verify(smooth, jnp.asarray(X, dtype=jnp.float32)).correct


def test_right_with_arguments():
    assert verify(lambda x, k: jnp.sin(k * x), X, args=(2.0,)).correct


@pytest.mark.parametrize("seed", range(4))
def test_a_lying_forward_rule_is_named(seed):
    found = verify(lambda x: lies_forward(x[:2]) * x[2], X, seed=seed)
    assert not found.correct
    assert "Jacobian" in found.words
    assert found.order_first == pytest.approx(1, abs=0.1)
    with pytest.raises(DerivativeError, match="Jacobian whose Taylor remainder falls like step"):
        found.require()


def test_a_lying_curve_is_named():
    found = verify(lambda x: lies_about_curves(x[:2]) + x[2], X)
    assert not found.correct
    assert "Hessian" in found.words
    assert found.order_first == pytest.approx(2, abs=0.1)
    assert found.order_second == pytest.approx(2, abs=0.1)


@jax.custom_vjp
def honest_backward(x):
    return jnp.sin(x)


honest_backward.defvjp(lambda x: (jnp.sin(x), x), lambda x, u: (jnp.cos(x) * u,))


def test_a_lying_reverse_rule_is_named():
    """JAX has no forward rule for such a function: the Jacobian must be had in reverse and checked so."""
    found = verify(lambda x: lies_backward(x[:2]) * x[2], X)
    assert not found.correct
    assert "Jacobian" in found.words


def test_an_honest_reverse_rule_passes():
    assert verify(lambda x: honest_backward(x[:2]) * x[2], X).correct


def test_a_reverse_rule_serves_in_reverse():
    dense = jacobian(lambda x: honest_backward(x[:2]) * x[2], X, mode="reverse").dense()
    np.testing.assert_allclose(dense[:, :2], np.diag(np.cos(X[:2]) * X[2]), atol=1e-15)


def test_forward_and_reverse_that_differ_are_named():
    """A transposition of its own that is wrong: `linear_call` takes any."""

    def doubled(x):
        return jax.custom_derivatives.linear_call(lambda _, v: 2.0 * v, lambda _, u: 3.0 * u, (), x)

    with jax.enable_x64(True):
        found = verify(lambda x: doubled(x[:2]) * x[2], X)
    assert not found.correct
    assert "forward and reverse products that differ" in found.words


def test_a_function_that_changes_is_named():
    count = iter(range(10**6))

    def restless(x):
        noise = jax.pure_callback(
            lambda v: np.asarray(next(count), dtype=v.dtype),
            jax.ShapeDtypeStruct((), x.dtype),
            jax.lax.stop_gradient(x[0]),
        )
        return x[:2] * x[2] + jax.lax.stop_gradient(noise)

    found = verify(restless, X)
    assert not found.correct
    assert not found.repeatable
    assert "another value when called again" in found.words


def test_prepare_refuses_a_lie_when_asked_to_verify():
    with pytest.raises(DerivativeError, match="Jacobian"):
        prepare(lambda x: lies_forward(x[:2]), X, verify=True)
    assert prepare(smooth, X, verify=True).value(X).shape == (2,)


def test_order_is_not_known_from_two_remainders():
    steps = 0.5 ** np.arange(8)
    assert np.isnan(fitted_fall(steps, np.array([1.0, 0.25, *[0.0] * 6]), 1e-12).order)
    assert fitted_fall(steps, steps**3, 0.0).order == pytest.approx(3)
    assert fitted_fall(steps, np.where(steps > 0.3, np.nan, steps**2), 0.0).order == pytest.approx(2)
