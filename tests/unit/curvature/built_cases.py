"""Points whose kind is known by construction: quadratic bowls, classical surfaces, degenerate valleys, small nets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Case:
    name: str
    loss: Callable[..., Any]
    point: Any
    kind: str


def quadratic(name: str, values: np.ndarray, kind: str, seed: int, *, turned: bool = True, off: float = 0.0) -> Case:
    """½ (x − c)' A (x − c) + 1 with planted eigenvalues, at c or beside it."""
    rng = np.random.default_rng(seed)
    n = len(values)
    c = rng.standard_normal(n)
    if turned:
        Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
        A = (Q * values) @ Q.T
        return Case(name, lambda x: 0.5 * (x - c) @ (A @ (x - c)) + 1.0, c + off, kind)
    return Case(name, lambda x: 0.5 * jnp.sum(values * (x - c) ** 2) + 1.0, c + off, kind)


def quadratics() -> Iterator[Case]:
    rng = np.random.default_rng(5)
    for seed, n in enumerate((2, 5, 12, 40, 100, 250)):
        bulk = rng.uniform(0.1, 2.0, n)
        yield quadratic(f"bowl {n}", bulk, "minimum", seed)
        yield quadratic(f"hill {n}", -bulk, "maximum", seed)
        yield quadratic(f"pass {n}", np.r_[-0.3, bulk[1:]], "saddle", seed)
        yield quadratic(f"beside the bowl {n}", bulk, "not stationary", seed, off=0.1)
        planted = np.r_[-1e-3, 100.0, bulk[2:]]
        yield quadratic(f"one of -1e-3 under 1e2 in {n}", planted, "saddle", seed)
        yield quadratic(f"the same, upward {n}", np.abs(planted), "minimum", seed)
    for seed, n in enumerate((400, 1200, 2000)):
        bulk = np.linspace(0.5, 2.0, n)
        yield quadratic(f"large bowl {n}", bulk, "minimum", seed, turned=False)
        yield quadratic(f"large hill {n}", -bulk, "maximum", seed, turned=False)
        yield quadratic(f"large pass {n}", np.r_[-1e-3, 100.0, bulk[2:]], "saddle", seed, turned=False)
        yield quadratic(
            f"large cluster {n}", np.repeat([1.0, 3.0, 50.0], n)[: 3 * n : 3], "minimum", seed, turned=False
        )
        yield quadratic(f"large slope {n}", bulk, "not stationary", seed, turned=False, off=0.01)


def _xy(name: str, f: Callable[..., Any], kind: str, *, at: tuple[float, ...] = (0.0, 0.0)) -> Case:
    return Case(name, lambda p: f(p["x"], p["y"]), {"x": np.array(at[0]), "y": np.array(at[1])}, kind)


def surfaces() -> Iterator[Case]:
    yield _xy("monkey saddle", lambda x, y: x**3 - 3 * x * y**2, "saddle")
    yield _xy("monkey saddle, lifted", lambda x, y: 7 + x**3 - 3 * x * y**2, "saddle")
    yield _xy("Peano", lambda x, y: (y - x**2) * (y - 2 * x**2), "saddle")
    yield _xy("Peano, turned over", lambda x, y: -(y - x**2) * (y - 2 * x**2), "saddle")
    yield _xy("quartic bowl", lambda x, y: x**4 + y**4, "minimum")
    yield _xy("quartic hill", lambda x, y: -(x**4) - y**4, "maximum")
    yield _xy("quartic pass", lambda x, y: x**4 - y**4, "saddle")
    yield _xy("narrow quartic pass", lambda x, y: (x**2 - 3 * y**2) * (x**2 - 2.5 * y**2), "saddle")
    yield _xy("cubic shelf", lambda x, y: x**3 + y**2, "saddle")
    yield _xy("cubic shelf under a ridge", lambda x, y: x**3 - y**2, "saddle")
    yield _xy("quartic gutter", lambda x, y: x**4 + y**2, "minimum")
    yield _xy("quartic ridge", lambda x, y: -(x**4) - y**2, "maximum")
    yield _xy("quartic against quadratic", lambda x, y: x**4 - y**2, "saddle")
    yield _xy("curved gutter that climbs", lambda x, y: (y - x**2) ** 2 + x**4, "minimum")
    yield _xy("ring", lambda x, y: (x**2 + y**2 - 1) ** 2, "minimum", at=(0.6, 0.8))
    yield _xy("hyperbola", lambda x, y: (x * y - 1) ** 2, "minimum", at=(2.0, 0.5))
    yield _xy("hyperbola's middle", lambda x, y: (x * y - 1) ** 2, "saddle")
    yield _xy("ring's middle", lambda x, y: (x**2 + y**2 - 1) ** 2, "maximum")
    yield _xy("ring turned over", lambda x, y: 3 - (x**2 + y**2 - 1) ** 2, "maximum", at=(0.6, 0.8))
    yield _xy("Rosenbrock", lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, "minimum", at=(1.0, 1.0))
    yield _xy("Rosenbrock's floor", lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, "not stationary", at=(0.5, 0.25))
    yield _xy("sines", lambda x, y: jnp.sin(x) * jnp.sin(y), "saddle")
    yield _xy("sines' top", lambda x, y: jnp.sin(x) * jnp.sin(y), "maximum", at=(np.pi / 2, np.pi / 2))
    yield _xy("slope", lambda x, y: x + 2 * y, "not stationary", at=(1.0, 1.0))
    yield _xy("sextic bowl", lambda x, y: x**6 + y**6 + x**2 * y**2, "minimum")
    yield _xy("plain in a pit", lambda x, y: jnp.maximum(x**2 + y**2 - 4, 0.0) ** 2, "flat")
    yield _xy("pit seen from its bottom", lambda x, y: jnp.where(x**2 > 9, x**2 + y**2, 0.0 * y), "flat")
    cup = lambda x: jnp.sum((x @ x - 1.0) ** 2)  # noqa: E731
    for n in (3, 10):
        unit = np.ones(n) / np.sqrt(n)
        yield Case(f"sphere {n}", cup, unit, "minimum")
        yield Case(f"sphere's middle {n}", cup, np.zeros(n), "maximum")


