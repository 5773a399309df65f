"""Parameters from data, with what is known about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
from jaxtyping import Float

from landform.errors import DerivativeError, ShapeError
from landform.fit.parameters.certificate import certify_squares
from landform.fit.parameters.data import Data, read_data
from landform.fit.parameters.fitted import Fitted, Objective
from landform.fit.parameters.least_squares import least_squares
from landform.fit.parameters.losses import Named, residual_function, row_function, summed
from landform.optimize import Certificate, solve
from landform.optimize.problem import Limits, Problem, make_problem
from landform.optimize.starts import scattered

Array = np.ndarray
_FURTHER = 64
"""Starts that are tried where the user's own ends short of a minimum."""


def fit(
    model: Callable[..., Any],
    data: Any,
    p0: Any,
    *,
    target: str | None = None,
    errors: Any = None,
    weights: Any = None,
    bounds: Limits = None,
    loss: Named | Callable[..., Any] = "squares",
    scale: float | None = None,
    starts: int = 1,
    seed: int = 0,
) -> Fitted:
    """Fit a model's parameters to data, by least squares, a robust loss or maximum likelihood.

    The point that comes back carries a certificate from exact derivatives: a fit that ended on a plateau, at a saddle
    or short of a minimum is tried again from other starts, and is never called a success if it is none.

    Parameters
    ----------
    model : callable
        A JAX function ``model(x, p)`` that predicts all rows at once: ``x`` as it is in ``data``, ``p`` in the form of
        ``p0``.
    data : (x, y) or pandas.DataFrame
        Conditions (an array, or a dictionary of arrays) and measurements; of a data frame every column but the target
        is a condition, and the model gets a dictionary of them.
    p0 : array or tree of arrays
        Where to begin; a dictionary names the parameters.
    target : str, optional
        The measured column of a data frame.
    errors : float, array or str, optional
        Standard deviations of the measurements (or the column that holds them). Without them the noise is estimated
        from the residuals, alike for all rows.
    weights : array, optional
        How much each row counts, as ratios (frequency-like): errors are then still estimated.
    bounds : (lower, upper), optional
        As for `landform.minimize`.
    loss : {"squares", "soft l1", "huber", "cauchy"} or callable
        What is added up. A callable ``loss(y, predicted)`` is a negative log-likelihood of each row.
    scale : float, optional
        Residual from which a robust loss bends away from the square; 1.345 standard deviations where it is left out,
        these estimated by the median residual of a least squares fit.
    starts : int
        How many starts: ``p0`` first, the others spread over the bounds, or around ``p0``.
    seed : int
        Of the spread.

    Returns
    -------
    Fitted

    Raises
    ------
    ShapeError
        If there are fewer measurements than parameters, model and data do not fit, or an argument is off.
    DerivativeError
        If the model is not finite at the start.
    TableError
        If a number is missing in the data.

    References
    ----------
    Seber and Wild (1989), *Nonlinear Regression*, ch. 2 and 5.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> t = np.array([0.0, 1, 2, 4, 8])
    >>> y = np.array([10.1, 6.0, 3.7, 1.3, 0.2])
    >>> found = fit(lambda t, p: p["dose"] * jnp.exp(-p["rate"] * t), (t, y), {"dose": 8.0, "rate": 0.3})
    >>> found.table()[["parameter", "estimate", "standard error"]].round(3)
      parameter  estimate  standard error
    0      dose    10.082           0.050
    1      rate     0.509           0.006
    """
    observed = read_data(data, target=target, errors=errors, weights=weights)
    if not callable(loss) and loss not in get_args(Named):
        raise ShapeError(
            f"a loss among {', '.join(get_args(Named))}, or a function",
            got=repr(loss),
            remedy="choose one",
            where="argument loss",
        )
    start = _start(model, observed, p0)
    args = (observed.x, observed.y, observed.weights)
    residuals = residual_function(model, _unflatten(p0))
    squares = _problem(summed(row_function(model, _unflatten(p0), "squares", 1.0)), start, args, bounds, p0)
    if loss == "squares":
        x, certificate, tried = _by_squares(residuals, squares, args, starts, seed)
        objective = Objective("squares", 1.0, residuals, row_function(model, _unflatten(p0), "squares", 1.0))
        return _fitted(model, observed, p0, squares, x, certificate, objective, tried)
    width = scale or (1.0 if callable(loss) else 1.345 * _spread(residuals, squares, args, starts, seed))
    rows = row_function(model, _unflatten(p0), loss, float(width))
    problem = _problem(summed(rows), start, args, bounds, p0)
    points = np.vstack([start[None], scattered(problem.program, start, count=starts - 1, seed=seed)])
    best = solve(problem.program, points)[0]
    objective = Objective("likelihood" if callable(loss) else loss, float(width), residuals, rows)
    return _fitted(model, observed, p0, problem, best.x, best.certificate, objective, len(points))


def _unflatten(p0: Any) -> Callable[[Any], Any]:
    from landform.backends.jax import double_precision, flatten_point, map_leaves

    with double_precision():
        return flatten_point(map_leaves(_double, p0))[1]


def _double(leaf: Any) -> Any:
    return np.asarray(leaf, dtype=np.float64)


