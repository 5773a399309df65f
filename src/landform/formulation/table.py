"""Tables of trials as they stand in the file: names, units, and cells as printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landform.errors import TableError
from landform.formulation.cells import Cell, clean, number
from landform.formulation.delimited import read_delimited
from landform.formulation.headers import Column, read_headers
from landform.formulation.workbook import read_workbook

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cell", "Column", "RawTable", "read_table"]

Record = tuple[int, list[Any]]

_TEXT = {".csv", ".tsv", ".txt", ".tab"}
_EXCEL = {".xlsx", ".xlsm"}
_LARGEST = 256 * 2**20  # bytes; a table of trials is thousands of times smaller


@dataclass(frozen=True)
class RawTable:
    """A table as it was written.

    Parameters
    ----------
    source : str
        The file it came from.
    sheet : str or None
        The sheet of a workbook.
    columns : tuple of Column
        Name, unit and header of each column.
    cells : tuple of tuples
        Row by row; text as printed, a float from a spreadsheet, or None where missing.
    rows : tuple of int
        The rows' numbers in the file; the header is row 1.
    """

    source: str
    sheet: str | None
    columns: tuple[Column, ...]
    cells: tuple[tuple[Cell, ...], ...]
    rows: tuple[int, ...]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, source: str = "<DataFrame>") -> RawTable:
        """A pandas table; its first row counts as row 2, as in a file."""
        plain = frame.astype(object).where(frame.notna(), None)
        records: list[Record] = [(1, [str(name) for name in plain.columns])]
        for row, cells in enumerate(plain.itertuples(index=False, name=None), start=2):
            records.append((row, [_from_python(cell) for cell in cells]))
        return _assemble(records, source=source, sheet=None)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, without units."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> tuple[Cell, ...]:
        """One column's cells."""
        place = self.names.index(name)
        return tuple(row[place] for row in self.cells)

    def unit(self, name: str) -> str:
        """One column's unit, empty where the header gives none."""
        return self.columns[self.names.index(name)].unit


def read_table(path: str | Path, *, sheet: str | int | None = None) -> RawTable:
    """Read a table of trials from CSV or xlsx, keeping numbers as printed.

    Parameters
    ----------
    path : str or Path
        A .csv, .tsv or .txt file (UTF-8; comma, semicolon or tab; decimal point or comma), or .xlsx or .xlsm.
    sheet : str or int, optional
        A workbook's sheet by name or by number (the first is 1); the first where not given.

    Returns
    -------
    RawTable
        Blank rows and empty columns are left out; row numbers are the file's.

    Raises
    ------
    TableError
        Where the file is not a table with one header row and at least two rows of trials.
    """
    path = Path(path)
    source = str(path)
    _refuse_kind(path, sheet)
    data = _bytes(path)
    if path.suffix.lower() in _TEXT:
        return _assemble(list(read_delimited(data, source=source)), source=source, sheet=None)
    title, records = read_workbook(data, source=source, sheet=sheet)
    return _assemble(records, source=source, sheet=title)


def _refuse_kind(path: Path, sheet: str | int | None) -> None:
    ending = path.suffix.lower()
    where = str(path)
    if not path.exists():
        raise TableError("a table of trials", got="no such file", remedy="check the path", where=where)
    if path.is_dir():
        raise TableError("a file", got="a directory", remedy="name the table inside it", where=where)
    if ending not in _TEXT | _EXCEL:
        raise TableError(
            "a .csv, .tsv, .txt, .xlsx or .xlsm file",
            got=repr(path.suffix) if path.suffix else "no ending",
            remedy="save the table as .xlsx or as CSV",
            where=where,
        )
    if sheet is not None and ending in _TEXT:
        raise TableError(
            "a workbook where a sheet is named",
            got=f"sheet {sheet!r} of a text file",
            remedy="leave the sheet out",
            where=where,
        )


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise TableError(
                f"a table of at most {_LARGEST // 2**20} MiB",
                got=f"{size / 2**20:.0f} MiB",
                remedy="keep only the trials and columns that are needed",
                where=str(path),
            )
        return path.read_bytes()
    except PermissionError as error:
        raise TableError(
            "a file that can be read",
            got="permission denied",
            remedy="check its permissions",
            where=str(path),
        ) from error


