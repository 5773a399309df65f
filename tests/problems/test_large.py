"""Large sparse problems to their known ends, certificates by sparse factors beside those by dense ones."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
from hock_schittkowski_book import PROBLEMS
from luksan_vlcek import broyden_tridiagonal, chained_powell, exponentials, rosenbrock_with_exponentials, start
from scipy.optimize import LinearConstraint, NonlinearConstraint
from scipy.sparse import csr_array, random_array

import landform
from landform.errors import ModelError
from landform.optimize import Smooth, certify, solve
from landform.optimize.problem import make_problem
from landform.optimize.sparse.factor import COARSE, FINE, factored
from landform.optimize.sparse.patterns import Sum, compressed


def with_zeros_left_out(program):
    """The same program with sparse matrices."""

    def thin(smooth):
        return smooth and Smooth(
            smooth.value, lambda x: compressed(smooth.jacobian(x)), lambda x, w: compressed(smooth.hessian(x, w))
        )

    objective = Smooth(
        program.objective.value, program.objective.jacobian, lambda x, w: compressed(program.objective.hessian(x, w))
    )
    region = replace(program.region, A=csr_array(program.region.A))
    return replace(program, objective=objective, region=region, constraints=thin(program.constraints))


@cache
def dense(name):
    p = PROBLEMS[name]
    return make_problem(p.f, p.begin, bounds=p.bounds, constraints=p.constraints).program


@pytest.mark.parametrize("seed", range(12))
def test_pivots_tell_definiteness_on_a_subspace(seed):
    """Beside the eigenvalues of Z'HZ."""
    rng = np.random.default_rng(seed)
    n, k = 12, seed % 6
    H = rng.standard_normal((n, n))
    H = (H + H.T) / 2 + rng.uniform(-3, 3) * np.eye(n)
    H /= np.abs(H).max()
    N = rng.standard_normal((k, n))
    N /= np.linalg.norm(N, axis=1, keepdims=True)
    least = np.linalg.eigvalsh(H if not k else (Z := np.linalg.svd(N)[2][k:].T).T @ H @ Z)[0]
    for shift, slack in ((1e-5, FINE), (least - 0.02, FINE), (least + 0.02, FINE), (least - 0.02, COARSE)):
        found = factored(csr_array(H), csr_array(N), shift, slack)
        assert found.positive() == (shift < least)
    below = factored(csr_array(H), csr_array(N), least - 0.02)
    way = below.lowest(1, steps=30)[:, 0]
    assert way @ H @ way == pytest.approx(least, abs=1e-5)
    assert not k or below.independent()
    assert not factored(csr_array(H), csr_array(np.vstack([N, N[:1] if k else np.zeros((1, n))])), 1e-5).independent()


def test_a_sum_keeps_its_places():
    rng = np.random.default_rng(0)
    parts = [random_array((5, 7), density=0.4, rng=rng, format="csr") for _ in range(3)]
    added = Sum(parts)
    np.testing.assert_allclose(added(*(p.data for p in parts)).toarray(), sum(p.toarray() for p in parts))
    again = added(parts[0].data, None, -parts[2].data)
    np.testing.assert_allclose(again.toarray(), (parts[0] - parts[2]).toarray())
    assert again.nnz == added(*(p.data for p in parts)).nnz


NAMES = [name for name in PROBLEMS if name not in ("HS13", "HS26", "HS46", "HS27")]

# Curvature of a millionth part of the largest, beside rows: factors cannot tell it from zero, and say so.
UNDECIDED = ("HS49", "HS112")


@pytest.mark.parametrize("name", NAMES)
def test_both_certificates_agree(name):
    """At the optimum and beside it."""
    best = solve(dense(name), PROBLEMS[name].begin[None])[0]
    thin = with_zeros_left_out(dense(name))
    found = certify(thin, best.x)
    # What is only touched is left aside there, which can lose a certificate and never makes one.
    if name in UNDECIDED:
        assert "rounding hides" in found.words
    elif found.certified or not any(not a.strongly for a in best.certificate.multipliers):
        assert (found.certified, found.nature) == (best.certificate.certified, best.certificate.nature), found.words
    if found.certified and best.certificate.unique:
        theirs = {a.words: a.multiplier for a in best.certificate.multipliers}
        ours = {a.words: a.multiplier for a in found.multipliers}
        for words, price in ours.items():
            assert price == pytest.approx(theirs[words], rel=1e-4, abs=1e-6 * max(map(abs, theirs.values())) + 1e-9)
    beside = np.clip(best.x + 1e-3 * (1 + np.abs(best.x)), *PROBLEMS[name].bounds)
    assert not certify(thin, beside).certified or certify(dense(name), beside).certified


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("HS33", [0, 0, 2]),
        ("HS33", [2, 0, 2]),
        ("HS29", [0, 0, 0]),
        ("HS36", [0, 0, 0]),
        ("HS45", [0, 0, 0, 0, 5]),
        ("HS9", [3, 4]),
        ("HS13", [1, 0]),
    ],
)
def test_no_certificate_short_of_a_minimum(name, x):
    assert not certify(with_zeros_left_out(dense(name)), np.array(x, dtype=float)).certified


