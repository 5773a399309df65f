"""Dense Hessians of a network's loss beside JAX's and PyTorch's own, as ratios in one run; products and a Laplacian.

Run: ``python benchmarks/dense.py [rows]``. The candidates take turns and the least time is kept; peak memory is that
of a fresh process for each while it makes the matrix a second time, above what it held before. PyTorch is left out
where it is missing.
"""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

import landform
from landform.backends.jax import hessian_dense

SIZES = (10, 64, 64, 1)
REPEATS = 3


def parts(rows: int) -> tuple[list[Any], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    params = [(rng.normal(size=(a, b)) / a**0.5, rng.normal(size=b) / 10) for a, b in pairwise(SIZES)]
    return params, rng.normal(size=(rows, SIZES[0])), rng.normal(size=(rows, 1))


def candidates(rows: int) -> dict[str, Callable[[], Any]]:
    params, X, Y = parts(rows)
    x, tree = ravel_pytree(jax.tree.map(jnp.asarray, params))

    def loss(z: Any) -> Any:
        h = X
        for w, b in tree(z)[:-1]:
            h = jnp.tanh(h @ w + b)
        return jnp.mean((h @ tree(z)[-1][0] + tree(z)[-1][1] - Y) ** 2)

    theirs, both = jax.jit(jax.hessian(loss)), jax.jit(jax.jacfwd(jax.jacrev(loss)))
    once = jax.jit(lambda z: jax.lax.map(jax.linearize(jax.grad(loss), z)[1], jnp.eye(z.size, dtype=z.dtype)))
    target = landform.hessian(loss, x)._target
    found: dict[str, Callable[[], Any]] = {
        "jax.hessian": lambda: theirs(x).block_until_ready(),
        "jacfwd(jacrev)": lambda: both(x).block_until_ready(),
        "linearize and loop": lambda: once(x).block_until_ready(),
        "landform, products": lambda: hessian_dense(target.flat, 32, x, jnp.ones(1))[1].block_until_ready(),
        "landform, layers": lambda: landform.hessian(loss, x).dense().block_until_ready(),
    }
    return found | torch_candidate(rows)


def torch_candidate(rows: int) -> dict[str, Callable[[], Any]]:
    try:
        import torch
    except ImportError:
        return {}
    params, X, Y = (torch.utils._pytree.tree_map(torch.as_tensor, part) for part in parts(rows))
    flat = torch.cat([leaf.reshape(-1) for layer in params for leaf in layer])

    def loss(z: Any) -> Any:
        at, h = 0, X
        for k, (w, b) in enumerate(params):
            weight, bias = z[at : at + w.numel()].reshape(w.shape), z[at + w.numel() : at + w.numel() + b.numel()]
            at, h = at + w.numel() + b.numel(), h @ weight + bias
            h = torch.tanh(h) if k < len(params) - 1 else h
        return ((h - Y) ** 2).mean()

    hessian = torch.func.hessian(loss)
    return {
        "torch.func.hessian": lambda: hessian(flat),
        "landform, torch": lambda: landform.hessian(loss, flat).dense(),
    }


def least(thunks: dict[str, Callable[[], Any]]) -> dict[str, float]:
    best = dict.fromkeys(thunks, float("inf"))
    for thunk in thunks.values():
        thunk()
    for _ in range(REPEATS):
        for name, thunk in thunks.items():
            start = time.perf_counter()
            thunk()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak(name: str, rows: int) -> float:
    """MiB that a fresh process takes at most while the Hessian is made again, above what it held in between."""
    run = subprocess.run([sys.executable, __file__, str(rows), name], capture_output=True, text=True, check=True)
    return float(run.stdout)


def resident(what: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return float(line.split()[1]) / 1024


def alone(name: str, rows: int) -> None:
    thunk = candidates(rows)[name]
    thunk()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # glibc: give back what is free, so that it is counted when it is taken again
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted afresh
    thunk()
    print(resident("VmHWM") - before)


def main(rows: int) -> None:
    thunks = candidates(rows)
    best = least(thunks)
    n = sum((a + 1) * b for a, b in pairwise(SIZES))
    output = 8 * n * n / 2**20
    print(f"JAX {jax.__version__}, n = {n}, {rows} rows, double precision, matrix of {output:.0f} MiB\n")
    print("| Hessian | time [s] | jax.hessian = 1 | peak memory / matrix |\n|---|---|---|---|")
    for name, seconds in best.items():
        ratio = best["jax.hessian"] / seconds
        print(f"| {name} | {seconds:.2f} | {ratio:.1f} × as fast | {peak(name, rows) / output:.2f} |", flush=True)
    A = np.random.default_rng(0).normal(size=(3000, 400))
    x, v = np.random.default_rng(1).normal(size=400) / 20, np.ones(400)

    def f(z: Any) -> Any:
        return jnp.sum(jnp.log(jnp.cosh(A @ z)))

    p, H, gradient, at = landform.prepare(f, x), landform.hessian(f, x), jax.jit(jax.grad(f)), jnp.asarray(x)
    trace = jax.jit(lambda z: jnp.trace(jax.hessian(f)(z)))
    more = least(
        {
            "gradient": lambda: gradient(at).block_until_ready(),
            "product, point fixed": lambda: p.hessian_product(x, v),
            "product, from scratch": lambda: H @ v,
            "Laplacian": lambda: landform.laplacian(f, x),
            "trace of jax.hessian": lambda: trace(at).block_until_ready(),
        }
    )
    print("\n| n = 400 | gradients |\n|---|---|")
    for name, seconds in more.items():
        print(f"| {name} | {seconds / more['gradient']:.1f} |")


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    with jax.enable_x64(True):
        if len(sys.argv) > 2:
            alone(sys.argv[2], rows)
        else:
            main(rows)
