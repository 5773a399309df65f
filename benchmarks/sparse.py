"""Sparse Jacobians and Hessians beside asdex, sparsejac and CasADi, as ratios to one evaluation of the function.

Run: ``python benchmarks/sparse.py``, or some rows only: ``python benchmarks/sparse.py rosenbrock:100000``;
``--alone`` leaves the peers out. A peer that is not installed is left out. The candidates take turns; the least and the
median of many times are kept.

"by hand" is the floor: the same non-zeros written down as a JAX function for the very problem, in native order.
"""

from __future__ import annotations

import sys
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
OURS = ("by hand", "native", "any order", "sorted")
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


def by_hand(name: str, x: Any) -> Any:
    """The non-zeros as one would write them for this problem alone, term after term."""
    if name == "rosenbrock":
        beside = -400.0 * x[:-1]
        middle = jnp.pad(1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0, (0, 1)) + jnp.where(
            jnp.arange(x.size) > 0, 200.0, 0.0
        )
        return jnp.concatenate([middle, beside, beside])
    if name == "arwhead":
        a, b = x[:-1], x[-1]
        corner = jnp.sum(4.0 * a**2 + 12.0 * b**2)
        return jnp.concatenate([12.0 * a**2 + 4.0 * b**2, 8.0 * a * b, 8.0 * a * b, corner[None]])
    size = round((x.size / 2) ** 0.5)
    u, v = x.reshape(2, -1)
    c = 10.0 * (size - 1) ** 2 / 1e3
    uu, uv = u * u, 2.0 * u * v
    return jnp.concatenate([jnp.full(4 * x.size, c), uv - 4.0 * c - 4.4, uu, 3.4 - uv, -4.0 * c - uu])


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


def times(thunks: Thunks) -> tuple[dict[str, float], dict[str, float]]:
    """The least and the median seconds of every candidate; what each gave last is held, as a solver would."""
    taken: dict[str, list[float]] = {name: [] for name in thunks}
    held: dict[str, Any] = {}
    for thunk in thunks.values():
        thunk()
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        for name, thunk in thunks.items():
            for _ in range(3):
                t = time.perf_counter()
                held[name] = thunk()
                taken[name].append(time.perf_counter() - t)
    return {k: min(v) for k, v in taken.items()}, {k: float(np.median(v)) for k, v in taken.items()}


def timed(make: Callable[[], Any]) -> tuple[float, Any]:
    t = time.perf_counter()
    made = make()
    return time.perf_counter() - t, made


def ours(f: Any, x: Any, hessian: bool) -> tuple[float, SparseProgram]:
    def make() -> SparseProgram:
        program = SparseProgram(f, x, budget=2**31, symmetry="mirrored" if hessian else "none")
        _ = program.placed.runs
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


def check(program: SparseProgram, hand: Any, x: Any) -> None:
    """The floor writes the same numbers: as many, and of the same sum of squares."""
    values, written = program.host_data(x), np.asarray(hand(x))
    assert len(values) == len(written), (len(values), len(written))
    np.testing.assert_allclose(np.sum(values**2), np.sum(written**2), rtol=1e-9)


def row(name: str, n: int, *, alone: bool = False) -> None:
    hessian = name != "brusselator"
    g = {"rosenbrock": rosenbrock, "arwhead": arwhead}.get(name)
    f = jax.grad(g) if g else brusselator(round((n / 2) ** 0.5))
    x = jnp.asarray(1.0 + 0.1 * np.random.default_rng(0).normal(size=n))
    found, program = ours(f, x, hessian)
    fj, hand = jax.jit(f), jax.jit(lambda x: by_hand(name, x))
    check(program, hand, x)
    cases: Thunks = {
        "f": lambda: fj(x).block_until_ready(),
        "native": lambda: program.native(x).block_until_ready(),
        "any order": lambda: program.matrix(program.host_data(x, sort=False), sort=False),
        "sorted": lambda: program.matrix(program.host_data(x)),
        "by hand": lambda: hand(x).block_until_ready(),
    }
    prepared = {"landform": found}
    if asdex is not None and not alone and n <= 200_000:
        prepared["asdex"], ja = asdex_row(f, g, x, hessian)
        cases["asdex"] = lambda: jax.block_until_ready(ja(x).data)
    if sparsejac is not None and not alone and n <= 20_000 and name != "arwhead":
        prepared["sparsejac"], js = sparsejac_row(f, program)
        cases["sparsejac"] = lambda: jax.block_until_ready(js(x).data)
    if casadi is not None and not alone and n <= 20_000:
        prepared["CasADi"], (fc, jc) = timed(lambda: casadi_problem(name, n))
        point = casadi.DM(np.asarray(x))
        cases["CasADi f"], cases["CasADi"] = (lambda: fc(point)), (lambda: jc(point))
    least, median = times(cases)
    for best in (least, median):
        if "CasADi" in best:
            best["CasADi"] *= best["f"] / best.pop("CasADi f")  # a ratio to its own function
    ratios = [
        f"{least[k] / least['f']:.1f} ({median[k] / median['f']:.1f})" if k in least else "" for k in (*OURS, *PEERS)
    ]
    per_input = [
        f"{prepared[k] / n * 1e6:.2f}" if k in prepared else "" for k in ("landform", "asdex", "sparsejac", "CasADi")
    ]
    cells = [
        name,
        f"{n:,}",
        f"{program.pattern.nnz:,}",
        f"{least['f'] * 1e6:.0f} ({median['f'] * 1e6:.0f}) µs",
        *ratios,
        *per_input,
    ]
    print("| " + " | ".join(cells) + " |", flush=True)


SIZES = {"brusselator": (20_000, 2 * 316**2), "rosenbrock": (10_000, 100_000, 1_000_000), "arwhead": (10_000,)}


def main(asked: list[str]) -> None:
    alone = "--alone" in asked
    rows = [a.split(":") for a in asked if a != "--alone"] or [(k, n) for k, sizes in SIZES.items() for n in sizes]
    head = ["problem", "n", "non-zeros", "f", *OURS, *PEERS]
    head += [f"prepare: {k}" for k in ("landform", *PEERS)]
    print(f"JAX {jax.__version__}, landform {landform.__version__}\n")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name, n in rows:
        row(name, int(n), alone=alone)


if __name__ == "__main__":
    with jax.enable_x64(True):
        main(sys.argv[1:])
