"""Ridge, logistic and generalized linear models: sums of row losses of a linear predictor, and a square penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from sklearn.utils.class_weight import compute_sample_weight

from landform.errors import ModelError, ShapeError
from landform.fit.tuning.posed import Posed, Settings, Split

Array = np.ndarray
RowLoss = Callable[[jax.Array, jax.Array], jax.Array]
"""``(η, y)`` of one row, k numbers each, to one number."""


@dataclass(frozen=True)
class Family:
    """How a linear predictor meets targets.

    Parameters
    ----------
    row : callable
        What a row adds to the training loss.
    judged : callable
        What a row adds to the outer loss.
    predicted : callable
        From the linear predictor to what the estimator predicts.
    centered : bool
        Whether only differences of the intercepts count, so that they are taken to add to zero.
    logarithmic : bool
        Whether the linear predictor is the logarithm of the mean.
    """

    row: RowLoss
    judged: RowLoss
    predicted: Callable[[jax.Array], jax.Array]
    centered: bool = False
    logarithmic: bool = False


def _squared(eta: jax.Array, y: jax.Array) -> jax.Array:
    return 0.5 * jnp.sum((eta - y) ** 2)


def _mean_square(eta: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.mean((eta - y) ** 2)


def _logistic(eta: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.sum(jnp.logaddexp(0.0, eta) - y * eta)


def _softmax(eta: jax.Array, y: jax.Array) -> jax.Array:
    return jax.nn.logsumexp(eta) - jnp.sum(y * eta)


def _both_chances(eta: jax.Array) -> jax.Array:
    chance = jax.nn.sigmoid(eta)
    return jnp.concatenate([1.0 - chance, chance], axis=-1)


def _same(eta: jax.Array) -> jax.Array:
    return eta


SQUARED = Family(_squared, _mean_square, _same)
LOGISTIC = Family(_logistic, _logistic, _both_chances)
SOFTMAX = Family(_softmax, _softmax, lambda eta: jax.nn.softmax(eta, axis=-1), centered=True)


@lru_cache(maxsize=32)
def tweedie(power: float, logarithmic: bool) -> Family:
    """Half the unit deviance of a Tweedie distribution; twice that judges, as scikit-learn's metrics have it."""

    def mean(eta: jax.Array) -> jax.Array:
        return jnp.exp(eta) if logarithmic else eta

    def half(eta: jax.Array, y: jax.Array) -> jax.Array:
        mu = mean(eta)
        if power == 0:
            return jnp.sum(0.5 * (y - mu) ** 2)
        if power == 1:
            return jnp.sum(jax.scipy.special.xlogy(y, y) - y * jnp.log(mu) - y + mu)
        if power == 2:
            return jnp.sum(jnp.log(mu / y) + y / mu - 1.0)
        own = jnp.maximum(y, 0.0) ** (2 - power) / ((1 - power) * (2 - power))
        return jnp.sum(own - y * mu ** (1 - power) / (1 - power) + mu ** (2 - power) / (2 - power))

    return Family(half, lambda eta, y: 2.0 * half(eta, y), mean, logarithmic=logarithmic)


@dataclass(frozen=True)
class Shape:
    """How the parameters lie in one vector: coefficients (d, k), then the intercepts."""

    d: int
    k: int
    intercept: bool
    centered: bool

    @property
    def free_intercepts(self) -> int:
        """How many intercepts are free."""
        return 0 if not self.intercept else self.k - 1 if self.centered else self.k

    @property
    def n(self) -> int:
        """How many parameters there are."""
        return self.d * self.k + self.free_intercepts

    def spread(self) -> Float[Array, "k f"]:
        """From the free intercepts to all of them."""
        free = np.eye(self.k)[:, : self.free_intercepts]
        return free - np.eye(self.k)[:, -1:] @ np.ones((1, self.free_intercepts)) if self.centered else free

    def predictor(self, theta: jax.Array, X: jax.Array) -> jax.Array:
        """η, shape (rows, k)."""
        slopes = theta[: self.d * self.k].reshape(self.d, self.k)
        return X @ slopes + (self.spread() @ theta[self.d * self.k :] if self.intercept else 0.0)


Weighing = Callable[[Settings, jax.Array], tuple[jax.Array, Any]]
"""From the settings and the rows' weights to what the row losses and half the square of the slopes weigh."""


