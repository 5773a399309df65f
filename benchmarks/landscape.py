"""Answers about a loss landscape on scikit-learn's digits, beside SciPy's `eigsh` with the same operator.

MLP 64-32-10 tanh, full batch, single precision, at its starting weights unless said otherwise. Cost is counted in
Hessian products, which do not depend on the machine; errors are against the dense Hessian. A second table gives times
in gradients, NumPy's linear algebra on one thread.

Run:  python benchmarks/landscape.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

import landform

SEEDS = range(20)


def problem() -> tuple[Any, Any]:
    """A loss and its parameters."""
    digits = load_digits()
    X = jnp.asarray(digits.data / 16, jnp.float32)
    y = jnp.asarray(digits.target)
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> jax.Array:
        return jnp.asarray(rng.standard_normal(shape) / np.sqrt(shape[0]), jnp.float32)

    params = {"a": {"w": drawn(64, 32), "b": jnp.zeros(32)}, "b": {"w": drawn(32, 10), "b": jnp.zeros(10)}}

    def loss(p: Any) -> jax.Array:
        z = jnp.tanh(X @ p["a"]["w"] + p["a"]["b"]) @ p["b"]["w"] + p["b"]["b"]
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])

    return loss, params


def least(call: Callable[[], Any], repeats: int = 5) -> float:
    """The least of some times."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(call())
        best = min(best, time.perf_counter() - start)
    return best


def eigenvalues(where: str, loss: Any, params: Any) -> str:
    """A line of the table: products for ten eigenvalues."""
    truth = np.linalg.eigvalsh(np.asarray(landform.hessian(loss, params).dense(), np.float64))
    land, n = landform.landscape(loss, params), len(truth)
    ours = [land.top(10, tolerance=1e-4, seed=seed) for seed in SEEDS]
    held = sum(np.all(np.abs(o.eigenvalues - truth[::-1][:10]) <= o.errors + 1e-6 * truth[-1]) for o in ours)
    at, theirs = land._at, []
    for seed in SEEDS:
        before = at.products
        operator = LinearOperator((n, n), matvec=lambda v: at.product(v.ravel()), dtype=np.float64)
        start = np.random.default_rng(seed).standard_normal(n)
        eigsh(operator, k=10, which="LA", tol=1e-4, v0=start)
        theirs.append(at.products - before)
    return (
        f"| ten eigenvalues to 1e-4, {where} | {np.mean([o.products for o in ours]):.0f} products, bound holds in "
        f"{held} of 20 seeds | eigsh: {np.mean(theirs):.0f} products, no bound |"
    )


def main() -> None:
    """Measure, and print the tables."""
    loss, params = problem()
    land = landform.landscape(loss, params)
    at = land._at
    H = np.asarray(landform.hessian(loss, params).dense(), np.float64)
    truth, n = np.linalg.eigvalsh(H), len(H)
    print(f"{n} parameters\n\n| what | landform | beside it |\n|---|---|---|")

    gradient = jax.jit(jax.grad(loss))
    print(eigenvalues("starting weights", loss, params))
    trained = params
    for steps in (100, 300):
        for _ in range(steps):
            trained = jax.tree.map(lambda p, g: p - 0.5 * g, trained, gradient(trained))
        print(eigenvalues(f"after {steps} more steps of gradient descent", loss, trained))

    sums = [land.trace(seed=seed) for seed in SEEDS]
    total = np.trace(H)
    inside = sum(s.estimate.lower - 1e-6 * total <= total <= s.estimate.upper + 1e-6 * total for s in sums)
    rng, draws = np.random.default_rng(0), []
    for _ in range(300):
        z = rng.choice([-1.0, 1.0], n)
        draws.append(z @ H @ z)
    needed = (1.96 * np.std(draws) / (0.01 * total)) ** 2
    print(
        f"| trace to 1 % | {np.mean([s.products for s in sums]):.0f} products, interval holds in {inside} of 20 | "
        f"Hutchinson: {needed:.0f} products |"
    )

    found = land.density(probes=1 + 1, steps=100)
    grid = np.linspace(truth[0], truth[-1], 20001)
    gap = np.abs(found.quadrature.below(grid)[0] - np.searchsorted(truth, grid) / n)
    print(f"| density, 2 × 100 steps | W1 {np.trapezoid(gap, grid) / np.ptp(truth):.2g} of the width, no blur | |")

    print("\n| time | in gradients |\n|---|---|")
    one = least(lambda: gradient(params), 30)
    v = np.random.default_rng(0).standard_normal(n)
    product = least(lambda: at.product(v), 30)
    print(f"| a product as the iterations call it | {product / one:.2f} |")
    print(f"| ten eigenvalues | {least(lambda: land.top(10), 3) / one:.0f} |")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
