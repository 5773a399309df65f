"""Which rows of the data made a prediction: what leaving every one out of the fit would change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from landform.curvature.at_point import LossAt, Vector
from landform.curvature.left_out import LeftOut, Refit
from landform.derivatives.jacobian import Jacobian
from landform.derivatives.target import make_target
from landform.errors import ShapeError
from landform.findings import Bars, Finding, Picture, minus

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 15
"""Bars in a picture."""


@dataclass(frozen=True, eq=False)
class Influence(Finding):
    """What leaving every row out of the fit would change.

    Parameters
    ----------
    rows : array of int, shape (r,)
        Numbers of the rows, from 0, over all batches.
    outputs : tuple of str
        What was asked about.
    change, doubt : array, shape (r, outputs)
        Each output after a fit without the row, less the output now; and how far off that may be: what the last step
        changed, or what a further one may in the worst direction, if steps go on shrinking as they did.
    loss, loss_without : array, shape (r,)
        The row's own loss now, and after a fit without it; where the loss takes means, with the penalty that it adds.
    loss_doubt : array, shape (r,)
        How far off the latter may be.
    settled : array of bool, shape (r,)
        Whether the fit without the row came as near as was asked, and the other rows determine every parameter.
    gradients : int
        Gradients over all data that it took.
    slack : float
        How far the parameters were from the minimum, relative to the median row's first step, in the norm of the
        Hessian. Changes are counted from the minimum.
    damping : float
        What was added to every curvature.
    """

    rows: Int[np.ndarray, " r"]
    outputs: tuple[str, ...]
    change: Float[np.ndarray, "r k"]
    doubt: Float[np.ndarray, "r k"]
    loss: Float[np.ndarray, " r"]
    loss_without: Float[np.ndarray, " r"]
    loss_doubt: Float[np.ndarray, " r"]
    settled: Bool[np.ndarray, " r"]
    gradients: int
    slack: float
    damping: float

    def sentences(self) -> list[str]:
        """The row that matters most for each output, the losses of rows left out, and what is in doubt."""
        words = []
        for name, change, doubt in zip(self.outputs, self.change.T, self.doubt.T, strict=True):
            top = int(np.argmax(np.abs(change)))
            words.append(
                minus(f"Without row {self.rows[top]}, {name} changes by {change[top]:.3g} ± {doubt[top]:.1g}.")
            )
        inside, outside = self.loss.mean(), self.loss_without.mean()
        words.append(f"A row's loss is {inside:.3g} in the fit and {outside:.3g} out of it, on average.")
        loose = np.flatnonzero(~self.settled)
        if len(loose):
            which = ", ".join(str(self.rows[k]) for k in loose[:5]) + (" and more" if len(loose) > 5 else "")
            words.append(
                f"Fits without {len(loose)} rows did not settle, or nothing else determines what these do; their "
                f"numbers are not reliable: {which}."
            )
        if self.slack > 0.1:
            words.append(
                f"The parameters are not at the minimum: it is {self.slack:.2g} times as far as a typical row moves "
                "them. Changes are counted from there."
            )
        if self.damping:
            words.append(f"Fits were held to these parameters by a damping of {self.damping:g}.")
        return words

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every row of the data, the one that moves the first output most on top."""
        import pandas as pd

        columns: dict[str, Any] = {"row": self.rows}
        for name, change, doubt in zip(self.outputs, self.change.T, self.doubt.T, strict=True):
            columns |= {f"change of {name}": change, f"doubt of {name}": doubt}
        columns |= {"loss": self.loss, "loss_without": self.loss_without, "settled": self.settled}
        first = self.change[:, 0] if self.outputs else self.loss_without - self.loss
        return pd.DataFrame(columns).iloc[np.argsort(-np.abs(first), kind="stable")].reset_index(drop=True)

    def pictures(self) -> list[Picture]:
        """For every output, the rows that move it most; without outputs, those whose own loss rises most."""
        if not self.outputs:
            rises = self.loss_without - self.loss
            return [self._bars(rises, self.loss_doubt, "Loss of a row left out, less its loss now", "loss")]
        parts = zip(self.outputs[:6], self.change.T, self.doubt.T, strict=False)
        return [self._bars(change, doubt, f"Change of {name} without a row", "change") for name, change, doubt in parts]

    def _bars(self, values: Float[np.ndarray, " r"], doubts: Float[np.ndarray, " r"], title: str, axis: str) -> Bars:
        order = np.argsort(-np.abs(values), kind="stable")[:_SHOWN]
        labels = [f"row {self.rows[k]}" for k in order]
        low, high = (values - doubts)[order].tolist(), (values + doubts)[order].tolist()
        return Bars(labels, values[order].tolist(), low, high, title=title, axis=axis)


