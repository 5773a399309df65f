"""Decimal slips: values ten or a hundred times what their surroundings, or their column's other settings, suggest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from landform.formulation.surroundings import Surroundings
from landform.formulation.suspicion import Records, Suspicion

_POWERS = (1, 2)
_NEAR = 0.3  # of a power of ten
_STRANGE, _ORDINARY = 5.0, 2.5  # standardized residuals
_CANDIDATES = 6
_MOST = 10  # found in one column before the column itself is beyond such a rule


def property_slips(records: Records, j: int, logs: Surroundings) -> Iterator[Suspicion]:
    """Slips among a property's values.

    Parameters
    ----------
    records : Records
    j : int
        The property.
    logs : Surroundings
        Decimal logarithms of its positive values.
    """
    for _ in range(_MOST):
        found = _worst_slip(logs)
        if found is None:
            return
        k, power, expected = found
        i = int(logs.places[k])
        value = records.Y[i, j]
        words = (
            f"{value:.6g} is about {'ten' if abs(power) == 1 else 'a hundred'} times "
            f"{'more' if power > 0 else 'less'} than the other trials suggest (about {expected:.3g}); "
            f"{value / 10.0**power:.6g} would fit."
        )
        yield records.suspect(i, records.properties[j], value, "decimal slip", words)
        logs = logs.without(k)


def _worst_slip(logs: Surroundings) -> tuple[int, int, float] | None:
    """The value most surely slipped: its place, by which power of ten, and what was expected."""
    if logs.values.size - len(logs.gone) < 6:
        return None
    nearest = np.clip(np.rint(logs.residuals), -_POWERS[-1], _POWERS[-1])
    close = (nearest != 0) & (np.abs(logs.residuals - nearest) < _NEAR)
    order = sorted(np.flatnonzero(close), key=lambda k: -abs(logs.standardized[k]))
    for k in map(int, order[:_CANDIDATES]):
        size = logs.size(k)
        before, after = logs.residuals[k] / size, (logs.residuals[k] - nearest[k]) / size
        if abs(before) > _STRANGE and abs(after) < _ORDINARY:
            return k, int(nearest[k]), float(10 ** (logs.values[k] - logs.residuals[k]))
    return None


def input_slips(records: Records) -> Iterator[Suspicion]:
    """Slips among amounts and settings: alone outside the column's other values, and back on one by a power of ten."""
    for name, x in zip(records.inputs, records.X.T, strict=True):
        for i in np.flatnonzero(x > 0):
            level = _slipped_from(x, int(i))
            if level is not None:
                words = f"{x[i]:.6g} stands alone; with the decimal point moved it is {level:.6g}, as in other trials."
                yield records.suspect(int(i), name, x[i], "decimal slip", words)


def _slipped_from(x: Float[np.ndarray, " n"], i: int) -> float | None:
    """The repeated setting that x[i] is a power of ten away from, where x[i] is far outside all others."""
    others = np.delete(x, i)
    others = others[others > 0]
    if others.size < 4 or others.min() / 2 < x[i] < others.max() * 2:
        return None
    for power in (-1, 1, -2, 2):
        moved = x[i] * 10.0**power
        if np.sum(np.abs(others - moved) <= 1e-6 * moved) >= 2:
            return float(moved)
    return None
