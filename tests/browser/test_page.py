"""The report in a real Chromium, offline: it draws without a complaint, answers clicks, fits a phone, and prints.

The page is opened once per sample with a script at its end that looks, clicks where a label is, and writes down what
it saw; `--dump-dom` brings that back.
"""

import copy
import functools
import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from landform.report import page
from unit.report.samples import SAMPLES

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs chromium, chromium-browser or google-chrome")

ALL = ["answer", "recipes", "effects", "swaps", "pictures", "models", "curvature", "certificate", "data", "methods"]
WITHOUT = {
    "paint": [],
    "process": ["swaps"],
    "blends": [],
    "many": [],
    "hostile": ["recipes", "certificate"],
    "pair": ["curvature"],
}

PROBE = """
const seen = { state: { ...document.documentElement.dataset }, milliseconds: performance.now() };
const all = (what, within = document) => [...within.querySelectorAll(what)];
seen.sections = all("main > section").map((section) => section.id);
seen.headings = all("h1").length;
seen.unlabeled = all(".picture svg").filter((svg) => !svg.getAttribute("aria-label")).length;
seen.pictures = all(".picture").length;
seen.drawn = all(".picture > svg").length;
seen.empty = all(".picture > svg").filter((svg) => svg.querySelectorAll("*").length < 2).length;
seen.markup = [...new Set(all("main *, nav *").map((node) => node.tagName.toLowerCase()))];
const attributes = (node) => [...node.attributes].filter(({ value }) => /NaN|undefined|Infinity/.test(value));
seen.notNumbers = all("main *").flatMap((node) => attributes(node).map(({ name, value }) => name + "=" + value));
seen.odd = (document.querySelector("main").textContent.match(/NaN|undefined|Infinity|\\[object/g) || []);
seen.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;

function press(button) {
  button.scrollIntoView({ block: "center" });
  const box = button.getBoundingClientRect();
  const there = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  if (there !== button) return "hidden by " + (there && there.tagName);
  there.click();
  return button.getAttribute("aria-pressed");
}

const toggles = all("#effects .buttons button");
const bars = () => all("#effects .value").map((text) => text.textContent).join();
if (toggles.length > 1) {
  const before = bars(), state = press(toggles[1]), after = bars();
  const back = press(toggles[0]);
  seen.toggle = { pressed: state, other: toggles[1].getAttribute("aria-pressed"), changed: before !== after,
    restored: back === "true" && bars() === before };
}
const layers = all("#pictures .buttons button");
if (layers.length > 1) {
  const shapes = () => all("#pictures .bands path").map((path) => path.getAttribute("d")).join();
  const before = shapes();
  seen.layer = { pressed: press(layers[1]), changed: before !== shapes() };
}
const more = document.querySelector(".more");
seen.rows = all("table.trials tbody tr").length;
if (more) { seen.more = press(more); seen.rowsThen = all("table.trials tbody tr").length; }

const screen = document.querySelectorAll("main *").length;
window.dispatchEvent(new Event("beforeprint"));
seen.paper = { pictures: all(".picture").length, drawn: all(".picture > svg").length,
  small: all(".picture").filter((frame) => frame.clientWidth < 60).length };
window.dispatchEvent(new Event("afterprint"));
seen.afterPaper = document.querySelectorAll("main *").length - screen;
seen.stateThen = { ...document.documentElement.dataset };
const out = document.createElement("template-seen");
out.textContent = JSON.stringify(seen);
document.body.append(out);
"""

PHONE = """
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {
  const inside = frame.contentDocument, root = inside.documentElement;
  const out = document.createElement("template-seen");
  const small = [...inside.querySelectorAll(".picture")].filter((node) => node.clientWidth > root.clientWidth).length;
  out.textContent = JSON.stringify({ drawn: root.dataset.drawn, wide: root.scrollWidth - root.clientWidth, small });
  document.body.append(out);
});
frame.srcdoc = document.getElementById("source").textContent;
"""


def chromium(*arguments, profile):
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0", f"--user-data-dir={profile}",
        *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, complaints


