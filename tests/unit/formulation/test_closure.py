"""Closing sums: what rounding explains is closed and said, what it does not is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landform.errors import TableError
from landform.formulation.closure import Printed, close, half_units
from unit.formulation.published import paint


def printed(amounts: list[list[float]], decimals: int | list[int] = 2) -> Printed:
    values = np.array(amounts)
    n, q = values.shape
    places = [decimals] * q if isinstance(decimals, int) else decimals
    labels = tuple(f"row {i}" for i in range(2, n + 2))
    return Printed(values, half_units(places), tuple("abcdef"[:q]), np.arange(2, n + 2), labels, "t.csv")


def test_paint_gets_its_thirds_back() -> None:
    trials = paint()
    third = {0.33: 1 / 3, 0.43: 13 / 30, 0.18: 11 / 60}
    assert [closure.row for closure in trials.closures] == [12, 13, 14, 15]
    for closure in trials.closures:
        assert closure.sum == pytest.approx(0.99)
        assert len(closure.changes) == 3
        for _, before, after in closure.changes:
            assert after == pytest.approx(third[before], abs=1e-12)
        assert "0.99" in closure.words
    np.testing.assert_allclose(trials.X.sum(axis=1), 1.0, atol=1e-15)
    assert trials.X[10] == pytest.approx([0.05, 1 / 3, 13 / 30, 11 / 60], abs=1e-12)


def test_paint_as_written() -> None:
    trials = paint(trials={"closure": "none"})
    assert [closure.changes for closure in trials.closures] == [()] * 4
    assert trials.X[10].sum() == pytest.approx(0.99)
    assert "used as written" in trials.closures[0].words


def test_float_noise_is_no_news() -> None:
    amounts, closures = close(printed([[0.1, 0.2, 0.7], [0.3333333, 0.3333333, 0.3333333]], 7), 1.0)
    assert closures == ()
    np.testing.assert_allclose(amounts.sum(axis=1), 1.0, atol=1e-15)


def test_shared_by_half_units_where_no_cell_is_known_to_be_rounded() -> None:
    amounts, closures = close(printed([[0.5, 0.5, 0.0], [0.5, 0.495, 0.0]], [2, 3, 2]), 1.0)
    assert closures[0].changes == (("b", 0.495, pytest.approx(0.5)),) or closures[0].sum == pytest.approx(0.995)
    assert amounts[1].sum() == pytest.approx(1.0, abs=1e-15)
    assert amounts[1, 2] == 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([0.30, 0.30, 0.30], "correct the amount"),
        ([0.35, 0.35, 0.35], "correct the amount"),
        ([0.20, 0.50, 0.03], "c 0.3 in place of 0.03"),
    ],
)
def test_more_than_rounding_is_refused(row: list[float], words: str) -> None:
    with pytest.raises(TableError) as caught:
        close(printed([[0.2, 0.3, 0.5], [0.1, 0.3, 0.6], row]), 1.0)
    message = str(caught.value)
    assert message.startswith("t.csv, row 4: expected ingredients that add to 1 within 0.015")
    assert f"{sum(row):.6g}" in message
    assert words in message


def test_wrong_total_is_suggested() -> None:
    with pytest.raises(TableError, match=r"set `total` to what all rows add to, 100"):
        close(printed([[20, 80], [30, 70], [45, 55]]), 1.0)


def test_wrong_total_is_suggested_where_a_shifted_point_would_close_the_row_too() -> None:
    # Each row's first amount times 100 and the second as it is come within rounding of 100 here.
    amounts = [[1.0, 0.0], [0.998, 0.002], [0.999, 0.001]]
    with pytest.raises(TableError, match=r"set `total` to what all rows add to, 1,"):
        close(printed(amounts, 3), 100.0)


ROWS = st.lists(
    st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(lambda row: sum(x > 0 for x in row) > 1),
    min_size=1,
    max_size=6,
)


@given(rows=ROWS, total=st.sampled_from([1.0, 100.0, 250.0]), decimals=st.integers(1, 3))
def test_closing_rounded_amounts(rows: list[list[int]], total: float, decimals: int) -> None:
    shares = np.array(rows, dtype=float)
    exact = total * shares / shares.sum(axis=1, keepdims=True)
    rounded = printed(np.round(exact, decimals).tolist(), decimals)
    if (rounded.amounts > 0).sum(axis=1).min() < 2:
        return
    hidden = np.abs(np.where(rounded.amounts == 0, exact, 0.0)).sum(axis=1)
    if hidden.max() > 0:  # an amount that rounds to nothing counts as absent
        return
    amounts, _ = close(rounded, total)
    half = 0.5 * 10.0**-decimals
    np.testing.assert_allclose(amounts.sum(axis=1), total, rtol=1e-14)
    assert np.all(amounts[rounded.amounts == 0] == 0)
    assert np.all(np.abs(amounts - rounded.amounts) <= half * (1 + 1e-6) + 1e-9 * total)
