"""Shapley values of predictions, row by row, exact: from product kernels in closed form, or by enumeration.

The worth of a set of inputs at a row is the mean prediction with the set's inputs from the row and the others from the
rows of a background. For one background row and a product of functions of one input each, an input's value is
``(p_i − q_i) ∫ Π_{j≠i} (q_j + t (p_j − q_j)) dt`` over t from 0 to 1, p and q being the factors at the row and at the
background: a polynomial of degree d − 1, which Gauss's rule integrates exactly.

References
----------
Owen (1972), *Management Science* 18, P64 (the integral); Lundberg and Lee (2017), *NeurIPS*, 4765 (Shapley values of
predictions); Janzing, Minorics and Blöbaum (2020), *AISTATS*, 2907 (why inputs are replaced, not conditioned on).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from scipy import special

from landform.backends import Model, from_sklearn
from landform.backends.batch import checked_table
from landform.backends.sklearn.data import checked_rows, refuse_text
from landform.errors import ModelError, ShapeError
from landform.findings import Bars, Finding, Picture

if TYPE_CHECKING:
    import pandas as pd

    from landform.backends.sklearn.product_form import KernelSum, ProductForm

ENUMERABLE = 12
"""More inputs than this have too many subsets to try them all."""
_CHUNK = 8192


@dataclass(frozen=True, eq=False)
class ShapleyValues(Finding):
    """What each input adds to each prediction, against the mean prediction over a background.

    Parameters
    ----------
    inputs, outputs : tuple of str
        Names.
    values : array, shape (rows, m, d)
        In units of the output; they add to the prediction minus ``base``.
    standard_errors : array, shape (rows, m, d)
        Of ``values`` if the background rows are a sample of what could have been there; NaN for a single one.
    base : array, shape (m,)
        Mean prediction over the background.
    background : int
        How many rows it has.
    words : str
        How they were obtained.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Float[np.ndarray, "rows m d"]
    standard_errors: Float[np.ndarray, "rows m d"]
    base: Float[np.ndarray, " m"]
    background: int
    words: str

    def to_frame(self) -> pd.DataFrame:
        """One row for each row, output and input."""
        import pandas as pd

        rows, m, d = self.values.shape
        return pd.DataFrame(
            {
                "row": np.repeat(np.arange(rows), m * d),
                "output": np.tile(np.repeat(np.array(self.outputs, dtype=object), d), rows),
                "input": np.tile(np.array(self.inputs, dtype=object), rows * m),
                "value": self.values.ravel(),
                "standard error": self.standard_errors.ravel(),
            }
        )

    def pictures(self) -> Sequence[Picture]:
        """For each output the mean absolute value of every input."""
        drawn = []
        for k, output in enumerate(self.outputs):
            size = np.abs(self.values[:, k]).mean(axis=0)
            order = np.argsort(-size)
            nothing: list[float | None] = [None] * len(order)
            labels = [self.inputs[i] for i in order]
            drawn.append(
                Bars(labels, [float(size[i]) for i in order], nothing, nothing, output, "mean absolute Shapley value")
            )
        return drawn


