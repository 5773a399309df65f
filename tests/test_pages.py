"""The pages for users: every Python block in docs/ runs, in the order it stands, in one namespace a page.

Blocks with prompts are doctests and print what they say. Other blocks run through; where the line after a statement is
``# SomeError: its words …`` the statement is refused in these words.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import re
import sys
import textwrap
from pathlib import Path

import pytest

import landform.errors

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^( *)```python\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
REFUSED = re.compile(r"# (\w+Error): ([^…\n]*)")
NEEDS = {"torch.md": "torch"}
"""What a page is about and a machine may lack; all others may draw pictures."""
SIMULATOR = """#!{python}
import math, sys
dose, heat = map(float, sys.argv[1:])
print(math.exp(-dose) * heat)
"""
SAID = {
    "numeric.md": lambda names: names["J"].evaluations == 29 and "simulator" in names,
    "verify.md": lambda names: names["found"].words == "right",
    "global_sensitivity.md": lambda names: (
        "rank b > c > a, but the variance that inputs cause ranks a > b" in str(names["d"].warnings)
    ),
    "directions.md": lambda names: names["found"].dimension == 1,
}
"""What a page says of its results beside the code."""


def blocks(page: str) -> list[tuple[int, str]]:
    """The number of the first line, and the text, of every Python block."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [(text.count("\n", 0, one.start()) + 1, textwrap.dedent(one.group(2))) for one in BLOCK.finditer(text)]


def execute(code: str, page: str, first: int, names: dict[str, object]) -> None:
    """Run a block statement by statement, those that are refused against the words below them."""
    lines = code.splitlines()
    for statement in ast.parse(code).body:
        after = lines[statement.end_lineno] if statement.end_lineno < len(lines) else ""
        ast.increment_lineno(statement, first)
        run = compile(ast.Module([statement], []), page, "exec")
        refused = REFUSED.match(after)
        if refused is None:
            exec(run, names)
            continue
        kind = getattr(landform.errors, refused.group(1), None) or getattr(builtins, refused.group(1))
        with pytest.raises(kind, match=re.escape(refused.group(2).strip())):
            exec(run, names)


@pytest.mark.parametrize(
    "page", sorted(path.name for path in DOCS.glob("*.md") if "```python" in path.read_text("utf-8"))
)
def test_every_example_runs(page, tmp_path, monkeypatch):
    if page in NEEDS:
        pytest.importorskip(NEEDS[page], reason=f"{NEEDS[page]} is what the page is about")
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib draws pictures")
    matplotlib.use("Agg")
    program = tmp_path / "simulator"
    program.write_text(SIMULATOR.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    prompts = "".join(code for _, code in blocks(page) if ">>>" in code)
    if prompts:
        test = doctest.DocTestParser().get_doctest(prompts, {}, page, str(DOCS / page), 0)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        runner.run(test)
        assert runner.tries == len(test.examples) > 0 and not runner.failures
    for first, code in blocks(page):
        if ">>>" not in code:
            execute(code, page, first, names)
    assert page not in SAID or SAID[page](names)


def test_a_page_that_is_wrong_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "DOCS", tmp_path)
    for text, error in [
        ("```python\nx = 1\n```\n```python\nassert x == 2\n```\n", AssertionError),
        ("```python\nx = 1\n# ShapeError: expected …\n```\n", pytest.fail.Exception),
        ("```python\n>>> 1 + 1\n3\n```\n", AssertionError),
    ]:
        (tmp_path / "page.md").write_text(text)
        with pytest.raises(error):
            test_every_example_runs("page.md", tmp_path, monkeypatch)
