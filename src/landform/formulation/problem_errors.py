"""Faults of a problem description, said in landform's three parts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from landform.errors import ProblemError

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")
_TABLES = {"ingredients", "factors", "properties"}


@dataclass(frozen=True)
class Fault:
    """One fault: the key path, what was expected, what came, what to do."""

    key: str
    expected: str
    got: str
    remedy: str


def key_path(*parts: str | int) -> str:
    """A key path as it would be written in TOML.

    Examples
    --------
    >>> key_path("ingredients", "extender A", "lower")
    'ingredients."extender A".lower'
    >>> key_path("constraints", 0, "terms")
    'constraints[1].terms'
    """
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part + 1}]"
        else:
            path += ("." if path else "") + (part if _BARE.match(part) else f'"{part}"')
    return path


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like the given one, or None where none is like it.

    Examples
    --------
    >>> nearest("goals", ["goal", "limits"]), nearest("tio2", ["TiO2"]), nearest("x", ["goal"])
    ('goal', 'TiO2', None)
    """
    folded = {candidate.casefold(): candidate for candidate in reversed(list(known))}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def suggestion(name: str, known: Sequence[str]) -> str:
    """What to write instead of a name that is not known."""
    near = nearest(name, known)
    if near is not None:
        return f"write {near!r}, if that was meant"
    return "choose one of " + ", ".join(repr(k) for k in known) if known else "leave it out"


def refusal(found: Sequence[Fault], *, source: str) -> ProblemError:
    """The first fault as an error, with the number of those that follow."""
    first, more = found[0], len(found) - 1
    others = "" if not more else f" ({more} more fault{'s' if more > 1 else ''} in this file)"
    where = f"{source}, key {first.key}" if first.key else source
    return ProblemError(first.expected, got=first.got, remedy=first.remedy + others, where=where)


def translate(error: ValidationError, *, known: Mapping[str, tuple[str, ...]]) -> list[Fault]:
    """Pydantic's complaints as faults, one per key.

    Parameters
    ----------
    error : ValidationError
        What pydantic raised.
    known : mapping
        The keys of each section; the top level is "".
    """
    found: dict[str, Fault] = {}
    for item in error.errors(include_url=False):
        inner = (item.get("ctx") or {}).get("error")
        for fault in getattr(inner, "faults", None) or [_translated(item, known)]:
            found.setdefault(f"{fault.key} {fault.expected}", fault)
    return list(found.values())


def _translated(item: Any, known: Mapping[str, tuple[str, ...]]) -> Fault:
    kind, value = item["type"], item["input"]
    location = tuple(item["loc"])
    if location[:2] == ("trials", "sheet"):
        location, kind = location[:2], "sheet"
    key = key_path(*location)
    if kind == "extra_forbidden":
        return _unknown(location, key, known)
    if kind == "literal_error":
        return _not_a_choice(item, key, value)
    expected, remedy = _EXPECTED.get(kind, (item["msg"].lower(), "correct the value"))
    if kind in _BOUNDS:
        expected = f"a number {_BOUNDS[kind]} {next(iter(item['ctx'].values()))}"
    return Fault(key, expected, "nothing" if kind == "missing" else _shown(value), remedy)


_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "of at least",
    "less_than": "below",
    "less_than_equal": "of at most",
}
_EXPECTED = {
    "float_type": ("a number", "write a number without quotes"),
    "finite_number": ("a finite number", "leave the key out where there is no bound"),
    "int_type": ("a whole number", "write a whole number without quotes"),
    "string_type": ("text", "put it in quotes"),
    "list_type": ("a list", "put it in square brackets; constraints stand under [[constraints]]"),
    "tuple_type": ("two limits", "write [lower, upper]; -inf or inf leave an end open"),
    "too_short": ("two limits", "write [lower, upper]; -inf or inf leave an end open"),
    "too_long": ("two limits", "write [lower, upper]; -inf or inf leave an end open"),
    "dict_type": ("a table", "write it as a section, e.g. [ingredients.water]"),
    "model_type": ("a table", "write it as a section, or as { key = value }"),
    "model_attributes_type": ("a table", "write it as a section, or as { key = value }"),
    "missing": ("a value", "add the key"),
    "sheet": ("a sheet's name or number", "write the name in quotes, or its number counting from 1"),
    **dict.fromkeys(_BOUNDS, ("", "correct the value")),
}


def _unknown(location: tuple[str | int, ...], key: str, known: Mapping[str, tuple[str, ...]]) -> Fault:
    section = str(location[0]) if len(location) > 1 else ""
    return Fault(key, "a known key", repr(location[-1]), suggestion(str(location[-1]), known.get(section, ())))


def _not_a_choice(item: Any, key: str, value: Any) -> Fault:
    choices = re.findall(r"'([^']*)'", item["ctx"]["expected"])
    near = nearest(value, choices) if isinstance(value, str) else None
    remedy = f"write {near!r}, if that was meant" if near else "choose one of these"
    return Fault(key, "one of " + ", ".join(repr(choice) for choice in choices), _shown(value), remedy)


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
