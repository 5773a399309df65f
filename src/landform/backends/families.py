"""Distributions of exponential form, by their log-partition: what JAX needs of them for a Fisher matrix.

With canonical parameter η, ``log p(y | η) = y·η − A(η) + …``: the score is ``y − A'(η)``, the information ``A''(η)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends.jax import compiled


def _categorical(eta: Any, _: Any) -> Any:
    return jax.nn.logsumexp(eta, axis=-1).sum()


def _bernoulli(eta: Any, _: Any) -> Any:
    return jnp.sum(jax.nn.softplus(eta))


def _poisson(eta: Any, _: Any) -> Any:
    return jnp.sum(jnp.exp(eta))


def _gaussian(eta: Any, sigma: Any) -> Any:
    return jnp.sum((eta / sigma) ** 2) / 2


LOG_PARTITION: dict[str, Callable[[Any, Any], Any]] = {
    "categorical": _categorical,
    "bernoulli": _bernoulli,
    "poisson": _poisson,
    "gaussian": _gaussian,
}
"""Sums over rows; the outputs are logits, logits, logarithms of rates, and means."""


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


@compiled(0)
def score_of(log_likelihood: Callable[..., Any], eta: Any, targets: Any) -> Any:
    """The same for a log-likelihood given as a function of outputs and targets."""
    return jax.grad(lambda e: jnp.sum(log_likelihood(e, targets)))(eta)


def squared_scores(eta: Any, scores: Any) -> Any:
    """Half the mean over samples of the sum over rows of (score · output)²; scores have shape (samples, rows, k)."""
    along = jnp.einsum("srk,rk->sr", scores, eta.reshape(scores.shape[1:]))
    return jnp.sum(along**2) / (2 * scores.shape[0])