def shapley_values(
    model: Any,
    X: Float[np.ndarray, "rows d"],
    *,
    background: Float[np.ndarray, "b d"] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> ShapleyValues:
    """Exact Shapley values of a model's predictions.

    Parameters
    ----------
    model : fitted scikit-learn regressor, Model or JAX-traceable function
        Linear regressors, Gaussian processes, `KernelRidge` and `SVR` with product kernels (RBF, Laplacian, linear),
        after column-wise scalers or not, take a time that grows with d²; any other model of at most 12 inputs has
        all subsets of its inputs enumerated.
    X : array or data frame, shape (rows, d)
        The rows to explain.
    background : array or data frame, shape (b, d), optional
        Rows that stand for an input that is not told; ``X`` itself where not given.
    inputs, outputs : sequence of str, optional
        Names.

    Returns
    -------
    ShapleyValues

    Raises
    ------
    ModelError
        If the model is no product form and has more than 12 inputs.
    ShapeError
        If a table is not finite, or the two have different columns.

    Examples
    --------
    >>> found = shapley_values(lambda x: x[0] * x[1], np.array([[1.0, 2.0]]), background=np.zeros((1, 2)))
    >>> found.values
    array([[[1., 1.]]])
    """
    refuse_text(X)
    names = tuple(str(c) for c in X.columns) if hasattr(X, "columns") else None
    rows = _table(_by_name(model, X, X, "argument X"), "argument X", None)
    others = rows
    if background is not None:
        where = "argument background"
        others = _table(_by_name(model, background, X, where), where, rows.shape[1])
    form, reason = _form_of(model)
    if form is not None:
        values, errors, base = _by_products(form, rows, others)
        words = f"Exact in closed form, from the model's products, against {len(others)} background rows."
    else:
        function = model if callable(model) else from_sklearn(model, rows)
        if rows.shape[1] > ENUMERABLE:
            raise reason or ModelError(
                f"at most {ENUMERABLE} inputs where every subset has to be tried",
                got=f"{rows.shape[1]}",
                remedy="use a model with product kernels, or hold inputs fixed",
            )
        values, errors, base = _by_enumeration(function, rows, others)
        words = f"Exact, every one of {2 ** rows.shape[1]} subsets tried, against {len(others)} background rows."
    own = (model.inputs, model.outputs) if isinstance(model, Model) else (names, None)
    names = tuple(inputs or own[0] or _numbered("x", rows))
    labels = tuple(outputs or own[1] or _numbered("y", values[:, :, 0]))
    for given, size, what in ((names, values.shape[2], "inputs"), (labels, values.shape[1], "outputs")):
        if len(given) != size:
            raise ShapeError(f"{size} names", got=f"{len(given)}", remedy="give one for each", where=f"argument {what}")
    return ShapleyValues(names, labels, values, errors, base, len(others), words)


def _numbered(letter: str, table: np.ndarray) -> tuple[str, ...]:
    return (letter,) if table.shape[1] == 1 else tuple(f"{letter}{i}" for i in range(table.shape[1]))


def _by_name(model: Any, table: Any, X: Any, where: str) -> Any:
    """A table with its columns as the model takes them, or else as they stand in X."""
    if hasattr(table, "columns") and hasattr(X, "columns") and list(table.columns) != list(X.columns):
        missing = [str(name) for name in X.columns if name not in table.columns]
        if missing:
            got = f"none for {', '.join(missing[:8])}"
            raise ShapeError("a column for each of X's", got=got, remedy="add or rename it", where=where)
        table = table[list(X.columns)]
    if not isinstance(model, Model) and not hasattr(model, "fit"):
        return table
    try:
        return checked_table(model, table) if isinstance(model, Model) else checked_rows(model, table)
    except ShapeError as error:
        raise ShapeError(error.expected, got=error.got, remedy=error.remedy, where=where) from error


def _table(X: Any, where: str, columns: int | None) -> Float[np.ndarray, "rows d"]:
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError("a table of numbers", got=type(X).__name__, remedy="encode it", where=where) from error
    if rows.ndim != 2 or not rows.size or (columns is not None and rows.shape[1] != columns):
        wanted = "a table of one row or more" if columns is None else f"a table of {columns} columns, as in X"
        raise ShapeError(wanted, got=f"shape {rows.shape}", remedy="reshape it", where=where)
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ShapeError(
            "finite numbers", got=f"{rows[row, column]} in row {row}, column {column}", remedy="clean it", where=where
        )
    return rows


def _form_of(model: Any) -> tuple[ProductForm | None, ModelError | None]:
    if callable(model) or isinstance(model, Model):
        return None, None
    from landform.backends.sklearn.product_form import product_form

    try:
        return product_form(model), None
    except ModelError as error:
        return None, error


Values = tuple[Float[np.ndarray, "rows m d"], Float[np.ndarray, "rows m d"], Float[np.ndarray, " m"]]


def _by_products(form: ProductForm, X: np.ndarray, background: np.ndarray) -> Values:
    """Closed form: sums over kernels and the linear part, with the spread over the background."""
    Z, B = form.transformed(X), form.transformed(background)
    b = len(B)
    base = form.shift + (B @ form.slopes.T).mean(axis=0)
    factors = [np.exp(-s.decay * np.abs(B[:, None] - s.centers) ** s.power) for s in form.sums]
    for s, q in zip(form.sums, factors, strict=True):
        base = base + (np.prod(q, axis=2) @ s.weights).mean(axis=0)
    apart = [np.ascontiguousarray(np.moveaxis(q, 2, 0)) for q in factors]
    values, errors = np.empty((2, len(Z), len(form.shift), Z.shape[1]))
    for k, z in enumerate(Z):
        each = (z - B)[:, None] * form.slopes
        for s, q in zip(form.sums, apart, strict=True):
            each = each + _games(s, z, q)
        values[k] = each.mean(axis=0)
        errors[k] = each.std(axis=0, ddof=1) / np.sqrt(b) if b > 1 else np.nan
    return values, errors, base


def _games(kernel: KernelSum, z: np.ndarray, q: Float[np.ndarray, "d b r"]) -> Float[np.ndarray, "b m d"]:
    """Shapley values of one row against every background row."""
    d, b, r = q.shape
    p = np.exp(-kernel.decay[:, None] * np.abs(z[:, None] - kernel.centers.T) ** kernel.power)
    nodes, weights = special.roots_legendre((d + 1) // 2)
    nodes, weights = (nodes + 1) / 2, weights / 2
    found = np.empty((b, kernel.weights.shape[1], d))
    step = max(1, _CHUNK // r)
    for start in range(0, b, step):
        near = q[:, start : start + step]
        gap = p[:, None] - near
        parts = np.zeros_like(gap)
        for t, w in zip(nodes, weights, strict=True):
            mixed = near + t * gap
            # Kernels are positive; one that vanished in rounding stands for something too small to count.
            np.maximum(mixed, 1e-200, out=mixed)
            whole = w * np.prod(mixed, axis=0)
            np.divide(whole, mixed, out=mixed)
            parts += mixed
        parts *= gap
        found[start : start + step] = np.moveaxis(parts @ kernel.weights, 0, -1)
    return found


def _by_enumeration(function: Callable[..., Any] | Model, X: np.ndarray, background: np.ndarray) -> Values:
    """Every subset at every row against every background row."""
    from landform.derivatives import prepare

    prepared = prepare(function, X[0])
    d, b = X.shape[1], len(background)
    masks = (np.arange(2**d)[:, None] >> np.arange(d)) & 1 == 1
    size = masks.sum(axis=1)
    inside = np.array([1.0 / (d * comb(d - 1, s - 1)) if s else 0.0 for s in size])
    outside = np.array([1.0 / (d * comb(d - 1, s)) if s < d else 0.0 for s in size])
    shares = np.where(masks, inside[:, None], -outside[:, None])
    base = prepared.values(background).mean(axis=0)
    values, errors = np.empty((2, len(X), len(base), d))
    for k, x in enumerate(X):
        each = np.zeros((b, len(base), d))
        for start in range(0, 2**d, max(1, _CHUNK // b)):
            block = slice(start, start + max(1, _CHUNK // b))
            points = np.where(masks[block, None], x, background[None])
            worth = prepared.values(points.reshape(-1, d)).reshape(*points.shape[:2], -1)
            each += np.einsum("sbm,sd->bmd", worth, shares[block])
        values[k] = each.mean(axis=0)
        errors[k] = each.std(axis=0, ddof=1) / np.sqrt(b) if b > 1 else np.nan
    return values, errors, base
