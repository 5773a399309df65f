"""Calls that a first user makes: changed arguments, tiny memory, typing errors, points outside the domain."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import DerivativeError, LandformError, ShapeError

X = np.array([1.0, 2.0, 3.0])


def refused(error, words, call):
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, LandformError) and len(str(caught.value).splitlines()) == 1


def coupled(x):
    return jnp.sum(jnp.sin(x) * x[::-1] ** 2)


def scaled(x, a):
    return a * x


@pytest.mark.parametrize("mode", ["auto", "sparse", "colored"])
def test_an_argument_written_into_is_read_again(mode):
    a = np.ones(3)
    assert landform.jacobian(scaled, X, args=(a,), mode=mode).sparse().diagonal().tolist() == [1, 1, 1]
    a[1] = 9.0
    assert landform.jacobian(scaled, X, args=(a,), mode=mode).sparse().diagonal().tolist() == [1, 9, 1]


def test_a_sparse_matrix_inside_jit_leaves_nothing_behind_for_vmap():
    x = jnp.asarray(X, jnp.float32)

    def dense(z):
        return landform.hessian(coupled, z, mode="sparse").sparse().todense()

    expected = jax.hessian(coupled)
    np.testing.assert_allclose(jax.jit(dense)(x), expected(x), rtol=1e-5)
    points = jnp.stack([x, 2 * x])
    np.testing.assert_allclose(jax.vmap(dense)(points), jax.vmap(expected)(points), rtol=1e-5)
    np.testing.assert_allclose(dense(x), expected(x), rtol=1e-5)


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("argument mode", lambda: landform.jacobian(jnp.sin, X, mode="forwrd")),
        ("argument mode", lambda: landform.prepare(jnp.sin, X, mode="sprse")),
        ('argument effort: expected effort "full" or "quick"', lambda: landform.prepare(jnp.sin, X, effort="quik")),
        ('expected mode="colored" beside a pattern', lambda: landform.prepare(jnp.sin, X, sparsity=np.eye(3))),
        ("a list of 3 names, got 'abc'", lambda: landform.jacobian(jnp.sin, X, inputs="abc")),
        ("a list of 3 names, got 'abc'", lambda: landform.jacobian(np.sin, X, inputs="abc", mode="numeric")),
        ("a list of 3 names, got 5", lambda: landform.jacobian(jnp.sin, X, inputs=5)),
        ("a tuple of arguments, got float", lambda: landform.jacobian(scaled, X, args=2.0)),
        ("arrays or numbers, got str; bind it", lambda: landform.jacobian(scaled, X, args=("sq",))),
        ("argument executor: .* got int", lambda: landform.jacobian(np.sin, X, mode="numeric", executor=5)),
        ("argument batched: expected one point", lambda: landform.hessian(coupled, X[None], batched=True)),
        (
            "a JAX point inside jit",
            lambda: jax.jit(lambda v: landform.hessian(coupled, X) @ v)(jnp.ones(3)),
        ),
    ],
)
def test_slips_of_the_hand_are_named(words, call):
    refused(ShapeError, words, call)


def chained(x, rounds=12):
    return jax.lax.fori_loop(0, rounds, lambda i, c: c + 0.1 * (jnp.roll(c, 1) * jnp.cos(c) - c), x)


def test_short_loops_of_neighbors_go_by_products_prepared_or_not():
    # Measured: 12 rounds carried cost 73 evaluations and 7 s of compiling, 20 products cost 9 and 1 s.
    x = np.linspace(0.1, 1.0, 600)
    p = landform.prepare(chained, x, mode="sparse")
    assert "colored" in p.explain()
    exact = landform.jacobian(chained, x).dense()
    np.testing.assert_allclose(p.jacobian(x).toarray(), exact, atol=1e-14)
    np.testing.assert_allclose(landform.jacobian(chained, x).sparse().toarray(), exact, atol=1e-14)


def log_of_second(x):
    return jnp.sum(x) + jnp.log(x[1])


@pytest.mark.parametrize(
    "matrix",
    [
        lambda x: landform.jacobian(jnp.log, x).sparse(),
        lambda x: landform.jacobian(jnp.log, x, mode="colored").dense(),
        lambda x: landform.hessian(log_of_second, x).dense(),
        lambda x: landform.hessian(log_of_second, x).sparse(),
    ],
)
def test_no_value_no_matrix(matrix):
    refused(DerivativeError, "a finite value at the point, got nan for y", lambda: matrix(np.array([1.0, -1.0])))


def test_a_sparse_matrix_keeps_to_the_memory():
    x = np.ones(30)
    refused(
        ShapeError,
        "budget of 1.0 KiB, got a sparse 30 × 30 Hessian",
        lambda: landform.hessian(lambda z: jnp.sum(z) ** 2, x, memory="1 KiB").sparse(),
    )
    many = landform.hessian(lambda z: jnp.sum(z[1:] * z[:-1] ** 2), np.ones(100_000), mode="sparse")
    refused(ShapeError, "a 100000 × 100000 Hessian of 74.5 GiB", many.dense)
    assert np.array_equal(many.diagonal(), np.r_[np.full(99_999, 2.0), 0.0])


def test_what_is_never_formed_is_no_hindrance():
    n = 30_000
    x = np.linspace(1.0, 2.0, n)
    p = landform.prepare(lambda z: z**2, x)
    assert "never dense, as a 30000 × 30000 Jacobian of 6.7 GiB is over" in p.explain()
    assert "never dense" in landform.jacobian(jnp.sin, x).explain()
    assert "never dense" in landform.hessian(coupled, x).explain()
    np.testing.assert_allclose(p.value(x), x**2)
    np.testing.assert_allclose(p.hessian_product(x, x, np.ones(n)), 2 * x)
    np.testing.assert_allclose(p.bend(x, x), 2 * x**2)
    for matrix in (p.jacobian, lambda z: p.hessian(z, z), lambda z: landform.jacobian(jnp.sin, z).dense()):
        refused(ShapeError, "got a 30000 × 30000 .* of 6.7 GiB", lambda matrix=matrix: matrix(x))


def test_a_pattern_is_never_ignored():
    J = landform.jacobian(jnp.sin, X, sparsity=np.eye(3))
    assert J.plan.products == 1 and "given and checked" in J.explain()
    np.testing.assert_allclose(J.dense(), np.diag(np.cos(X)))
    wrong = np.eye(3)[::-1]
    refused(DerivativeError, "d y0 / d x0 = .* outside", landform.jacobian(jnp.sin, X, sparsity=wrong).dense)
    refused(DerivativeError, "outside", landform.hessian(lambda z: jnp.sin(z).sum(), X, sparsity=wrong).dense)
    for options in ({"mode": "forward"}, {"mode": "reverse"}, {"batched": True}):
        refused(
            ShapeError,
            "argument sparsity: .* beside a pattern",
            lambda options=options: landform.jacobian(jnp.sin, X, sparsity=wrong, **options),
        )
    for call in (landform.jacobian, lambda f, x, **o: landform.hessian(f, x, weights=X, **o)):
        refused(ShapeError, "a pattern, or \"detect\", got 'banded'", lambda c=call: c(jnp.sin, X, sparsity="banded"))


def test_half_precision_without_zeros_is_a_matrix_that_scipy_can_show():
    found = landform.hessian(lambda z: jnp.sum(z**3), X.astype(np.float16)).sparse()
    assert found.dtype == np.float32 and str(found)
    assert found.toarray().diagonal().tolist() == [6, 12, 18]


def test_callables_without_a_hash():
    class Scaled:
        __hash__ = None

        def __init__(self, k):
            self.k = k

        def __call__(self, x):
            return self.k * x**2

    f = Scaled(1.0)
    assert landform.jacobian(f, X).dense().diagonal().tolist() == [2, 4, 6]
    f.k = 2.0
    assert landform.jacobian(f, X).sparse().diagonal().tolist() == [4, 8, 12]
    assert landform.jacobian(functools.partial(scaled, a=2.0), X).dense().diagonal().tolist() == [2, 2, 2]


def product_of_neighbors(x):
    return x[1:] * x[:-1]


def test_a_numeric_pattern_that_lacks_entries_is_named():
    def slopes(pattern, **options):
        return landform.jacobian(product_of_neighbors, X, mode="numeric", sparsity=pattern, **options)

    refused(DerivativeError, "argument sparsity: expected a pattern that holds every", lambda: slopes(np.eye(2, 3)))
    full = np.eye(2, 3) + np.eye(2, 3, k=1)
    np.testing.assert_allclose(slopes(full).dense(), [[2, 1, 0], [0, 3, 2]], atol=1e-10)
    assert slopes(full, bounds=(0, X)).dense().shape == (2, 3)  # at a corner of the domain


def test_noise_alone_is_no_reason_to_blame_a_pattern():
    rng = np.random.default_rng(3)
    x = np.linspace(0.5, 2.0, 30)
    for _ in range(40):
        landform.jacobian(lambda z: np.sin(z) + 1e-4 * rng.normal(size=30), x, mode="numeric", sparsity=np.eye(30))
