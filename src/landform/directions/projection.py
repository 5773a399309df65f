"""Derivatives through principal directions that survive ties: projectors and sums of eigenvalues for JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from landform.errors import ShapeError


def span_projector(A: Float[Any, "d d"], stop: int, *, start: int = 0) -> Float[Any, "d d"]:
    """The projector onto the span of leading eigenvectors, differentiable by JAX to any order, at ties too.

    Eigenvalues may be equal inside the span, or outside it: only the gap between the two counts.
    `jax.numpy.linalg.eigh` has NaN for derivatives there, though the span's own derivative exists.

    Parameters
    ----------
    A : array, shape (d, d)
        Symmetric; its symmetric part is taken. NumPy arrays are worked on in double precision.
    stop, start : int
        Eigenvectors ``start`` to ``stop`` (exclusive), the largest eigenvalue first: ``span_projector(A, 2)`` is for
        the first two, ``span_projector(A, 3, start=1)`` for the second and third.

    Returns
    -------
    array, shape (d, d)
        The span's invariant description: ``P @ x`` is x's part in it, ``sum(P * B)`` the trace of B on it.

    Raises
    ------
    DerivativeError
        If the span ends inside a tie, where no such projector exists. Inside `jax.jit`, where nothing can be raised,
        the result is NaN.
    ShapeError
        If A is not square, or ``start`` and ``stop`` do not fit it.

    References
    ----------
    Kato (1966), *Perturbation Theory for Linear Operators*, ch. II.

    Examples
    --------
    >>> import jax
    >>> A = np.diag([2.0, 2.0, 1.0])                   # a tie inside the span of the first two
    >>> B = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> with jax.enable_x64(True):
    ...     jax.grad(lambda A: (span_projector(A, 2) * B).sum())(jax.numpy.asarray(A)).round(6).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    return _answered("projector", A, start, stop)


def eigenvalue_sum(A: Float[Any, "d d"], stop: int, *, start: int = 0) -> Float[Any, ""]:
    """The sum of leading eigenvalues, differentiable by JAX to any order, at ties too: the variation a span carries.

    Parameters
    ----------
    A : array, shape (d, d)
        Symmetric; its symmetric part is taken.
    stop, start : int
        Eigenvalues ``start`` to ``stop`` (exclusive), largest first.

    Returns
    -------
    scalar
        Its gradient is the projector, so it exists wherever that does.

    Raises
    ------
    DerivativeError
        Differentiated where the sum ends inside a tie (a kink); inside `jax.jit` the derivative is NaN.
    ShapeError
        As for `span_projector`.

    Examples
    --------
    >>> import jax
    >>> with jax.enable_x64(True):
    ...     jax.grad(lambda A: eigenvalue_sum(A, 2))(jax.numpy.diag(np.array([2.0, 2.0, 1.0]))).round(6).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return _answered("eigenvalue_sum", A, start, stop)


def _answered(name: str, A: Any, start: int, stop: int) -> Any:
    import jax

    from landform.backends import spectral
    from landform.backends.jax import precision_of

    shape = np.shape(A)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError("a square symmetric matrix", got=f"shape {shape}", remedy="pass X.T @ X or a covariance")
    if not 0 <= start < stop <= shape[0]:
        raise ShapeError(
            f"0 ≤ start < stop ≤ {shape[0]}", got=f"start={start}, stop={stop}", remedy="choose a span that exists"
        )
    native = isinstance(A, jax.Array)
    with precision_of(A):
        found = getattr(spectral, name)(A if native else jax.numpy.asarray(A, dtype=float), start, stop)
    return found if native else np.asarray(found)
