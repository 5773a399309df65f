"""`report.html`: one file that opens offline and draws itself from the findings it carries."""

from __future__ import annotations

import html
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from landform.findings.writing import write_atomically
from landform.report.results import dumps

# In this order: each may use what stands above it.
SCRIPTS = (
    "numbers.js",
    "elements.js",
    "figures.js",
    "bars.js",
    "answer.js",
    "effects.js",
    "swaps.js",
    "contours.js",
    "ternary.js",
    "slices.js",
    "traces.js",
    "models.js",
    "curvature.js",
    "data.js",
    "sensitivity.js",
    "page.js",
)

# "<" could end the element the findings stand in; the two separators end a line in old JavaScript.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(results: Mapping[str, Any]) -> str:
    """The report as the text of one HTML file.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.

    Returns
    -------
    str
        HTML that refers to nothing outside itself.
    """
    script = "\n".join(_part(name) for name in SCRIPTS)
    title = html.escape(f"{results['source']['file']} · landform {results.get('kind', 'study')}")
    text = _part("template.html")
    # The findings come last, so that nothing in them can be taken for a place to fill.
    for place, content in (
        ("%TITLE%", title),
        ("/*STYLE*/", _part("page.css")),
        ("/*SCRIPT*/", script),
        ("/*FINDINGS*/", embedded(results)),
    ):
        text = text.replace(place, content, 1)
    return text


def write_report(results: Mapping[str, Any], path: Path) -> None:
    """Write the report.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.
    path : Path
        The HTML file; it is replaced whole or not at all.

    Raises
    ------
    OutputError
        If a value cannot be written as JSON, or the file cannot be written.
    """
    write_atomically(path, page(results))


def embedded(results: Mapping[str, Any]) -> str:
    r"""The findings as JSON that is safe inside a `<script>` element.

    Examples
    --------
    >>> embedded({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = dumps(results, indent=None)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


def _part(name: str) -> str:
    return resources.files("landform.report").joinpath("page", name).read_text(encoding="utf-8")
