"""Modules by their input and by their parameters: labels, trees, dtypes, kept graphs, attention, SciPy.

The truth is the closed form of a least-squares loss or of one tanh layer, or `torch.func`, which goes another way
(forward over reverse with every direction at once).
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from scipy.sparse.linalg import eigsh  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import landform  # noqa: E402

# torch.func's forward mode, the reference here, warns about a function of its own.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
DOUBLE = torch.float64


def net(*sizes, seed=0, dtype=DOUBLE):
    generator = torch.Generator().manual_seed(seed)
    layers = [nn.Linear(a, b, dtype=dtype) for a, b in pairwise(sizes)]
    for layer in layers:
        for p in layer.parameters():
            p.data.copy_(torch.randn(p.shape, generator=generator, dtype=dtype) / 2)
    stacked = [part for layer in layers for part in (layer, nn.Tanh())][:-1]
    return nn.Sequential(*stacked)


def data(rows=7, n=3, classes=4, seed=1, dtype=DOUBLE):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, n, generator=generator, dtype=dtype), torch.arange(rows) % classes


@pytest.fixture
def classified():
    module, (X, y) = net(3, 5, 4), data()
    return module, landform.from_torch(module, (X, y), loss=F.cross_entropy), X, y


def torch_hessian(module, X, y):
    """The Hessian of the loss by torch.func, in the order of the parameters."""
    names, values = zip(*((k, v.detach()) for k, v in module.named_parameters()), strict=True)

    def loss(flat):
        parts = [p.view(v.shape) for p, v in zip(flat.split([v.numel() for v in values]), values, strict=True)]
        return F.cross_entropy(torch.func.functional_call(module, dict(zip(names, parts, strict=True)), (X,)), y)

    return torch.func.hessian(loss)(torch.cat([v.reshape(-1) for v in values]))


def test_a_module_moves_with_its_input():
    layer, x = net(3, 2), torch.tensor([0.2, -0.4, 0.7], dtype=DOUBLE)
    W, b = layer[0].weight.detach(), layer[0].bias.detach()
    J = landform.jacobian(nn.Sequential(layer, nn.Tanh()), x)
    torch.testing.assert_close(J.dense(), (1 - torch.tanh(W @ x + b) ** 2)[:, None] * W, rtol=0, atol=1e-15)
    assert J.inputs == ("x0", "x1", "x2")
    rows = landform.jacobian(layer, x.repeat(2, 1))
    assert rows.shape == (4, 6)
    assert rows.inputs[4] == "x[1, 1]"
    torch.testing.assert_close(rows.dense(), torch.block_diag(W, W), rtol=0, atol=1e-15)


def test_many_rows_at_once():
    module, (X, _) = net(3, 5, 4), data(rows=9)
    p = landform.prepare(module, X[0])
    Y, J = p.values_and_jacobians(X)
    torch.testing.assert_close(Y, module(X).detach(), rtol=0, atol=1e-14)
    torch.testing.assert_close(J, torch.func.vmap(torch.func.jacrev(module))(X), rtol=0, atol=1e-14)
    assert p.values(X[:0]).shape[0] == 0


def test_rows_that_cannot_be_vectorized_are_taken_one_by_one():
    def forks(x):
        return torch.stack([x[0] * x[1], x[2]]) * (2.0 if x[0].item() > 0 else 3.0)

    X = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 2.0, 3.0]], dtype=DOUBLE)
    Y, J = landform.prepare(forks, X[0]).values_and_jacobians(X)
    assert Y.tolist() == [[4.0, 6.0], [-6.0, 9.0]]
    assert J.tolist() == [[[4.0, 2.0, 0.0], [0.0, 0.0, 2.0]], [[6.0, -3.0, 0.0], [0.0, 0.0, 3.0]]]


def test_parameters_bring_their_names(classified):
    _, f, _, _ = classified
    H = landform.hessian(f, f.point)
    assert H.inputs[:2] == ("0.weight[0, 0]", "0.weight[0, 1]")
    assert H.inputs[15] == "0.bias[0]"
    assert H.inputs[-1] == "2.bias[3]"
    assert H.to_frame().loc["0.weight[2, 1]", "2.bias[3]"] == H.dense()[7, 43]


def test_hessian_of_a_loss_in_every_form(classified):
    module, f, X, y = classified
    H, truth = landform.hessian(f, f.point), torch_hessian(module, X, y)
    v = torch.linspace(-1, 1, 44, dtype=DOUBLE)
    close = {"rtol": 0, "atol": 1e-14}
    torch.testing.assert_close(H.dense(), truth, **close)
    torch.testing.assert_close(H @ v, truth @ v, **close)
    torch.testing.assert_close(H.quadratic(v), v @ truth @ v, **close)
    torch.testing.assert_close(H.diagonal(), truth.diagonal(), **close)
    assert landform.verify(f, f.point).correct


@pytest.mark.parametrize("budget", [0, 200_000])
def test_a_tight_budget_changes_no_digit(budget):
    module, (X, y) = net(3, 20, 4), data()
    f = landform.from_torch(module, (X, y), loss=F.cross_entropy)
    n = 20 * 4 + 4 * 21
    H = landform.hessian(f, f.point, memory=8 * n * n + budget)
    assert 1 <= H.plan.chunk < 64
    torch.testing.assert_close(H.dense(), torch_hessian(module, X, y), rtol=0, atol=1e-14)


def test_outputs_by_parameters_without_a_loss():
    """Of a linear layer: the inputs themselves, once for every output."""
    layer, (X, _) = net(3, 2), data(rows=1)
    f = landform.from_torch(layer, X)
    truth = torch.cat([torch.kron(torch.eye(2, dtype=DOUBLE), X), torch.eye(2, dtype=DOUBLE)], dim=1)
    torch.testing.assert_close(landform.jacobian(f, f.point).dense(), truth, rtol=0, atol=1e-15)


def test_chosen_parameters_alone(classified):
    module, _, X, y = classified
    f = landform.from_torch(module, (X, y), loss=F.cross_entropy, parameters=["2.bias"])
    p = torch.softmax(module(X).detach(), dim=1)
    truth = (torch.diag_embed(p) - p[:, :, None] * p[:, None, :]).mean(0)
    torch.testing.assert_close(landform.hessian(f, f.point).dense(), truth, rtol=0, atol=1e-15)


def test_frozen_parameters_stay_out(classified):
    module, _, X, y = classified
    module[0].requires_grad_(False)
    f = landform.from_torch(module, (X, y), loss=F.cross_entropy)
    assert list(f.point) == ["2.weight", "2.bias"]


def test_trees_keep_their_order_and_dtype():
    x = {"b": torch.tensor([[0.3, 1.7]], dtype=DOUBLE), "a": [torch.tensor(-0.6), (torch.ones(2),)]}
    seen = []

    def f(t):
        seen.append((t["b"].dtype, t["a"][0].dtype, t["b"].shape))
        return {"r": t["b"][0] * t["a"][0], "s": (t["a"][1][0] ** 2).sum()}

    J = landform.jacobian(f, x)
    assert J.inputs == ("b[0, 0]", "b[0, 1]", "a[0]", "a[1][0][0]", "a[1][0][1]")
    truth = [[-0.6, 0, 0.3, 0, 0], [0, -0.6, 1.7, 0, 0], [0, 0, 0, 2, 2]]
    torch.testing.assert_close(J.dense(), torch.tensor(truth, dtype=DOUBLE), rtol=0, atol=1e-7)
    assert seen[-1] == (DOUBLE, torch.float32, torch.Size([1, 2]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_results_keep_the_dtype(dtype):
    x = torch.tensor([0.5, 1.5, 2.0], dtype=dtype)
    J, H = landform.jacobian(lambda z: z[:2] * z[2], x), landform.hessian(lambda z: (z**3).sum(), x)
    for found in (J.dense(), J @ x, J.T @ [1.0, 2.0], H.dense(), H @ np.ones(3), H.quadratic(x)):
        assert isinstance(found, torch.Tensor)
        assert found.dtype == dtype
    assert J.to_frame().loc["d y1", "/ d x2"] == 1.5
    assert landform.prepare(lambda z: z**2, x).value(x).dtype == dtype


def test_prepared_gives_what_it_is_given():
    p = landform.prepare(lambda z: z[:2] * z[2], torch.ones(3, dtype=DOUBLE))
    x = np.array([2.0, 3.0, 5.0])
    for found in (p.value(x), p.jacobian(x), p.hessian(x, np.ones(2)), p.values(x[None]), p.bend(x, x)):
        assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(p.jacobian(x), [[5, 0, 2], [0, 5, 3]])
    assert p.hessian(torch.from_numpy(x), torch.ones(2)).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_scipy_takes_the_operators(classified):
    module, f, X, y = classified
    H = landform.hessian(f, f.point)
    largest = eigsh(H.to_scipy(), k=1, which="LA", return_eigenvectors=False)[0]
    assert largest == pytest.approx(float(torch.linalg.eigvalsh(torch_hessian(module, X, y))[-1]), rel=1e-10)
    J = landform.jacobian(module, X[0]).to_scipy()
    assert J.matvec(np.ones(3)).dtype == J.dtype == np.float64


def test_products_share_one_evaluation():
    calls = []

    def counted(x):
        calls.append(1)
        return (x**3).sum()

    H = landform.hessian(counted, torch.ones(4))
    H @ torch.ones(4)
    after = len(calls)
    for _ in range(5):
        H @ torch.randn(4)
        H.quadratic(torch.ones(4))
    assert len(calls) == after


def test_the_point_is_a_copy(classified):
    """A step of an optimizer afterwards moves the parameters, not the operator."""
    module, _, X, y = classified
    truth = torch_hessian(module, X, y)
    f = landform.from_torch(module, (X, y), loss=F.cross_entropy)
    H = landform.hessian(f, dict(module.named_parameters()))
    with torch.no_grad():
        for p in module.parameters():
            p.mul_(2)
    v = torch.ones(44, dtype=DOUBLE)
    torch.testing.assert_close(H @ v, truth @ v, rtol=0, atol=1e-14)


class Attention(nn.Module):
    """Three tokens that look at each other."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = net(4, 12)

    def forward(self, x):
        q, k, v = self.mix(x).view(1, 3, 2, 6).transpose(1, 2).chunk(3, -1)
        return F.scaled_dot_product_attention(q, k, v).flatten() ** 2


