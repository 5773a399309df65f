"""``landform init`` as a user meets it: what it writes, what it says, how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from landform.cli.main import run
from landform.formulation.problem import Problem

PAINT = Path(__file__).parents[3] / "examples" / "paint" / "trials.csv"


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    path = tmp_path / "trials.csv"
    path.write_bytes(PAINT.read_bytes())
    return path


def test_writes_a_problem_and_says_why(trials: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(trials)]) == 0
    problem = Problem.read(trials.with_name("problem.toml"))
    assert list(problem.ingredients) == ["TiO2", "vehicle", "extender A", "extender B"]
    out = " ".join(capsys.readouterr().out.split())
    assert "add to 1: they are the ingredients" in out
    assert "4 rows are closed" in out
    assert "landform study" in out
    assert [p.name for p in trials.parent.iterdir() if p.name.startswith(".")] == []


def test_never_overwrites_unless_forced(trials: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = trials.with_name("problem.toml")
    problem.write_text("mine")
    assert run(["init", str(trials)]) == 2
    assert problem.read_text() == "mine"
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert "--force" in error
    assert run(["init", str(trials), "--force"]) == 0
    assert Problem.read(problem).total == 1


def test_output_elsewhere_and_json(trials: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "other.toml"
    assert run(["init", str(trials), "--output", str(output), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["problem"] == str(output)
    assert [column["role"] for column in said["columns"]] == ["ingredient"] * 4 + ["property"] * 2


def test_told_roles(trials: Path) -> None:
    arguments = ["--properties", "scrub", "--factors", "hiding, vehicle", "--balance", "oil", "--total", "1"]
    assert run(["init", str(trials), *arguments]) == 0
    problem = Problem.read(trials.with_name("problem.toml"))
    assert (list(problem.properties), list(problem.factors), problem.balance) == (
        ["scrub"],
        ["vehicle", "hiding"],
        "oil",
    )


BAD = {
    "missing file": (["init", "no.csv"], "no.csv"),
    "directory": (["init", "."], "directory"),
    "unknown column": (["init", "trials.csv", "--properties", "hidin"], "'hiding'"),
    "sheet of a csv": (["init", "trials.csv", "--sheet", "two"], "leave the sheet out"),
    "folder is missing": (["init", "trials.csv", "--output", "no/problem.toml"], "no folder"),
    "negative total": (["init", "trials.csv", "--total", "-1"], "--total"),
    "unknown option": (["init", "trials.csv", "--frce"], "--force"),
    "unknown command": (["inti"], "inti"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_refusals(
    trials: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(trials.parent)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error: " in captured.err
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert sorted(p.name for p in trials.parent.iterdir()) == ["trials.csv"]


def test_help_and_version_import_nothing_heavy() -> None:
    code = (
        "import sys; from landform.cli.main import run; run(['--help']); run(['--version']);"
        "heavy = {'jax', 'sklearn', 'scipy', 'numpy', 'pandas', 'pydantic'} & set(sys.modules); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "init" in done.stdout
    assert "study" in done.stdout


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("landform.cli.init.read_table", interrupt)
    assert run(["init", str(PAINT), "--output", "never.toml"]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted."


def test_a_reader_that_leaves_early(trials: Path) -> None:
    command = f"'{sys.executable}' -c 'from landform.cli.main import main; main()' init '{trials}' | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
