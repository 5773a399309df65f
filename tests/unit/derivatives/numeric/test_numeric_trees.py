"""Black boxes of dictionaries, lists and tuples: the same matrix and names as by automatic differentiation."""

import multiprocessing
from collections import namedtuple
from concurrent.futures import ProcessPoolExecutor

import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import ShapeError

POINT = {"k": 2.0, "w": np.array([[1.0, 3.0, 0.5]])}
Pair = namedtuple("Pair", ["dose", "time"])


def plant(p, np=np):
    return {"rate": p["k"] * p["w"][0], "rest": (p["w"].sum(), np.sin(p["k"]))}


def test_names_and_entries_are_those_of_automatic_differentiation():
    J = landform.jacobian(plant, POINT, mode="numeric")
    exact = landform.jacobian(lambda p: plant(p, jnp), POINT)
    assert J.inputs == exact.inputs == ("k", "w[0, 0]", "w[0, 1]", "w[0, 2]")
    assert J.outputs == exact.outputs == ("rate[0]", "rate[1]", "rate[2]", "rest[0]", "rest[1]")
    np.testing.assert_allclose(J.dense(), exact.dense(), atol=1e-11)
    assert J.evaluations == 57


def test_the_function_gets_its_own_form():
    def f(p):
        assert type(p) is Pair and type(p.dose) is float and p.time.shape == (2, 1)
        return p.dose * p.time

    p = Pair(1.5, np.ones((2, 1)))
    np.testing.assert_allclose(landform.jacobian(f, p, mode="numeric").dense(), [[1, 1.5, 0], [1, 0, 1.5]], atol=1e-12)
    H = landform.hessian(lambda p: p.dose**2 * p.time[1, 0], p, mode="numeric")
    assert H.inputs == ("dose", "time[0, 0]", "time[1, 0]")
    np.testing.assert_allclose(H.dense(), [[2, 0, 3], [0, 0, 0], [3, 0, 0]], atol=1e-9)


def test_bounds_and_scales_may_be_trees():
    far = []

    def f(p):
        far.append((p["k"], *p["w"][0]))
        return plant(p)

    bounds = ({"k": 1.9, "w": 0.0}, {"k": 2.0, "w": np.array([[1.0, 4.0, 4.0]])})
    J = landform.jacobian(f, POINT, mode="numeric", bounds=bounds, scale={"k": 0.1, "w": 1.0})
    low, high = np.min(far, axis=0), np.max(far, axis=0)
    assert (low >= [1.9, 0, 0, 0]).all() and (high <= [2, 1, 4, 4]).all()
    np.testing.assert_allclose(J.dense()[0], [1, 2, 0, 0], atol=1e-9)


def test_trees_travel_to_other_processes():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        there = landform.jacobian(plant, POINT, mode="numeric", executor=executor)
    np.testing.assert_array_equal(there.dense(), landform.jacobian(plant, POINT, mode="numeric").dense())


@pytest.mark.parametrize(
    ("point", "options", "words"),
    [
        ({"k": 2, "w": 1.0}, {}, "dtype int64 for k"),
        ({"k": "two"}, {}, "for k"),
        ({}, {}, "at least one number"),
        ({"k": np.nan}, {}, "NaN or inf"),
        ({"k": 1.0}, {"bounds": ({"z": 0.0}, 2.0)}, "tree with k"),
    ],
)
def test_what_is_no_point_is_refused(point, options, words):
    with pytest.raises(ShapeError, match=words):
        landform.jacobian(lambda p: 1.0, point, mode="numeric", **options)


def test_outputs_that_are_no_numbers_are_named():
    with pytest.raises(ShapeError, match="for flag"):
        landform.jacobian(lambda x: {"mass": x[0], "flag": "ok"}, np.ones(1), mode="numeric")
    with pytest.raises(ShapeError, match="2 outputs at every point, got 1"):
        landform.jacobian(lambda x: (x[0], 1.0) if x[0] == 1 else {"y": x[0]}, np.ones(1), mode="numeric")
