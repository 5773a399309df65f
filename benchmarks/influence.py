"""Rows left out of a fitted classifier, beside true fits without them and the textbook formula of influence.

600 rows of scikit-learn's digits in every fourth pixel, a net 16-8-10 (226 parameters) with weight decay, double
precision. Asked about: the logits of five other rows. True fits: SciPy's L-BFGS from the fit with all rows, then
Newton's steps to rounding, for 20 rows.

Run:  python benchmarks/influence.py
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

import landform

ROWS, CHECKED = 600, 20
RNG = np.random.default_rng(0)
DIGITS = load_digits()
ORDER = RNG.permutation(len(DIGITS.target))
X, Y = DIGITS.data[ORDER, ::4] / 16, DIGITS.target[ORDER]
START = {
    "a": {"w": RNG.standard_normal((16, 8)) / 4, "b": np.zeros(8)},
    "z": {"w": RNG.standard_normal((8, 10)) / 3, "b": np.zeros(10)},
}


def logits(p: Any, X: Any) -> Any:
    """The net."""
    return jnp.tanh(X @ p["a"]["w"] + p["a"]["b"]) @ p["z"]["w"] + p["z"]["b"]


def loss_with(decay: float) -> Any:
    """Mean cross-entropy with weight decay."""

    def loss(p: Any, X: Any, y: Any) -> Any:
        own = jnp.take_along_axis(jax.nn.log_softmax(logits(p, X)), y[:, None], 1)
        return decay * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(p)) - jnp.mean(own)

    return loss


def measure(decay: float) -> str:
    """A line of the table."""
    loss = loss_with(decay)
    flat, back = ravel_pytree(START)
    run = jax.jit(jax.value_and_grad(lambda t, X, y: loss(back(t), X, y)))
    bend = jax.jit(jax.hessian(lambda t, X, y: loss(back(t), X, y)))

    def fit(rows: Any, start: Any) -> tuple[np.ndarray, int]:
        data = X[rows], Y[rows]
        options = {"maxiter": 20000, "maxfun": 40000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 50}
        found = minimize(
            lambda t: [np.asarray(v) for v in run(t, *data)], start, jac=True, method="L-BFGS-B", options=options
        )
        t = found.x
        for _ in range(6):
            t = t - np.linalg.solve(bend(t, *data), run(t, *data)[1])
        return np.asarray(t), found.nfev

    every = np.arange(ROWS)
    best, _ = fit(every, flat)
    _, cost = fit(every, flat)
    at = X[ROWS : ROWS + 5]
    asked = lambda p: logits(p, at).ravel()  # noqa: E731
    land = landform.landscape(loss, jax.tree.map(np.asarray, back(best)), (X[:ROWS], Y[:ROWS]))
    found = land.influence(asked)
    chosen = np.linspace(0, ROWS - 1, CHECKED).astype(int)
    now = np.asarray(asked(back(best)))
    truth = np.array([np.asarray(asked(back(fit(np.delete(every, row), best)[0]))) - now for row in chosen])
    slopes = np.array([run(best, X[row : row + 1], Y[row : row + 1])[1] for row in chosen])
    towards = np.asarray(jax.jacobian(lambda t: asked(back(t)))(best))
    textbook = slopes @ np.linalg.solve(bend(best, X[:ROWS], Y[:ROWS]), towards.T) / ROWS
    words = []
    for ours in (found.change[chosen], textbook):
        slope = (ours * truth).sum() / (truth**2).sum()
        words.append(f"{np.corrcoef(ours.ravel(), truth.ravel())[0, 1]:.5f}, {slope:.3f}")
    inside = np.mean(np.abs(found.change[chosen] - truth) <= found.doubt[chosen])
    each = found.gradients / ROWS
    return (
        f"| {decay:g} | {words[0]} | {words[1]} | {inside:.0%} | {found.settled.mean():.1%} | {each:.1f} | "
        f"{found.gradients / cost:.1f} |"
    )


def main() -> None:
    """Measure, and print the table."""
    heads = "weight decay | landform: correlation, slope | textbook | doubts that hold | settled | gradients a row"
    print(f"| {heads} | all rows, in fits |\n|---|---|---|---|---|---|---|")
    for decay in (1e-2, 1e-3, 1e-4):
        print(measure(decay), flush=True)


if __name__ == "__main__":
    with threadpool_limits(1), jax.enable_x64(True):
        main()
