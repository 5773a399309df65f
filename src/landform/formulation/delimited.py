"""Text tables: their encoding, their delimiter, their decimal sign."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Sequence

from landform.errors import TableError

Record = tuple[int, list[str]]

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = (",", ";", "\t")
_SAMPLE = 50
_COMMA = re.compile(r"^[+-]?\d*,\d+([eE][+-]?\d+)?$")
_POINT = re.compile(r"^[+-]?\d*\.\d+([eE][+-]?\d+)?$")
_MAYBE_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(,\d{3})+$")
_THOUSANDS = re.compile(
    r"^[+-]?\d{1,3}((,\d{3})+\.\d*|(\.\d{3})+,\d*|(,\d{3}){2,}|(\.\d{3}){2,}"
    r"|([ \u00a0\u2009\u202f'’]\d{3})+([.,]\d+)?)$"
)


def read_delimited(data: bytes, *, source: str) -> list[Record]:
    """Read a text table into records: row number (the header is row 1), and cells with decimal points.

    Raises
    ------
    TableError
        Where it is not UTF-8 text, a quote is left open, or numbers carry thousands separators.
    """
    text = decode(data, source=source)
    delimiter = find_delimiter(text)
    records = _records(text, delimiter, source=source)
    return _with_points(records, delimiter, source=source)


def decode(data: bytes, *, source: str) -> str:
    """Bytes to text: UTF-8, with or without byte order mark, or UTF-16 with one."""
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        shown = data[error.start : error.start + 1].decode("cp1252", errors="replace")
        raise TableError(
            "text in UTF-8",
            got=f"byte 0x{data[error.start]:02x} (in Windows-1252 it would be {shown!r})",
            remedy="save the file as 'CSV UTF-8'; plain 'CSV' may be Windows-1252 (cp1252)",
            where=f"{source}, line {line}",
        ) from error
    if "\x00" in text:
        kind = "an Excel workbook" if data.startswith(b"PK") else "a binary file"
        raise TableError(
            "a text table",
            got=kind,
            remedy="give it its right ending (.xlsx), or save it as CSV",
            where=source,
        )
    return text


def find_delimiter(text: str) -> str:
    r"""The delimiter that cuts most rows into as many cells as the header.

    Examples
    --------
    >>> find_delimiter("a;b, of c;d\n0,5;0,3;0,2\n")
    ';'
    """
    return max(_DELIMITERS, key=lambda delimiter: _fit(text, delimiter))


def _fit(text: str, delimiter: str) -> tuple[bool, float, int]:
    try:
        rows = [row for row, _ in zip(_reader(text, delimiter), range(_SAMPLE), strict=False) if row]
    except csv.Error:
        return False, 0.0, 0
    if not rows:
        return False, 0.0, 0
    width = len(rows[0])
    return width > 1, sum(len(row) == width for row in rows) / len(rows), width


def _reader(text: str, delimiter: str) -> Iterable[list[str]]:
    return csv.reader(_lines(text), delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)


def _records(text: str, delimiter: str, *, source: str) -> list[Record]:
    try:
        return list(enumerate(_reader(text, delimiter), start=1))
    except csv.Error as error:
        raise TableError(
            "cells whose quotes are closed",
            got=str(error),
            remedy='close or double the quotes (")',
            where=source,
        ) from error


def _with_points(records: list[Record], delimiter: str, *, source: str) -> list[Record]:
    body = records[1:]
    _refuse_thousands(body, source=source)
    commas = [(row, cell) for row, cell in _cells(body) if _COMMA.match(cell)]
    if not commas:
        return records
    _refuse_unclear(commas, body, delimiter, source=source)
    return [(row, [_point(cell) for cell in cells]) for row, cells in records]


def _cells(records: Sequence[Record]) -> list[tuple[int, str]]:
    return [(row, cell.strip()) for row, cells in records for cell in cells]


def _point(cell: str) -> str:
    return cell.replace(",", ".") if _COMMA.match(cell.strip()) else cell


def _refuse_thousands(records: Sequence[Record], *, source: str) -> None:
    for row, cell in _cells(records):
        if _THOUSANDS.match(cell):
            raise TableError(
                "numbers without thousands separators",
                got=repr(cell),
                remedy="write it without, e.g. 1234.5",
                where=f"{source}, row {row}",
            )


def _refuse_unclear(commas: list[tuple[int, str]], body: list[Record], delimiter: str, *, source: str) -> None:
    """A comma in numbers must be a decimal sign and nothing else."""
    row, cell = commas[0]
    where = f"{source}, row {row}"
    if delimiter == ",":
        raise TableError(
            "a decimal point where commas part the cells",
            got=repr(cell),
            remedy="write numbers with a point and without thousands separators, or part the cells with ;",
            where=where,
        )
    if all(_MAYBE_THOUSANDS.match(text) for _, text in commas):
        raise TableError(
            "numbers whose comma is surely a decimal sign",
            got=f"{cell!r}, which may be thousands",
            remedy="write numbers with a decimal point and without thousands separators",
            where=where,
        )
    pointed = next((text for _, text in _cells(body) if _POINT.match(text)), None)
    if pointed is not None:
        raise TableError(
            "one decimal sign throughout",
            got=f"{cell!r} beside {pointed!r}",
            remedy="write all numbers with a decimal point, or all with a comma",
            where=where,
        )
