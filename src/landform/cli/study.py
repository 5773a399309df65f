"""``landform study``: from a table of trials to a report, results and tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from landform.errors import ProblemError


@click.command("study")
@click.argument("trials", type=click.Path(path_type=Path))
@click.option(
    "--problem",
    "-p",
    type=click.Path(path_type=Path),
    help="The problem; problem.toml beside the table where not given.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Folder for the report, results.json and tables.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON on stdout, and nothing else.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def study(trials: Path, problem: Path | None, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Find what moves what, the best recipe and its certificate.

    TRIALS is a CSV or xlsx table; `landform init TRIALS` writes the problem that goes with it.
    """
    problem = _problem_of(trials, problem)
    results = _results(trials, problem, quiet=quiet or as_json)
    present(results, out, as_json=as_json)


def _problem_of(trials: Path, problem: Path | None) -> Path:
    if problem is not None:
        return problem
    beside = trials.parent / "problem.toml"
    if trials.exists() and not beside.exists():
        raise ProblemError(
            f"a problem beside {trials.name}",
            got="no problem.toml there",
            remedy=f"write one with `landform init {trials}`, or name one with --problem",
            where=str(beside),
        )
    return beside


def _results(trials: Path, problem: Path, *, quiet: bool) -> dict[str, Any]:
    from landform.cli.progress import progress

    with progress("loading the numerical libraries", quiet=quiet) as say:
        from landform.formulation import Study

        say("reading the table")
        return Study.read(trials, problem).run(progress=say).to_dict()


def present(results: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Write what was found into a folder, and print it as JSON or in words."""
    from landform.report import dumps, print_summary, write_all

    files = write_all(results, out) if out is not None else []
    if as_json:
        sys.stdout.buffer.write((dumps(results) + "\n").encode())  # JSON is UTF-8 everywhere
        return
    from rich.console import Console

    print_summary(results, Console(), files=files)
