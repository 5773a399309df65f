"""Values in order by copies, results whose memory serves again, and columns in any order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import landform
from landform.derivatives.sparse import assemble
from landform.derivatives.sparse.assemble import MOST_LAYERS
from landform.derivatives.sparse.recycled import SMALL, Recycled
from landform.derivatives.sparse.runs import runs_of
from landform.errors import DerivativeError


def _expanded(runs, starts, single):
    """Places that runs stand for, by their definition, value by value."""
    return [
        starts[term] + first + (0 if single[term] else k // len(run.phases))
        for run in runs
        for k in range(run.size)
        for term, first in [run.phases[k % len(run.phases)]]
    ]


@st.composite
def _places(draw):
    """Rows cut into blocks; within a block every row has the same terms, one place on, now and then disturbed."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    single = [draw(st.booleans()) for _ in sizes]
    starts = np.concatenate([[0], np.cumsum([1 if s else n for s, n in zip(single, sizes, strict=True)])])
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        terms = draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=3))
        firsts = [draw(st.integers(0, sizes[t] - 1)) for t in terms]
        room = min([sizes[t] - f for t, f in zip(terms, firsts, strict=True) if not single[t]] or [5])
        for k in range(draw(st.integers(1, room))):
            rows.append([int(starts[t]) + (0 if single[t] else f + k) for t, f in zip(terms, firsts, strict=True)])
    return rows, starts, single


@settings(max_examples=300, deadline=None)
@given(_places())
def test_runs_stand_for_the_places_they_were_made_from(case):
    rows, starts, single = case
    source = np.concatenate([np.array(r) for r in rows])
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    runs = runs_of(source, indptr, starts, single)
    if runs is not None:
        assert _expanded(runs, starts, single) == source.tolist()


def test_rows_of_one_make_are_one_run_and_scattered_places_are_none():
    n = 1000
    banded = np.stack([np.arange(n), np.arange(n, 2 * n), np.arange(2 * n, 3 * n)], 1).ravel()
    starts = np.array([0, n, 2 * n, 3 * n])
    (run,) = runs_of(banded[1:-1], np.array([0, 2, *range(5, 3 * n - 2, 3), 3 * n - 2]), starts, [False] * 3)
    assert run.size == 3 * n - 2 and len(run.phases) == 3
    mixed = np.random.default_rng(0).permutation(3 * n)
    assert runs_of(mixed, np.arange(0, 3 * n + 1, 3), starts, [False] * 3) is None


def _rosenbrock(x):
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def _rosenbrock_hessian(x):
    """By hand."""
    middle = np.zeros(len(x))
    middle[:-1] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    middle[1:] += 200
    return np.diag(middle) + np.diag(-400 * x[:-1], 1) + np.diag(-400 * x[:-1], -1)


def _arwhead(x):
    return jnp.sum((x[:-1] ** 2 + x[-1] ** 2) ** 2 - 4 * x[:-1] + 3)


def _arwhead_hessian(x):
    """By hand."""
    a, b = x[:-1], x[-1]
    found = np.diag(np.append(12 * a**2 + 4 * b**2, np.sum(4 * a**2 + 12 * b**2)))
    found[:-1, -1] = found[-1, :-1] = 8 * a * b
    return found


@pytest.mark.parametrize("function, exact", [(_rosenbrock, _rosenbrock_hessian), (_arwhead, _arwhead_hessian)])
@pytest.mark.parametrize("n", [2, 3, 4, 7, 50])
@pytest.mark.parametrize("sort", [True, False])
def test_hessians_by_hand_in_either_order(function, exact, n, sort):
    x = 1 + 0.3 * np.random.default_rng(n).normal(size=n)
    prepared = landform.prepare(function, x, mode="sparse")
    np.testing.assert_allclose(prepared.hessian(x, sort=sort).toarray(), exact(x), rtol=1e-12)
    np.testing.assert_allclose(landform.hessian(function, x).sparse(sort=sort).toarray(), exact(x), rtol=1e-12)
    with jax.enable_x64(True):  # a JAX point: the values leave in one array of their own size
        np.testing.assert_allclose(landform.hessian(function, jnp.asarray(x)).sparse().todense(), exact(x), rtol=1e-12)


def _around(w):
    """A periodic stencil of two fields: in sorted rows the columns wrap, as they come they do not."""
    u, v = w.reshape(2, 5, 7)
    near = sum(jnp.roll(u, s, axis) for axis in (0, 1) for s in (1, -1))
    return jnp.stack([near + u * u * v, jnp.sin(u) * v - near]).ravel()


def test_columns_in_any_order_are_the_same_matrix():
    x = np.random.default_rng(1).normal(size=70)
    J = landform.jacobian(_around, x, mode="sparse")
    loose, dense = J.sparse(sort=False), np.asarray(jax.jacobian(_around)(jnp.asarray(x, jnp.float32)))
    assert J._program.placed.runs is None and len(J._program.placed_in_any_order.runs) <= 4
    np.testing.assert_allclose(loose.toarray(), J.dense(), rtol=1e-12)
    np.testing.assert_allclose(loose.toarray(), dense, atol=1e-5)
    assert not loose.has_sorted_indices and not loose.has_canonical_format
    np.testing.assert_array_equal(loose.sorted_indices().indices, J.sparse().indices)


