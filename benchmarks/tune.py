"""How many inner problems it takes to reach a validation loss: landform.tune beside grids, random search, SciPy without
slopes and SciPy with difference quotients, all of them solving the same inner problems by the same solver.

Every method asks one function for the outer loss; what counts is how often, until it is within a thousandth of the
lowest loss that any method found. A slope that comes with the solve counts as nothing for landform, as 2 p more solves
for difference quotients. Digits and diabetes are scikit-learn's.

Run:  python benchmarks/tune.py [ridge] [kernel] [classes] [pixels] [early]
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import differential_evolution, minimize
from sklearn.datasets import load_diabetes, load_digits
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge

import landform

Loss = Callable[[np.ndarray], float]
NEAR = 1e-3
MOST = 400


class Counted:
    """A loss that notes the lowest value met after every call."""

    def __init__(self, loss: Loss) -> None:
        self.loss, self.best = loss, []

    def __call__(self, z: np.ndarray) -> float:
        if len(self.best) >= MOST:
            raise StopIteration
        value = float(self.loss(np.asarray(z)))
        self.best.append(min(value, self.best[-1] if self.best else np.inf))
        return value


def calls(best: list[float], goal: float) -> str:
    reached = [k for k, v in enumerate(best, start=1) if v <= goal]
    return str(reached[0]) if reached else f"not in {len(best)}"


def others(loss: Loss, low: np.ndarray, high: np.ndarray, start: np.ndarray) -> dict[str, list[float]]:
    """The lowest loss after every call, method by method."""
    p, rng, found = len(low), np.random.default_rng(0), {}

    def by(name: str, run: Callable[[Counted], Any]) -> None:
        counted = Counted(loss)
        with contextlib.suppress(StopIteration, RuntimeError):  # SciPy turns the one into the other
            run(counted)
        found[name] = counted.best

    bounds = list(zip(low, high, strict=True))
    if p <= 3:
        count = {1: 50, 2: 20, 3: 10}[p]
        cells = np.stack(np.meshgrid(*[np.linspace(a, b, count) for a, b in bounds]), -1).reshape(-1, p)
        by(f"grid of {count}^{p}, in random order", lambda f: [f(z) for z in rng.permutation(cells)])
    by("random search", lambda f: [f(z) for z in rng.uniform(low, high, (100, p))])
    by("SciPy differential evolution", lambda f: differential_evolution(f, bounds, seed=0, maxiter=20, popsize=8))
    by("SciPy Nelder-Mead", lambda f: minimize(f, start, method="Nelder-Mead", bounds=bounds))
    by("SciPy L-BFGS-B, difference quotients", lambda f: minimize(f, start, method="L-BFGS-B", bounds=bounds))
    return found


def compared(name: str, tuned: Any) -> None:
    """Print the rows of one problem."""
    hyper, response, folds = tuned.hyper, tuned.response.afresh(), len(tuned.met.answers)
    low, high = hyper.inward(hyper.lower), hyper.inward(hyper.upper)
    rows = {"landform.tune": list(np.minimum.accumulate([v.value for v in tuned.response.visits]))}
    rows |= others(lambda z: float(response.value(z)[0]), low, high, hyper.inward(hyper.start))
    lowest = min(min(best) for best in rows.values())
    for method, best in rows.items():
        gap = (min(best) - lowest) / abs(lowest)
        cost = calls(best, lowest + NEAR * abs(lowest))
        print(f"| {name} | {len(low)} | {folds} | {method} | {cost} | {gap:.1e} | {len(best)} |", flush=True)


def early_stops() -> None:
    """What the formula says where training was stopped early, beside the truth, and what landform says of it."""
    digits = load_digits()
    X, y = digits.data[:600] / 16, np.where(digits.target[:600] < 5, 1.0, -1.0)
    A, B, a, b = X[:400], X[400:], y[:400], y[400:]

    def inner(w: Any, h: Any) -> Any:
        return jnp.mean(jnp.logaddexp(0.0, -a * (A @ w))) + 0.5 * jnp.exp(h) * w @ w

    def outer(w: Any, h: Any) -> Any:
        return jnp.mean(jnp.logaddexp(0.0, -b * (B @ w))) + 0.0 * h

    h = np.array(-6.0)
    exact = landform.tune(inner, outer, np.zeros(64), h, bounds=(-6.0, -6.0)).met.gradient[0]
    import jax

    with jax.enable_x64(True):
        slope, bend = jax.jit(jax.grad(inner)), jax.jit(jax.hessian(inner))
        w = np.zeros(64)
        for step in range(1, 3001):
            w = w - 0.5 * np.asarray(slope(w, h))
            if step in (10, 30, 100, 300, 1000, 3000):
                q = np.linalg.solve(np.asarray(bend(w, h)), np.asarray(jax.grad(outer)(w, h)))
                naive = -float(np.exp(h) * w @ q)
                try:
                    said = f"slope ± {landform.hypergradient(inner, outer, w, h).error[0]:.1e}"
                except landform.errors.DerivativeError as error:
                    said = "refused: " + str(error).partition("it has not converged: ")[2].partition(";")[0]
                print(f"| {step} | {100 * (naive - exact) / abs(exact):+.2g} % | {said} |", flush=True)


def ridge() -> None:
    X, y = load_diabetes(return_X_y=True)
    compared("ridge, diabetes", landform.tune(Ridge(), X, y, over={"alpha": (1e-4, 1e3)}, cv=5, starts=1))


def kernel() -> None:
    X, y = load_diabetes(return_X_y=True)
    over, model = {"alpha": (1e-4, 1e2), "gamma": (1e-3, 1e3)}, KernelRidge(kernel="rbf")
    held = X[150:300], y[150:300]
    compared("kernel ridge, diabetes", landform.tune(model, X[:150], y[:150], over=over, validation=held, starts=1))


def classes() -> None:
    X, y = load_digits(n_class=5, return_X_y=True)
    X = X / 16
    over, held = {"C": (1e-3, 1e3)}, (X[300:600], y[300:600])
    model = LogisticRegression()
    compared("five digits, multinomial", landform.tune(model, X[:300], y[:300], over=over, validation=held, starts=1))


def pixels() -> None:
    digits = load_digits()
    X = digits.data[:, digits.data.std(axis=0) > 0] / 16
    y = (digits.target == 0).astype(float)

    def inner(w: Any, h: Any) -> Any:
        return 0.5 * jnp.sum((X[:300] @ w - y[:300]) ** 2) + 0.5 * jnp.sum(h * w**2)

    def outer(w: Any, _: Any) -> Any:
        return jnp.mean((X[300:900] @ w - y[300:900]) ** 2)

    n = X.shape[1]
    tuned = landform.tune(inner, outer, np.zeros(n), np.ones(n), bounds=(1e-3, 1e4), scale="log")
    print(f"| {tuned.words} | | | | | | |")
    compared("a penalty per pixel, digits", tuned)


def main(asked: list[str]) -> None:
    """Measure, and print the tables."""
    print(
        "| problem | hyperparameters | folds | method | evaluations until within 0.1 % | ends above lowest | in all |"
    )
    print("|---|---|---|---|---|---|---|")
    for run in (ridge, kernel, classes, pixels):
        if not asked or run.__name__ in asked:
            run()
    if not asked or "early" in asked:
        print("\n| gradient steps of training | the formula is off by | landform |\n|---|---|---|")
        early_stops()


if __name__ == "__main__":
    main(sys.argv[1:])
