"""A smooth stand-in for any model: fitted to what it predicts, with its fidelity measured on rows it never saw."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import RidgeCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer, StandardScaler

from landform.backends import Model, from_sklearn
from landform.backends.predictor import Predictor, as_predictor
from landform.errors import ModelError, ShapeError
from landform.findings import Finding, Picture, Scatter
from landform.fit.process import search_kernel

if TYPE_CHECKING:
    import pandas as pd

_PROCESS_ROWS = 1000
"""Past this a Gaussian process is fitted to a part of the rows: its cost grows with their cube."""

_PAIRED = 6
"""Up to so many inputs splines are multiplied by pairs."""

_LEAST = 20


@dataclass(frozen=True)
class Fidelity:
    """How well a stand-in repeats the model on held-out rows, for one output.

    Parameters
    ----------
    output : str
        Its name.
    r2 : float
        Share of the model's variance that the stand-in repeats; 1 is all of it.
    largest_error : float
        In units of the output.
    rows : int
        Held-out rows, which neither the fit nor the choice has seen.
    """

    output: str
    r2: float
    largest_error: float
    rows: int


@dataclass(frozen=True)
class Distilled(Model, Finding):
    """A smooth stand-in for a model, itself a `Model`. Made by `distill`.

    Parameters
    ----------
    fidelity : tuple of Fidelity
        Measured, one for each output.
    kind : str
        What was chosen.
    candidates : tuple of (str, float)
        What was tried, each with its R² (the least of the outputs') on the rows that decided.
    estimator : estimator
        The fitted scikit-learn estimator inside.
    held_out : pair of arrays, shape (rows, m)
        What the model and the stand-in say on the held-out rows.
    """

    fidelity: tuple[Fidelity, ...] = ()
    kind: str = ""
    candidates: tuple[tuple[str, float], ...] = ()
    estimator: Any = field(default=None, compare=False)
    held_out: tuple[np.ndarray, np.ndarray] | None = field(default=None, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """The fidelity as a table, one line for each output."""
        import pandas as pd

        return pd.DataFrame([vars(one) for one in self.fidelity])

    def sentences(self) -> Sequence[str]:
        """How far to trust it."""
        return self.notes

    def pictures(self) -> Sequence[Picture]:
        """For each output the stand-in beside the model on the held-out rows."""
        if self.held_out is None:
            return ()
        values, found = self.held_out
        drawn = []
        for k, one in enumerate(self.fidelity):
            none: list[float | None] = [None] * len(values)
            title = f"{one.output}: {one.rows} held-out rows, R² {one.r2:.3f}"
            points = (values[:, k].tolist(), found[:, k].tolist())
            drawn.append(Scatter(*points, none, none, title, "the model", f"its stand-in ({self.kind})"))
        return drawn


def distill(
    model: Any, X: Any, *, method: str = "auto", kinds: Sequence[str] = ("spline", "process", "network"), seed: int = 0
) -> Distilled:
    """A smooth model fitted to what another one predicts.

    A fifth of the rows is set aside to measure the fidelity, another fifth decides between the candidates; the others,
    and as many points again on the lines between pairs of them, where the model is asked too, are fitted to.

    Parameters
    ----------
    model : estimator, Model or callable
        Fitted; of any package with scikit-learn's methods. A callable takes a table (rows, n) to (rows,) or (rows, m).
    X : array or data frame, shape (rows, n)
        Rows from where the stand-in is to be trusted; at least 20.
    method : str
        Which of an estimator's methods; "auto" is the prediction of a regressor, the probabilities of a classifier.
    kinds : sequence of {"spline", "process", "network"}
        Candidates: cubic splines with their pairwise products, a Gaussian process, a network with tanh.
    seed : int
        Of the split, the points in between, and the network.

    Returns
    -------
    Distilled
        A `Model`; its ``fidelity`` says how far to trust it, and so does its ``notes``.

    Raises
    ------
    ShapeError
        If there are fewer than 20 rows.
    ModelError
        If the model does not predict, or predicts one value everywhere.

    References
    ----------
    Bucila, Caruana and Niculescu-Mizil (2006), "Model compression", *KDD*: fitting to a model's own predictions on
    added points.

    Examples
    --------
    >>> from sklearn.ensemble import ExtraTreesRegressor
    >>> X = np.random.default_rng(0).uniform(size=(200, 2))
    >>> forest = ExtraTreesRegressor(50, min_samples_leaf=3, random_state=0).fit(X, np.sin(3 * X[:, 0]) * X[:, 1])
    >>> smooth = distill(forest, X)
    >>> bool(smooth.fidelity[0].r2 > 0.95), smooth.jacobians(X).shape
    (True, (200, 1, 2))
    """
    predictor = as_predictor(model, X, method=method)
    unknown = [kind for kind in kinds if kind not in _CANDIDATES]
    if unknown or not kinds:
        known = ", ".join(_CANDIDATES)
        raise ModelError(f"kinds among {known}", got=repr(kinds), remedy="choose some", where="argument kinds")
    rows = np.random.default_rng(seed).permutation(predictor.rows)
    if len(rows) < _LEAST:
        raise ShapeError(f"{_LEAST} rows or more", got=str(len(rows)), remedy="pass more rows", where="argument X")
    fifth = len(rows) // 5
    test, decide, train = rows[:fifth], rows[fifth : 2 * fifth], rows[2 * fifth :]
    values = predictor(rows)
    if np.any(np.ptp(values, axis=0) == 0):
        flat = predictor.outputs[int(np.argmin(np.ptp(values, axis=0)))]
        raise ModelError("a model that varies over these rows", got=f"one value of {flat}", remedy="pass other rows")
    fitted = {kind: _fit(kind, predictor, train, seed) for kind in dict.fromkeys(kinds)}
    scores = {kind: float(np.min(_r2(predictor(decide), _own(one, decide)))) for kind, one in fitted.items()}
    kind = max(scores, key=lambda name: scores[name])
    chosen = _fit(kind, predictor, np.concatenate([train, decide]), seed)
    return _measured(chosen, kind, scores, predictor, test)


def _own(estimator: Any, rows: np.ndarray) -> np.ndarray:
    return np.asarray(estimator.predict(rows)).reshape(len(rows), -1)


def _r2(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    total = np.sum((values - values.mean(axis=0)) ** 2, axis=0)
    rest = np.sum((values - found) ** 2, axis=0)
    return np.where(total > 0, 1.0 - rest / np.where(total > 0, total, 1.0), np.where(rest > 0, -np.inf, 1.0))


def _measured(estimator: Any, kind: str, scores: dict[str, float], predictor: Predictor, test: np.ndarray) -> Distilled:
    values, found = predictor(test), _own(estimator, test)
    largest = np.max(np.abs(values - found), axis=0)
    fidelity = tuple(
        Fidelity(name, float(r2), float(error), len(test))
        for name, r2, error in zip(predictor.outputs, _r2(values, found), largest, strict=True)
    )
    worst = min(fidelity, key=lambda one: one.r2)
    note = (
        f"a smooth stand-in ({kind}): on {len(test)} held-out rows it repeats {worst.r2:.1%} of the model's variance"
        f" in {worst.output}, and is off by {worst.largest_error:.3g} at most"
    )
    smooth = from_sklearn(estimator, predictor.rows)
    return Distilled(
        smooth.function,
        smooth.args,
        predictor.inputs,
        predictor.outputs,
        (note, *smooth.notes),
        smooth.closed,
        smooth.doubt,
        smooth.unchecked,
        fidelity,
        kind,
        tuple(scores.items()),
        estimator,
        (values, found),
    )


def _fit(kind: str, predictor: Predictor, rows: np.ndarray, seed: int) -> Any:
    """One candidate, on the rows and on points between pairs of them."""
    rng = np.random.default_rng(seed)
    pairs = rows[rng.permutation(len(rows))]
    points = np.concatenate([rows, rows + rng.uniform(size=(len(rows), 1)) * (pairs - rows)])
    if kind == "process":
        points = points[rng.permutation(len(points))[:_PROCESS_ROWS]]
    values = predictor(points)
    values = values[:, 0] if values.shape[1] == 1 else values
    with warnings.catch_warnings():
        # A length scale at its bound, a network that could learn longer: the fidelity says what it comes to.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _CANDIDATES[kind](points, values, seed)


def _spline(X: np.ndarray, y: np.ndarray, _seed: int) -> Pipeline:
    steps = [StandardScaler(), SplineTransformer(6, knots="quantile", extrapolation="linear", include_bias=False)]
    if X.shape[1] <= _PAIRED:
        steps.append(PolynomialFeatures(2, include_bias=False))
    return make_pipeline(*steps, RidgeCV(np.logspace(-6, 3, 10))).fit(X, y)


def _process(X: np.ndarray, y: np.ndarray, seed: int) -> Pipeline:
    scaler = StandardScaler().fit(X)
    kernel = search_kernel(scaler.transform(X), y, seed=seed)
    return make_pipeline(scaler, GaussianProcessRegressor(kernel, normalize_y=True, optimizer=None)).fit(X, y)


def _network(X: np.ndarray, y: np.ndarray, seed: int) -> TransformedTargetRegressor:
    net = MLPRegressor(
        hidden_layer_sizes=(32, 32), activation="tanh", solver="lbfgs", alpha=1e-3, max_iter=500, random_state=seed
    )
    return TransformedTargetRegressor(make_pipeline(StandardScaler(), net), transformer=StandardScaler()).fit(X, y)


_CANDIDATES: dict[str, Callable[[np.ndarray, np.ndarray, int], Any]] = {
    "spline": _spline,
    "process": _process,
    "network": _network,
}
