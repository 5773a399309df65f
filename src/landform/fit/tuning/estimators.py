"""scikit-learn estimators whose training is a smooth inner problem; the others are refused by name, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from landform.errors import ModelError, ShapeError, TableError
from landform.fit.tuning.hyper import Hyper, read_hyper
from landform.fit.tuning.kernel_models import pose_kernel_ridge, pose_process, process_kernel, tunable_of_kernel_ridge
from landform.fit.tuning.level import Level
from landform.fit.tuning.linear_models import pose_linear
from landform.fit.tuning.posed import Posed, Split, padded
from landform.fit.tuning.search import search
from landform.fit.tuning.tuned import Tuned

Array = np.ndarray
LINEAR = ("Ridge", "LogisticRegression", "PoissonRegressor", "GammaRegressor", "TweedieRegressor")
SMOOTH = (*LINEAR, "KernelRidge", "GaussianProcessRegressor")

_JUMPS = "its fit moves in jumps as coefficients or support vectors come and go"
_COUNTS = "its settings are counts and thresholds, along which nothing has a slope"
_SHORT = "its training stops short of a minimum, and there are many"
_ITSELF = "it tunes itself while it is fitted"
REFUSED = {
    **dict.fromkeys(("Lasso", "ElasticNet", "MultiTaskLasso", "MultiTaskElasticNet", "Lars", "LassoLars"), _JUMPS),
    **dict.fromkeys(("SVC", "SVR", "NuSVC", "NuSVR", "LinearSVC", "LinearSVR", "OneClassSVM"), _JUMPS),
    **dict.fromkeys(("HuberRegressor", "QuantileRegressor", "TheilSenRegressor", "RANSACRegressor"), _JUMPS),
    **dict.fromkeys(("RandomForestRegressor", "RandomForestClassifier", "DecisionTreeRegressor"), _COUNTS),
    **dict.fromkeys(("DecisionTreeClassifier", "ExtraTreesRegressor", "ExtraTreesClassifier"), _COUNTS),
    **dict.fromkeys(("GradientBoostingRegressor", "GradientBoostingClassifier"), _COUNTS),
    **dict.fromkeys(("HistGradientBoostingRegressor", "HistGradientBoostingClassifier"), _COUNTS),
    **dict.fromkeys(("KNeighborsRegressor", "KNeighborsClassifier"), _COUNTS),
    **dict.fromkeys(("MLPRegressor", "MLPClassifier", "SGDRegressor", "SGDClassifier", "Perceptron"), _SHORT),
    **dict.fromkeys(("RidgeCV", "LassoCV", "ElasticNetCV", "LogisticRegressionCV"), _ITSELF),
    **dict.fromkeys(("BayesianRidge", "ARDRegression"), _ITSELF),
    "LinearRegression": "it has no setting to tune",
    "RidgeClassifier": "its labels are fitted as numbers, and judged by a count of mistakes, which has no slope",
    "GaussianProcessClassifier": "its training is Laplace's approximation, which is not translated",
}


def tune_estimator(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    over: Mapping[str, Any] | None,
    validation: Any,
    cv: Any,
    groups: Any,
    loss: Callable[..., Any] | None,
    starts: int,
    **options: Any,
) -> Tuned:
    """Tune an estimator: `landform.tune`."""
    final, prefix = _final(estimator)
    kind = _kind(final)
    marginal = kind == "GaussianProcessRegressor" and validation is None and cv is None
    if marginal and loss is not None:
        raise ShapeError("rows that judge by loss=", got="neither", remedy="pass validation= or cv=", where="tune")
    splits = _splits(estimator, X, y, validation=validation, cv=cv, groups=groups, whole=marginal)
    names, hyper = _hyper(final, kind, over, prefix)
    y_all = np.asarray(y)
    if kind in LINEAR:
        posed = pose_linear(final, y_all, loss)
    elif kind == "KernelRidge":
        posed = pose_kernel_ridge(final, splits[0].X.shape[1], loss)
    else:
        posed = pose_process(final, loss, marginal=marginal)
    levels = _levels(posed, splits, hyper)
    found = search(levels, [posed.start(split) for split in splits], hyper, starts=starts, **options)
    tuned = found(lambda thetas: thetas if len(thetas) > 1 else thetas[0], None)
    best = dict(zip(names, _leaves(tuned.x, names), strict=True))
    fitted = _with(estimator, final, kind, prefix, best).fit(X, y)
    return found(lambda thetas: thetas if len(thetas) > 1 else thetas[0], fitted)


def _leaves(x: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    return [float(x[name]) if np.ndim(x[name]) == 0 else np.asarray(x[name]) for name in names]


def _final(estimator: Any) -> tuple[Any, str]:
    """The last step of a pipeline, and what its settings are called by."""
    if isinstance(estimator, Pipeline):
        name, final = estimator.steps[-1]
        return final, f"{name}__"
    return estimator, ""


def _kind(final: Any) -> str:
    kind = type(final).__name__
    if kind in SMOOTH and type(final).__module__.startswith("sklearn."):
        return kind
    raise ModelError(
        "an estimator whose training is a smooth inner problem",
        got=f"{kind}: {REFUSED.get(kind, 'it is not translated')}",
        remedy=f"use one of {', '.join(SMOOTH)}, search over a grid, or give landform.tune losses of your own",
        where="tune",
    )


def _hyper(final: Any, kind: str, over: Mapping[str, Any] | None, prefix: str) -> tuple[tuple[str, ...], Hyper]:
    """The settings to tune, beginning with the estimator's own."""
    known = _known(final, kind)
    if over is None:
        over = {name: known[name][1] for name in known if known[name][1] is not None}
    if not isinstance(over, Mapping) or not over:
        raise ShapeError(
            "over={name: (lower, upper)}, what to tune and within what",
            got=repr(over) if over else "nothing to tune",
            remedy=f"name one or more of {', '.join(known)}",
            where="argument over",
        )
    plain = {str(name).removeprefix(prefix): pair for name, pair in over.items()}
    for name in plain:
        if name not in known:
            raise ShapeError(
                f"a continuous setting of {kind}",
                got=repr(name),
                remedy=f"choose among {', '.join(known)}",
                where="argument over",
            )
    start = {name: np.array(known[name][0]) for name in plain}
    for name, pair in plain.items():
        if isinstance(pair, (tuple, list)) and len(pair) == 2 and all(end is not None for end in pair):
            start[name] = np.clip(start[name], np.asarray(pair[0], dtype=float), np.asarray(pair[1], dtype=float))
    return tuple(plain), read_hyper(start, bounds=plain, scale="log")


