"""A study's folder: all of it or nothing."""

import copy
from pathlib import Path

import pytest

from landform.errors import OutputError
from landform.report import folder as room
from landform.report import write_all
from unit.report.samples import SAMPLES

FILES = {"report.html", "results.json"} | {
    f"tables/{name}.csv"
    for name in ("effects", "swaps", "recipes", "predictions", "candidates", "coefficients", "trials")
}


def contents(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_everything_is_written_and_nothing_else(tmp_path):
    paths = write_all(SAMPLES["pair"](), tmp_path / "new" / "out")
    assert contents(tmp_path / "new" / "out") == FILES
    assert {str(path.relative_to(tmp_path / "new" / "out")) for path in paths} == FILES
    assert paths[0].name == "report.html"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


def test_an_older_study_is_replaced_and_other_files_stay(tmp_path):
    write_all(SAMPLES["paint"](), tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "tables" / "mine.csv").write_text("mine", encoding="utf-8")
    write_all(SAMPLES["pair"](), tmp_path)
    assert contents(tmp_path) == FILES | {"notes.txt", "tables/mine.csv"}
    assert "yield" in (tmp_path / "results.json").read_text(encoding="utf-8")
    assert "yield" in (tmp_path / "tables" / "effects.csv").read_text(encoding="utf-8")


def broken():
    results = copy.deepcopy(SAMPLES["pair"]())
    results["level"] = float("nan")
    return results


def test_a_fault_in_the_findings_leaves_no_folder(tmp_path):
    with pytest.raises(OutputError, match="level"):
        write_all(broken(), tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["write_report", "write_results", "write_tables"])
def test_a_failing_part_leaves_the_older_study_whole(tmp_path, monkeypatch, part):
    write_all(SAMPLES["paint"](), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, part, fail)
    with pytest.raises(OutputError, match="got No space left on device"):
        write_all(SAMPLES["pair"](), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == before
    assert contents(tmp_path) == FILES


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="out: expected a folder to write into, got a file of that name; choose"):
        write_all(SAMPLES["pair"](), tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_a_file_above_the_folder(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="expected a folder to write into"):
        write_all(SAMPLES["pair"](), tmp_path / "file" / "out")


def test_a_folder_that_may_not_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(room.os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="without permission to write"):
        write_all(SAMPLES["pair"](), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["report.html", "results.json"])
def test_a_folder_where_a_file_should_be(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match=f"{name}: expected a file, got a folder"):
        write_all(SAMPLES["pair"](), tmp_path)
    assert contents(tmp_path) == set()


def test_a_file_where_the_tables_should_be(tmp_path):
    (tmp_path / "tables").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="tables: expected a folder"):
        write_all(SAMPLES["pair"](), tmp_path)
    assert contents(tmp_path) == {"tables"}


def test_the_folder_one_stands_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_all(SAMPLES["pair"](), Path())
    assert contents(tmp_path) == FILES
