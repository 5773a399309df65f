"""`report.html`: one file, nothing from outside, and no name of the user's that could become markup."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import landform.report
from landform.errors import OutputError
from landform.report import page, write_report
from landform.report.html import SCRIPTS
from unit.report.samples import HOSTILE, SAMPLES

PAGE = Path(landform.report.__file__).parent / "page"


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.inside, self.texts = [], None, {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = len(self.tags) - 1

    def handle_data(self, data):
        self.texts[self.inside] = self.texts.get(self.inside, "") + data

    def findings(self):
        (k,) = [k for k, (tag, attributes) in enumerate(self.tags) if attributes.get("id") == "findings"]
        return json.loads(self.texts[k])


@pytest.mark.parametrize("name", SAMPLES)
def test_findings_survive_the_page(name):
    assert Elements(page(SAMPLES[name]())).findings() == SAMPLES[name]()


def test_no_name_becomes_markup():
    kinds = [[tag for tag, _ in Elements(page(SAMPLES[name]())).tags] for name in ("paint", "hostile")]
    assert kinds[0] == kinds[1]
    assert HOSTILE[0] not in page(SAMPLES["hostile"]())


def test_title_is_escaped():
    assert "<title>&lt;trials &amp; &#x27;co&#x27;&gt;.csv" in page(SAMPLES["hostile"]())


def test_words_that_look_like_places_to_fill_are_left_alone():
    results = dict(SAMPLES["pair"]())
    results["methods"] = {"mean": "/*SCRIPT*/ %TITLE% /*STYLE*/ \u2028"}
    assert Elements(page(results)).findings()["methods"]["mean"] == "/*SCRIPT*/ %TITLE% /*STYLE*/ \u2028"


def test_nothing_comes_from_outside():
    text = page(SAMPLES["pair"]())
    for tag, attributes in Elements(text).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert "src" not in attributes
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", text))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text
    assert "@import" not in text and "url(" not in (PAGE / "page.css").read_text(encoding="utf-8")


def test_scripts_never_write_markup():
    for path in PAGE.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "import("):
            assert word not in text, f"{path.name}: {word}"


def test_every_script_is_in_the_page_and_short():
    assert sorted(SCRIPTS) == sorted(path.name for path in PAGE.glob("*.js"))
    for path in PAGE.glob("*.js"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 350, path.name


def test_without_javascript_it_says_what_to_do():
    assert "Allow JavaScript" in page(SAMPLES["pair"]())


def test_the_same_findings_give_the_same_page():
    assert page(SAMPLES["paint"]()) == page(json.loads(json.dumps(SAMPLES["paint"]())))


def test_a_number_that_is_none_writes_no_page(tmp_path):
    results = dict(SAMPLES["pair"]()) | {"level": float("nan")}
    with pytest.raises(OutputError, match="level: expected a finite number"):
        write_report(results, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
