"""A user's own derivatives of a black box against its values, noise and all."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp

import landform
from landform import verify
from landform.errors import DerivativeError, ShapeError

X = np.array([0.7, 1.1, -0.4])


def plain(x):
    return np.array([math.sin(x[0] * x[1]), math.exp(x[2]) * x[0]])


def slopes(x):
    c, e = math.cos(x[0] * x[1]), math.exp(x[2])
    return np.array([[x[1] * c, x[0] * c, 0.0], [e, 0.0, x[0] * e]])


def curves(x):
    s, c, e = math.sin(x[0] * x[1]), math.cos(x[0] * x[1]), math.exp(x[2])
    H = np.zeros((2, 3, 3))
    H[0, :2, :2] = [[-(x[1] ** 2) * s, c - x[0] * x[1] * s], [c - x[0] * x[1] * s, -(x[0] ** 2) * s]]
    H[1] = [[0, 0, e], [0, 0, 0], [e, 0, x[0] * e]]
    return H


def noisy(level, seed=0):
    rng = np.random.default_rng(seed)
    return lambda x: plain(x) + level * rng.standard_normal(2)


def spoiled(matrix, place, by):
    out = np.array(matrix)
    out[place] += by
    return out


@pytest.mark.parametrize("form", [slopes, slopes(X), sp.csr_array(slopes(X)), slopes(X).tolist()])
def test_a_right_jacobian_in_every_form(form):
    found = verify(plain, X, jacobian=form)
    assert found.words == "right"
    assert found.order_first == pytest.approx(2, abs=0.05)
    assert math.isnan(found.order_second) and math.isnan(found.symmetry_gap)


def test_right_curves():
    found = verify(plain, X, jacobian=slopes, hessian=curves)
    assert found.words == "right"
    assert found.order_second == pytest.approx(3, abs=0.1)
    assert found.symmetry_gap < 1e-14


@pytest.mark.parametrize("seed", range(5))
def test_one_wrong_entry_is_caught(seed):
    found = verify(plain, X, jacobian=spoiled(slopes(X), (1, 2), 1e-4), seed=seed)
    assert "Jacobian" in found.words and "'y1'" in found.words
    found = verify(plain, X, jacobian=slopes, hessian=spoiled(curves(X), (0, 0, 0), 1e-3), seed=seed)
    assert "Hessian" in found.words and "'y0'" in found.words


def test_an_asymmetric_hessian_is_caught():
    H = spoiled(spoiled(curves(X), (0, 0, 1), 0.1), (0, 1, 0), -0.1)
    assert "not symmetric" in verify(plain, X, jacobian=slopes, hessian=H).words


@pytest.mark.parametrize("level", [1e-9, 1e-6, 1e-3])
def test_right_under_noise_and_the_floor_is_told(level):
    wrong = 0
    for seed in range(20):
        found = verify(noisy(level, seed), X, jacobian=slopes, seed=seed)
        wrong += not found.correct
        assert not found.repeatable
        assert np.all((level / 6 < found.noise) & (found.noise < 6 * level))
        assert "as far as noise of" in found.words or wrong
    assert wrong <= 1


@pytest.mark.parametrize(("level", "lie"), [(1e-9, 1e-4), (1e-6, 1e-2), (1e-3, 1.0)])
def test_a_lie_above_the_noise_is_caught(level, lie):
    caught = 0
    for seed in range(20):
        J = slopes(X) * (1 + lie)
        caught += not verify(noisy(level, seed), X, jacobian=J, seed=seed).correct
    assert caught == 20


def test_differences_are_checked_too():
    for f in (plain, noisy(1e-6)):
        assert verify(f, X, mode="numeric").correct
    assert "kink" in verify(lambda x: abs(x[0] - 0.7) + x[1], X, mode="numeric").words
    assert "jumps" in verify(lambda x: float(x[0] > 0.7) + x[1], X, mode="numeric").words


def test_noise_around_zero():
    """Residuals at a solution: values that are nothing but noise."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        f = lambda x, rng=rng: (x - X)[:2] + 1e-5 * rng.standard_normal(2)  # noqa: E731
        found = verify(f, X, jacobian=np.eye(2, 3), seed=seed)
        assert found.correct, found
        assert not verify(f, X, jacobian=1.01 * np.eye(2, 3), seed=seed).correct


def test_hidden_state_is_named():
    calls = []

    def drifting(x):
        calls.append(0)
        return plain(x) + 1e-3 * len(calls)

    found = verify(drifting, X, jacobian=slopes)
    assert not found.correct and "hidden state" in found.words


def test_a_landform_operator_and_a_jax_function_serve():
    import jax.numpy as jnp

    def f(x):
        return jnp.stack([jnp.sin(x[0] * x[1]), jnp.exp(x[2]) * x[0]])

    assert verify(f, X, jacobian=landform.jacobian(f, X)).words == "right"
    assert verify(plain, X, jacobian=landform.jacobian(f, X), hessian=curves).words == "right"


def test_inside_the_domain_even_in_a_corner():
    def inside(x):
        assert (x >= 0).all() and (x <= 1).all()
        return float(np.exp(x[0]) * (1 + x[1]))

    for x in ([0.0, 0.0], [1.0, 0.0], [0.3, 1.0], [1e-9, 0.5]):
        e, b = math.exp(x[0]), 1 + x[1]
        found = verify(inside, np.array(x), jacobian=[e * b, e], bounds=(0, 1))
        assert found.words == "right" and found.order_first == pytest.approx(2, abs=0.1)
        assert not verify(inside, np.array(x), jacobian=[e * b, 1.01 * e], bounds=(0, 1)).correct


def test_evaluations_are_counted_and_may_run_elsewhere():
    seen = []

    def f(x):
        seen.append(threading.get_ident())
        return plain(x)

    with ThreadPoolExecutor(2) as executor:
        found = verify(f, X, jacobian=slopes, executor=executor, directions=2)
    assert found.evaluations == len(seen)
    assert threading.get_ident() not in seen
    assert found.words == "right"


def test_a_black_box_that_raises():
    def f(x):
        if x[0] > 0.7:
            raise RuntimeError("solver diverged")
        return plain(x)

    assert "no value right beside the point: RuntimeError: solver diverged" in verify(f, X, jacobian=slopes).words
    with pytest.raises(DerivativeError, match="license expired"):
        verify(lambda x: (_ for _ in ()).throw(OSError("license expired")), X, jacobian=slopes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jacobian": slopes(X).T}, r"argument jacobian: expected real numbers of shape \(2, 3\), got shape \(3, 2\)"),
        ({"jacobian": slopes(X) * 1j}, "complex128"),
        ({"jacobian": slopes, "hessian": np.eye(3)}, r"argument hessian: .*\(2, 3, 3\)"),
        ({"mode": "fast"}, "argument mode"),
        ({"directions": 0}, "1 direction or more"),
    ],
)
def test_what_does_not_fit(options, words):
    with pytest.raises(ShapeError, match=words):
        verify(plain, X, **options)


def test_a_black_box_without_a_derivative_is_told_what_to_do():
    with pytest.raises(DerivativeError, match='mode="numeric"'):
        verify(plain, X)