def _ridge_weighing(alpha: float) -> Weighing:
    return lambda h, s: (s, h.get("alpha", alpha))


def _logistic_weighing(c: float) -> Weighing:
    return lambda h, s: (h.get("C", c) * s, 1.0)


def _mean_weighing(alpha: float) -> Weighing:
    return lambda h, s: (s / jnp.sum(s), h.get("alpha", alpha))


def pose_linear(estimator: Any, y: Array, loss: Callable[..., Any] | None) -> Posed:
    """Training of a linear model as an inner problem.

    Raises
    ------
    ModelError
        If its training is not smooth, or it has no penalty to tune.
    """
    kind = type(estimator).__name__
    if kind == "Ridge":
        _refuse(estimator.positive, "Ridge(positive=True)", "coefficients that are held at zero come and go in jumps")
        family, weighing, classes = SQUARED, _ridge_weighing(estimator.alpha), None
    elif kind == "LogisticRegression":
        _refuse_penalty(estimator)
        classes = np.unique(y)
        family = LOGISTIC if len(classes) == 2 else SOFTMAX
        weighing = _logistic_weighing(float(estimator.C))
    else:
        power = {"PoissonRegressor": 1.0, "GammaRegressor": 2.0}.get(kind) or float(estimator.power)
        link = getattr(estimator, "link", "log")
        family = tweedie(power, link == "log" or (link == "auto" and power > 0))
        weighing, classes = _mean_weighing(float(estimator.alpha)), None
        _refuse_range(y, power, kind)
    training = _Training(family, weighing, bool(estimator.fit_intercept), classes, estimator, loss)
    rows = ((0, 1, 2),) if loss is not None else ((0, 1, 2), (3, 4, 5))
    return Posed(training.inner, training.outer, training.curve, training.data, training.start, training.names, rows)


@dataclass(frozen=True, eq=False)
class _Training:
    """A linear model's losses, and what they look at: rows, targets and weights, to train on and to judge by."""

    family: Family
    weighing: Weighing
    intercept: bool
    classes: Array | None
    estimator: Any
    loss: Callable[..., Any] | None

    def shape(self, X: Any, Y: Any) -> Shape:
        return Shape(int(X.shape[1]), int(Y.shape[1]), self.intercept, self.family.centered)

    def inner(self, theta: jax.Array, h: Settings, X: Any, Y: Any, s: Any, *_: Any) -> jax.Array:
        form = self.shape(X, Y)
        weights, pull = self.weighing(h, s)
        rows = jax.vmap(self.family.row)(form.predictor(theta, X), Y)
        return jnp.sum(weights * rows) + 0.5 * pull * jnp.sum(theta[: form.d * form.k] ** 2)

    def outer(self, theta: jax.Array, _: Settings, X: Any, Y: Any, __: Any, Z: Any, T: Any, u: Any) -> jax.Array:
        eta = self.shape(X, Y).predictor(theta, Z)
        if self.loss is not None:
            predicted = self.family.predicted(eta)
            return self.loss(T, predicted[:, 0] if T.ndim == 1 and predicted.shape[1] == 1 else predicted)
        rows = jax.vmap(self.family.judged)(eta, T)
        return jnp.sum(u * rows) / jnp.sum(u)

    def curve(self, theta: jax.Array, h: Settings, X: Any, Y: Any, s: Any, *_: Any) -> jax.Array:
        form = self.shape(X, Y)
        weights, pull = self.weighing(h, s)
        bends = jax.vmap(jax.hessian(self.family.row))(form.predictor(theta, X), Y)
        own = jnp.diag(pull * (jnp.arange(form.n) < form.d * form.k))
        return _linear_curve(form, X, weights[:, None, None] * bends) + own

    def targets(self, y: Array) -> Array:
        """As the row losses take them, shape (rows, k)."""
        if self.classes is None:
            return np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if len(self.classes) == 2:
            return np.asarray(y == self.classes[1], dtype=np.float64)[:, None]
        return np.asarray(y[:, None] == self.classes, dtype=np.float64)

    def judging_targets(self, y: Array) -> Array:
        """As a loss of the user's own takes them: numbers in the form of y, or the numbers of the classes."""
        if self.loss is None:
            return self.targets(y)
        return np.asarray(y, dtype=np.float64) if self.classes is None else np.searchsorted(self.classes, y)

    def data(self, split: Split) -> tuple[Any, ...]:
        weights = np.ones(len(split.X))
        if getattr(self.estimator, "class_weight", None) is not None:
            weights = compute_sample_weight(self.estimator.class_weight, split.y)
        if self.classes is not None and len(np.unique(split.y)) < len(self.classes):
            raise ShapeError(
                f"every one of the {len(self.classes)} classes among the rows that are trained on",
                got=f"{len(np.unique(split.y))} classes in one fold",
                remedy="stratify the folds, or take fewer",
                where="argument cv",
            )
        if self.classes is not None and not np.isin(split.judged, self.classes).all():
            unknown = split.judged[~np.isin(split.judged, self.classes)][0]
            raise ShapeError(
                f"classes among {', '.join(map(str, self.classes.tolist()))} in the rows that judge",
                got=str(unknown),
                remedy="train on rows of every class",
                where="argument validation",
            )
        ones = np.ones(len(split.judging))
        return split.X, self.targets(split.y), weights, split.judging, self.judging_targets(split.judged), ones

    def form_of(self, split: Split) -> Shape:
        return self.shape(split.X, self.targets(split.y[:1]))

    def names(self, split: Split) -> list[str]:
        form = self.form_of(split)
        ends = [f"intercept[{j}]" for j in range(form.free_intercepts)]
        return [f"coefficient[{i}, {j}]" for i in range(form.d) for j in range(form.k)] + ends

    def start(self, split: Split) -> Array:
        """Nothing but the intercept of the mean, where the outputs are means."""
        form = self.form_of(split)
        theta = np.zeros(form.n)
        if form.intercept and self.classes is None:
            level = np.mean(self.targets(split.y), axis=0)
            theta[form.d * form.k :] = np.log(level) if self.family.logarithmic else level
        return theta


