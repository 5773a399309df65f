"""What closed forms save: standard errors against bootstrap, influence against refits, streams against IncrementalPCA.

Every ratio is of times in one run, candidates in turns, the least of several times kept; beside it stands how far the
two answers differ.

Run:  python benchmarks/directions.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA, IncrementalPCA

import landform

RESAMPLES = 5000


def least(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The least of some times, and what came."""
    best, found = np.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        found = call()
        best = min(best, time.perf_counter() - start)
    return best, found


def planted(rows: int, columns: int, seed: int) -> np.ndarray:
    """Rows of a Gaussian whose eigenvalues fall by a third from one to the next."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((columns, columns)))[0]
    return rng.standard_normal((rows, columns)) * 1.5 ** -np.arange(columns) @ turn


def bootstrap(X: np.ndarray, directions: np.ndarray, resamples: int) -> np.ndarray:
    """Standard deviations of loadings over refits of scikit-learn's PCA to resampled rows, signs aligned."""
    rng, found = np.random.default_rng(0), []
    for _ in range(resamples):
        V = PCA(svd_solver="full").fit(X[rng.integers(len(X), size=len(X))]).components_.T
        found.append(V * np.sign(np.sum(V * directions, axis=0)))
    return np.std(found, axis=0, ddof=1)


def doubt_row() -> None:
    X = planted(1000, 6, seed=0)
    ours, found = least(lambda: landform.directions(X), 20)
    theirs, errors = least(lambda: bootstrap(X, found.loadings, RESAMPLES), 1)
    apart = np.median(np.abs(found.loading_errors / errors - 1))
    print(
        f"| standard errors of loadings, 1,000 × 6 | {ours * 1e3:.2f} ms | {RESAMPLES:,} bootstrap refits | "
        f"{theirs / ours:,.0f} | median difference {100 * apart:.1f} % |"
    )


def refits(X: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Turn of every direction in degrees when each row is left out."""
    turns = []
    for i in range(len(X)):
        V = PCA(svd_solver="full").fit(np.delete(X, i, axis=0)).components_.T
        turns.append(np.degrees(np.arccos(np.minimum(1.0, np.abs(np.sum(V * directions, axis=0))))))
    return np.array(turns)


def influence_rows() -> None:
    wine = load_wine().data
    for name, X in (("1,000 × 6", planted(1000, 6, seed=1)), ("wine, 178 × 13", wine / wine.std(axis=0))):
        found = landform.directions(X, chance=0.999999)
        alone = [s.members[0] - 1 for s in found.spans if s.alone]
        theirs, truth = least(lambda X=X, V=found.loadings: refits(X, V), 2)
        truth = truth[:, alone]
        for order in (1, 2):
            ours, one = least(lambda found=found, order=order: found.influence(order=order), 10)
            apart = np.median(np.abs(one.turns[:, [s.alone for s in found.spans]] - truth)) / np.median(truth)
            print(
                f"| influence of each row on each direction, order {order}, {name} | {ours * 1e3:.2f} ms | "
                f"refits without it | {theirs / ours:,.0f} | median difference {100 * apart:.2g} % |"
            )


def stream_rows() -> None:
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.standard_normal((50, 50)))[0]
    spread = np.r_[1.2, 1.15, 1.1, 1.08, 1.06, np.ones(45)]
    X = rng.standard_normal((200_000, 50)) * spread @ turn
    batches = [X[k : k + 1000] for k in range(0, len(X), 1000)]
    truth = np.linalg.eigh(np.cov(X.T))[1][:, ::-1][:, :5]

    def incremental() -> np.ndarray:
        model = IncrementalPCA(n_components=5)
        for batch in batches:
            model.partial_fit(batch)
        return model.components_.T

    ours, found = least(lambda: landform.directions(iter(batches), count=5), 3)
    again, _ = least(lambda: landform.directions(batches, count=5), 1)
    theirs, vectors = least(incremental, 2)
    mine, missed = (np.degrees(subspace_angles(truth, V).max()) for V in (found.loadings, vectors))
    print(
        f"| 5 directions of a stream, 200,000 × 50, with standard errors | {ours:.2f} s | IncrementalPCA | "
        f"{theirs / ours:.1f} | subspace missed by {mine:.1e}° and {missed:.0f}° |"
    )
    print(f"| the same, distribution-free errors | {again:.2f} s | IncrementalPCA | {theirs / again:.1f} | |")


def main() -> None:
    """Measure, and print the table."""
    print("| what | landform | peer | peer's time / landform's | answers |\n|---|---|---|---|---|")
    doubt_row()
    influence_rows()
    stream_rows()


if __name__ == "__main__":
    main()
