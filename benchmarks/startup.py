"""How long a user waits: imports, help, and a whole study from a cold process.

Every row is the median of several fresh processes, interleaved so that a busy machine slows all rows alike; what counts
is the ratio to the base of its row.

Run:  python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 7
LANDFORM = [sys.executable, "-c", "from landform.cli.main import main; main()"]

COMMANDS = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "import landform": [sys.executable, "-c", "import landform"],
    "landform --help": [*LANDFORM, "--help"],
    "import jax, sklearn": [sys.executable, "-c", "import jax, sklearn"],
    "landform study, paint": [*LANDFORM, "study", "examples/paint/trials.csv", "--quiet", "--out"],
    "landform study, yarn": [*LANDFORM, "study", "examples/yarn/trials.csv", "--quiet", "--out"],
}


def seconds(command: list[str], folder: str) -> float:
    """Wall time of one fresh process."""
    command = [*command, folder] if command[-1] == "--out" else command
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print the table."""
    took: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(REPEATS + 1):
            for name, command in COMMANDS.items():
                once = seconds(command, folder)
                if repeat:  # the first round fills the file cache
                    took[name].append(once)
    median = {name: statistics.median(times) for name, times in took.items()}
    base = median["import jax, sklearn"]
    print("| what | median [s] | × `import jax, sklearn` |\n|---|---|---|")
    for name, value in median.items():
        print(f"| {name} | {value:.3f} | {value / base:.2f} |")
    print(
        f"\nimport landform adds {median['import landform'] - median['bare interpreter']:.3f} s to a bare interpreter."
    )


if __name__ == "__main__":
    main()
