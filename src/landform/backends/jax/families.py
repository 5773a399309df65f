"""Distributions of exponential form, by their log-partition, in JAX (`landform.backends.families`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from landform.backends.jax.compiled import compiled


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


@compiled(0)
def score_of(log_likelihood: Callable[..., Any], eta: Any, targets: Any) -> Any:
    """Slope by the outputs of a log-likelihood given as a function of outputs and targets."""
    return jax.grad(lambda e: jnp.sum(log_likelihood(e, targets)))(eta)


def squared_scores(eta: Any, scores: Any) -> Any:
    """Half the mean over samples of the sum over rows of (score · output)²; scores have shape (samples, rows, k)."""
    along = jnp.einsum("srk,rk->sr", scores, eta.reshape(scores.shape[1:]))
    return jnp.sum(along**2) / (2 * scores.shape[0])
