"""Numeric derivatives beside numdifftools, jacobi and SciPy, in one run.

    python benchmarks/numeric.py [points]

Steps, priors and constants were tuned on the first set of functions; the second was written after that and none of
it was used for tuning.

Needs numdifftools and jacobi besides landform. The yardstick for first derivatives is the best central difference:
the root mean square error at the step, not larger than half the input, that is best for this function, point and
noise; no method can know that step.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable

import jacobi
import numdifftools
import numpy as np
import scipy.sparse as sp
from scipy import special
from scipy.differentiate import derivative
from scipy.differentiate import hessian as scipy_hessian
from scipy.optimize._numdiff import approx_derivative, group_columns

import landform
from landform.derivatives.coloring import color_columns

FUNCTIONS: dict[str, tuple[Callable, Callable, tuple[float, float]]] = {
    "exp": (np.exp, np.exp, (-1, 2)),
    "sin": (np.sin, np.cos, (0.2, 2.9)),
    "sin 3x + 2": (lambda x: np.sin(3 * x) + 2, lambda x: 3 * np.cos(3 * x), (0.2, 2.9)),
    "log": (np.log, lambda x: 1 / x, (1.5, 6)),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), (0.3, 5)),
    "Runge": (lambda x: 1 / (1 + 25 * x * x), lambda x: -50 * x / (1 + 25 * x * x) ** 2, (-1, 1)),
    "cubic": (lambda x: x**3 - 2 * x + 1, lambda x: 3 * x * x - 2, (-2, 2)),
    "ninth": (lambda x: x**9 - x**4 + 1, lambda x: 9 * x**8 - 4 * x**3, (0.3, 1.3)),
    "tanh": (lambda x: np.tanh(2 * x) + 0.1, lambda x: 2 / np.cosh(2 * x) ** 2, (-1, 1.5)),
    "Gauss": (lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x), (-2, 2)),
    "1 / x": (lambda x: 1 / x, lambda x: -1 / x**2, (0.2, 3)),
    "Arrhenius": (lambda x: np.exp(-5 / x), lambda x: 5 / x**2 * np.exp(-5 / x), (0.5, 3)),
    "x^2.5": (lambda x: x**2.5, lambda x: 2.5 * x**1.5, (0.5, 4)),
    "oscillation": (
        lambda x: np.exp(-x) * np.cos(5 * x) + 1.5,
        lambda x: -np.exp(-x) * (np.cos(5 * x) + 5 * np.sin(5 * x)),
        (0.1, 2),
    ),
    "linear": (lambda x: 3 * x + 1, lambda x: 3 + 0 * x, (0.5, 3)),
    "1e4 + x^2": (lambda x: 1e4 + x**2, lambda x: 2 * x, (20, 200)),
}

HELD_OUT: dict[str, tuple[Callable, Callable, tuple[float, float]]] = {
    "logistic": (
        lambda x: 1 / (1 + np.exp(-4 * x)),
        lambda x: 4 * np.exp(-4 * x) / (1 + np.exp(-4 * x)) ** 2,
        (-1.5, 1.5),
    ),
    "Bessel": (special.j0, lambda x: -special.j1(x), (0.5, 8)),
    "gamma": (special.gamma, lambda x: special.gamma(x) * special.digamma(x), (0.5, 4)),
    "error function": (special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x), (-1.5, 1.5)),
    "x log x": (lambda x: x * np.log(x), lambda x: np.log(x) + 1, (0.5, 5)),
    "Michaelis": (lambda x: x / (0.5 + x), lambda x: 0.5 / (0.5 + x) ** 2, (0.05, 4)),
    "Gompertz": (
        lambda x: np.exp(-3 * np.exp(-x)),
        lambda x: 3 * np.exp(-x) * np.exp(-3 * np.exp(-x)),
        (-0.5, 3),
    ),
    "arctan": (lambda x: np.arctan(5 * x) + 2, lambda x: 5 / (1 + 25 * x * x), (-1, 1)),
    "cosh": (np.cosh, np.sinh, (-2, 2)),
    "Antoine": (
        lambda x: 10 ** (8.07131 - 1730.63 / (233.426 + x)),
        lambda x: 10 ** (8.07131 - 1730.63 / (233.426 + x)) * np.log(10) * 1730.63 / (233.426 + x) ** 2,
        (5, 95),
    ),
    "double well": (lambda x: (x * x - 1) ** 2 + 0.3 * x + 1, lambda x: 4 * x * (x * x - 1) + 0.3, (-1.5, 1.5)),
    "chirp": (lambda x: np.sin(x * x) + 3, lambda x: 2 * x * np.cos(x * x), (0.5, 4)),
    "sum of exponentials": (
        lambda x: np.exp(-x) + 0.5 * np.exp(-10 * x),
        lambda x: -np.exp(-x) - 5 * np.exp(-10 * x),
        (0.05, 2),
    ),
    "cube root": (np.cbrt, lambda x: np.cbrt(x) / (3 * x), (0.2, 3)),
    "Lennard-Jones": (lambda x: x**-12.0 - 2 * x**-6.0, lambda x: -12 * x**-13.0 + 12 * x**-7.0, (0.9, 2)),
    "falling line": (lambda x: 20 - 0.7 * x, lambda x: -0.7 + 0 * x, (-5, 5)),
}


class Counted:
    """A function with relative noise that counts how many points it was asked for."""

    def __init__(self, function: Callable, noise: float, rng: np.random.Generator) -> None:
        self.function, self.noise, self.rng, self.count = function, noise, rng, 0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        self.count += x.size
        with np.errstate(all="ignore"):
            return self.function(x) * (1 + self.noise * self.rng.standard_normal(x.shape))


def by_landform(f: Callable, x: float) -> tuple[float, float]:
    J = landform.jacobian(f, np.array([x]), mode="numeric")
    return float(J.dense()[0, 0]), float(J.error()[0, 0])


def by_interval(f: Callable, x: float) -> tuple[float, float]:
    J = landform.jacobian(f, np.array([x]), mode="numeric", method="interval", budget=16)
    return float(J.dense()[0, 0]), float(J.error()[0, 0])


def by_jacobi(f: Callable, x: float) -> tuple[float, float]:
    value, error = jacobi.jacobi(lambda z: f(z), x)
    return float(np.squeeze(value)), float(np.squeeze(error))


def by_numdifftools(f: Callable, x: float) -> tuple[float, float]:
    found = numdifftools.Derivative(f, full_output=True)(x)
    return float(found.estimate), float(found.error_estimate)


def by_scipy(f: Callable, x: float) -> tuple[float, float]:
    found = derivative(f, x)
    return float(found.df), float(found.error)


METHODS = {
    "landform": by_landform,
    "landform, interval test": by_interval,
    "jacobi": by_jacobi,
    "numdifftools": by_numdifftools,
    "SciPy": by_scipy,
}
AIM = 0.4


def best_stencil(f: Callable, slope: float, x: float, noise: float) -> float:
    h = 10 ** np.arange(-8, 0, 0.05)
    h = h[h <= 0.5 * abs(x)]
    with np.errstate(all="ignore"):
        up, down = f(x + h), f(x - h)
        bias = (up - down) / (2 * h) - slope
        return float(np.nanmin(np.hypot(bias, noise * np.hypot(up, down) / (2 * h))))


def slopes(points: int, noise: float, title: str, functions: dict) -> None:
    print(f"\n### First derivatives, {title}, relative noise {noise:g}, not told: {len(functions)} × {points} points\n")
    error = "error / best 2-evaluation stencil: median (worst function), root mean square (worst function)"
    error = error if noise else "relative error: median (worst function)"
    within = f" functions within {AIM}: median, root mean square |" if noise else ""
    print(f"| method | evaluations, most | {error} |{within} bar × 2 holds: all, worst function ... best function |")
    print("|---|---|---|---|" + ("---|" if noise else ""))
    ours = {}
    for name, method in METHODS.items():
        rows = {key: one_function(method, *functions[key], points, noise) for key in functions}
        medians, squares, held, most = (np.array(column) for column in zip(*rows.values(), strict=True))
        figures, count = f"{np.median(medians):.2g} ({max(medians):.2g})", ""
        if noise:
            figures += f", {np.median(squares):.2g} ({max(squares):.2g})"
            count = f" {np.sum(medians <= AIM)}, {np.sum(squares <= AIM)} |"
        spread = f"{np.mean(held):.1%}, {min(held):.1%} ... {max(held):.1%}"
        print(f"| {name} | {max(most)} | {figures} |{count} {spread} |")
        if name == "landform":
            ours = rows
    if noise:
        print("\nlandform, function by function (median, root mean square, bar × 2 holds):", end=" ")
        print("; ".join(f"{key} {a:.2f}, {b:.2f}, {c:.0%}" for key, (a, b, c, _) in ours.items()) + ".")


def one_function(
    method: Callable, function: Callable, slope: Callable, span: tuple[float, float], points: int, noise: float
) -> tuple[float, float, float, int]:
    """Median and root mean square of the error ratio, how often the bar holds, and the most evaluations."""
    rng, ratios, inside, most = np.random.default_rng(1), [], [], 0
    for x in rng.uniform(*span, points):
        f = Counted(function, noise, rng)
        try:
            value, bar = method(f, float(x))
        except Exception:
            value, bar = np.nan, np.nan
        miss, true = abs(value - slope(x)), slope(x)
        miss = miss if np.isfinite(miss) else np.inf
        ratios.append(miss / (best_stencil(function, true, x, noise) if noise else abs(true) + abs(function(x) / x)))
        inside.append(miss <= 2 * bar)
        most = max(most, f.count)
    return float(np.median(ratios)), float(np.sqrt(np.mean(np.square(ratios)))), float(np.mean(inside)), most


def bowl(x: np.ndarray) -> np.ndarray:
    return 1 + x[0] ** 2 + np.sin(x[0] * x[1]) - x[3] * x[2] + 0.5 * x[4] ** 2


def bowl_curves(x: np.ndarray) -> np.ndarray:
    H = np.zeros((5, 5))
    s, c = np.sin(x[0] * x[1]), np.cos(x[0] * x[1])
    H[0, 0], H[1, 1], H[4, 4], H[0, 1], H[2, 3] = 2 - x[1] ** 2 * s, -(x[0] ** 2) * s, 1, c - x[0] * x[1] * s, -1
    return H + np.triu(H, 1).T


def line_limit(x: np.ndarray, noise: float) -> np.ndarray:
    """The standard errors that lines of 14 and 10 evaluations can have at best, by someone told the function.

    Of all polynomials of degree 2 to 8 through Chebyshev points within all radii up to the inputs' size the one
    with the least error, truncation and noise together.
    """
    H, spread = bowl_curves(x), noise * bowl(x)

    def curvature(v: np.ndarray, count: int) -> float:
        u = np.append(np.cos(np.pi * (np.arange(count) + 0.5) / count), 0.0)
        errors = []
        for radius in np.geomspace(0.05, 1.0, 15):
            y = np.array([bowl(x + radius * t * v) for t in u])
            for degree in (2, 4, 6, 8):
                w = 2 * np.linalg.pinv(u[:, None] ** np.arange(degree + 1))[2] / radius**2
                errors.append(np.hypot(w @ y - v @ H @ v, spread * np.linalg.norm(w)))
        return min(errors)

    axes = np.diag(x)
    own = np.array([curvature(axes[i], 14) for i in range(5)])
    errors = np.diag(own / x**2)
    for i in range(5):
        for j in range(i):
            pair = curvature(axes[i] + axes[j], 10)
            errors[i, j] = errors[j, i] = np.sqrt(pair**2 + own[i] ** 2 + own[j] ** 2) / (2 * x[i] * x[j])
    return errors


def curves(repeats: int = 20) -> None:
    def by_landform(g: Callable, x: np.ndarray) -> np.ndarray:
        return landform.hessian(lambda z: float(g(z)), x, mode="numeric").dense()

    def by_scipy(g: Callable, x: np.ndarray) -> np.ndarray:
        return scipy_hessian(lambda z: g(z), x).ddf

    print("\n### Hessian of 5 variables, relative noise 1e-6, not told: 15 distinct entries\n")
    print(
        "| method | evaluations per distinct entry | error of an entry: median, root mean square | "
        "largest of 15: median, worst |"
    )
    print("|---|---|---|---|")
    for name, method in {
        "landform": by_landform,
        "numdifftools": lambda g, x: numdifftools.Hessian(lambda z: float(g(z)))(x),
        "SciPy": by_scipy,
    }.items():
        misses, count = [], 0
        for seed in range(repeats):
            rng = np.random.default_rng(seed)
            x = rng.uniform(0.5, 1.5, 5)
            calls = [0]

            def g(z: np.ndarray, rng: np.random.Generator = rng, calls: list[int] = calls) -> np.ndarray:
                value = bowl(np.asarray(z))
                calls[0] += np.size(value)
                return value * (1 + 1e-6 * rng.standard_normal(np.shape(value)))

            misses.append(np.abs(method(g, x) - bowl_curves(x))[np.triu_indices(5)])
            count = calls[0]
        hessian_row(name, f"{count / 15:.1f}", np.array(misses))
    limits, rng = [], np.random.default_rng(0)
    for seed in range(repeats):
        x = np.random.default_rng(seed).uniform(0.5, 1.5, 5)
        limits.append(np.abs(line_limit(x, 1e-6)[np.triu_indices(5)] * rng.standard_normal(15)))
    hessian_row("lines at best, told the function", "11.4", np.array(limits))


def hessian_row(name: str, count: str, misses: np.ndarray) -> None:
    largest = misses.max(axis=1)
    typical = f"{np.median(misses):.1e}, {np.sqrt(np.mean(misses**2)):.1e}"
    print(f"| {name} | {count} | {typical} | {np.median(largest):.1e}, {max(largest):.1e} |")


def brusselator(side: int) -> tuple[Callable, sp.csr_array]:
    """The 2-D Brusselator on a ring, and its pattern."""
    n = side * side
    buffer = np.empty((2, side + 2, side + 2))

    def f(x: np.ndarray) -> np.ndarray:
        w = x.reshape(2, side, side)
        buffer[:, 1:-1, 1:-1] = w
        buffer[:, 0, 1:-1], buffer[:, -1, 1:-1] = w[:, -1], w[:, 0]
        buffer[:, 1:-1, 0], buffer[:, 1:-1, -1] = w[:, :, -1], w[:, :, 0]
        spread = buffer[:, :-2, 1:-1] + buffer[:, 2:, 1:-1] + buffer[:, 1:-1, :-2] + buffer[:, 1:-1, 2:] - 4 * w
        u, v = w
        reaction = u * u * v
        return np.stack([1 + reaction - 4.4 * u, 3.4 * u - reaction]).ravel() + 0.1 * spread.ravel() * n

    ring = sp.eye_array(side) + sp.eye_array(side, k=1) + sp.eye_array(side, k=-1)
    ring = ring + sp.eye_array(side, k=side - 1) + sp.eye_array(side, k=1 - side)
    near = sp.kron(ring, sp.eye_array(side)) + sp.kron(sp.eye_array(side), ring)
    return f, sp.csr_array(sp.block_array([[near, sp.eye_array(n)], [sp.eye_array(n), near]]) != 0)


def grouped(side: int = 32) -> None:
    f, pattern = brusselator(side)
    x = 1 + np.random.default_rng(0).random(2 * side * side)
    colored, groups = color_columns(pattern), group_columns(pattern)

    def slow(z: np.ndarray) -> np.ndarray:
        for _ in range(20):
            y = f(z)
        return y

    print(f"\n### Sparse differences, n = {x.size}, 2-D Brusselator, pattern and coloring prepared\n")
    print("| method | colors | evaluations | one evaluation, µs | total, in evaluations | over (colors + 1), % |")
    print("|---|---|---|---|---|---|")
    for label, g in (("f", f), ("20 f", slow)):
        counts = [0]

        def counted(z: np.ndarray, g: Callable = g, counts: list[int] = counts) -> np.ndarray:
            counts[0] += 1
            return g(z)

        def ours(h: Callable) -> object:
            return landform.jacobian(h, x, mode="numeric", sparsity=colored, budget="least").sparse()

        def theirs(h: Callable) -> object:
            return approx_derivative(h, x, method="2-point", sparsity=(pattern, groups))

        for name, colors, run in (
            ("landform", colored.colors, ours),
            ("SciPy", int(groups.max()) + 1, theirs),
        ):
            counts[0] = 0
            run(counted)
            ratios, own = [], []
            for _ in range(40):
                start = time.perf_counter()
                for _ in range(5):
                    g(x)
                single = (time.perf_counter() - start) / 5
                start = time.perf_counter()
                run(g)
                ratios.append((time.perf_counter() - start) / single)
                own.append(single)
            total = float(np.median(ratios))
            over = 100 * (total / (colors + 1) - 1)
            print(
                f"| {name}, {label} | {colors} | {counts[0]} | {1e6 * np.median(own):.0f} | {total:.1f} | {over:.0f} |"
            )


def detected() -> None:
    """Evaluations that finding a pattern takes, and the entries missed or made up."""
    rng = np.random.default_rng(0)
    shuffle, n = rng.permutation(1000), 1000
    band = sp.csr_array(sp.eye_array(n) + sp.eye_array(n, k=-1))

    def chain(x: np.ndarray) -> np.ndarray:
        return np.concatenate([x[:1], x[1:] ** 2 * x[:-1]])

    print('\n### Patterns found by `sparsity="detect"`\n')
    print("| function | n | colors | evaluations to find it | entries missing, made up |")
    print("|---|---|---|---|---|")
    ring, pattern = brusselator(32)
    for name, f, truth in (
        ("2-D Brusselator", ring, pattern),
        ("chain", chain, band),
        ("chain, inputs shuffled", lambda x: chain(x[shuffle]), band[:, np.argsort(shuffle)]),
    ):
        x = 1 + rng.random(truth.shape[1])
        J = landform.jacobian(f, x, mode="numeric", sparsity="detect", budget="least")
        p = J.pattern.structure
        seen = sp.csr_array((np.ones(len(p.columns), bool), p.columns, p.indptr), shape=p.shape)
        missing, extra = (truth > seen).sum(), (seen > truth).sum()
        print(
            f"| {name} | {x.size} | {J.pattern.colors} | {J.evaluations - J.pattern.colors - 1} | {missing}, {extra} |"
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for noise in (1e-6, 0.0):
        slopes(points, noise, "functions used for tuning", FUNCTIONS)
        slopes(points, noise, "functions held out", HELD_OUT)
    curves()
    grouped()
    detected()
