"""A model at many rows: closed forms where it has them, else one compiled program, in blocks of bounded memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends.closed import last_of
from landform.backends.frameworks import torch_of
from landform.errors import ShapeError

if TYPE_CHECKING:
    from landform.backends.model import Model

_MEMORY = 2**26
"""Bytes that the work on one block may take, besides its result."""

_MOST, _LEAST = 2048, 16
_QUICK = 256
"""Up to so many rows a program that compiles in half the time is faster in all."""


def derivatives(model: Model, X: Any, order: int) -> Float[np.ndarray, "rows m ..."]:
    """Values (order 0), slopes (1) or curves (2) at every row.

    Raises
    ------
    ShapeError
        If X is not a table of finite numbers with a column for every input; a data frame's are sought by name.
    """
    rows = checked_table(model, X)
    m, n = len(model.outputs), len(model.inputs)
    block = _block(model, n, m, order)
    other = None if model.closed is not None else torch_of(model.function, model.args)
    if model.closed is not None and 0 < len(rows) <= block:
        return _filled(last_of(model.closed, rows, order), (len(rows), m, *(n,) * order))
    result = np.empty((len(rows), m, *(n,) * order))
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        if other is not None:
            result[start : start + block] = other.at_rows(model.function, part, model.args, order, m)
        elif model.closed is not None:
            result[start : start + block] = _filled(last_of(model.closed, part, order), (len(part), m, *(n,) * order))
        else:
            result[start : start + block] = _compiled(model, part, order, block if len(rows) > block else 0)
    return result


def _filled(found: Any, shape: tuple[int, ...]) -> np.ndarray:
    """What a closed form leaves out because it is zero, or the same in every row."""
    if found is None:
        return np.zeros(shape)
    return found if found.shape == shape else np.array(np.broadcast_to(found, shape))


def _block(model: Model, n: int, m: int, order: int) -> int:
    """Rows at a time: what a row needs is about the model's own numbers and its result, a few times over."""
    spread = n if order and model.closed is None else 1
    return min(max(_MEMORY // (32 * (model.size * spread + m * n**order + 1)), _LEAST), _MOST)


def _compiled(model: Model, rows: np.ndarray, order: int, block: int) -> np.ndarray:
    from landform.backends import jax as backend

    size = block or max(_LEAST, 1 << (len(rows) - 1).bit_length())
    padded = np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])
    few = 2 * len(model.outputs) < len(model.inputs)
    programs = (backend.values, backend.slopes_by_output if few else backend.slopes_by_input, backend.curves)
    program = programs[order] if block or size > _QUICK else programs[order].quick
    with backend.double_precision(), backend.explained():
        return np.asarray(program(model.function, padded, *model.args))[: len(rows)]


def checked_table(model: Model, X: Any) -> Float[np.ndarray, "rows n"]:
    """The rows as numbers, in the order of the model's inputs.

    Raises
    ------
    ShapeError
        If they are not.
    """
    names = getattr(X, "columns", None)
    if names is not None:
        missing = [name for name in model.inputs if name not in list(map(str, names))]
        if missing:
            raise ShapeError(
                f"a column for each of {', '.join(model.inputs)}",
                got=f"none for {', '.join(missing)}",
                remedy="add or rename it",
                where="argument X",
            )
        order = {str(name): name for name in names}
        X = X[[order[name] for name in model.inputs]]
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError("rows of numbers", got=str(error), remedy="convert them", where="argument X") from error
    if rows.ndim != 2 or rows.shape[1] != len(model.inputs):
        raise ShapeError(
            f"rows of {len(model.inputs)} numbers, shape (rows, {len(model.inputs)})",
            got=f"shape {rows.shape}",
            remedy="for one row pass x[None, :]",
            where="argument X",
        )
    # One pass over the numbers: their squares add to something finite unless one of them is not, or is huge.
    if not math.isfinite(np.vdot(rows, rows)) and not np.all(np.isfinite(rows)):
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ShapeError(
            "finite numbers",
            got=f"{rows[row, column]} in row {row}, input {model.inputs[column]}",
            remedy="drop the row or fill the gap",
            where="argument X",
        )
    return rows
