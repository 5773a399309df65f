"""Influence against closed forms of least squares, and against fits made again without a row by another solver."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

import landform
from landform.errors import DerivativeError, ShapeError

RNG = np.random.default_rng(0)
X = np.column_stack([np.ones(40), RNG.standard_normal((40, 3))])
Y = X @ [1.0, 2.0, -1.0, 0.5] + RNG.standard_normal(40)
NEW = np.array([1.0, 0.3, -0.2, 2.0])
LABELS = (Y > 1).astype(float)
W = np.linalg.lstsq(X, Y, rcond=None)[0]


def squares(w, X, y):
    return jnp.sum((X @ w - y) ** 2)


def mean_of_squares(w, X, y):
    return jnp.mean((X @ w - y) ** 2)


def left_out_of_least_squares(penalty: float, rows: range) -> np.ndarray:
    """Predictions at NEW of ridge fits without each row, solved anew."""
    best = np.linalg.solve(X.T @ X + penalty * np.eye(4), X.T @ Y)
    kept = [np.delete(np.arange(40), k) for k in rows]
    return np.array([NEW @ (np.linalg.solve(X[k].T @ X[k] + penalty * np.eye(4), X[k].T @ Y[k]) - best) for k in kept])


@pytest.mark.parametrize(("loss", "reduction"), [(squares, "sum"), (mean_of_squares, "mean")])
def test_least_squares_are_had_exactly(loss, reduction):
    found = landform.landscape(loss, W, (X, Y), reduction=reduction).influence(lambda w: NEW @ w, tolerance=1e-9)
    np.testing.assert_allclose(found.change[:, 0], left_out_of_least_squares(0.0, range(40)), rtol=1e-7, atol=1e-10)
    leverage = np.diag(X @ np.linalg.solve(X.T @ X, X.T))
    residuals = Y - X @ W
    np.testing.assert_allclose(found.loss, residuals**2, rtol=1e-10, atol=1e-13)  # a difference, for the sum
    np.testing.assert_allclose(found.loss_without, (residuals / (1 - leverage)) ** 2, rtol=1e-6)  # Allen's PRESS
    assert found.settled.all() and found.slack < 1e-6


def test_a_penalty_stays_where_it_is():
    best = np.linalg.solve(X.T @ X + 3 * np.eye(4), X.T @ Y)
    land = landform.landscape(lambda w, X, y: squares(w, X, y) + 3 * w @ w, best, (X, Y), reduction="sum")
    found = land.influence(lambda w: NEW @ w, rows=[0, 7, 39], tolerance=1e-9)
    expected = left_out_of_least_squares(3.0, range(40))[[0, 7, 39]]
    np.testing.assert_allclose(found.change[:, 0], expected, rtol=1e-7, atol=1e-10)


def test_batches_count_rows_over_all_of_them():
    batches = [(X[:15], Y[:15]), (X[15:39], Y[15:39]), (X[39:], Y[39:])]
    whole = landform.landscape(mean_of_squares, W, (X, Y)).influence(lambda w: NEW @ w)
    parted = landform.landscape(mean_of_squares, W, batches).influence(lambda w: NEW @ w)
    np.testing.assert_allclose(parted.change, whole.change, rtol=1e-6, atol=1e-9)


def test_a_start_off_the_minimum_is_said_and_does_not_matter():
    land = landform.landscape(mean_of_squares, W + 0.3, (X, Y))
    found = land.influence(lambda w: NEW @ w, tolerance=1e-6)
    np.testing.assert_allclose(found.change[:, 0], left_out_of_least_squares(0.0, range(40)), rtol=1e-4, atol=1e-7)
    assert "not at the minimum" in found.words


def test_a_hessian_that_does_not_fit_is_used_by_its_products():
    land = landform.landscape(mean_of_squares, W, (X, Y), memory="100 B")
    found = land.influence(lambda w: NEW @ w, rows=[3], tolerance=1e-6)
    np.testing.assert_allclose(found.change[0, 0], left_out_of_least_squares(0.0, range(3, 4))[0], rtol=1e-4)
    with pytest.raises(ShapeError, match="choose a few rows"):
        land.influence(lambda w: NEW @ w)


NET = {"first": {"w": RNG.standard_normal((3, 4)), "b": np.zeros(4)}, "last": {"w": RNG.standard_normal(4)}}
FLAT, BACK = ravel_pytree(NET)


def predict(p, X):
    return jnp.tanh(X[:, 1:] @ p["first"]["w"] + p["first"]["b"]) @ p["last"]["w"]


def net_loss(p, X, y):
    penalty = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(p))
    return jnp.mean(jax.nn.softplus(predict(p, X)) - y * predict(p, X)) + 3e-3 * penalty


RUN = jax.jit(jax.value_and_grad(lambda t, X, y: net_loss(BACK(t), X, y)))
BEND = jax.jit(jax.hessian(lambda t, X, y: net_loss(BACK(t), X, y)))


def fitted(start, rows):
    """Parameters by SciPy's BFGS from a start, then by Newton's steps to rounding."""
    with jax.enable_x64(True):
        data = X[rows], LABELS[rows]
        t = minimize(lambda t: [np.asarray(v) for v in RUN(t, *data)], start, jac=True, options={"gtol": 1e-7}).x
        for _ in range(4):
            t = t - np.linalg.solve(BEND(t, *data), RUN(t, *data)[1])
        assert np.abs(RUN(t, *data)[1]).max() < 1e-12
        return np.asarray(t)


def in_tree(t):
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, BACK(t))


def test_a_network_against_fits_made_again_by_scipy():
    best = fitted(FLAT, np.arange(40))
    at = X[5:8] + 0.3
    found = landform.landscape(net_loss, in_tree(best), (X, LABELS)).influence(lambda p: predict(p, at))
    truth = []
    for row in range(40):
        again = fitted(best, np.delete(np.arange(40), row))
        with jax.enable_x64(True):
            truth.append(np.asarray(predict(in_tree(again), at) - predict(in_tree(best), at)))
    gap, settled = np.abs(found.change - truth), found.settled
    assert settled.sum() >= 38
    assert np.mean(gap[settled] <= found.doubt[settled] + 1e-6) >= 0.95
    ours, theirs = found.change[settled].ravel(), np.array(truth)[settled].ravel()
    assert np.corrcoef(ours, theirs)[0, 1] >= 0.999
    assert 0.98 <= ours @ theirs / (theirs @ theirs) <= 1.02
    assert found.gradients <= 8 * 40


def test_single_precision_answers_within_its_bars():
    single = W.astype(np.float32)
    with jax.enable_x64(False):
        land = landform.landscape(
            mean_of_squares, jnp.asarray(single), (jnp.asarray(X, jnp.float32), jnp.asarray(Y, jnp.float32))
        )
        found = land.influence(lambda w: jnp.asarray(NEW, jnp.float32) @ w)
    gap = np.abs(found.change[:, 0] - left_out_of_least_squares(0.0, range(40)))
    assert gap.max() < 2e-3 * np.abs(found.change).max()


def test_torch_modules_bring_their_data():
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    net = torch.nn.Linear(4, 1, bias=False).double()
    with torch.no_grad():
        net.weight[:] = torch.as_tensor(W)
    data, new = (torch.as_tensor(X), torch.as_tensor(Y)[:, None]), torch.as_tensor(NEW)
    f = landform.from_torch(net, data, loss=torch.nn.functional.mse_loss)
    land = landform.landscape(f, f.point)
    found = land.influence(lambda p: p["weight"] @ new, tolerance=1e-9)
    np.testing.assert_allclose(found.change[:, 0], left_out_of_least_squares(0.0, range(40)), rtol=1e-6, atol=1e-9)


def test_a_row_that_alone_determines_a_parameter_is_said():
    alone = np.zeros(40)
    alone[12] = 1.0
    wide = np.column_stack([X, alone])
    best = np.linalg.lstsq(wide, Y, rcond=None)[0]
    found = landform.landscape(mean_of_squares, best, (wide, Y)).influence(lambda w: w[1])
    assert not found.settled[12] and found.settled.sum() == 39  # leverage 1: its residual is 0 with and without it
    assert "not reliable: 12" in found.words


def test_losses_of_rows_of_a_sum_leave_its_penalty_out():
    best = np.linalg.solve(X.T @ X + 3 * np.eye(4), X.T @ Y)
    batches = [(X[:1], Y[:1]), (X[1:], Y[1:])]
    land = landform.landscape(lambda w, X, y: squares(w, X, y) + 1.5 * w @ w, best, batches, reduction="sum")
    found = land.influence(lambda w: NEW @ w, tolerance=1e-9)
    np.testing.assert_allclose(found.loss[1:], (Y - X @ best)[1:] ** 2, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.change[:, 0], left_out_of_least_squares(3.0, range(40)), rtol=1e-6, atol=1e-9)


def test_table_words_and_pictures():
    found = landform.landscape(mean_of_squares, W, (X, Y)).influence(lambda w: {"here": NEW @ w, "slope": w[1]})
    frame = found.to_frame()
    assert frame["row"][0] == found.rows[np.argmax(np.abs(found.change[:, 0]))]
    assert len(frame) == 40 and len(found.pictures()) == 2
    assert f"Without row {frame['row'][0]}, here changes by" in found.words
    alone = landform.landscape(mean_of_squares, W, (X, Y)).influence()
    assert len(alone.pictures()) == 1 and "out of it, on average" in alone.words


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: landform.landscape(lambda w: squares(w, X, Y), W).influence(), ShapeError, "data apart"),
        (
            lambda: landform.landscape(lambda w, X, y: squares(w, X, y) + w @ w, W, (X[:1], Y[:1])).influence(),
            ShapeError,
            "two rows",
        ),
        (lambda: landform.landscape(squares, W, (X, Y)).influence(rows=[40]), ShapeError, "from 0 to 39"),
        (lambda: landform.landscape(squares, W, (X, Y)).influence(rows=[1.5]), ShapeError, "from 0 to 39"),
        (lambda: landform.landscape(squares, W, (X, Y)).influence(damping=-1.0), ShapeError, "damping from 0 on"),
        (
            lambda: landform.landscape(
                lambda w, X, y: squares(w[:4], X, y) + (w[4] ** 4), [*W, 0.0], (X, Y)
            ).influence(),
            DerivativeError,
            "curvature along every direction",
        ),
        (
            lambda: landform.landscape(
                lambda w, X, y, m: squares(w, X, y) * m.sum(), W, (X, Y, np.ones(3))
            ).influence(),
            ShapeError,
            "first axes of 40, 40, 3",
        ),
    ],
)
def test_what_cannot_be_left_out_is_said(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_damping_holds_what_has_no_curvature():
    land = landform.landscape(lambda w, X, y: mean_of_squares(w[:4], X, y) + w[4] ** 4, [*W, 0.0], (X, Y))
    found = land.influence(lambda w: NEW @ w[:4], damping=1e-9, tolerance=1e-6)
    np.testing.assert_allclose(found.change[:, 0], left_out_of_least_squares(0.0, range(40)), rtol=1e-3, atol=1e-6)
    assert "damping" in found.words
