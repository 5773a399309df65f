"""Whatever does not fit is refused in one clear sentence, and nothing is silently zero, NaN or ignored."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import landform
from landform.errors import DerivativeError, LandformError, ShapeError

X = np.array([0.0, 2.0])
NAMES = ("dose", "heat")


def refused(error, words, call):
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, LandformError) and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.array([1, 2]), "dtype int64"),
        (np.array([True, False]), "dtype bool"),
        (X * 1j, "dtype complex128"),
        (np.array([1.0, None], dtype=object), "dtype object"),
        ("text", "dtype <U4"),
        (None, "at least one number, got None"),
        (np.array([]), "at least one number"),
        (np.array([np.nan, 1.0]), "NaN or inf"),
        (np.array([np.inf, 1.0]), "NaN or inf"),
    ],
)
def test_points(x, words):
    refused(ShapeError, words, lambda: landform.jacobian(jnp.sin, x))
    refused(ShapeError, words, lambda: landform.hessian(lambda z: jnp.sin(z).sum(), x))
    if x is not None and np.size(x):
        refused(ShapeError, words, lambda: landform.jacobian(np.sin, x, mode="numeric"))


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda z: "text", ShapeError, "got str"),
        (lambda z: None, ShapeError, "got NoneType"),
        (lambda z: {1.0}, ShapeError, "got set"),
        (lambda z: z[:0], ShapeError, "a function with an output, got none"),
        (lambda z: z.astype(int), DerivativeError, "dtype int64; return floats"),
        (lambda z: z * 1j, DerivativeError, "dtype complex128"),
        (lambda z: (z, jnp.arange(3)), DerivativeError, r"dtype int64 for y\[1\]; return floats"),
        (lambda z: {"rise": z.sum(), "count": 3}, DerivativeError, "dtype int64 for count"),
        (lambda z: [z, z > 0], DerivativeError, r"dtype bool for y\[1\]"),
        (3, ShapeError, "argument function: expected a function, got int"),
    ],
)
def test_outputs(f, error, words):
    refused(error, words, lambda: landform.jacobian(f, X))


@pytest.mark.skipif(np.longdouble(0).itemsize <= 8, reason="no numbers longer than 64 bits on this machine")
def test_numbers_longer_than_jax_has():
    for call in (landform.jacobian, landform.prepare, landform.verify):
        refused(ShapeError, "of at most 64 bits, got dtype", lambda call=call: call(jnp.sin, X.astype(np.longdouble)))


def raises(z):
    raise KeyError("viscosity")


def test_an_error_of_the_function_itself_is_told_with_its_line():
    line = raises.__code__.co_firstlineno + 1
    words = f"argument function, line {line} of test_bad_input.py: expected a function that can be evaluated"
    for call in (landform.jacobian, landform.prepare, landform.hessian, landform.verify):
        with pytest.raises(DerivativeError, match=words + ".* got KeyError: 'viscosity'") as caught:
            call(raises, X)
        assert isinstance(caught.value.__cause__, KeyError)
    refused(DerivativeError, r"pass further arguments in args=\(", lambda: landform.jacobian(lambda z, k: z * k, X))


@pytest.mark.parametrize("mode", ["auto", "sparse", "numeric"])
def test_a_name_stands_for_one_number(mode):
    for what in ("inputs", "outputs"):
        refused(
            ShapeError,
            f"argument {what}: expected every name once, got 'dose' twice",
            lambda what=what: landform.jacobian(jnp.sin, X, mode=mode, **{what: ("dose", "dose")}),
        )
    refused(ShapeError, "'dose' twice", lambda: landform.prepare(jnp.sin, X, inputs=("dose", "dose")))


def writes_into_its_input(z):
    z[0] = 1.0
    return z


@pytest.mark.parametrize(
    "f",
    [
        np.sin,
        lambda z: np.linalg.norm(z),
        lambda z: special.erf(z),
        lambda z: math.sin(z[0]),
        lambda z: z[0].item() * z,
        lambda z: z if z[0] > 0 else -z,
        lambda z: np.array([1.0, 2.0])[z[0].astype(int) :],
        writes_into_its_input,
    ],
)
def test_numpy_functions_are_sent_to_the_numeric_mode(f):
    refused(DerivativeError, 'mode="numeric"', lambda: landform.jacobian(f, X))


def test_products_name_what_is_not_finite():
    J = landform.jacobian(jnp.sqrt, X, inputs=NAMES, outputs=("rise", "gloss"))
    H = landform.hessian(lambda z: jnp.sqrt(z).sum(), X, inputs=NAMES)
    v = np.ones(2)
    refused(DerivativeError, "finite product J v, got inf for rise", lambda: J @ v)
    refused(DerivativeError, "finite product J' u, got inf for dose", lambda: J.T @ v)
    refused(DerivativeError, "finite product H v, got -inf for dose", lambda: H @ v)
    refused(DerivativeError, "finite product v' H v, got -inf", lambda: H.quadratic(v))
    refused(DerivativeError, "inf for d rise / d dose", J.dense)
    refused(DerivativeError, "inf for d rise / d dose", J.sparse)
    refused(DerivativeError, "-inf for d dose / d dose", H.dense)
    assert (landform.jacobian(jnp.sqrt, X + 1) @ v > 0).all()


def test_a_value_that_is_not_finite_has_no_slope():
    """NaN + x and log of a negative number have finite derivatives in JAX."""
    for f in (lambda z: z + jnp.array([0.0, jnp.nan]), lambda z: jnp.log(z - jnp.array([-1.0, 3.0]))):
        J = landform.jacobian(f, X, outputs=("rise", "gloss"))
        refused(DerivativeError, "finite value at the point, got nan for gloss", J.dense)


@pytest.mark.parametrize(
    ("v", "words"),
    [
        (np.ones(3), r"got shape \(3,\)"),
        ("ab", r"got shape \(\)"),
        (1j * np.ones(2), "complex"),
        ([[1.0, 2.0]], "shape"),
    ],
)
def test_directions(v, words):
    for J in (landform.jacobian(jnp.sin, X), landform.jacobian(np.sin, X, mode="numeric")):
        refused(ShapeError, words, lambda J=J: J @ v)
        refused(ShapeError, words, lambda J=J: J.T @ v)
    refused(ShapeError, words, lambda: landform.hessian(lambda z: jnp.sin(z).sum(), X) @ v)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": 1e-3}, "got step=; choose among bounds="),
        ({"bounds": 3}, r"pair \(lower, upper\), got 3"),
        ({"bounds": (0, 1, 2)}, "pair"),
        ({"noise": "low"}, "one number or [12], got 'low'"),
        ({"method": "magic"}, 'method "fit" or "interval"'),
        ({"scale": [1.0, -1.0]}, "scales above zero"),
    ],
)
def test_options_of_numeric_derivatives(options, words):
    refused(ShapeError, words, lambda: landform.jacobian(np.sin, X, mode="numeric", **options))
    if "method" not in options:
        refused(ShapeError, words, lambda: landform.hessian(lambda z: z @ z, X, mode="numeric", **options))


def test_what_is_no_function_at_all():
    for call in (landform.jacobian, landform.hessian):
        refused(ShapeError, "expected a function, got NoneType", lambda c=call: c(None, X, mode="numeric"))
    refused(ShapeError, "expected a function, got int", lambda: landform.verify(3, X))


def test_a_missing_argument_is_told():
    refused(
        DerivativeError,
        "missing 1 required.*correct the function",
        lambda: landform.jacobian(lambda z, k: z, X, mode="numeric"),
    )
