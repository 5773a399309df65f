"""What is proven about a least squares fit: the certificate of its point, with curvature seen through the Jacobian.

The Hessian of half a sum of squares is ``J'J + S``; with ``J = QR`` it is ``R'(I + R⁻ᵀ S R⁻¹)R``, and so positive
definite exactly where the inner matrix is. That one has eigenvalues near 1 however badly the parameters are scaled or
correlated, where the Hessian itself loses its smallest eigenvalue in rounding.

References
----------
Bates and Watts (1980), "Relative curvature measures of nonlinearity", J. R. Statist. Soc. B 42.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from landform.fit.parameters.identify import blind_directions
from landform.optimize import Certificate, certify
from landform.optimize.problem import Problem

Array = np.ndarray
_TOLERANCE = 1e-7
_SOLID = 1e-3
"""An eigenvalue of the inner matrix above this proves a minimum; it is 1 for a straight model."""


def certify_squares(
    residuals: Callable[..., Any],
    problem: Problem,
    p: Float[Array, " n"],
    args: tuple[Any, ...],
    *,
    rounding: float = 0.0,
) -> Certificate:
    """Judge a point of a least squares problem.

    Parameters
    ----------
    residuals : callable
        ``residuals(p, *args)``, shape (m,).
    problem : Problem
        Half their sum of squares, with bounds.
    p : array, shape (n,)
        The point.
    args : tuple
        Further arguments of the residuals.
    rounding : float
        Length of the residuals below which rounding rules them: an exact fit has no slope to speak of.
    """
    found = certify(problem.program, p, tolerance=_TOLERANCE)
    if found.nature == "strict minimum" or found.violation > 0:
        return found
    region = problem.program.region
    free = (p > region.lower) & (p < region.upper)
    J, S, r = _second_order(residuals, p, args)
    names = tuple(np.array(region.names)[free])
    if not np.isfinite(J).all() or not np.isfinite(S).all() or blind_directions(J[:, free], names):
        return found
    cosine, least = _through_the_jacobian(J, S, r, free, rounding)
    if cosine > _TOLERANCE or least < _SOLID:
        return found
    if not free.all() and not _held(r @ J, p, region.lower, region.upper):
        return found
    words = f"a strict minimum: curvature at least {least:.2g} of a straight model's in every direction"
    return replace(found, certified=True, nature="strict minimum", words=words, kkt_residual=cosine, escape=None)


def _through_the_jacobian(
    J: Float[Array, "m n"], S: Float[Array, "n n"], r: Float[Array, " m"], free: Bool[Array, " n"], rounding: float
) -> tuple[float, float]:
    """The cosine of the angle between residuals and slopes, and the least eigenvalue of the inner matrix."""
    size = np.linalg.norm(J[:, free], axis=0)
    Q, R = np.linalg.qr(J[:, free] / size)
    inverse = np.linalg.inv(R)
    inner = np.eye(len(R)) + inverse.T @ (S[np.ix_(free, free)] / np.outer(size, size)) @ inverse
    length = float(np.linalg.norm(r))
    seen = float(np.linalg.norm(r @ Q))
    return 0.0 if seen <= rounding else seen / length, float(np.linalg.eigvalsh((inner + inner.T) / 2)[0])


def _held(slope: Float[Array, " n"], p: Array, lower: Array, upper: Array) -> bool:
    """Whether every bound that is reached is pushed against."""
    return bool(np.all(slope[p <= lower] > 0) and np.all(slope[p >= upper] < 0))


def _second_order(
    residuals: Callable[..., Any], p: Float[Array, " n"], args: tuple[Any, ...]
) -> tuple[Float[Array, "m n"], Float[Array, "n n"], Float[Array, " m"]]:
    from landform.backends.jax import double_precision

    with double_precision():
        return tuple(np.asarray(part) for part in _compiled(residuals, jnp.asarray(p), args))  # type: ignore[return-value]


@partial(jax.jit, static_argnums=0)
def _compiled(residuals: Callable[..., Any], p: Any, args: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    r = residuals(p, *args)
    own = jax.jacfwd(jax.grad(lambda q: r @ residuals(q, *args)))(p)
    return jax.jacfwd(lambda q: residuals(q, *args))(p), (own + own.T) / 2, r
