"""Forward differences, one evaluation per color: the least a sparse Jacobian can cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from landform.derivatives.coloring import ColoredPattern
from landform.derivatives.numeric.black_box import BlackBox
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.numeric.taylor import EPS
from landform.errors import DerivativeError


def forward_differences(
    box: BlackBox, pattern: ColoredPattern
) -> tuple[Float[np.ndarray, " entries"], Callable[[], Float[np.ndarray, " entries"]], Float[np.ndarray, " m"]]:
    """Entries of a sparse Jacobian, a function that measures their errors, and the noise they assume.

    The noise is taken as told, or as rounding. The errors cost one more evaluation per color: backward differences,
    whose distance from the forward ones is twice the truncation.

    References
    ----------
    Gill, Murray, Saunders and Wright (1983), "Computing forward-difference intervals for numerical optimization",
    SIAM J. Sci. Stat. Comput. 4.
    """
    noise = np.maximum(EPS * np.abs(box.value), 0.0 if box.noise is None else box.noise)
    told = 0.0 if box.noise is None else float(np.max(box.noise / np.maximum(np.abs(box.value), 1e-300)))
    size = np.sqrt(min(max(told, EPS), 1e-2)) * box.scale
    step = np.where(box.x + size <= box.bounds[1], size, -size) if box.bounded else size
    moved, values = _differences(box, pattern, step)

    def errors() -> Float[np.ndarray, " entries"]:
        inside = np.all((box.x - step >= box.bounds[0]) & (box.x - step <= box.bounds[1]))
        # Where the other side is outside the domain, twice the step shows the same truncation.
        other = _differences(box, pattern, -step if inside else np.clip(2 * step, *(b - box.x for b in box.bounds)))[1]
        rounding = 2 * noise[pattern.rows] / np.abs(moved[pattern.columns])
        return np.hypot(rounding, np.abs(other - values) * (0.5 if inside else 1.0))

    return values, errors, noise


def _differences(
    box: BlackBox, pattern: ColoredPattern, step: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " entries"]]:
    """The steps as they were really made, and the difference quotients."""
    there = box.x + step
    moved = there - box.x
    points = np.empty((pattern.colors, box.x.size))
    points[:] = box.x
    columns, places = pattern.moved
    np.put(points, places, there[columns])
    changes = box.evaluator.changes(points, box.value, "inputs of color {}".format)
    if isinstance(changes, Failure):
        raise DerivativeError(
            "evaluations that succeed one small step from the point",
            got=str(changes),
            remedy='state the domain with bounds=, or leave budget="least" out so that steps can be retried',
        )
    values = changes.ravel().take(pattern.source)
    values *= (1.0 / moved).take(pattern.taken_columns)
    return moved, values