def _known(final: Any, kind: str) -> dict[str, tuple[Any, Any]]:
    """Continuous settings: the estimator's own value, and bounds where it brings some."""
    if kind == "LogisticRegression":
        return {"C": (float(min(final.C, 1e300)), None)}
    if kind == "KernelRidge":
        usual = {"alpha": final.alpha, "gamma": final.gamma or 1.0, "coef0": final.coef0}
        return {name: (float(usual[name]), None) for name in tunable_of_kernel_ridge(final)}
    if kind != "GaussianProcessRegressor":
        return {"alpha": (float(final.alpha), None)}
    kernel = process_kernel(final)
    known: dict[str, tuple[Any, Any]] = {}
    for one in kernel.hyperparameters:
        value = np.asarray(kernel.get_params()[one.name], dtype=np.float64)
        bounds = None if one.fixed else np.asarray(one.bounds, dtype=np.float64)
        ends = None if bounds is None else (np.min(bounds[:, 0]), np.max(bounds[:, 1]))
        known[one.name] = (value, ends)
    return {**known, "alpha": (float(np.max(final.alpha)), None)}


def _splits(estimator: Any, X: Any, y: Any, *, validation: Any, cv: Any, groups: Any, whole: bool) -> list[Split]:
    """Rows to train on and to judge by, brought through a pipeline's steps that are fitted on the former alone."""
    if y is None:
        raise ShapeError("targets y", got="None", remedy="pass tune(estimator, X, y, …)", where="argument y")
    if validation is not None and cv is not None:
        raise ShapeError("validation= or cv=", got="both", remedy="leave one out", where="tune")
    _refuse_other_count(X, y, "X and y")
    if whole:
        ground = _through(estimator, X, y, X)[0]
        return [Split(ground, _targets(y), ground[:0], _targets(y)[:0])]
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise ShapeError(
                "validation=(X, y)", got=type(validation).__name__, remedy="pass the rows that judge", where="tune"
            )
        _refuse_other_count(validation[0], validation[1], "argument validation")
        trained, held = _through(estimator, X, y, validation[0])
        if held.shape[1] != trained.shape[1]:
            raise ShapeError(
                f"{trained.shape[1]} columns, as in X",
                got=held.shape[1],
                remedy="pass the same columns",
                where="argument validation",
            )
        return [Split(trained, _targets(y), held, _targets(validation[1]))]
    if cv is None:
        raise ShapeError(
            "rows that judge", got="neither validation= nor cv=", remedy="pass validation=(X, y) or cv=5", where="tune"
        )
    targets = _targets(y)
    try:
        folds = list(check_cv(cv, targets, classifier=is_classifier(estimator)).split(X, targets, groups))
    except ValueError as error:
        raise ShapeError(
            "folds of these rows", got=str(error), remedy="choose other ones", where="argument cv"
        ) from error
    found = []
    for rows, held_rows in folds:
        trained, held = _through(estimator, _safe_indexing(X, rows), targets[rows], _safe_indexing(X, held_rows))
        found.append(Split(trained, targets[rows], held, targets[held_rows]))
    return found


