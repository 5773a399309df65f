"""Spectra, traces, steps, layers, cuts against dense Hessians of small nets, and every refusal."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import landform
from landform.errors import DerivativeError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 5))
Y = np.sin(X @ RNG.standard_normal((5, 3)))


def loss(p, X, y):
    h = jnp.tanh(X @ p["first"]["w"] + p["first"]["b"])
    return jnp.mean(jnp.sum((h @ p["last"]["w"] + p["last"]["b"] - y) ** 2, axis=1))


def net(width: int) -> dict:
    rng = np.random.default_rng(width)
    first = {"w": rng.standard_normal((5, width)) / 2, "b": rng.standard_normal(width) / 3}
    return {"first": first, "last": {"w": rng.standard_normal((width, 3)) / 3, "b": np.zeros(3)}}


def dense(p) -> np.ndarray:
    """JAX's own Hessian, in double precision."""
    with jax.enable_x64(True):
        flat, back = ravel_pytree(p)
        return np.asarray(jax.hessian(lambda z: loss(back(z), X, Y))(flat))


SMALL, LARGE = net(6), net(60)
H = dense(LARGE)
LAND = landform.landscape(loss, LARGE, (X, Y))


def test_top_pairs_are_those_of_the_dense_matrix():
    found = LAND.top(6, tolerance=1e-6)
    truth = np.linalg.eigvalsh(H)[::-1]
    assert found.converged
    assert np.all(np.abs(found.eigenvalues - truth[:6]) <= found.errors + 1e-10)
    warm = LAND.top(6, tolerance=1e-6, start=found)
    assert warm.products <= found.products / 3
    assert list(found.to_frame().columns) == ["number", "eigenvalue", "within"]
    assert not LAND.top(6, tolerance=1e-12, most=8).converged
    assert "Not converged" in LAND.top(6, tolerance=1e-12, most=8).words
    np.testing.assert_allclose(LAND.top(2, end="bottom").eigenvalues[-1], truth[-1], atol=1e-3)


def test_trace_and_diagonal():
    found = LAND.trace(tolerance=0.05)
    assert found.estimate.lower <= np.trace(H) <= found.estimate.upper and found.converged and not found.exact
    along = LAND.diagonal(tolerance=0.2)
    slack = 1e-9 * np.abs(H).max()  # where it was had exactly
    inside = (along.lower - slack <= np.diag(H)) & (np.diag(H) <= along.upper + slack)
    assert np.mean(inside) > 0.88
    assert along.to_frame()["parameter"][0] == "first.b[0]"
    small = landform.landscape(loss, SMALL, (X, Y))
    exact = small.trace(tolerance=1e-5)
    assert exact.estimate.value == pytest.approx(np.trace(dense(SMALL)), rel=1e-9) and exact.exact


def test_density_holds_the_true_counts():
    found = LAND.density(bins=10, steps=60, probes=8)
    truth = np.histogram(np.linalg.eigvalsh(H), found.edges)[0] / len(H)
    frame = found.to_frame()
    edge_counts = 3 / len(H)  # an eigenvalue that lies on a bin's edge may count on either side
    inside = (frame["lower"] - edge_counts <= truth) & (truth <= frame["upper"] + edge_counts)
    assert inside.mean() >= 0.9
    assert "Nothing is blurred" in found.words
    small = landform.landscape(loss, SMALL, (X, Y)).density()
    assert small.shares.sum() == pytest.approx(1) and small.resolution == 0


def test_outliers_stand_apart():
    values = np.r_[np.linspace(-0.1, 0.1, 597), 5.0, 7.0, 9.0]
    found = landform.landscape(lambda x: 0.5 * jnp.sum(values * x**2), np.zeros(600)).density(steps=40)
    np.testing.assert_allclose(found.outliers, [9, 7, 5], atol=1e-6)
    assert abs(found.negative.value - 0.5) < 4 * found.negative.standard_error + 0.02


def test_shares_by_layer():
    member = np.repeat(["first", "last"], [6 * 60, 3 + 180])  # first.b, first.w, last.b, last.w
    squares = (H**2).sum(axis=1)
    truth = {name: squares[member == name].sum() / squares.sum() for name in ("first", "last")}
    found = LAND.by_layer()
    assert found.layers == ("first", "last") and found.sizes == (360, 183)
    for name, share, trace in zip(found.layers, found.shares, found.traces, strict=True):
        assert share.lower <= truth[name] <= share.upper
        assert trace.lower <= np.trace(H[member == name][:, member == name]) <= trace.upper
    assert LAND.by_layer("array").layers == ("first.b", "first.w", "last.b", "last.w")
    exact = landform.landscape(loss, SMALL, (X, Y)).by_layer()
    assert exact.exact and sum(one.value for one in exact.shares) == pytest.approx(1)


