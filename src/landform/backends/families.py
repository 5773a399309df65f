"""Distributions of exponential form: draws and scores of those that have a name, in NumPy.

With canonical parameter η, ``log p(y | η) = y·η − A(η) + …``: the score is ``y − A'(η)``, the information ``A''(η)``.
The log-partition A is for a framework to differentiate: `landform.backends.jax.families` and
`landform.backends.torch.families`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NAMES = ("categorical", "bernoulli", "poisson", "gaussian")
"""The outputs are logits, logits, logarithms of rates, and means."""


def drawn(name: str, eta: np.ndarray, sigma: Any, rng: np.random.Generator) -> np.ndarray:
    """One observation per row from the model itself."""
    if name == "categorical":
        return np.argmax(eta + rng.gumbel(size=eta.shape), axis=-1)
    if name == "bernoulli":
        return (rng.random(eta.shape) < 1 / (1 + np.exp(-eta))).astype(eta.dtype)
    if name == "poisson":
        return rng.poisson(np.exp(eta)).astype(eta.dtype)
    return eta + sigma * rng.standard_normal(eta.shape)


def score(name: str, eta: np.ndarray, targets: np.ndarray, sigma: Any) -> np.ndarray:
    """Slope of the log-likelihood by the outputs, of their shape."""
    if name == "categorical":
        p = np.exp(eta - eta.max(-1, keepdims=True))
        return np.eye(eta.shape[-1])[targets] - p / p.sum(-1, keepdims=True)
    if name == "bernoulli":
        return targets - 1 / (1 + np.exp(-eta))
    if name == "poisson":
        return targets - np.exp(eta)
    return (targets - eta) / np.asarray(sigma) ** 2
