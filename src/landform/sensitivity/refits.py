"""How slopes scatter when the model is fitted anew to resampled rows: the bootstrap.

References
----------
Efron and Tibshirani (1993), *An Introduction to the Bootstrap*, ch. 6 and 9.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends import Model
from landform.backends.sklearn import translate
from landform.backends.sklearn.held import holding
from landform.derivatives.along_pairs import Pairs
from landform.errors import LandformError, ModelError
from landform.sensitivity.curves import CurveErrors, along, evenly
from landform.sensitivity.odds import log_odds_of
from landform.sensitivity.subject import ExactSlopes, Subject

Array = np.ndarray
_LEAST = 10
_CURVED, _FEWEST = 10**6, 16
"""Second derivatives that every refit is asked for, and rows at least."""


@dataclass(frozen=True, eq=False)
class DoubtOfRefits:
    """Standard errors from the scatter of refitted models."""

    models: tuple[ExactSlopes, ...]
    asked: int
    failed: int
    degrees: float = np.inf

    @classmethod
    def make(
        cls,
        subject: Subject,
        train: Any,
        y: np.ndarray,
        *,
        refits: int,
        seed: int,
        progress: Callable[[str], None] | None,
    ) -> DoubtOfRefits:
        """Fit clones of the estimator to rows drawn with replacement.

        Raises
        ------
        ModelError
            If fewer than 10 refits are asked for or succeed.
        """
        if refits < _LEAST:
            raise ModelError(f"{_LEAST} refits or more", got=str(refits), remedy="raise refits=", where="refits")
        rng = np.random.default_rng(seed)
        models, faults = [], []
        for k in range(refits):
            if progress is not None:
                progress(f"refit {k + 1} of {refits}")
            drawn = draw(rng, y, classes=hasattr(subject.estimator, "classes_"))
            try:
                models.append(refitted(subject, train, y, drawn)[1])
            except (ValueError, ArithmeticError, LandformError) as error:
                faults.append(error)
        if len(models) < max(_LEAST, refits // 2):
            raise ModelError(
                "an estimator that can be fitted to resampled rows",
                got=f"{len(faults)} failures in {refits} refits, the first: {faults[0]}",
                remedy='pass doubt="none"',
            )
        return cls(tuple(models), refits, len(faults))

    @property
    def how(self) -> str:
        """In words."""
        failed = f", {self.failed} of which failed" if self.failed else ""
        return f"bootstrap: {self.asked} refits to resampled rows{failed}"

    def _scatter(self, results: Iterator[Array]) -> Array:
        """Standard deviation over the refits, one at a time."""
        mean: Any = 0.0
        square: Any = 0.0
        for k, one in enumerate(results, start=1):
            gap = one - mean
            mean = mean + gap / k
            square = square + gap * (one - mean)
        return np.asarray(np.sqrt(square / (len(self.models) - 1)))

    def slopes(
        self, X: Float[Array, "rows d"], fields: Callable[[Float[Array, "rows d"]], Float[Array, "rows d k"]]
    ) -> tuple[Float[Array, "rows m k"], Float[Array, "m k"]]:
        """Of the slopes along k directions at every row, and of their averages."""
        V = fields(X)
        averages = []

        def along() -> Iterator[Array]:
            for model in self.models:
                found = np.einsum("rmd,rdk->rmk", model.slopes(X).jacobians, V, optimize=True)
                averages.append(found.mean(axis=0))
                yield found

        local = self._scatter(along())
        return local, self._scatter(iter(averages))

    def differences(
        self, A: Float[Array, "rows d"], B: Float[Array, "rows d"]
    ) -> tuple[Float[Array, "rows m"], Float[Array, " m"]]:
        """Of f(A) − f(B), row by row, and of its average."""
        gaps = [model.values(A) - model.values(B) for model in self.models]
        return self._scatter(iter(gaps)), self._scatter(gap.mean(axis=0) for gap in gaps)

    def curves(self, X: Float[Array, "rows d"], fields: Callable[[Array], Array], pairs: Pairs) -> CurveErrors:
        """Of second derivatives along pairs of directions."""
        rows = evenly(len(X), max(_FEWEST, _CURVED // (X.shape[1] ** 2 * len(self.models[0].model.outputs))))
        own, averages = X[rows], []

        def each() -> Iterator[Array]:
            for model in self.models:
                J = model.slopes(own).jacobians
                found = np.concatenate([block for _, block in along(model, own, J, fields, pairs)])
                averages.append(found.mean(axis=0))
                yield found

        return CurveErrors(rows, self._scatter(each()), self._scatter(iter(averages)))

    def values(self, X: Float[Array, "rows d"]) -> Float[Array, "rows m"]:
        """Of f at every row."""
        return self._scatter(model.values(X) for model in self.models)


def draw(rng: np.random.Generator, y: np.ndarray, *, classes: bool) -> np.ndarray:
    """Rows with replacement; within every class where there are classes, so that none goes missing."""
    if not classes or y.ndim > 1:
        return rng.integers(len(y), size=len(y))
    groups = [np.flatnonzero(y == level) for level in np.unique(y)]
    return np.sort(np.concatenate([rng.choice(group, len(group)) for group in groups]))


def refitted(subject: Subject, train: Any, y: np.ndarray, drawn: np.ndarray) -> tuple[Any, ExactSlopes]:
    """A clone of the estimator fitted to the drawn rows, and its slopes."""
    from sklearn.base import clone

    rows = train.iloc[drawn] if hasattr(train, "iloc") else np.asarray(train)[drawn]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = clone(subject.estimator).fit(rows, y[drawn])
    with holding(subject.coded):
        found = translate(estimator, subject.method)
    names = tuple(f"y{k}" for k in range(len(subject.outputs)))
    form, doubt = (None, None) if subject.coded else (found.closed, found.doubt)
    model = Model(found.function, found.args, subject.inputs, names, closed=form, doubt=doubt)
    assert isinstance(subject.slopes, ExactSlopes)
    slopes = subject.slopes.like(log_odds_of(model) if subject.odds else model)
    outputs = slopes.values(subject.X[:1]).shape[1]
    if outputs != len(names):
        raise ModelError("as many outputs as before", got=str(outputs), remedy="fit anew")
    return estimator, slopes
