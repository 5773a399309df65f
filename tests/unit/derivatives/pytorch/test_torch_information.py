"""Gauss-Newton and Fisher matrices, Laplacians, Taylor coefficients and batches with PyTorch.

Truth: closed forms of generalized linear models, products of dense matrices by `torch.func`, SymPy's derivatives
(`scenarios.py`), and the same function in JAX.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from torch import nn  # noqa: E402
from torch.func import functional_call  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import landform  # noqa: E402
from landform.errors import DerivativeError, ShapeError  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from scenarios_torch import TORCH  # noqa: E402
from unit.derivatives.pytorch.test_torch_refusals import Hidden, Honest, Once  # noqa: E402

RNG = np.random.default_rng(2)
X = torch.from_numpy(RNG.standard_normal((7, 3)))
W = torch.from_numpy(RNG.standard_normal(3) / 3)
SEEN = torch.from_numpy(RNG.standard_normal(7))


def close(found, truth, atol=1e-12):
    assert isinstance(found, torch.Tensor)
    assert not found.requires_grad
    np.testing.assert_allclose(found.numpy(), np.asarray(truth), rtol=0, atol=atol)


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def dense_parts(net, loss):
    """J and the loss's Hessian by torch.func."""
    point = {k: v.detach() for k, v in net.named_parameters()}
    slopes = torch.func.jacrev(lambda p: functional_call(net, p, (X,)).reshape(-1))(point)
    J = torch.cat([slopes[k].reshape(14, -1) for k in point], dim=1)
    y = net(X).detach().reshape(-1)
    return J, torch.func.jacrev(torch.func.jacrev(lambda z: loss(z.view(7, 2))))(y)


def test_gauss_newton_of_a_module_is_the_product_of_its_parts():
    net, labels = network(), torch.tensor([0, 1, 1, 0, 1, 0, 0])
    f = landform.from_torch(net, X)

    def loss(y):
        return F.cross_entropy(y, labels)

    G = landform.gauss_newton(f, loss, f.point)
    J, H = dense_parts(net, loss)
    truth = J.T @ H @ J
    dense = G.dense()
    close(dense, truth)
    assert torch.equal(dense, dense.T)
    v = torch.from_numpy(RNG.standard_normal(len(truth)))
    for _ in range(2):
        close(G @ v, truth @ v)
    close(G.quadratic(v), v @ truth @ v)
    assert G.inputs[:2] == ("0.weight[0, 0]", "0.weight[0, 1]")
    assert "reverse over reverse" in G.explain()
    assert float((landform.hessian(lambda p: loss(f(p)), f.point).dense() - truth).abs().max()) > 1e-3


def test_gauss_newton_of_trees():
    def curved(p):
        return {"a": torch.tanh(X @ p["w"]), "b": p["c"] * torch.ones(2, dtype=torch.float64)}

    def curved_in_jax(p):
        return {"a": jnp.tanh(X.numpy() @ p["w"]), "b": p["c"] * jnp.ones(2)}

    G = landform.gauss_newton(
        curved,
        lambda y: torch.cosh(y["a"]).sum() + torch.prod(y["b"]) + y["a"][0] * y["b"][1],
        {"c": torch.tensor(0.7, dtype=torch.float64), "w": W},
    )
    truth = landform.gauss_newton(
        curved_in_jax,
        lambda y: jnp.cosh(y["a"]).sum() + jnp.prod(y["b"]) + y["a"][0] * y["b"][1],
        {"c": np.array(0.7), "w": W.numpy()},
    )
    close(G.dense(), truth.dense())
    assert G.inputs == truth.inputs


def test_gauss_newton_follows_the_module_and_refuses_what_it_cannot_do():
    with pytest.raises(ShapeError, match="a loss with one output"):
        landform.gauss_newton(lambda w: X @ w, lambda y: y**2, W)
    with pytest.raises(DerivativeError, match="once_differentiable"):
        landform.gauss_newton(Once.apply, lambda y: y.sum(), W).dense()
    with pytest.raises(DerivativeError, match="once_differentiable"):
        landform.gauss_newton(lambda w: X @ w, lambda y: Once.apply(y).sum(), W).dense()
    net = network()
    f = landform.from_torch(net, X, parameters=["0.weight"])
    G = landform.gauss_newton(f, lambda y: (y**2).sum(), f.point)
    with torch.no_grad():
        net[0].bias.add_(1.0)
    with pytest.raises(DerivativeError, match="changed since"):
        G.dense()


CLOSED = {
    "bernoulli": lambda eta: torch.sigmoid(eta) * torch.sigmoid(-eta),
    "poisson": torch.exp,
    "gaussian": lambda eta: torch.full_like(eta, 1 / 0.5**2),
}


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("scale", [0.0, 1.0, 300.0], ids=["at zero", "near", "far"])
def test_fisher_of_generalized_linear_models(name, scale):
    w = W * (scale if name == "bernoulli" else min(scale, 1.0))
    truth = X.T @ torch.diag(CLOSED[name](X @ w)) @ X
    close(landform.fisher(lambda z: X @ z, w, name, sigma=0.5).dense(), truth)


def test_fisher_of_logits_over_classes():
    p = torch.softmax(X, dim=-1)
    truth = torch.block_diag(*(torch.diag(row) - torch.outer(row, row) for row in p))
    close(landform.fisher(lambda z: z, X, "categorical").dense(), truth)


