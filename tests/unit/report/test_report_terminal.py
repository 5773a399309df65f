"""The terminal summary: readable at 80 and 120 columns, in a pipe, and with any name."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from landform.report import print_summary
from unit.report.samples import HOSTILE, SAMPLES


def printed(name, width=80, *, color=False, files=()):
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=color, color_system="standard" if color else None)
    print_summary(SAMPLES[name](), console, files=files)
    return out.getvalue()


GOLDEN = """
 trials.csv · 19 trials
 Make TiO2 0.308, vehicle 0.342, extender A 0.3, extender B 0.05.
 One new batch is within all limits with probability 100%.

 Recipe
 input        amount                                limits
 ─────────────────────────────────────────────────────────
 TiO2          0.308   ━━━━━━━━━━━━╌╌╌╌╌╌   0.050 to 0.450
 vehicle       0.342   ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌   0.200 to 0.600
 extender A    0.300   ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌   0.300 to 0.700
 extender B    0.050   ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌   0.050 to 0.450

 What to expect
 property        mean, 95 %   one new batch   wanted                   in limits
 ───────────────────────────────────────────────────────────────────────────────
 hiding        20.16 ± 0.96    18.6 to 21.7   maximize, ≥ 10            > 99.9 %
 scrub      202 ± 51 cycles      121 to 283   minimize, ≤ 400 cycles    > 99.9 %
"""


def test_golden_beginning():
    lines = [line.rstrip() for line in printed("paint").splitlines()]
    assert lines[: len(GOLDEN.splitlines())] == GOLDEN.rstrip().splitlines()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", SAMPLES)
def test_it_fits(name, width):
    assert max(len(line.rstrip()) for line in printed(name, width).splitlines()) <= width


def test_a_pipe_gets_no_escapes():
    assert "\x1b" not in printed("paint")
    assert "\x1b" in printed("paint", color=True)


def test_parts_stand_in_order():
    text = printed("paint", files=[Path("out/report.html"), Path("out/tables/effects.csv")])
    parts = ["Recipe", "What to expect", "certificate", "What matters most", "How well", "Keep in mind", "Written"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "out/report.html" in text
    assert "out/tables/*.csv (1 tables)" not in text
    assert "out/tables/*.csv (1 table)" in text


def test_names_are_not_markup():
    text = printed("hostile", 200)
    assert "<img src=x onerror=alert(1)>" in text
    results = dict(SAMPLES["pair"]())
    results["summary"] = results["summary"] | {"make": "Make [bold]x[/bold] :smile: [/]"}
    out = io.StringIO()
    print_summary(results, Console(file=out, width=80))
    assert "Make [bold]x[/bold] :smile: [/]" in out.getvalue()
    assert HOSTILE


def test_without_a_recipe_it_says_why():
    text = printed("hostile")
    assert "No recipe can be offered" in text
    assert "What to expect" not in text


def test_what_is_not_predictable_is_said_in_words():
    assert "✗ odor score: No model predicts it better than its mean." in printed("many", 120)


def test_printed_amounts_add_to_the_total():
    results = SAMPLES["many"]()
    lines = printed("many", 200).splitlines()
    start = next(k for k, line in enumerate(lines) if line.strip().startswith("input"))
    amounts = [float(line.split(" %   ")[0].split()[-1]) for line in lines[start + 2 : start + 14]]
    assert len(amounts) == 12
    assert sum(amounts) == pytest.approx(results["total"])
