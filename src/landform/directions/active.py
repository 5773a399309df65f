"""`active_subspace`: from a function and where its inputs lie to the directions along which it moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from landform.backends import Model
from landform.derivatives import jacobian, prepare
from landform.directions.activity import ActiveSubspace
from landform.directions.inputs import Inputs, inputs_of
from landform.directions.resampled import Resampled, resample
from landform.directions.slices import directional_regression, slices_of
from landform.errors import DerivativeError, ShapeError
from landform.findings import Estimate

Method = Literal["auto", "gradients", "slices"]
Array = np.ndarray
_BYTES = 2**26
"""Jacobians of so many rows at once."""
_SLICES, _SHUFFLES = 10, 40
_NEGLIGIBLE = 1e-3
"""A direction with less than this part of the mean squared slope (3 % of the slope itself) counts as none."""


def active_subspace(
    function: Callable[..., Any] | Model | Float[Array, " rows"],
    X: Any,
    *,
    scale: Any = "spread",
    output: str | int | None = None,
    noise: Any = None,
    dimension: int | None = None,
    method: Method = "auto",
    mode: Literal["auto", "numeric"] = "auto",
    rows: int = 512,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> ActiveSubspace:
    """The few directions of its inputs along which a function moves: the eigenvectors of its mean squared slopes.

    The matrix is the mean over the points of J'J, with every input measured in its unit. How many directions are
    active is read from the largest gap between the logarithms of neighboring eigenvalues, where less than a thousandth
    of the sum counts as nothing; resampling the points says how often that gap is the largest, and how far the subspace
    turns.

    Parameters
    ----------
    function : callable, Model, or array of shape (rows,) or (rows, m)
        n inputs to m outputs; or measured outputs at the rows of X, which have no slopes (``method="slices"``).
    X : array, data frame or distribution
        Points, shape (rows, n). Or a `scipy.stats` distribution: a frozen joint one, a list of one per input, or a
        dictionary of these by input, where a pair ``(low, high)`` stands for the uniform one.
    scale : {"spread", "covariance"}, None, or array of shape (n,)
        Units of the inputs: their standard deviations; these and their correlations taken out (directions are then
        along the ground the inputs keep to, such as ingredients that add to one, and the trailing eigenvalues bound
        what is left out); as they are; or given.
    output : str or int, optional
        One output alone. Otherwise all share one subspace, each in units of its own standard deviation.
    noise : float or array of shape (m,), optional
        Standard deviations of measurements of the outputs: slopes are counted in these units, so that eigenvalues say
        what data would tell. With ``scale="covariance"`` and X from the prior that is the likelihood-informed
        subspace: above 1, a measurement tells more than the prior.
    dimension : int, optional
        Of the active subspace, where it is not to be read from the gap.
    method : {"auto", "gradients", "slices"}
        From slopes, or from values alone by directional regression (inputs roughly Gaussian, rows ≫ inputs).
    mode : {"auto", "numeric"}
        "numeric" takes slopes of a black box from its values (`landform.jacobian`).
    rows : int
        Points to draw from a distribution.
    resamples, level, seed : int, float, int
        For the doubt, and for the points drawn.
    inputs, outputs : sequence of str, optional
        Names; a model and a data frame bring their own.

    Returns
    -------
    ActiveSubspace

    Raises
    ------
    DerivativeError
        If a slope is not finite, or all are zero (a staircase such as a forest: take ``method="slices"``).
    ShapeError
        If points, names, units or outputs do not fit.

    References
    ----------
    Constantine (2015), *Active Subspaces*, SIAM; Constantine and Diaz (2017), "Global sensitivity metrics from active
    subspaces", Reliab. Eng. Syst. Saf. 162 (activity scores); Zahm, Constantine, Prieur and Marzouk (2020),
    "Gradient-based dimension reduction of multivariate vector-valued functions", SIAM J. Sci. Comput. 42 (several
    outputs, covariance, the bound); Cui et al. (2014), "Likelihood-informed dimension reduction for nonlinear inverse
    problems", Inverse Problems 30.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 3))
    >>> found = active_subspace(lambda x: jnp.exp(0.6 * x[0] - 0.8 * x[2])[None], X, scale=None)
    >>> found.dimension, found.confidence, found.loadings[:, 0].round(6)
    (1, 1.0, array([-0.6, 0. ,  0.8]))
    """
    _refuse_settings(resamples, level, rows, method)
    if isinstance(function, Model):
        inputs, outputs = inputs or function.inputs, outputs or function.outputs
    measured = not callable(function)
    method = ("slices" if measured else "gradients") if method == "auto" else method
    where = inputs_of(X, names=inputs, rows=rows, scale="covariance" if method == "slices" else scale, seed=seed)
    if measured and method == "gradients":
        raise DerivativeError("a function, for gradients", got="measured values", remedy='take method="slices"')
    slopes: Array | None = None
    if measured:
        values = _measured(function, len(where.points))
    elif method == "slices":
        values = _values(function, where, mode)
    else:
        values, slopes = _values_and_slopes(function, where, mode)
    if dimension is not None and not 1 <= dimension <= where.map.shape[1]:
        raise ShapeError(
            f"a dimension from 1 to {where.map.shape[1]}", got=repr(dimension), remedy="choose one of these"
        )
    chosen, labels = _outputs(values, output, outputs)
    values = values[:, chosen]
    if slopes is None:
        matrix, floor, notes = _sliced(where, values, seed)
    else:
        matrix, floor, notes = _averaged(where, values, slopes[:, chosen], noise)
    found = resample(matrix, len(values), resamples=resamples, seed=seed, dimension=dimension, floor=floor)
    if found.eigenvalues[0] <= floor:
        notes.append("Nothing stands out from what shuffled outputs give: no dependence was found.")
    if noise is not None and isinstance(scale, str) and scale == "covariance":
        informed = int(np.sum(found.eigenvalues > 1))
        of = len(found.eigenvalues)
        notes.append(f"Measurements tell more than the prior along {informed} of {of} directions (eigenvalue above 1).")
    return _finding(where, labels, values, found, method=method, dimension=dimension, level=level, notes=notes)


def _refuse_settings(resamples: int, level: float, rows: int, method: str) -> None:
    for name, value, least in (("resamples", resamples, 20), ("rows", rows, 2)):
        if value < least:
            raise ShapeError(f"{least} or more", got=repr(value), remedy="ask for more", where=f"argument {name}")
    if not 0 < level < 1:
        raise ShapeError("a number between 0 and 1", got=repr(level), remedy="0.95 serves", where="argument level")
    if method not in ("auto", "gradients", "slices"):
        raise ShapeError(
            '"auto", "gradients" or "slices"', got=repr(method), remedy="choose one", where="argument method"
        )


def _measured(values: Any, rows: int) -> Float[Array, "rows m"]:
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(
            "a function, a model, or numbers measured at the rows of X",
            got=type(values).__name__,
            remedy="translate a fitted estimator with landform.from_sklearn",
        ) from error
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != rows:
        raise ShapeError(f"one measured value for each of {rows} rows", got=f"shape {table.shape}", remedy="align them")
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        raise ShapeError("finite values", got=f"{table[tuple(bad[0])]} in row {bad[0][0]}", remedy="drop the row")
    return table


def _values(function: Any, where: Inputs, mode: str) -> Float[Array, "rows m"]:
    if mode == "numeric":
        return _measured(np.stack([np.ravel(function(x)) for x in where.points]), len(where.points))
    return _measured(prepare(function, where.points[0]).values(where.points), len(where.points))


def _values_and_slopes(
    function: Any, where: Inputs, mode: str
) -> tuple[Float[Array, "rows m"], Float[Array, "rows m n"]]:
    """Outputs and Jacobians at every point, in batches of bounded memory."""
    if mode == "numeric":
        parts = [
            (np.ravel(function(x)), np.asarray(jacobian(function, x, mode="numeric").dense())) for x in where.points
        ]
        values, slopes = (np.stack(part) for part in zip(*parts, strict=True))
    else:
        prepared = prepare(function, where.points[0], finite=False)
        block = max(1, _BYTES // (8 * prepared.target.m * prepared.target.n))
        block = 1 << (block.bit_length() - 1)  # whole batches of one compiled size
        pieces = [
            prepared.values_and_jacobians(where.points[k : k + block]) for k in range(0, len(where.points), block)
        ]
        values, slopes = (np.concatenate(part) for part in zip(*pieces, strict=True))
    bad = np.argwhere(~np.isfinite(slopes))
    if len(bad):
        row, _, column = bad[0]
        raise DerivativeError(
            "finite slopes at every point",
            got=f"{slopes[tuple(bad[0])]} along {where.names[column]} at row {row}",
            remedy="leave out points on a corner or outside the function's domain",
        )
    if not np.any(slopes):
        raise DerivativeError(
            "a function that moves with its inputs",
            got="slopes of zero at every point",
            remedy='for a staircase such as a forest take method="slices", which needs no slopes',
        )
    return values, slopes


def _outputs(
    values: Float[Array, "rows m"], output: str | int | None, names: Sequence[str] | None
) -> tuple[list[int], tuple[str, ...]]:
    """Which outputs are taken in, and their names."""
    m = values.shape[1]
    if names is None:
        names = ["y"] if m == 1 else [f"y{i}" for i in range(m)]
    if len(names) != m:
        raise ShapeError(f"{m} names", got=f"{len(names)}", remedy="give one for each output", where="argument outputs")
    if output is None:
        return list(range(m)), tuple(names)
    place = list(names).index(output) if isinstance(output, str) and output in names else output
    if not isinstance(place, (int, np.integer)) or not -m <= place < m:
        raise ShapeError(
            f"an output among {', '.join(names)}", got=repr(output), remedy="choose one", where="argument output"
        )
    return [int(place) % m], (names[place],)


Matrix = Callable[[Int[Array, " rows"]], Float[Array, "t t"]]
"""The symmetric matrix in question with row i taken ``times[i]`` times."""


def _averaged(where: Inputs, values: Array, slopes: Array, noise: Any) -> tuple[Matrix, float, list[str]]:
    """The mean of J'J, every output in units of its noise or its spread."""
    m = values.shape[1]
    if noise is not None:
        units = np.broadcast_to(np.asarray(noise, dtype=np.float64), (m,))
        if not np.all(units > 0):
            raise ShapeError(
                "positive standard deviations", got=repr(noise), remedy="give them", where="argument noise"
            )
    else:
        spread = values.std(axis=0, ddof=1)
        units = np.where(spread > 0, spread, 1.0) if m > 1 else np.ones(1)
    scaled = (slopes @ where.map) / units[:, None]
    flat = scaled.reshape(-1, scaled.shape[2])

    def matrix(times: Array) -> Array:
        return np.asarray((flat * np.repeat(times, m)[:, None]).T @ flat / len(values))

    floor = _NEGLIGIBLE * float(np.sum(flat**2)) / len(values)
    notes = []
    if len(flat) < 2 * flat.shape[1]:
        notes.append(f"{len(values)} points for {flat.shape[1]} directions: resampling sees too little of the doubt.")
    return matrix, floor, notes


