"""Without PyTorch everything else works, and its door says how to get it."""

from __future__ import annotations

import subprocess
import sys

BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, Block())
import numpy as np
import landform
"""


def blocked(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKED + code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_door_names_the_install_command():
    code = (
        "from landform.errors import ModelError\n"
        "try: landform.from_torch(None, None)\n"
        "except ModelError as error: print(error)"
    )
    said = blocked(code)
    assert 'pip install "landform[torch]"' in said
    assert "no package 'torch'" in said
    assert "\n" not in said


def test_everything_else_works():
    code = (
        "J = landform.jacobian(lambda x: x[:2] * x[2], np.array([2.0, 3.0, 5.0]))\n"
        "H = landform.hessian(lambda x: (x ** 3).sum(), np.ones(2))\n"
        "print(J.dense().tolist(), H.dense().tolist(), landform.verify(lambda x: x ** 2, np.ones(2)).correct)"
    )
    assert blocked(code) == "[[5.0, 0.0, 2.0], [0.0, 5.0, 3.0]] [[6.0, 0.0], [0.0, 6.0]] True"


def test_a_jax_user_never_imports_it():
    code = (
        "import sys, numpy as np, landform\n"
        "landform.hessian(lambda x: (x ** 3).sum(), np.ones(2)).dense()\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
