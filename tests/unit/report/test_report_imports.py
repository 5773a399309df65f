"""The report draws from a dictionary: nothing heavy comes along."""

import subprocess
import sys


def test_importing_the_report_imports_nothing_heavy():
    heavy = {"jax", "sklearn", "scipy", "pandas", "matplotlib", "numpy"}
    code = f"import sys, landform.report; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
