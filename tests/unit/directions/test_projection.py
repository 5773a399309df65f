"""Projectors and sums of eigenvalues: derivatives at ties and away from them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from landform.directions import eigenvalue_sum, span_projector
from landform.errors import DerivativeError, ShapeError

SPECTRA = {
    "apart": [4.0, 3.0, 2.0, 1.0, 0.5],
    "tied within": [3.0, 3.0, 1.0, 0.7, 0.5],
    "tied": [3.0, 3.0, 1.0, 1.0, 1.0],
}


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def matrices(spectrum):
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    E, B = (M + M.T for M in rng.standard_normal((2, 5, 5)))
    return jnp.asarray(Q @ np.diag(SPECTRA[spectrum]) @ Q.T), jnp.asarray(E), jnp.asarray(B)


def invariant(A, B):
    """Depends on the span alone, not on axes in it."""
    P = span_projector(A, 2)
    return jnp.sum(P * B) + jnp.sum((P @ B) ** 2) + jnp.log(eigenvalue_sum(A, 2))


def differences(f, step):
    """First and second derivative at 0, error of order step⁴."""
    points = {k: float(f(k * step)) for k in (-2, -1, 0, 1, 2)}
    first = (points[-2] - 8 * points[-1] + 8 * points[1] - points[2]) / (12 * step)
    second = (-points[-2] + 16 * points[-1] - 30 * points[0] + 16 * points[1] - points[2]) / (12 * step**2)
    return first, second


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_first_and_second_derivatives(spectrum):
    A, E, B = matrices(spectrum)

    def along(t):
        return invariant(A + t * E, B)

    first, second = differences(along, 1e-3)
    assert float(jax.grad(along)(0.0)) == pytest.approx(first, rel=1e-6)
    assert float(jax.jvp(along, (0.0,), (1.0,))[1]) == pytest.approx(first, rel=1e-6)
    for twice in (jax.grad(jax.grad(along)), jax.jacfwd(jax.grad(along)), jax.jacfwd(jax.jacfwd(along))):
        assert float(twice(0.0)) == pytest.approx(second, rel=1e-5)
    third = jax.grad(jax.grad(jax.grad(along)))(0.0)
    steps = [float(jax.grad(jax.grad(along))(s * 1e-4)) for s in (-1, 1)]
    assert float(third) == pytest.approx((steps[1] - steps[0]) / 2e-4, rel=1e-4)


def test_eigh_gives_nan_there():
    """The reason for all this."""
    A, _, B = matrices("tied")
    V = jax.grad(lambda A: jnp.sum((jnp.linalg.eigh(A)[1][:, 3:] @ jnp.linalg.eigh(A)[1][:, 3:].T) * B))(A)
    assert not np.all(np.isfinite(V))
    assert np.all(np.isfinite(jax.grad(invariant)(A, B)))


def test_as_eigh_away_from_ties():
    A, _, B = matrices("apart")

    def plain(A):
        values, vectors = jnp.linalg.eigh(A)
        P = vectors[:, 2:4] @ vectors[:, 2:4].T
        return jnp.sum(P * B) + jnp.sum((P @ B) ** 2) + jnp.log(values[2] + values[3])

    mine, theirs = jax.grad(_middle)(A, B), jax.grad(plain)(A)
    np.testing.assert_allclose(mine, (theirs + theirs.T) / 2, rtol=1e-9, atol=1e-9)


def _middle(A, B):
    P = span_projector(A, 3, start=1)
    return jnp.sum(P * B) + jnp.sum((P @ B) ** 2) + jnp.log(eigenvalue_sum(A, 3, start=1))


def test_compiled_and_batched():
    A, _, B = matrices("tied")
    plain = jax.grad(invariant)(A, B)
    np.testing.assert_allclose(jax.jit(jax.grad(invariant))(A, B), plain, rtol=1e-10)
    np.testing.assert_allclose(jax.vmap(jax.grad(invariant), (0, None))(jnp.stack([A, A]), B)[1], plain, rtol=1e-10)


def test_the_gradient_of_a_sum_is_the_projector():
    """Fan's theorem: d Σλ = trace(P dA)."""
    A, _, _ = matrices("tied")
    np.testing.assert_allclose(jax.grad(eigenvalue_sum)(A, 2), span_projector(A, 2), atol=1e-12)


def test_through_data_to_directions():
    """Rows → covariance → plane, with columns two and three exchangeable: the derivative is finite and right."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 3))
    X = (X - X.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(X.T))).T * np.array([1.0, 2.0, 2.0])

    def part(X):
        return span_projector(jnp.cov(X.T), 2)[0, 0] + span_projector(jnp.cov(X.T), 2)[0, 1]

    direction = jnp.asarray(rng.standard_normal(X.shape))
    slope = jnp.sum(jax.grad(part)(jnp.asarray(X)) * direction)
    first, _ = differences(lambda t: part(jnp.asarray(X) + t * direction), 1e-3)
    assert float(slope) == pytest.approx(first, rel=1e-6)


@pytest.mark.parametrize(
    "cut",
    [
        lambda A: span_projector(A, 1),
        jax.grad(lambda A: span_projector(A, 1)[0, 0]),
        jax.grad(lambda A: eigenvalue_sum(A, 1)),
    ],
)
def test_a_span_that_ends_inside_a_tie_is_refused(cut):
    A, _, _ = matrices("tied")
    with pytest.raises(DerivativeError, match=r"eigenvalues 1 and 2 equal \(3 and 3\); take both of them in"):
        cut(A)
    assert np.all(np.isnan(jax.jit(cut)(A)))


def test_the_value_of_a_sum_exists_inside_a_tie():
    A, _, _ = matrices("tied")
    assert float(eigenvalue_sum(A, 1)) == pytest.approx(3, rel=1e-12)
    assert float(jnp.trace(span_projector(A, 5))) == pytest.approx(5, rel=1e-12)


def test_precision_and_refusals():
    A, _, _ = matrices("apart")
    assert span_projector(np.asarray(A, dtype=np.float32), 2).dtype == np.float64
    assert isinstance(eigenvalue_sum(np.asarray(A), 2), np.ndarray)
    with jax.enable_x64(False):
        single = jnp.asarray(np.asarray(A), dtype=jnp.float32)
        assert jax.grad(lambda A: span_projector(A, 2)[0, 0])(single).dtype == jnp.float32
    with pytest.raises(ShapeError, match="square symmetric matrix"):
        span_projector(np.ones((2, 3)), 1)
    with pytest.raises(ShapeError, match="0 ≤ start < stop ≤ 5"):
        eigenvalue_sum(A, 6)
