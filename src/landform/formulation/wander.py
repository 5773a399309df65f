"""How surely the best recipe is known: redraw the surrogates, and see where the best recipe goes.

References
----------
Russo and Van Roy (2014), "Learning to optimize via posterior sampling", Math. Oper. Res. 39.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from landform.formulation.goals import Goal, overall
from landform.formulation.responses import Response, Responses

Array = np.ndarray
_CANDIDATES = 120
_CLOSER = (0.1, 0.3)
_DRAWS = 400


def wander(
    responses: Responses,
    goals: Sequence[Goal],
    best: Float[Array, " d"],
    candidates: Float[Array, "rows d"],
    *,
    beyond: bool,
    seed: int,
) -> Float[Array, " d"]:
    """Standard deviation of the best recipe over surrogates drawn from their uncertainty.

    Each draw is a whole function, seen at the best candidates of the region and closer by; the best of them under
    that draw is where the best recipe would have been found.

    Parameters
    ----------
    responses, goals
        What was fitted and what is wanted.
    best : array, shape (d,)
        The best recipe.
    candidates : array, shape (rows, d)
        Points of the region.
    beyond : bool
        Whether the best recipe reaches every goal in full, so that draws too are compared past the goals.
    seed : int
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    score = overall(goals, responses.means(candidates, [g.name for g in goals]), capped=not beyond)
    near = candidates[np.argsort(-score, kind="stable")[:_CANDIDATES]]
    # The limits are linear, so what lies between two recipes allowed is allowed: finer steps around the best.
    X = np.vstack([best[None], near, *(best + t * (near - best) for t in _CLOSER)])
    drawn = np.stack([_draws(responses.parts[responses.at(g.name)], X, rng) for g in goals], axis=2)
    winners = [int(np.argmax(overall(goals, Y, capped=not beyond))) for Y in drawn]
    spread = np.std(X[winners], axis=0)
    return np.where(spread > 1e-9 * np.max(np.abs(X), axis=0), spread, 0.0)


def _draws(part: Response, X: Float[Array, "rows d"], rng: np.random.Generator) -> Float[Array, "draws rows"]:
    if part.surrogate is None:
        return np.repeat(part.mean(X)[None], _DRAWS, axis=0)
    mean = np.asarray(part.surrogate.estimator.predict(X)).reshape(-1)
    values, vectors = np.linalg.eigh(part.surrogate.posterior.covariance(X))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    spread = part.surrogate.widening * (rng.standard_normal((_DRAWS, len(X))) @ root.T)
    if np.isfinite(part.surrogate.degrees):
        degrees = part.surrogate.degrees
        spread *= np.sqrt(degrees / rng.chisquare(degrees, size=(_DRAWS, 1)))
    return np.exp(mean + spread) if part.log else mean + spread
