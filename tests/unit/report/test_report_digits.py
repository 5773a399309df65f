"""Numbers for people: the digits that are known, and sums that hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landform.report.digits import fixed, percent, rounded_amounts, with_interval


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        ((20.162, 19.205, 21.119), "20.16 ± 0.96"),
        ((202.3, 151.5, 253.2), "202 ± 51"),
        ((123456.0, 110000.0, 137000.0), "123000 ± 14000"),
        ((0.000123, 0.0001, 0.000146), "0.000123 ± 0.000023"),
        ((4.1, 2.0, 9.6), "4.1 (2.0 to 9.6)"),
        ((4.1, None, None), "4.1"),
        ((0.0, 0.0, 0.0), "0.00 ± 0.00"),
    ],
)
def test_intervals_say_how_many_digits(estimate, words):
    assert with_interval(dict(zip(("value", "lower", "upper"), estimate, strict=True))) == words


def test_no_probability_is_certain():
    assert percent(1.0) == "> 99.9 %"
    assert percent(0.0) == "< 0.1 %"


@given(st.floats(-1e6, 1e6), st.integers(-3, 6))
def test_zero_has_no_sign(value, decimals):
    text = fixed(value, decimals)
    assert "-" not in text
    assert text.startswith("−") <= any(c in "123456789" for c in text)


@given(st.lists(st.floats(0.001, 1.0), min_size=2, max_size=12), st.sampled_from([1.0, 100.0, 250.0]))
def test_rounded_amounts_add_to_the_total(shares, total):
    amounts = {f"i{k}": total * share / sum(shares) for k, share in enumerate(shares)}
    inputs = [{"name": name, "kind": "ingredient", "lower": 0.0, "upper": total} for name in amounts]
    shown = rounded_amounts(inputs, amounts, total)
    unit = 10.0 ** -len(([*shown["i0"].split("."), ""])[1])
    assert sum(float(text) for text in shown.values()) == pytest.approx(total, abs=1e-9 * total)
    assert all(abs(float(shown[name]) - amounts[name]) <= unit for name in amounts)
