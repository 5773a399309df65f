"""Small but real studies as `docs/results.md` describes them: polynomials by least squares, and all that follows.

They exist so that the report can be tested without the study; nothing here is how landform computes.
"""

from __future__ import annotations

import csv
import functools
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.95
EXAMPLES = Path(__file__).parents[3] / "examples"
METHODS = {
    "mean": "Mean of the fitted polynomial; interval from the covariance of its coefficients.",
    "slope": "Exact derivative of the fitted polynomial along a Cox direction (ingredients) or one factor.",
    "exchange": "Exact derivative of the fitted polynomial along in − out, the others held.",
    "coefficient": "Least squares.",
    "eigenvalue": "Eigenvalue of the Hessian on the tangent space of the mixture; interval by the delta method.",
}


class Fit:
    """A polynomial in the inputs with its covariance."""

    def __init__(self, exponents: np.ndarray, X: np.ndarray, y: np.ndarray) -> None:
        self.exponents, self.rows = exponents, np.flatnonzero(np.isfinite(y))
        A, y = self.design(X[self.rows]), y[self.rows]
        self.y, self.inverse = y, np.linalg.pinv(A.T @ A)
        self.coefficients = self.inverse @ A.T @ y
        self.degrees = max(1, len(y) - A.shape[1])
        self.residuals = y - A @ self.coefficients
        self.sigma = float(np.sqrt(self.residuals @ self.residuals / self.degrees))
        self.hat = np.clip(np.einsum("ij,jk,ik->i", A, self.inverse, A), 0.0, 0.98)
        self.t = float(stats.t.ppf(0.5 + LEVEL / 2, self.degrees))

    def design(self, X: np.ndarray) -> np.ndarray:
        return np.prod(np.asarray(X)[:, None, :] ** self.exponents[None], axis=2)

    def gradient_rows(self, x: np.ndarray) -> np.ndarray:
        """d design / d input, shape (inputs, terms)."""
        rows = []
        for i in range(len(x)):
            lowered = self.exponents.copy()
            lowered[:, i] = np.maximum(lowered[:, i] - 1, 0)
            rows.append(self.exponents[:, i] * np.prod(x[None] ** lowered, axis=1))
        return np.array(rows)

    def hessian(self, x: np.ndarray) -> np.ndarray:
        h = 1e-4 * np.maximum(1.0, np.abs(x))
        columns = []
        for i in range(len(x)):
            e = np.zeros(len(x))
            e[i] = h[i]
            columns.append((self.gradient_rows(x + e) - self.gradient_rows(x - e)) @ self.coefficients / (2 * h[i]))
        return np.array(columns)

    def interval(self, row: np.ndarray, unit: str, how: str, scale: float = 1.0) -> dict[str, Any]:
        value = float(row @ self.coefficients) * scale
        error = abs(scale) * self.sigma * float(np.sqrt(max(0.0, row @ self.inverse @ row)))
        return estimate(value, error, self.t, unit, how)


def estimate(value: float, error: float | None, t: float, unit: str, how: str) -> dict[str, Any]:
    low, high = (None, None) if error is None else (value - t * error, value + t * error)
    return {"value": value, "standard_error": error, "lower": low, "upper": high, "unit": unit, "how": how}


def monomials(ingredients: int, factors: int) -> np.ndarray:
    """Scheffé quadratic in the ingredients, response surface in the factors."""
    n = ingredients + factors
    unit = np.eye(n, dtype=int)
    pairs = [unit[i] + unit[j] for i, j in itertools.combinations(range(n), 2)]
    squares = [2 * unit[i] for i in range(ingredients, n)]
    constant = [] if ingredients else [np.zeros(n, dtype=int)]
    return np.array([*constant, *unit, *pairs, *squares])


def study(
    X: np.ndarray,
    Y: np.ndarray,
    inputs: Sequence[dict[str, Any]],
    properties: Sequence[dict[str, Any]],
    *,
    total: float | None,
    best: Sequence[float] | None,
    source: str = "trials.csv",
) -> dict[str, Any]:
    """A whole results dictionary."""
    return _Study(X, Y, inputs, properties, total, best, source).results()


