"""The lowest point as a function of the problem's parameters, for programs that compile, batch and differentiate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from landform.backends.frameworks import backend_of, refuse_traced
from landform.errors import ShapeError


def argmin(function: Callable[..., Any], x0: Any, *, most: int = 200) -> Callable[..., Any]:
    """The lowest point as a JAX function of the problem's parameters, under jit, vmap, jacfwd, jacrev and grad.

    `minimize` gives one point with its certificate, and does not run inside a compiled program; this does, for smooth
    functions without limits. Where the search does not end at a strict minimum (not converged, a saddle, a direction
    that nothing determines), the point is NaN **and so is every derivative of it**, also in a program that keeps
    nothing but derivatives.

    Parameters
    ----------
    function : callable
        JAX function ``function(x, *args)``, one number, twice differentiable in x; what it depends on and is
        differentiated by must be in ``args``.
    x0 : array or tree of arrays
        Where every search begins, up to a few hundred numbers. Plain numbers and NumPy alone, here and in ``args``, are
        worked on in double precision; JAX arrays, and whatever is traced, in the caller's own. The point is found to
        half its digits or better.
    most : int
        Steps of a search.

    Returns
    -------
    Argmin
        ``best(*args)`` is the point in the form of x0; ``best.solved(*args)`` says whether it is a strict minimum.

    Raises
    ------
    ShapeError
        If the function does not return one number.

    References
    ----------
    Griewank and Walther (2008), *Evaluating Derivatives*, ch. 15.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> best = argmin(lambda x, a: (x - a) ** 2 + a * x, jnp.array(0.0))
    >>> round(jax.jit(jax.grad(best))(3.0).item(), 6)
    0.5
    >>> flat = argmin(lambda x, a: (x - a) ** 2 * jnp.exp(-x), jnp.array(5.0), most=3)
    >>> jax.jit(jax.jacfwd(flat))(0.0).item(), flat.solved(0.0).item()
    (nan, False)
    """
    if not callable(function) or most < 1:
        raise ShapeError(
            "a function, and at least one step",
            got=f"{type(function).__name__} and most={most}",
            remedy="pass argmin(f, x0)",
            where="argmin",
        )
    refuse_traced("argmin, argument x0", x0)
    backend = backend_of(function, x0)
    if not hasattr(backend, "Argmin"):
        raise ShapeError(
            "a JAX function and a start of NumPy or JAX arrays",
            got=f"{backend.name}'s",
            remedy="use landform.minimize, and .sensitivity() of what it finds",
            where="argmin",
        )
    return backend.Argmin(function, x0, most)
