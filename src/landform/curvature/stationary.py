"""The point where all slopes vanish."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.optimize import root

Point = Float[np.ndarray, " d"]


def find_stationary(
    derivatives: Callable[[Point], tuple[Point, Float[np.ndarray, "d d"]]],
    x: Point,
    basis: Float[np.ndarray, "d t"],
    scale: Point,
    *,
    tolerance: float = 1e-8,
) -> Point | None:
    """Seek the point, near ``x`` and within reach of it along a basis, where the gradient vanishes.

    Parameters
    ----------
    derivatives : callable
        ``derivatives(x)`` gives gradient and Hessian in the inputs' own units.
    x : array, shape (d,)
        Where to begin.
    basis : array, shape (d, t)
        Directions that exist, in inputs measured in ``scale``.
    scale : array, shape (d,)
        One unit of each scaled input.
    tolerance : float
        The gradient left, relative to the gradient at the start plus the curvature.

    Returns
    -------
    array or None
        None where none was found: the function rises all the way, or its only such points lie elsewhere.

    References
    ----------
    Powell (1970), "A hybrid method for nonlinear equations", with exact Jacobian.

    Examples
    --------
    >>> bowl = lambda x: (2 * (x - 3.0), 2 * np.eye(2))
    >>> find_stationary(bowl, np.zeros(2), np.eye(2), np.ones(2)).round(6)
    array([3., 3.])
    """
    along = scale[:, None] * basis

    def slope(t: Point) -> Point:
        return np.asarray(along.T @ derivatives(x + along @ t)[0])

    def curve(t: Point) -> Float[np.ndarray, "t t"]:
        return np.asarray(along.T @ derivatives(x + along @ t)[1] @ along)

    zero = np.zeros(basis.shape[1])
    size = float(np.linalg.norm(slope(zero)) + np.linalg.norm(curve(zero)))
    if size == 0 or not basis.shape[1]:
        return None
    # Measured in its own size, so that the unit of the output is of no consequence.
    found = root(lambda t: slope(t) / size, zero, jac=lambda t: curve(t) / size, method="hybr", options={"xtol": 1e-12})
    if not np.all(np.isfinite(found.x)) or np.linalg.norm(slope(found.x)) > tolerance * size:
        return None
    return np.asarray(x + along @ found.x)
