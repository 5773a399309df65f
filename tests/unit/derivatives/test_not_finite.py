"""NaN and infinity are named where they arise: in the vector, the value, the derivative, or the preparation's point.

log has no value at -1 and a finite slope there, 1/x; sqrt has a value at 0 and no slope: closed forms.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import DerivativeError, LandformError, ShapeError

OUT = np.array([1.0, -1.0])
V = np.ones(2)


def refused(error, words, call):
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, LandformError) and len(str(caught.value).splitlines()) == 1


def log_sum(x):
    return jnp.log(x).sum()


@pytest.mark.parametrize(
    "call",
    [
        lambda: landform.jacobian(jnp.log, OUT) @ V,
        lambda: landform.jacobian(jnp.log, OUT).T @ V,
        lambda: landform.jacobian(jnp.log, OUT[None], batched=True).dense(),
        lambda: landform.hessian(log_sum, OUT) @ V,
        lambda: landform.hessian(log_sum, OUT).quadratic(V),
        lambda: landform.hessian(jnp.log, OUT, weights=V) @ V,
        lambda: landform.laplacian(jnp.log, OUT),
        lambda: landform.taylor(jnp.log, OUT, V),
        lambda: landform.gauss_newton(jnp.log, lambda y: y @ y, OUT) @ V,
        lambda: landform.fisher(jnp.log, OUT, "poisson") @ V,
    ],
)
def test_no_value_no_derivative(call):
    refused(DerivativeError, "got nan for y", call)


@pytest.mark.parametrize("method", ["jacobian", "value_and_jacobian", "second"])
@pytest.mark.parametrize("point", [OUT, np.array([1.0, 0.0])])
def test_prepared_slopes(method, point):
    p = landform.prepare(jnp.log, V, outputs=("rise", "gloss"))
    refused(DerivativeError, "finite value at the point, got -?(nan|inf) for gloss", lambda: getattr(p, method)(point))


def test_prepared_matrices_name_the_entry():
    p = landform.prepare(jnp.sqrt, V, inputs=("a", "b"))
    refused(
        DerivativeError,
        "finite Jacobian, got (inf|nan) for d y1 / d [ab]( and 1 more entries)?;",
        lambda: p.jacobian(np.array([1.0, 0.0])),
    )
    refused(
        DerivativeError,
        "finite Jacobian, got (inf|nan) for d y1 / d [ab]( and 1 more entries)?;",
        lambda: p.jacobians(np.array([[1.0, 0.0]])),
    )
    sparse = landform.prepare(jnp.sqrt, V, mode="sparse", inputs=("a", "b"))
    refused(DerivativeError, "inf for d y1 / d b", lambda: sparse.jacobian(np.array([1.0, 0.0])))
    refused(DerivativeError, "inf for d b / d b", lambda: sparse.hessian(np.array([1.0, 0.0]), V))
    q = landform.prepare(lambda x: jnp.sqrt(x).sum(), V, inputs=("a", "b"))
    for call in (q.hessian, lambda x: q.hessian_product(x, V)):
        refused(DerivativeError, "got -?(inf|nan) for ", lambda call=call: call(np.array([1.0, 0.0])))
    refused(DerivativeError, "second derivative along v, got -inf", lambda: q.bend(np.array([1.0, 0.0]), V))
    for call in (q.hessian, lambda x: q.hessian_product(x, V), lambda x: q.bend(x, V)):
        refused(DerivativeError, "a finite value at the point, got nan for y", lambda call=call: call(OUT))
    refused(ShapeError, "got nan for b", lambda: p.jacobian(np.array([1.0, np.nan])))


def test_a_solver_may_look_after_that_itself():
    p = landform.prepare(jnp.sqrt, V, finite=False)
    assert np.isnan(p.value(OUT)[1]) and np.isnan(p.jacobian(OUT)[1, 1])
    assert np.isnan(landform.prepare(jnp.sqrt, V).value(OUT)[1])
    s = landform.prepare(jnp.sqrt, V, mode="sparse", finite=False)
    assert np.isnan(s.jacobian(OUT).toarray()[1, 1])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_vector_is_blamed_itself(bad):
    v = np.array([1.0, bad])
    J = landform.jacobian(jnp.sin, V, inputs=("a", "b"), outputs=("rise", "gloss"))
    words = "a vector of finite numbers, one for each {}, got {} for {}"
    refused(ShapeError, words.format("input", bad, "b"), lambda: J @ v)
    refused(ShapeError, words.format("output", bad, "gloss"), lambda: J.T @ v)
    refused(ShapeError, words.format("output", bad, "y1"), lambda: landform.hessian(jnp.sin, V, weights=v))
    refused(ShapeError, words.format("input", bad, "x1"), lambda: landform.taylor(jnp.sin, V, v))


def test_traced_products_are_not_looked_at():
    x = jnp.ones(2)
    found = jax.jit(lambda v: landform.jacobian(jnp.sin, x) @ v)(jnp.array([1.0, jnp.nan]))
    assert np.isnan(found[1]) and np.isfinite(found[0])


@pytest.mark.parametrize("form", ["tensor", "array"])
def test_prepared_tensors(form):
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    out = torch.tensor(OUT) if form == "tensor" else OUT
    p = landform.prepare(torch.log, torch.tensor(V))
    for call in (p.jacobian, p.second, lambda x: p.jacobians(x[None]), lambda x: p.bend(x, x)):
        refused(DerivativeError, "a finite value at the point, got nan for y1", lambda call=call: call(out))
    q = landform.prepare(lambda x: torch.log(x).sum(), torch.tensor(V))
    for call in (q.hessian, lambda x: q.hessian_product(x, x)):
        refused(DerivativeError, "a finite value at the point, got nan for y", lambda call=call: call(out))
    assert np.isnan(landform.prepare(torch.log, torch.tensor(V), finite=False).value(OUT)[1])
    refused(DerivativeError, "got nan for y1", lambda: landform.jacobian(torch.log, torch.tensor(OUT)) @ V)