def _sliced(where: Inputs, values: Array, seed: int) -> tuple[Matrix, float, list[str]]:
    """The matrix of directional regression, summed over outputs, and what shuffled outputs give for it."""
    z = (where.points - where.mean) @ where.back.T
    rows, t = z.shape
    count = max(2, min(_SLICES, rows // (3 * t)))
    members = [slices_of(y, count) for y in values.T]

    def matrix(times: Array) -> Array:
        drawn = np.repeat(np.arange(rows), times)
        return np.asarray(sum(directional_regression(z[drawn], one[drawn]) for one in members))

    notes = ["Found from values alone: this takes inputs to be roughly Gaussian."]
    if rows < 10 * t:
        notes.append(f"{rows} rows for {t} directions are few for values alone.")
    rng = np.random.default_rng(seed)
    shuffled = [sum(directional_regression(rng.permutation(z), one) for one in members) for _ in range(_SHUFFLES)]
    return matrix, max(float(np.linalg.eigvalsh(chance)[-1]) for chance in shuffled), notes


def _finding(
    where: Inputs,
    labels: tuple[str, ...],
    values: Array,
    found: Resampled,
    *,
    method: Literal["gradients", "slices"],
    dimension: int | None,
    level: float,
    notes: list[str],
) -> ActiveSubspace:
    chosen, confidence = found.dimension()
    if dimension is not None:
        chosen, confidence = dimension, np.nan
    to_loadings = where.back.T * where.units[:, None]
    loadings = to_loadings @ found.vectors[:, : found.vector_draws.shape[2]]
    draws = np.einsum("dt,btk->bdk", to_loadings, found.vector_draws, optimize=True)
    return ActiveSubspace(
        where.names,
        labels,
        found.eigenvalues,
        loadings,
        draws.std(axis=0, ddof=1),
        chosen,
        confidence,
        found.distances,
        float(found.eigenvalues[chosen:].sum() / found.eigenvalues.sum()),
        _scores(where, found, chosen, level),
        ((where.points - where.mean) / where.units) @ loadings,
        values,
        method,
        level,
        tuple(notes),
        where,
        found,
    )


def _scores(where: Inputs, found: Resampled, dimension: int, level: float) -> tuple[Estimate, ...]:
    """Activity scores: each input's part in the eigenvalues of the active directions."""
    own = np.square(where.axes @ found.vectors[:, :dimension]) @ found.eigenvalues[:dimension]
    vectors = np.einsum("dt,btk->bdk", where.axes, found.vector_draws[:, :, :dimension], optimize=True)
    draws = np.einsum("bdk,bk->bd", np.square(vectors), found.draws[:, :dimension])
    tail = 50 * (1 - level)
    low, high = np.percentile(draws, [tail, 100 - tail], axis=0)
    errors = draws.std(axis=0, ddof=1)
    return tuple(
        Estimate(float(v), float(e), float(a), float(b), how="activity score, resampled")
        for v, e, a, b in zip(own, errors, low, high, strict=True)
    )
