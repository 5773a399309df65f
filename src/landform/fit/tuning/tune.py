"""Hyperparameters by exact hypergradients: the outer loss minimized through the inner minimum, with a certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.frameworks import refuse_traced
from landform.errors import ShapeError
from landform.fit.tuning.hyper import Scale, read_hyper
from landform.fit.tuning.hypergradient import Solver, make_level
from landform.fit.tuning.search import Curvature, search
from landform.fit.tuning.tuned import Tuned

Array = np.ndarray


def tune(
    inner: Any,
    outer: Any,
    parameters0: Any = None,
    hyper0: Any = None,
    *,
    bounds: Any = None,
    scale: Scale = "linear",
    over: Any = None,
    validation: Any = None,
    cv: Any = None,
    groups: Any = None,
    loss: Callable[..., Any] | None = None,
    starts: int | None = None,
    seed: int = 0,
    solver: Solver = "auto",
    curvature: Curvature = "auto",
    tolerance: float = 1e-6,
    progress: bool = False,
) -> Tuned:
    """Hyperparameters that minimize an outer loss, by exact slopes and curves through the inner minimum.

    Two doors: ``tune(inner, outer, parameters0, hyper0)`` for losses of your own, and ``tune(estimator, X, y, over=…,
    validation=… or cv=…)`` for a scikit-learn estimator. Every inner problem is solved until rounding is left, and
    judged: one that has not converged, stands at a saddle or does not determine its parameters is refused, since a
    hypergradient means nothing there. The outer point is judged by `landform.certify`'s rules.

    Parameters
    ----------
    inner : callable or estimator
        JAX function ``inner(parameters, hyper)``, one number, twice differentiable; or Ridge, KernelRidge,
        LogisticRegression, PoissonRegressor, GammaRegressor, TweedieRegressor or GaussianProcessRegressor, or a
        pipeline that ends in one.
    outer : callable or array
        JAX function ``outer(parameters, hyper)``, one number; or the rows X.
    parameters0 : tree or array
        Where the inner problem begins; or the targets y.
    hyper0 : array or tree of arrays
        Where the search begins; a dictionary names the hyperparameters.
    bounds : mapping or (lower, upper), optional
        ``{"alpha": (1e-4, 1e2)}`` by name, or as for `landform.minimize`; None for no bound.
    scale : {"linear", "log"} or mapping of names to them
        Whether a hyperparameter is moved as it is or by its logarithm.
    over : mapping, optional
        With an estimator: ``{"alpha": (1e-4, 1e2)}``, which parameters are tuned, within what; all are moved by their
        logarithm. A Gaussian process without it is tuned over its kernel's own free parameters and bounds.
    validation : (X, y), optional
        With an estimator: rows that judge.
    cv : int or splitter, optional
        With an estimator: folds, as scikit-learn has them; the mean of their losses judges. A Gaussian process with
        neither is judged by its marginal likelihood.
    groups : array, optional
        For splitters that take them.
    loss : callable, optional
        With an estimator: ``loss(y, predicted)`` in JAX, one number, of what ``predict`` gives, in the form of y; of a
        classifier the numbers of the classes and what ``predict_proba`` gives. Unless given: the mean squared error,
        the log loss, the mean deviance.
    starts : int, optional
        How many starts: ``hyper0`` (or the estimator's own settings) first, the others spread over the bounds. 1 for
        losses of your own, 4 for estimators.
    seed : int
        Of the spread.
    solver : {"auto", "dense", "products"}
        Whether inner Hessians are formed (up to 2,000 parameters by themselves), or met by products alone.
    curvature : {"auto", "exact", "learned"}
        Whether every outer step takes the exact Hessian (up to 100 hyperparameters by itself), or learns it from slopes
        (L-BFGS-B), with exact Newton steps at the end. The certificate is exact in both cases.
    tolerance : float
        What an inner problem's rest may cost the hypergradient, in parts of the terms it is a sum of.
    progress : bool
        Show on the error stream where the search is.

    Returns
    -------
    Tuned
        With ``x``, ``value``, ``certificate``, ``table()``, ``history``, ``gradient_check()``, ``estimator``.

    Raises
    ------
    DerivativeError
        If the inner problem has no minimum at the start; it says what is wrong there.
    ModelError
        If the estimator has no smooth inner problem; it says why.
    ShapeError
        If an argument does not fit.

    References
    ----------
    Bengio (2000), "Gradient-based optimization of hyperparameters", Neural Computation 12; Foo, Do and Ng (2007),
    "Efficient multiple hyperparameter learning for log-linear models", NIPS 20.

    Examples
    --------
    >>> X, y = np.eye(4)[:, :3], np.array([2.0, 1.0, 0.5, 0.0])
    >>> tuned = tune(
    ...     lambda w, h: ((X @ w - y) ** 2).sum() + h["alpha"] * (w**2).sum(),
    ...     lambda w, h: ((w - np.array([1.0, 0.5, 0.25])) ** 2).sum(),
    ...     np.zeros(3),
    ...     {"alpha": 0.1},
    ...     bounds={"alpha": (1e-4, 1e4)},
    ...     scale="log",
    ... )
    >>> round(float(tuned.x["alpha"]), 9), tuned.words
    (1.0, 'a strict minimum: every way within the limits leads up')
    """
    options: dict[str, Any] = {"seed": seed, "solver": solver, "curvature": curvature, "tolerance": tolerance}
    options["progress"] = progress
    if hasattr(inner, "get_params") and hasattr(inner, "fit"):
        from landform.fit.tuning.estimators import tune_estimator

        _refuse_given({"hyper0": hyper0, "bounds": bounds}, "an estimator", "use over={name: (lower, upper)}")
        asked = {"over": over, "validation": validation, "cv": cv, "groups": groups, "loss": loss}
        return tune_estimator(inner, outer, parameters0, **asked, starts=4 if starts is None else starts, **options)
    strange = {"over": over, "validation": validation, "cv": cv, "groups": groups, "loss": loss}
    _refuse_given(strange, "losses of your own", "use hyper0= and bounds=")
    if parameters0 is None or hyper0 is None or not callable(inner) or not callable(outer):
        raise ShapeError(
            "tune(inner, outer, parameters0, hyper0) or tune(estimator, X, y, over=…)",
            got=f"{type(inner).__name__}, {type(outer).__name__} and {'a' if hyper0 is not None else 'no'} hyper0",
            remedy="pass two functions and two starts, or an estimator and its data",
        )
    refuse_traced("tune", parameters0, hyper0)
    hyper = read_hyper(hyper0, bounds=bounds, scale=scale)
    level, theta = make_level(inner, outer, parameters0, hyper)
    found = search([level], [theta], hyper, starts=1 if starts is None else starts, **options)
    return found(lambda thetas: _shaped_like(parameters0, thetas[0]), None)


def _refuse_given(given: dict[str, Any], door: str, remedy: str) -> None:
    for name, value in given.items():
        if value is not None:
            raise ShapeError(f"no {name}= with {door}", got=f"{name}={value!r}", remedy=remedy, where="tune")


def _shaped_like(tree: Any, vector: Float[Array, " n"]) -> Any:
    """A vector in the form of a tree, in double precision."""
    from landform.backends.jax import as_double, double_precision, flatten_point, map_leaves

    with double_precision():
        unflatten: Callable[[Any], Any] = flatten_point(as_double(tree))[1]
        return map_leaves(np.asarray, unflatten(vector))
