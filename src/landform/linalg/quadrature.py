"""The density of a symmetric matrix's eigenvalues from products alone: stochastic Lanczos quadrature.

References
----------
Golub and Meurant (2010), *Matrices, Moments and Quadrature*; Ubaru, Chen and Saad (2017), "Fast estimation of
tr(f(A)) via stochastic Lanczos quadrature", SIAM J. Matrix Anal. Appl. 38; Chen, Trogdon and Ubaru (2021), "Analysis of
stochastic Lanczos quadrature for spectrum approximation", ICML (the distribution function and its error).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from landform.errors import DerivativeError, ShapeError


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Where eigenvalues lie and how many, seen from some random vectors; nothing is blurred.

    Parameters
    ----------
    nodes, weights : tuple of array, each of shape (steps,)
        One pair for every random vector; the weights of each add to one.
    size : int
        How many eigenvalues there are.
    products : int
        Products with a vector that it took.
    """

    nodes: tuple[Float[np.ndarray, " steps"], ...]
    weights: tuple[Float[np.ndarray, " steps"], ...]
    size: int
    products: int

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest node."""
        return min(float(one.min()) for one in self.nodes), max(float(one.max()) for one in self.nodes)

    @property
    def resolution(self) -> float:
        """Distance below which clusters in the bulk are not told apart: the typical gap between nodes of one vector."""
        return max(float(np.median(np.diff(one))) if len(one) > 1 else 0.0 for one in self.nodes)

    def each_below(self, at: Float[np.ndarray, " g"]) -> Float[np.ndarray, "probes g"]:
        """The share of eigenvalues below every value, as each random vector sees it."""
        rows = []
        for nodes, weights in zip(self.nodes, self.weights, strict=True):
            middles = np.r_[0.0, np.cumsum(weights)]
            place = np.searchsorted(nodes, at, side="left")
            rows.append(middles[place])
        return np.array(rows)

    def below(self, at: Float[np.ndarray, " g"]) -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]:
        """The share of eigenvalues below every value, and its standard error."""
        return _mean_and_error(self.each_below(at))

    def shares(self, edges: Float[np.ndarray, " b+1"]) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, " b"]]:
        """The share of eigenvalues in every bin, and its standard error."""
        return _mean_and_error(np.diff(self.each_below(edges), axis=1))

    def smooth(self, at: Float[np.ndarray, " g"], width: float) -> Float[np.ndarray, " g"]:
        """The density blurred by a Gaussian of standard deviation ``width``, for those who ask for it."""
        total = np.zeros(len(at))
        for nodes, weights in zip(self.nodes, self.weights, strict=True):
            bells = np.exp(-0.5 * ((at[:, None] - nodes) / width) ** 2) / (width * np.sqrt(2 * np.pi))
            total += bells @ weights
        return total / len(self.nodes)

    def half_width(self, level: float = 0.95) -> float:
        """Standard errors that make half an interval at this level."""
        return float(student.ppf((1 + level) / 2, len(self.nodes) - 1))


def _mean_and_error(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(len(rows))


def spectral_quadrature(
    product: Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]],
    size: int,
    *,
    probes: int = 6,
    steps: int = 80,
    seed: int = 0,
) -> Quadrature:
    """Nodes and weights of the eigenvalue density from ``probes`` random vectors of ``steps`` products each.

    Parameters
    ----------
    product : callable
        ``product(v)`` is A v for v of shape (n,).
    size : int
        n.
    probes : int
        Random vectors, two or more: their spread is the doubt.
    steps : int
        Products for each: these make the resolution, which is about the width of the spectrum over ``steps``.
    seed : int
        Of the random vectors.

    Raises
    ------
    ShapeError
        If there are fewer than two vectors or one step.
    DerivativeError
        If a product is not finite.

    Examples
    --------
    >>> d = np.linspace(-1.0, 1.0, 400)
    >>> share, error = spectral_quadrature(lambda v: d * v, 400).below(np.array([0.0]))
    >>> bool(abs(share[0] - 0.5) < 4 * error[0])
    True
    """
    if probes < 2 or steps < 1:
        raise ShapeError("two or more probes of one or more steps", got=f"{probes} of {steps}", remedy="ask for more")
    rng = np.random.default_rng(seed)
    nodes, weights, products = [], [], 0
    for _ in range(probes):
        diagonal, beside = tridiagonal(product, rng.standard_normal(size), min(steps, size))
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        nodes.append(values)
        weights.append(vectors[0] ** 2)
        products += len(diagonal)
    return Quadrature(tuple(nodes), tuple(weights), size, products)


def tridiagonal(
    product: Callable[[np.ndarray], np.ndarray], v: Float[np.ndarray, " n"], steps: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k-1"]]:
    """The matrix along the Krylov space of v: its diagonal, and the one beside it. Reorthogonalized in full."""
    Q = np.empty((len(v), steps), order="F")
    q = v / np.linalg.norm(v)
    diagonal, beside = [], []
    for k in range(steps):
        Q[:, k] = q
        w = np.asarray(product(q), dtype=np.float64)
        if not np.all(np.isfinite(w)):
            raise DerivativeError(
                "finite products", got="NaN or infinity in A v", remedy="move the point to where the function is smooth"
            )
        size = float(np.linalg.norm(w))
        diagonal.append(float(q @ w))
        for _ in range(2):
            w = w - Q[:, : k + 1] @ (Q[:, : k + 1].T @ w)
        rest = float(np.linalg.norm(w))
        if rest <= 1e-12 * size or k == steps - 1:
            break
        beside.append(rest)
        q = w / rest
    return np.array(diagonal), np.array(beside)
