"""The doors: calls of the room, refusals in one sentence each, tables, words and pictures."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

import landform
from landform.errors import OutputError, ShapeError
from landform.findings import Bars, Biplot, Scatter, Shades

GOOD = np.random.default_rng(0).standard_normal((30, 3)) * [3.0, 1.0, 1.0]


def frame(**changes):
    table = pd.DataFrame(GOOD, columns=["length", "width", "height"])
    return table.assign(**changes)


REFUSED = [
    (lambda: frame(width=[np.nan] + [1.0] * 29), "got nan in row 0, column width"),
    (lambda: [GOOD, np.where(np.arange(6).reshape(2, 3) == 4, np.inf, 1.0)], "got inf in row 31, column x1"),
    (lambda: frame(width=["wide"] * 30), "got 'wide' in row 0, column width"),
    (lambda: [GOOD, np.ones((4, 2))], r"rows of 3 columns, got shape \(4, 2\) from row 30 on"),
    (lambda: [frame(), frame()[["width", "length", "height"]]], "column length at place 1, got 'width'"),
    (lambda: [frame(), frame().rename(columns={"width": "girth"})], "column width at place 2, got 'girth'"),
    (lambda: GOOD[:2], "three rows or more, got 2"),
    (lambda: np.ones((8, 3)), "rows that differ"),
    (lambda: GOOD[:, 0], r"a table of rows and columns, got shape \(30,\)"),
    (lambda: "trials.csv", "a table of rows and columns"),
    (lambda: None, "a table of rows and columns"),
    (list, "a table of rows and columns"),
    (lambda: iter([]), "batches of rows, got none"),
    (lambda: GOOD * 1e200, "numbers whose squares are finite"),
    (lambda: GOOD + 1j, "real numbers, got dtype complex128"),
]


@pytest.mark.parametrize(("data", "said"), REFUSED)
def test_data_are_refused_in_one_sentence(data, said):
    with pytest.raises(ShapeError, match=said) as caught:
        landform.directions(data())
    assert "\n" not in str(caught.value)


SETTINGS = [
    ({"count": 0}, "a number of directions from 1, got 0"),
    ({"count": 4}, "at most 3 directions, as 30 rows of 3 columns have, got count=4"),
    ({"scale": "variance"}, "got 'variance'"),
    ({"errors": "exact"}, "got 'exact'"),
    ({"level": 95}, "argument level: expected a number between 0 and 1, got 95"),
    ({"names": ["a", "b"]}, "3 names, got 2"),
    ({"names": ["a", "b", "a"]}, "'a' twice"),
]


@pytest.mark.parametrize(("settings", "said"), SETTINGS)
def test_settings_are_refused_in_one_sentence(settings, said):
    with pytest.raises(ShapeError, match=said):
        landform.directions(GOOD, **settings)


def test_a_constant_column_is_named_where_it_cannot_be_scaled():
    with pytest.raises(ShapeError, match="a constant column width"):
        landform.directions(frame(width=0.1), scale="correlation")
    assert landform.directions(frame(width=0.1)).count == 3


def test_the_room_answers_calls():
    assert inspect.signature(landform.directions) == inspect.signature(landform.directions.principal_directions)
    assert landform.directions(GOOD).count == 3


def test_words_and_notes():
    wine = load_wine(as_frame=True).data
    found = landform.directions(wine, scale="correlation", count=5)
    assert found.words.startswith("Direction 1 carries 36.2 % of the variation and stands alone, known to 6.4°. Mostly")
    assert "cannot be told apart from the next one: ask for more directions" in found.words
    assert "Column proline alone has most of the variance" in landform.directions(wine).words
    round_cloud = np.random.default_rng(1).standard_normal((500, 3))
    assert "no direction stands out" in landform.directions(round_cloud).words


def test_tables():
    found = landform.directions(frame())
    loadings = found.to_frame()
    assert list(loadings.columns) == [
        "direction", "column", "loading", "standard_error", "lower", "upper", "alone", "span"
    ]  # fmt: skip
    assert list(loadings["column"][:3]) == ["length", "width", "height"]
    np.testing.assert_allclose(loadings["loading"].to_numpy().reshape(3, 3).T, found.loadings)
    values = found.eigenvalues_to_frame()
    assert np.all((values["lower"] < values["eigenvalue"]) & (values["eigenvalue"] < values["upper"]))
    assert values["share"].sum() == pytest.approx(1)
    spans = found.spans_to_frame()
    assert spans.groupby("span")["within"].sum().tolist() == pytest.approx([len(s.members) for s in found.spans])
    assert "<table" in found._repr_html_()
    with pytest.raises(ShapeError, match="a direction from 1 to 3, got 4"):
        found.span_of(4)


def test_pictures(tmp_path):
    found = landform.directions(frame())
    scree, first, biplot = found.pictures()
    assert (type(scree), type(first), type(biplot)) == (Bars, Bars, Biplot)
    assert scree.labels == ["1", "2 *", "3 *"]
    assert first.labels[0] == "length"
    figure = found.plot()
    figure.savefig(tmp_path / "directions.png")
    assert len(figure.axes[2].texts) == 6  # an arrow and a name each
    influence = found.influence()
    assert influence.plot().axes[0].get_xlabel() == "turn if left out, degrees"
    active = landform.active_subspace(lambda x: x[0] ** 2 / 9 + x[1], GOOD)
    assert [type(p) for p in active.pictures()] == [Bars, Bars, Shades]
    assert type(landform.active_subspace(lambda x: 2.0 * x[0] + x[1], GOOD).pictures()[-1]) is Scatter
    active.plot().savefig(tmp_path / "active.png")


def test_a_finding_without_matplotlib_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(OutputError, match=r"landform\[plot\]"):
        landform.directions(GOOD).plot()
