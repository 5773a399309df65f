"""One number with its doubt, its unit and its origin."""

from __future__ import annotations

from dataclasses import dataclass


def minus(number: str) -> str:
    """A formatted number with a true minus sign, as it stands in sentences."""
    return number.replace("-", "−")


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
    '7.07 ± 1.9 N'
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
        doubt = "" if self.half_width is None else f" ± {self.half_width:.2g}"
        return f"{minus(f'{self.value:.3g}')}{doubt} {self.unit}".rstrip()

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
