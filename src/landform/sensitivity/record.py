"""What was found as plain data: what the report, the tables and ``results.json`` are made of."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.findings import plain_rows
from landform.sensitivity.finding import Sensitivity
from landform.sensitivity.trace import Trace

Array = np.ndarray
_ROWS = 400
_PAIRS = 60
_TRACES = 6


def record(found: Sensitivity, source: Mapping[str, Any]) -> dict[str, Any]:
    """The results as plain data.

    Parameters
    ----------
    found : Sensitivity
        The finding.
    source : mapping
        ``file``, ``model``, ``words`` (of the model) and ``rows`` (numbers of the rows in the file).

    Returns
    -------
    dict
        As `docs/sensitivity.md` describes it; numbers that are not known are None.
    """
    return {
        "kind": "sensitivity",
        "made_by": {
            **{name: metadata.version(name) for name in ("landform", "jax", "scikit-learn", "numpy", "scipy")},
            "python": platform.python_version(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "level": found.level,
        "source": dict(source),
        "how": found.how,
        "doubt": found.doubt,
        "summary": {"sentences": list(found.sentences()), "notes": list(found.notes)},
        "inputs": [_input(found, i) for i in range(len(found.inputs))],
        "outputs": [_column(name, found.taken.values[:, i]) for i, name in enumerate(found.outputs)],
        "effects": [one.to_dict() for one in found.effects],
        "interactions": _interactions(found),
        "check": _check(found),
        "rows": _rows(found, source["rows"]),
        "traces": _traces(found),
        "cautions": [
            {"kind": one.kind, "words": one.words, "counts": one.where.sum(axis=0).tolist()} for one in found.cautions
        ],
    }


def _input(found: Sensitivity, place: int) -> dict[str, Any]:
    """An input over the rows; where it holds levels of a category, how many rows have each."""
    column = _column(found.inputs[place], found.subject.X[:, place])
    if any(len(one.columns) == 1 and one.columns[0] == place for one in found.contrasts):
        levels, counts = np.unique(found.subject.X[:, place], return_counts=True)
        names = [found.subject.level(column["name"], float(level)) for level in levels]
        column["levels"] = dict(zip(names, counts.tolist(), strict=True))
    return column


def _column(name: str, values: Float[Array, " rows"]) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "input",
        "unit": "",
        "lower": float(values.min()),
        "upper": float(values.max()),
        "mean": float(values.mean()),
        "spread": float(values.std()),
    }


def _check(found: Sensitivity) -> dict[str, Any] | None:
    one = found.checked
    if one is None:
        return None
    shares = {"share": one.share, "standard_error": one.standard_error, "factor": one.factor, "holds": one.holds}
    return {**shares, "words": one.sentences(), "effects": plain_rows(one.to_frame())}


def _interactions(found: Sensitivity) -> dict[str, Any] | None:
    if found.interactions is None:
        return None
    kept = []
    for output in found.outputs:
        kept += [one.to_dict() for one in found.interactions.pairs if one.output == output][:_PAIRS]
    return {"rows": found.interactions.rows, "doubt": found.interactions.doubt, "pairs": kept}


def _rows(found: Sensitivity, numbers: Any) -> dict[str, Any]:
    """Slopes of at most 400 rows, evenly drawn, along every input's own direction."""
    drawn = np.linspace(0, len(found.slopes) - 1, min(len(found.slopes), _ROWS)).round().astype(int)
    own = [k for k, one in enumerate(found.directions) if one.kind in ("alone", "log", "Cox")]
    places = [found.inputs.index(found.directions[k].input) for k in own]
    words = found.row_words()
    return {
        "numbers": [int(numbers[r]) for r in drawn],
        "inputs": [found.directions[k].input for k in own],
        "levels": [found.subject.X[drawn, i].tolist() for i in places],
        "outputs": [
            {
                "name": output,
                "slopes": [found.slopes[drawn, o, k].tolist() for k in own],
                "errors": None if found.errors is None else [found.errors[drawn, o, k].tolist() for k in own],
                "cautions": [words[r][o] for r in drawn],
            }
            for o, output in enumerate(found.outputs)
        ],
    }


def _traces(found: Sensitivity) -> list[dict[str, Any]]:
    """Along the inputs that matter most, through the most central row."""
    ranked = [one.input for output in found.outputs for one in found.ranked(output, kinds=("alone", "log", "Cox"))]
    order = sorted(dict.fromkeys(ranked), key=ranked.index)
    return [_traced(found.trace(name)) for name in order[:_TRACES]]


def _traced(one: Trace) -> dict[str, Any]:
    none: list[None] = [None] * len(one.levels)
    return {
        "input": one.input,
        "direction": one.direction,
        "row": one.row,
        "amounts": one.levels.tolist(),
        "at": one.here,
        "layers": [
            {
                "name": output,
                "unit": "",
                "values": one.values[:, k].tolist(),
                "lower": none if one.lower is None else one.lower[:, k].tolist(),
                "upper": none if one.upper is None else one.upper[:, k].tolist(),
            }
            for k, output in enumerate(one.outputs)
        ],
    }
