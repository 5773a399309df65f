"""``landform landscape``: from a loss in a Python file to where it is at, with a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from landform.errors import ModelError


@click.command("landscape")
@click.argument("problem")
@click.option("--learning-rate", "-l", type=float, help="Of gradient descent: say where it sits against the edge.")
@click.option(
    "--resolution",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Part of the stiffest curvature that counts as none.",
)
@click.option("--reduction", type=click.Choice(["mean", "sum"]), default="mean", help="What the loss does with rows.")
@click.option("--memory", default="2 GiB", show_default=True, help="What may be kept.")
@click.option("--seed", type=int, default=0, help="Of the random vectors.")
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Folder for the report, results.json and tables.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON on stdout, and nothing else.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def landscape(
    problem: str,
    learning_rate: float | None,
    resolution: float,
    reduction: str,
    memory: str,
    seed: int,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Say where a loss is at: minimum or saddle, the stable step, the layers that carry the curvature.

    PROBLEM is FILE.py:FUNCTION. The file is run, and the function, called without arguments, returns the loss and its
    parameters, and the data where the loss takes them: (loss, params) or (loss, params, data), as
    landform.landscape takes them.
    """
    from landform.cli.progress import progress

    with progress("loading the numerical libraries", quiet=quiet or as_json) as say:
        from landform.cli.script import load_function
        from landform.curvature.landscape import landscape as ask

        say("making the problem")
        made = _made(problem, load_function(problem, "argument PROBLEM"))
        say("looking over the loss")
        land = ask(*made, reduction=reduction, memory=memory)  # type: ignore[arg-type]
        found = land.overview(learning_rate=learning_rate, resolution=resolution, seed=seed, say=say)
        files: list[Path] = []
        results = found.to_dict()
        if out is not None:
            from landform.report import write_finding

            say("writing the report")
            files = write_finding(found, results, out)
    if as_json:
        from landform.report import dumps

        sys.stdout.buffer.write((dumps(results) + "\n").encode())
        return
    for sentence in found.sentences():
        click.echo(sentence)
    for path in files:
        click.echo(f"Written {path}")


def _made(problem: str, function: Any) -> tuple[Any, ...]:
    try:
        made = function()
    except Exception as error:  # a user's function can fail in any way
        raise ModelError(
            "a function without arguments that returns (loss, params) or (loss, params, data)",
            got=f"{type(error).__name__}: {error}",
            remedy="correct it",
            where=problem,
        ) from error
    if not isinstance(made, tuple) or len(made) not in (2, 3) or not callable(made[0]):
        shown = f"a tuple of {len(made)}" if isinstance(made, tuple) else type(made).__name__
        raise ModelError(
            "(loss, params) or (loss, params, data), the loss a function", got=shown, remedy="return it", where=problem
        )
    return made
