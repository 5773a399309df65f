"""Distributions of exponential form, by their log-partition, in PyTorch (`landform.backends.families`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from landform.backends.torch.refusals import explained


def _categorical(eta: Tensor, _: Tensor) -> Tensor:
    return torch.logsumexp(eta, dim=-1).sum()


def _bernoulli(eta: Tensor, _: Tensor) -> Tensor:
    return -functional.logsigmoid(-eta).sum()  # softplus is cut off at 20


def _poisson(eta: Tensor, _: Tensor) -> Tensor:
    return torch.exp(eta).sum()


def _gaussian(eta: Tensor, sigma: Tensor) -> Tensor:
    return ((eta / sigma) ** 2).sum() / 2


LOG_PARTITION: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "categorical": _categorical,
    "bernoulli": _bernoulli,
    "poisson": _poisson,
    "gaussian": _gaussian,
}
"""Sums over rows; the outputs are logits, logits, logarithms of rates, and means."""


def score_of(log_likelihood: Callable[..., Any], eta: Tensor, targets: Any) -> Tensor:
    """Slope by the outputs of a log-likelihood given as a function of outputs and targets."""
    if not isinstance(targets, Tensor):
        targets = torch.as_tensor(np.asarray(targets)).to(eta.device)
        targets = targets.to(eta.dtype) if targets.is_floating_point() else targets
    with explained():
        leaf = eta.detach().requires_grad_()
        return torch.autograd.grad(log_likelihood(leaf, targets).sum(), leaf)[0]


def squared_scores(eta: Tensor, scores: Tensor) -> Tensor:
    """Half the mean over samples of the sum over rows of (score · output)²; scores have shape (samples, rows, k)."""
    along = torch.einsum("srk,rk->sr", scores, eta.reshape(scores.shape[1:]))
    return (along**2).sum() / (2 * len(scores))
