"""A program on the command line as a function: as docs/numeric.md shows it."""

from __future__ import annotations

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import landform
from landform.errors import DerivativeError

PROGRAM = """
import math, sys
dose, heat = map(float, sys.argv[1:])
if heat > 80.5:
    sys.exit("boiled over")
print(math.exp(-dose) * heat)
print(round(dose * heat, 5))
"""


def simulator(x, program):
    arguments = [repr(float(value)) for value in x]
    run = subprocess.run([sys.executable, str(program), *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    return np.array([float(line) for line in run.stdout.split()])


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "simulator.py"
    path.write_text(PROGRAM)
    return path


def test_a_program_that_prints_five_decimals(program):
    x, names = np.array([0.5, 80.0]), {"inputs": ("dose", "heat"), "outputs": ("yield", "cost")}
    with ThreadPoolExecutor(4) as executor:
        J = landform.jacobian(simulator, x, mode="numeric", args=(program,), executor=executor, **names)
    e = math.exp(-0.5)
    assert (np.abs(J.dense() - [[-80 * e, e], [80, 0.5]]) <= 4 * J.error()).all()
    assert J.failures and "input 'heat' moved by" in str(J.failures[0]) and "boiled over" in str(J.failures[0])
    assert J.evaluations == 29 + len(J.failures)
    # Rounding to 5 decimals: uniform, of standard deviation 1e-5 / sqrt(12).
    assert 5e-7 < J.noise[1] < 2e-5
    assert J.error()[1, 1] < 1e-6


def test_a_program_that_cannot_run(tmp_path):
    with pytest.raises(DerivativeError, match="can't open file"):
        landform.jacobian(simulator, np.array([0.5, 80.0]), mode="numeric", args=(tmp_path / "missing.py",))
