"""One number with its doubt, its unit and its origin."""

from __future__ import annotations

import math
from dataclasses import dataclass


def minus(number: str) -> str:
    """A formatted number with a true minus sign, as it stands in sentences."""
    return number.replace("-", "−")


def to_the_digit(value: float, doubt: float) -> str:
    """A number with as many digits as its doubt leaves: to the doubt's second.

    Examples
    --------
    >>> to_the_digit(20.6741, 0.93), to_the_digit(-1234.5, 47.0), to_the_digit(1e9 + 20.67, 0.93)
    ('20.67', '−1234', '1000000020.67')
    """
    decimals = 1 - math.floor(math.log10(doubt)) if doubt > 0 else 3
    if not 0 <= decimals <= 12 or 0 < abs(value) < 1e-4:
        return minus(f"{value:.3g}") if decimals > 12 or 0 < abs(value) < 1e-4 else minus(f"{value:.0f}")
    return minus(f"{value:.{decimals}f}")


@dataclass(frozen=True)
class Estimate:
    """A number, how surely it is known, in what unit, and how it was obtained.

    Parameters
    ----------
    value : float
        The number, in ``unit``.
    standard_error : float or None
        In ``unit``; None where none can be had.
    lower, upper : float or None
        The interval at the level of the finding it stands in.
    unit : str
        Unit of ``value``; empty where it has none.
    how : str
        Key of the sentence that says how it was obtained.

    Examples
    --------
    >>> str(Estimate(7.0667, 0.8418, 5.162, 8.971, unit="N", how="mean"))
    '7.1 ± 1.9 N'
    """

    value: float
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    how: str = ""

    @property
    def sure(self) -> bool:
        """Whether the interval excludes zero."""
        return self.lower is not None and self.upper is not None and (self.lower > 0 or self.upper < 0)

    @property
    def half_width(self) -> float | None:
        """Half the interval's width."""
        if self.lower is None or self.upper is None:
            return None
        return (self.upper - self.lower) / 2

    def __str__(self) -> str:
        if not self.half_width:
            return f"{minus(f'{self.value:.3g}')} {self.unit}".rstrip()
        return f"{to_the_digit(self.value, self.half_width)} ± {minus(f'{self.half_width:.2g}')} {self.unit}".rstrip()

    def to_dict(self) -> dict[str, float | str | None]:
        """The estimate as plain data, as it stands in ``results.json``."""
        return {
            "value": self.value,
            "standard_error": self.standard_error,
            "lower": self.lower,
            "upper": self.upper,
            "unit": self.unit,
            "how": self.how,
        }
