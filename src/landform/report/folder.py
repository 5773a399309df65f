"""Everything a study leaves behind, in one folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from landform.errors import OutputError
from landform.findings import Finding
from landform.report.html import write_report
from landform.report.results import write_results
from landform.report.tables import write_tables


def write_all(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the report, the results and the tables into a folder.

    Everything is written beside the folder first and moved only when all of it is there: a study that fails half way
    leaves nothing, and never half of an older one. Other files in the folder are left alone.

    Parameters
    ----------
    results : mapping
        As `docs/results.md` describes it.
    folder : Path
        Made where it is missing.

    Returns
    -------
    list of Path
        The files, the report first.

    Raises
    ------
    OutputError
        If the folder is a file, cannot be written to, or a value cannot be written.
    """
    return _whole(Path(folder), lambda staging: _stage(results, staging))


def write_finding(finding: Finding, results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write any finding into a folder: its page, its results and its tables, in the same way.

    Parameters
    ----------
    finding : Finding
        What was found.
    results : mapping
        The same as plain data.
    folder : Path
        Made where it is missing.

    Returns
    -------
    list of Path
        The files, the page first.

    Raises
    ------
    OutputError
        If the folder is a file, cannot be written to, or a value cannot be written.
    """

    def stage(staging: Path) -> list[Path]:
        files = [finding.save(staging / "report.html"), staging / "results.json"]
        write_results(results, files[1])
        (staging / "tables").mkdir()
        for title, frame in finding.tables():
            files.append(staging / "tables" / f"{title.lower().replace(' ', '_')}.csv")
            frame.to_csv(files[-1], index=False)
        return [path.relative_to(staging) for path in files]

    return _whole(Path(folder), stage)


def _whole(folder: Path, stage: Callable[[Path], list[Path]]) -> list[Path]:
    """Files staged beside the folder and moved there only when all of them are there."""
    _refuse(folder)
    missing = _missing_parents(folder)
    # Inside the folder where there is one: moving stays on one file system, and only this folder need be writable.
    staging = (folder if folder.exists() else folder.parent) / f".landform.{uuid4().hex[:8]}.partial"
    try:
        staging.mkdir(parents=True)
        names = stage(staging)
        _move(names, staging, folder)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        _remove(missing)
        if isinstance(error, OutputError):
            raise
        raise _unwritable(folder, error.strerror) from error
    shutil.rmtree(staging, ignore_errors=True)
    return [folder / name for name in names]


def _stage(results: Mapping[str, Any], staging: Path) -> list[Path]:
    write_report(results, staging / "report.html")
    write_results(results, staging / "results.json")
    tables = write_tables(results, staging / "tables")
    return [path.relative_to(staging) for path in (staging / "report.html", staging / "results.json", *tables)]


def _refuse(folder: Path) -> None:
    """Fail before anything is written where it is plain that it cannot be."""
    if folder.exists() and not folder.is_dir():
        raise _unwritable(folder, "a file of that name")
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(folder, "a folder without permission to write")
    tables = folder / "tables"
    if tables.exists() and not tables.is_dir():
        raise _unwritable(tables, "a file of that name")
    for name in ("report.html", "results.json"):
        if (folder / name).is_dir():
            raise OutputError("a file", got="a folder of that name", remedy="remove it", where=str(folder / name))


def _move(names: list[Path], staging: Path, folder: Path) -> None:
    if not folder.exists():
        staging.replace(folder)
        return
    (folder / "tables").mkdir(exist_ok=True)
    for name in names:
        (staging / name).replace(folder / name)


def _missing_parents(folder: Path) -> list[Path]:
    """Folders above that do not exist yet, the deepest first: they go again where writing fails."""
    return [parent for parent in folder.parents if not parent.exists()]


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _unwritable(folder: Path, got: str | None) -> OutputError:
    return OutputError(
        "a folder to write into",
        got=got,
        remedy="choose another folder, or make this one writable",
        where=str(folder),
    )
