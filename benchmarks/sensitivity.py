"""Global sensitivity and Shapley values beside SALib, SciPy and shap: what each takes to be right.

Run: ``python benchmarks/sensitivity.py``. A peer that is not installed is left out. Accuracy is the worst of ten seeds,
against closed forms; times are the least of interleaved repeats.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy import stats
from sklearn.datasets import load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

import landform
from landform.sensitivity import derivative_measures

try:
    from SALib.analyze import dgsm as salib_dgsm
    from SALib.analyze import sobol as salib_sobol
    from SALib.sample import finite_diff
    from SALib.sample import sobol as salib_sample
except ImportError:
    salib_sobol = None
try:
    import shap
except ImportError:
    shap = None

PI = np.pi
SEEDS = range(10)
A = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])


def ishigami(x: Any, xp: Any = jnp) -> Any:
    return xp.sin(x[0]) + 7.0 * xp.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * xp.sin(x[0])


def g_function(x: Any, xp: Any = jnp) -> Any:
    factors = [(xp.abs(4.0 * x[i] - 2.0) + A[i]) / (1.0 + A[i]) for i in range(len(A))]
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def ishigami_indices() -> np.ndarray:
    parts = np.array([0.5 * (1 + 0.1 * PI**4 / 5) ** 2, 49 / 8, 0.01 * PI**8 * (1 / 18 - 1 / 50)])
    one, two, both = parts / parts.sum()
    return np.array([[one, two, 0.0], [one + both, two, both]])


def g_slopes() -> np.ndarray:
    rest = [np.prod(np.delete(1 + 1 / (3 * (1 + A) ** 2), i)) for i in range(len(A))]
    return 16.0 / (1 + A) ** 2 * np.array(rest)


def worst(error: Callable[[int], float]) -> float:
    return max(error(seed) for seed in SEEDS)


def salib_problem(d: int, low: float, high: float) -> dict[str, Any]:
    return {"num_vars": d, "names": [f"x{i}" for i in range(d)], "bounds": [[low, high]] * d}


def sobol_rows() -> None:
    right = ishigami_indices()
    taken = []

    def ours(seed: int) -> float:
        found = landform.global_sensitivity(ishigami, [(-PI, PI)] * 3, seed=seed)
        taken.append(found.gradients + found.evaluations)
        return max(np.abs(found.indices[k].values[0] - r).max() for k, r in zip(("first", "total"), right, strict=True))

    error = worst(ours)
    print(f"| Sobol indices of Ishigami | landform | {max(taken)} values with gradients | {error:.1e} |", flush=True)

    def scipys(n: int, seed: int) -> float:
        found = stats.sobol_indices(
            func=lambda X: ishigami(X, np), n=n, dists=[stats.uniform(-PI, 2 * PI)] * 3, rng=np.random.default_rng(seed)
        )
        return max(np.abs(found.first_order - right[0]).max(), np.abs(found.total_order - right[1]).max())

    report("Sobol indices of Ishigami", "scipy.stats.sobol_indices", scipys, lambda n: 5 * n, 0.01)
    if salib_sobol is not None:

        def salibs(n: int, seed: int) -> float:
            problem = salib_problem(3, -PI, PI)
            X = salib_sample.sample(problem, n, calc_second_order=False, seed=seed)
            found = salib_sobol.analyze(problem, ishigami(X.T, np), calc_second_order=False, num_resamples=2, seed=seed)
            return max(np.abs(found["S1"] - right[0]).max(), np.abs(found["ST"] - right[1]).max())

        report("Sobol indices of Ishigami", "SALib", salibs, lambda n: 5 * n, 0.01)


def report(work: str, peer: str, error: Callable[[int, int], float], cost: Callable[[int], int], aim: float) -> None:
    for power in range(6, 15):
        found = worst(lambda seed, n=2**power: error(n, seed))
        if found <= aim or power == 14:
            print(f"| {work} | {peer} | {cost(2**power):,} values | {found:.1e} |", flush=True)
            return


def slope_rows() -> None:
    right = g_slopes()
    taken = []

    def ours(seed: int) -> float:
        found = derivative_measures(g_function, [(0, 1)] * 8, budget=97, seed=seed)
        taken.append(found.evaluations)
        return float(np.abs(found.measure[0] / right - 1).max())

    error = worst(ours)
    print(f"| derivative measures, g-function | landform | {max(taken)} gradients | {error:.1e} |", flush=True)
    if salib_sobol is not None:

        def salibs(n: int, seed: int) -> float:
            problem = salib_problem(8, 0.0, 1.0)
            X = finite_diff.sample(problem, n, delta=0.01, seed=seed)
            found = salib_dgsm.analyze(problem, X, g_function(X.T, np), num_resamples=2, seed=seed)
            return float(np.abs(found["vi"] / right - 1).max())

        report("derivative measures, g-function", "SALib", salibs, lambda n: 9 * n, 0.01)


def shapley_rows() -> None:
    X, y = load_diabetes(return_X_y=True)
    X = X / X.std(axis=0)
    kernel = ConstantKernel(1.0) * RBF(np.linspace(2.0, 6.0, 10)) + WhiteKernel(0.5)
    process = GaussianProcessRegressor(kernel, normalize_y=True, optimizer=None).fit(X, y)
    background = X[:100]
    ours, theirs = np.inf, np.inf
    explainer = None if shap is None else shap.KernelExplainer(process.predict, background)
    for _ in range(2):
        t = time.perf_counter()
        found = landform.shapley_values(process, X, background=background)
        ours = min(ours, time.perf_counter() - t)
        if explainer is not None:
            t = time.perf_counter()
            values = explainer.shap_values(X[:2], silent=True)
            theirs = min(theirs, (time.perf_counter() - t) / 2 * len(X))
    gap = np.abs(found.values.sum(axis=2)[:, 0] + found.base - process.predict(X)).max()
    print(f"| Shapley values of a GP, 442 × 10 | landform | {ours:.1f} s | sums right to {gap:.0e} |")
    if explainer is not None:
        same = np.abs(values - found.values[:2, 0]).max()
        print(f"| Shapley values of a GP, 442 × 10 | shap KernelExplainer (2 rows, scaled up) | {theirs:.0f} s | same to {same:.0e} |")  # noqa: E501  # fmt: skip
        print(f"\nlandform takes {ours / theirs:.4f} of KernelExplainer's time.")


def main() -> None:
    print("| work | by | takes | worst error |\n|---|---|---|---|")
    sobol_rows()
    slope_rows()
    shapley_rows()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
