"""``landform fit``: from a table and a model in a Python file to its parameters, and how surely each is known."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from landform.errors import ModelError, TableError


@click.command("fit")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--model", "-m", required=True, help="FILE.py:FUNCTION, a JAX function of (x, p); the file is run.")
@click.option("--target", "-t", required=True, help="Column of DATA that was measured; the others are conditions.")
@click.option("--start", "-s", "starts", multiple=True, required=True, help='Where to begin: "rate=0.3", one each.')
@click.option("--errors", help="Column of DATA with the standard deviations of the measurements.")
@click.option("--loss", default="squares", help="squares, soft l1, huber or cauchy.")
@click.option("--tries", type=click.IntRange(min=1), default=1, help="How many starts to make around the given one.")
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Folder for the report, results.json and tables.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON on stdout, and nothing else.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def fit(
    data: Path,
    model: str,
    target: str,
    starts: tuple[str, ...],
    errors: str | None,
    loss: str,
    tries: int,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Fit a model's parameters to the rows of DATA, a CSV or xlsx table.

    The model gets x, a dictionary of the columns, and p, a dictionary of the parameters named by --start, and predicts
    all rows at once.
    """
    start = dict(_start(given) for given in starts)
    if len(start) < len(starts):
        raise click.UsageError("a parameter is given twice with --start")
    found = _fitted(data, model, target, start, errors=errors, loss=loss, tries=tries, quiet=quiet or as_json)
    from landform.report import dumps, write_finding

    results = found.to_dict()
    files = write_finding(found, results, out) if out is not None else []
    if as_json:
        sys.stdout.buffer.write((dumps(results) + "\n").encode())
        return
    for sentence in found.sentences():
        click.echo(sentence)
    click.echo(found.tables()[0][1].to_string(index=False, float_format=lambda v: f"{v:.6g}"))
    for path in files:
        click.echo(f"Written {path}")


def _start(given: str) -> tuple[str, float]:
    name, sign, value = given.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise click.UsageError(f'expected --start NAME=NUMBER, got "{given}"{"" if sign else " without a ="}') from None


def _fitted(
    data: Path,
    model: str,
    target: str,
    start: dict[str, float],
    *,
    errors: str | None,
    loss: str,
    tries: int,
    quiet: bool,
) -> Any:
    from landform.cli.progress import progress

    with progress("loading the numerical libraries", quiet=quiet) as say:
        from landform.cli.script import load_function
        from landform.fit.parameters import fit as ask
        from landform.formulation.table import read_table

        say("loading the model")
        function = load_function(model, "option --model")
        say("reading the table")
        frame = _frame(read_table(data), str(data), [target] + ([errors] if errors else []))
        say("fitting")
        return _asked(ask, function, frame, start, target=target, errors=errors, loss=loss, starts=tries)


def _asked(ask: Callable[..., Any], function: Callable[..., Any], frame: Any, start: Any, **options: Any) -> Any:
    """The fit; what the model itself raises is said in one sentence."""
    try:
        return ask(function, frame, start, **options)
    except KeyError as error:
        columns = ", ".join(name for name in frame.columns if name not in (options["target"], options["errors"]))
        raise ModelError(
            f"a model that asks for parameters ({', '.join(start)}) and columns ({columns}) there are",
            got=f"{error}",
            remedy="add it with --start, or to the table",
            where="the model",
        ) from error


def _frame(table: Any, where: str, needed: Sequence[str]) -> Any:
    """The table's numeric columns; the target (and the errors) must be among them."""
    import pandas as pd

    from landform.formulation.cells import number

    headers = [column.header for column in table.columns]
    for name in needed:
        if name not in headers:
            raise TableError(
                f"a column {name!r}", got=f"columns {', '.join(headers[:12])}", remedy="name one", where=where
            )
    columns = {}
    for place, header in enumerate(headers):
        values = [number(row[place]) for row in table.cells]
        missing = next((row for value, row in zip(values, table.rows, strict=True) if value is None), None)
        if missing is None:
            columns[header] = values
        elif header in needed:
            raise TableError(
                "a number in every row",
                got="an empty cell or text",
                remedy="correct the cell or leave the row out",
                where=f"{where}, row {missing}, column {header}",
            )
    return pd.DataFrame(columns)
