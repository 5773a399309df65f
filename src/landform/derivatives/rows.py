"""Values, slopes and curves at many rows, a block at a time: memory does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from landform.backends import jax as jax_backend
from landform.backends.jax import Compiled, compiled, double_precision, second_derivatives
from landform.derivatives.prepared import Prepared

Array = np.ndarray
_BLOCK_BYTES = 1 << 26
_MOST = 1024


def blocks(rows: int, size: int) -> Iterator[slice]:
    """Slices of ``rows`` rows of which each needs ``size`` numbers.

    Examples
    --------
    >>> list(blocks(5, 1 << 22))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = int(np.clip(_BLOCK_BYTES // (8 * max(size, 1)), 1, _MOST))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def values_at(prepared: Prepared, X: Float[Array, "rows n"]) -> Float[Array, "rows m"]:
    """f at every row."""
    target = prepared.target
    return np.concatenate([prepared.values(X[part]) for part in blocks(len(X), target.n + target.m)])


def slopes_at(prepared: Prepared, X: Float[Array, "rows n"]) -> tuple[Float[Array, "rows m"], Float[Array, "rows m n"]]:
    """f and J at every row."""
    target = prepared.target
    found = [prepared.values_and_jacobians(X[part]) for part in blocks(len(X), target.n * (target.m + 1))]
    return np.concatenate([y for y, _ in found]), np.concatenate([J for _, J in found])


def _curves(f: object, X: object, *args: object) -> object:
    import jax

    return jax.vmap(lambda x: second_derivatives(f, x, *args)[2])(X)


_curves_of_rows: Compiled = compiled(0)(_curves)


def curves_at(prepared: Prepared, X: Float[Array, "rows n"]) -> Iterator[tuple[slice, Float[Array, "some m n n"]]]:
    """The Hessian of every output at the rows, block by block."""
    target = prepared.target
    for part in blocks(len(X), target.m * target.n**2):
        if target.backend is jax_backend:
            with double_precision():
                rows = jax_backend.rows(X[part], target.x)
                found = _curves_of_rows.quick(target.flat, rows, *target.args)
            yield part, np.asarray(found)[: part.stop - part.start]
        else:
            yield part, np.stack([prepared.second(x)[2] for x in X[part]])
