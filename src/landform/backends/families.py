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


def root(name: str, eta: np.ndarray, sigma: Any) -> np.ndarray:
    """A square root S of every row's information by its outputs, SS' = A''(η), shape (rows, outputs, outputs).

    Examples
    --------
    >>> S = root("bernoulli", np.zeros((1, 2)), 1.0)
    >>> S @ S.transpose(0, 2, 1)
    array([[[0.25, 0.  ],
            [0.  , 0.25]]])
    """
    rows, size = len(eta), int(np.prod(eta.shape[1:], dtype=int))
    if name == "categorical":
        p = np.exp(eta - eta.max(-1, keepdims=True))
        p = (p / p.sum(-1, keepdims=True)).reshape(rows, -1, eta.shape[-1])
        found = np.zeros((rows, p.shape[1], p.shape[2], p.shape[1], p.shape[2]), eta.dtype)
        for k in range(p.shape[1]):
            q = np.sqrt(p[:, k])
            found[:, k, :, k, :] = q[:, :, None] * (np.eye(p.shape[2]) - q[:, :, None] * q[:, None, :])
        return found.reshape(rows, size, size)
    if name == "bernoulli":
        scale = 0.5 / np.cosh(eta / 2)
    elif name == "poisson":
        scale = np.exp(eta / 2)
    else:
        scale = np.broadcast_to(1 / np.asarray(sigma, eta.dtype), eta.shape)
    return scale.reshape(rows, size, 1) * np.eye(size, dtype=eta.dtype)
