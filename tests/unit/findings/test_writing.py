"""Files are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from landform.errors import OutputError
from landform.findings.writing import write_atomically


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "one\n")
    write_atomically(path, "ÿ two\n")
    assert path.read_bytes() == "ÿ two\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, words in [
        (tmp_path / "none" / "a.txt", "no folder"),
        (tmp_path, "a folder of that name"),
        (Path(), "a folder of that name"),
        (tmp_path / "file" / "a.txt", "not a directory"),
    ]:
        with pytest.raises(OutputError, match=words):
            write_atomically(path, "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
