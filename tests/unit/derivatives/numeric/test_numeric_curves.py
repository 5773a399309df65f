"""Curves of black boxes."""

import numpy as np
import pytest

import landform
from landform.errors import ShapeError


def bent(x):
    return float(np.exp(0.3 * x[0] * x[1]) + np.sin(x[2] + x[3] * x[4]) + x[0] * x[4] ** 2)


def exact(x):
    import jax.numpy as jnp

    return landform.hessian(
        lambda z: jnp.exp(0.3 * z[0] * z[1]) + jnp.sin(z[2] + z[3] * z[4]) + z[0] * z[4] ** 2, x
    ).dense()


def test_a_hessian_within_twelve_evaluations_an_entry():
    x = np.random.default_rng(0).uniform(0.5, 1.5, 5)
    H = landform.hessian(bent, x, mode="numeric")
    assert H.evaluations == 171 and H.evaluations / 15 <= 12
    np.testing.assert_allclose(H.dense(), exact(x), atol=1e-9)
    np.testing.assert_array_equal(H.dense(), H.dense().T)
    v = np.arange(5.0)
    assert H.quadratic(v) == pytest.approx(v @ (H @ v))
    assert H.diagonal().shape == (5,) and H.to_scipy().shape == (5, 5)
    assert H.to_frame().shape == (5, 10) and H.to_frame(errors=False).shape == (5, 5)
    assert "171 evaluations" in H.explain() and not H.failures


def test_bars_hold_under_noise():
    held = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x = rng.uniform(0.5, 1.5, 5)
        H = landform.hessian(lambda z, rng=rng: bent(z) * (1 + 1e-6 * rng.standard_normal()), x, mode="numeric")
        held.append(np.abs(H.dense() - exact(x)) <= 2 * H.error())
    assert 0.85 <= np.mean(held) <= 1.0


def test_at_an_edge_and_in_a_corner():
    def inside(x):
        assert (x >= 0).all() and (x <= 1).all()
        return np.array([np.exp(x[0] * x[1]), x[0]])

    for x in ([0.0, 0.0], [1.0, 0.0], [1.0, 0.4]):
        H = landform.hessian(inside, np.array(x), mode="numeric", bounds=(0, 1), weights=[1.0, 2.0])
        a, b = x
        e = np.exp(a * b)
        np.testing.assert_allclose(H.dense(), e * np.array([[b * b, 1 + a * b], [1 + a * b, a * a]]), atol=1e-5)
        assert not H.failures


def test_what_does_not_fit():
    with pytest.raises(ShapeError, match="2 outputs"):
        landform.hessian(lambda x: x, np.ones(2), mode="numeric")
    with pytest.raises(ShapeError, match="mode"):
        landform.hessian(lambda x: x[0], np.ones(2), mode="numerical")
    with pytest.raises(ShapeError, match="sparsity"):
        landform.hessian(lambda x: x[0], np.ones(2), mode="numeric", sparsity=np.eye(2))


def test_the_matrix_in_every_form():
    H = landform.hessian(lambda x: float(x[0] ** 2 * x[1]), np.array([1.0, 2.0]), mode="numeric")
    np.testing.assert_array_equal(H.sparse().toarray(), H.dense())
    np.testing.assert_array_equal(H.to_scipy() @ np.array([1.0, 0.5]), H @ np.array([1.0, 0.5]))
    np.testing.assert_array_equal(H.diagonal(), H.dense().diagonal())