def test_what_is_not_finite_is_named_in_any_order():
    names = [f"p{k}" for k in range(70)]
    x = np.ones(70)
    with pytest.raises(DerivativeError, match="p3"):
        landform.jacobian(lambda w: _around(w) * w[3] ** 1.5, x * (np.arange(70) != 3), mode="sparse", inputs=names)
        J = landform.jacobian(lambda w: _around(w) + jnp.sqrt(w), x * (np.arange(70) != 3), inputs=names)
        J.sparse(sort=False)


_COUPLED = {
    "neighbors": lambda x: jnp.sum(jnp.sin(x[1:] * x[:-1]) * jnp.exp(x[:-1] - 0.3 * x[1:]) + x[1:] * x[:-1] ** 3),
    "ring": lambda x: jnp.sum(
        jnp.sin(x * jnp.roll(x, 1)) * jnp.exp(x - 0.3 * jnp.roll(x, 1)) + x * jnp.roll(x, 1) ** 3
    ),
    "three": lambda x: jnp.sum((x[2:] - x[1:-1] ** 2 * x[:-2]) ** 2 + jnp.cos(x[1:-1] * x[2:]) / (1 + x[:-2] ** 2)),
    "arrow": lambda x: jnp.sum((x[:-1] ** 2 + x[-1] ** 2 * jnp.sin(x[:-1])) ** 2 - 4 * x[:-1] + 3),
}


@pytest.mark.parametrize("name", _COUPLED)
@pytest.mark.parametrize("n", [7, 5000])
def test_hessians_stay_symmetric_to_the_last_bit(name, n):
    p = landform.prepare(_COUPLED[name], np.ones(n), mode="sparse")
    for seed in range(2):
        x = 1 + 0.3 * np.random.default_rng(seed).normal(size=n)
        for sort in (True, False):
            H = p.hessian(x, sort=sort).tocsc().tocsr()
            assert abs(H - H.T.tocsr()).max() == 0


def test_a_result_that_is_held_is_never_written_over():
    n = SMALL // 8
    rng = np.random.default_rng(0)
    p = landform.prepare(_rosenbrock, np.ones(n), mode="sparse")
    held = []
    for _ in range(6):
        x = 1 + 0.1 * rng.normal(size=n)
        H = p.hessian(x)
        part = H.data[3:7]
        held.append((x, H if len(held) % 2 else part, H.data.copy()))
    for x, kept, data in held:
        np.testing.assert_array_equal(
            getattr(kept, "data", None) if hasattr(kept, "indptr") else kept,
            data if hasattr(kept, "indptr") else data[3:7],
        )
        np.testing.assert_allclose(data[0], 1200 * x[0] ** 2 - 400 * x[1] + 2, rtol=1e-12)


def test_memory_that_nobody_holds_serves_again():
    if jax.default_backend() != "cpu":
        pytest.skip("NumPy looks into JAX's memory on the CPU alone")
    double = Recycled(lambda x: (None, 2.0 * x), SMALL, jnp.float32)
    x = jnp.ones(SMALL, jnp.float32)
    places = []
    for _ in range(8):
        found = double(x)[1]
        places.append(found.ctypes.data)
    assert len(set(places[2:])) == 2
    np.testing.assert_array_equal(double(3 * x)[1], np.full(SMALL, 6.0))


def test_the_value_comes_beside_the_matrix():
    n = SMALL // 8
    x = 1 + 0.1 * np.random.default_rng(3).normal(size=n)
    gradient = jax.grad(_rosenbrock)
    p = landform.prepare(gradient, x, mode="sparse")
    for k in range(4):
        y, J = p.value_and_jacobian(x + k)
        with jax.enable_x64(True):
            np.testing.assert_allclose(y, np.asarray(gradient(jnp.asarray(x + k))), atol=1e-10)  # terms of some 1e3
        np.testing.assert_allclose(J.data[0], 1200 * (x[0] + k) ** 2 - 400 * (x[1] + k) + 2, rtol=1e-12)


def _stacked(w):
    """Entries that meet in one place come from two terms."""
    return _around(w) + 9.0 * w


@pytest.mark.parametrize("layers", [MOST_LAYERS, 0])
def test_slopes_that_meet_are_added(layers, monkeypatch):
    monkeypatch.setattr(assemble, "MOST_LAYERS", layers)
    x = np.random.default_rng(4).normal(size=70)
    p = landform.prepare(_stacked, x, mode="sparse")
    assert p.program.pattern.target is not None
    with jax.enable_x64(True):
        exact = np.asarray(jax.jacobian(_stacked)(jnp.asarray(x)))
    for sort in (True, False):
        np.testing.assert_allclose(p.jacobian(x, sort=sort).toarray(), exact, rtol=1e-12, atol=1e-14)
