"""Log-odds in place of probabilities."""

from __future__ import annotations

from dataclasses import replace

from landform.backends import Model
from landform.backends.sklearn.join import compose
from landform.backends.sklearn.odds import log_odds


def log_odds_of(model: Model) -> Model:
    """The model with log(p / (1 − p)) in place of every probability p.

    Examples
    --------
    >>> import numpy as np
    >>> half = Model(lambda x: x, (), inputs=("p",), outputs=("sure",))
    >>> log_odds_of(half)(np.array([0.5])), log_odds_of(half).outputs
    (array([0.]), ('log-odds of sure',))
    """
    function = compose((model.function, log_odds))
    outputs = tuple(f"log-odds of {name}" for name in model.outputs)
    return replace(model, function=function, args=(model.args, ()), outputs=outputs)
