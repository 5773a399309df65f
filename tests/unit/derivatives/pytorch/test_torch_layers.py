"""PyTorch's Hessians by layers against `torch.autograd.functional` in double precision, and every way out of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import landform  # noqa: E402
from landform.backends.torch.layers import hessian as formed  # noqa: E402

GENERATOR = torch.Generator().manual_seed(4)
ROWS = 11


def draw(*shape):
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


X, Y, LABELS = draw(ROWS, 5), draw(ROWS, 3), torch.arange(ROWS) % 3


def mlp(*between, sizes=(5, 12, 9, 3)):
    torch.manual_seed(1)
    parts = []
    for a, b in pairwise(sizes):
        parts += [nn.Linear(a, b), *between]
    return nn.Sequential(*parts[: len(parts) - len(between)]).double().eval()


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(5, 12), nn.Linear(12, 12, bias=False), nn.Linear(12, 3)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        return self.c(h + F.softplus(self.b(h)) * h)


class Shifted(nn.Module):
    """Weights stored features first, a bias taken off, tokens folded into rows."""

    def __init__(self):
        super().__init__()
        self.w, self.v = nn.Parameter(draw(5, 12)), nn.Parameter(draw(12, 9))
        self.b, self.u = nn.Parameter(draw(12)), nn.Parameter(draw(9, 3))

    def forward(self, x):
        h = torch.sin(x @ self.w - self.b)
        h = F.softmax(h.view(-1, 1, 12) @ self.v, dim=-1)
        return (self.u.T @ h.squeeze(1).T).T


def bare_norm(width):
    return nn.LayerNorm(width, elementwise_affine=False)


def squared(out, target=Y):
    return F.mse_loss(out, target)


def entropy(out, labels=LABELS):
    return F.cross_entropy(out, labels)


NETS = {
    "tanh, squares": (mlp(nn.Tanh()), squared),
    "relu in place, entropy": (mlp(nn.ReLU(inplace=True)), entropy),
    "gelu, entropy": (mlp(nn.GELU()), entropy),
    "silu, smoothed entropy": (mlp(nn.SiLU()), lambda out: F.cross_entropy(out, LABELS, label_smoothing=0.1)),
    "elu, logits": (mlp(nn.ELU()), lambda out: F.binary_cross_entropy_with_logits(out, (Y > 0).double())),
    "softplus, Huber": (mlp(nn.Softplus()), lambda out: F.huber_loss(out, Y, reduction="sum")),
    "dropout at rest": (mlp(nn.Tanh(), nn.Dropout(0.5)), squared),
    "layers with norms of rows": (
        nn.Sequential(
            nn.Linear(5, 16), bare_norm(16), nn.GELU(), nn.Linear(16, 16), nn.Sigmoid(), nn.Linear(16, 3)
        ).double(),
        squared,
    ),
    "residual": (Residual().double(), entropy),
    "weights stored the other way": (Shifted(), squared),
    "a product of residuals": (mlp(nn.Tanh()), lambda out: (out - Y)[:, 0] @ (out - Y)[:, 0] / 2),
    "written out": (mlp(nn.Tanh()), lambda out: -torch.log_softmax(out, 1).gather(1, LABELS[:, None]).mean()),
    "a row at a time": (mlp(nn.Tanh()), lambda out: sum((row - y).pow(4).sum() for row, y in zip(out, Y, strict=True))),
}


def close(found, truth):
    torch.testing.assert_close(found, truth, rtol=0, atol=1e-12 * float(truth.abs().max()))


def exact(f):
    parts = {name: value.shape for name, value in f.point.items()}
    x = torch.cat([value.reshape(-1) for value in f.point.values()])

    def flat(z):
        values = z.split([shape.numel() for shape in parts.values()])
        return f({name: v.view(shape) for (name, shape), v in zip(parts.items(), values, strict=True)})

    return torch.autograd.functional.hessian(flat, x)


@pytest.mark.parametrize("name", NETS)
def test_networks_go_by_layers(name):
    module, loss = NETS[name]
    f = landform.from_torch(module, (X,), loss=loss)
    H = landform.hessian(f, f.point)
    assert H.plan.mode == "by layers", H.explain()
    found = H.dense()
    assert H.plan.mode == "by layers", H.explain()
    assert torch.equal(found, found.T)
    assert not found.requires_grad
    close(found, exact(f))


def test_penalties_count_beside_the_layers():
    module = mlp(nn.Tanh())

    def loss(p):
        return squared(torch.func.functional_call(module, p, (X,))) + 0.1 * sum((w**4).sum() for w in p.values())

    point = {name: value.detach() for name, value in module.named_parameters()}
    H = landform.hessian(loss, point)
    assert H.plan.mode == "by layers", H.explain()
    found = H.dense()
    assert H.plan.mode == "by layers" and torch.equal(found, found.T)
    tensors = list(point.values())
    blocks = torch.autograd.functional.hessian(
        lambda *w: loss(dict(zip(point, w, strict=True))), tuple(tensors), vectorize=True
    )
    rows = [torch.cat([b.reshape(a.numel(), -1) for b in row], 1) for a, row in zip(tensors, blocks, strict=True)]
    close(found, torch.cat(rows))


def test_one_vector_one_row_and_a_few_of_the_parameters():
    x = draw(5 * 40 + 40 + 40 * 3)

    def loss(z):
        w, b, v = z[:200].view(40, 5), z[200:240], z[240:].view(3, 40)
        return torch.log1p((v @ torch.tanh(w @ X[0] + b) - Y[0]).square().sum())

    H = landform.hessian(loss, x)
    close(H.dense(), torch.autograd.functional.hessian(loss, x))
    assert H.plan.mode == "by layers" and "over 1 rows" in H.explain()
    f = landform.from_torch(
        mlp(nn.Tanh(), sizes=(5, 30, 30, 3)), (X,), loss=entropy, parameters=["0.weight", "2.weight"]
    )
    H = landform.hessian(f, f.point)
    close(H.dense(), exact(f))
    assert H.plan.mode == "by layers", H.explain()


def test_images_through_fixed_convolutions():
    torch.manual_seed(2)
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 10), nn.Tanh(), nn.Linear(10, 3))
    module = module.double()
    images = draw(ROWS, 1, 6, 6)
    head = [name for name, _ in module.named_parameters() if not name.startswith("0.")]
    f = landform.from_torch(module, (images,), loss=entropy, parameters=head)
    H = landform.hessian(f, f.point)
    close(H.dense(), exact(f))
    assert H.plan.mode == "by layers", H.explain()
    f = landform.from_torch(module, (images,), loss=entropy)
    H = landform.hessian(f, f.point)
    assert "not by layers" in H.explain()
    close(H.dense(), exact(f))


def test_weights_of_several_outputs_and_single_precision():
    module = mlp(nn.Tanh(), sizes=(5, 20, 20, 3)).float()
    f = landform.from_torch(module, (X.float(),), loss=lambda out: (out - Y.float()).square().sum(0))
    u = torch.tensor([0.5, -1.0, 2.0])
    H = landform.hessian(f, f.point, weights=u)
    found = H.dense()
    assert H.plan.mode == "by layers" and found.dtype == torch.float32
    double = landform.from_torch(
        mlp(nn.Tanh(), sizes=(5, 20, 20, 3)), (X,), loss=lambda out: ((out - Y) ** 2).sum(0) @ u.double()
    )
    torch.testing.assert_close(found.double(), exact(double), rtol=0, atol=2e-6 * float(found.abs().max()))


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.scale, self.c = nn.Linear(5, 30), nn.Parameter(torch.ones(30)), nn.Linear(30, 3)

    def forward(self, x):
        return self.c(torch.tanh(self.a(x)) * self.scale)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(5, 14), nn.Linear(14, 14), nn.Linear(14, 3)

    def forward(self, x):
        return self.c(torch.tanh(self.b(torch.tanh(self.b(torch.tanh(self.a(x)))))))


class Doubled(torch.autograd.Function):
    """Its derivative is not that of what it computes."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return 2 * g


