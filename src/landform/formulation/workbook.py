"""Workbooks: one sheet of an xlsx file as records."""

from __future__ import annotations

import io
import warnings
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from landform.errors import TableError

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Record = tuple[int, list[Any]]

_OLE = b"\xd0\xcf\x11\xe0"


def read_workbook(data: bytes, *, source: str, sheet: str | int | None) -> tuple[str, list[Record]]:
    """Read one sheet: its name, and its records (row number, cells).

    Parameters
    ----------
    data : bytes
        The file's content.
    source : str
        The file's name, for errors.
    sheet : str, int or None
        A sheet's name, its number (the first is 1), or None for the first.

    Raises
    ------
    TableError
        Where the workbook cannot be read, the sheet is not there, or formulas were saved without
        values.
    """
    workbook = _load(data, source=source, values=True)
    page = _choose(workbook.worksheets, sheet, source=source)
    records = [(row, list(cells)) for row, cells in enumerate(page.iter_rows(values_only=True), start=1)]
    _refuse_unsaved_formulas(data, page.title, records, source=source)
    return page.title, [(row, [_plain(cell) for cell in cells]) for row, cells in records]


def _load(data: bytes, *, source: str, values: bool) -> Any:
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(io.BytesIO(data), data_only=values)
    except Exception as error:  # openpyxl lets through whatever zip and XML parsers raise
        protected = data.startswith(_OLE)
        raise TableError(
            "a readable Excel workbook",
            got="an old or password-protected one" if protected else f"{type(error).__name__}: {error}",
            remedy="open it in a spreadsheet program and save it as .xlsx without a password, or as CSV",
            where=source,
        ) from error


def _choose(pages: list[Worksheet], sheet: str | int | None, *, source: str) -> Worksheet:
    titles = [page.title for page in pages]
    if sheet is None and pages:
        return pages[0]
    if sheet in titles:
        return pages[titles.index(str(sheet))]
    if str(sheet).isdigit() and 1 <= int(str(sheet)) <= len(pages):
        return pages[int(str(sheet)) - 1]
    raise TableError(
        "one of the sheets " + ", ".join(repr(title) for title in titles),
        got=repr(sheet),
        remedy="name a sheet, or give its number counting from 1",
        where=source,
    )


def _refuse_unsaved_formulas(data: bytes, title: str, records: list[Record], *, source: str) -> None:
    """Cells that hold a formula but no value would pass for missing."""
    if not any(cell is None for _, cells in records for cell in cells):
        return
    formulas = _load(data, source=source, values=False)[title]
    for row, cells in records:
        for place, cell in enumerate(cells, start=1):
            if cell is None and (written := formulas.cell(row, place)).data_type == "f":
                raise TableError(
                    "formulas saved with their values",
                    got=f"a formula without a value in {written.coordinate}",
                    remedy="open the workbook in a spreadsheet program and save it, or paste values",
                    where=f"{source}, sheet {title!r}, row {row}",
                )


def _plain(cell: Any) -> str | float:
    """A cell as text or float."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return float(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)
