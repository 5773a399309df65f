"""`argmin`: the optimum inside compiled programs, NaN in every derivative where it was not reached."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import DerivativeError, ShapeError


def valley(x, a):
    """Rosenbrock's: lowest at (a, a²)."""
    return 100 * (x[1] - x[0] ** 2) ** 2 + (a - x[0]) ** 2


TRANSFORMS = {
    "value": lambda f: f,
    "jacfwd": jax.jacfwd,
    "jacrev": jax.jacrev,
    "second": lambda f: jax.jacfwd(jax.jacrev(f)),
    "batch": lambda f: lambda a: jax.vmap(jax.jacfwd(f))(a[None]),
    "of nothing": lambda f: jax.grad(lambda a: f(a)[0] * 0.0),
}


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


def test_value_and_derivatives_of_a_known_path(double):
    """x(a) = (a, a²)."""
    best = landform.argmin(valley, np.array([-1.2, 1.0]))
    np.testing.assert_allclose(jax.jit(best)(1.5), [1.5, 2.25], rtol=1e-8)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(best))(1.5), [1.0, 3.0], rtol=1e-8)
    np.testing.assert_allclose(jax.jacrev(best)(1.5), [1.0, 3.0], rtol=1e-8)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(jax.jacrev(best)))(1.5), [0.0, 2.0], atol=1e-6)
    at = np.linspace(0.5, 2.0, 7)
    np.testing.assert_allclose(jax.vmap(best)(at), np.stack([at, at**2], 1), rtol=1e-7)
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.jacfwd(best)))(at), np.stack([0 * at + 1, 2 * at], 1), rtol=1e-7)


def test_trees_and_several_parameters_as_sensitivity_has_them():
    """The host's own implicit derivatives (`Optimum.sensitivity`) say the same."""

    def f(x, a, b):
        return jnp.sum((x["u"] - a) ** 2) * b + jnp.sum(x["u"] ** 4) + (x["v"] - a[0] * b) ** 2

    start, a, b = {"u": np.zeros(2), "v": np.array(0.0)}, np.array([1.0, 2.0]), 3.0
    with jax.enable_x64(True):
        moved = jax.jit(jax.jacfwd(landform.argmin(f, start), (0, 1)))(a, b)
    dx = landform.minimize(f, start, args=(a, b)).sensitivity().dx
    np.testing.assert_allclose(np.vstack([moved["u"][0], moved["v"][0]]), dx[:, :2], atol=1e-9)
    np.testing.assert_allclose(np.hstack([moved["u"][1], moved["v"][1]]), dx[:, 2], atol=1e-9)


@pytest.mark.parametrize(
    ("f", "start", "most"),
    [
        (valley, [-1.2, 1.0], 4),  # cut off on the way
        (lambda x, a: x[0] ** 2 - x[1] ** 2 + a * x[0], [0.0, 0.0], 200),  # a saddle
        (lambda x, a: (x[0] - a) ** 2, [0.0, 0.0], 200),  # nothing determines x[1]
        (lambda x, a: a * x[0] + x[1] ** 2, [0.0, 0.0], 200),  # unbounded
        (lambda x, a: (x[0] - a) ** 4 + x[1] ** 2, [0.0, 0.0], 12),  # flat at the minimum: Newton's steps crawl
    ],
)
def test_nothing_unsolved_leaves_as_a_number(f, start, most):
    """Derivative-only programs included: whatever is kept of the program, the answer is NaN."""
    best = landform.argmin(f, np.array(start), most=most)
    programs = {name: jax.jit(transform(best)) for name, transform in TRANSFORMS.items()}
    numbers = {name: np.asarray(program(jnp.array(1.0))) for name, program in programs.items()}
    assert [name for name, found in numbers.items() if not np.isnan(found).all()] == []
    assert not best.solved(1.0)


def test_a_batch_keeps_the_lanes_that_were_solved(double):
    best = landform.argmin(lambda x, a: a * jnp.sum((x - a) ** 2), np.zeros(2))
    found = np.asarray(jax.jit(jax.vmap(jax.jacfwd(best)))(jnp.array([1.0, -1.0, 2.0])))
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[[0, 2]], 1.0, rtol=1e-9)


def test_precision_is_the_callers():
    best = landform.argmin(lambda x, a: jnp.sum((x - a) ** 2), np.zeros(2))
    assert best(1.0).dtype == np.float64
    assert jax.jit(best)(1.0).dtype == np.float32
    assert jnp.ones(1).dtype == np.float32
    np.testing.assert_allclose(jax.jit(jax.jacfwd(best))(1.0), 1.0, rtol=1e-6)


def test_the_solvers_with_certificates_refuse_tracers_in_one_sentence():
    """Formerly a conversion error deep inside, or a mismatch of precisions in the compiled program."""

    def run(a):
        return landform.minimize(lambda x, a: (x[0] - a) ** 2, np.zeros(1), args=(a,)).sensitivity().dx[0, 0]

    for transform in (jax.jit, jax.grad, jax.jacfwd, lambda f: jax.jit(jax.jacfwd(f))):
        with pytest.raises(DerivativeError, match=r"inside jax\.jit.*landform\.argmin"):
            transform(run)(1.0)
    with pytest.raises(DerivativeError, match=r"inside jax\.jit"):
        jax.vmap(run)(jnp.ones(2))
    with pytest.raises(DerivativeError, match=r"inside jax\.jit"):
        jax.jit(lambda x: landform.certify(lambda x: x @ x, x).kkt_residual)(jnp.zeros(2))
    with pytest.raises(DerivativeError, match="argument x0"):
        jax.jit(lambda x: landform.argmin(lambda x: x @ x, x)())(jnp.zeros(2))


def test_odd_calls():
    with pytest.raises(ShapeError, match="returns one number"):
        landform.argmin(lambda x, a: x * a, np.zeros(2))(1.0)
    with pytest.raises(ShapeError, match="most=0"):
        landform.argmin(lambda x: x @ x, np.zeros(2), most=0)
    with pytest.raises(ShapeError, match="a function"):
        landform.argmin(3.0, np.zeros(2))
