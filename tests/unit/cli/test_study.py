"""``landform study`` as a user meets it: published examples, public data, and every wrong input thought of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from landform.cli.main import run
from unit.formulation.published import PAINT, ROOT, YARN, data

SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text())
TABLES = ["candidates", "coefficients", "effects", "predictions", "recipes", "swaps", "trials"]


def validate(results: dict) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(results)


@pytest.fixture(scope="module", params=["paint", "yarn"])
def done(request, tmp_path_factory):
    """One run per example: its folder, and what came out."""
    trials = {"paint": PAINT, "yarn": YARN}[request.param]
    out = tmp_path_factory.mktemp(request.param) / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "100")
        assert run(["study", str(trials), "--out", str(out), "--quiet"]) == 0
    return request.param, out, json.loads((out / "results.json").read_text())


def test_everything_is_written(done):
    _, out, _ = done
    assert sorted(p.name for p in out.iterdir()) == ["report.html", "results.json", "tables"]
    assert sorted(p.stem for p in (out / "tables").iterdir()) == TABLES
    page = (out / "report.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_results_keep_to_the_schema(done):
    validate(done[2])


def test_every_number_says_how_it_was_obtained(done):
    results = done[2]

    def hows(value):
        if isinstance(value, dict):
            if "how" in value:
                yield value["how"]
            for item in value.values():
                yield from hows(item)
        elif isinstance(value, list):
            for item in value:
                yield from hows(item)

    assert set(hows(results)) <= set(results["methods"])


def test_the_best_recipe_is_allowed_and_certified(done):
    name, _, results = done
    best = results["recipes"][0]
    assert best["certificate"]["certified"]
    assert sum(best["inputs"].values()) == pytest.approx(1, abs=1e-9)
    for one in results["inputs"]:
        assert one["lower"] - 1e-9 <= best["inputs"][one["name"]] <= one["upper"] + 1e-9
    if name == "yarn":  # Cornell (2002)
        assert best["properties"][0]["mean"]["value"] == pytest.approx(17.38442983, rel=5e-7)


def test_recipes_are_ranked(done):
    worth = [r["desirability"] for r in done[2]["recipes"]]
    assert worth == sorted(worth, reverse=True)
    assert [r["rank"] for r in done[2]["recipes"]] == list(range(1, len(worth) + 1))


def test_json_is_all_that_stands_on_stdout(tmp_path, capsys):
    assert run(["study", str(YARN), "--problem", str(YARN.with_name("problem.toml")), "--json"]) == 0
    said = capsys.readouterr()
    validate(json.loads(said.out))
    assert said.err == ""


def test_the_summary_is_for_a_person(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["study", str(YARN)]) == 0
    said = capsys.readouterr()
    words = " ".join(said.out.split())
    assert "Make polyethylene 0.294" in words
    assert "Certified" in words
    assert said.err == ""


def test_the_same_seed_gives_the_same_results(done, capsys):
    name, _, results = done
    trials = {"paint": PAINT, "yarn": YARN}[name]
    assert run(["study", str(trials), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    for one in (results, again):
        one["made_by"].pop("created", None)
        one["made_by"].pop("seconds", None)
    assert again == results


def test_one_column_format_or_another(tmp_path, capsys):
    """Semicolons, decimal commas and a byte order mark change nothing."""
    folder = tmp_path / "german"
    folder.mkdir()
    text = YARN.read_text()
    lines = [line.replace(",", ";").replace(".", ",") for line in text.splitlines()]
    (folder / "versuche.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    shutil.copy(YARN.with_name("problem.toml"), folder)
    assert run(["study", str(folder / "versuche.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["recipes"][0]["inputs"]
    np.testing.assert_allclose(list(found.values()), [0.2938596, 0, 0.7061404], atol=5e-8)


SLUMP = """
[trials]
id = "No"
[factors]
Cement = {}
Slag = {}
"Fly ash" = {}
Water = {}
SP = {}
"Coarse Aggr." = {}
"Fine Aggr." = {}
[properties."SLUMP"]
goal = "maximize"
[properties."FLOW"]
[properties."Compressive Strength (28-day)"]
goal = "maximize"
[study]
recipes = 2
starts = 4
"""

BLENDS = """
total = 1.0
[ingredients]
mat_1 = {}
mat_2 = {}
mat_3 = {}
mat_4 = {}
[properties.degradation]
goal = "minimize"
model = "special cubic"
[study]
recipes = 1
starts = 4
"""


@pytest.mark.parametrize(("name", "problem"), [("concrete_slump.csv", SLUMP), ("photo_pce10.csv", BLENDS)])
def test_public_data_runs_clean_to_a_report(name, problem, tmp_path, capsys):
    """Concrete slump (Yeh 2007) with masses that add to nothing fixed; 1,040 blends of four polymers."""
    path = data(name)
    (tmp_path / "problem.toml").write_text(problem)
    out = tmp_path / "out"
    command = ["study", str(path), "--problem", str(tmp_path / "problem.toml"), "--out", str(out), "--json"]
    assert run(command) == 0
    said = capsys.readouterr()
    assert said.err == ""
    results = json.loads(said.out)
    validate(results)
    assert (out / "report.html").stat().st_size > 50_000
    assert results["recipes"][0]["certificate"]["certified"]
    assert results["source"]["rows"] == {"concrete_slump.csv": 103, "photo_pce10.csv": 1040}[name]
    # Intervals of three Gaussian-process tools cover 81 to 89 % of held-out slump and flow; ours must hold.
    for surrogate in results["surrogates"]:
        (chosen,) = [c for c in surrogate["candidates"] if c["chosen"]]
        assert chosen["coverage_after"] >= 0.93, surrogate["property"]


# Wrong inputs -----------------------------------------------------------------------------------------------------

ROWS = """a,b,c,gloss
1,0,0,10
0,1,0,12
0,0,1,17
0.5,0.5,0,15
0.5,0,0.5,18
0,0.5,0.5,11
0.4,0.3,0.3,14
0.2,0.6,0.2,13
"""
PROBLEM = """total = 1.0
[ingredients]
a = {}
b = {}
c = {}
[properties.gloss]
goal = "maximize"
"""


@dataclass(frozen=True)
class Bad:
    """A wrong input: what differs from a right one, and what the message must say."""

    id: str
    words: tuple[str, ...]
    trials: str | bytes | None = ROWS
    problem: str | bytes | None = PROBLEM
    name: str = "trials.csv"
    before: Callable[[Path], None] = field(default=lambda folder: None)
    more: tuple[str, ...] = ()


def cell(row: int, column: int, text: str) -> str:
    """The table with one cell changed; row 1 is the header."""
    lines = [line.split(",") for line in ROWS.splitlines()]
    lines[row - 1][column] = text
    return "\n".join(",".join(line) for line in lines) + "\n"


def without_gloss() -> str:
    return "\n".join([ROWS.splitlines()[0]] + [line.rsplit(",", 1)[0] + "," for line in ROWS.splitlines()[1:]]) + "\n"


def goal(text: str) -> str:
    return PROBLEM.replace('goal = "maximize"', text)


def bounded(**bounds: str) -> str:
    text = PROBLEM
    for name, bound in bounds.items():
        text = text.replace(f"{name} = {{}}", f"{name} = {{ {bound} }}")
    return text


BAD = [
    Bad("missing table", ("trials.csv", "no such file"), trials=None),
    Bad("empty table", ("trials.csv", "empty"), trials=""),
    Bad("header alone", ("trials.csv", "row"), trials="a,b,c,gloss\n"),
    Bad("one row", ("at least two rows of trials", "got 1 row"), trials="a,b,c,gloss\n0.5,0.3,0.2,9\n"),
    Bad(
        "fewer trials than ingredients",
        ("at least 4 trials for 3 inputs", "got 3"),
        trials="a,b,c,gloss\n1,0,0,9\n0,1,0,8\n0,0,1,7\n",
    ),
    Bad("duplicate column", ("columns [2, 3]", "'b' 2 times"), trials=ROWS.replace("a,b,c", "a,b,b")),
    Bad("a row too long", ("row 3",), trials=ROWS.replace("0,1,0,12", "0,1,0,12,99")),
    Bad("text for an amount", ("row 5", "column 'a'", "'half'"), trials=cell(5, 0, "half")),
    Bad("text for a property", ("row 4", "column 'gloss'", "'shiny'"), trials=cell(4, 3, "shiny")),
    Bad("blank amount", ("row 6", "column 'b'", "nothing"), trials=cell(6, 1, "")),
    Bad("NaN amount", ("row 2", "column 'a'"), trials=cell(2, 0, "nan")),
    Bad("infinite amount", ("row 2", "column 'c'", "inf"), trials=cell(2, 2, "inf")),
    Bad("infinite property", ("row 7", "column 'gloss'", "inf"), trials=cell(7, 3, "inf")),
    Bad("negative amount", ("row 8", "column 'c'", "-0.3", "at least 0"), trials=cell(8, 2, "-0.3")),
    Bad("sum off", ("row 8", "add to 1", "0.85"), trials=cell(8, 2, "0.15")),
    Bad("percent where shares are meant", ("add to 100", "a sum of 1"), problem=PROBLEM.replace("1.0", "100")),
    Bad(
        "constant property",
        ("column 'gloss'", "varies", "10"),
        trials="\n".join([ROWS.split()[0]] + [r.rsplit(",", 1)[0] + ",10" for r in ROWS.split()[1:]]),
    ),
    Bad("property all missing", ("column 'gloss'", "empty"), trials=without_gloss()),
    Bad("log of zero", ("row 2", "'gloss'", "logarithm"), trials=cell(2, 3, "0"), problem=goal('transform = "log"')),
    Bad("not text", ("trials.csv", "UTF-8"), trials=b"a,b,c,gloss\n\xff\xfe\x00\x01\n"),
    Bad("directory for a table", ("directory",), trials=None, before=lambda f: (f / "trials.csv").mkdir()),
    Bad("unreadable workbook", ("trials.xlsx", "workbook"), trials=b"PK this is no workbook", name="trials.xlsx"),
    Bad("missing problem", ("problem.toml", "no such file"), problem=None),
    Bad(
        "directory for a problem",
        ("problem.toml", "directory"),
        problem=None,
        before=lambda f: (f / "problem.toml").mkdir(),
    ),
    Bad("not TOML", ("problem.toml", "line 2", "TOML"), problem="total = 1.0\n[ingredients\n"),
    Bad("problem not in UTF-8", ("problem.toml", "UTF-8"), problem=b"total = 1.0 # \xff\n"),
    Bad("empty problem", ("at least one ingredient or factor",), problem=""),
    Bad("unknown key", ("'gaol'", "'goal'"), problem=goal('gaol = "maximize"')),
    Bad(
        "unknown section",
        ("'propertys'", "'properties'"),
        problem=PROBLEM.replace("[properties.gloss]", "[propertys.gloss]"),
    ),
    Bad("unknown goal", ("'maximise'", "'maximize'"), problem=goal('goal = "maximise"')),
    Bad("unknown column", ("'glos'", "'gloss'"), problem=PROBLEM.replace("properties.gloss", "properties.glos")),
    Bad("text for a number", ("ingredients.a.upper", "'much'"), problem=bounded(a='upper = "much"')),
    Bad("bounds reversed", ("ingredients.a.lower", "0.7", "0.2"), problem=bounded(a="lower = 0.7, upper = 0.2")),
    Bad(
        "goal limits reversed",
        ("properties.gloss.limits", "[20, 10]"),
        problem=goal('goal = "maximize"\nlimits = [20, 10]'),
    ),
    Bad(
        "target outside its limits",
        ("target", "[10, 20]", "30"),
        problem=goal('goal = "target"\nlimits = [10, 20]\ntarget = 30'),
    ),
    Bad("target missing", ("properties.gloss.target",), problem=goal('goal = "target"')),
    Bad("range without limits", ("properties.gloss.limits",), problem=goal('goal = "in range"')),
    Bad("no property", ("at least one property",), problem=PROBLEM.split("[properties")[0]),
    Bad("no total", ("total", "add"), problem=PROBLEM.replace("total = 1.0\n", "")),
    Bad("lower bounds above the total", ("lower bounds", "1.2"), problem=bounded(a="lower = 0.6", b="lower = 0.6")),
    Bad(
        "upper bounds below the total",
        ("upper bounds", "0.6"),
        problem=bounded(a="upper = 0.2", b="upper = 0.2", c="upper = 0.2"),
    ),
    Bad(
        "limits that conflict",
        ("rich", "a", "0.2"),
        problem=bounded(a="upper = 0.2") + '\n[[constraints]]\nname = "rich"\nterms = { a = 1 }\nlower = 0.5\n',
    ),
    Bad(
        "constraint on nothing known",
        ("'d'", "ingredient"),
        problem=PROBLEM + "\n[[constraints]]\nterms = { d = 1 }\nlower = 0.5\n",
    ),
    Bad(
        "a model too large",
        ("properties.gloss.model", "special cubic"),
        trials="\n".join(ROWS.split()[:7]),
        problem=goal('model = "special cubic"'),
    ),
    Bad("two roles", ("'a'", "one role"), problem=PROBLEM + "\n[factors]\na = {}\n"),
    Bad(
        "constant factor",
        ("'t'", "two settings"),
        trials="\n".join(f"{r},{'t' if i == 0 else 5}" for i, r in enumerate(ROWS.split())),
        problem=PROBLEM + "\n[factors]\nt = {}\n",
    ),
    Bad("negative weight", ("properties.gloss.weight", "-1"), problem=goal('goal = "maximize"\nweight = -1')),
    Bad(
        "a file where the folder goes", ("out", "a file of that name"), before=lambda f: (f / "out").write_text("mine")
    ),
]


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def test_the_right_input_that_the_wrong_ones_differ_from(tmp_path, capsys):
    (tmp_path / "trials.csv").write_text(ROWS)
    (tmp_path / "problem.toml").write_text(PROBLEM)
    assert run(["study", str(tmp_path / "trials.csv"), "--out", str(tmp_path / "out"), "--json"]) == 0
    validate(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("bad", BAD, ids=lambda b: b.id)
def test_wrong_input_is_refused_in_one_sentence(bad, tmp_path, capsys):
    for content, name in ((bad.trials, bad.name), (bad.problem, "problem.toml")):
        if content is not None:
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    bad.before(tmp_path)
    before = snapshot(tmp_path)
    command = [
        "study",
        str(tmp_path / bad.name),
        "--problem",
        str(tmp_path / "problem.toml"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert run([*command, *bad.more]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert "expected" in said.err
    for words in bad.words:
        assert words in said.err
    assert snapshot(tmp_path) == before


def test_a_folder_that_cannot_be_written_to(tmp_path, capsys, monkeypatch):
    """Permission is refused as the system refuses it, for whoever runs this."""
    import os

    locked = tmp_path / "locked"
    locked.mkdir()
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **k: not (Path(path) == locked and mode & os.W_OK) and real(path, mode, **k)
    )
    assert run(["study", str(YARN), "--out", str(locked)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Error: ") and said.err.count("\n") == 1
    assert "without permission" in said.err
    assert list(locked.iterdir()) == []


def test_no_problem_beside_the_table(tmp_path, capsys):
    (tmp_path / "trials.csv").write_text(ROWS)
    assert run(["study", str(tmp_path / "trials.csv")]) == 2
    assert "landform init" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["study"], ["study", "--nothing"], ["studdy"], ["study", "x.csv", "--out"]])
def test_a_wrong_command_line(arguments, capsys):
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert "Error: " in said.err
    assert "Traceback" not in said.err


def test_an_interrupt_leaves_130(monkeypatch, capsys):
    from landform.formulation import Study

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "read", stop)
    assert run(["study", str(YARN)]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted."
