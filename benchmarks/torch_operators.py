"""PyTorch: derivative products as multiples of a gradient, dense Hessians beside torch.func.hessian and a loop.

Run: ``python benchmarks/torch_operators.py``. One thread, processor time: the candidates take turns and the
least of many times is kept, so that other work on the machine disturbs the ratios little.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, jvp
from torch.nn import functional as F  # noqa: N812

import landform

SECONDS = 0.5
Thunks = dict[str, Callable[[], Any]]
warnings.filterwarnings("ignore", message=".torch.jit.script. is deprecated")


def mlp(*sizes: int) -> nn.Module:
    parts: list[nn.Module] = []
    for a, b in pairwise(sizes):
        parts += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*parts[:-1])


def cnn() -> nn.Module:
    convolved = [nn.Conv2d(1, 8, 3), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(8, 8, 3), nn.Tanh(), nn.Flatten()]
    return nn.Sequential(*convolved, nn.Linear(128, 10))


def least_times(thunks: Thunks, seconds: float = SECONDS) -> dict[str, float]:
    best = dict.fromkeys(thunks, float("inf"))
    for run in thunks.values():
        run()
    end = time.process_time() + seconds * len(thunks)
    while time.process_time() < end:
        for name, run in thunks.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    return best


class Problem:
    """A classification loss as landform's function, and as one of a flat vector for torch's own ways."""

    def __init__(self, module: nn.Module, X: torch.Tensor) -> None:
        self.y = torch.arange(len(X)) % 10
        self.module, self.X = module, X
        self.f = landform.from_torch(module, (X, self.y), loss=F.cross_entropy)
        self.values = list(self.f.point.values())
        self.x = torch.cat([v.reshape(-1) for v in self.values])
        self.v = torch.randn_like(self.x)

    def parts(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        split = x.split([v.numel() for v in self.values])
        return {k: p.view(v.shape) for (k, v), p in zip(self.f.point.items(), split, strict=True)}

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        return functional_call(self.module, self.parts(x), (self.X,)).flatten()

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(functional_call(self.module, self.parts(x), (self.X,)), self.y)

    def gradient(self) -> Any:
        parameters = list(self.module.parameters())
        return torch.autograd.grad(F.cross_entropy(self.module(self.X), self.y), parameters)

    def from_scratch(self) -> torch.Tensor:
        x = self.x.detach().requires_grad_()
        (g,) = torch.autograd.grad(self.loss(x), x, create_graph=True)
        return torch.autograd.grad(g, x, self.v)[0]

    def loop(self) -> torch.Tensor:
        x = self.x.detach().requires_grad_()
        (g,) = torch.autograd.grad(self.loss(x), x, create_graph=True)
        return torch.stack([torch.autograd.grad(g, x, e, retain_graph=True)[0] for e in torch.eye(len(x))])


def products(name: str, p: Problem) -> None:
    H = landform.hessian(p.f, p.f.point)
    g = landform.from_torch(p.module, p.X)
    J = landform.jacobian(g, g.point)
    u = torch.randn(J.shape[0])
    slope = grad(p.loss)
    truth = p.from_scratch()
    torch.testing.assert_close(H @ p.v, truth, rtol=1e-3, atol=1e-5)
    found = least_times(
        {
            "gradient": p.gradient,
            "H @ v": lambda: H @ p.v,
            "v'Hv": lambda: H.quadratic(p.v),
            "J @ v": lambda: J @ p.v,
            "J.T @ u": lambda: J.T @ u,
            "double backward from scratch": p.from_scratch,
            "torch.func.jvp of grad": lambda: jvp(slope, (p.x,), (p.v,))[1],
            "torch.func.jvp of jvp": lambda: jvp(lambda z: jvp(p.loss, (z,), (p.v,))[1], (p.x,), (p.v,))[1],
            "torch.func.jvp of outputs": lambda: jvp(p.outputs, (p.x,), (p.v,))[1],
        }
    )
    print(f"\n{name}: {len(p.x):,} parameters, gradient {found['gradient'] * 1e6:.0f} µs\n")
    print("| product | gradients |\n|---|---|")
    for what, seconds in list(found.items())[1:]:
        print(f"| {what} | {seconds / found['gradient']:.2f} |")


def dense(name: str, p: Problem) -> None:
    found = least_times(
        {
            "landform": lambda: landform.hessian(p.f, p.f.point).dense(),
            "torch.func.hessian": lambda: torch.func.hessian(p.loss)(p.x),
            "loop of double backwards": p.loop,
        },
        seconds=2.5,
    )
    own = found["landform"]
    cells = " | ".join(f"{seconds / own:.1f}" for what, seconds in found.items() if what != "landform")
    print(f"| {name} | {len(p.x):,} | {own:.2f} s | {cells} |")


def batches(name: str, module: nn.Module, X: torch.Tensor) -> None:
    prepared = landform.prepare(module, X[0])
    own = torch.func.vmap(torch.func.jacrev(module))
    found = least_times({"landform": lambda: prepared.jacobians(X), "torch.func": lambda: own(X)})
    print(
        f"\n{name}: Jacobians at {len(X)} rows {found['landform'] * 1e3:.1f} ms, "
        f"torch.func's vmap of jacrev {found['torch.func'] / found['landform']:.1f} times that"
    )


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # with several, processor time would count their waiting for each other
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread, float32")
    products("MLP 64-128-128-10, 128 rows", Problem(mlp(64, 128, 128, 10), torch.randn(128, 64)))
    products("CNN 1-8-8, 32 images of 14 × 14", Problem(cnn(), torch.randn(32, 1, 14, 14)))
    print(
        "\n| dense Hessian | n | landform | torch.func.hessian, times that | loop, times that |\n|---|---|---|---|---|"
    )
    dense("MLP 64-56-20-10, 64 rows", Problem(mlp(64, 56, 20, 10), torch.randn(64, 64)))
    dense("MLP 20-40-40-40-10, 64 rows", Problem(mlp(20, 40, 40, 40, 10), torch.randn(64, 20)))
    dense("CNN 1-8-8, 32 images", Problem(cnn(), torch.randn(32, 1, 14, 14)))
    batches("MLP 64-128-128-10", mlp(64, 128, 128, 10), torch.randn(128, 64))


if __name__ == "__main__":
    main()
