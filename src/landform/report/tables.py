"""`tables/*.csv`: the findings as tidy tables, one row per number."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from landform.errors import OutputError
from landform.findings.writing import write_atomically
from landform.report import sensitivity

Results = Mapping[str, Any]
Row = dict[str, Any]

ESTIMATE = ("value", "standard_error", "lower", "upper", "unit", "how")


def tables(results: Results) -> dict[str, str]:
    """Every table as CSV text.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.

    Returns
    -------
    dict
        File name to text. A number that is not known is an empty cell; every table has its header, even if empty.
    """
    return {f"{name}.csv": _csv(columns, rows(results)) for name, (columns, rows) in _tables_of(results).items()}


def write_tables(results: Results, folder: Path) -> list[Path]:
    """Write every table into a folder, which is made where it is missing.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.
    folder : Path
        Where the files go.

    Returns
    -------
    list of Path
        The files, in the order written.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            "a folder to write tables into", got=error.strerror, remedy="choose another folder", where=str(folder)
        ) from error
    paths = []
    for name, text in tables(results).items():
        write_atomically(folder / name, text)
        paths.append(folder / name)
    return paths


def _csv(columns: tuple[str, ...], rows: Iterator[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """True and false in lower case, as JSON and most readers of tables have them."""
    return str(value).lower() if isinstance(value, bool) else value


def _estimate(estimate: Mapping[str, Any]) -> Row:
    return {key: estimate[key] for key in ESTIMATE}


def _effects(results: Results) -> Iterator[Row]:
    for effect in results["effects"]:
        yield {
            **{key: effect[key] for key in ("property", "input", "direction", "at", "step", "step_words")},
            **_estimate(effect["estimate"]),
            **{key: effect[key] for key in ("over_range", "sure", "words")},
            "possible_up": effect["possible"]["up"],
            "possible_down": effect["possible"]["down"],
        }


def _swaps(results: Results) -> Iterator[Row]:
    for swap in results["swaps"]:
        yield {
            **{key: swap[key] for key in ("property", "in", "out", "at", "step")},
            **_estimate(swap["estimate"]),
            **{key: swap[key] for key in ("sure", "possible", "why_not", "words")},
        }


def _recipes(results: Results) -> Iterator[Row]:
    inputs = {item["name"]: item for item in results["inputs"]}
    for recipe in results["recipes"]:
        same = {"rank": recipe["rank"], "kind": recipe["kind"]}
        wander = recipe["inputs_sd"] or {}
        for name, value in recipe["inputs"].items():
            item = inputs[name]
            yield {
                **same,
                "quantity": item["kind"],
                "name": name,
                "value": value,
                "standard_deviation": wander.get(name),
                **{key: item[key] for key in ("unit", "lower", "upper")},
            }
        for name, value in _of_the_whole(recipe).items():
            yield {**same, "quantity": "recipe", "name": name, "value": value}


def _of_the_whole(recipe: Mapping[str, Any]) -> Row:
    """The numbers that belong to a recipe, not to one of its inputs."""
    near, certificate = recipe["nearest_trial"] or {}, recipe["certificate"]
    return {
        "desirability": recipe["desirability"],
        "chance": recipe["chance"],
        "cost": recipe["cost"],
        "leverage": recipe["leverage"]["value"],
        "distance to the nearest trial": near.get("distance"),
        "constraint violation": certificate["violation"],
        "KKT residual": certificate["kkt_residual"],
    }


def _predictions(results: Results) -> Iterator[Row]:
    for recipe in results["recipes"]:
        for item in recipe["properties"]:
            yield {
                "rank": recipe["rank"],
                "property": item["property"],
                **_estimate(item["mean"]),
                "prediction_lower": item["prediction"]["lower"],
                "prediction_upper": item["prediction"]["upper"],
                "desirability": item["desirability"],
                "chance": item["chance"],
            }


_CANDIDATE = (
    "model", "model_words", "chosen", "parameters", "rmse", "rmse_standard_error", "r2", "coverage",
    "coverage_after", "widening", "interval_score", "words",
)  # fmt: skip


def _candidates(results: Results) -> Iterator[Row]:
    for surrogate in results["surrogates"]:
        for candidate in surrogate["candidates"]:
            yield {
                "property": surrogate["property"],
                **{key: candidate[key] for key in _CANDIDATE},
                "mean_rmse": surrogate["scores"]["mean_rmse"],
                "noise": surrogate["scores"]["noise"],
                "unit": surrogate["unit"],
            }


def _coefficients(results: Results) -> Iterator[Row]:
    for surrogate in results["surrogates"]:
        same = {"property": surrogate["property"], "model": surrogate["model"]}
        for coefficient in surrogate["coefficients"]:
            yield {**same, "term": coefficient["term"], **_estimate(coefficient["estimate"])}
        for item in surrogate["hyperparameters"]:
            yield {**same, "term": item["name"], "value": item["value"], "how": item["words"]}


def _trials(results: Results) -> Iterator[Row]:
    units = {item["name"]: item["unit"] for item in [*results["inputs"], *results["properties"]]}
    held_out = {
        (surrogate["property"], item["row"]): item
        for surrogate in results["surrogates"]
        for item in surrogate["held_out"]
    }
    for trial in results["table"]["rows"]:
        same = {key: trial[key] for key in ("row", "trial", "group", "block", "leverage", "closed")}
        for name, value in trial["inputs"].items():
            yield {**same, "quantity": "input", "name": name, "value": value, "unit": units[name]}
        for name, value in trial["properties"].items():
            guess = held_out.get((name, trial["row"]), {})
            yield {
                **same,
                "quantity": "property",
                "name": name,
                "value": value,
                "unit": units[name],
                **{f"held_out_{key}": guess.get(key) for key in ("predicted", "lower", "upper")},
            }


_TABLES: dict[str, tuple[tuple[str, ...], Callable[[Results], Iterator[Row]]]] = {
    "effects": (
        ("property", "input", "direction", "at", "step", "step_words", *ESTIMATE, "over_range", "sure",
         "possible_up", "possible_down", "words"),
        _effects,
    ),
    "swaps": (("property", "in", "out", "at", "step", *ESTIMATE, "sure", "possible", "why_not", "words"), _swaps),
    "recipes": (
        ("rank", "kind", "quantity", "name", "value", "standard_deviation", "unit", "lower", "upper"),
        _recipes,
    ),
    "predictions": (
        ("rank", "property", *ESTIMATE, "prediction_lower", "prediction_upper", "desirability", "chance"),
        _predictions,
    ),
    "candidates": (("property", *_CANDIDATE, "mean_rmse", "noise", "unit"), _candidates),
    "coefficients": (("property", "model", "term", *ESTIMATE), _coefficients),
    "trials": (
        ("row", "trial", "group", "block", "leverage", "closed", "quantity", "name", "value", "unit",
         "held_out_predicted", "held_out_lower", "held_out_upper"),
        _trials,
    ),
}  # fmt: skip

_SENSITIVITY: dict[str, tuple[tuple[str, ...], Callable[[Results], Iterator[Row]]]] = {
    "effects": (sensitivity.EFFECTS, sensitivity.effect_rows),
    "interactions": (sensitivity.INTERACTIONS, sensitivity.interaction_rows),
    "rows": (sensitivity.ROWS, sensitivity.slope_rows),
}


def _tables_of(results: Results) -> dict[str, tuple[tuple[str, ...], Callable[[Results], Iterator[Row]]]]:
    return _SENSITIVITY if results.get("kind") == "sensitivity" else _TABLES
