"""Terms, folds, reach and refusals of the fits."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from landform.errors import ModelError
from landform.fit import Observations, choose_surrogate, fit_polynomial, fit_process
from landform.fit.leverage import reach_of
from landform.fit.observations import grouped_folds, noise_floor
from landform.fit.polynomial import polynomial_words, why_not_polynomial
from landform.fit.process import why_not_process
from landform.fit.terms import BlendingTerms, polynomial_terms

RNG = np.random.default_rng(0)


def observations(n=20, q=3, k=1, repeats=1):
    X = np.hstack([RNG.dirichlet(np.ones(max(q, 1)), n)[:, :q], RNG.uniform(5, 9, (n, k))])
    X = np.repeat(X, repeats, axis=0)
    names = tuple("abcdef"[:q]) + tuple(f"t{i}" for i in range(k))
    return Observations(X, RNG.standard_normal(n * repeats), np.repeat(np.arange(n), repeats), names, q)


@pytest.mark.parametrize("q", [2, 3, 5])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_numbers_of_terms(q, k):
    """Scheffé (1958): q, q + C(q,2), + C(q,3); factors cross with ingredients (Cornell 2002, ch. 7)."""
    assert len(polynomial_terms(q, k, 0)) == 1
    assert len(polynomial_terms(q, k, 1)) == q + k
    assert len(polynomial_terms(q, k, 2)) == q + comb(q, 2) + q * k + comb(k + 1, 2)
    assert len(polynomial_terms(q, k, 3)) == q + comb(q, 2) + q * k + comb(k + 1, 2) + comb(q, 3) + comb(q, 2) * k
    assert len(set(polynomial_terms(q, k, 3))) == len(polynomial_terms(q, k, 3))


def test_numbers_of_terms_of_a_response_surface():
    assert [len(polynomial_terms(0, 4, degree)) for degree in (0, 1, 2)] == [1, 5, 15]


@pytest.mark.parametrize(("q", "k", "degree"), [(3, 0, 1), (3, 0, 2), (3, 2, 2), (0, 3, 2), (4, 1, 3)])
def test_terms_are_independent_on_the_ground_that_exists(q, k, degree):
    """Full rank on random recipes: no term is a sum of others once ingredients add to one."""
    data = observations(120, q, k)
    terms = BlendingTerms(q, degree).fit_transform(data.X)
    assert np.linalg.matrix_rank(terms) == terms.shape[1] == len(polynomial_terms(q, k, degree))


def test_a_constant_lies_in_every_model():
    """A property that is the same everywhere is fitted exactly by all of them."""
    data = observations(40, 3, 1)
    flat = Observations(data.X, np.full(40, 7.0) + 1e-9 * RNG.standard_normal(40), data.groups, data.names, 3)
    for kind in ("mean", "linear", "quadratic", "special cubic"):
        assert fit_polynomial(kind, flat).predict(data.X[:3])[0] == pytest.approx(7.0, abs=1e-7)


def test_names_of_terms():
    terms = BlendingTerms(2, 2).fit(observations(20, 2, 1).X)
    assert terms.term_names(("oil", "wax", "heat")) == [
        "oil",
        "wax",
        "oil × wax",
        "oil × heat",
        "wax × heat",
        "heat × heat",
    ]
    assert BlendingTerms(2, 0).fit(observations(20, 2, 0).X).term_names(("a", "b")) == ["constant"]
    assert polynomial_words("quadratic", 3) == "Scheffé quadratic"
    assert polynomial_words("quadratic", 0) == "quadratic response surface"
    assert polynomial_words("mean", 3) == "the mean"


def test_why_not():
    assert "need at least 7 trials, there are 6" in why_not_polynomial("quadratic", observations(6, 3, 0))
    line = Observations(
        np.column_stack([np.linspace(0, 1, 9), 1 - np.linspace(0, 1, 9), np.zeros(9)]),
        RNG.standard_normal(9),
        np.arange(9),
        ("a", "b", "c"),
        3,
    )
    assert why_not_polynomial("quadratic", line) == ""  # terms that no trial holds fall away
    twice = observations(8, 3, 0, repeats=1)
    same = Observations(
        np.repeat(twice.X[:2], 5, axis=0), RNG.standard_normal(10), np.repeat([0, 1], 5), twice.names, 3
    )
    assert "tell only 2 of its 3 terms apart" in why_not_polynomial("linear", same)
    assert "at least 5 different recipes" in why_not_process(same)
    assert why_not_process(observations(5, 3, 0)) == ""


def test_a_model_that_cannot_be_had_is_refused():
    with pytest.raises(ModelError, match=r"Scheffé quadratic.*need at least 7 trials") as caught:
        choose_surrogate(observations(6, 3, 0), model="quadratic")
    assert "\n" not in str(caught.value)


def test_two_ingredients_have_no_cubic():
    choice = choose_surrogate(observations(12, 2, 0))
    (cubic,) = [c for c in choice.candidates if c.kind == "special cubic"]
    assert "at least three ingredients" in cubic.why_not


@pytest.mark.parametrize(("recipes", "repeats", "folds"), [(23, 1, 10), (12, 3, 10), (6, 2, 10), (30, 1, 4)])
def test_folds_keep_replicates_together_and_are_even(recipes, repeats, folds):
    data = observations(recipes, 3, 0, repeats)
    splits = grouped_folds(data, seed=3, repeats=3, folds=folds)
    assert len(splits) == (1 if recipes <= folds else 3)
    for split in splits:
        assert len(np.unique(split)) == min(folds, recipes)
        for group in range(recipes):
            assert len(set(split[data.groups == group])) == 1
        counts = np.bincount(split) / repeats
        assert counts.max() - counts.min() <= 1
    again = grouped_folds(data, seed=3, repeats=3, folds=folds)
    assert all(np.array_equal(a, b) for a, b in zip(splits, again, strict=True))


def test_noise_floor_is_the_pooled_deviation():
    """Groups of 3 and 2: sums of squares 2 and 0.5 on 2 + 1 degrees of freedom."""
    data = Observations(
        np.zeros((6, 2)), np.array([1.0, 2.0, 3.0, 5.0, 6.0, 9.0]), np.array([4, 4, 4, 7, 7, 9]), ("a", "b"), 2
    )
    assert noise_floor(data).deviation == pytest.approx(np.sqrt(2.5 / 3))
    assert noise_floor(data).degrees == 3
    assert noise_floor(observations(5, 3, 0)).deviation is None


def test_leverage_is_the_hat_matrix():
    """Cook and Weisberg (1982), sec. 2.2: the diagonal of A (A'A)⁻¹ A', which adds to the number of terms."""
    X = observations(20, 3, 1).X
    reach = reach_of(X, ingredients=3, total=1.0)
    A = reach.terms.transform(X)
    hat = np.diag(A @ np.linalg.pinv(A))
    np.testing.assert_allclose(reach.leverage(X), hat, atol=1e-9)
    assert reach.leverage(X).sum() == pytest.approx(A.shape[1])
    assert reach.largest == pytest.approx(hat.max())
    np.testing.assert_allclose(reach.model(("a", "b", "c", "t"), "reach")(X[4]), hat[4], atol=1e-9)


def test_pairs_never_tried_together():
    X = np.array(
        [[0.5, 0.5, 0.0, 3.0], [0.0, 0.4, 0.6, 0.0], [1.0, 0.0, 0.0, 4.0], [0.0, 0.0, 1.0, 5.0], [0.0, 1.0, 0.0, 2.0]]
    )
    reach = reach_of(X, ingredients=3, total=1.0)
    assert reach.untried(np.array([0.3, 0.3, 0.4, 3.0]), ("a", "b", "c", "t")) == ("a with c",)
    assert reach.untried(np.array([0.5, 0.5, 0.0, 3.0]), ("a", "b", "c", "t")) == ()


def test_a_process_reverts_to_its_mean_far_away_and_doubts_itself():
    """Rasmussen and Williams (2006), sec. 2.2: far from all trials the posterior is the prior."""
    data = observations(15, 0, 2)
    fitted = fit_process(data)
    far = np.array([[1e6, 1e6]])
    mean, error = fitted.predict(far)
    height = {name: value for name, value, _ in fitted.parameters}["height"]
    assert mean[0] == pytest.approx(data.y.mean(), abs=1e-9)
    assert error[0] == pytest.approx(height, rel=1e-9)


def test_widening_widens_every_interval():
    from dataclasses import replace

    fitted = fit_polynomial("linear", observations(20, 3, 0))
    assert replace(fitted, widening=1.7).quantile() == pytest.approx(1.7 * fitted.quantile())
