"""Is a derivative right? Taylor remainders along random directions tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.target import Target, make_target
from landform.errors import DerivativeError
from landform.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

_HALVINGS = 40


@dataclass(frozen=True)
class Verification(Finding):
    """What a Taylor test found.

    Parameters
    ----------
    order_first : float
        Slope of log remainder against log step with the Jacobian taken off; 2 where it is right.
    order_second : float
        The same with the Hessian taken off too; 3 where it is right. NaN where the remainder vanishes
        in rounding (a quadratic has none), which is right as well.
    dot_product_gap : float
        Largest |u·(Jv) − v·(J'u)| relative to their size.
    repeatable : bool
        Whether the function gave the same value twice.
    correct : bool
        The verdict.
    words : str
        The verdict in words.
    steps : array
        Step lengths used.
    first, second : array
        Remainders at those steps, relative to the size of the outputs.
    """

    order_first: float
    order_second: float
    dot_product_gap: float
    repeatable: bool
    correct: bool
    words: str
    steps: Float[np.ndarray, " steps"]
    first: Float[np.ndarray, " steps"]
    second: Float[np.ndarray, " steps"]

    def to_frame(self) -> pd.DataFrame:
        """Step lengths and remainders."""
        import pandas as pd

        return pd.DataFrame({"step": self.steps, "without slopes": self.first, "without curves": self.second})

    def require(self) -> Verification:
        """The verification itself, if the derivative is right.

        Raises
        ------
        DerivativeError
            If it is not.
        """
        if not self.correct:
            raise DerivativeError("derivatives that agree with the function", got=self.words, remedy="correct its rule")
        return self


def verify(
    function: Callable[..., Any] | Model,
    x: Any,
    *,
    args: Sequence[Any] = (),
    seed: int = 0,
    sparsity: Any = None,
) -> Verification:
    """Check first and second derivatives against the function itself.

    Along a random direction v (never the gradient, which hides errors across it) the remainder
    ``f(x + t v) − f(x) − t J v`` must fall like t², and with the curvature taken off like t³, until rounding
    takes over. The products J v and J' u must agree as well.

    Parameters
    ----------
    function : callable or Model
        What is differentiated.
    x : array or tree of arrays
        The point; choose one where the function is smooth.
    args : sequence
        Further arguments of the function, held fixed.
    seed : int
        Of the random directions.
    sparsity : matrix of shape (m, n), optional
        A pattern of the Jacobian; it must hold every entry that differs from zero at the point.

    Returns
    -------
    Verification

    References
    ----------
    Farrell, Ham, Funke and Rognes (2013), "Automated derivation of the adjoint of high-level transient finite
    element programs", SIAM J. Sci. Comput. 35, sec. 5.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> found = verify(lambda x: jnp.sin(x[:1] * x[1:]), np.array([0.7, 1.1]))
    >>> found.correct, round(found.order_first), round(found.order_second)
    (True, 2, 3)
    """
    target = make_target(function, x, args=args)
    rng = np.random.default_rng(seed)
    x0 = target.backend.to_numpy(target.x).astype(np.float64)
    v = rng.standard_normal(target.n) * np.maximum(np.abs(x0), 0.1)
    u = rng.standard_normal(target.m)
    f, slope, curve, gap = _derivatives_along(target, x0, v, u)
    y, repeatable = f(0.0), bool(np.array_equal(f(0.0), f(0.0)))
    steps = 0.5 ** np.arange(_HALVINGS)
    scale = max(float(np.max(np.abs(y))), float(np.max(np.abs(slope))), np.finfo(float).tiny)
    moved = np.array([f(t) for t in steps])
    linear = moved - y - steps[:, None] * slope
    quadratic = linear - 0.5 * steps[:, None] ** 2 * curve
    first, second = (np.max(np.abs(r), axis=1) / scale for r in (linear, quadratic))
    eps = target.backend.rounding(target.x)
    # At the ten smallest steps nothing but the function's own rounding noise is left, unless a derivative is wrong.
    floor = max(50 * eps, 20 * float(np.max(first[-10:])))
    orders = fitted_order(steps, first, floor), fitted_order(steps, second, floor)
    words = _verdict(*orders, gap, repeatable, tolerance=np.sqrt(eps))
    if sparsity is not None and not words:
        from landform.derivatives.colored import wrong_pattern

        words = wrong_pattern(target, sparsity)
    return Verification(orders[0], orders[1], gap, repeatable, not words, words or "right", steps, first, second)


def _derivatives_along(
    target: Target, x0: np.ndarray, v: np.ndarray, u: np.ndarray
) -> tuple[Callable[[float], np.ndarray], np.ndarray, np.ndarray, float]:
    """The function along v, its first and second derivative there, and the gap of the dot-product test."""
    backend, flat, args = target.backend, target.flat, target.args

    def vector(a: np.ndarray) -> Any:
        return backend.vector(a, target.x)

    def run(program: Any, *vectors: np.ndarray) -> np.ndarray:
        with target.precision():
            found = program(flat, *map(vector, vectors), *args)
            return np.asarray(backend.to_numpy(found), dtype=np.float64)

    def along(t: float) -> np.ndarray:
        return run(backend.value, x0 + t * v)

    slope, pulled = run(backend.pushforward, x0, v), run(backend.pullback, x0, u)
    curve = run(backend.bend, x0, v)
    size = max(np.abs(u) @ np.abs(slope), np.abs(v) @ np.abs(pulled), np.finfo(float).tiny)
    return along, slope, curve, float(abs(u @ slope - v @ pulled) / size)


def fitted_order(steps: Float[np.ndarray, " k"], remainders: Float[np.ndarray, " k"], floor: float) -> float:
    """Slope of log remainder against log step over the last four steps above the rounding floor.

    Returns
    -------
    float
        NaN where fewer than three remainders stand above the floor.

    Examples
    --------
    >>> t = 0.5 ** np.arange(20)
    >>> round(fitted_order(t, 3 * t**2 + 1e-16, 1e-12), 3)
    2.0
    """
    above = np.isfinite(remainders) & (remainders > floor)
    last = int(np.argmin(above)) if not above.all() else len(above)
    if last < 3:
        return float("nan")
    window = slice(max(0, last - 4), last)
    return float(np.polyfit(np.log(steps[window]), np.log(remainders[window]), 1)[0])


def _verdict(first: float, second: float, gap: float, repeatable: bool, *, tolerance: float) -> str:
    """What is wrong, or nothing."""
    if not repeatable:
        return "a function that gives another value when called again at the same point"
    if first < 1.7:
        return f"a Jacobian whose Taylor remainder falls like step^{first:.2f} instead of step^2"
    if second < 2.7:
        return f"a Hessian whose Taylor remainder falls like step^{second:.2f} instead of step^3"
    if gap > tolerance:
        return f"forward and reverse products that differ by {gap:.1e}"
    return ""
