"""Without matplotlib `.plot()` says how to get it; with it every finding that has a picture gives a figure."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from landform.derivatives import jacobian
from landform.errors import OutputError
from landform.findings import Bars
from landform.formulation import Study
from unit.formulation.published import YARN


@pytest.fixture(scope="module")
def findings():
    return Study.read(YARN, YARN.with_name("problem.toml")).run()


@pytest.fixture
def no_matplotlib(monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] in ("matplotlib", "mpl_toolkits")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.mark.parametrize("part", [lambda f: f, lambda f: f.effects, lambda f: f.shape, lambda f: f.surrogates[0]])
def test_without_it_the_install_command_is_named(findings, part, no_matplotlib):
    with pytest.raises(OutputError, match=r"pip install .*landform\[plot\]") as caught:
        part(findings).plot()
    assert "matplotlib" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_it_everything_else_works(no_matplotlib):
    found = Study.read(YARN, YARN.with_name("problem.toml")).run()
    assert found.to_frame().shape[0] == len(found.recipes)
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize("part", [lambda f: f, lambda f: f.effects, lambda f: f.shape, lambda f: f.surrogates[0]])
def test_with_it_a_figure_comes(findings, part, tmp_path):
    from matplotlib.figure import Figure

    figure = part(findings).plot()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == len(part(findings).pictures())
    figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5000


def test_bars_stand_where_the_numbers_are(findings):
    """The first label on top, each bar as long as its value."""
    (bars,) = findings.effects.pictures()
    assert isinstance(bars, Bars)
    (ax,) = findings.effects.plot().axes
    assert [round(p.get_width(), 12) for p in ax.patches] == [round(v, 12) for v in bars.values]
    assert [t.get_text() for t in ax.get_yticklabels()] == list(bars.labels)
    assert ax.yaxis_inverted()


@pytest.mark.parametrize("part", ["recipes", "jacobian"])
def test_a_finding_without_a_picture_says_so(findings, part):
    one = findings.recipes[0] if part == "recipes" else jacobian(lambda x: x[:2], np.ones(3))
    with pytest.raises(OutputError, match="to_frame"):
        one.plot()


def test_plotting_needs_no_display_and_leaves_pyplot_alone():
    code = (
        "import sys, os; os.environ.pop('DISPLAY', None)\n"
        "from landform.findings.pictures import Bars, Scatter, Contour, draw\n"
        "pictures = [Bars(['a', 'b'], [1.0, -2.0], [0.5, None], [1.5, None]),\n"
        "            Scatter([1.0, 2.0], [1.1, 1.9], [1.0, None], [1.2, None]),\n"
        "            Contour([(0, 0), (1, 0), (0, 1)], [(0, 1, 2)], [1.0, 2.0, 3.0], marks=[(0.2, 0.2)])]\n"
        "draw(pictures).canvas.draw()\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