@pytest.mark.parametrize(("method", "package"), [("uno", "unopy"), ("pounce", "pounce"), ("auto", "unopy")])
def test_lukvle1_with_its_pattern_found(method, package):
    """The value that Ipopt 3.14 reaches with derivatives by hand (benchmarks/optimize.py), n = 10,000."""
    pytest.importorskip(package, reason=f"the extra nlp: no package {package}")
    best = landform.minimize(
        rosenbrock_with_exponentials, start(10_000), constraints=NonlinearConstraint(exponentials, 0, 0), method=method
    )
    assert best.certificate.nature == "strict minimum", best.words
    assert best.value == pytest.approx(6.2324586324379885, rel=1e-10)
    assert len(best.certificate.multipliers) == 9_998
    assert best.certificate.multipliers[0].words == "constraint 1[0] = 0"
    beside = best.x + 1e-4 * np.random.default_rng(0).standard_normal(10_000)
    limits = {"constraints": NonlinearConstraint(exponentials, 0, 0)}
    assert not landform.certify(rosenbrock_with_exponentials, beside, **limits).certified
    assert landform.certify(rosenbrock_with_exponentials, best.x, **limits).nature == "strict minimum"


def test_a_hundred_thousand_variables():
    best = landform.minimize(broyden_tridiagonal, -np.ones(100_000))
    assert best.certificate.nature == "strict minimum"
    assert best.value < 1e-20
    assert best.by == "a trust region"


def test_a_singular_hessian_is_called_flat():
    best = landform.minimize(chained_powell, np.tile([3.0, -1, 0, 1], 500), method="own")
    assert best.value < 1e-12
    assert best.certificate.nature == "flat"


def test_a_large_quadratic_within_bounds():
    """Separable: the optimum is the target, cut off at the bounds; multipliers are the slopes there."""
    target = np.linspace(-1, 2, 5_000)
    weight = np.linspace(1, 50, 5_000)
    best = landform.minimize(lambda x: jnp.sum(weight * (x - target) ** 2) / 2, np.full(5_000, 0.5), bounds=(0, 1))
    np.testing.assert_allclose(best.x, np.clip(target, 0, 1), atol=1e-12)
    assert best.certificate.nature == "strict minimum"
    price = {a.name: a.multiplier for a in best.certificate.multipliers}
    assert price["x0"] == pytest.approx(1.0)
    assert price["x4999"] == pytest.approx(50.0)


def test_a_large_saddle_is_left():
    """Double wells, each uncoupled: 0 is a maximum of every one, ±1 are the minima."""
    best = landform.minimize(lambda x: jnp.sum((x**2 - 1) ** 2), np.zeros(400), method="own")
    np.testing.assert_allclose(np.abs(best.x), 1, atol=1e-8)
    assert best.certified
    assert not landform.certify(lambda x: jnp.sum((x**2 - 1) ** 2), np.r_[np.zeros(1), np.ones(399)]).certified


def test_large_linear_rows():
    """Nearest point of a plane: the closed form."""
    n = 1_000
    A = csr_array(random_array((20, n), density=0.05, rng=np.random.default_rng(0)))
    b = A @ np.full(n, 0.4)
    target = np.linspace(0, 1, n)
    pytest.importorskip("unopy", reason="the extra nlp: no package unopy")
    best = landform.minimize(
        lambda x: jnp.sum((x - target) ** 2), np.zeros(n), constraints=LinearConstraint(A, b, b), method="uno"
    )
    assert best.certificate.nature == "strict minimum"
    full = A.toarray()
    np.testing.assert_allclose(best.x, target + np.linalg.pinv(full) @ (b - full @ target), atol=1e-9)


@pytest.mark.parametrize(
    "name", ["HS7", "HS15", "HS29", "HS39", "HS43", "HS71", "HS76", "HS80", "HS100", "HS104", "HS114"]
)
def test_uno_and_pounce_agree(name):
    """Two makers' interior point methods, from the book's start."""
    pytest.importorskip("unopy", reason="the extra nlp: no package unopy")
    pytest.importorskip("pounce", reason="the extra nlp: no package pounce")
    p = PROBLEMS[name]
    ends = [
        landform.minimize(p.f, p.begin, bounds=p.bounds, constraints=p.constraints, method=method)
        for method in ("uno", "pounce", "filtersqp")
    ]
    assert all(end.certified for end in ends), [end.words for end in ends]
    assert {end.by for end in ends} == {"Uno's interior point method", "POUNCE", "Uno's filterSQP"}
    for end in ends[1:]:
        assert end.value == pytest.approx(ends[0].value, rel=1e-8, abs=1e-8)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("landform.optimize.ways.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r'pip install "landform\[nlp\]"'):
        landform.minimize(lambda x: x @ x, np.ones(2), method="pounce")
    limits = NonlinearConstraint(exponentials, 0, 0)
    with pytest.raises(ModelError, match=r"landform\[nlp\]"):
        landform.minimize(rosenbrock_with_exponentials, start(3_000), constraints=limits)
    small = landform.minimize(rosenbrock_with_exponentials, start(310), constraints=limits)
    assert small.certified
    assert small.by == "SLSQP"
