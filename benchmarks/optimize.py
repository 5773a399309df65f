"""LUKVLE1 with its pattern found by landform, beside Ipopt, Uno and POUNCE with derivatives written by hand.

Run: ``python benchmarks/optimize.py``. A peer that is not installed is left out. The candidates take turns; the least
and the median of several times are given, so that other work on the machine disturbs the ratios little.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import NonlinearConstraint

import landform

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "problems"))
from luksan_vlcek import exponentials, rosenbrock_with_exponentials, start

N = 10_000
TURNS = 9
Array = np.ndarray


class ByHand:
    """LUKVLE1's values and the entries of its matrices in NumPy, for any solver."""

    def __init__(self, n: int) -> None:
        self.n, self.m = n, n - 2
        k = np.arange(n - 2)
        self.slope_places = np.concatenate([k, k, k]), np.concatenate([k, k + 1, k + 2])
        self.curve_places = (
            np.concatenate([np.arange(n), np.arange(1, n)]),
            np.concatenate([np.arange(n), np.arange(n - 1)]),
        )

    def objective(self, x: Array) -> float:
        return float(np.sum(100 * (x[:-1] ** 2 - x[1:]) ** 2 + (x[:-1] - 1) ** 2))

    def gradient(self, x: Array) -> Array:
        out, r = np.zeros(self.n), x[:-1] ** 2 - x[1:]
        out[:-1] += 400 * r * x[:-1] + 2 * (x[:-1] - 1)
        out[1:] -= 200 * r
        return out

    def constraints(self, x: Array) -> Array:
        a, b, c = x[:-2], x[1:-1], x[2:]
        return 3 * b**3 + 2 * c - 5 + np.sin(b - c) * np.sin(b + c) + 4 * b - a * np.exp(a - b) - 3

    def jacobian(self, x: Array) -> Array:
        a, b, c = x[:-2], x[1:-1], x[2:]
        e = np.exp(a - b)
        return np.concatenate([-(1 + a) * e, 9 * b**2 + np.sin(2 * b) + 4 + a * e, 2 - np.sin(2 * c)])

    def hessian(self, x: Array, multipliers: Array, weight: float) -> Array:
        a, b, c = x[:-2], x[1:-1], x[2:]
        e, own, beside = np.exp(a - b), np.zeros(self.n), np.zeros(self.n - 1)
        own[:-1] += weight * (1200 * x[:-1] ** 2 - 400 * x[1:] + 2)
        own[1:] += weight * 200
        beside -= weight * 400 * x[:-1]
        own[:-2] -= multipliers * (2 + a) * e
        own[1:-1] += multipliers * (18 * b + 2 * np.cos(2 * b) - a * e)
        own[2:] -= multipliers * 2 * np.cos(2 * c)
        beside[:-1] += multipliers * (1 + a) * e
        return np.concatenate([own, beside])

    def jacobianstructure(self) -> Any:
        return self.slope_places

    def hessianstructure(self) -> Any:
        return self.curve_places


def into(call: Callable[..., Array]) -> Callable[..., None]:
    """A function that writes its result into its last argument."""

    def write(*args: Any) -> None:
        args[-1][:] = call(*args[:-1])

    return write


def ipopt(hand: ByHand, x0: Array) -> float:
    import ipyopt

    far, zero = np.full(hand.n, 1e20), np.zeros(hand.m)
    problem = ipyopt.Problem(
        hand.n,
        -far,
        far,
        hand.m,
        zero,
        zero,
        hand.slope_places,
        hand.curve_places,
        hand.objective,
        into(hand.gradient),
        into(hand.constraints),
        into(hand.jacobian),
        into(hand.hessian),
        ipopt_options={"print_level": 0, "sb": "yes", "tol": 1e-8},
    )
    return float(problem.solve(x0.copy())[1])


def uno(hand: ByHand, x0: Array) -> float:
    import unopy

    far, zero = [np.inf] * hand.n, [0.0] * hand.m
    model = unopy.Model(unopy.PROBLEM_NONLINEAR, hand.n, [-np.inf] * hand.n, far, unopy.ZERO_BASED_INDEXING)
    model.set_lagrangian_sign_convention(unopy.MULTIPLIER_POSITIVE)
    model.set_objective(unopy.MINIMIZE, hand.objective, into(hand.gradient))
    row, column = (place.tolist() for place in hand.slope_places)
    model.set_constraints(hand.m, into(hand.constraints), zero, zero, len(row), row, column, into(hand.jacobian))
    row, column = (place.tolist() for place in hand.curve_places)
    curves = into(lambda x, weight, multipliers: hand.hessian(x, multipliers, weight))
    model.set_lagrangian_hessian(len(row), unopy.LOWER_TRIANGLE, row, column, curves)
    model.set_initial_primal_iterate(x0.tolist())
    solver = unopy.UnoSolver()
    solver.set_preset("ipopt")
    solver.set_option("logger", "SILENT")
    return float(solver.optimize(model).solution_objective)


def pounce(hand: ByHand, x0: Array) -> float:
    import pounce as package

    problem = package.Problem(hand.n, hand.m, hand, cl=np.zeros(hand.m), cu=np.zeros(hand.m))
    problem.add_option("print_level", 0)
    return float(problem.solve(x0)[1]["obj_val"])


def ours(method: str) -> Any:
    limits = NonlinearConstraint(exponentials, 0, 0)
    return landform.minimize(rosenbrock_with_exponentials, start(N), constraints=limits, method=method)


def main() -> None:
    """Measure, and print the table."""
    hand, x0 = ByHand(N), start(N)
    calls: dict[str, Callable[[], float]] = {}
    for method, package in (("uno", "unopy"), ("pounce", "pounce")):
        if find_spec(package):
            calls[f"landform, method={method!r}"] = lambda method=method: ours(method).value
    for name, package, call in (("Ipopt", "ipyopt", ipopt), ("Uno", "unopy", uno), ("POUNCE", "pounce", pounce)):
        if find_spec(package):
            calls[f"{name}, by hand"] = lambda call=call: call(hand, x0)
    first: dict[str, float] = {}
    times: dict[str, list[float]] = {name: [] for name in calls}
    values = {}
    for turn in range(TURNS + 1):
        for name, call in calls.items():
            begin = time.perf_counter()
            values[name] = call()
            took = time.perf_counter() - begin
            if turn:
                times[name].append(took)
            else:
                first[name] = took
    base = next((min(times[name]) for name in times if name.startswith("Ipopt")), np.nan)
    print(f"LUKVLE1, n = {N:,}\n\n| what | first call [s] | least [s] | median [s] | × Ipopt | value |")
    print("|---|---|---|---|---|---|")
    for name, took in times.items():
        spent = f"{first[name]:.2f} | {min(took):.4f} | {np.median(took):.4f} | {min(took) / base:.2f}"
        print(f"| {name} | {spent} | {values[name]:.12g} |")


if __name__ == "__main__":
    main()
