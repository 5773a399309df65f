"""The terms of polynomial surrogates: Scheffé's for ingredients, a response surface for factors, both mixed.

Ingredients enter as shares of the total, factors scaled to −1 … 1 over the trials.

References
----------
Scheffé (1958), "Experiments with mixtures", J. R. Stat. Soc. B 20; Cornell (2002), *Experiments with Mixtures*, ch. 2
and 7 (process factors).
"""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from landform.backends.sklearn import Translation, register_translation

Term = tuple[int, int, int]


def polynomial_terms(ingredients: int, factors: int, degree: int) -> list[Term]:
    """Every term as three indices into (ingredients, factors, 1).

    Parameters
    ----------
    ingredients, factors : int
        How many inputs of each kind.
    degree : {0, 1, 2, 3}
        0 constant, 1 linear, 2 quadratic, 3 special cubic (products of three different inputs).

    Examples
    --------
    >>> polynomial_terms(3, 0, 2)
    [(0, 3, 3), (1, 3, 3), (2, 3, 3), (0, 1, 3), (0, 2, 3), (1, 2, 3)]
    >>> polynomial_terms(0, 1, 2)
    [(1, 1, 1), (0, 1, 1), (0, 0, 1)]
    """
    one = ingredients + factors
    blend, process = range(ingredients), range(ingredients, one)
    if degree == 0:
        return [(one, one, one)]
    # Ingredients add to a constant, so they carry the intercept; squares of theirs are products in disguise.
    terms: list[Term] = [(i, one, one) for i in blend] or [(one, one, one)]
    if degree == 1 or not ingredients:
        terms += [(k, one, one) for k in process]
    if degree >= 2:
        terms += [(i, j, one) for i, j in combinations(blend, 2)]
        terms += [(i, k, one) for i in blend for k in process]
        terms += [(k, m, one) for k, m in combinations_with_replacement(process, 2)]
    if degree >= 3:
        terms += list(combinations(blend, 3))
        terms += [(i, j, k) for i, j in combinations(blend, 2) for k in process]
    return terms


def term_products(x: jax.Array, shift: jax.Array, scale: jax.Array, index: jax.Array) -> jax.Array:
    """The terms at one point; index has shape (terms, 3)."""
    u = jnp.concatenate([(x - shift) * scale, jnp.ones(1, dtype=x.dtype)])
    return u[index[:, 0]] * u[index[:, 1]] * u[index[:, 2]]


class BlendingTerms(TransformerMixin, BaseEstimator):
    """Polynomial terms of a mixture with process factors, as a scikit-learn transformer.

    Terms that are zero in every trial (two ingredients never used together) are left out: nothing is known
    about them; ``never_`` lists them.

    Parameters
    ----------
    ingredients : int
        How many of the first columns are ingredients.
    degree : {0, 1, 2, 3}
        See `polynomial_terms`.
    total : float
        What the ingredients add to.

    Examples
    --------
    >>> BlendingTerms(ingredients=2, degree=2).fit_transform(np.array([[1.0, 0.0], [0.5, 0.5]]))
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.25]])
    """

    def __init__(self, ingredients: int, degree: int = 2, total: float = 1.0) -> None:
        self.ingredients = ingredients
        self.degree = degree
        self.total = total

    def fit(self, X: Float[np.ndarray, "n d"], y: Any = None) -> BlendingTerms:  # noqa: ARG002 - scikit-learn's signature
        """Learn the factors' ranges and which terms the trials hold."""
        X = np.asarray(X, dtype=np.float64)
        q, d = self.ingredients, X.shape[1]
        low, high = X.min(axis=0), X.max(axis=0)
        half = np.where(high > low, (high - low) / 2, 1.0)
        self.shift_ = np.where(np.arange(d) < q, 0.0, (low + high) / 2)
        self.scale_ = np.where(np.arange(d) < q, 1.0 / self.total, 1.0 / half)
        self.n_features_in_ = d
        every = np.array(polynomial_terms(q, d - q, self.degree), dtype=np.int64)
        used = np.any(np.abs(self._products(X, every)) > 1e-12, axis=0)
        self.index_: Int[np.ndarray, "terms 3"] = every[used]
        self.never_: Int[np.ndarray, "unused 3"] = every[~used]
        return self

    def _products(self, X: Float[np.ndarray, "n d"], index: Int[np.ndarray, "terms 3"]) -> Float[np.ndarray, "n terms"]:
        u = np.column_stack([(X - self.shift_) * self.scale_, np.ones(len(X))])
        return u[:, index[:, 0]] * u[:, index[:, 1]] * u[:, index[:, 2]]

    def transform(self, X: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n terms"]:
        """The terms of every row."""
        check_is_fitted(self)
        return self._products(np.asarray(X, dtype=np.float64), self.index_)

    def term_names(self, inputs: tuple[str, ...]) -> list[str]:
        """A name for every term kept, such as "flour × water"."""
        return [term_name(term, inputs) for term in self.index_]


def term_name(term: Int[np.ndarray, " 3"], inputs: tuple[str, ...]) -> str:
    """One term in words, such as "flour × water"."""
    return " × ".join(inputs[i] for i in term if i < len(inputs)) or "constant"


@register_translation(BlendingTerms)
def translate_terms(estimator: BlendingTerms) -> Translation:
    """The terms as a JAX function."""
    return Translation(term_products, (estimator.shift_, estimator.scale_, estimator.index_))
