"""Points to draw: ternary and plane slices through the best recipe, and traces along every input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from landform.formulation.goals import Goal, overall
from landform.formulation.recipes import Recipe
from landform.formulation.responses import Responses
from landform.formulation.trials import Trials
from landform.optimize import Polytope
from landform.sensitivity import Ground, cox_path

Array = np.ndarray
_TERNARY = 48
_SLICE = 33
_TRACE = 31
_MOST_SLICES = 3


@dataclass(frozen=True, eq=False)
class Scene:
    """What all pictures share.

    Parameters
    ----------
    responses, goals, ground, region, trials
        The study's.
    x : array, shape (d,)
        The recipe that pictures pass through.
    recipes : tuple of Recipe
        Marked on them.
    ranking : tuple of int
        Inputs, the most influential first.
    """

    responses: Responses
    goals: tuple[Goal, ...]
    ground: Ground
    region: Polytope
    trials: Trials
    x: Float[Array, " d"]
    recipes: tuple[Recipe, ...]
    ranking: tuple[int, ...]


def draw_pictures(scene: Scene) -> dict[str, Any]:
    """Every picture as plain data, as it stands in ``results.json``."""
    return {"ternary": _ternary(scene), "slices": _slices(scene), "traces": _traces(scene)}


def _layers(scene: Scene, X: Float[Array, "rows d"]) -> list[tuple[str, str, Float[Array, " rows"]]]:
    """Every property, and desirability where there are goals, at the rows of X."""
    Y = scene.responses.means(X)
    found = [(part.name, part.unit, Y[:, k]) for k, part in enumerate(scene.responses.parts)]
    if scene.goals:
        of = [scene.responses.at(goal.name) for goal in scene.goals]
        found.insert(0, ("desirability", "", overall(scene.goals, Y[:, of])))
    return found


def _ternary(scene: Scene) -> dict[str, Any] | None:
    """A triangle of the three most influential ingredients, the others held at the recipe."""
    q = scene.ground.ingredients
    chosen = sorted([i for i in scene.ranking if i < q][:3])
    if len(chosen) < 3:
        return None
    span = float(scene.x[chosen].sum())
    lower, upper = scene.ground.lower[chosen], scene.ground.upper[chosen]
    room = span - float(lower.sum())
    if room <= 1e-9 * span:
        return None
    shares, triangles = triangular_grid(_TERNARY)
    three = lower + room * shares
    X = np.tile(scene.x, (len(three), 1))
    X[:, chosen] = three
    allowed = scene.region.rows.matrix @ X.T
    slack = 1e-9 * max(1.0, span)
    inside = np.all(
        (allowed >= scene.region.rows.lower[:, None] - slack) & (allowed <= scene.region.rows.upper[:, None] + slack),
        axis=0,
    )
    # Where the triangle is cut by an upper bound, keep the cells that lie inside it.
    kept = triangles[np.all(inside[triangles], axis=1)]
    used, places = np.unique(kept, return_inverse=True)
    if not len(used):
        return None
    names = scene.ground.names
    return {
        "inputs": [names[i] for i in chosen],
        "held": {names[i]: float(scene.x[i]) for i in range(len(names)) if i not in chosen},
        "span": span,
        "lower": lower.tolist(),
        "upper": upper.tolist(),
        "points": three[used].tolist(),
        "triangles": places.reshape(-1, 3).tolist(),
        "layers": [{"name": n, "unit": u, "values": v[used].tolist()} for n, u, v in _layers(scene, X)],
        "trials": _on_triangle(scene, chosen, span),
        "recipes": [{"rank": r.rank, "point": _share_out(r, [names[i] for i in chosen], span)} for r in scene.recipes],
    }


def triangular_grid(n: int) -> tuple[Float[Array, "points 3"], Int[Array, "triangles 3"]]:
    """Points of a triangle, n steps a side, and the small triangles between them.

    Examples
    --------
    >>> points, triangles = triangular_grid(2)
    >>> len(points), len(triangles)
    (6, 4)
    """
    place = {}
    points: list[tuple[float, float, float]] = []
    for i in range(n + 1):
        for j in range(n + 1 - i):
            place[i, j] = len(points)
            points.append((i / n, j / n, (n - i - j) / n))
    triangles = []
    for i in range(n):
        for j in range(n - i):
            triangles.append((place[i, j], place[i + 1, j], place[i, j + 1]))
            if i + j < n - 1:
                triangles.append((place[i + 1, j], place[i + 1, j + 1], place[i, j + 1]))
    return np.array(points), np.array(triangles)


def _on_triangle(scene: Scene, chosen: Sequence[int], span: float) -> list[dict[str, Any]]:
    """Trials brought onto the triangle, with how far off its plane they lie."""
    found = []
    others = [i for i in range(scene.ground.ingredients) if i not in chosen]
    total = scene.trials.total or 1.0
    for row, x in zip(scene.trials.rows, scene.trials.X, strict=True):
        three = x[list(chosen)]
        if three.sum() <= 0:
            continue
        off = float(np.abs(x[others] - scene.x[others]).sum() / total) if others else 0.0
        found.append({"row": int(row), "point": (three / three.sum() * span).tolist(), "off_plane": off})
    return found


def _share_out(recipe: Recipe, names: Sequence[str], span: float) -> list[float]:
    three = np.array([recipe.inputs[name] for name in names])
    return [float(v) for v in three / max(float(three.sum()), 1e-300) * span]


def _slices(scene: Scene) -> list[dict[str, Any]]:
    """Planes of two process factors, or of two inputs where nothing is a mixture."""
    free = [i for i in scene.ranking if i >= scene.ground.ingredients]
    pairs = list(combinations(free[:3], 2))[:_MOST_SLICES]
    return [_slice(scene, u, v) for u, v in pairs]


def _slice(scene: Scene, u: int, v: int) -> dict[str, Any]:
    ground, names = scene.ground, scene.ground.names
    across, up = (np.linspace(ground.lower[i], ground.upper[i], _SLICE) for i in (u, v))
    X = np.tile(scene.x, (_SLICE * _SLICE, 1))
    X[:, u], X[:, v] = np.tile(across, _SLICE), np.repeat(up, _SLICE)
    inside = np.array([scene.region.contains(x, 1e-9) for x in X]).reshape(_SLICE, _SLICE)

    def rows(values: Array) -> list[list[float | None]]:
        table = values.reshape(_SLICE, _SLICE)
        return [
            [float(x) if ok else None for x, ok in zip(a, b, strict=True)] for a, b in zip(table, inside, strict=True)
        ]

    return {
        "inputs": [names[u], names[v]],
        "held": {name: float(x) for name, x in zip(names, scene.x, strict=True) if name not in (names[u], names[v])},
        "u": across.tolist(),
        "v": up.tolist(),
        "layers": [{"name": n, "unit": unit, "values": rows(values)} for n, unit, values in _layers(scene, X)],
        "trials": [
            {"row": int(row), "point": [float(x[u]), float(x[v])]}
            for row, x in zip(scene.trials.rows, scene.trials.X, strict=True)
        ],
        "recipes": [{"rank": r.rank, "point": [r.inputs[names[u]], r.inputs[names[v]]]} for r in scene.recipes],
    }


def _traces(scene: Scene) -> list[dict[str, Any]]:
    """How every property changes along each input from the recipe; all inputs in one batch."""
    paths = [_trace_points(scene, i) for i in range(len(scene.ground.names))]
    lengths = [len(path) for path in paths]
    if not sum(lengths):
        return []
    X = np.vstack([path for path in paths if len(path)])
    bands = [part.interval(X) for part in scene.responses.parts]
    found, start = [], 0
    for i, length in enumerate(lengths):
        if not length:
            continue
        rows = slice(start, start + length)
        start += length
        layers = [
            {
                "name": part.name,
                "unit": part.unit,
                "values": band[0][rows].tolist(),
                "lower": band[2][rows].tolist(),
                "upper": band[3][rows].tolist(),
            }
            for part, band in zip(scene.responses.parts, bands, strict=True)
        ]
        found.append(
            {
                "input": scene.ground.names[i],
                "direction": "Cox" if i < scene.ground.ingredients else "factor",
                "amounts": X[rows, i].tolist(),
                "layers": layers,
                "at": float(scene.x[i]),
            }
        )
    return found


def _trace_points(scene: Scene, i: int) -> Float[Array, "points d"]:
    ground = scene.ground
    if ground.lower[i] >= ground.upper[i]:
        return np.zeros((0, len(ground.names)))
    amounts = np.linspace(ground.lower[i], ground.upper[i], _TRACE)
    if i < ground.ingredients:
        path = np.array([cox_path(scene.x, i, a, ground) for a in amounts])
    else:
        path = np.tile(scene.x, (_TRACE, 1))
        path[:, i] = amounts
    whole = np.all(np.isfinite(path), axis=1)
    inside = np.array(
        [
            bool(ok) and scene.region.contains(x, 1e-6 * float(ground.steps.max()))
            for x, ok in zip(path, whole, strict=True)
        ]
    )
    return path[inside]
