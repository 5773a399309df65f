"""The slope of the outer loss over hyperparameters, by the implicit function theorem, and how far it may be off.

With θ(z) the inner minimum, H the inner Hessian and ``H q = ∂F/∂θ``, the slope is that of the Lagrangian
``F − q · ∇g`` over z. What is left of the inner gradient moves θ by Newton's step s; the slope's own derivative along
s, exact and as cheap as one product, says what that costs.

References
----------
Bengio (2000), "Gradient-based optimization of hyperparameters", Neural Computation 12; Pedregosa (2016),
"Hyperparameter optimization with approximate gradient", ICML; Griewank and Faure (2002), "Reduced functions, gradients
and Hessians from fixed-point iterations for state equations", Numer. Algorithms 30 (errors).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.fit.tuning.curved import Curved, NoMinimumError
from landform.fit.tuning.inner import Inner
from landform.fit.tuning.level import Level

Array = np.ndarray
_ROUNDING = 64 * np.finfo(float).eps
_DRAWS = 4


@dataclass(frozen=True, eq=False)
class Answer:
    """Outer loss and hypergradient where the inner problem was left.

    Parameters
    ----------
    inner : Inner
        The inner problem.
    value, value_error : float
        The outer loss, and how far it is from its value at the inner minimum.
    gradient, error : array, shape (p,)
        Its slope over the hyperparameters, and how far each entry may be off.
    direct : array, shape (p,)
        The part that does not go through the parameters.
    natural : float
        The size of the terms that the slope is a sum of: what errors are in parts of.
    left : array, shape (n,)
        Newton's step from here to the inner minimum.
    contraction : float
        The next such step in parts of this one: Newton's method converges from here where it is well below 1.
    multiplier : array, shape (n,)
        ``H⁻¹ ∂F/∂θ``.
    """

    inner: Inner
    value: float
    value_error: float
    gradient: Float[Array, " p"]
    error: Float[Array, " p"]
    direct: Float[Array, " p"]
    natural: float
    left: Float[Array, " n"]
    contraction: float
    multiplier: Float[Array, " n"]

    @property
    def off(self) -> float:
        """The largest error, in parts of the terms that the slope is a sum of."""
        worst = float(self.error.max(initial=0.0))
        if not worst:
            return 0.0
        return worst / self.natural if self.natural else np.inf


def answer(level: Level, inner: Inner, z: Float[Array, " p"]) -> Answer:
    """Outer loss and hypergradient at an inner problem as it stands.

    Raises
    ------
    NoMinimumError
        Where the inner Hessian is not that of a minimum, or something is not finite.
    """
    theta, curved = inner.theta, inner.curved
    value, over_theta, direct = level.judged(theta, z)
    if not np.isfinite(value) or not np.isfinite(over_theta).all() or not np.isfinite(direct).all():
        raise NoMinimumError("the outer loss or its slope is not finite there")
    q = curved.solve(over_theta)
    unsolved = curved.solve(over_theta - curved.times(q))
    q = q + unsolved
    through = -level.pulled(theta, z, q)
    left = -curved.solve(inner.slope)
    next_left = -curved.solve(level.slope(theta + left, z))
    moved = sum(np.abs(_moved(level, inner, z, q, step)) for step in (left, next_left))
    linear = np.abs(level.pulled(theta, z, unsolved))
    terms = np.abs(direct) + np.abs(through) + _spread(level, theta, z, q)
    return Answer(
        inner,
        value,
        2.0 * float(abs(over_theta @ left) + abs(over_theta @ next_left)) + _ROUNDING * abs(value),
        direct + through,
        2.0 * moved + linear + _ROUNDING * terms,
        direct,
        float(terms.max(initial=0.0)),
        left,
        _length(curved, next_left) / max(_length(curved, left), 1e-300),
        q,
    )


def _moved(level: Level, inner: Inner, z: Array, q: Array, step: Array) -> Float[Array, " p"]:
    """How the hypergradient moves, to first order, when θ moves by a step."""
    along = (step[None], np.zeros((1, len(z))))
    over_theta, over_z = (part[0] for part in level.lagrangian(inner.theta, z, q, along))
    return np.asarray(over_z - level.pulled(inner.theta, z, inner.curved.solve(over_theta)))


def _spread(level: Level, theta: Array, z: Array, q: Array) -> Float[Array, " p"]:
    """The size of the sum that each entry of the indirect part is, by sums with random signs."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(_DRAWS, len(q)))
    return np.max([np.abs(level.pulled(theta, z, s * q)) for s in signs], axis=0)


def _length(curved: Curved, step: Array) -> float:
    """The length of a step as the inner loss feels it."""
    return float(np.sqrt(max(step @ curved.times(step), 0.0)))


def refuse_unconverged(found: Answer, tolerance: float) -> None:
    """Refuse an inner problem whose rest moves the hypergradient by more than the tolerance.

    Raises
    ------
    NoMinimumError
        With what the hypergradient would be off by.
    """
    if found.contraction > 0.5 and found.off > 1e-3 * tolerance:
        raise NoMinimumError(
            f"it has not converged: from here Newton's steps do not even shrink (the next is {found.contraction:.2g} "
            "of this one), so the hypergradient can be off by any amount"
        )
    if found.off > tolerance:
        worst = int(found.error.argmax())
        raise NoMinimumError(
            f"it has not converged: what is left of its gradient ({np.abs(found.inner.slope).max():.2g}) puts the "
            f"hypergradient off by about {found.error[worst] / 2:.2g}, where it reads {found.gradient[worst]:.2g}"
        )


def outer_hessian(
    level: Level, found: Answer, z: Float[Array, " p"]
) -> tuple[Float[Array, "p p"], Float[Array, "n p"]]:
    """The exact Hessian of the outer loss over hyperparameters, and how the inner minimum moves with each.

    ``T' ∇²(F − q · ∇g) T`` with T the moves of (θ, z): the reduced Hessian of a constrained problem.
    """
    theta = found.inner.theta
    moves = -found.inner.curved.solve(level.mixed(theta, z).T)
    over_theta, over_z = level.lagrangian(theta, z, found.multiplier, (moves.T, np.eye(len(z))))
    curve = over_theta @ moves + over_z
    return (curve + curve.T) / 2, moves
