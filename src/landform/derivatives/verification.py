"""What a check of derivatives found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from landform.derivatives.remainders import Fall, Rays
from landform.errors import DerivativeError
from landform.findings import Finding
from landform.findings.pictures import Scatter

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verification(Finding):
    """What a Taylor test found. Made by `landform.verify`.

    Parameters
    ----------
    correct : bool
        The verdict.
    words : str
        The verdict in words: "right", or the first thing that is wrong.
    first, second : Fall
        With what power of the step the remainders fall with the Jacobian taken off (2 where it is right) and with
        the Hessian taken off too (3), and between which steps that was fitted; of all outputs the worst. NaN where
        a remainder vanishes in the noise (a quadratic has none), which is right as well, or where no Hessian is known.
    noise : array, shape (m,)
        The noise floor: standard deviation of the noise in every output, in its units.
    dot_product_gap : float
        Largest |u·(Jv) − v·(J'u)| relative to their size; NaN where a product is not to be had.
    symmetry_gap : float
        Largest |u·(Hv) − v·(Hu)| relative to their size; NaN where a product is not to be had.
    repeatable : bool
        Whether the function gave the same value whenever it was called at the point.
    evaluations : int
        How often it was called.
    outputs : tuple of str
        Names.
    rays : list of Rays
        What was seen along each direction.
    """

    correct: bool
    words: str
    first: Fall
    second: Fall
    noise: Float[np.ndarray, " m"]
    dot_product_gap: float
    symmetry_gap: float
    repeatable: bool
    evaluations: int
    outputs: tuple[str, ...]
    rays: list[Rays]

    @property
    def order_first(self) -> float:
        """Order of convergence with the Jacobian taken off."""
        return self.first.order

    @property
    def order_second(self) -> float:
        """Order of convergence with the Hessian taken off too."""
        return self.second.order

    def __str__(self) -> str:
        parts = [self.words]
        for what, fall in (("slopes", self.first), ("curves", self.second)):
            if np.isfinite(fall.order):
                parts.append(f"without {what} step^{fall.order:.2f} from {fall.low:.1e} to {fall.high:.1e}")
        return "; ".join([*parts, f"noise floor {np.max(self.noise):.1e}", f"{self.evaluations} evaluations"])

    def to_frame(self) -> pd.DataFrame:
        """Steps (negative behind the point) and remainders of every output along every direction."""
        import pandas as pd

        parts = []
        for number, ray in enumerate(self.rays):
            second = ray.without_curve
            for side, sign in enumerate((1.0, -1.0)):
                for i, name in enumerate(self.outputs):
                    curve = np.nan if second is None else second[side, :, i]
                    parts.append(
                        pd.DataFrame(
                            {
                                "direction": number,
                                "output": name,
                                "step": sign * ray.steps,
                                "without slopes": ray.without_slope[side, :, i],
                                "without curves": curve,
                            }
                        )
                    )
        return pd.concat(parts, ignore_index=True)

    def pictures(self) -> list[Scatter]:
        """Remainders against steps, both as powers of ten: straight lines of slope 2 and 3 down to the noise."""
        frame, drawn = self.to_frame(), []
        for column, order in (("without slopes", 2), ("without curves", 3)):
            seen = frame[frame[column] > 0]
            if len(seen):
                x, y = np.log10(seen["step"].abs()).tolist(), np.log10(seen[column]).tolist()
                nothing: list[float | None] = [None] * len(x)
                title = f"Remainder {column}: slope {order} where they are right"
                drawn.append(Scatter(x, y, nothing, nothing, title, "log10 step", "log10 remainder", diagonal=False))
        return drawn

    def require(self) -> Verification:
        """The verification itself, if the derivative is right.

        Raises
        ------
        DerivativeError
            If it is not.
        """
        if not self.correct:
            raise DerivativeError(
                "derivatives that agree with the function",
                got=self.words,
                remedy="correct the rule or the function, or choose a point where it is smooth",
            )
        return self
