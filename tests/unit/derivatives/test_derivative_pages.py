"""The examples on the pages about numeric derivatives and verification run as they are printed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
SIMULATOR = """#!{python}
import math, sys
dose, heat = map(float, sys.argv[1:])
print(math.exp(-dose) * heat)
"""


@pytest.mark.parametrize("page", ["numeric.md", "verify.md"])
def test_every_example_runs(page, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib draws pictures")
    program = tmp_path / "simulator"
    program.write_text(SIMULATOR.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    if page == "numeric.md":
        assert names["J"].evaluations == 29 and "simulator" in names
    else:
        assert names["found"].words == "right"
