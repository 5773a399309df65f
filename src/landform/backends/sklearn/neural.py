"""Networks: layers of weights with an activation in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from landform.backends import closed
from landform.backends.closed import Closed
from landform.backends.sklearn.closed_network import ClosedNetwork
from landform.backends.sklearn.join import chain
from landform.backends.sklearn.linear import BOTH_CLASSES, exponential, logistic, softmax
from landform.backends.sklearn.registry import Translation

FLAT_PIECES = "ReLU: piecewise linear, so the Hessian of what enters the output is zero almost everywhere"

_ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "identity": lambda x: x,
    "tanh": jnp.tanh,
    "logistic": logistic,
    "relu": lambda x: jnp.where(x > 0, x, 0.0),
    "softmax": softmax,
    "exp": exponential,
}


@lru_cache(maxsize=64)
def network(hidden: str, output: str) -> Callable[..., jax.Array]:
    """Layers with one activation between them and another at the end."""
    inner, outer = _ACTIVATIONS[hidden], _ACTIVATIONS[output]

    def forward(x: jax.Array, *layers: tuple[jax.Array, jax.Array]) -> jax.Array:
        for weights, intercept in layers[:-1]:
            x = inner(weights @ x + intercept)
        weights, intercept = layers[-1]
        return outer(weights @ x + intercept)

    return forward


def translate_network(estimator: Any, method: str) -> Translation:
    """`MLPRegressor`, and the probabilities of `MLPClassifier`."""
    layers = tuple(
        (np.asarray(w, dtype=np.float64).T, np.asarray(b, dtype=np.float64))
        for w, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)
    )
    kinked = estimator.activation == "relu" and len(layers) > 1
    function = network(estimator.activation, estimator.out_activation_)
    form: Closed | None = ClosedNetwork(layers, estimator.activation)
    if estimator.out_activation_ != "identity":
        outer = Translation(_ACTIVATIONS[estimator.out_activation_], ()).closed
        form = form and outer and closed.chain([form, outer])
    net = Translation(function, layers, (FLAT_PIECES,) if kinked else (), form)
    return chain([net, BOTH_CLASSES]) if method == "predict_proba" and estimator.n_outputs_ == 1 else net


def translate_boltzmann(estimator: Any, method: str) -> Translation:
    """`BernoulliRBM`: probabilities of the hidden units."""
    layer = (np.asarray(estimator.components_, dtype=np.float64), np.asarray(estimator.intercept_hidden_))
    return Translation(network("identity", "logistic"), (layer,))