def _linear_curve(form: Shape, X: jax.Array, bends: jax.Array) -> jax.Array:
    """The Hessian of a sum of row losses of a linear predictor: one product of the rows for every pair of outputs."""
    A = jnp.concatenate([X, jnp.ones((len(X), 1))], axis=1) if form.intercept else X
    pairs = jnp.moveaxis(bends, 0, -1).reshape(form.k * form.k, -1)
    blocks = jax.lax.map(lambda w: A.T @ (w[:, None] * A), pairs)
    full = blocks.reshape(form.k, form.k, A.shape[1], A.shape[1]).transpose(2, 0, 3, 1)
    full = full.reshape(A.shape[1] * form.k, A.shape[1] * form.k)
    if not form.intercept or not form.centered:
        return full
    first, spread = form.d * form.k, form.spread()
    down = jnp.concatenate([full[:first], spread.T @ full[first:]])
    return jnp.concatenate([down[:, :first], down[:, first:] @ spread], axis=1)


def _refuse(wrong: Any, what: str, why: str) -> None:
    if wrong:
        raise ModelError(
            "an estimator whose training is smooth in its settings",
            got=f"{what}: {why}",
            remedy="choose another setting, or search over a grid",
            where="tune",
        )


def _refuse_penalty(estimator: Any) -> None:
    penalty = getattr(estimator, "penalty", "l2")
    kinked = penalty in ("l1", "elasticnet") and getattr(estimator, "l1_ratio", None) != 0
    kinked = kinked or (penalty not in ("l2", None) and bool(getattr(estimator, "l1_ratio", 0)))
    _refuse(
        kinked, "LogisticRegression with an l1 penalty", "|w| has a kink at zero, coefficients come and go in jumps"
    )
    _refuse(penalty is None, "LogisticRegression(penalty=None)", "without a penalty there is nothing to tune")
    _refuse(
        estimator.solver == "liblinear" and estimator.fit_intercept,
        "LogisticRegression(solver='liblinear')",
        "it penalizes the intercept, as no other solver does",
    )


def _refuse_range(y: Array, power: float, kind: str) -> None:
    y = np.asarray(y, dtype=np.float64)
    low = y.min()
    if (power >= 2 and low <= 0) or (power >= 1 and low < 0):
        raise ShapeError(
            f"{'positive' if power >= 2 else 'non-negative'} targets for {kind}",
            got=f"{low:g}",
            remedy="leave such rows out, or take another family",
            where="argument y",
        )