def opened(text, *, width=1280):
    """What the script in a page wrote down, and what the console said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(text, encoding="utf-8")
        dom, complaints = chromium(
            f"--window-size={width},1000", "--dump-dom", path.as_uri(), profile=Path(folder) / "profile"
        )
    (seen,) = re.findall(r"<template-seen>(.*?)</template-seen>", dom, flags=re.DOTALL)
    return json.loads(html.unescape(seen)), complaints


def probed(results):
    text, probe = page(results), f"<script>{{{PROBE}}}</script></body>"
    return opened(text.replace("</body>", probe))


@functools.cache
def seen_in(name):
    return probed(SAMPLES[name]())


@pytest.fixture(params=SAMPLES)
def sample(request):
    return request.param


@pytest.fixture
def seen(sample):
    return seen_in(sample)[0]


def test_the_console_is_silent(sample):
    assert seen_in(sample)[1] == []


def test_it_is_drawn_without_a_fault(seen):
    assert seen["state"] == {"drawn": "yes"}
    assert seen["stateThen"] == {"drawn": "yes"}


def test_every_section_with_content_is_there_in_order(sample, seen):
    assert seen["sections"] == [name for name in ALL if name not in WITHOUT[sample]]
    assert seen["headings"] == 1


def test_every_picture_is_drawn_and_named(seen):
    assert seen["pictures"] == seen["drawn"] > 0
    assert seen["unlabeled"] == 0
    assert seen["empty"] == 0


def test_no_number_is_missing_in_a_picture(seen):
    assert seen["notNumbers"] == []
    assert seen["odd"] == []


def test_names_stay_text(seen):
    assert not {"script", "img", "b-", "iframe"} & set(seen["markup"])


def test_the_toggle_changes_the_bars_and_back(seen):
    assert (seen["toggle"]["pressed"], seen["toggle"]["other"]) == ("true", "false")
    assert seen["toggle"]["changed"]
    assert seen["toggle"]["restored"]


@pytest.mark.parametrize("name", ["paint", "process", "blends", "many"])
def test_another_layer_is_another_picture(name):
    assert seen_in(name)[0]["layer"] == {"pressed": "true", "changed": True}


def test_many_trials_come_in_two_helpings():
    seen = seen_in("blends")[0]
    assert (seen["rows"], seen["rowsThen"]) == (200, 1040)
    assert seen_in("paint")[0]["rows"] == 19


def test_paper_shows_more_and_is_put_back(seen):
    assert seen["paper"]["drawn"] == seen["paper"]["pictures"] >= seen["pictures"]
    assert seen["paper"]["small"] == 0
    assert seen["afterPaper"] == 0


def test_nothing_sticks_out_of_a_wide_window(seen):
    assert seen["overflow"] <= 0


@pytest.mark.parametrize("name", ["paint", "process", "many", "hostile"])
def test_a_phone_sees_all_of_it(name):
    source = json.dumps(page(SAMPLES[name]())).replace("<", "\\u003c")
    seen, complaints = opened(
        "<!doctype html><meta charset=utf-8><body style='margin:0'>"
        "<iframe style='border:0;width:380px;height:800px'></iframe>"
        f"<script type='application/json' id='source'></script><script>"
        f"document.getElementById('source').textContent = {source};{PHONE}</script></body>"
    )
    assert complaints == []
    assert seen == {"drawn": "yes", "wide": 0, "small": 0}


def test_a_part_that_cannot_be_drawn_leaves_the_others():
    results = copy.deepcopy(SAMPLES["paint"]())
    del results["effects"][0]["estimate"]
    seen, complaints = probed(results)
    assert seen["state"]["drawn"] == "with faults"
    assert "What moves what" in seen["state"]["error"]
    assert [name for name in ALL if name != "effects"] == [name for name in seen["sections"] if name]
    assert complaints


@pytest.mark.parametrize("name", ["paint", "many", "hostile"])
def test_it_prints(name, tmp_path):
    (tmp_path / "page.html").write_text(page(SAMPLES[name]()), encoding="utf-8")
    _, complaints = chromium(
        "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}", (tmp_path / "page.html").as_uri(),
        profile=tmp_path / "profile",
    )  # fmt: skip
    assert complaints == []
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
