"""Layers found in ATen graphs, against `torch.func.jacrev`; modules of every kind, and what cannot be traced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from torch import nn  # noqa: E402
from torch.func import functional_call, jacrev  # noqa: E402
from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402

import landform  # noqa: E402
from landform.backends.torch.layered import Layered  # noqa: E402
from landform.derivatives.kronecker import outputs_by_layers  # noqa: E402
from landform.derivatives.kronecker.outputs import row_slopes  # noqa: E402
from landform.errors import DerivativeError, LandformError  # noqa: E402


class Attentive(nn.Module):
    """Attention, a LayerNorm, and a product with a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(3, 8), nn.LayerNorm(8), nn.Linear(5, 2)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.own = nn.Parameter(torch.randn(8, 5))

    def forward(self, x):
        h = self.first(x)
        z = self.norm(h)
        h = h + self.attention(z, z, z, need_weights=False)[0]
        return self.last(torch.tanh(h.mean(1) @ self.own))


class Worded(nn.Module):
    """A transformer over looked-up words."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.place = nn.Embedding(11, 6), nn.Parameter(torch.randn(4, 6))
        self.layer = nn.TransformerEncoderLayer(6, 2, 12, batch_first=True, norm_first=True)
        self.last = nn.Linear(6, 3)

    def forward(self, words):
        return self.last(self.layer(self.table(words) + self.place).mean(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.last = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.cell(x)[0][:, -1])


class Tied(nn.Module):
    """One layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = nn.Linear(3, 3), nn.Linear(3, 2, bias=False)

    def forward(self, x):
        return self.last(torch.tanh(self.inner(torch.tanh(self.inner(x)))))


