"""Predictions with the parameters' doubt on scikit-learn's digits, beside laplace-torch where it is installed.

MLP 64-128-128-10 tanh (26,122 parameters), fitted for a while in single precision; 256 rows predicted with all layers
by Kronecker factors. Times are in full-batch gradients of the same framework, on one thread; memory is what the process
grows by at its peak.

Run:  python benchmarks/posterior.py
"""

# ruff: noqa: E402 - threads are counted when libraries are imported

from __future__ import annotations

import os
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import landform

SIZES = (64, 128, 128, 10)


def least(call: Callable[[], Any], repeats: int) -> float:
    """The least of some times."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(call())
        best = min(best, time.perf_counter() - start)
    return best


def peak() -> float:
    """The most memory so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(name: str, call: Callable[[], Any], gradient: float, repeats: int = 5) -> None:
    """Print a row of the table."""
    before = peak()
    start = time.perf_counter()
    call()
    first, grown = time.perf_counter() - start, peak() - before
    again = least(call, repeats)
    print(f"| {name} | {again / gradient:.1f} | {grown:.0f} MB | {first:.2f} s |", flush=True)


def fitted() -> tuple[nn.Sequential, torch.Tensor, torch.Tensor]:
    """The network after 100 steps of Adam, and the data."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits = load_digits()
    X, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    net = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 128), nn.Tanh(), nn.Linear(128, 10))
    steps = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(100):
        steps.zero_grad()
        nn.functional.cross_entropy(net(X), y).backward()
        steps.step()
    return net, X, y


def main() -> None:
    """Measure, and print the table."""
    net, X, y = fitted()
    print("| what | in gradients | memory grows by | first call |\n|---|---|---|---|")
    f = landform.from_torch(net, (X, y), loss=nn.functional.cross_entropy)
    land = landform.landscape(f, f.point)
    parameters = list(net.parameters())
    one = least(lambda: torch.autograd.grad(nn.functional.cross_entropy(net(X), y), parameters), 20)
    row("PyTorch: the posterior", lambda: landform.landscape(f, f.point).posterior(prior=1.0), one, 2)
    posterior = land.posterior(prior=1.0)
    row("PyTorch: 256 rows", lambda: posterior.predict(X[:256]), one)

    p = {k: jnp.asarray(v.numpy()) for k, v in f.point.items()}
    images, labels = jnp.asarray(X.numpy()), jnp.asarray(y.numpy())

    def predict(p: Any, X: Any) -> Any:
        for k in (0, 2, 4):
            X = (jnp.tanh(X) if k else X) @ p[f"{k}.weight"].T + p[f"{k}.bias"]
        return X

    def loss(p: Any, X: Any, y: Any) -> Any:
        z = predict(p, X)
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])

    gradient = jax.jit(jax.grad(loss))
    gradient(p, images, labels)
    one_jax = least(lambda: gradient(p, images, labels), 20)
    twin = landform.landscape(loss, p, (images, labels), predict=predict)
    row("JAX: the posterior", lambda: landform.landscape(loss, p, (images, labels), predict=predict).posterior(
        prior=1.0), one_jax, 2)  # fmt: skip
    own = twin.posterior(prior=1.0)
    row("JAX: 256 rows", lambda: own.predict(images[:256]), one_jax)
    gap = np.abs(own.predict(images[:256]).mean - posterior.predict(X[:256]).mean).max()
    print(f"\nLargest difference between the two: {gap:.1g}")
    beside(net, X, y, one, land.posterior(joint=False, prior=1.0))  # as laplace-torch has biases


def beside(net: nn.Sequential, X: torch.Tensor, y: torch.Tensor, one: float, posterior: Any) -> None:
    """The same by laplace-torch."""
    warnings.simplefilter("ignore")
    try:
        from laplace import Laplace
        from laplace.curvature import BackPackGGN
    except ImportError as error:
        print(f"laplace-torch: {error}")
        return
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), batch_size=len(X))
    theirs = Laplace(net, "classification", subset_of_weights="all", hessian_structure="kron", backend=BackPackGGN)
    row("laplace-torch: the posterior", lambda: theirs.fit(data, override=True), one, 1)
    row("laplace-torch: 256 rows", lambda: theirs(X[:256], link_approx="probit"), one, 2)
    gap = np.abs(theirs(X[:256], link_approx="probit").detach().numpy() - posterior.predict(X[:256]).mean).max()
    print(f"\nLargest difference of probabilities from laplace-torch: {gap:.1g}")


if __name__ == "__main__":
    main()
