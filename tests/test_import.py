"""``import landform`` is light, exports what it says, changes nothing global; fresh interpreters prove it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import landform

HEAVY = ("torch", "jax", "jaxlib", "sklearn", "pandas", "scipy", "numpy", "matplotlib", "pydantic", "rich", "click")


def python(code: str) -> str:
    """What a fresh interpreter prints; warnings are errors in it."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_brings_no_framework():
    loaded = python(f"import sys, landform; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert loaded == "[]"


def test_the_command_line_starts_without_a_framework():
    code = (
        "import sys, contextlib, io\n"
        "from landform.cli.main import run\n"
        "with contextlib.redirect_stdout(io.StringIO()): run(['--help'])\n"
        "print([m for m in ('jax', 'sklearn', 'pandas', 'scipy') if m in sys.modules])"
    )
    assert python(code) == "[]"


def test_exported_names_are_pinned():
    names = [
        "Study",
        "active_subspace",
        "argmin",
        "certify",
        "chain",
        "descend",
        "directions",
        "distill",
        "fisher",
        "fit",
        "from_sklearn",
        "from_torch",
        "gauss_newton",
        "global_sensitivity",
        "hessian",
        "hypergradient",
        "jacobian",
        "kronecker",
        "landscape",
        "laplacian",
        "minimize",
        "noise_level",
        "prepare",
        "secant",
        "sensitivity",
        "shapley_values",
        "study",
        "taylor",
        "tune",
        "verify",
    ]
    assert landform.__all__ == ["__version__", *names]
    assert dir(landform) == sorted(landform.__all__)
    for name in names:
        assert callable(getattr(landform, name))


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'jacobain'"):
        landform.jacobain  # noqa: B018


def test_names_are_what_their_rooms_hold():
    from landform.derivatives import jacobian
    from landform.formulation import Study

    assert landform.jacobian is jacobian
    assert landform.Study is Study


GLOBALS = """
import warnings, numpy as np
import jax, sklearn.gaussian_process, sklearn.linear_model, scipy.optimize, pandas
np.seterr(all="warn", over="raise")
filters, state = list(warnings.filters), np.geterr()
shown = warnings.showwarning
random = np.random.get_state()[1].tolist()
{work}
assert jax.config.jax_enable_x64 is False, "x64"
assert jax.config.jax_platforms in (None, "", "cpu"), "platform"
assert np.geterr() == state, "numpy's error state"
assert np.random.get_state()[1].tolist() == random, "numpy's random state"
assert warnings.showwarning is shown
print(jax.numpy.ones(1).dtype)
"""


def test_work_changes_nothing_global():
    """Landform's own work; what JAX, scikit-learn and pandas do when they are first imported is theirs."""
    work = (
        "import landform\n"
        "landform.jacobian(lambda x: x[:2] * x[2], np.ones(3)).dense()\n"
        "landform.hessian(lambda x: x @ x, np.ones(3)).dense()\n"
        "landform.Study.read('examples/yarn/trials.csv', 'examples/yarn/problem.toml').run().to_dict()\n"
        "assert list(warnings.filters) == filters, 'filters'"
    )
    assert python(GLOBALS.format(work=work)) == "float32"