def test_intervals_of_shares_hold_as_often_as_they_say():
    values = np.r_[np.full(200, 1.0), np.full(200, 2.0)]
    Q = np.linalg.qr(np.random.default_rng(8).standard_normal((400, 400)))[0]
    A = (Q * values * np.r_[np.ones(399), 5.0]) @ Q.T
    truth = (A[:100] ** 2).sum() / (A**2).sum()
    land = landform.landscape(lambda p: 0.5 * (z := jnp.concatenate([p["a"], p["b"]])) @ (A @ z),
                              {"a": np.zeros(100), "b": np.zeros(300)})  # fmt: skip
    inside = [s.lower <= truth <= s.upper for s in (land.by_layer(seed=k, probes=20).shares[0] for k in range(200))]
    assert 0.92 <= np.mean(inside) <= 0.98


def blow_up(step, start: np.ndarray) -> float:
    """The learning rate, bisected, beyond which 400 steps from beside the minimum lead away from it."""
    low, high = 1e-3, 1e3
    for _ in range(40):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if step(middle, start.copy()) else (low, middle)
    return low


PROBLEMS = {
    "bowl": (lambda x: 0.5 * jnp.sum(np.array([1.0, 7.0, 30.0]) * x**2), np.zeros(3)),
    "quartic walls": (lambda x: jnp.sum(jnp.cosh(2 * x)) + 3 * x[0] ** 2, np.zeros(2)),
    "Rosenbrock": (lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, np.ones(2)),
    "logistic": (lambda w: jnp.mean(jnp.logaddexp(0, X @ w) - 0.5 * X @ w), np.zeros(5)),
    "ridge": (lambda w: jnp.mean((X @ w) ** 2) + 0.1 * w @ w, np.zeros(5)),
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", ["gd", "momentum", "adam"])
def test_stable_steps_against_the_bisected_blow_up(name, method):
    """Within −10 % and +40 %; Adam with its second moments held, as the threshold has it."""
    f, x = PROBLEMS[name]
    moment = 0.5 + np.arange(len(x))
    with jax.enable_x64(True):
        slope = jax.jit(jax.grad(f))

        def stays(rate: float, z: np.ndarray) -> bool:
            m, began = np.zeros_like(z), np.linalg.norm(z - x)
            for _ in range(400):
                g = np.asarray(slope(z))
                if method == "gd":
                    z = z - rate * g
                elif method == "momentum":
                    m = 0.9 * m + g
                    z = z - rate * m
                else:
                    m = 0.9 * m + 0.1 * g
                    z = z - rate * m / (np.sqrt(moment) + 1e-8)
                if not np.linalg.norm(z - x) < 100 * began:
                    return False
            return True

        truth = blow_up(stays, x + 1e-6 * np.random.default_rng(0).standard_normal(len(x)))
    found = landform.landscape(f, x).stable_step(method, second_moment=moment, learning_rate=truth)
    assert 0.9 <= found.step.value / truth <= 1.4
    assert 0.7 <= found.edge <= 1.12 and "learning rate" in found.words


def test_the_stable_step_of_a_large_net_brackets_the_truth():
    found = LAND.stable_step()
    truth = 2 / np.linalg.eigvalsh(H)[-1]
    assert found.step.lower <= truth <= found.step.upper * (1 + 1e-9)
    hill = landform.landscape(lambda x: -(x @ x), np.zeros(3)).stable_step()
    assert hill.step.value == np.inf and "No direction bends up" in hill.words


def test_slices_and_planes():
    line = LAND.slice()
    near = line.distances[20 - 2 : 20 + 3]
    np.testing.assert_allclose(line.losses[18:23], line.quadratic[18:23], rtol=0.05)
    assert line.curvature == pytest.approx(np.linalg.eigvalsh(H)[-1], rel=1e-2) and len(near) == 5
    random = LAND.slice("random", points=5)
    v = random.direction
    flat = ravel_pytree(LARGE)[0]
    w, drawn = (np.asarray(one[60:360]).reshape(5, 60) for one in (flat, v))  # Li et al. (2018): unit by unit
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=0), np.linalg.norm(w, axis=0), rtol=1e-5)
    assert not np.any(v[:60])
    moved = jax.tree.map(lambda a: a + 0.01, LARGE)
    flatland = LAND.plane("stiffest", "random", points=5, path=[LARGE, moved])
    assert flatland.losses.shape == (5, 5) and flatland.off_plane[0] < 1e-12 < flatland.off_plane[1]
    assert flatland.losses[2, 2] == pytest.approx(float(loss(LARGE, X, Y)), rel=1e-5)
    for finding in (line, flatland, LAND.density(steps=10, probes=2), LAND.by_layer(probes=3), LAND.top(2)):
        assert finding.plot() is not None and finding.words and len(finding.to_frame())


