"""How noisy a function is, from a table of differences along one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from jaxtyping import Bool, Float

from landform.backends.model import Model
from landform.derivatives.numeric.black_box import BlackBox, NumericOptions, make_black_box
from landform.derivatives.numeric.evaluate import Failure
from landform.derivatives.numeric.lines import make_room
from landform.derivatives.numeric.steps import first_steps
from landform.derivatives.numeric.taylor import EPS
from landform.errors import ShapeError
from landform.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

TABLE = 8
"""Values in a table; the authors recommend 7 or more."""
_START = 1e-6
_FACTOR = 100.0
_TRIES = 4


@dataclass(frozen=True)
class NoiseLevel(Finding):
    """The noise in every output of a function near a point. Made by `noise_level`.

    Parameters
    ----------
    level : array, shape (m,)
        Standard deviation, in the outputs' units; good to a factor of about 2. Rounding where none was seen.
    seen : array of bool, shape (m,)
        Whether the table showed it.
    spacing : array, shape (m,)
        The distance between evaluations that showed it, as a share of the inputs' scale.
    evaluations : int
        How often the function was called.
    outputs : tuple of str
        Names.
    """

    level: Float[np.ndarray, " m"]
    seen: Bool[np.ndarray, " m"]
    spacing: Float[np.ndarray, " m"]
    evaluations: int
    outputs: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per output."""
        import pandas as pd

        return pd.DataFrame({"output": self.outputs, "noise": self.level, "seen": self.seen, "spacing": self.spacing})


def difference_levels(y: Float[np.ndarray, "steps m"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """The noise in equally spaced values, and where it does not show, which way the spacing should go.

    The k-th differences of a smooth function fade as k grows, those of noise of variance s² have mean square
    ``s² (2k)! / (k!)²``. Noise is seen where three orders in a row tell the same s within a factor of 4 and the
    first of them changes sign.

    Parameters
    ----------
    y : array, shape (steps, m)
        At least 4 values of each output.

    Returns
    -------
    level : array, shape (m,)
        Standard deviation; NaN where the orders do not agree.
    wanted : array, shape (m,)
        0 where the level can be trusted, +1 for a wider spacing (half of the values are equal), −1 for a closer
        one (the orders do not agree, or the values differ by more than a tenth of the largest).

    Examples
    --------
    >>> noise = 1e-3 * np.random.default_rng(4).standard_normal((12, 1))
    >>> level, wanted = difference_levels(np.sin(np.linspace(1, 1.1, 12))[:, None] + noise)
    >>> level.round(4), wanted
    (array([0.001]), array([0.]))
    """
    count, m = y.shape
    size = np.max(np.abs(y), axis=0)
    difference = y / np.where(size > 0, size, 1.0)
    far = np.ptp(difference, axis=0) > 0.1
    near = np.sum(np.diff(difference, axis=0) == 0, axis=0) >= count / 2
    levels, turns = np.empty((count - 1, m)), np.empty((count - 1, m), dtype=bool)
    share = 1.0
    for k in range(1, count):
        difference = np.diff(difference, axis=0)
        share *= k / (2 * (2 * k - 1))
        levels[k - 1] = np.sqrt(share * np.mean(difference**2, axis=0))
        turns[k - 1] = (difference.min(axis=0) < 0) & (difference.max(axis=0) > 0)
    three = np.lib.stride_tricks.sliding_window_view(levels, 3, axis=0)
    agree = (three.max(axis=2) <= 4 * three.min(axis=2)) & turns[: len(three)]
    agreed = agree.any(axis=0)
    level = np.where(agreed, levels[np.argmax(agree, axis=0), np.arange(m)] * size, np.nan)
    return level, np.where(agreed & ~far & ~near, 0.0, np.where(near & ~far, 1.0, -1.0))


def noise_level(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    outputs: Sequence[str] | None = None,
    seed: int = 0,
    **options: Unpack[NumericOptions],
) -> NoiseLevel:
    """How noisy a function is near a point: rounding, an inner solver's tolerance, a simulator's randomness.

    Eight equally spaced values along a random direction make a table of differences; the spacing is widened or
    narrowed until the table shows the noise, at most four times.

    Parameters
    ----------
    function, x, args, outputs
        As for `landform.jacobian` with ``mode="numeric"``.
    seed : int
        Of the direction.
    **options
        ``bounds``, ``scale``, ``executor``, ``progress``, as there.

    Returns
    -------
    NoiseLevel

    Raises
    ------
    ShapeError
        If an option does not fit.
    DerivativeError
        If the function fails at the point.

    References
    ----------
    Moré and Wild (2011), "Estimating computational noise", SIAM J. Sci. Comput. 33.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = noise_level(lambda x: np.exp(x[0]) + 1e-4 * rng.standard_normal(), np.array([0.5]))
    >>> found.level.round(4), found.evaluations
    (array([0.0001]), 8)
    """
    useless = [name for name in ("noise", "budget", "sparsity", "method") if options.get(name) is not None]
    if useless:
        raise ShapeError("options that matter here", got=f"{useless[0]}=", remedy="leave it out")
    box = make_black_box(function, x, args=args, outputs=outputs, options=options)
    return measured_noise(box, seed=seed)


def measured_noise(box: BlackBox, *, seed: int = 0, most: float = np.inf) -> NoiseLevel:
    """The noise of a black box; see `noise_level`. No table is begun that might pass ``most`` evaluations in all."""
    direction = np.random.default_rng(seed).uniform(0.5, 1.0, box.x.size) * box.scale
    direction *= np.where(box.bounds[1] - box.x >= box.x - box.bounds[0], 1.0, -1.0) if box.bounded else 1.0
    level, shown, before = (np.full(box.value.size, np.nan) for _ in range(3))
    spacing = _START
    for _ in range(_TRIES):
        fresh, wanted = _table(box, direction, spacing)
        # Values that scatter around zero are far apart at any spacing: two spacings that agree saw noise too, and no
        # jump, if the very same point gives another value.
        twice = (fresh <= 4 * before) & (before <= 4 * fresh)
        if twice.any():
            twice &= box.evaluator.at_point(box.x) != box.value
        new = np.isnan(level) & ((wanted == 0) | twice)
        level[new], shown[new] = fresh[new], spacing
        before, unseen = fresh, np.isnan(level)
        if not unseen.any() or box.evaluator.count + TABLE > most:
            break
        spacing *= _FACTOR ** float(np.sign(wanted[unseen].sum()) or -1.0)
    seen = ~np.isnan(level)
    rounding = np.maximum(EPS * np.abs(box.value), np.finfo(float).tiny)
    return NoiseLevel(np.where(seen, level, rounding), seen, shown, box.evaluator.count, box.outputs)


def _table(
    box: BlackBox, direction: Float[np.ndarray, " n"], spacing: float
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """`difference_levels` of values at one spacing; an evaluation that fails asks for a closer one."""
    steps = first_steps(TABLE - 1, make_room(box.x, direction, *box.bounds), spacing * (TABLE - 1) / 2)
    points = [np.clip(box.x + t * direction, *box.bounds) for t in steps]
    found = box.evaluator.many(points, [f"all inputs moved by {t:.3g} of their scale" for t in steps])
    good = [value for value in found if not isinstance(value, Failure)]
    if len(good) < len(found):
        return np.full(box.value.size, np.nan), np.full(box.value.size, -1.0)
    return difference_levels(np.array([*good, box.value])[np.argsort([*steps, 0.0])])
