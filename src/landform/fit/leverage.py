"""How far a recipe lies from what was tried.

References
----------
Cook and Weisberg (1982), *Residuals and Influence in Regression*, sec. 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from landform.fit.terms import BlendingTerms


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
    """

    terms: BlendingTerms
    root: Float[np.ndarray, "rank terms"]
    largest: float

    def leverage(self, X: Float[np.ndarray, "rows d"]) -> Float[np.ndarray, " rows"]:
        """The leverage each row would have; above ``largest`` it lies outside what was tried."""
        A = self.terms.transform(X) @ self.root.T
        return np.asarray(np.sum(A * A, axis=1))

    def untried(self, x: Float[np.ndarray, " d"], names: tuple[str, ...]) -> tuple[str, ...]:
        """Pairs of ingredients that ``x`` combines and no trial did."""
        pairs = self.terms.never_
        products = self.terms._products(x[None], pairs)[0] if len(pairs) else np.zeros(0)
        return tuple(
            " with ".join(names[i] for i in pair if i < len(names))
            for pair, product in zip(pairs, products, strict=True)
            if abs(product) > 1e-9
        )


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
    return Reach(terms, root, float(np.max(np.sum(A * A, axis=1))))
