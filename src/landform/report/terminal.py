"""The findings in a terminal: what to make, how surely, what matters most, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from landform.report.digits import (
    amount_decimals,
    decimals_for,
    figures,
    fixed,
    limits,
    percent,
    rounded_amounts,
    with_interval,
)
from landform.report.sensitivity import summary_lines

Results = Mapping[str, Any]

_BAR = 18
_OWN = ("alone", "log", "Cox", "contrast")
_MOST = 12


def print_summary(results: Results, console: Console, *, files: Sequence[Path] = ()) -> None:
    """Print the summary of a study.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.
    console : rich.console.Console
        Where it goes; without color where the console has none.
    files : sequence of Path, optional
        What was written, named at the end.
    """
    summary = results["summary"]
    console.print()
    if results.get("kind") == "sensitivity":
        _sensitivity(results, console, files)
        return
    _say(console, _masthead(results), style="dim")
    _say(console, summary["make"], style="bold")
    _say(console, summary["sure"])
    if results["recipes"]:
        best = results["recipes"][0]
        _part(console, "Recipe", _recipe(results, best))
        _part(console, "What to expect", _expected(results, best))
        _lines(console, _standing(results, best))
    if summary["matters"]:
        _part(console, "What matters most", _matters(summary["matters"]))
    _part(console, "How well each property is predicted", _models(results))
    _unpredictable(results, console)
    if summary["notes"]:
        _part(console, "Keep in mind", _notes(summary["notes"]))
    if files:
        _part(console, "Written", _files(files))
    console.print()


def _sensitivity(results: Results, console: Console, files: Sequence[Path]) -> None:
    """The strongest effects of a model, how they are known, and what to beware of."""
    source = results["source"]
    _say(console, f"{source['model']} on {source['file']} · {len(source['rows'])} rows", style="dim")
    for line in summary_lines(results):
        console.print(Padding(line, (0, 0, 0, 1), expand=False))
    for output in results["outputs"]:
        table = _table(("input", "left"), ("sd per sd", "right"), ("mean slope", "right"), ("same sign", "right"))
        own = [e for e in results["effects"] if e["output"] == output["name"] and e["direction"] in _OWN]
        for e in sorted(own, key=lambda e: -abs((e["standardized"] or e["mean"])["value"]))[:_MOST]:
            shown = with_interval(e["standardized"]) if e["standardized"] else "—"
            style = "" if e["sure"] or e["mean"]["lower"] is None else "dim"
            _row(table, e["input"], shown, with_interval(e["mean"]), percent(e["same_sign"], counted=True), style=style)
        _part(console, f"What moves {output['name']}", table)
    if files:
        _part(console, "Written", _files(files))
    console.print()


def _say(console: Console, words: str, style: str = "") -> None:
    """Text of the user's as it is: no markup, no emoji codes, no highlighting."""
    console.print(Padding(Text(words, style=style), (0, 0, 0, 1), expand=False))


def _part(console: Console, title: str, content: Table) -> None:
    console.print()
    _say(console, title, style="bold cyan")
    console.print(Padding(content, (0, 0, 0, 1), expand=False))


def _lines(console: Console, lines: Iterable[tuple[str, str]]) -> None:
    grid = Table.grid(padding=(0, 2))
    for name, words in lines:
        grid.add_row(Text(name, style="dim"), Text(words))
    console.print()
    console.print(Padding(grid, (0, 0, 0, 1), expand=False))


def _masthead(results: Results) -> str:
    source = results["source"]
    sheet = f", sheet {source['sheet']}" if source["sheet"] else ""
    return f"{source['file']}{sheet} · {source['rows']} trials"