def influence(
    at: LossAt, of: Callable[..., Any] | None, rows: Sequence[int] | None, *, tolerance: float, damping: float
) -> Influence:
    """What `LossLandscape.influence` gives."""
    if not np.isfinite(damping) or damping < 0 or not 0 < tolerance < 1:
        raise ShapeError(
            "a damping from 0 on, a tolerance between 0 and 1", got=f"{damping}, {tolerance}", remedy="0 and 0.02"
        )
    fits = LeftOut(at, damping, chosen=rows is not None)
    numbers = _numbers(rows, fits.count)
    names, outputs, jacobian = _outputs(at, of)
    whole = fits.minimum(1e-6)
    if not whole.settled:
        raise ShapeError(
            "parameters near a minimum",
            got="ones from which no minimum was reached",
            remedy="train on, or pass damping= to hold fits to these parameters",
            where="influence",
        )
    best = whole.step + whole.rest
    now, (scale, looked) = outputs(best), fits.typical(numbers.tolist())
    slopes = np.array([fits.length(row) for row in jacobian])
    change, doubt = np.empty((2, len(numbers), len(names)))
    loss, without, loss_doubt = np.empty((3, len(numbers)))
    settled, gradients = np.empty(len(numbers), bool), whole.gradients + looked
    for k, row in enumerate(numbers.tolist()):
        found = fits.without(row, tolerance, scale)
        end = found.step + found.rest
        change[k] = outputs(end) - now
        doubt[k] = np.maximum(np.abs(outputs(found.step) - now - change[k]), found.reach * slopes)
        loss[k], without[k], loss_doubt[k] = _own_loss(fits, row, best, found)
        settled[k], gradients = found.settled and not fits.hangs_on(row), gradients + found.gradients
    slack = whole.first / max(scale, float(np.finfo(float).tiny))
    return Influence(
        numbers, names, change, doubt, loss, without, loss_doubt, settled, gradients, slack, damping
    )  # fmt: skip


def _own_loss(fits: LeftOut, row: int, best: Vector, found: Refit) -> tuple[float, float, float]:
    """The loss of a row alone in the fit, out of it, and how far off the latter may be."""
    inside, _ = fits.own_loss(row, best)
    outside, slope = fits.own_loss(row, found.step + found.rest)
    near, _ = fits.own_loss(row, found.step)
    return inside, outside, max(abs(near - outside), found.reach * fits.length(slope))


def _outputs(
    at: LossAt, of: Callable[..., Any] | None
) -> tuple[tuple[str, ...], Callable[[Vector], np.ndarray], Float[np.ndarray, "k n"]]:
    """Names of what is asked about, its values a step away from the parameters, and its slopes at them."""
    if of is None:
        return (), lambda _: np.empty(0), np.empty((0, at.n))
    t = make_target(of, at.params)

    def outputs(step: Vector) -> np.ndarray:
        with t.precision():
            found = t.backend.value(t.flat, t.vector(at.x + step, at.n, "parameter"), *t.args)
            return np.asarray(t.backend.to_numpy(found), dtype=np.float64)

    slopes = Jacobian(t, memory=at.memory).dense()
    return t.outputs, outputs, np.asarray(t.backend.to_numpy(slopes), dtype=np.float64)


def _numbers(rows: Sequence[int] | None, count: int) -> Int[np.ndarray, " r"]:
    if rows is None:
        return np.arange(count)
    found = np.unique(np.asarray(rows)) if np.size(rows) else np.empty(0)
    if not len(found) or not np.issubdtype(found.dtype, np.integer) or found[0] < 0 or found[-1] >= count:
        raise ShapeError(
            f"numbers of rows from 0 to {count - 1}",
            got=repr(rows),
            remedy="count rows over all batches, from 0",
            where="argument rows",
        )
    return found