def _refuse_other_count(X: Any, y: Any, where: str) -> None:
    rows, targets = (int(one.shape[0]) if hasattr(one, "shape") else len(one) for one in (X, y))
    if rows != targets or not rows:
        raise ShapeError(
            "as many targets as rows, one or more",
            got=f"{targets} targets for {rows} rows",
            remedy="pass a target for every row",
            where=where,
        )


def _targets(y: Any) -> Array:
    y = np.asarray(y)
    if np.issubdtype(y.dtype, np.number) and not np.isfinite(y).all():
        row = int(np.argwhere(~np.isfinite(y))[0][0])
        raise TableError("a target in every row", got="NaN", remedy="leave the row out", where=f"y, row {row}")
    return y


def _through(estimator: Any, X: Any, y: Any, held: Any) -> tuple[Array, Array]:
    """Training and held-out rows as the last step sees them."""
    if isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
        before = clone(estimator[:-1])
        X, held = before.fit_transform(X, y), before.transform(held)
    return _numbers(X), _numbers(held)


def _numbers(X: Any) -> Array:
    if hasattr(X, "toarray"):
        raise ShapeError("dense rows", got="a sparse matrix", remedy="pass X.toarray()", where="argument X")
    try:
        found = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise TableError(
            "numbers", got="text", remedy="put an encoder before the estimator, in a pipeline", where="argument X"
        ) from None
    if found.ndim != 2:
        raise ShapeError("rows of shape (rows, columns)", got=found.shape, remedy="reshape them", where="argument X")
    if not np.isfinite(found).all():
        row, column = np.argwhere(~np.isfinite(found))[0].tolist()
        raise TableError(
            "a number in every cell",
            got=f"{found[row, column]}",
            remedy="leave the row out, or put an imputer before the estimator",
            where=f"X, row {row}, column {column}",
        )
    return found


def _levels(posed: Posed, splits: list[Split], hyper: Hyper) -> list[Level]:
    data = padded(posed, [posed.data(split) for split in splits])

    def inner(theta: jax.Array, z: jax.Array, *data: Any) -> jax.Array:
        return posed.inner(theta, hyper.traced(z), *data)

    def outer(theta: jax.Array, z: jax.Array, *data: Any) -> jax.Array:
        return posed.outer(theta, hyper.traced(z), *data)

    def curve(theta: jax.Array, z: jax.Array, *data: Any) -> jax.Array:
        assert posed.curve is not None
        return posed.curve(theta, hyper.traced(z), *data)

    return [
        Level(inner, outer, own, lambda split=split: posed.names(split), curve if posed.curve is not None else None)  # type: ignore[misc]
        for own, split in zip(data, splits, strict=True)
    ]


def _with(estimator: Any, final: Any, kind: str, prefix: str, best: Mapping[str, Any]) -> Any:
    """A copy of the estimator with the tuned settings."""
    own = {prefix + name: value for name, value in best.items()}
    if kind == "GaussianProcessRegressor":
        kernel = clone(process_kernel(final)).set_params(**{k: v for k, v in best.items() if k != "alpha"})
        own = {prefix + "kernel": kernel, prefix + "optimizer": None}
        if "alpha" in best:
            own[prefix + "alpha"] = best["alpha"]
    return clone(estimator).set_params(**own)