BIG = mlp(nn.Tanh(), sizes=(5, 20, 20, 3))
OTHERS = {
    "rows mixed": (BIG, lambda out: squared(out - out.mean(0)), "not linear"),
    "softmax over rows": (BIG, lambda out: (torch.softmax(out, 0) * Y).sum(), "mixes rows"),
    "rows turned over": (BIG, lambda out: squared(out * out.flip(0)), "mixes rows"),
    "rows against rows": (BIG, lambda out: (out @ out.T).square().sum(), "mixes rows"),
    "a root of a sum": (BIG, lambda out: squared(out).sqrt(), "not linear"),
    "weights that scale": (Scaled().double(), squared, "mixes weights"),
    "a weight twice": (Twice().double(), squared, "two layers"),
    "a rule of its own": (BIG, lambda out: squared(Doubled.apply(out)), "rule of its own"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_has_no_layers_goes_by_products_and_says_why(name):
    module, loss, why = OTHERS[name]
    f = landform.from_torch(module, (X,), loss=loss)
    H = landform.hessian(f, f.point)
    found = H.dense()
    assert "not by layers: " in H.explain() and why in H.explain()
    assert H.plan.mode == "reverse over reverse"
    v = draw(H.shape[0])
    torch.testing.assert_close(found @ v, H @ v, rtol=0, atol=1e-11 * float(found.abs().max()) * len(v))


def test_a_fault_is_caught_by_the_product(monkeypatch):
    """Rows of the second derivative lost: the matrix is formed again by products."""
    f = landform.from_torch(BIG, (X,), loss=squared)
    right = formed._curves

    def wrong(*args):
        slopes, moves = right(*args)
        return {k: s * 0.999 for k, s in slopes.items()}, moves

    monkeypatch.setattr(formed, "_curves", wrong)
    H = landform.hessian(f, f.point)
    close(H.dense(), exact(f))
    assert "miss a product" in H.explain() and H.plan.mode == "reverse over reverse"


def test_memory_for_layers():
    f = landform.from_torch(BIG, (X,), loss=squared)
    n = sum(value.numel() for value in f.point.values())
    assert "more than the memory budget" in landform.hessian(f, f.point, memory=8 * n * n + 1000).explain()


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(8, 24), min_size=1, max_size=3),
    st.integers(1, 9),
    st.sampled_from([torch.tanh, torch.sin, F.silu]),
    st.booleans(),
)
def test_any_widths_and_rows(widths, rows, bend, bias):
    sizes = [9, *widths, 2]
    layers = [nn.Linear(a, b, bias=bias).double() for a, b in pairwise(sizes)]
    data, target = draw(rows, 9), draw(rows, 2)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(layers)

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = bend(layer(x))
            return self.layers[-1](x)

    f = landform.from_torch(Net(), (data, target), loss=F.mse_loss)
    H = landform.hessian(f, f.point)
    found = H.dense()
    assert torch.equal(found, found.T)
    close(found, exact(f))
    assert "miss" not in H.explain()