def _from_python(cell: Any) -> str | float:
    if cell is None:
        return ""
    if isinstance(cell, bool) or type(cell).__name__ in {"bool", "bool_"}:
        return str(bool(cell)).upper()
    if isinstance(cell, str):
        return cell
    return float(cell) if hasattr(cell, "__float__") and not hasattr(cell, "as_tuple") else str(cell)


def _assemble(records: list[Record], *, source: str, sheet: str | None) -> RawTable:
    """Records to a table: header found, blank rows and columns dropped, faults refused."""
    where = source if sheet is None else f"{source}, sheet {sheet!r}"
    filled = [(row, cells) for row, cells in records if not _blank(cells)]
    _refuse_short(filled, where=where)
    (header_row, header), *body = filled
    headers = [str(cell) for cell in header]
    rows = [(row, _fitted(row, cells, headers, where=where)) for row, cells in body]
    kept = _kept_columns(headers, [cells for _, cells in rows], where=f"{where}, row {header_row}")
    columns = read_headers([headers[j] for j in kept])
    _refuse_names(columns, where=f"{where}, row {header_row}")
    cells = tuple(tuple(_cell(cells[j]) for j in kept) for _, cells in rows)
    return RawTable(source, sheet, columns, cells, tuple(row for row, _ in rows))


def _blank(cells: Sequence[Any]) -> bool:
    return all(isinstance(cell, str) and not cell.strip() for cell in cells)


def _trimmed(cells: list[Any]) -> list[Any]:
    """Cells without the empty ones at the end."""
    width = max((j for j, cell in enumerate(cells, start=1) if not _blank([cell])), default=0)
    return cells[:width]


def _cell(cell: str | float) -> Cell:
    if isinstance(cell, str):
        return clean(cell)
    return None if cell != cell else cell


def _fitted(row: int, cells: list[Any], headers: list[str], *, where: str) -> list[Any]:
    """A row's cells, exactly one under each header; only empty ones may be missing or too many."""
    width, least = len(headers), len(_trimmed(headers))
    if len(cells) >= least and _blank(cells[width:]):
        return [*cells[:width], *[""] * (width - len(cells))]
    raise TableError(
        f"{least} cells, as in the header",
        got=f"{len(cells) if len(cells) < least else len(_trimmed(cells))} cells",
        remedy="complete the row, leaving cells empty where nothing was measured; "
        "where commas are decimal signs, part the cells with ;",
        where=f"{where}, row {row}",
    )


def _refuse_short(filled: list[Record], *, where: str) -> None:
    if not filled:
        raise TableError("a header row and trials", got="an empty table", remedy="add the trials", where=where)
    if len(filled) < 3:
        raise TableError(
            "at least two rows of trials under the header",
            got=f"{len(filled) - 1} row{'s' if len(filled) == 1 else ''}",
            remedy="add the trials; the first row must hold the columns' names",
            where=where,
        )


def _kept_columns(headers: list[str], rows: list[list[Any]], *, where: str) -> list[int]:
    kept = [j for j, header in enumerate(headers) if header.strip()]
    for j in sorted(set(range(len(headers))) - set(kept)):
        if not _blank([cells[j] for cells in rows]):
            raise TableError(
                "a name over every column",
                got=f"an empty header over the data of column {j + 1}",
                remedy="name the column, or delete it",
                where=where,
            )
    return kept


def _refuse_names(columns: tuple[Column, ...], *, where: str) -> None:
    if len(columns) < 2:
        raise TableError(
            "at least two columns, parted by comma, semicolon or tab",
            got=f"one column, {columns[0].header!r}",
            remedy="part the cells with one of these",
            where=where,
        )
    if all(number(column.header) is not None for column in columns):
        raise TableError(
            "the columns' names in the first row",
            got=f"numbers ({columns[0].header}, {columns[1].header}, ...)",
            remedy="put a header row on top",
            where=where,
        )
    counts = Counter(column.name for column in columns)
    for name, times in counts.items():
        if times > 1:
            raise TableError(
                "each column's name once",
                got=f"{name!r} {times} times",
                remedy="rename all but one (the unit is not part of the name)",
                where=f"{where}, columns {[j for j, c in enumerate(columns, start=1) if c.name == name]}",
            )
