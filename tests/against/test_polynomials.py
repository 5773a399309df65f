"""Scheffé polynomials: derivatives against SymPy, standard errors against plain algebra, deletion against refits."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from landform.derivatives import hessian, jacobian
from landform.fit import Observations, fit_polynomial
from landform.fit.observations import grouped_folds
from landform.fit.polynomial import DEGREES, hold_out_polynomial
from landform.fit.terms import BlendingTerms, polynomial_terms


def trials(n=40, ingredients=3, factors=2, total=100.0, seed=3):
    """Random blends with process factors, every third row repeated."""
    rng = np.random.default_rng(seed)
    X = np.hstack([total * rng.dirichlet(np.ones(ingredients), n), rng.uniform(20, 60, (n, factors))])
    X[2::3] = X[1::3][: len(X[2::3])]
    groups = np.arange(n)
    groups[2::3] = groups[1::3][: len(groups[2::3])]
    y = 5 + np.sin(X[:, 0] / 30) * X[:, 1] / 10 + X[:, 1] * X[:, 2] / 500 + 0.3 * rng.standard_normal(n)
    if factors:
        y = y + X[:, 3] * X[:, 0] / 300
    names = tuple("abcd"[:ingredients]) + tuple(f"t{k}" for k in range(factors))
    return Observations(X, y, groups, names, ingredients, total)


@pytest.fixture(scope="module")
def data():
    return trials()


def formula(fitted, data):
    """The fitted polynomial in SymPy, built from the terms' definition and not from landform's transformer."""
    d, q = data.X.shape[1], data.ingredients
    x = sp.symbols(f"x0:{d}")
    middle = (data.X.min(axis=0) + data.X.max(axis=0)) / 2
    half = np.ptp(data.X, axis=0) / 2
    u = [x[i] / data.total if i < q else (x[i] - middle[i]) / half[i] for i in range(d)] + [sp.Integer(1)]
    terms = polynomial_terms(q, d - q, DEGREES[fitted.kind])
    coefficients = [value for _, value, _ in fitted.parameters]
    assert len(terms) == len(coefficients)
    return x, sum(c * u[i] * u[j] * u[k] for c, (i, j, k) in zip(coefficients, terms, strict=True))


@pytest.mark.parametrize("kind", ["linear", "quadratic", "special cubic"])
def test_derivatives_are_sympys(data, kind):
    fitted = fit_polynomial(kind, data)
    x, y = formula(fitted, data)
    point = data.X.mean(axis=0)
    at = dict(zip(x, point, strict=True))
    slopes = np.array([float(sp.diff(y, s).subs(at)) for s in x])
    curves = np.array([[float(sp.diff(y, s, t).subs(at)) for s in x] for t in x])
    np.testing.assert_allclose(fitted.model(point), [float(y.subs(at))], rtol=1e-12)
    np.testing.assert_allclose(jacobian(fitted.model, point).dense()[0], slopes, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(hessian(fitted.model, point).dense(), curves, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", ["mean", "linear", "quadratic"])
def test_standard_errors_are_least_squares_algebra(data, kind):
    """Cov(b) = s² (A'A)⁻¹, with A the terms written out; predictions' and slopes' variances follow."""
    fitted = fit_polynomial(kind, data)
    A = BlendingTerms(3, DEGREES[kind], data.total).fit_transform(data.X)
    n, p = A.shape
    inverse = np.linalg.inv(A.T @ A)
    b = inverse @ A.T @ data.y
    s2 = np.sum((data.y - A @ b) ** 2) / (n - p)
    assert fitted.noise == pytest.approx(np.sqrt(s2), rel=1e-9)
    assert fitted.degrees == n - p
    np.testing.assert_allclose([v for _, v, _ in fitted.parameters], b, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose([e for _, _, e in fitted.parameters], np.sqrt(s2 * np.diag(inverse)), rtol=1e-7)
    X = data.X[:7] + 0.5
    T = BlendingTerms(3, DEGREES[kind], data.total).fit(data.X).transform(X)
    np.testing.assert_allclose(fitted.predict(X)[1], np.sqrt(np.sum(T @ inverse * T, axis=1) * s2), rtol=1e-8)
    np.testing.assert_allclose(fitted.posterior.covariance(X), s2 * T @ inverse @ T.T, rtol=1e-7, atol=1e-10)


def test_slope_and_curve_variances_are_least_squares_algebra(data):
    """Along a line, terms of degree 2 are parabolas, so central differences of them are exact."""
    fitted = fit_polynomial("quadratic", data)
    terms = BlendingTerms(3, 2, data.total).fit(data.X)
    A = terms.transform(data.X)
    covariance = fitted.noise**2 * np.linalg.inv(A.T @ A)
    x, v, w = data.X[4], np.array([1.0, -0.6, -0.4, 0.0, 0.0]), np.array([0.0, 1.0, -1.0, 0.0, 2.0])
    low, middle, high = (terms.transform((x + t * v)[None])[0] for t in (-1, 0, 1))
    slope, bend = (high - low) / 2, high - 2 * middle + low
    other = (terms.transform((x + w)[None])[0] - terms.transform((x - w)[None])[0]) / 2
    found = fitted.posterior.slopes(x[None], np.column_stack([v, w])[None])
    truth = [
        [slope @ covariance @ slope, slope @ covariance @ other],
        [slope @ covariance @ other, other @ covariance @ other],
    ]
    np.testing.assert_allclose(found, truth, rtol=1e-7)
    assert fitted.posterior.curve(x, v) == pytest.approx(bend @ covariance @ bend, rel=1e-7)


@pytest.mark.parametrize("kind", ["mean", "linear", "quadratic"])
def test_held_out_predictions_are_refits(data, kind):
    """The fold deleted by formula, against the fold really deleted and everything computed anew."""
    (folds,) = grouped_folds(data, seed=1, repeats=1, folds=5)[:1]
    found = hold_out_polynomial(kind, data, [folds])
    A = BlendingTerms(3, DEGREES[kind], data.total).fit_transform(data.X)
    for fold in range(5):
        out = folds == fold
        b, *_ = np.linalg.lstsq(A[~out], data.y[~out], rcond=None)
        degrees = np.sum(~out) - A.shape[1]
        s2 = np.sum((data.y[~out] - A[~out] @ b) ** 2) / degrees
        spread = 1 + np.sum(A[out] @ np.linalg.inv(A[~out].T @ A[~out]) * A[out], axis=1)
        np.testing.assert_allclose(found.mean[0, out], A[out] @ b, rtol=1e-9)
        np.testing.assert_allclose(found.deviation[0, out], np.sqrt(s2 * spread), rtol=1e-8)
        assert set(found.degrees[0, out]) == {float(degrees)}
    assert found.complete


def test_a_fold_that_cannot_be_spared_is_said_to_be_so():
    """A blend of a {3,2} lattice that alone tells one term is not predicted from the others."""
    X = np.repeat(np.vstack([np.eye(3), [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]]), 2, axis=0)
    y = X @ [1.0, 2.0, 3.0] + 0.1 * np.cos(np.arange(12))
    data = Observations(X, y, np.repeat(np.arange(6), 2), ("a", "b", "c"), 3)
    found = hold_out_polynomial("quadratic", data, [data.groups])
    assert not found.complete
    assert hold_out_polynomial("quadratic", data, [np.arange(12)]).complete


def test_terms_that_no_trial_holds_are_left_out():
    X = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0], [0, 0.4, 0.6], [0.2, 0.8, 0], [0, 0.1, 0.9]])
    data = Observations(X, X @ [1.0, 2, 3] + 0.1 * np.sin(9 * X[:, 1]), np.arange(7), ("a", "b", "c"), 3)
    fitted = fit_polynomial("quadratic", data)
    assert fitted.never == ("a × c",)
    assert [name for name, *_ in fitted.parameters] == ["a", "b", "c", "a × b", "b × c"]
