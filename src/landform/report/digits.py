"""As many digits as are known: numbers for people, as the page writes them too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EM DASH}"


def decimals_for(size: float, digits: int = 2) -> int:
    """Decimals that keep so many significant figures of a size; negative where it rounds to tens.

    Examples
    --------
    >>> decimals_for(0.084), decimals_for(32.0), decimals_for(320.0)
    (3, 0, -1)
    """
    if size == 0 or not math.isfinite(size):
        return 2
    return min(10, digits - 1 - math.floor(math.log10(abs(size)) + 1e-9))


def fixed(value: float | None, decimals: int) -> str:
    """A number with a count of decimals, and a real minus sign.

    Examples
    --------
    >>> fixed(-9.347, 1), fixed(1234.0, -2), fixed(-0.001, 1), fixed(None, 2)
    ('−9.3', '1200', '0.0', '—')
    """
    if value is None:
        return NONE
    if abs(value) >= 1e7 or (0 < abs(value) < 1e-4 and decimals > 7):
        return f"{value:.2e}".replace("-", MINUS)
    text = f"{abs(round(value, decimals)):.{max(0, decimals)}f}"
    return MINUS + text if value < 0 and text.strip("0.") else text


def figures(value: float | None, digits: int = 3) -> str:
    """A number by itself, to so many significant figures.

    Examples
    --------
    >>> figures(0.65920337), figures(38.0), figures(12345.0)
    ('0.659', '38', '12300')
    """
    if value is None:
        return NONE
    if value == 0:
        return "0"
    text = fixed(value, decimals_for(value, digits))
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def with_interval(estimate: Mapping[str, Any]) -> str:
    """An estimate with half its interval, or all of it where that is lopsided; without the unit.

    Examples
    --------
    >>> with_interval({"value": -9.347, "lower": -11.42, "upper": -7.27})
    '−9.3 ± 2.1'
    """
    value, lower, upper = estimate["value"], estimate["lower"], estimate["upper"]
    if lower is None or upper is None:
        return figures(value)
    half = (upper - lower) / 2
    decimals = decimals_for(half)
    if abs(upper + lower - 2 * value) > 0.2 * half:
        return f"{fixed(value, decimals)} ({fixed(lower, decimals)} to {fixed(upper, decimals)})"
    return f"{fixed(value, decimals)} ± {fixed(half, decimals)}"


def percent(share: float | None, *, counted: bool = False) -> str:
    """A probability, never rounded to certainty; or a share that was counted, which may well be all.

    Examples
    --------
    >>> percent(0.423), percent(0.99982), percent(1.0, counted=True), percent(None)
    ('42 %', '> 99.9 %', '100 %', '—')
    """
    if share is None:
        return NONE
    if counted:
        return f"{fixed(100 * share, 0)} %"
    if share > 0.999:
        return "> 99.9 %"
    if share < 0.001:
        return "< 0.1 %"
    return f"{fixed(100 * share, 1 if share > 0.99 or share < 0.01 else 0)} %"


def limits(pair: Sequence[float | None], unit: str = "") -> str:
    """Limits in words; empty where there are none.

    Examples
    --------
    >>> limits([10.0, None], "N"), limits([2, 8.5]), limits([None, None])
    ('≥ 10 N', '2 to 8.5', '')
    """
    low, high = pair
    if low is None and high is None:
        return ""
    if low is None or high is None:
        text = f"≤ {figures(high, 4)}" if low is None else f"≥ {figures(low, 4)}"
    else:
        text = f"{figures(low, 4)} to {figures(high, 4)}"
    return f"{text} {unit}".rstrip()


def amount_decimals(inputs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Decimals for the amounts of every input: three figures of its range; all ingredients take those of the finest.

    Examples
    --------
    >>> amount_decimals([{"name": "time", "kind": "factor", "lower": 10, "upper": 60}])
    {'time': 1}
    """
    own = {
        item["name"]: max(0, decimals_for(item["upper"] - item["lower"] or item["upper"] or 1.0, 3)) for item in inputs
    }
    mixed = {item["name"] for item in inputs if item["kind"] == "ingredient"}
    finest = max((own[name] for name in mixed), default=0)
    return {name: finest if name in mixed else decimals for name, decimals in own.items()}


def rounded_amounts(
    inputs: Sequence[Mapping[str, Any]], amounts: Mapping[str, float], total: float | None
) -> dict[str, str]:
    """Amounts of a recipe, rounded so that the printed ingredients still add to the total.

    What rounding loses goes to the ingredients that lost most.
    """
    places = amount_decimals(inputs)
    shown = {name: fixed(amounts[name], decimals) for name, decimals in places.items()}
    mixed = [item["name"] for item in inputs if item["kind"] == "ingredient"]
    if total is None or not mixed:
        return shown
    scale = 10 ** places[mixed[0]]
    floors = {name: math.floor(amounts[name] * scale + 1e-6) for name in mixed}
    missing = round(total * scale) - sum(floors.values())
    if not 0 <= missing <= len(floors):
        return shown
    for name in sorted(floors, key=lambda name: floors[name] - amounts[name] * scale)[:missing]:
        floors[name] += 1
    return shown | {name: fixed(value / scale, places[name]) for name, value in floors.items()}