def _table(*columns: tuple[str, str]) -> Table:
    """A plain table: names to the left wrap, numbers to the right do not."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for head, side in columns:
        if side == "right":
            table.add_column(head, justify="right", no_wrap=True)
        else:
            table.add_column(head, overflow="fold", min_width=8)
    return table


def _row(table: Table, *cells: str, style: str = "") -> None:
    table.add_row(*(Text(cell) for cell in cells), style=style)


def _united(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text


def _recipe(results: Results, best: Results) -> Table:
    shown = rounded_amounts(results["inputs"], best["inputs"], results["total"])
    table = _table(("input", "left"), ("amount", "right"), ("", "right"), ("limits", "right"))
    places = amount_decimals(results["inputs"])
    for item in results["inputs"]:
        value, low, high = best["inputs"][item["name"]], item["lower"], item["upper"]
        decimals = places[item["name"]]
        between = f"{fixed(low, decimals)} to {fixed(high, decimals)}"
        _row(table, item["name"], _united(shown[item["name"]], item["unit"]), _bar(value, low, high), between)
    return table


def _bar(value: float, low: float, high: float) -> str:
    share = (value - low) / (high - low) if high > low else 1.0
    full = round(_BAR * min(1.0, max(0.0, share)))
    return "━" * full + "╌" * (_BAR - full)


def _expected(results: Results, best: Results) -> Table:
    level = f"{100 * results['level']:.0f} %"
    some = any(item["chance"] is not None for item in best["properties"])
    heads = [("property", "left"), (f"mean, {level}", "right"), ("one new batch", "right"), ("wanted", "left")]
    table = _table(*heads, *([("in limits", "right")] if some else []))
    properties = {item["name"]: item for item in results["properties"]}
    for item in best["properties"]:
        mean = _united(with_interval(item["mean"]), item["mean"]["unit"])
        chance = "" if item["chance"] is None else percent(item["chance"])
        cells = (item["property"], mean, _between(item["prediction"]), _wanted(properties[item["property"]]))
        _row(table, *cells, *([chance] if some else []))
    return table


def _between(interval: Mapping[str, float | None]) -> str:
    low, high = interval["lower"], interval["upper"]
    if low is None or high is None:
        return ""
    decimals = decimals_for((high - low) / 2)
    return f"{fixed(low, decimals)} to {fixed(high, decimals)}"


def _wanted(item: Mapping[str, Any]) -> str:
    goal = item["goal"]
    words = (
        f"target {figures(item['target'], 4)}" if goal == "target" else goal if goal in ("maximize", "minimize") else ""
    )
    return ", ".join(part for part in (words, limits(item["limits"], item["unit"])) if part) or "no goal"


def _standing(results: Results, best: Results) -> list[tuple[str, str]]:
    certificate, leverage = best["certificate"], best["leverage"]
    lines = [("desirability", figures(best["desirability"]))]
    if best["chance"] is not None:
        lines.append(("chance", f"{percent(best['chance'])} that one new batch is within all limits"))
    lines.append(("certificate", f"{'✓' if certificate['certified'] else '✗'} {certificate['words']}"))
    lines.append(("extrapolation", f"{'✗' if leverage['extrapolates'] else '✓'} {leverage['words']}"))
    others = len(results["recipes"]) - 1
    if others:
        lines.append(("also", f"{others} other good recipe{'s' if others > 1 else ''}, in the report"))
    return lines


def _matters(sentences: Sequence[str]) -> Table:
    grid = Table.grid(padding=(0, 1))
    for rank, words in enumerate(sentences[:6], start=1):
        grid.add_row(Text(f"{rank}."), Text(words))
    return grid


def _models(results: Results) -> Table:
    table = _table(("property", "left"), ("model", "left"), ("error", "right"), ("of mean", "right"),
                   ("noise", "right"), ("R²", "right"), ("covered", "right"))  # fmt: skip
    for item in results["surrogates"]:
        scores = item["scores"]
        model = item["model_words"] if item["predictable"] else f"✗ {item['model_words']}"
        error = _united(figures(scores["rmse"]), item["unit"])
        _row(table, item["property"], model, error, figures(scores["mean_rmse"]),
             figures(scores["noise"]), fixed(scores["r2"], 2), _covered(item),
             style="" if item["predictable"] else "yellow")  # fmt: skip
    return table


def _covered(item: Mapping[str, Any]) -> str:
    """Share of held-out values inside their intervals: as fitted, and once widened where that was needed."""
    first = item["scores"]["coverage"]
    final = next((c["coverage_after"] for c in item["candidates"] if c["chosen"]), first)
    if first is None or final is None or abs(final - first) < 0.005:
        return percent(first, counted=True)
    return f"{100 * first:.0f} → {percent(final, counted=True)}"


def _unpredictable(results: Results, console: Console) -> None:
    """A property that no model predicts is said in words, not only marked in a table."""
    for item in results["surrogates"]:
        if not item["predictable"]:
            _say(console, f"✗ {item['property']}: {item['words']}", style="yellow")


def _notes(notes: Sequence[Mapping[str, str]]) -> Table:
    looks = {"warning": ("Warning.", "bold red"), "caution": ("Caution.", "yellow"), "info": ("", "")}
    grid = Table.grid(padding=(0, 1))
    for note in sorted(notes, key=lambda note: list(looks).index(note["level"])):
        word, style = looks[note["level"]]
        grid.add_row(Text("·"), Text.assemble((f"{word} " if word else "", style), note["text"]))
    return grid


def _files(files: Sequence[Path]) -> Table:
    """Single files by name; several of one folder as one line."""
    grid = Table.grid()
    folders = {path.parent for path in files if path.suffix == ".csv"}
    for path in files:
        if path.suffix != ".csv":
            grid.add_row(Text(str(path), overflow="fold"))
    for folder in sorted(folders):
        count = sum(path.parent == folder and path.suffix == ".csv" for path in files)
        grid.add_row(Text(f"{folder}/*.csv ({count} table{'s' if count > 1 else ''})", overflow="fold"))
    return grid
