"""The Laplacian by one pass forwards.

Every operation takes values, their slopes J along all inputs and their Laplacians L to those of its results: a linear
one applies itself to each, one that goes element by element gives ``f' J`` and ``f' L + f'' Σ_k J_k²``, a product adds
``2 Σ_k J_k J_k'``. There is one value for all directions, where two nested slopes an input repeat it for each.

References
----------
Li, Ye, Zhang, Wu, Xu, Wang, Tian, Chen and others (2024), "A computational framework for neural network-based
variational Monte Carlo with Forward Laplacian", Nature Machine Intelligence 6.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from landform.backends import jax as backend
from landform.backends.jax import compiled
from landform.derivatives.forward.jet import Jet
from landform.derivatives.forward.walk import jets_of, walked


@compiled(0, 1)
def _by_slopes(f: Any, _: int, x: Any, *args: Any) -> Any:
    """By two slopes along every input: for what brings a rule for reverse products alone."""
    return backend.laplacian(f, 32, x, *args)


@compiled(0, 1, reverse=_by_slopes)
def forward_laplacian(f: Any, budget: int, x: Any, *args: Any) -> Any:
    """The sum of every output's second derivatives along the inputs, shape (m,), within a budget of bytes.

    Where the slopes along all inputs do not fit the budget, some inputs are taken at a time.
    """
    closed = jax.make_jaxpr(lambda z: f(z, *args))(x)
    n, widest = x.size, _widest(closed.jaxpr)
    chunk = max(1, min(n, budget // max(1, 8 * widest * x.dtype.itemsize)))

    def along(first: Any) -> Any:
        seeds = (first + jnp.arange(chunk)[:, None] == jnp.arange(n)).astype(x.dtype)
        (out,) = walked(closed.jaxpr, closed.consts, [Jet(x, seeds)], chunk)
        return jets_of(out, chunk).curve

    if chunk == n:
        return along(0)
    shape = jax.eval_shape(along, 0)  # past the last input the seeds are zero
    zero = jnp.zeros(shape.shape, shape.dtype)
    return lax.fori_loop(0, -(-n // chunk), lambda i, total: total + along(i * chunk), zero)


def _widest(jaxpr: Any) -> int:
    """Numbers in the largest result of an operation, calls and loops included."""
    widest = 1
    for eqn in jaxpr.eqns:
        widest = max([widest, *(v.aval.size for v in eqn.outvars if hasattr(v.aval, "size"))])
        for inner in jax.tree.leaves(
            list(eqn.params.values()), is_leaf=lambda p: hasattr(p, "eqns") or hasattr(p, "jaxpr")
        ):
            inner = getattr(inner, "jaxpr", inner)
            widest = max(widest, _widest(inner)) if hasattr(inner, "eqns") else widest
    return widest
