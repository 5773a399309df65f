"""How far a recipe lies from what was tried.

References
----------
Cook and Weisberg (1982), *Residuals and Influence in Regression*, sec. 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from landform.backends import Model
from landform.backends.sklearn import translate
from landform.fit.terms import BlendingTerms, term_products


def _squared_length(x: Any, terms: tuple[Any, ...], root: Any) -> Any:
    A = root @ term_products(x, *terms)
    return (A @ A)[None]


@dataclass(frozen=True, eq=False)
class Reach:
    """The reach of the trials, by leverage in a polynomial of the inputs.

    Parameters
    ----------
    terms : BlendingTerms
        Quadratic where there are twice as many trials as terms, linear otherwise.
    root : array
        Whitens the terms.
    largest : float
        The largest leverage of a trial.
    together : array of bool, shape (d, d)
        Which inputs some trial has both of.
    """

    terms: BlendingTerms
    root: Float[np.ndarray, "rank terms"]
    largest: float
    together: Bool[np.ndarray, "d d"]

    def leverage(self, X: Float[np.ndarray, "rows d"]) -> Float[np.ndarray, " rows"]:
        """The leverage each row would have; above ``largest`` it lies outside what was tried."""
        A = self.terms.transform(X) @ self.root.T
        return np.asarray(np.sum(A * A, axis=1))

    def model(self, inputs: tuple[str, ...], name: str) -> Model:
        """The leverage as a differentiable model."""
        return Model(_squared_length, (translate(self.terms).args, self.root), inputs, (name,))

    def untried(self, x: Float[np.ndarray, " d"], names: tuple[str, ...]) -> tuple[str, ...]:
        """Pairs of ingredients that ``x`` combines and no trial did."""
        present = np.flatnonzero(np.abs(x) > 1e-6 * max(float(np.max(np.abs(x))), 1e-300))
        return tuple(f"{names[i]} with {names[j]}" for i, j in combinations(present, 2) if not self.together[i, j])


def reach_of(X: Float[np.ndarray, "n d"], *, ingredients: int, total: float) -> Reach:
    """The reach of trials at the rows of X.

    Examples
    --------
    >>> reach = reach_of(np.linspace(0, 1, 9)[:, None], ingredients=0, total=1.0)
    >>> bool(reach.leverage(np.array([[1.5]]))[0] > reach.largest)
    True
    """
    quadratic = BlendingTerms(ingredients, 2, total).fit(X)
    linear = BlendingTerms(ingredients, 1, total).fit(X)
    terms = quadratic if len(X) >= 2 * len(quadratic.index_) else linear
    design = terms.transform(X)
    _, sizes, rows = np.linalg.svd(design, full_matrices=False)
    kept = sizes > 1e-10 * sizes[0]
    root = rows[kept] / sizes[kept, None]
    A = design @ root.T
    there = (np.abs(X) > 0).astype(np.float64)
    # Factors may well be zero together: only ingredients are combined or not.
    process = np.arange(X.shape[1]) >= ingredients
    together = (there.T @ there > 0) | process | process[:, None]
    return Reach(terms, root, float(np.max(np.sum(A * A, axis=1))), together)
