"""Wall time and peak memory of whole studies, each in a fresh process.

The four-polymer blends (1,040 trials) and the concrete slump table are read from ../shared/data where that exists; the
project does not carry them.

Run:  python benchmarks/study.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
REPEATS = 3

BLENDS = """total = 1.0
[ingredients.mat_1]
[ingredients.mat_2]
[ingredients.mat_3]
[ingredients.mat_4]
[properties.degradation]
goal = "minimize"
"""

SLUMP = """[trials]
id = "No"
[factors.Cement]
[factors.Slag]
[factors."Fly ash"]
[factors.Water]
[factors.SP]
[factors."Coarse Aggr."]
[factors."Fine Aggr."]
[properties.SLUMP]
goal = "target"
target = 15
[properties.FLOW]
[properties."Compressive Strength (28-day)"]
goal = "maximize"
"""


def cases(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Tables and problems that are there."""
    found = {
        "paint, 19 trials, 2 properties": (ROOT / "examples/paint/trials.csv", ROOT / "examples/paint/problem.toml"),
        "yarn, 15 trials, 1 property": (ROOT / "examples/yarn/trials.csv", ROOT / "examples/yarn/problem.toml"),
    }
    for name, table, text in (
        ("concrete slump, 103 trials, 3 properties", "concrete_slump.csv", SLUMP),
        ("blends, 1,040 trials, 1 property", "photo_pce10.csv", BLENDS),
    ):
        if (DATA / table).exists():
            problem = folder / f"{table}.toml"
            problem.write_text(text)
            found[name] = (DATA / table, problem)
    return found


MEASURED = (
    "import resource, sys; from landform.cli.main import run; code = run(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
)


def measure(table: Path, problem: Path, out: Path) -> tuple[float, float, float]:
    """Wall time [s], processor time [s] and peak memory [MiB] of one fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [
        sys.executable,
        "-c",
        MEASURED,
        "study",
        str(table),
        "--problem",
        str(problem),
        "--out",
        str(out),
        "--quiet",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, float(done.stderr.split()[-1]) / 1024


def main() -> None:
    """Measure, and print the table."""
    print("| study, cold process | wall [s] | processor [s] | peak memory [MiB] |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for words, (table, problem) in cases(folder).items():
            rows = [measure(table, problem, folder / "out") for _ in range(REPEATS)]
            wall, cpu, memory = (statistics.median(column) for column in zip(*rows, strict=True))
            print(f"| {words} | {wall:.1f} | {cpu:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
