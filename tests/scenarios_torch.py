"""The functions of `scenarios.SCENARIOS` written for PyTorch, by name; the points and the truth are there."""

from __future__ import annotations

from collections.abc import Callable
from math import e, pi
from typing import Any

import numpy as np
import torch

from scenarios import A34, DOSES, Q3, TIMES, W1, W2


def _t(numbers: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(numbers))


def _recursion(x: torch.Tensor) -> torch.Tensor:
    z = x[1]
    for _ in range(4):
        z = x[0] * z * (1 - z)
    return z[None]


def _solved(x: torch.Tensor) -> torch.Tensor:
    zero, one = torch.zeros_like(x[0]), torch.ones_like(x[0])
    rows = [[4 + x[0], one, zero], [one, 3 * one, 1 + x[0] * x[1]], [zero, one, 2 * one]]
    return torch.linalg.solve(torch.stack([torch.stack(row) for row in rows]), torch.stack([one, 2 * one, x[1]]))


def _gram(x: torch.Tensor) -> torch.Tensor:
    A = x.reshape(2, 3)
    return torch.linalg.det(A @ A.T)[None]


def _blend(x: torch.Tensor) -> torch.Tensor:
    a, b, c, d = x
    hiding = 68.748 * a + 7.291 * b + 11.419 * c + 14.578 * d - 64.32 * a * b + 35.878 * a * c - 6.59 * c * d
    return torch.stack([hiding, torch.exp(0.01 * hiding) + 3.0 * b * d])


def _cholesky(x: torch.Tensor) -> torch.Tensor:
    L = torch.linalg.cholesky(torch.diag(_t([1.0, 2.0])) + torch.outer(x, x))
    return torch.stack([L[0, 0], L[1, 0], L[1, 1]])


def _pair(x: torch.Tensor) -> torch.Tensor:
    r2 = torch.sum((x[:3] - x[3:]) ** 2)
    return (r2**-6 - 2 * r2**-3)[None]


def _kinetics(x: torch.Tensor) -> torch.Tensor:
    a, b, c = x
    return torch.stack([-0.04 * a + 1e4 * b * c, 0.04 * a - 1e4 * b * c - 3e7 * b**2])


def _branin(x: torch.Tensor) -> torch.Tensor:
    bowl = (x[1] - 5.1 / (4 * pi**2) * x[0] ** 2 + 5 / pi * x[0] - 6) ** 2
    return (bowl + 10 * (1 - 1 / (8 * pi)) * torch.cos(x[0]) + 10)[None]


def _ackley(x: torch.Tensor) -> torch.Tensor:
    far = torch.exp(-0.2 * torch.sqrt(torch.mean(x**2)))
    return (20 + e - 20 * far - torch.exp(torch.mean(torch.cos(2 * pi * x))))[None]


def _smallest(x: torch.Tensor) -> torch.Tensor:
    s = torch.sort(x).values
    return torch.stack([s[0] ** 2, s[0] * s[1]])


TORCH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "affine": lambda x: _t(A34) @ x + 1.0,
    "quadratic form": lambda x: (x @ _t(Q3) @ x)[None],
    "constant": lambda x: torch.stack([0.0 * x[0] + 2.0, 0.0 * x[1] + 3.0]),
    "one input": lambda x: x[0] ** _t([1.0, 2.0, 3.0, 4.0]),
    "products": lambda x: torch.stack([torch.prod(x), x[0] * x[4] - x[1] * x[2] ** 2]),
    "sphere": lambda x: torch.stack([x[0].sin() * x[1].cos(), x[0].sin() * x[1].sin(), x[0].cos()]),
    "Rosenbrock": lambda x: torch.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)[None],
    "Himmelblau": lambda x: ((x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2)[None],
    "kinetics": _kinetics,
    "waves": lambda x: torch.stack([torch.sin(x[0] * x[1]) + x[2], x[1].cos() * x[2].exp()]),
    "growth": lambda x: x[0] * torch.exp(x[1] * _t(TIMES)),
    "Michaelis-Menten": lambda x: x[0] * _t(DOSES) / (x[1] + _t(DOSES)),
    "logistic": lambda x: x[0] / (1 + torch.exp(-x[1] * (_t(TIMES) - x[2]))),
    "rational": lambda x: torch.stack([x[0] * x[1] / (1 + x[2] ** 2), (x[3] - x[0]) / (2 + x[1] * x[3])]),
    "entropy": lambda x: -torch.sum(x * torch.log(x))[None],
    "power": lambda x: (x[0] ** x[1])[None],
    "angle": lambda x: torch.atan2(x[0], x[1])[None],
    "network": lambda x: _t(W2) @ torch.tanh(_t(W1) @ x),
    "softmax": lambda x: torch.softmax(_t(A34) @ x, dim=0),
    "log-sum-exp": lambda x: torch.logsumexp(x, dim=0)[None],
    "length": lambda x: torch.linalg.norm(x)[None],
    "bump": lambda x: torch.exp(-0.5 * torch.sum(((x - 0.2) / _t([0.5, 1.0, 2.0])) ** 2))[None],
    "Gram determinant": _gram,
    "blend": _blend,
    "recursion": _recursion,
    "switch": lambda x: torch.stack([x[0] ** 2 * x[1], x[2] ** 3]) if x[0] > 0 else x[:2].flip(0),
    "linear solve": _solved,
    "Beale residuals": lambda x: _t([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** _t([1.0, 2.0, 3.0])),
    "Branin": _branin,
    "Ackley": _ackley,
    "Arrhenius": lambda x: x[0] * torch.exp(-x[1] / _t(TIMES)),
    "van der Waals": lambda x: (8.314 * x[0] / (x[1] - 0.04) - x[2] / x[1] ** 2)[None],
    "Lennard-Jones pair": _pair,
    "two-link arm": lambda x: torch.stack(
        [x[2] * torch.cos(x[0]) + torch.cos(x[0] + x[1]), x[2] * torch.sin(x[0]) + torch.sin(x[0] + x[1])]
    ),
    "products of pairs": lambda x: torch.outer(x, x)[tuple(torch.triu_indices(3, 3))],
    "inverse trigonometry": lambda x: torch.stack([torch.asin(x[0] * x[1]), torch.acos(x[1] / 2), torch.atan(x.sum())]),
    "hyperbolic": lambda x: torch.stack([torch.sinh(x[0]), torch.cosh(x[0] * x[1]), torch.asinh(x[1])]),
    "error function": lambda x: torch.erf(x[:1] * x[1:]),
    "sums so far": lambda x: torch.cumsum(x**2, dim=0)[1:],
    "squared filter": lambda x: torch.conv1d(x[None, None], _t([[[2.0, -1.0, 0.5]]]))[0, 0] ** 2,
    "smallest two": _smallest,
    "largest of each pair": lambda x: x.reshape(3, 2).max(dim=1).values ** 3,
    "gathered": lambda x: x[[2, 0, 0, 1, 2]] * torch.sin(x[[0, 0, 1, 2, 2]]),
    "Cholesky factor": _cholesky,
    "mean and variance": lambda x: torch.stack([x.mean(), x.var(correction=1)]),
    "cross product": lambda x: torch.linalg.cross(x[:3], x[3:]),
    "softplus layer": lambda x: torch.nn.functional.softplus(_t(A34) @ x),
}
