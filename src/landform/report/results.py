"""`results.json`: the findings as they are, and nothing that JSON does not know."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from landform.errors import OutputError
from landform.findings.writing import write_atomically

_PLAIN = (str, bool, int, float, type(None))


def dumps(results: Mapping[str, Any], *, indent: int | None = 1) -> str:
    """The results as JSON text, keys in the order given.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.
    indent : int or None, optional
        Spaces per level; None for one line.

    Returns
    -------
    str
        Strict JSON: no NaN, no infinity, characters as they are.

    Raises
    ------
    OutputError
        If a value is not finite or not of a kind JSON knows. An unknown number must be None before it comes here;
        turning NaN into null silently would hide a fault.

    Examples
    --------
    >>> dumps({"recipes": [{"desirability": 0.66}]}, indent=None)
    '{"recipes":[{"desirability":0.66}]}'
    >>> dumps({"recipes": [{"desirability": float("nan")}]})
    Traceback (most recent call last):
    ...
    landform.errors.OutputError: recipes[0].desirability: expected a finite number or None in the results, got nan; ...
    """
    for place, value in _wrong(results):
        raise OutputError(
            "a finite number or None in the results" if isinstance(value, float) else "plain JSON in the results",
            got=repr(value),
            remedy="report this as a fault of landform: an unknown number must be written as null by whoever found it",
            where=place,
        )
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(results, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)


def write_results(results: Mapping[str, Any], path: Path) -> None:
    """Write `results.json`.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.
    path : Path
        The file; it is replaced whole or not at all.

    Raises
    ------
    OutputError
        If a value cannot be written as JSON, or the file cannot be written.
    """
    write_atomically(path, dumps(results) + "\n")


def _wrong(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Where a value is not finite, or not JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{place}[{key!r}]", key
            yield from _wrong(item, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _wrong(item, f"{place}[{index}]")
    elif not isinstance(value, _PLAIN) or (isinstance(value, float) and not math.isfinite(value)):
        yield place, value
