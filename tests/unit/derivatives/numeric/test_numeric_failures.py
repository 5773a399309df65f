"""Black boxes that fail, and arguments that do not fit: one clear sentence, never a silent NaN."""

import math
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import landform
from landform.errors import DerivativeError, ShapeError


def slopes(f, x, **options):
    return landform.jacobian(f, np.array(x), mode="numeric", **options)


def test_a_failing_side_is_replaced_by_the_other_and_told():
    def f(x):
        if x[1] > 2.0:
            raise RuntimeError("solver diverged")
        return np.array([x[0] + x[1] ** 2])

    J = slopes(f, [1.0, 1.95], inputs=["feed", "heat"])
    np.testing.assert_allclose(J.dense(), [[1.0, 3.9]], rtol=1e-9)
    assert J.failures and "input 'heat' moved by" in str(J.failures[0])
    assert "RuntimeError: solver diverged" in str(J.failures[0])
    assert f"{len(J.failures)} failed" in J.explain()
    assert 29 < J.evaluations <= 29 + len(J.failures)


def test_nan_at_one_step_is_a_failure_that_names_the_output():
    def f(x):
        return np.array([x[0], np.sqrt(x[0]) if x[0] >= 0.95 else np.nan])

    J = slopes(f, [1.0], outputs=["mass", "length"])
    np.testing.assert_allclose(J.dense(), [[1.0], [0.5]], rtol=1e-8)
    assert "output 'length' is nan" in J.failures[0].reason


def test_an_input_that_cannot_be_moved_is_named():
    def f(x):
        if x[1] != 2.0:
            raise ValueError("license server down")
        return x[:1]

    with pytest.raises(DerivativeError, match=r"along input 'x1'.*moved by.*license server down"):
        slopes(f, [1.0, 2.0])


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda x: 1 / 0, DerivativeError, "ZeroDivisionError"),
        (lambda x: np.array([1.0, np.nan]), DerivativeError, "output 'y1' is nan"),
        (lambda x: 3, ShapeError, "dtype int64"),
        (lambda x: "text", ShapeError, "got str"),
        (lambda x: None, ShapeError, "got NoneType"),
        (lambda x: x * 1j, ShapeError, "complex128"),
        (lambda x: x.astype(object), ShapeError, "dtype object"),
        (lambda x: np.ma.masked_array(x, True), DerivativeError, "'y0' is nan"),
        (lambda x: sys.exit(3), DerivativeError, "SystemExit: 3"),
        (lambda x: np.zeros(2 if x[0] == 1.0 else 3), ShapeError, "2 outputs at every point, got 3"),
    ],
)
def test_unusable_functions(f, error, words):
    with pytest.raises(error, match=words):
        slopes(f, [1.0])


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (np.array([1, 2]), {}, "dtype int64"),
        (np.array([1j]), {}, "complex128"),
        (np.array([np.nan]), {}, "NaN or inf"),
        ([2.0], {"bounds": (0, 1)}, "inside its bounds 0 to 1, got 2"),
        ([1.0], {"bounds": (1, 1)}, "inside its bounds"),
        ([1.0], {"bounds": (1, 1 + 1e-15)}, "inside its bounds"),
        ([1.0], {"args": 3.0}, "a tuple of arguments"),
        ([1.0], {"executor": ThreadPoolExecutor}, "the class ThreadPoolExecutor"),
        ([1.0], {"inputs": (name for name in "ab")}, "1 names"),
        ([1.0, 2.0], {"bounds": ([0, 0, 0], 5)}, "one number or 2"),
        ([1.0], {"noise": -1.0}, "standard deviation"),
        ([1.0], {"scale": 0.0}, "scales above zero"),
        ([1.0], {"budget": 2.5}, "budget"),
        ([1.0], {"inputs": ["a", "b"]}, "1 names"),
        ([1.0], {"outputs": ["a", "b"]}, "1 names"),
        ([1.0], {"sparsity": np.ones((2, 2))}, r"shape \(1, 1\)"),
    ],
)
def test_arguments_that_do_not_fit(x, options, words):
    with pytest.raises(ShapeError, match=words):
        landform.jacobian(lambda z: z * 1.0, x, mode="numeric", **options)


def test_a_function_that_writes_into_its_argument_does_no_harm():
    x = np.array([2.0, 3.0])

    def f(z):
        z *= 2
        return z

    np.testing.assert_allclose(landform.jacobian(f, x, mode="numeric").dense(), 2 * np.eye(2), atol=1e-12)
    assert x.tolist() == [2.0, 3.0]


def test_progress_goes_to_stderr(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    slopes(lambda x: x, [1.0], progress=True)
    shown = capsys.readouterr()
    assert "evaluations 1 to 1" in shown.err and "evaluations 2 to 7" in shown.err and "100%" in shown.err
    assert shown.out == ""


def test_no_warnings_of_its_own():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert slopes(lambda x: np.zeros(3), [0.0]).dense().tolist() == [[0.0]] * 3


@pytest.mark.parametrize("options", [{}, {"sparsity": np.eye(2), "budget": "least"}])
def test_a_function_that_returns_one_buffer_every_time_has_no_silent_zero(options):
    buffer = np.empty(2)

    def f(z):
        buffer[:] = z**2
        return buffer

    np.testing.assert_allclose(slopes(f, [2.0, 3.0], **options).dense(), [[4, 0], [0, 6]], atol=1e-6)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_outputs_whose_squares_leave_the_range_are_no_failures(size):
    J = slopes(lambda z: size * z, [2.0, 3.0])
    assert not J.failures
    np.testing.assert_allclose(J.dense() / size, np.eye(2), atol=1e-12)


def test_an_executor_that_is_shut_down_is_named():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(DerivativeError, match=r"argument executor.*after shutdown"):
        slopes(lambda x: x, [1.0], executor=executor)


def test_a_hessian_refuses_what_it_would_not_heed():
    with pytest.raises(ShapeError, match="Taylor fits for a Hessian"):
        landform.hessian(lambda x: x[0] ** 2, np.ones(1), mode="numeric", method="interval")


@pytest.mark.parametrize(
    "call",
    [
        lambda f: landform.minimize(f, np.ones(1)),
        lambda f: landform.certify(f, np.ones(1)),
        lambda f: landform.fit(lambda t, p: t * f(p["a"]), (np.arange(4.0), np.arange(4.0)), {"a": np.ones(1)}),
        lambda f: landform.prepare(f, np.ones(1)),
        lambda f: landform.jacobian(f, np.ones(1)),
    ],
    ids=["minimize", "certify", "fit", "prepare", "jacobian"],
)
def test_a_refusal_names_the_call_that_takes_a_black_box_and_no_argument_of_another(call):
    with pytest.raises(DerivativeError, match=r"landform\.jacobian\(f, x, mode=\"numeric\"\)"):
        call(lambda x: math.sin(x[0]))
