"""``landform init``: from a table of trials to a commented problem description."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from landform.errors import LandformError, OutputError
from landform.findings.writing import write_atomically
from landform.formulation.problem import Problem
from landform.formulation.roles import Roles, guess_roles
from landform.formulation.table import RawTable, read_table
from landform.formulation.template import render
from landform.formulation.trials import make_trials


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


@click.command("init")
@click.argument("trials", type=click.Path(path_type=Path))
@click.option("--sheet", help="Sheet of a workbook, by name or number; the first where not given.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to write; problem.toml beside the table.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--properties", callback=_names, help='Columns that were measured: "gloss,viscosity".')
@click.option("--factors", callback=_names, help='Columns that are process settings: "temperature,time".')
@click.option("--balance", help="Name of the ingredient that is not in the table, e.g. water.")
@click.option("--total", type=click.FloatRange(min=0, min_open=True), help="What the ingredients add to.")
@click.option("--json", "as_json", is_flag=True, help="Print what was concluded as JSON.")
def init(
    trials: Path,
    sheet: str | None,
    output: Path | None,
    force: bool,
    properties: tuple[str, ...],
    factors: tuple[str, ...],
    balance: str | None,
    total: float | None,
    as_json: bool,
) -> None:
    """Describe the table TRIALS: write a commented problem.toml beside it.

    Says of every column what it seems to be, and why; nothing that is there is replaced without --force.
    """
    if total is not None and not math.isfinite(total):
        raise click.BadParameter(f"{total} is not a finite number; give 1, 100 or an amount.", param_hint="--total")
    path = output or trials.parent / "problem.toml"
    if path.exists() and not force:
        raise OutputError(
            "a file that is not there yet",
            got="one of that name",
            remedy="use --force to replace it, or --output to write elsewhere",
            where=str(path),
        )
    table = read_table(trials, sheet=sheet)
    roles = guess_roles(table, properties=properties, factors=factors, balance=balance, total=total)
    text = render(table, roles)
    write_atomically(path, text)
    if as_json:
        click.echo(json.dumps({"problem": str(path), **asdict(roles)}, indent=2, ensure_ascii=False))
    else:
        _show(table, roles, path, trials)


def _show(table: RawTable, roles: Roles, path: Path, trials: Path) -> None:
    console = Console(highlight=False, soft_wrap=False)
    grid = Table(title=f"{len(table.rows)} trials in {table.source}", title_justify="left", box=None, pad_edge=False)
    for heading in ("column", "unit", "is", "because"):
        grid.add_column(heading, overflow="fold")
    for column in roles.columns:
        reason = f"{column.reason} A guess: check it." if column.guess else column.reason
        style = "yellow" if column.guess else "dim" if column.role == "ignore" else ""
        grid.add_row(Text(column.name), Text(column.unit), Text(column.role, style=style), Text(reason, style=style))
    console.print(grid)
    console.print()
    console.print(Text(roles.words))
    console.print(Text(_check(table, path)))
    console.print()
    console.print(Text(f"Wrote {path}.", style="bold"))
    console.print(Text('Next: give at least one property in it a goal (goal = "maximize", say), then run'))
    command = ["landform", "study", str(trials), "--problem", str(path), "--out", "results"]
    console.print(Text(f"  {shlex.join(command)}"), soft_wrap=True)


def _check(table: RawTable, path: Path) -> str:
    """What the study will say of the table, so that faults are known now."""
    try:
        found = make_trials(table, Problem.read(path))
    except LandformError as error:
        return f"To be corrected before a study: {error}"
    facts = [f"{len(found.rows)} trials can be used"]
    if found.closures:
        facts.append(f"{len(found.closures)} rows are closed, as rounding explains what they miss")
    if found.left_out:
        facts.append(f"{len(found.left_out)} rows have no measured property and are left out")
    if found.suspicions:
        facts.append(f"{len(found.suspicions)} cells look wrong (the study names them)")
    return "; ".join(facts) + "."
