"""Laplacians beside folx and the trace of a Hessian, as ratios in one run, and how far they are apart.

Run: ``python benchmarks/laplacian.py``. Double precision, all compiled; the candidates take turns and the least time
is kept. folx (https://pypi.org/project/folx) is left out where it is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import landform

REPEATS = 7
RNG = np.random.default_rng(0)


def network(n: int, *widths: int) -> Callable[[Any], Any]:
    layers = [(RNG.normal(size=(a, b)) / a**0.5, RNG.normal(size=b) / 10) for a, b in pairwise((n, *widths, 1))]

    def f(x: Any) -> Any:
        for w, b in layers[:-1]:
            x = jnp.tanh(x @ w + b)
        return (x @ layers[-1][0] + layers[-1][1])[0]

    return f


def electrons(count: int, width: int) -> Callable[[Any], Any]:
    """The logarithm of a wave function: features of every electron, mixed, in a determinant, and a pair factor."""
    a, b, c = (RNG.normal(size=s) / s[0] ** 0.5 for s in ((4, width), (2 * width, width), (width, count)))

    def f(x: Any) -> Any:
        r = x.reshape(count, 3)
        far = jnp.sqrt(jnp.sum(r**2, axis=1, keepdims=True))
        h = jnp.tanh(jnp.concatenate([r, far], axis=1) @ a)
        h = jnp.tanh(jnp.concatenate([h, jnp.broadcast_to(h.mean(0), h.shape)], axis=1) @ b) + h
        i, j = np.triu_indices(count, 1)
        pairs = jnp.sqrt(jnp.sum((r[i] - r[j]) ** 2, axis=1))
        return jnp.linalg.slogdet((h @ c) * jnp.exp(-far))[1] + jnp.sum(pairs / (1 + pairs))

    return f


def chain(x: Any) -> Any:
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def least(thunks: dict[str, Callable[[], Any]]) -> dict[str, float]:
    best = dict.fromkeys(thunks, float("inf"))
    for _ in range(REPEATS):
        for name, thunk in thunks.items():
            start = time.perf_counter()
            thunk()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def candidates(f: Callable[[Any], Any], x: Any) -> dict[str, Callable[[], Any]]:
    from landform.backends.jax import laplacian as by_slopes

    flat = landform.hessian(f, x)._target.flat
    own = jax.jit(lambda z: landform.laplacian(f, z))
    trace = jax.jit(lambda z: jnp.trace(jax.hessian(f)(z)))
    found = {
        "landform": lambda: own(x).block_until_ready(),
        "two slopes an input": lambda: by_slopes(flat, 32, x).block_until_ready(),
        "trace of jax.hessian": lambda: trace(x).block_until_ready(),
    }
    try:
        import folx
    except ImportError:
        return found
    dense = jax.jit(lambda z: folx.forward_laplacian(f)(z).laplacian)
    sparse = jax.jit(lambda z: folx.forward_laplacian(f, sparsity_threshold=6)(z).laplacian)
    return {
        **found,
        "folx": lambda: dense(x).block_until_ready(),
        "folx, sparse": lambda: sparse(x).block_until_ready(),
    }


def main() -> None:
    print(f"JAX {jax.__version__}, double precision; times as multiples of landform's\n")
    problems = {
        "network 100-256-256-1": (network(100, 256, 256), 100),
        "network 30-64-64-64-1": (network(30, 64, 64, 64), 30),
        "network 400-400-400-1": (network(400, 400, 400), 400),
        "wave function, 10 electrons": (electrons(10, 32), 30),
        "wave function, 20 electrons": (electrons(20, 32), 60),
        "chained Rosenbrock, n = 1,000": (chain, 1000),
    }
    print("| function | landform [ms] | two slopes an input | trace of `jax.hessian` | folx | folx, sparse | apart |")
    print("|---|---|---|---|---|---|---|")
    for what, (f, n) in problems.items():
        thunks = candidates(f, jnp.asarray(RNG.normal(size=n)))
        answers = np.array([float(np.squeeze(thunk())) for thunk in thunks.values()])
        apart = np.ptp(answers) / np.abs(answers).max()
        best = least(thunks)
        own = best.pop("landform")
        cells = " | ".join(f"{seconds / own:.1f}" for seconds in best.values())
        print(f"| {what} | {own * 1e3:.2f} | {cells} | {apart:.0e} |", flush=True)


if __name__ == "__main__":
    with jax.enable_x64(True):
        main()