def nets() -> Iterator[Case]:
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.array([0.0, 1, 1, 0])

    def xor(p):
        return jnp.mean((jnp.tanh(X @ p["a"] + p["b"]) @ p["c"] + p["d"] - y) ** 2)

    zeros = {"a": np.zeros((2, 2)), "b": np.zeros(2), "c": np.zeros(2), "d": np.array(0.5)}
    yield Case("XOR, all weights zero", xor, zeros, "saddle")
    rng = np.random.default_rng(1)
    drawn = {k: rng.standard_normal(np.shape(v)) for k, v in zeros.items()}
    yield Case("XOR, at random", xor, drawn, "not stationary")
    # tanh exactly solves XOR: u = tanh(s) etc. by construction of c and d from two hidden units
    a, b = np.array([[2.0, 2.0], [2.0, 2.0]]), np.array([-1.0, -3.0])
    H = np.tanh(X @ a + b)
    design = np.column_stack([H, np.ones(4)])
    out = np.linalg.lstsq(design, y, rcond=None)[0]
    yield Case("XOR, solved", xor, {"a": a, "b": b, "c": out[:2], "d": np.array(out[2])}, "minimum")

    W = rng.standard_normal((3, 2))
    Z = rng.standard_normal((30, 2))

    def linear_net(p):
        return jnp.mean((Z @ p["u"] @ p["v"] - Z @ W.T) ** 2)

    yield Case("linear net at zero", linear_net, {"u": np.zeros((2, 3)), "v": np.zeros((3, 3))}, "saddle")
    solved = {"u": np.c_[np.eye(2), np.zeros(2)], "v": np.vstack([W.T, np.zeros((1, 3))])}
    yield Case("linear net, solved", linear_net, solved, "minimum")

    labels = (Z[:, 0] + 0.3 * rng.standard_normal(30) > 0).astype(float)

    def logistic(p):
        z = Z @ p["w"] + p["b"]
        return jnp.mean(jnp.logaddexp(0, z) - labels * z) + 0.05 * (p["w"] @ p["w"])

    w = np.zeros(3)
    D = np.c_[Z, np.ones(30)]
    for _ in range(30):  # Newton's method on the closed-form derivatives of the logistic loss
        s = 1 / (1 + np.exp(-D @ w))
        R = np.diag([0.1, 0.1, 0.0])
        w = w - np.linalg.solve(D.T @ (D * (s * (1 - s))[:, None]) / 30 + R, D.T @ (s - labels) / 30 + R @ w)
    yield Case("logistic, fitted", logistic, {"w": w[:2], "b": np.array(w[2])}, "minimum")
    yield Case("logistic, unfitted", logistic, {"w": np.zeros(2), "b": np.array(0.0)}, "not stationary")


CASES = [*quadratics(), *surfaces(), *nets()]
