"""Projectors onto eigenspaces of a symmetric JAX matrix, with derivatives of every order that survive ties.

Differentiating eigenvectors divides by every difference of eigenvalues, and gives NaN at a tie even where the answer
does not depend on the axes chosen there. The projector P onto a group of eigenvectors depends only on the gap between
the group and the rest: its derivative along E is Y + Y' with P Y Q = Y (Q = I − P) and ``A Y − Y A = P E Q``. That
equation is solved by eigenvectors but differentiated implicitly, so the rule holds to every order.

References
----------
Kato (1966), *Perturbation Theory for Linear Operators*, ch. II; Blondel et al. (2022), "Efficient and modular implicit
differentiation", NeurIPS 35.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from landform.errors import DerivativeError

ROUNDING = 8.0
"""A gap below this many roundings of the largest eigenvalue, times the matrix's size, is a tie."""


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def projector(A: jax.Array, start: int, stop: int) -> jax.Array:
    """The projector onto eigenvectors ``start`` to ``stop`` (exclusive) of a symmetric matrix, largest first."""
    A = (A + A.T) / 2
    values, vectors = jnp.linalg.eigh(A)
    n = A.shape[0]
    refuse_cut_tie(values, start, stop)
    inside = vectors[:, n - stop : n - start]
    return jnp.where(_least_gap(values, start, stop) > _rounding(values), inside @ inside.T, jnp.nan)


@projector.defjvp
def _projector_jvp(
    start: int, stop: int, primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (A,), (E,) = primals, tangents
    A, E = (A + A.T) / 2, (E + E.T) / 2
    P = projector(A, start, stop)
    Q = jnp.eye(A.shape[0], dtype=A.dtype) - P

    def apply(Y: jax.Array) -> jax.Array:
        within = P @ Y @ Q
        return A @ within - within @ A + Y - within

    def solve(_: object, right: jax.Array) -> jax.Array:
        values, vectors = jnp.linalg.eigh(jax.lax.stop_gradient(A))
        place = A.shape[0] - 1 - jnp.arange(A.shape[0])
        member = (place >= start) & (place < stop)
        crosses = member[:, None] & ~member[None, :]
        gaps = jnp.where(crosses, values[:, None] - values[None, :], 1.0)
        return vectors @ ((vectors.T @ right @ vectors) / gaps) @ vectors.T

    # The operator is symmetric as far as A and P commute, which they do.
    Y = jax.lax.custom_linear_solve(apply, P @ E @ Q, solve, symmetric=True)
    return P, Y + Y.T


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def eigenvalue_sum(A: jax.Array, start: int, stop: int) -> jax.Array:
    """The sum of eigenvalues ``start`` to ``stop`` (exclusive) of a symmetric matrix, largest first."""
    n = A.shape[0]
    return jnp.sum(jnp.linalg.eigvalsh((A + A.T) / 2)[n - stop : n - start])


@eigenvalue_sum.defjvp
def _eigenvalue_sum_jvp(
    start: int, stop: int, primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (A,), (E,) = primals, tangents
    return eigenvalue_sum(A, start, stop), jnp.sum(projector(A, start, stop) * (E + E.T) / 2)


def _edges(values: jax.Array, start: int, stop: int) -> list[tuple[int, jax.Array]]:
    """Gaps at the two ends of a group, with the place (from 1) of the eigenvalue above each."""
    n = values.shape[0]
    return [(k, values[n - k] - values[n - k - 1]) for k in (start, stop) if 0 < k < n]


def _least_gap(values: jax.Array, start: int, stop: int) -> jax.Array:
    gaps = [gap for _, gap in _edges(values, start, stop)]
    return jnp.min(jnp.stack(gaps)) if gaps else jnp.asarray(jnp.inf, dtype=values.dtype)


def _rounding(values: jax.Array) -> jax.Array:
    return ROUNDING * values.shape[0] * jnp.finfo(values.dtype).eps * jnp.max(jnp.abs(values))


def refuse_cut_tie(values: jax.Array, start: int, stop: int) -> None:
    """Refuse a group of eigenvectors that ends inside a tie, where the values are there to be looked at.

    Raises
    ------
    DerivativeError
        Naming the two eigenvalues.
    """
    if isinstance(values, jax.core.Tracer):
        return
    descending, grain = np.asarray(values)[::-1], float(_rounding(values))
    for k, gap in _edges(values, start, stop):
        if not float(gap) > grain:
            raise DerivativeError(
                "directions that end at a gap between eigenvalues",
                got=f"eigenvalues {k} and {k + 1} equal ({descending[k - 1]:.6g} and {descending[k]:.6g})",
                remedy="take both of them in, or neither: only their span exists",
            )
