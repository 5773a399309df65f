"""What a loss is made of: outputs for every row, and the distribution that the observations follow given them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, log_softmax

from landform.backends.families import NAMES
from landform.backends.frameworks import own_data, predictor_of
from landform.curvature.at_point import LossAt
from landform.derivatives.kronecker import Outputs, outputs_by_layers
from landform.errors import ShapeError

_TRIED = ("categorical", "bernoulli", "gaussian", "poisson")


@dataclass(frozen=True, eq=False)
class Source:
    """A loss as it was given, and as it is at its parameters.

    Parameters
    ----------
    at : LossAt
    loss : callable
    predict : callable or None
        The model inside the loss.
    """

    at: LossAt
    loss: Callable[..., Any]
    predict: Callable[..., Any] | None

    @property
    def model(self) -> Callable[..., Any] | None:
        """The model inside the loss, as it was given or as a PyTorch module brings it."""
        found: Callable[..., Any] | None = self.predict or predictor_of(self.loss)
        return found

    def batches(self) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """What the model takes, and the targets, batch by batch.

        Raises
        ------
        ShapeError
            If there are no data apart from the loss.
        """
        own = own_data(self.loss)
        for given, _ in self.at.batches():
            batch = given or own or ()
            if len(batch) < 2:
                raise ShapeError(
                    "data apart from the loss, as (inputs, targets)",
                    got=f"{len(batch)} parts",
                    remedy="pass data=(X, y) to landform.landscape",
                    where="argument data",
                )
            first = batch[0]
            yield tuple(first) if isinstance(first, (tuple, list)) else tuple(batch[:-1]), batch[-1]


@dataclass(frozen=True, eq=False)
class Observed:
    """Data, and a model of them by its layers.

    Parameters
    ----------
    source : Source
        The loss, its parameters and its data.
    outputs : Outputs
        The model, row by row.
    distribution : {"categorical", "bernoulli", "poisson", "gaussian"}
        What the observations follow given the outputs.
    rows : int
        How many there are.
    log_likelihood : float
        Of all observations at the parameters; of "gaussian" at unit noise and without its constant.
    said : str
        How the distribution is known.
    """

    source: Source
    outputs: Outputs
    distribution: str
    rows: int
    log_likelihood: float
    said: str

    def inputs(self) -> Iterator[tuple[Any, ...]]:
        """What the model takes, batch by batch."""
        for inputs, _ in self.source.batches():
            yield inputs


def observed(source: Source, likelihood: str | None) -> Observed:
    """Find a loss's model and its distribution.

    Raises
    ------
    ShapeError
        If there is no model, there are no data, or the loss is no mean or sum of a negative log-likelihood.
    """
    at, predict = source.at, source.model
    if predict is None:
        raise ShapeError(
            "the model inside the loss",
            got="a loss alone",
            remedy="make the landscape with predict=, a function predict(params, *inputs) to outputs",
            where="argument predict",
        )
    outputs = outputs_by_layers(predict, at.params, next(source.batches())[0])
    known = _Losses()
    for inputs, target in source.batches():
        known.add(outputs.values(inputs), _numpy(at, target))
    if likelihood is None:
        likelihood, said = known.recognized(at.value())
    elif likelihood in NAMES and likelihood in known.losses:
        said = "as given"
    else:
        raise ShapeError(
            f"a likelihood that fits the observations: {', '.join(known.losses)}",
            got=repr(likelihood),
            remedy="choose one",
            where="argument likelihood",
        )
    return Observed(source, outputs, likelihood, known.rows, -known.losses[likelihood], said)


def _numpy(at: LossAt, target: Any) -> np.ndarray:
    return np.asarray(at.target.backend.to_numpy(target) if hasattr(target, "shape") else target)


class _Losses:
    """Negative log-likelihoods of all observations seen so far, by every distribution that they could follow."""

    def __init__(self) -> None:
        self.losses: dict[str, float] = {}
        self.rows = self.numbers = 0

    def add(self, eta: np.ndarray, y: np.ndarray) -> None:
        """Take in a batch."""
        eta = eta.astype(np.float64)
        found = {name: _loss(name, eta, y) for name in _TRIED}
        fitting = {name: one for name, one in found.items() if one is not None}
        before = self.losses if self.rows else dict.fromkeys(fitting, 0.0)
        self.losses = {name: before[name] + one for name, one in fitting.items() if name in before}
        self.rows, self.numbers = self.rows + len(eta), self.numbers + eta.size

    def recognized(self, loss: float) -> tuple[str, str]:
        """The distribution whose negative log-likelihood the loss is, up to a factor.

        Raises
        ------
        ShapeError
            If it is none.
        """
        for name, total in self.losses.items():
            by_numbers = self.numbers if name != "categorical" else self.rows
            for divisor, mean in ((self.rows, "mean over rows"), (1, "sum"), (by_numbers, "mean over all outputs")):
                for scale in (1.0, 2.0) if name == "gaussian" else (1.0,):
                    if np.isclose(loss, scale * total / divisor, rtol=1e-4, atol=0):
                        what = "squared error" if name == "gaussian" else f"{name} negative log-likelihood"
                        return name, f"the loss is the {what}'s {mean}, as its value shows"
        raise ShapeError(
            "a loss that is the mean or sum of a negative log-likelihood of the outputs",
            got=f"{loss:.6g}, where "
            + ", ".join(f"{n} gives {v / self.rows:.6g} a row" for n, v in self.losses.items()),
            remedy='say likelihood="categorical", "bernoulli", "poisson" or "gaussian"; a penalty belongs into prior=',
            where="argument likelihood",
        )


def _loss(name: str, eta: np.ndarray, y: np.ndarray) -> float | None:
    """The negative log-likelihood, or None where the observations do not fit."""
    whole = y.dtype.kind in "iub" or (y.dtype.kind == "f" and bool(np.all(y == np.round(y))))
    if name == "categorical":
        if y.dtype.kind not in "iu" or y.shape != eta.shape[:-1] or y.size == 0:
            return None
        if y.min() < 0 or y.max() >= eta.shape[-1]:
            return None
        return float(-np.take_along_axis(log_softmax(eta, axis=-1), y[..., None].astype(int), -1).sum())
    if y.size != eta.size or y.dtype.kind not in "iubf" or len(y) != len(eta):
        return None
    y = y.reshape(eta.shape).astype(np.float64)
    if name == "gaussian":
        return float(((y - eta) ** 2).sum() / 2)
    if not whole or y.min() < 0 or (name == "bernoulli" and y.max() > 1):
        return None
    if name == "bernoulli":
        return float((np.logaddexp(0, eta) - y * eta).sum())
    with np.errstate(over="ignore"):
        return float((np.exp(eta) - y * eta + gammaln(y + 1)).sum())