def test_batches_add_up_to_the_whole():
    batches = [(X[:25], Y[:25]), (X[25:35], Y[25:35]), (X[35:], Y[35:])]
    land = landform.landscape(loss, SMALL, batches)
    whole = landform.landscape(loss, SMALL, (X, Y))
    np.testing.assert_allclose(land.top(3).eigenvalues, whole.top(3).eigenvalues, rtol=1e-8)
    assert land.verdict().place == whole.verdict().place == "not stationary"
    assert np.isfinite(land.stable_step("adam").step.value)
    again = landform.landscape(loss, SMALL, lambda: iter(batches)).top(1)
    np.testing.assert_allclose(again.eigenvalues, whole.top(1).eigenvalues, rtol=1e-8)


def test_pytorch():
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    module = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()
    data = torch.as_tensor(X), torch.as_tensor(Y)
    f = landform.from_torch(module, data, loss=torch.nn.functional.mse_loss)
    land = landform.landscape(f, f.point)
    truth = np.linalg.eigvalsh(np.asarray(landform.hessian(f, f.point).dense()))
    np.testing.assert_allclose(land.top(3).eigenvalues, truth[::-1][:3], atol=1e-4 * truth[-1])
    assert land.by_layer().layers == ("0", "2") and land.verdict().place == "not stationary"
    assert len(land.slice("random", points=5).losses) == 5

    def by_hand(p, X, y):
        return torch.nn.functional.mse_loss(torch.func.functional_call(module, p, (X,)), y)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data), batch_size=16)
    streamed = landform.landscape(by_hand, f.point, loader).top(1)
    np.testing.assert_allclose(streamed.eigenvalues, truth[-1], rtol=1e-3)


def shuffled():
    order = SHUFFLE.permutation(60)
    return iter([(X[order[:30]], Y[order[:30]]), (X[order[30:]], Y[order[30:]])])


SHUFFLE = np.random.default_rng(1)
ORIGIN = np.ones(3)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: landform.landscape(lambda x: x**2, ORIGIN), ShapeError, "a loss with one output, got 3 outputs"),
        (lambda: landform.landscape(lambda x: x @ x, np.ones(3, int)), ShapeError, "floating-point numbers"),
        (
            lambda: landform.landscape(lambda p: p["a"] @ p["a"], {"a": ORIGIN, "unused": ORIGIN}),
            DerivativeError,
            "no change when unused moves",
        ),
        (
            lambda: landform.landscape(lambda x: jnp.sqrt(x[0] - 1.0) + x @ x, ORIGIN),
            DerivativeError,
            "a finite gradient, got (inf|nan) for x0",
        ),
        (lambda: landform.landscape(lambda x: jnp.log(-x).sum(), ORIGIN), DerivativeError, "a finite loss, got nan"),
        (lambda: landform.landscape(loss, SMALL, shuffled), DerivativeError, "batch 1 differs from the first pass"),
        (lambda: landform.landscape(loss, SMALL, iter([(X, Y)])), ShapeError, "read again for every product"),
        (lambda: landform.landscape(loss, SMALL, []), ShapeError, "batches of data, got none"),
        (lambda: landform.landscape(lambda x: x @ x, ORIGIN).top(4), ShapeError, "from 1 to 3 eigenpairs, got 4"),
        (lambda: LAND.stable_step("adagrad"), ShapeError, "choose one"),
        (lambda: LAND.stable_step("adam"), ShapeError, "Adam's second moments, got one batch"),
        (lambda: LAND.slice("sideways"), ShapeError, "got 'sideways'"),
        (lambda: LAND.slice(np.ones(4)), ShapeError, "543 finite numbers"),
        (lambda: LAND.plane("stiffest", "stiffest", points=3), ShapeError, "two different directions"),
    ],
)
def test_bad_input_is_one_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_random_losses_are_refused():
    rng = np.random.default_rng(0)

    def noisy(x):
        return x @ x + jax.pure_callback(lambda: rng.standard_normal(), jax.ShapeDtypeStruct((), np.float64)) * x[0]

    with pytest.raises(DerivativeError, match="the same each time"):
        landform.landscape(noisy, ORIGIN)