class _Study:
    def __init__(self, X: Any, Y: Any, inputs: Any, properties: Any, total: Any, best: Any, source: str) -> None:
        self.X, self.Y, self.total, self.source = X, Y, total, source
        self.inputs = [{**i, "observed": [float(x.min()), float(x.max())]} for i, x in zip(inputs, X.T, strict=True)]
        self.names = [i["name"] for i in inputs]
        self.mixed = [k for k, i in enumerate(inputs) if i["kind"] == "ingredient"]
        self.factors = [k for k, i in enumerate(inputs) if i["kind"] == "factor"]
        self.properties = [self._property(p, y) for p, y in zip(properties, Y.T, strict=True)]
        exponents = monomials(len(self.mixed), len(self.factors))
        self.fits = [Fit(exponents, X, y) for y in Y.T]
        self.center = X.mean(axis=0)
        self.recipes = [np.array(r, dtype=float) for r in ([] if best is None else self._near(best))]
        self.place = self.recipes[0] if self.recipes else self.center

    def _property(self, given: dict[str, Any], y: np.ndarray) -> dict[str, Any]:
        seen = y[np.isfinite(y)]
        base = {
            "name": "", "unit": "", "goal": "none", "limits": [None, None], "target": None, "weight": 1.0,
            "shape": 1.0, "transform": "none", "observed": [float(seen.min()), float(seen.max())],
            "measured": len(seen), "missing": int(len(y) - len(seen)), "optimized": given.get("goal") != "none",
            "why_not": None,
        }  # fmt: skip
        return base | given

    def _near(self, best: Sequence[float]) -> list[np.ndarray]:
        first = np.array(best)
        distances = np.linalg.norm((self.X - first) / np.ptp(self.X, axis=0), axis=1)
        order = np.argsort([-self.desirability(x) for x in self.X])
        others = [self.X[k] for k in order if distances[k] > 0.3][:2]
        return [first, *others]

    def results(self) -> dict[str, Any]:
        recipes = [self._recipe(r + 1, x) for r, x in enumerate(self.recipes)]
        return {
            "schema": "landform.study/1",
            "made_by": {
                "landform": "0.1.0", "python": "3.11.7", "jax": "0.10.2", "scikit-learn": "1.9.1", "numpy": "2.4.6",
                "scipy": "1.17.1", "seed": 0, "created": "2025-01-15T09:30:00+00:00", "seconds": 3.21,
            },
            "level": LEVEL,
            "methods": dict(METHODS),
            "source": {"file": self.source, "sheet": None, "rows": len(self.X), "problem": "problem.toml"},
            "total": self.total,
            "inputs": self.inputs,
            "constraints": [],
            "properties": self.properties,
            "summary": self._summary(recipes),
            "table": self._table(),
            "surrogates": [self._surrogate(k) for k in range(len(self.fits))],
            "effects": self._effects(),
            "swaps": self._swaps(),
            "recipes": recipes,
            "curvature": self._curvature(),
            "pictures": self._pictures(),
        }  # fmt: skip

    # what it predicts

    def predict(self, k: int, X: np.ndarray) -> np.ndarray:
        return self.fits[k].design(np.atleast_2d(X)) @ self.fits[k].coefficients

    def single(self, k: int, value: float) -> float | None:
        p = self.properties[k]
        low, high = p["observed"]
        if not p["optimized"] or p["goal"] == "none":
            return None
        share = float(np.clip((value - low) / (high - low), 0.0, 1.0))
        if p["goal"] == "maximize":
            return share
        if p["goal"] == "minimize":
            return 1.0 - share
        low, high = (o if x is None else x for x, o in zip(p["limits"], p["observed"], strict=True))
        if p["goal"] == "target":
            return float(max(0.0, 1.0 - abs(value - p["target"]) / (high - low)))
        return float(low <= value <= high)

    def desirability(self, x: np.ndarray) -> float:
        parts = [self.single(k, float(self.predict(k, x)[0])) for k in range(len(self.fits))]
        known = [d for d in parts if d is not None]
        return float(np.prod(known) ** (1 / len(known))) if known else 0.0

    def amounts(self, x: Sequence[float] | np.ndarray) -> dict[str, float]:
        return {n: float(v) for n, v in zip(self.names, x, strict=True)}

    def _summary(self, recipes: Sequence[dict[str, Any]]) -> dict[str, Any]:
        if not recipes:
            make = "No recipe can be offered: no property has a goal that its model can predict."
            return {"make": make, "sure": "Nothing was optimized.", "matters": [], "notes": [note("warning", make)]}
        parts = [f"{n} {v:.3g}" for n, v in recipes[0]["inputs"].items()]
        top = sorted(self._effects(), key=lambda e: -abs(e["over_range"]))
        words = [e["words"] for e in top if e["sure"] and e["at"] == "recipe"][:5]
        chance = recipes[0]["chance"]
        sure = f"One new batch is within all limits with probability {chance:.0%}." if chance is not None else (
            "No limits are set, so there is no chance to state.")  # fmt: skip
        notes = [note("caution", "Two of the three largest effects rest on one trial each (rows 2 and 3).")]
        notes.append(note("info", "Rows 12, 13, 14 and 15 missed the total by rounding and were closed."))
        return {"make": "Make " + ", ".join(parts) + ".", "sure": sure, "matters": words, "notes": notes}

    def _table(self) -> dict[str, Any]:
        rows = []
        for r, (x, y) in enumerate(zip(self.X, self.Y, strict=True)):
            rows.append({
                "row": r + 2, "trial": str(r + 1), "inputs": self.amounts(x),
                "properties": {p["name"]: (float(v) if np.isfinite(v) else None)
                               for p, v in zip(self.properties, y, strict=True)},
                "group": r, "block": None, "leverage": self._leverage(x), "closed": 10 <= r < 14,
            })  # fmt: skip
        first = self.names[0]
        closed = [
            {"row": r + 2, "trial": str(r + 1), "sum": 0.99, "words": "sums to 0.99; closed to the total in proportion",
             "changes": [{"input": first, "from": 0.99 * float(self.X[r, 0]), "to": float(self.X[r, 0])}]}
            for r in range(10, min(14, len(self.X)))
        ]  # fmt: skip
        name, value = self.properties[0]["name"], float(np.nanmax(self.Y[:, 0]))
        health = [{"row": 3, "trial": "2", "column": name, "value": value, "kind": "far from its surroundings",
                   "words": f"{value:g} is 3.1 noise widths from what its neighbors say"}]  # fmt: skip
        return {"rows": rows, "closed": closed if self.total else [], "left_out": [],
                "health": health, "replicates": {"groups": 0, "trials": 0}}  # fmt: skip

    def _leverage(self, x: np.ndarray) -> float:
        row = self.fits[0].design(np.atleast_2d(x))[0]
        return float(row @ self.fits[0].inverse @ row)

    def _surrogate(self, k: int) -> dict[str, Any]:
        f, p = self.fits[k], self.properties[k]
        predicted = f.y - f.residuals / (1 - f.hat)
        half = f.t * f.sigma / np.sqrt(1 - f.hat)
        rmse = float(np.sqrt(np.mean((f.y - predicted) ** 2)))
        mean_rmse = float(np.std(f.y) * len(f.y) / (len(f.y) - 1))
        coverage = float(np.mean(np.abs(f.y - predicted) <= half))
        scores = {"rmse": rmse, "rmse_standard_error": rmse / 6, "r2": 1 - (rmse / mean_rmse) ** 2,
                  "coverage": coverage, "widening": 1.0, "mean_rmse": mean_rmse, "noise": 0.4 * rmse,
                  "noise_degrees": 4}  # fmt: skip
        models = [
            ("quadratic", "Scheffé quadratic", 1.0),
            ("linear", "Scheffé linear", 1.6),
            ("gp", "Gaussian process", 1.2),
        ]
        return {
            "property": p["name"], "model": "quadratic", "model_words": "Scheffé quadratic", "forced": False,
            "predictable": True, "unit": p["unit"], "scores": scores,
            "words": "Predicts held-out trials clearly better than their mean, and its intervals are honest.",
            "candidates": [{
                "model": m, "model_words": w, "chosen": m == "quadratic", "parameters": len(f.exponents),
                "rmse": rmse * s, "rmse_standard_error": rmse * s / 6, "r2": 1 - (rmse * s / mean_rmse) ** 2,
                "coverage": coverage, "coverage_after": coverage, "widening": 1.0, "interval_score": 5 * rmse * s,
                "words": "",
            } for m, w, s in models],
            "coefficients": [
                {"term": self._term(e), "estimate": f.interval(row, p["unit"], "coefficient")}
                for e, row in zip(f.exponents, np.eye(len(f.exponents)), strict=True)
            ],
            "hyperparameters": [],
            "held_out": [
                {"row": int(r) + 2, "trial": str(r + 1), "measured": float(y), "predicted": float(z),
                 "lower": float(z - h), "upper": float(z + h)}
                for r, y, z, h in zip(f.rows, f.y, predicted, half, strict=True)
            ],
        }  # fmt: skip

    def _term(self, exponents: np.ndarray) -> str:
        parts = [n + ("²" if e == 2 else "") for n, e in zip(self.names, exponents, strict=True) if e]
        return " × ".join(parts) or "constant"

    # slopes

    def _direction(self, i: int, x: np.ndarray) -> np.ndarray:
        d = np.zeros(len(x))
        d[i] = 1.0
        if i in self.mixed:
            rest = [j for j in self.mixed if j != i]
            d[rest] = -x[rest] / max(x[rest].sum(), 1e-12)
        return d

    def _places(self) -> list[tuple[str, Callable[[int, Callable[[np.ndarray], np.ndarray]], np.ndarray]]]:
        some = self.X[:40]

        def here(k: int, direction: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
            return direction(self.place) @ self.fits[k].gradient_rows(self.place)

        def everywhere(k: int, direction: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
            return np.mean([direction(x) @ self.fits[k].gradient_rows(x) for x in some], axis=0)

        return [("recipe", here), ("region", everywhere)]

    def _possible(self, i: int, sign: int) -> bool:
        edge = self.inputs[i]["upper" if sign > 0 else "lower"]
        return bool(abs(self.place[i] - edge) > 1e-9)

    @functools.cache  # noqa: B019
    def _effects(self) -> list[dict[str, Any]]:
        out = []
        for (at, slope), k, i in itertools.product(self._places(), range(len(self.fits)), range(len(self.names))):
            item, p, step = self.inputs[i], self.properties[k], self.inputs[i]["step"]
            e = self.fits[k].interval(slope(k, lambda x, i=i: self._direction(i, x)), p["unit"], "slope", step)
            d = self._direction(i, self.place)
            out.append({
                "property": p["name"], "input": item["name"], "at": at, "step": step, "step_words": item["step_words"],
                "direction": "Cox" if i in self.mixed else "factor", "estimate": e,
                "over_range": e["value"] / step * (item["observed"][1] - item["observed"][0]),
                "gives_way": {self.names[j]: float(-d[j]) for j in self.mixed if j != i} if i in self.mixed else {},
                "held": [], "possible": {"up": self._possible(i, 1), "down": self._possible(i, -1)},
                "sure": not e["lower"] <= 0 <= e["upper"], "words": words(item, p, e),
            })  # fmt: skip
        return out

    def _swaps(self) -> list[dict[str, Any]]:
        out = []
        for (at, slope), k, (i, j) in itertools.product(
            self._places(), range(len(self.fits)), itertools.permutations(self.mixed, 2)
        ):
            p, step = self.properties[k], self.inputs[i]["step"]
            d = np.zeros(len(self.names))
            d[i], d[j] = 1.0, -1.0
            e = self.fits[k].interval(slope(k, lambda _, d=d: d), p["unit"], "exchange", step)
            fixed = [] if at == "region" else [
                f"{self.names[m]} is at its {w}" for m, s, w in ((i, 1, "maximum"), (j, -1, "minimum"))
                if not self._possible(m, s)]  # fmt: skip
            out.append({
                "property": p["name"], "in": self.names[i], "out": self.names[j], "at": at, "step": step,
                "estimate": e, "possible": not fixed, "why_not": "; ".join(fixed) or None,
                "sure": not e["lower"] <= 0 <= e["upper"],
                "words": f"{self.names[i]} in place of {self.names[j]}: {p['name']} {e['value']:+.3g}",
            })  # fmt: skip
        return out

    # recipes

    def _recipe(self, rank: int, x: np.ndarray) -> dict[str, Any]:
        rows = [self._predicted(k, x) for k in range(len(self.fits))]
        chances = [r["chance"] for r in rows if r["chance"] is not None]
        distances = np.abs(self.X - x).sum(axis=1) / 2
        near = int(np.argmin(distances))
        largest = float(self.fits[0].hat.max())
        leverage = self._leverage(x)
        active = [
            {"limit": f"{i['name']} {sign} {i[edge]:g}", "multiplier": 0.31 + 0.9 * m, "unit": "desirability per unit",
             "words": f"relaxing the {i['name']} {word} by {i['step']:g} would gain {0.31 * i['step']:.3g}"}
            for m, (i, v) in enumerate(zip(self.inputs, x, strict=True))
            for edge, sign, word in (("lower", "≥", "minimum"), ("upper", "≤", "maximum")) if abs(v - i[edge]) < 1e-9
        ]  # fmt: skip
        return {
            "rank": rank, "kind": "best" if rank == 1 else "alternative",
            "words": "The best found from 64 starts." if rank == 1 else "A distinct good recipe.",
            "inputs": self.amounts(x),
            "inputs_sd": self.amounts(0.05 * np.ptp(self.X, axis=0)) if rank == 1 else None,
            "desirability": self.desirability(x), "cost": None, "properties": rows,
            "chance": float(np.prod(chances)) if chances else None,
            "leverage": {"value": leverage, "largest_of_trials": largest, "extrapolates": leverage > largest,
                         "words": "Inside the trials: its leverage is below the largest of the trials."},
            "nearest_trial": {"row": near + 2, "trial": str(near + 1), "distance": float(distances[near])},
            "certificate": {
                "certified": rank == 1,
                "words": "Certified: a strict maximum within all limits." if rank == 1 else "Not a local maximum.",
                "violation": 1.1e-16, "kkt_residual": 3.2e-10, "eigenvalues": [-8.1, -0.73][: max(1, len(x) - 2)],
                "nature": "strict maximum" if rank == 1 else "not certified", "active": active,
            },
        }  # fmt: skip

    def _predicted(self, k: int, x: np.ndarray) -> dict[str, Any]:
        f, p = self.fits[k], self.properties[k]
        row = f.design(np.atleast_2d(x))[0]
        mean = f.interval(row, p["unit"], "mean")
        spread = float(np.hypot(mean["standard_error"], f.sigma))
        edges = [float(stats.t.cdf((e - mean["value"]) / spread, f.degrees)) if e is not None else None
                 for e in p["limits"]]  # fmt: skip
        chance = None if edges == [None, None] else (1.0 if edges[1] is None else edges[1]) - (edges[0] or 0.0)
        half = f.t * spread
        return {"property": p["name"], "mean": mean, "desirability": self.single(k, mean["value"]), "chance": chance,
                "prediction": {"lower": mean["value"] - half, "upper": mean["value"] + half}}  # fmt: skip

    # curves and pictures

    def _basis(self) -> np.ndarray:
        """Orthonormal columns along which the inputs may move."""
        if not self.mixed:
            return np.eye(len(self.names))
        ones = np.zeros((1, len(self.names)))
        ones[0, self.mixed] = 1.0
        return np.linalg.svd(ones)[2][1:].T

    def _curvature(self) -> dict[str, Any]:
        Z = self._basis()
        return {
            "recipe": {
                "place_words": "at the best recipe" if self.recipes else "at the center of the trials",
                "of": "desirability", "tangent_dimension": Z.shape[1],
                **self._spectrum(self._desirability_hessian(Z), Z),
                "words": "Stiff in one direction, sloppy in another: the second may be chosen for cost.",
            },
            "properties": [self._stationary(k, Z) for k in range(len(self.fits))],
        }  # fmt: skip

    def _desirability_hessian(self, Z: np.ndarray) -> np.ndarray:
        h, m = 0.01 * float(np.ptp(self.X, axis=0).min()), Z.shape[1]
        out = np.zeros((m, m))
        for a, b in itertools.product(range(m), range(m)):
            out[a, b] = sum(
                s * t * self.desirability(self.place + h * (s * Z[:, a] + t * Z[:, b]))
                for s in (1, -1)
                for t in (1, -1)
            ) / (4 * h * h)
        return (out + out.T) / 2

    def _moves(self, v: np.ndarray) -> tuple[dict[str, float], str]:
        order = np.argsort(-np.abs(v))[:2]
        return self.amounts(v), " against ".join(f"{self.names[j]} {v[j]:+.2f}" for j in order)

    def _spectrum(self, H: np.ndarray, Z: np.ndarray) -> dict[str, Any]:
        values, vectors = np.linalg.eigh(H)
        directions = []
        for value, v in zip(values, (Z @ vectors).T, strict=True):
            moves, text = self._moves(v)
            directions.append({"eigenvalue": float(value), "moves": moves, "words": text})
        return {"eigenvalues": [float(v) for v in values], "directions": directions}

    def _stationary(self, k: int, Z: np.ndarray) -> dict[str, Any]:
        f, p = self.fits[k], self.properties[k]
        H = Z.T @ f.hessian(self.center) @ Z
        g = Z.T @ (f.gradient_rows(self.center) @ f.coefficients)
        values, vectors = np.linalg.eigh(H)
        x = self.center - Z @ (np.linalg.pinv(H) @ g)
        nature = "maximum" if values.max() < 0 else "minimum" if values.min() > 0 else "saddle"
        directions = []
        for value, v in zip(values, (Z @ vectors).T, strict=True):
            moves, text = self._moves(v)
            e = estimate(float(value), 0.2 * abs(float(value)) + 0.1, f.t, p["unit"], "eigenvalue")
            directions.append({"eigenvalue": e, "moves": moves, "words": text})
        inside = all(i["lower"] <= v <= i["upper"] for i, v in zip(self.inputs, x, strict=True))
        return {
            "property": p["name"], "nature": nature, "point": self.amounts(x),
            "value": f.interval(f.design(x[None])[0], p["unit"], "mean"),
            "inside_limits": inside, "inside_data": inside,
            "distance": float(np.abs(x - self.center).sum() / 2), "directions": directions,
            "words": f"A {nature}, {'inside' if inside else 'outside'} the limits.",
        }  # fmt: skip

    def _layers(self, points: np.ndarray) -> list[dict[str, Any]]:
        layers = [{"name": p["name"], "unit": p["unit"], "values": self.predict(k, points).tolist()}
                  for k, p in enumerate(self.properties)]  # fmt: skip
        if self.recipes:
            values = np.array([self.predict(k, points) for k in range(len(self.fits))]).T
            d = []
            for row in values:
                known = [s for s in (self.single(k, float(v)) for k, v in enumerate(row)) if s is not None]
                d.append(float(np.prod(known) ** (1 / len(known))) if known else 0.0)
            layers.append({"name": "desirability", "unit": "", "values": d})
        return layers

    def _pictures(self) -> dict[str, Any]:
        return {
            "ternary": self._ternary() if len(self.mixed) > 2 else None,
            "slices": self._slices(),
            "traces": [self._trace(i) for i in range(len(self.names))],
        }

    def _ternary(self) -> dict[str, Any]:
        corners = self.mixed[:3]
        others = [j for j in range(len(self.names)) if j not in corners]
        span = float(self.total - sum(self.place[j] for j in others if j in self.mixed))
        low = np.array([self.inputs[j]["lower"] for j in corners])
        high = np.array([self.inputs[j]["upper"] for j in corners])
        points, triangles = grid(low, high, span, 36)
        full = np.tile(self.place, (len(points), 1))
        full[:, corners] = points

        def rescaled(x: np.ndarray) -> list[float]:
            return (x[corners] / max(x[corners].sum(), 1e-12) * span).tolist()

        off = (
            np.abs(self.X[:, others] - self.place[others]).sum(axis=1) / self.total if others else np.zeros(len(self.X))
        )
        return {
            "inputs": [self.names[j] for j in corners], "held": {self.names[j]: float(self.place[j]) for j in others},
            "span": span, "lower": low.tolist(), "upper": high.tolist(), "points": points.tolist(),
            "triangles": triangles, "layers": self._layers(full),
            "trials": [{"row": r + 2, "point": rescaled(x), "off_plane": float(o)}
                       for r, (x, o) in enumerate(zip(self.X, off, strict=True)) if x[corners].sum() > 0.02 * span],
            "recipes": [{"rank": r + 1, "point": rescaled(x)} for r, x in enumerate(self.recipes)],
        }  # fmt: skip

    def _slices(self) -> list[dict[str, Any]]:
        out = []
        for a, b in itertools.islice(itertools.combinations(self.factors, 2), 3):
            u, v = (np.linspace(self.inputs[j]["lower"], self.inputs[j]["upper"], 25) for j in (a, b))
            full = np.tile(self.place, (u.size * v.size, 1))
            full[:, a], full[:, b] = np.tile(u, v.size), np.repeat(v, u.size)
            share = (full[:, a] - u[0]) / np.ptp(u) + (full[:, b] - v[0]) / np.ptp(v)
            layers = self._layers(full)
            for layer in layers:
                cells = np.where(share > 1.7, np.nan, layer["values"]).reshape(v.size, u.size)
                layer["values"] = [[float(c) if np.isfinite(c) else None for c in row] for row in cells]
            out.append({
                "inputs": [self.names[a], self.names[b]],
                "held": {n: float(self.place[j]) for j, n in enumerate(self.names) if j not in (a, b)},
                "u": u.tolist(), "v": v.tolist(), "layers": layers,
                "trials": [{"row": r + 2, "point": [float(x[a]), float(x[b])]} for r, x in enumerate(self.X)],
                "recipes": [{"rank": r + 1, "point": [float(x[a]), float(x[b])]} for r, x in enumerate(self.recipes)],
            })  # fmt: skip
        return out

    def _trace(self, i: int) -> dict[str, Any]:
        amounts = np.linspace(self.inputs[i]["lower"], self.inputs[i]["upper"], 41)
        X = self.place + (amounts - self.place[i])[:, None] * self._direction(i, self.place)[None]
        layers = []
        for k, p in enumerate(self.properties):
            f = self.fits[k]
            A = f.design(X)
            half = f.t * f.sigma * np.sqrt(np.einsum("ij,jk,ik->i", A, f.inverse, A).clip(0))
            y = A @ f.coefficients
            layers.append({"name": p["name"], "unit": p["unit"], "values": y.tolist(),
                           "lower": (y - half).tolist(), "upper": (y + half).tolist()})  # fmt: skip
        return {"input": self.names[i], "direction": "Cox" if i in self.mixed else "factor",
                "amounts": amounts.tolist(), "layers": layers, "at": float(self.place[i])}  # fmt: skip


def note(level: str, text: str) -> dict[str, str]:
    return {"level": level, "text": text}


def words(item: dict[str, Any], p: dict[str, Any], e: dict[str, Any]) -> str:
    half = (e["upper"] - e["lower"]) / 2
    return f"{item['step_words']} {item['name']}: {p['name']} {e['value']:+.3g} ± {half:.2g} {p['unit']}".rstrip()


def grid(low: np.ndarray, high: np.ndarray, span: float, n: int) -> tuple[np.ndarray, list[list[int]]]:
    """Triangular grid over the part of a simplex that is within its limits."""
    free = span - low.sum()
    index, points = {}, []
    for i in range(n + 1):
        for j in range(n + 1 - i):
            p = low + free * np.array([i, j, n - i - j]) / n
            if (p <= high + 1e-9).all():
                index[i, j] = len(points)
                points.append(p)
    triangles = []
    for i, j in index:
        up, down = [(i, j), (i + 1, j), (i, j + 1)], [(i + 1, j), (i + 1, j + 1), (i, j + 1)]
        triangles += [[index[c] for c in corners] for corners in (up, down) if all(c in index for c in corners)]
    return np.array(points), triangles


def ingredient(name: str, lower: float, upper: float, unit: str = "", step: float = 0.01) -> dict[str, Any]:
    return {"name": name, "kind": "ingredient", "unit": unit, "lower": lower, "upper": upper, "step": step,
            "step_words": "+1 percentage point", "cost": None, "balance": False}  # fmt: skip


def factor(name: str, lower: float, upper: float, unit: str, step: float) -> dict[str, Any]:
    return ingredient(name, lower, upper, unit, step) | {"kind": "factor", "step_words": f"+{step:g} {unit}"}


@functools.cache
def _paint() -> dict[str, Any]:
    with (EXAMPLES / "paint" / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    table = np.array(rows[1:], dtype=float)
    X = table[:, :4] / table[:, :4].sum(axis=1, keepdims=True)
    bounds = [(0.05, 0.45), (0.20, 0.60), (0.30, 0.70), (0.05, 0.45)]
    inputs = [ingredient(n, *b) for n, b in zip(rows[0][:4], bounds, strict=True)]
    properties = [{"name": "hiding", "goal": "maximize", "limits": [10.0, None]},
                  {"name": "scrub", "goal": "minimize", "unit": "cycles", "limits": [None, 400.0]}]  # fmt: skip
    best = [0.3076064, 0.3423936, 0.30, 0.05]
    return study(X, table[:, 4:], inputs, properties, total=1.0, best=best, source="trials.csv")


@functools.cache
def _process() -> dict[str, Any]:
    """Three process settings, one property with missing values; no mixture."""
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.uniform(60, 90, 30), rng.uniform(10, 60, 30), rng.uniform(4, 9, 30)])
    a, b, c = (X[:, 0] - 75) / 15, (X[:, 1] - 35) / 25, (X[:, 2] - 6.5) / 2.5
    strength = 40 + 6 * a - 4 * a * a + 3 * b - 5 * b * b + 2 * a * c + rng.normal(0, 0.8, 30)
    viscosity = 1200 + 250 * b - 180 * c + 60 * a * b + rng.normal(0, 40, 30)
    viscosity[[4, 17]] = np.nan
    inputs = [factor("temperature", 60, 90, "°C", 5), factor("time", 10, 60, "min", 5), factor("pH", 4, 9, "", 0.5)]
    properties = [
        {"name": "strength", "unit": "MPa", "goal": "maximize", "limits": [38.0, None]},
        {"name": "viscosity", "unit": "Pa s", "goal": "target", "target": 1250.0, "limits": [1000.0, 1500.0]},
    ]
    Y = np.column_stack([strength, viscosity])
    return study(X, Y, inputs, properties, total=None, best=[80.0, 41.0, 7.0], source="process.xlsx")


@functools.cache
def _blends() -> dict[str, Any]:
    """Four polymers in 1,040 blends, one property."""
    rng = np.random.default_rng(1)
    X = np.vstack([np.eye(4), rng.dirichlet([0.7] * 4, 1036)])
    y = X @ [0.19, 0.11, 0.4, 0.25] + 0.6 * X[:, 0] * X[:, 2] - 0.5 * X[:, 1] * X[:, 3] + rng.normal(0, 0.03, 1040)
    inputs = [ingredient(f"mat_{k}", 0.0, 1.0) for k in range(1, 5)]
    properties = [{"name": "degradation", "goal": "minimize"}]
    return study(X, y[:, None], inputs, properties, total=1.0, best=[0.05, 0.6, 0.0, 0.35], source="blends.csv")


@functools.cache
def _many() -> dict[str, Any]:
    """Twelve ingredients with long names, six properties."""
    rng = np.random.default_rng(2)
    X = 100 * rng.dirichlet([2.0] * 12, 160)
    names = ["water", "sodium laureth sulfate (2 EO, 70 % active)", "cocamidopropyl betaine", "glycerol",
             "polyquaternium-10", "xanthan gum", "citric acid monohydrate", "sodium chloride", "perfume oil",
             "phenoxyethanol (and) ethylhexylglycerin", "ethoxylated sorbitan monolaurate 20", "dye"]  # fmt: skip
    inputs = [ingredient(n, 0.0, 60.0, "%", 1.0) for n in names]
    goals = ["maximize", "minimize", "target", "in range", "none", "maximize"]
    labels = ["foam volume", "turbidity", "viscosity", "pH", "odor score", "wet-combing force reduction"]
    units = ["mL", "NTU", "mPa s", "", "", "%"]
    B = rng.normal(0, 3, (12, 6))
    Y = X @ B + 0.02 * X[:, :1] * X[:, 1:2] + rng.normal(0, 8, (160, 6)) + 200
    properties = [
        {"name": n, "unit": u, "goal": g, "target": 240.0 if g == "target" else None,
         "limits": [150.0, 320.0] if g in ("target", "in range") else [None, None]}
        for n, u, g in zip(labels, units, goals, strict=True)
    ]  # fmt: skip
    best = np.full(12, 3.0)
    best[:3] = [52.0, 11.0, 10.0]
    results = study(X, Y, inputs, properties, total=100.0, best=best.tolist(), source="shampoo_trials_final_v2.xlsx")
    results["constraints"] = [{"name": "active matter", "terms": {names[1]: 0.7, names[2]: 0.3}, "lower": 8.0,
                               "upper": 16.0}]  # fmt: skip
    results["properties"][4] |= {"optimized": False, "why_not": "no model predicts it better than its mean"}
    results["surrogates"][4] |= {"predictable": False, "words": "No model predicts it better than its mean."}
    return results


HOSTILE = ['</script><script>alert("x")</script>', "a & b < c > d", "quote \" and ' mark", "🧪 naïve Ω – 漢字"]


@functools.cache
def _hostile() -> dict[str, Any]:
    """Names that try to break out, no recipe, missing values, everything optional empty."""
    rng = np.random.default_rng(4)
    X = rng.dirichlet([2.0] * 3, 14)
    X = np.column_stack([X, rng.uniform(0, 1, 14)])
    Y = np.column_stack([X @ [1.0, 2, 3, 4], X @ [2.0, 1, 0, 1]]) + rng.normal(0, 0.2, (14, 2))
    Y[3, 0] = np.nan
    inputs = [ingredient(n, 0.0, 1.0) for n in HOSTILE[:3]] + [factor(HOSTILE[3], 0.0, 1.0, "<b>", 0.1)]
    properties = [{"name": "<img src=x onerror=alert(1)>", "unit": "<i>"}, {"name": "__proto__", "unit": "&amp;"}]
    results = study(X, Y, inputs, properties, total=1.0, best=None, source="<trials & 'co'>.csv")
    results["table"]["left_out"] = [{"row": 9, "words": "left out: <every property is missing>"}]
    results["surrogates"][0] |= {"coefficients": [], "held_out": [], "hyperparameters": [
        {"name": "length scale", "value": 0.31, "words": "how far a property remembers"}]}  # fmt: skip
    results["curvature"]["properties"][0] |= {"nature": "none", "point": None, "value": None, "distance": None,
                                              "directions": []}  # fmt: skip
    return results


@functools.cache
def _pair() -> dict[str, Any]:
    """Two ingredients, one property, and as little as can be known of it."""
    x = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    X, y = np.column_stack([x, 1 - x]), np.array([1.0, 2.1, 2.9, 2.2, 0.8])
    inputs = [ingredient("acid", 0.0, 1.0), ingredient("base", 0.0, 1.0)]
    properties = [{"name": "yield", "unit": "g", "goal": "maximize"}]
    results = study(X, y[:, None], inputs, properties, total=1.0, best=[0.48, 0.52])
    for effect in results["effects"]:
        effect["estimate"] |= {"standard_error": None, "lower": None, "upper": None}
        effect["sure"] = False
    results["surrogates"][0]["scores"] |= {"noise": None, "noise_degrees": None}
    results["curvature"] = {"recipe": None, "properties": []}
    results["summary"]["notes"] = []
    return results


SAMPLES: dict[str, Callable[[], dict[str, Any]]] = {
    "paint": _paint,
    "process": _process,
    "blends": _blends,
    "many": _many,
    "hostile": _hostile,
    "pair": _pair,
}