@pytest.mark.parametrize("name", ["categorical", *CLOSED])
def test_monte_carlo_fisher_is_within_its_error(name):
    f = landform.from_torch(network(), X)
    exact = landform.fisher(f, f.point, name).dense()
    drawn = landform.fisher(f, f.point, name, kind="monte carlo", samples=500, seed=1)
    error = drawn.error()
    off = (drawn.dense() - exact).numpy()[error > 0] / error[error > 0]
    assert 0.5 < off.std() < 1.5
    assert drawn.standard_error(torch.ones(len(exact), dtype=torch.float64)) > 0


def test_empirical_fisher_is_the_sum_of_outer_products():
    f = landform.from_torch(network(), X)
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 0])
    rows = landform.jacobian(lambda p: F.cross_entropy(f(p), labels, reduction="none"), f.point).dense()

    def log_likelihood(eta, targets):
        return -F.cross_entropy(eta, targets, reduction="none")

    for named in ("categorical", log_likelihood):
        for targets in (labels, labels.numpy()):
            close(landform.fisher(f, f.point, named, kind="empirical", targets=targets).dense(), rows.T @ rows)


def test_a_log_likelihood_of_ones_own_is_drawn_from():
    def likelihood(eta, y):
        return -((y - eta) ** 2) / 2

    drawn = landform.fisher(
        lambda w: X @ w, W, likelihood, kind="monte carlo", samples=2000, draw=lambda eta, rng: rng.normal(eta)
    )
    truth = (X.T @ X).numpy()
    assert np.all(np.abs(drawn.dense().numpy() - truth) < 5 * drawn.error())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_laplacian(scenario):
    truth = np.trace(scenario.hessian, axis1=1, axis2=2)
    size = max(1.0, float(np.abs(scenario.hessian).max())) * scenario.n
    f, x = TORCH[scenario.name], torch.from_numpy(scenario.x)
    close(landform.laplacian(f, x), truth, 1e-12 * size)
    close(landform.laplacian(f, x, memory="16 B"), truth, 1e-12 * size)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_taylor_coefficients(scenario):
    """To second order SymPy's, to fourth those of JAX."""
    v = np.round(RNG.standard_normal(scenario.n), 2)
    found = landform.taylor(TORCH[scenario.name], torch.from_numpy(scenario.x), torch.from_numpy(v), order=4)
    truth = landform.taylor(scenario.function, scenario.x, v, order=4)
    size = max(1.0, float(np.abs(truth).max()))
    close(found, truth, 1e-10 * size)
    close(found[1], scenario.jacobian @ v, 1e-12 * size)
    close(found[2], np.einsum("mjk,j,k->m", scenario.hessian, v, v) / 2, 1e-12 * size)
    close(landform.taylor(TORCH[scenario.name], torch.from_numpy(scenario.x), v, order=0)[0], scenario.value, 1e-12)


def test_second_order_is_refused_where_a_rule_allows_one():
    with pytest.raises(DerivativeError, match="once_differentiable"):
        landform.taylor(Once.apply, W, W, order=1)
    with pytest.raises(DerivativeError, match="once_differentiable"):
        landform.laplacian(Once.apply, W)


def test_curves_that_a_rule_hides_are_no_zeros():
    close(landform.taylor(Honest.apply, W, W, order=3)[2], 3 * W**3)
    close(landform.laplacian(Honest.apply, W), 6 * W)
    for f in (Hidden.apply, lambda x: Hidden.apply(x).sum()):
        with pytest.raises(DerivativeError, match="cut off"):
            landform.taylor(f, W, W, order=2)
        with pytest.raises(DerivativeError, match="cut off"):
            landform.laplacian(f, W)


def test_batches():
    net = network()
    J = landform.jacobian(net, X, batched=True, memory="1 KiB")
    assert J.shape == (7, 2, 3)
    assert J.chunk < 7
    close(J.dense(), torch.stack([landform.jacobian(net, x).dense() for x in X]))
    assert J.to_frame().shape == (14, 3)


def test_batches_of_trees():
    points = {"rate": X, "scale": X[:, 0].exp()}
    J = landform.jacobian(lambda p: p["rate"] * p["scale"], points, batched=True)
    assert J.inputs == ("rate[0]", "rate[1]", "rate[2]", "scale")
    truth = torch.cat([torch.diag_embed(points["scale"][:, None].expand(-1, 3)), X[:, :, None]], dim=2)
    close(J.dense(), truth)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (X[0], "points as rows"),
        ({"a": X, "b": X[:5]}, "points as rows"),
        (torch.where(torch.arange(21).view(7, 3) == 10, torch.nan, X), "finite numbers.*3, 1"),
        (torch.ones(4, 3, dtype=torch.int64), "dtype torch.int64"),
    ],
    ids=["one point", "different numbers of rows", "not finite", "whole numbers"],
)
def test_batches_refused_in_one_sentence(points, words):
    with pytest.raises(ShapeError, match=words):
        landform.jacobian(lambda p: p, points, batched=True)


def test_outputs_are_named_by_their_keys():
    def f(x):
        return {"rise": x[0] * x, "crumb": [x.sum(), x.view(1, 3)]}

    assert landform.jacobian(f, W).outputs == (
        *(f"rise[{i}]" for i in range(3)),
        "crumb[0]",
        *(f"crumb[1][0, {i}]" for i in range(3)),
    )
    assert landform.jacobian(lambda x: x.view(1, 3) * 2.0, W).outputs == ("y[0, 0]", "y[0, 1]", "y[0, 2]")
    assert landform.jacobian(lambda x: x * 2.0, W).outputs == ("y0", "y1", "y2")
    assert landform.jacobian(lambda x: x.sum(), W).outputs == ("y",)
