"""Every problem of `hock_schittkowski_book` against the book, and no certificate where there is no minimum."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hock_schittkowski_book import PROBLEMS

import landform
from landform.optimize import certify, solve
from landform.optimize.local import look, steps
from landform.optimize.nearest import nearest_miss
from landform.optimize.problem import make_problem

SOLVABLE = [p for p in PROBLEMS.values() if p.name != "HS13"]


@cache
def program(name):
    p = PROBLEMS[name]
    return make_problem(p.f, p.begin, bounds=p.bounds, constraints=p.constraints).program


def known(problem, value, within=1e-7):
    """Whether the book, or the list of local minima (given to fewer digits), has this value."""
    if abs(value - problem.objective) <= within * max(1, abs(problem.objective)):
        return True
    return any(abs(value - other) <= 1e-6 * max(1, abs(other)) for other in problem.local)


def lower_around(name, x, count=12):
    """By how much a point within the limits near ``x`` is lower; points are drawn around it and brought to the limits.

    Sampling knows nothing of multipliers or curvature.
    """
    part, unit, rng = program(name), steps(program(name), x), np.random.default_rng(0)
    here = part.objective.value(x)[0]
    gain = 0.0
    for length in (1e-2, 1e-3):
        for away in rng.standard_normal((count, part.n)):
            there = nearest_miss(part, np.clip(x + length * away * unit, part.region.lower, part.region.upper))
            local = look(part, there, unit)
            if local.misfit < 1e-10 and np.abs((there - x) / unit).max() < 10 * length:
                gain = max(gain, float(here - local.objective))
    return gain / max(1.0, abs(here))


@pytest.mark.parametrize("problem", SOLVABLE, ids=str)
def test_the_standard_start_leads_to_a_certified_optimum(problem):
    found = solve(program(problem.name), problem.begin[None])[0]
    assert found.certificate.certified, found.certificate.words
    assert known(problem, found.objective), (found.objective, found.x)
    if abs(found.objective - problem.objective) > 1e-6 * max(1, abs(problem.objective)):
        assert lower_around(problem.name, found.x) < 1e-8


def test_hs13_is_not_certified():
    """No constraint qualification holds at its minimum (1, 0)."""
    found = solve(program("HS13"), PROBLEMS["HS13"].begin[None])[0]
    assert not found.certificate.certified
    assert found.objective == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    "name", ["HS5", "HS7", "HS16", "HS23", "HS33", "HS39", "HS43", "HS61", "HS71", "HS76", "HS78", "HS80"]
)
def test_perturbed_starts_lead_to_minima(name):
    """At the book's optimum, a listed one, or where sampling around finds nothing lower."""
    problem, rng = PROBLEMS[name], np.random.default_rng(int(name[2:]))
    for scale in (0.3, 2.0):
        away = scale * np.maximum(1, np.abs(problem.start)) * rng.standard_normal(problem.n)
        found = solve(program(name), np.clip(problem.start + away, *problem.bounds)[None])[0]
        assert found.certificate.certified, (scale, found.certificate.words)
        assert known(problem, found.objective) or lower_around(name, found.x) < 1e-8, (scale, found)


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("HS33", [0, 0, 2]),  # a saddle of second order
        ("HS33", [2, 0, 2]),  # a point of inflection: (t - 2)³ + 2 along (t, 0, t)
        ("HS33", [2 + 3e-8, 0, 2 + 3e-8]),  # beside it, where curvature is positive by a little
        ("HS29", [0, 0, 0]),  # -xyz: level along every axis
        ("HS36", [0, 0, 0]),
        ("HS45", [0, 0, 0, 0, 5]),
        ("HS9", [3, 4]),  # the highest point
        ("HS43", [0, 1, 2, -0.999]),
    ],
)
def test_no_certificate_short_of_a_minimum(name, x):
    verdict = certify(program(name), np.array(x, dtype=float))
    assert not verdict.certified, verdict.words


def test_the_door_takes_the_book_s_limits_as_they_are():
    problem = PROBLEMS["HS73"]
    best = landform.minimize(problem.f, problem.begin, bounds=problem.bounds, constraints=problem.constraints)
    assert best.certified
    assert best.value == pytest.approx(problem.objective, rel=1e-7)
