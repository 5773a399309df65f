"""Reading tables: every dialect that a spreadsheet writes, and every file that is no table."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landform.errors import TableError
from landform.formulation.delimited import read_delimited
from landform.formulation.headers import split_header
from landform.formulation.table import RawTable, read_table


def written(folder: Path, content: str | bytes, name: str = "trials.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def workbook(folder: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / "trials.xlsx"
    book.save(path)
    return path


PLAIN = "a,b,y [Pa s]\n0.25,0.75,1.5\n0.5,0.50,NA\n"
DIALECTS = ["plain", "bom", "utf16", "crlf", "cr", "semicolon", "tab", "comma;", "comma tab", "quoted", "dash"]
DIALECTS += ["empty", "trailing columns", "blank lines"]
EXPECTED = (("0.25", "0.75", "1.5"), ("0.5", "0.50", None))


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t").replace(".", ","),
        PLAIN.replace("a,b,y [Pa s]", '"a"," b ","y\n[Pa  s]"'),
        PLAIN.replace("NA", "-"),
        PLAIN.replace("NA", ""),
        PLAIN.replace("\n", ",,\n"),
        "\n" + PLAIN + "\n\n,,\n",
    ],
    ids=DIALECTS,
)
def test_dialects_read_the_same(tmp_path: Path, content: str | bytes) -> None:
    table = read_table(written(tmp_path, content))
    assert table.cells == EXPECTED
    assert [(c.name, c.unit) for c in table.columns] == [("a", ""), ("b", ""), ("y", "Pa s")]


def test_row_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, "a,b\n1,2\n\n3,4\n")).rows == (2, 4)


def test_workbook_by_first_name_and_number(tmp_path: Path) -> None:
    rows = [["a", "b [g]"], [0.25, 2], [None, None], ["x", True]]
    path = workbook(tmp_path, {"notes": [["n", "m"], [1, 2], [3, 4]], "data": rows})
    assert read_table(path).sheet == "notes"
    for sheet in ("data", 2, "2"):
        table = read_table(path, sheet=sheet)
        assert (table.sheet, table.rows) == ("data", (2, 4))
        assert table.cells == ((0.25, 2.0), ("x", "TRUE"))
        assert table.unit("b") == "g"


def test_frame() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b (mm)": [0.5, np.nan], "c": ["x", None], "d": [True, False]})
    table = RawTable.from_frame(frame)
    assert table.cells == ((1.0, 0.5, "x", "TRUE"), (2.0, None, None, "FALSE"))
    assert (table.source, table.rows, table.unit("b")) == ("<DataFrame>", (2, 3), "mm")


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("viscosity [Pa s]", "viscosity", "Pa s"),
        ("SLUMP(cm)", "SLUMP", "cm"),
        ("Compressive Strength (28-day)(Mpa)", "Compressive Strength (28-day)", "Mpa"),
        ("Compressive Strength (28-day)", "Compressive Strength (28-day)", ""),
        ("viscosity [Pa s] at 25 °C", "viscosity at 25 °C", "Pa s"),
        ("ratio [-]", "ratio", ""),
        ("rate (1/s)", "rate", "1/s"),
        ("[g]", "[g]", ""),
        ("plain", "plain", ""),
    ],
)
def test_headers(header: str, name: str, unit: str) -> None:
    column = split_header(header)
    assert (column.name, column.unit) == (name, unit)


BAD = {
    "empty file": ("", "an empty table"),
    "only blank lines": ("\n\n,,\n", "an empty table"),
    "header only": ("a,b\n", "0 row"),
    "one row": ("a,b\n1,2\n", "1 row"),
    "duplicate column": ("a,b,a\n1,2,3\n4,5,6\n", "'a' 2 times"),
    "duplicate but for the unit": ("a [g],b,a [kg]\n1,2,3\n4,5,6\n", "'a' 2 times"),
    "empty header over data": ("a,,c\n1,2,3\n4,5,6\n", "column 2"),
    "empty last header over data": ("a,b,\n1,2,3\n4,5,6\n", "column 3"),
    "short row": ("a,b,c\n1,2,3\n4,5\n7,8,9\n", "row 3: expected 3 cells, as in the header, got 2"),
    "long row": ("a,b\n1,2\n4,5,6\n7,8\n", "row 3: expected 2 cells, as in the header, got 3"),
    "decimal commas between commas": ("a,b\n0,5,1\n1,5,2\n", "got 3 cells"),
    "quoted decimal comma": ('a,b\n"0,5",1\n1,2\n', "decimal point"),
    "thousands with point": ('a,b\n"1,234.5",1\n1,2\n', "thousands"),
    "thousands with comma": ("a;b\n1.234,5;1\n1;2\n", "thousands"),
    "thousands with spaces": ("a;b\n1 234 567;1\n1;2\n", "thousands"),
    "maybe thousands": ("a;b\n1,234;1\n2,345;2\n", "may be thousands"),
    "both decimal signs": ("a;b\n0,5;1.5\n1;2\n", "one decimal sign"),
    "Windows-1252": ("a,µ\n1,2\n3,4\n".encode("cp1252"), "Windows-1252"),
    "binary": (b"a,b\x00\x01\n1,2\n", "a binary file"),
    "workbook named csv": (b"PK\x03\x04\x00\x00", "an Excel workbook"),
    "open quote": ('a,b\n"1,2\n3,4\n', "quote"),
    "one column": ("a b\n1 2\n3 4\n", "two columns"),
    "no header": ("1,2\n3,4\n5,6\n", "the columns' names"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
def test_bad_tables(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(written(tmp_path, content))
    message = str(caught.value)
    assert "trials.csv" in message
    assert words in message
    assert "\n" not in message
    assert caught.value.remedy


def test_bad_files(tmp_path: Path) -> None:
    for path, words in [
        (tmp_path / "no.csv", "no such file"),
        (tmp_path, "a directory"),
        (written(tmp_path, "x", "t.xls"), ".xlsx"),
        (written(tmp_path, "x", "t.ods"), ".xlsx"),
        (written(tmp_path, "x", "t"), "no ending"),
        (written(tmp_path, b"no zip", "t.xlsx"), "a readable Excel workbook"),
        (written(tmp_path, b"\xd0\xcf\x11\xe0rest", "u.xlsx"), "password"),
        (written(tmp_path, b"", "v.xlsx"), "a readable Excel workbook"),
    ]:
        with pytest.raises(TableError, match=words):
            read_table(path)


def test_sheet_that_is_not_there(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"one": [["a", "b"], [1, 2], [3, 4]], "two": []})
    for sheet in ("three", 3, 0):
        with pytest.raises(TableError, match=r"'one', 'two', got '?\w+'?"):
            read_table(path, sheet=sheet)
    with pytest.raises(TableError, match="an empty table"):
        read_table(path, sheet="two")
    with pytest.raises(TableError, match="leave the sheet out"):
        read_table(written(tmp_path, PLAIN), sheet="one")


def test_formula_without_value_is_not_missing(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"one": [["a", "b"], [1, "=A2*2"], [3, 4]]})
    with pytest.raises(TableError, match="B2"):
        read_table(path)


NUMBERS = st.lists(st.tuples(*[st.decimals(-999, 999, places=3, allow_nan=False).map(str)] * 3), min_size=2, max_size=8)


@given(rows=NUMBERS, delimiter=st.sampled_from([",", ";", "\t"]), comma=st.booleans())
def test_numbers_survive_any_dialect(rows: list[tuple[str, ...]], delimiter: str, comma: bool) -> None:
    lines = [delimiter.join(["a", "b", "c"]), *(delimiter.join(row) for row in [("0.5", "0.25", "1"), *rows])]
    text = "\n".join(lines)
    if comma and delimiter != ",":
        text = text.replace(".", ",")
    records = read_delimited(text.encode(), source="t.csv")
    read = [[float(cell) for cell in cells] for _, cells in records[2:]]
    assert all(
        math.isclose(x, float(y)) for got, row in zip(read, rows, strict=True) for x, y in zip(got, row, strict=True)
    )
