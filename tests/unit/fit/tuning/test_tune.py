"""`tune` for losses of one's own: closed forms, agreement of its ways, what it refuses, what the finding can do."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import landform
from landform.errors import DerivativeError, ModelError, ShapeError

RNG = np.random.default_rng(1)
X, HELD = RNG.standard_normal((30, 5)), RNG.standard_normal((30, 5))
TRUE = np.array([2.0, -1.0, 0.0, 0.0, 0.5])
Y, HELD_Y = X @ TRUE + RNG.standard_normal(30), HELD @ TRUE + RNG.standard_normal(30)


def inner(w, h):
    return 0.5 * jnp.sum((X @ w - Y) ** 2) + 0.5 * jnp.sum(h["alpha"] * w**2)


def outer(w, h):
    return jnp.mean((HELD @ w - HELD_Y) ** 2)


def response(alpha):
    """The outer loss in NumPy alone."""
    w = np.linalg.solve(X.T @ X + np.diag(alpha * np.ones(5)), X.T @ Y)
    return np.mean((HELD @ w - HELD_Y) ** 2)


@pytest.fixture(scope="module")
def single():
    return landform.tune(inner, outer, np.zeros(5), {"alpha": 1.0}, bounds={"alpha": (1e-4, 1e4)}, scale="log")


def test_one_penalty_is_where_brent_finds_it(single):
    found = minimize_scalar(lambda z: response(np.exp(z)), bounds=(-5, 5), method="bounded", options={"xatol": 1e-10})
    assert single.certified and single.certificate.nature == "strict minimum"
    assert float(single.x["alpha"]) == pytest.approx(np.exp(found.x), rel=1e-5)
    assert single.value == pytest.approx(found.fun, rel=1e-12)
    np.testing.assert_allclose(
        single.parameters, np.linalg.solve(X.T @ X + float(single.x["alpha"]) * np.eye(5), X.T @ Y), rtol=1e-10
    )
    assert single.solves < 20


def test_how_exactly_it_must_be_met_is_measured(single):
    row = single.within(0.02).iloc[0]
    assert response(row["to"]) == pytest.approx(1.02 * single.value, rel=1e-5)
    assert row["from"] == pytest.approx(1e-4, rel=1e-12) and response(1e-4) < 1.02 * single.value  # a bound comes first
    near = single.within(1e-6).iloc[0]
    assert response(near["from"]) == pytest.approx((1 + 1e-6) * single.value, rel=1e-9)
    assert 1e-4 < near["from"] < near["value"] < near["to"] < row["to"]
    whole = single.within(1e9).iloc[0]
    assert (whole["from"], whole["to"]) == pytest.approx((1e-4, 1e4), rel=1e-12)
    with pytest.raises(ShapeError, match="a positive rise"):
        single.within(0.0)


def test_the_finding_as_tables_pictures_and_words(single):
    assert single.table().columns.tolist() == ["hyperparameter", "value", "slope", "error", "held by"]
    history = single.history
    assert len(history) == single.solves
    assert history["outer loss"].min() == pytest.approx(single.value, rel=1e-14)
    assert history["alpha"].iloc[0] == 1.0
    check = single.gradient_check(at={"alpha": 0.3}).iloc[0]
    assert abs(check["hypergradient"] - check["differences"]) <= check["its error"] + check["their error"] + 1e-9
    assert abs(check["hypergradient"]) > 1e-3
    assert "strict minimum" in single._repr_html_()
    assert "alpha" in repr(single)
    pytest.importorskip("matplotlib", reason="matplotlib draws pictures")
    assert len(single.plot().axes) == 2
    assert single.require() is single


@pytest.fixture(scope="module")
def many():
    """One penalty per coefficient, by three ways."""
    ways = [{}, {"curvature": "learned"}, {"solver": "products"}]
    start = {"alpha": np.ones(5)}
    return [landform.tune(inner, outer, np.zeros(5), start, bounds=(1e-3, 1e5), scale="log", **w) for w in ways]


def test_a_penalty_for_every_coefficient(many):
    exact, learned, _ = many
    for found in many:
        assert found.certified
        np.testing.assert_allclose(found.x["alpha"], exact.x["alpha"], rtol=1e-5)
    assert exact.value == pytest.approx(response(exact.x["alpha"]), rel=1e-12)
    assert exact.solves < learned.solves
    held = exact.table()["held by"].tolist()
    assert set(held) <= {"", "lower", "upper"} and any(held)
    free = [i for i, h in enumerate(held) if not h]
    for i in range(5):
        for factor in (0.98, 1.02):
            beside = np.array(exact.x["alpha"])
            beside[i] = np.clip(beside[i] * factor, 1e-3, 1e5)
            assert response(beside) >= exact.value - 1e-14
    assert free


def test_more_hyperparameters_than_a_grid_could_hold():
    """40 coefficients of which 36 are zero: a penalty for each beats the best single one on rows never seen."""
    rng = np.random.default_rng(0)
    true = np.where(np.arange(40) < 4, 1.0, 0.0)
    rows = [rng.standard_normal((60, 40)) for _ in range(3)]
    sets = [(A, A @ true + rng.standard_normal(60)) for A in rows]

    def fitted(w, h):
        return 0.5 * jnp.sum((sets[0][0] @ w - sets[0][1]) ** 2) + 0.5 * jnp.sum(h * w**2)

    def judged(w, h):
        return jnp.mean((sets[1][0] @ w - sets[1][1]) ** 2)

    each = landform.tune(fitted, judged, np.zeros(40), np.ones(40), bounds=(1e-2, 1e4), scale="log")
    one = landform.tune(fitted, judged, np.zeros(40), np.array(1.0), bounds=(1e-2, 1e4), scale="log")
    unseen = [float(np.mean((sets[2][0] @ t.parameters - sets[2][1]) ** 2)) for t in (each, one)]
    assert each.certified and one.certified
    assert each.value < one.value and unseen[0] < unseen[1]
    check = each.gradient_check(at=np.ones(40))
    assert len(check) == 12
    np.testing.assert_allclose(check["hypergradient"], check["differences"], rtol=1e-6, atol=1e-9)
    assert len(each.pictures()) == 2


def test_a_saddle_of_the_inner_loss_is_left():
    """w⁴/4 − w²/2 + (h − 1)w²…: from its saddle w = 0 to the minimum w = √(3 − 2h); F = (w − ½)² asks for h = 11/8."""
    found = landform.tune(
        lambda w, h: w**4 / 4 - w**2 / 2 + (h - 1) * w**2,
        lambda w, h: (jnp.abs(w) - 0.5) ** 2,
        np.array(0.0),
        np.array(1.2),
        bounds=(0.0, 1.49),
    )
    assert float(found.x) == pytest.approx(11 / 8, abs=1e-7)


def test_an_inner_problem_without_a_minimum_is_refused_at_the_start():
    """Separable classes and no penalty: the parameters grow without end."""
    label = np.sign(X @ np.ones(5))

    def unpenalized(w, h):
        return jnp.sum(jnp.logaddexp(0.0, -h * label * (X @ w)))

    with pytest.raises(DerivativeError, match=r"at the start: expected an inner problem at its minimum, got one that"):
        landform.tune(unpenalized, outer, np.zeros(5), np.array(1.0), bounds=(0.5, 2.0))
    with pytest.raises(DerivativeError, match=r"singular: nothing determines .*1 parameters\[1\]"):
        landform.tune(lambda w, h: h * w[0] ** 2, lambda w, h: w[0], np.zeros(2), np.array(1.0))


def test_where_the_inner_problem_has_no_minimum_the_search_turns_back():
    """(h − 1)w² − w has a minimum for h > 1 only; the best, w = 3, is at h = 7/6."""
    found = landform.tune(
        lambda w, h: (h - 1) * w**2 - w, lambda w, h: (w - 3.0) ** 2, np.array(0.0), np.array(4.0), bounds=(0.5, 9.0)
    )
    assert float(found.x) == pytest.approx(7 / 6, abs=1e-8)
    refused = found.history["refused"]
    assert refused.str.len().gt(0).sum() == found.history["outer loss"].isna().sum()


def test_a_flat_outer_loss_is_not_called_a_strict_minimum():
    found = landform.tune(lambda w, h: (w - 1) ** 2 + 0 * h, lambda w, h: w**2, np.array(0.0), np.array(1.0))
    assert found.certificate.nature == "flat"


def test_what_is_not_certified_says_so_and_can_be_refused():
    """The outer loss has a kink at its lowest point, w = 1/h = 2."""
    found = landform.tune(
        lambda w, h: h * w**2 / 2 - w, lambda w, h: jnp.abs(w - 2.0), np.array(1.0), np.array(1.0), bounds=(0.1, 9.0)
    )
    assert not found.certified
    with pytest.raises(ModelError, match="expected certified hyperparameters, got not certified"):
        found.require()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bounds": {"beta": (0, 1)}}, "names of hyperparameters, got 'beta'; use: alpha"),
        ({"bounds": {"alpha": 3}}, r"a pair \(lower, upper\) for alpha"),
        ({"bounds": {"alpha": (2, 3)}}, "a start within the bounds 2 to 3 of alpha, got 1"),
        ({"bounds": {"alpha": (3, 2)}}, "lower bounds at or below"),
        ({"bounds": {"alpha": (0, 3)}, "scale": "log"}, "positive numbers for alpha"),
        ({"scale": {"alpha": "cubic"}}, "'cubic'; choose one"),
        ({"bounds": {"alpha": ([1, 2], 3)}}, "one bound, or one for each of 1"),
        ({"starts": 0}, "at least one start"),
        ({"curvature": "some"}, "'some'; choose one"),
        ({"cv": 5}, "no cv= with losses of your own"),
        ({"solver": "fast"}, "'fast'; choose one"),
    ],
)
def test_odd_calls(options, words):
    with pytest.raises(ShapeError, match=words):
        landform.tune(inner, outer, np.zeros(5), {"alpha": 1.0}, **options)


def test_odd_losses_and_missing_starts():
    with pytest.raises(ShapeError, match="pass two functions and two starts"):
        landform.tune(inner, outer, np.zeros(5))
    with pytest.raises(ShapeError, match="an outer loss that returns one number"):
        landform.tune(inner, lambda w, h: w, np.zeros(5), {"alpha": 1.0})
    with pytest.raises(ShapeError, match="none: hyper0 is no dictionary"):
        landform.tune(inner, outer, np.zeros(5), np.array(1.0), bounds={"alpha": (1, 2)})


def test_bounds_by_name_for_several_kinds():
    """Two groups of penalties, one moved by its logarithm; bounds for one and for each."""
    found = landform.tune(
        lambda w, h: 0.5 * jnp.sum((X @ w - h["shift"] - Y) ** 2) + 0.5 * jnp.sum(h["alpha"] * w[:2] ** 2),
        lambda w, h: jnp.mean((HELD @ w - h["shift"] - HELD_Y) ** 2),
        np.zeros(5),
        {"alpha": np.ones(2), "shift": 0.0},
        bounds={"alpha": ([1e-3, 1e-2], [1e3, 1e2]), "shift": (None, None)},
        scale={"alpha": "log"},
    )
    assert found.certified
    assert found.hyper.names == ("alpha[0]", "alpha[1]", "shift")
    assert found.hyper.log.tolist() == [True, True, False]
    assert found.x["alpha"].shape == (2,) and found.x["shift"].shape == ()