class Reluctant(nn.Module):
    """Steps that depend on values: it cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 2)

    def forward(self, x):
        return self.inner(x) if float(x.detach().sum()) > 0 else 2 * self.inner(x)


def convolutional():
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 3, bias=False),
        nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip


def along_a_line():
    return nn.Sequential(nn.Conv1d(2, 3, 3, padding=1, dilation=1), nn.GELU(), nn.Flatten(), nn.Linear(24, 2))


CASES = {
    "convolutional": (convolutional, (6, 2, 8, 8), 3, {"1.weight", "1.bias"}),
    "along a line": (along_a_line, (6, 2, 8), 2, set()),
    "grouped": (lambda: nn.Sequential(nn.Conv1d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(8, 2)), (6, 4, 4), 1,
                {"0.weight", "0.bias"}),
    "attentive": (Attentive, (6, 4, 3), 5, {"norm.weight", "norm.bias"}),
    "worded": (Worded, (6, 4), 6, {"table.weight", *(f"layer.norm{k}.{w}" for k in "12" for w in ("weight", "bias"))}),
    "recurrent": (Recurrent, (6, 5, 3), 3, set()),
    "tied": (Tied, (6, 3), 2, set()),
    "one by one": (Reluctant, (6, 3), 0, {"inner.weight", "inner.bias"}),
}  # fmt: skip


def made(name):
    torch.manual_seed(0)
    make, shape, layers, outside = CASES[name]
    module = make().double().eval()
    X = torch.randint(11, shape) if name == "worded" else torch.randn(shape, dtype=torch.float64)
    return module, {k: v.detach() for k, v in module.named_parameters()}, X, layers, outside


@pytest.mark.parametrize("name", CASES)
def test_slopes_by_layers_are_those_of_the_module(name):
    module, p, X, layers, outside = made(name)
    if name == "one by one":
        X = X.abs()
    found = outputs_by_layers(module, p, (X,))
    assert len(found.layered.sites) == layers
    assert {found.labels[k] for k in found.layered.rest} == outside
    slopes = np.concatenate([row_slopes(found, part) for _, part in found.stream((X,), None, found.m)], 1)
    with sdpa_kernel(SDPBackend.MATH):
        if name == "one by one":
            J = jacrev(lambda p: torch.nn.functional.linear(X, p["inner.weight"], p["inner.bias"]))(p)
        else:
            J = jacrev(lambda p: functional_call(module, p, (X,)))(p)
    truth = np.concatenate([v.reshape(len(X), found.m, -1).numpy() for v in J.values()], 2)
    np.testing.assert_allclose(slopes.transpose(1, 0, 2), truth, atol=1e-12)


def test_a_single_layer_with_squared_loss_is_exact_and_single_precision_serves():
    torch.manual_seed(0)
    layer, X = nn.Linear(3, 2).double(), torch.randn(9, 3, dtype=torch.float64)
    K = landform.kronecker(layer, dict(layer.named_parameters()), X, "gaussian")
    truth = np.asarray(
        landform.fisher(landform.from_torch(layer, X), dict(layer.named_parameters()), "gaussian").dense()
    )
    np.testing.assert_allclose(K.dense(), truth, atol=1e-12)
    short = landform.kronecker(layer.float(), dict(layer.named_parameters()), X.float(), "gaussian")
    np.testing.assert_allclose(short.dense(), truth, rtol=1e-4, atol=1e-4)


def test_what_is_not_in_a_layer_has_its_exact_block():
    module, p, X, *_ = made("attentive")
    K = landform.kronecker(module, p, X, "categorical")
    truth = np.asarray(landform.fisher(landform.from_torch(module, X), p, "categorical").dense())
    for block in K.blocks:
        if block.how.startswith("whole"):
            np.testing.assert_allclose(block.dense(), truth[np.ix_(block.places, block.places)], atol=1e-12)
    assert "norm.weight: whole block, used by 'native_layer_norm'" in K.explain()
    assert module.own.requires_grad and module.own.grad is None


def test_rows_that_depend_on_each_other_are_refused():
    module, p, X, *_ = made("convolutional")
    with pytest.raises(LandformError, match="training mode"):
        landform.kronecker(module.train(), p, X, "gaussian")


class Steeper(torch.autograd.Function):
    """A rule of its own that is not the derivative of what it computes."""

    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, g):
        return 5 * g


def test_a_derivative_rule_of_its_own_is_kept():
    module, p, X, *_ = made("tied")
    plain = np.asarray(landform.fisher(landform.from_torch(module, X), p, "gaussian").dense())
    K = landform.kronecker(lambda p, x: Steeper.apply(functional_call(module, p, (x,))), p, X, "gaussian")
    for block in K.blocks:
        np.testing.assert_allclose(block.dense(), 25 * plain[np.ix_(block.places, block.places)], atol=1e-10)
    assert "not traced" in K.explain()


def test_derivatives_that_tracing_got_wrong_are_noticed(monkeypatch):
    """A planted fault: slopes of every layer doubled."""
    module, p, X, *_ = made("tied")
    right = Layered.at

    def wrong(self, *args):
        rows = right(self, *args)
        return replace(rows, slopes=[2 * one for one in rows.slopes])

    monkeypatch.setattr(Layered, "at", wrong)
    with pytest.raises(DerivativeError, match="derivatives by layers"):
        landform.kronecker(module, p, X, "gaussian")


def test_uncertainty_of_a_module_is_that_of_its_twin_in_jax():
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    X, y, new = torch.randn(30, 3).double(), torch.randint(3, (30,)), torch.randn(4, 3).double()
    f = landform.from_torch(module, (X, y), loss=nn.functional.cross_entropy)
    land = landform.landscape(f, f.point)
    import jax
    import jax.numpy as jnp

    p = {k: v.numpy() for k, v in f.point.items()}

    def net(p, X):
        return jnp.tanh(X @ p["0.weight"].T + p["0.bias"]) @ p["2.weight"].T + p["2.bias"]

    def loss(p, X, y):
        z = net(p, X)
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])

    twin = landform.landscape(loss, p, (X.numpy(), y.numpy()), predict=net)
    for method in ("kronecker", "corrected", "diagonal", "full", "last layer"):
        ours, other = land.uncertainty(new, method), twin.uncertainty(new.numpy(), method)
        np.testing.assert_allclose(ours.covariance, other.covariance, rtol=1e-4)
        np.testing.assert_allclose(ours.mean, other.mean, rtol=1e-6)
    assert land.effective_dimension().estimate.value == pytest.approx(
        twin.effective_dimension().estimate.value, rel=1e-4
    )
    with pytest.raises(LandformError, match="tensors for a PyTorch model"):
        land.uncertainty(new.numpy())