def written_out(module, x):
    q, k, v = module.mix(x).view(1, 3, 2, 6).transpose(1, 2).chunk(3, -1)
    return (torch.softmax(q @ k.transpose(-1, -2) / np.sqrt(2), -1) @ v).flatten() ** 2


def test_fused_attention_is_replaced_inside_the_call_and_said():
    module, x = Attention(), torch.linspace(-1, 1, 12, dtype=DOUBLE).view(3, 4)
    with pytest.raises(RuntimeError, match="not implemented"):
        torch.autograd.functional.hessian(lambda z: module(z).sum(), x)  # why this test is here
    flags = torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.mem_efficient_sdp_enabled()
    H = landform.hessian(module, x, weights=torch.ones(12))
    truth = torch.func.hessian(lambda z: written_out(module, z).sum())(x).reshape(12, 12)
    torch.testing.assert_close(H.dense(), truth, rtol=0, atol=1e-12)
    torch.testing.assert_close(H @ torch.ones(12), truth.sum(1), rtol=0, atol=1e-12)
    assert "math kernel" in H.explain()
    assert "math kernel" not in landform.hessian(lambda z: written_out(module, z).sum(), x).explain()
    J = landform.jacobian(module, x)
    torch.testing.assert_close(J @ torch.ones(12), J.dense().sum(1), rtol=0, atol=1e-12)
    assert landform.verify(module, x).correct
    assert (torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.mem_efficient_sdp_enabled()) == flags


def test_a_small_convolutional_net_with_batch_normalization():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Tanh(), nn.Flatten(), nn.Linear(8, 3)).double()
    X, y = data(rows=5, n=16, classes=3)
    X = X.view(5, 1, 4, 4)
    module(X)  # running statistics
    module.eval()
    f = landform.from_torch(module, (X, y), loss=F.cross_entropy)
    H = landform.hessian(f, f.point)
    torch.testing.assert_close(H.dense(), torch_hessian(module, X, y), rtol=0, atol=1e-13)


def test_the_examples_in_the_documentation_run():
    page = Path(__file__).parents[4] / "docs" / "torch.md"
    names = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)), names)
    assert names["H"].shape == (50, 50)
    assert names["Js"].shape == (32, 2, 3)
