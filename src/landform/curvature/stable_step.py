"""How large a learning rate is before a step of training amplifies what it should damp.

References
----------
Cohen, Kaur, Li, Kolter and Talwalkar (2021), "Gradient descent on neural networks typically occurs at the edge of
stability", ICLR (gradient descent 2/λ, momentum (2 + 2β)/λ); Cohen et al. (2022), "Adaptive gradient methods at the
edge of stability" (Adam: (2 + 2β₁)/((1 − β₁) λ) with λ of the preconditioned Hessian).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from landform.curvature.at_point import DENSE, LossAt, Vector
from landform.errors import ShapeError
from landform.findings import Estimate, Finding, minus
from landform.linalg import ExtremePairs, extreme_pairs

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["gd", "momentum", "adam"]
_SHORT = 0.05
"""Products go on until the largest curvature is known to so much of itself, with a chance of 99.9 %."""
_SAID = {"gd": "gradient descent", "momentum": "momentum", "adam": "Adam"}


@dataclass(frozen=True, eq=False)
class StableStep(Finding):
    """The largest stable learning rate.

    Parameters
    ----------
    method : {"gd", "momentum", "adam"}
        Of training.
    step : Estimate
        The learning rate above which the stiffest direction is amplified; infinite where none bends up.
    sharpness : float
        Largest curvature (of the preconditioned Hessian for Adam).
    learning_rate : float or None
        The one in use.
    converged : bool
        Whether the curvature is known as well as was asked.
    """

    method: Method
    step: Estimate
    sharpness: float
    learning_rate: float | None
    converged: bool

    @property
    def edge(self) -> float | None:
        """The learning rate in use as a part of the stable one: above 1, training is beyond the edge of stability."""
        return None if self.learning_rate is None else self.learning_rate / self.step.value

    def sentences(self) -> list[str]:
        """The step, where training sits, and what this rests on."""
        if not np.isfinite(self.step.value):
            return ["No direction bends up here: no step is unstable, and none leads to a minimum nearby."]
        words = [minus(f"Steps of {_SAID[self.method]} up to {self.step} are stable.")]
        if self.edge is not None:
            side = "beyond the edge of stability" if self.edge > 1 else "within the stable range"
            words.append(f"A learning rate of {self.learning_rate:.3g} is {self.edge:.0%} of that: {side}.")
        words.append("This holds for full-batch steps near this point, as the quadratic model has it.")
        if self.method == "adam":
            words.append("Adam's second moments are taken as they stand.")
        return words if self.converged else [*words, "The curvature has not converged: allow more products."]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        import pandas as pd

        more = {"sharpness": self.sharpness, "learning_rate": self.learning_rate, "edge": self.edge}
        return pd.DataFrame([{"method": self.method, **self.step.to_dict(), **more}])


def stable_step(
    at: LossAt,
    *,
    method: Method,
    momentum: float,
    second_moment: Any,
    epsilon: float,
    learning_rate: float | None,
    tolerance: float,
    most: int | None,
    seed: int,
) -> StableStep:
    """What `LossLandscape.stable_step` gives."""
    if method not in _SAID:
        raise ShapeError('"gd", "momentum" or "adam"', got=repr(method), remedy="choose one", where="argument method")
    if not 0 <= momentum < 1:
        raise ShapeError("a number from 0 to 1", got=momentum, remedy="0.9 is usual", where="argument momentum")
    if learning_rate is not None and not learning_rate > 0:
        raise ShapeError(
            "a positive learning rate", got=learning_rate, remedy="pass it", where="argument learning_rate"
        )
    scale = np.ones(at.n) if method != "adam" else 1 / np.sqrt(_denominator(at, second_moment, epsilon))
    value, radius, short, converged = _sharpness(at, scale, max(tolerance, 8 * at.rounding), most, seed)
    factor = {"gd": 2.0, "momentum": 2 + 2 * momentum, "adam": (2 + 2 * momentum) / (1 - momentum)}[method]
    negligible = 8 * np.sqrt(at.n) * at.rounding * radius
    if value <= negligible:
        return StableStep(method, Estimate(np.inf, how="no curvature upward"), value, learning_rate, converged)
    step = Estimate(factor / value, None, factor / (value + short), factor / value, how="largest eigenvalue")
    return StableStep(method, step, value, learning_rate, converged)


def _sharpness(
    at: LossAt, scale: Vector, tolerance: float, most: int | None, seed: int
) -> tuple[float, float, float, bool]:
    """Largest eigenvalue of S H S, the largest absolute one met, and by how much it may fall short."""
    if at.n <= DENSE:
        values = np.linalg.eigvalsh(scale[:, None] * at.dense() * scale)
        return float(values[-1]), float(np.abs(values).max()), 0.0, True

    def near(found: ExtremePairs) -> bool:
        return bool(found.residuals[0] <= tolerance * found.radius and found.missed <= _SHORT * found.radius)

    found = extreme_pairs(
        lambda v: scale * at.product(scale * v), at.n, count=1, tolerance=0.0, most=most, copies=False, stop=near,
        seed=seed,
    )  # fmt: skip
    # A Ritz value never exceeds the largest eigenvalue; by how much it may fall short is bounded by chance.
    short = float(max(found.missed, found.residuals[0]))
    return float(found.eigenvalues[0]), found.radius, short, near(found)


def _denominator(at: LossAt, second_moment: Any, epsilon: float) -> Vector:
    """Adam's √v + ε, from the optimizer or from the gradients of the batches."""
    if second_moment is not None:
        moment = at.labelled(second_moment, "argument second_moment")
        if np.any(moment < 0):
            raise ShapeError("second moments, none negative", got=moment.min(), remedy="pass Adam's bias-corrected v")
    else:
        gradients = at.batch_gradients()
        if not gradients:
            raise ShapeError(
                "Adam's second moments",
                got="one batch and none given",
                remedy="pass second_moment= (Adam's bias-corrected v), or data as a list of batches",
                where="argument second_moment",
            )
        moment = np.mean(np.square(gradients), axis=0)
    return np.asarray(np.sqrt(moment) + epsilon)