def _start(model: Callable[..., Any], data: Data, p0: Any) -> Float[Array, " n"]:
    """The start as a vector, once it is known that model and data fit together."""
    from landform.backends.jax import double_precision, flatten_point, map_leaves

    with double_precision(), np.errstate(all="ignore"):
        start = np.asarray(flatten_point(map_leaves(_double, p0))[0])
        predicted = np.asarray(model(data.x, map_leaves(_double, p0)))
    if predicted.size != data.y.size:
        raise ShapeError(
            f"a model that predicts {data.y.shape}, one number for every measurement",
            got=f"shape {predicted.shape}",
            remedy="let model(x, p) predict all rows at once",
            where="argument model",
        )
    if not np.isfinite(predicted).all():
        row = int(np.argwhere(~np.isfinite(predicted.reshape(data.y.shape)))[0][0])
        raise DerivativeError(
            "a model that is finite at the start",
            got=f"{predicted.reshape(-1)[~np.isfinite(predicted.reshape(-1))][0]} at row {row}",
            remedy="start where it is defined",
            where="argument p0",
        )
    if data.y.size < start.size:
        raise ShapeError(
            f"at least as many measurements as parameters ({start.size})",
            got=f"{data.y.size} measurements",
            remedy="fix some parameters, or measure more",
            where="argument data",
        )
    return start


def _problem(objective: Callable[..., Any], start: Array, args: tuple[Any, ...], bounds: Limits, p0: Any) -> Problem:
    from landform.backends.jax import leaf_names

    names = leaf_names(p0, "") if isinstance(p0, dict) else None
    plain = None if names is None else [name.replace("['", ".").replace("']", "").lstrip(".") for name in names]
    return make_problem(objective, start, args=args, bounds=_flat_bounds(bounds), inputs=plain)


def _flat_bounds(bounds: Limits) -> Limits:
    from landform.backends.jax import leaves_of

    if not isinstance(bounds, (tuple, list)):
        return bounds
    return tuple(
        end
        if end is None or (np.ndim(end) == 0 and not isinstance(end, dict))
        else np.concatenate([np.ravel(np.asarray(leaf, dtype=object)) for leaf in leaves_of(end)])
        for end in bounds
    )


def _by_squares(
    residuals: Callable[..., Any], problem: Problem, args: tuple[Any, ...], starts: int, seed: int
) -> tuple[Float[Array, " n"], Certificate, int]:
    """The lowest certified point: from the user's start, else by present slopes, else from starts all around."""
    program, region = problem.program, problem.program.region
    points = np.vstack([problem.start[None], scattered(program, problem.start, count=starts - 1, seed=seed)])
    tries: list[tuple[Array, dict[str, Any]]] = [
        (points, {}),
        (points[:1], {"forgetful": True, "most": 4000}),
        (_around(problem, seed), {"most": 300}),
    ]
    best: tuple[Float[Array, " n"], Certificate, float] | None = None
    rounding = 64 * np.finfo(float).eps * float(np.linalg.norm(args[1] * args[2]))
    tried = 0
    for trial, options in tries:
        ended = least_squares(residuals, trial, args=args, lower=region.lower, upper=region.upper, **options)
        tried += len(trial)
        for k in np.argsort(ended.cost, kind="stable")[:3]:
            if not np.isfinite(ended.cost[k]):
                continue
            found = certify_squares(residuals, problem, ended.p[k], args, rounding=rounding)
            if best is None or _rank(found, ended.cost[k]) > _rank(best[1], best[2]):
                best = ended.p[k], found, float(ended.cost[k])
        if best is not None and best[1].nature in ("strict minimum", "vertex"):
            break
    if best is None:
        raise DerivativeError(
            "a sum of squares that can be lowered",
            got="nothing finite from any start",
            remedy="set bounds where the model is defined",
            where="argument p0",
        )
    return best[0], best[1], tried


def _rank(certificate: Certificate, cost: float) -> tuple[bool, bool, float]:
    """A strict minimum before a flat place, that before what is not certified; then the lower sum of squares."""
    return certificate.nature in ("strict minimum", "vertex"), certificate.certified, -cost


def _around(problem: Problem, seed: int) -> Float[Array, "starts n"]:
    """Starts that differ from the user's by powers of ten, within the bounds."""
    rng = np.random.default_rng(seed)
    start, region = problem.start, problem.program.region
    factor = 10.0 ** rng.uniform(-2, 1, (_FURTHER, len(start)))
    size = np.where(start == 0, rng.standard_normal((_FURTHER, len(start))), start * factor)
    return np.clip(size, region.lower, region.upper)


def _spread(residuals: Callable[..., Any], problem: Problem, args: tuple[Any, ...], starts: int, seed: int) -> float:
    """The standard deviation of the noise by the median residual of a least squares fit (normal consistent)."""
    from landform.backends.jax import double_precision

    x, _, _ = _by_squares(residuals, problem, args, starts, seed)
    with double_precision():
        r = np.asarray(residuals(x, *args))
    return max(1.4826 * float(np.median(np.abs(r))), np.finfo(float).tiny)


def _fitted(
    model: Callable[..., Any],
    data: Data,
    p0: Any,
    problem: Problem,
    x: Float[Array, " n"],
    certificate: Certificate,
    objective: Objective,
    tried: int,
) -> Fitted:
    return Fitted(
        model=model,
        data=data,
        vector=x,
        names=problem.program.region.names,
        unflatten=_unflatten(p0),
        certificate=certificate,
        objective=objective,
        problem=problem,
        starts=tried,
    )
