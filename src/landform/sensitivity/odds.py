"""Log-odds in place of probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from landform.backends import Model, closed
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
    form = None if model.closed is None else closed.chain([model.closed, _closed_log_odds])
    return replace(model, function=function, args=(model.args, ()), outputs=outputs, closed=form, doubt=None)


def _closed_log_odds(P: np.ndarray, order: int) -> tuple[Any, ...]:
    """Log-odds of many probabilities, and their slopes and curves."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a probability of 0 or 1 has infinite odds
        return closed.elementwise(
            P,
            order,
            lambda p: np.log(p) - np.log1p(-p),
            lambda p: 1.0 / (p * (1.0 - p)),
            lambda p: (2.0 * p - 1.0) / (p * (1.0 - p)) ** 2,
        )
