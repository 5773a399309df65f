"""The command ``landform``: subcommands found when they are called, and one funnel for every error."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from landform import __version__
from landform.errors import LandformError

_INTERRUPTED = 130


@dataclass(frozen=True)
class _Entry:
    """Where a subcommand lives, and what ``landform --help`` says of it."""

    module: str
    name: str
    words: str


_COMMANDS = {
    "init": _Entry("landform.cli.init", "init", "Describe a table of trials: write a commented problem.toml."),
    "study": _Entry("landform.cli.study", "study", "Find slopes, curves and the best recipes; write a report."),
    "sensitivity": _Entry(
        "landform.cli.sensitivity", "sensitivity", "Say what moves a fitted scikit-learn model, and how surely."
    ),
    "fit": _Entry("landform.cli.fit", "fit", "Fit a model's parameters to a table, and say how surely each is known."),
    "landscape": _Entry(
        "landform.cli.landscape", "landscape", "Say where a loss is at: minimum, saddle; how far to step."
    ),
}


class LazyGroup(click.Group):
    """A group whose subcommands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the subcommands, in the order of work."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a subcommand; None where there is none of that name."""
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(importlib.import_module(entry.module), entry.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.words) for name, entry in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="landform")
def landform() -> None:
    """Slopes and curves at work: what moves what, and the best settings.

    Begin with `landform init trials.csv`, set a goal in problem.toml, then `landform study`.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status; no error leaves a traceback.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process where not given.

    Returns
    -------
    int
        0 where all went well, 2 for input that cannot be used, 130 where it was interrupted.
    """
    _survive_any_encoding()
    try:
        status = landform.main(args=arguments, prog_name="landform", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except LandformError as error:
        return _say(f"Error: {error}", 2)
    except click.ClickException as error:
        return _say(f"Error: {_usage(error)}", 2)
    except (KeyboardInterrupt, click.Abort):
        return _say("Interrupted.", _INTERRUPTED)
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:
        return _say(f"Error: expected to write what was found, got {error.strerror or error}; make room.", 2)


def _usage(error: click.ClickException) -> str:
    """What was wrong with the command line, and where to read what is right."""
    sentence = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{sentence}; see `{context.command_path} --help`." if context else f"{sentence}."


def _survive_any_encoding() -> None:
    """Where the terminal cannot show a character, show a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _say(sentence: str, status: int) -> int:
    click.echo(" ".join(sentence.split()), err=True)
    return status


def _closed_pipe() -> int:
    """Leave quietly when the reader of stdout has gone; the interpreter must not flush to it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def main() -> None:
    """Run ``landform`` as a process."""
    sys.exit(run())
