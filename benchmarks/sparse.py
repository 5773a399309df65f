"""Sparse Jacobians and Hessians beside asdex, sparsejac and CasADi, as ratios to one evaluation of the function.

Run: ``python benchmarks/sparse.py``. A peer that is not installed is left out. The candidates take turns and the
least of many times is kept, so that other work on the machine disturbs the ratios little.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import landform
from landform.derivatives.sparse import SparseProgram

try:
    import asdex
except ImportError:
    asdex = None
try:
    import sparsejac
except ImportError:
    sparsejac = None
try:
    import casadi
except ImportError:
    casadi = None

SECONDS = 2.5
PEERS = ("asdex", "sparsejac", "CasADi")
Thunks = dict[str, Callable[[], Any]]


def brusselator(size: int) -> Callable[[Any], Any]:
    c = 10.0 * (size - 1) ** 2 / 1e3

    def spread(a: Any) -> Any:
        return jnp.roll(a, 1, 0) + jnp.roll(a, -1, 0) + jnp.roll(a, 1, 1) + jnp.roll(a, -1, 1) - 4 * a

    def f(w: Any) -> Any:
        u, v = w.reshape(2, size, size)
        uuv = u * u * v
        return jnp.stack([c * spread(u) + 1.0 + uuv - 4.4 * u, c * spread(v) + 3.4 * u - uuv]).ravel()

    return f


def rosenbrock(x: Any) -> Any:
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def arwhead(x: Any) -> Any:
    return jnp.sum((x[:-1] ** 2 + x[-1] ** 2) ** 2 - 4 * x[:-1] + 3)


def casadi_problem(name: str, n: int) -> tuple[Any, Any]:
    """The function and its matrix as CasADi functions."""
    x = casadi.SX.sym("x", n)
    if name == "rosenbrock":
        a, b = x[: n - 1], x[1:]
        g = casadi.sum1(100 * (b - a**2) ** 2 + (1 - a) ** 2)
    elif name == "arwhead":
        g = casadi.sum1((x[: n - 1] ** 2 + x[n - 1] ** 2) ** 2 - 4 * x[: n - 1] + 3)
    else:
        size = round((n / 2) ** 0.5)
        grid = np.arange(n // 2).reshape(size, size)
        around = [np.roll(grid, s, axis).ravel().tolist() for axis in (0, 1) for s in (1, -1)]
        u, v = x[: n // 2], x[n // 2 :]
        c, uuv = 10.0 * (size - 1) ** 2 / 1e3, u * u * v
        spread = [sum((w[i] for i in around), -4 * w) for w in (u, v)]
        y = casadi.vertcat(c * spread[0] + 1.0 + uuv - 4.4 * u, c * spread[1] + 3.4 * u - uuv)
        return casadi.Function("f", [x], [y]), casadi.Function("J", [x], [casadi.jacobian(y, x)])
    return casadi.Function("f", [x], [casadi.gradient(g, x)]), casadi.Function("H", [x], [casadi.hessian(g, x)[0]])


def least_times(thunks: Thunks) -> dict[str, float]:
    best = dict.fromkeys(thunks, float("inf"))
    for thunk in thunks.values():
        thunk()
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        for name, thunk in thunks.items():
            for _ in range(3):
                t = time.perf_counter()
                thunk()
                best[name] = min(best[name], time.perf_counter() - t)
    return best


def timed(make: Callable[[], Any]) -> tuple[float, Any]:
    t = time.perf_counter()
    made = make()
    return time.perf_counter() - t, made


def ours(f: Any, x: Any, hessian: bool) -> tuple[float, SparseProgram]:
    def make() -> SparseProgram:
        program = SparseProgram(f, x, budget=2**31, symmetry="mirrored" if hessian else "none")
        _ = program.pattern
        return program

    make()  # the first use of any JAX program loads parts of JAX
    return timed(make)


def asdex_row(f: Any, g: Any, x: Any, hessian: bool) -> tuple[float, Any]:
    def make() -> Any:
        if hessian:
            pattern = asdex.hessian_coloring_from_sparsity(asdex.jacobian_sparsity(f, x))
            return jax.jit(asdex.hessian_from_coloring(g, pattern))
        return jax.jit(
            asdex.jacobian_from_coloring(f, asdex.jacobian_coloring_from_sparsity(asdex.jacobian_sparsity(f, x)))
        )

    return timed(make)


def sparsejac_row(f: Any, program: SparseProgram) -> tuple[float, Any]:
    from jax.experimental.sparse import BCOO

    p = program.pattern
    places = np.stack([np.repeat(np.arange(program.m), np.diff(p.indptr)), p.indices], 1)
    pattern = BCOO((jnp.ones(p.nnz), jnp.asarray(places)), shape=(program.m, program.n))
    return timed(lambda: jax.jit(sparsejac.jacfwd(f, pattern)))


def row(name: str, n: int) -> None:
    hessian = name != "brusselator"
    g = {"rosenbrock": rosenbrock, "arwhead": arwhead}.get(name)
    f = jax.grad(g) if g else brusselator(round((n / 2) ** 0.5))
    x = jnp.asarray(1.0 + 0.1 * np.random.default_rng(0).normal(size=n))
    found, program = ours(f, x, hessian)
    fj = jax.jit(f)
    cases: Thunks = {
        "f": lambda: fj(x).block_until_ready(),
        "native": lambda: program.native(x).block_until_ready(),
        "CSR": lambda: program.matrix(program.data(x)),
    }
    prepared = {"landform": found}
    if asdex is not None and n <= 200_000:
        prepared["asdex"], ja = asdex_row(f, g, x, hessian)
        cases["asdex"] = lambda: jax.block_until_ready(ja(x).data)
    if sparsejac is not None and n <= 20_000 and name != "arwhead":
        prepared["sparsejac"], js = sparsejac_row(f, program)
        cases["sparsejac"] = lambda: jax.block_until_ready(js(x).data)
    if casadi is not None and n <= 20_000:
        prepared["CasADi"], (fc, jc) = timed(lambda: casadi_problem(name, n))
        point = casadi.DM(np.asarray(x))
        cases["CasADi f"], cases["CasADi"] = (lambda: fc(point)), (lambda: jc(point))
    best = least_times(cases)
    if "CasADi" in best:
        best["CasADi"] *= best["f"] / best.pop("CasADi f")  # a ratio to its own function
    ratios = [
        f"{best[k] / best['f']:.1f}" if k in best else "" for k in ("native", "CSR", "asdex", "sparsejac", "CasADi")
    ]
    per_input = [
        f"{prepared[k] / n * 1e6:.2f}" if k in prepared else "" for k in ("landform", "asdex", "sparsejac", "CasADi")
    ]
    cells = [name, f"{n:,}", f"{program.pattern.nnz:,}", f"{best['f'] * 1e6:.0f} µs", *ratios, *per_input]
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    head = ["problem", "n", "non-zeros", "f", "native", "CSR", *PEERS]
    head += [f"prepare: {k}" for k in ("landform", *PEERS)]
    print(f"JAX {jax.__version__}, landform {landform.__version__}\n")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    sizes = [("brusselator", 20_000), ("brusselator", 2 * 316**2), ("rosenbrock", 10_000), ("rosenbrock", 100_000)]
    for name, n in [*sizes, ("rosenbrock", 1_000_000), ("arwhead", 10_000)]:
        row(name, n)


if __name__ == "__main__":
    with jax.enable_x64(True):
        main()
