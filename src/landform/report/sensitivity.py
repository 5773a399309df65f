"""A sensitivity in a terminal and as tables: drawn from the same dictionary as its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

Results = Mapping[str, Any]
Row = dict[str, Any]

_NUMBERS = ("value", "standard_error", "lower", "upper")
_SPREAD = ("median", "spread", "low", "high", "same_sign", "sure_rows")
EFFECTS = (
    "output", "input", "direction", "words", *_NUMBERS, *(f"standardized_{n}" for n in _NUMBERS),
    *(f"elasticity_{n}" for n in _NUMBERS), *_SPREAD, "how",
)  # fmt: skip
INTERACTIONS = (
    *("output", "first", "second", "curve", "standard_error", "lower", "upper", "strength", "strength_lower"),
    *("strength_upper", "against_main", "against_main_lower", "against_main_upper", "same_sign", "sure_rows", "words"),
)
ROWS = ("row", "output", "input", "level", "slope", "standard_error", "cautions")


def effect_rows(results: Results) -> Iterator[Row]:
    """One row per output and change of the inputs."""
    for effect in results["effects"]:
        row: Row = {key: effect[key] for key in ("output", "input", "direction", "words", *_SPREAD)}
        for part, prefix in (("mean", ""), ("standardized", "standardized_"), ("elasticity", "elasticity_")):
            estimate = effect[part] or {}
            row |= {prefix + name: estimate.get(name) for name in _NUMBERS}
        yield row | {"how": effect["mean"]["how"]}


def interaction_rows(results: Results) -> Iterator[Row]:
    """One row per output and pair of inputs."""
    for pair in (results["interactions"] or {"pairs": []})["pairs"]:
        curve = pair["curve"]
        row = {**curve, "curve": curve["value"]} | {key: pair[key] for key in ("output", "first", "second", "words")}
        for name in ("strength", "against_main"):
            known = pair[name] or {}
            row |= {name: known.get("value"), **{f"{name}_{end}": known.get(end) for end in ("lower", "upper")}}
        row |= {key: pair[key] for key in ("same_sign", "sure_rows")}
        yield {key: row[key] for key in INTERACTIONS}


def slope_rows(results: Results) -> Iterator[Row]:
    """One row per row of the data, output and input."""
    rows = results["rows"]
    for output in rows["outputs"]:
        for k, name in enumerate(rows["inputs"]):
            for r, number in enumerate(rows["numbers"]):
                yield {
                    "row": number,
                    "output": output["name"],
                    "input": name,
                    "level": rows["levels"][k][r],
                    "slope": output["slopes"][k][r],
                    "standard_error": None if output["errors"] is None else output["errors"][k][r],
                    "cautions": output["cautions"][r],
                }


def summary_lines(results: Results) -> list[Text]:
    """The findings in words: the first line stands out."""
    first, *rest = results["summary"]["sentences"]
    return [Text(first, style="bold"), *(Text(words) for words in rest)]
