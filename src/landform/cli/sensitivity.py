"""``landform sensitivity``: from a fitted model in a file and a table of rows to what moves what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from landform.cli.study import present
from landform.errors import TableError


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


@click.command("sensitivity")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Folder for the report, results.json and tables.")
@click.option("--target", help="Column of DATA that the model was fitted to; standard errors need it.")
@click.option("--trust", is_flag=True, help="Load a joblib or pickle file, which runs whatever code it holds.")
@click.option("--method", default="auto", help="predict, predict_proba, log_odds, decision_function, …")
@click.option("--mixture", callback=_names, help='Inputs that add to one total: "water,oil".')
@click.option("--log", callback=_names, help="Inputs whose slopes are taken by their logarithm.")
@click.option("--categories", callback=_names, help="Inputs that hold levels: differences in place of slopes.")
@click.option("--level", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.95, help="Of intervals.")
@click.option("--refits", type=click.IntRange(min=10), default=100, help="Of the bootstrap, where one is needed.")
@click.option("--check", type=click.IntRange(min=0), default=0, help="Worlds to try the intervals in: 50, say.")
@click.option("--seed", type=int, default=0, help="Of the bootstrap and the check.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON on stdout, and nothing else.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def sensitivity(
    model: Path,
    data: Path,
    out: Path | None,
    target: str | None,
    trust: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Find what moves a fitted scikit-learn MODEL at the rows of DATA, and how surely.

    MODEL is a .skops file, or with --trust a .joblib or .pkl file; DATA a CSV or xlsx table with the model's columns by
    name, in any order; others are left aside.
    """
    if trust:
        click.echo(f"Warning: loading {model} runs the code it holds; trust only files of your own making.", err=True)
    present(_results(model, data, target, trust=trust, quiet=quiet or as_json, options=options), out, as_json=as_json)


def _results(
    model: Path, data: Path, target: str | None, *, trust: bool, quiet: bool, options: dict[str, Any]
) -> dict[str, Any]:
    from landform.cli.progress import progress

    with progress("loading the numerical libraries", quiet=quiet) as say:
        from landform.backends.sklearn import load_estimator
        from landform.formulation.table import read_table
        from landform.sensitivity.local import sensitivity as ask
        from landform.sensitivity.record import record

        say("loading the model")
        estimator = load_estimator(model, trust=trust)
        say("reading the table")
        table = read_table(data)
        headers = [column.header for column in table.columns]
        names = _columns(estimator, headers, target, str(data))
        X = _frame(table, headers, names, options["categories"], str(data))
        y = None if target is None else _target(table, headers, target, str(data))
        if not hasattr(estimator, "feature_names_in_"):
            options = options | {"inputs": names}
        given = X if hasattr(estimator, "feature_names_in_") else X.to_numpy()
        if target is not None and _is_one_number(estimator, given):
            options = options | {"outputs": (target,)}
        found = ask(estimator, given, y=y, progress=say, **options)
        source = {"file": data.name, "model": model.name, "words": _words(estimator), "rows": list(table.rows)}
        return record(found, source)


def _is_one_number(estimator: Any, given: Any) -> bool:
    """Whether the estimator predicts one number for a row: it is then called as the target is."""
    import numpy as np

    return not hasattr(estimator, "classes_") and np.size(estimator.predict(given[:1])) == 1


def _words(estimator: Any) -> str:
    """The estimator's class, or those of its steps."""
    steps = getattr(estimator, "steps", None)
    return " → ".join(type(step).__name__ for _, step in steps) if steps else type(estimator).__name__


def _columns(estimator: Any, headers: Sequence[str], target: str | None, where: str) -> list[str]:
    """Which columns of the table are the model's inputs, in its order."""
    if target is not None and target not in headers:
        raise TableError(
            f"a column {target!r}, the target", got=f"columns {', '.join(headers[:12])}", remedy="name one", where=where
        )
    fitted = getattr(estimator, "feature_names_in_", None)
    if fitted is not None:
        missing = [str(name) for name in fitted if str(name) not in headers]
        if missing:
            known = ", ".join(map(str, fitted[:8])) + (", …" if len(fitted) > 8 else "")
            raise TableError(
                f"the columns that the model was fitted on ({known})",
                got=f"a table without {', '.join(missing[:8])}",
                remedy="add them, under these names",
                where=where,
            )
        return [str(name) for name in fitted]
    names = [header for header in headers if header != target]
    count = getattr(estimator, "n_features_in_", len(names))
    if len(names) != count:
        raise TableError(
            f"{count} columns, in the order of the fit: the model was fitted without names",
            got=f"{len(names)}{'' if target is None else ' besides the target'}",
            remedy="leave the others out of the table",
            where=where,
        )
    return names


def _frame(table: Any, headers: Sequence[str], names: Sequence[str], categories: Sequence[str], where: str) -> Any:
    import pandas as pd

    from landform.formulation.cells import number

    columns: dict[str, list[Any]] = {}
    for name in names:
        place = headers.index(name)
        cells = [row[place] for row in table.cells]
        if name in categories and None not in cells and None in [number(cell) for cell in cells]:
            columns[name] = [str(cell) for cell in cells]
            continue
        columns[name] = [
            _number(number(cell), cell, row, name, where) for cell, row in zip(cells, table.rows, strict=True)
        ]
    return pd.DataFrame(columns)


def _number(value: float | None, cell: Any, row: int, name: str, where: str) -> float:
    if value is not None and math.isfinite(value):
        return value
    got = "an empty cell" if cell is None else repr(cell)
    raise TableError(
        "a finite number",
        got=got,
        remedy="correct the cell or leave the row out: no slope exists where an input is missing"
        if cell is None
        else f"correct the cell, or compare levels with --categories {name}",
        where=f"{where}, row {row}, column {name}",
    )


def _target(table: Any, headers: Sequence[str], target: str, where: str) -> Any:
    """The target's numbers, or its classes as they stand."""
    import numpy as np

    from landform.formulation.cells import number

    place = headers.index(target)
    cells = [row[place] for row in table.cells]
    for cell, row in zip(cells, table.rows, strict=True):
        if cell is None:
            raise TableError(
                "a measured target", got="an empty cell", remedy="leave the row out", where=f"{where}, row {row}"
            )
    values = [number(cell) for cell in cells]
    return np.array([str(cell) for cell in cells]) if None in values else np.array(values, dtype=np.float64)
