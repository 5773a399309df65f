"""Eigenpairs at either end of a symmetric matrix's spectrum from single products, with residual bounds.

Lanczos with full reorthogonalization. The products are kept beside the basis, so that residuals are those of the matrix
itself and not of a recurrence, and a start from earlier vectors is the same iteration.

References
----------
Lanczos (1950), J. Res. Natl. Bur. Stand. 45; Parlett (1998), *The Symmetric Eigenvalue Problem*, ch. 11 and 13 (bounds
from residuals and gaps); Stathopoulos and Saad (1998), ETNA 7 (thick restart); Kuczyński and Woźniakowski (1992),
"Estimating the largest eigenvalue by the power and Lanczos algorithms with a random start", SIAM J. Matrix Anal.
Appl. 13 (`missed`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from landform.errors import DerivativeError, ShapeError

End = Literal["top", "bottom", "both", "largest"]
Product = Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]]
_BREAKDOWN = 1e-10
_SPARE = 8
"""Vectors kept beside the wanted ones when the basis is folded."""


@dataclass(frozen=True, eq=False)
class ExtremePairs:
    """Eigenpairs at the ends of a spectrum, and how near they are.

    Parameters
    ----------
    eigenvalues : array, shape (k,)
        Largest first; with ``end="largest"`` the largest absolute value first.
    vectors : array, shape (n, k)
        Orthonormal columns.
    residuals : array, shape (k,)
        ‖A v − θ v‖: an eigenvalue of A lies within this of every θ.
    errors : array, shape (k,)
        The same more closely: residual² / gap, with the gap to the nearest other value found less that one's residual
        (Temple's bound). It rests on no eigenvalue in that gap having been overlooked.
    radius : float
        Largest absolute value met: what tolerances are relative to.
    products : int
        Products with a vector that it took.
    converged : bool
        Whether every error (with ``exact="vectors"`` every residual) is within the tolerance.
    missed : float
        With a chance of 99.9 % no eigenvalue lies further than this beyond the outermost one found at an end that was
        asked for; zero where the whole space was spanned, infinite where the bound does not hold (a warm start, a
        folded basis, too few steps).
    """

    eigenvalues: Float[np.ndarray, " k"]
    vectors: Float[np.ndarray, "n k"]
    residuals: Float[np.ndarray, " k"]
    errors: Float[np.ndarray, " k"]
    radius: float
    products: int
    converged: bool
    missed: float


def extreme_pairs(
    product: Product,
    size: int,
    *,
    count: int,
    end: End = "top",
    tolerance: float = 1e-6,
    exact: Literal["values", "vectors"] = "vectors",
    most: int | None = None,
    basis: int | None = None,
    copies: bool = True,
    start: Float[np.ndarray, "n s"] | None = None,
    stop: Callable[[ExtremePairs], bool] | None = None,
    seed: int = 0,
) -> ExtremePairs:
    """The ``count`` eigenpairs at one end of a symmetric matrix known by its products, or at both.

    Parameters
    ----------
    product : callable
        ``product(v)`` is A v for v of shape (n,).
    size : int
        n.
    count : int
        How many pairs; at each end with ``end="both"``.
    end : {"top", "bottom", "both", "largest"}
        Largest, smallest, either, or largest in absolute value.
    tolerance : float
        Errors or residuals allowed, relative to the largest absolute eigenvalue met.
    exact : {"values", "vectors"}
        What the tolerance is for: errors of eigenvalues, or residuals, which also bound those of the vectors.
    most : int, optional
        Products allowed; size + 1 unless given.
    basis : int, optional
        Vectors kept before the basis is folded into its best; 300 or 20 a pair unless given.
    copies : bool
        Once converged, go on from a fresh random vector for some steps: one start meets one vector of every
        eigenspace, so that the copies of a multiple eigenvalue would be missed.
    start : array, shape (n, s), optional
        Vectors of an earlier result to begin from.
    stop : callable, optional
        Given what there is so far, now and then: whether that is enough.
    seed : int
        Of the random vectors.

    Raises
    ------
    ShapeError
        If more pairs are asked for than there are.
    DerivativeError
        If a product is not finite, or the operator is not symmetric.

    Examples
    --------
    >>> d = np.r_[-3.0, np.linspace(1.0, 2.0, 97), 7.0, 9.0]
    >>> found = extreme_pairs(lambda v: d * v, 100, count=1, end="both")
    >>> found.converged, found.eigenvalues.round(9), found.products < 40
    (True, array([ 9., -3.]), True)
    """
    _refuse_count(count, size, end)
    krylov = _Krylov(product, size, seed)
    wanted = count if end != "both" else 2 * count
    room = min(size, max(basis or max(300, 20 * wanted), 2 * wanted + _SPARE))
    limit = size + 1 if most is None else most
    krylov.begin(start)
    check, confirm_until = 1, 0
    before: ExtremePairs | None = None
    while True:
        k = krylov.k
        full, spent = k >= size, krylov.products >= limit
        if k >= min(wanted, size) and (k >= check or full or spent):
            found = _ritz(krylov, count, end, tolerance, exact)
            check = k + 1 + k // 16
            if full or spent or (stop is not None and stop(found)) or (found.converged and not copies):
                return found
            if before is not None and k >= confirm_until:
                if _confirmed(before, found, tolerance):
                    return replace(before, products=found.products)
                if found.converged:
                    return found
                before = None
            elif before is None and found.converged:
                before, confirm_until = found, k + max(4, k // 4)
                krylov.pure_bound(found.missed)
                krylov.expand(krylov.random())
                continue
            if k >= room:
                krylov.fold(_chosen(krylov.values(), min(wanted + _SPARE, k), end))
                check, before = krylov.k + 1, None
                continue
        krylov.grow(count, end, tolerance)


def _confirmed(before: ExtremePairs, after: ExtremePairs, tolerance: float) -> bool:
    """Whether steps from a fresh vector met no copy of an eigenvalue: the values are those there were."""
    return bool(np.all(np.abs(after.eigenvalues - before.eigenvalues) <= tolerance * after.radius))


def _refuse_count(count: int, size: int, end: str) -> None:
    if end not in ("top", "bottom", "both", "largest"):
        raise ShapeError('"top", "bottom", "both" or "largest"', got=repr(end), remedy="choose one", where="end")
    most = size // 2 if end == "both" and size > 1 else size
    if not 1 <= count <= most:
        raise ShapeError(
            f"from 1 to {most} eigenpairs" + (" at each end" if end == "both" else ""),
            got=count,
            remedy="ask for no more than there are parameters",
            where="argument count",
        )


class _Krylov:
    """A growing orthonormal basis with the products of its vectors."""

    def __init__(self, product: Product, size: int, seed: int) -> None:
        self._product, self.size, self._rng = product, size, np.random.default_rng(seed)
        self._Q = np.empty((size, 16), order="F")
        self._AQ = np.empty((size, 16), order="F")
        self._T = np.zeros((16, 16))
        self.k, self.products, self.pure, self.bound = 0, 0, True, np.inf

    @property
    def vectors(self) -> np.ndarray:
        return self._Q[:, : self.k]

    @property
    def images(self) -> np.ndarray:
        return self._AQ[:, : self.k]

    @property
    def projected(self) -> np.ndarray:
        return self._T[: self.k, : self.k]

    def values(self) -> np.ndarray:
        return np.linalg.eigvalsh(self.projected)

    def random(self) -> np.ndarray:
        return self._rng.standard_normal(self.size)

    def pure_bound(self, bound: float) -> None:
        """Keep the bound that a Krylov space of one random vector gave."""
        self.bound, self.pure = min(self.bound, bound), False

    def left(self) -> float:
        """How far beyond the values found an extreme eigenvalue may lie if A hardly leaves the space of the start.

        An eigenvector with a part c in a space that A leaves by r has its eigenvalue within r / c of one of the space;
        a random start has c > 6e-4 / √n with a chance of 99.95 % at each end.
        """
        Aq = self.images[:, -1]
        for _ in range(2):
            Aq = Aq - self.vectors @ (self.vectors.T @ Aq)
        return float(np.linalg.norm(Aq) * np.sqrt(self.size) / 6e-4)

    def begin(self, start: np.ndarray | None) -> None:
        if start is None:
            self.expand(self.random())
            return
        self.pure = False
        for v in np.asarray(start, dtype=np.float64).reshape(self.size, -1).T:
            if self.k < self.size:
                self.expand(v + 1e-8 * np.linalg.norm(v) * self.random() / np.sqrt(self.size))

    def expand(self, v: np.ndarray) -> None:
        """Add a vector to the basis, and its product; a random one where it adds nothing."""
        before = float(np.linalg.norm(v))
        for attempt in range(3):
            for _ in range(2):
                v = v - self.vectors @ (self.vectors.T @ v)
            after = float(np.linalg.norm(v))
            if after > _BREAKDOWN * before and after > 0:
                break
            if attempt == 0 and self.k and self.pure:
                self.pure_bound(self.left())
            v = self.random()
            before = float(np.linalg.norm(v))
        v = v / after
        v = v - self.vectors @ (self.vectors.T @ v)
        q = v / np.linalg.norm(v)
        Aq = np.asarray(self._product(q), dtype=np.float64)
        self.products += 1
        if not np.all(np.isfinite(Aq)):
            raise DerivativeError(
                "finite products", got="NaN or infinity in A v", remedy="move the point to where the function is smooth"
            )
        if self.k == self._Q.shape[1]:
            self._double()
        k = self.k
        self._Q[:, k], self._AQ[:, k] = q, Aq
        self.k += 1
        row, column = self.vectors.T @ Aq, self.images.T @ q
        self._refuse_lopsided(row, column)
        self._T[k, : k + 1] = self._T[: k + 1, k] = (row + column) / 2

    def _refuse_lopsided(self, row: np.ndarray, column: np.ndarray) -> None:
        """Refuse an operator for which u'Av and v'Au are far apart."""
        size = max(float(np.abs(self._T[: self.k - 1, : self.k - 1]).max(initial=0.0)), float(np.linalg.norm(row)))
        gap = float(np.abs(row - column).max())
        if gap > 1e-2 * size and self.k > 1:
            raise DerivativeError(
                "a symmetric operator",
                got=f"u'Av and v'Au that differ by {gap / size:.1%} of its size",
                remedy="check that products use the same point, data and random state every time",
            )

    def _double(self) -> None:
        width = min(2 * self._Q.shape[1], self.size + 1)
        for name in ("_Q", "_AQ"):
            wider = np.empty((self.size, width), order="F")
            wider[:, : self.k] = getattr(self, name)[:, : self.k]
            setattr(self, name, wider)
        T = np.zeros((width, width))
        T[: self.k, : self.k] = self.projected
        self._T = T

    def grow(self, count: int, end: End, tolerance: float) -> None:
        """The next Lanczos vector; from a warm start the worst residual still too large."""
        if self.pure or self.products == 0:
            self.expand(self._AQ[:, self.k - 1])
            return
        found = _ritz(self, min(count, self.k if end != "both" else max(1, self.k // 2)), end, tolerance)
        worst = int(np.argmax(found.residuals))
        if found.residuals[worst] <= tolerance * found.radius:
            self.expand(self._AQ[:, self.k - 1])
            return
        v = found.vectors[:, worst]
        self.expand(self.images @ (self.vectors.T @ v) - found.eigenvalues[worst] * v)

    def fold(self, keep: np.ndarray) -> None:
        """Shrink the basis to some of its Ritz vectors."""
        _, rotation = np.linalg.eigh(self.projected)
        chosen = rotation[:, keep]
        self._Q[:, : len(keep)], self._AQ[:, : len(keep)] = self.vectors @ chosen, self.images @ chosen
        self.k = len(keep)
        T = self.vectors.T @ self.images
        self._T[: self.k, : self.k] = (T + T.T) / 2
        self.pure = False


def _chosen(values: np.ndarray, count: int, end: End) -> np.ndarray:
    """Places of the wanted ones among ascending Ritz values, in the order of the result."""
    places = np.arange(len(values))
    if end == "top":
        return places[::-1][:count]
    if end == "bottom":
        return places[:count][::-1]
    if end == "largest":
        return np.argsort(-np.abs(values), kind="stable")[:count]
    if count >= len(values):
        return places[::-1]
    low = count // 2
    return np.r_[places[::-1][: count - low], places[:low][::-1]]


def _ritz(krylov: _Krylov, count: int, end: End, tolerance: float, exact: str = "vectors") -> ExtremePairs:
    values, rotation = np.linalg.eigh(krylov.projected)
    wanted = count if end != "both" else 2 * count
    keep = _chosen(values, min(wanted, len(values)), end)
    near = np.unique(np.concatenate([keep, keep + 1, keep + 2, keep - 1, keep - 2]))
    near = near[(near >= 0) & (near < len(values))]
    all_residuals = np.zeros(len(values))
    vectors = krylov.vectors @ rotation[:, near]
    all_residuals[near] = np.linalg.norm(krylov.images @ rotation[:, near] - vectors * values[near], axis=0)
    vectors, residuals = vectors[:, np.searchsorted(near, keep)], all_residuals[keep]
    radius, whole = float(np.abs(values).max()), krylov.k >= krylov.size
    errors = _temple(values, all_residuals, keep)
    judged = errors if exact == "values" else residuals
    enough = len(keep) == wanted or whole
    converged = bool(enough and np.all(judged <= tolerance * max(radius, np.finfo(float).tiny)))
    if krylov.k >= krylov.size:
        missed = 0.0
    elif krylov.pure:
        short, width = undershoot(krylov.size, krylov.k), float(values[-1] - values[0])
        missed = min(short * width if width else np.inf, krylov.left())
    else:
        missed = krylov.bound
    return ExtremePairs(values[keep], vectors, residuals, errors, radius, krylov.products, converged, missed)


def _temple(
    values: Float[np.ndarray, " k"], residuals: Float[np.ndarray, " k"], keep: Int[np.ndarray, " c"]
) -> Float[np.ndarray, " c"]:
    """Bounds on errors of some Ritz values, ascending, from their residuals and gaps.

    Examples
    --------
    >>> _temple(np.array([1.0, 2.0, 5.0]), np.array([0.1, 0.1, 0.1]), np.array([2])).round(6)
    array([0.003448])
    """
    gaps = np.full(len(keep), np.inf)
    for other in (-2, -1, 1, 2):
        there = keep + other
        inside = (there >= 0) & (there < len(values))
        place = np.clip(there, 0, len(values) - 1)
        gap = np.abs(values[place] - values[keep]) - residuals[place]
        gaps = np.where(inside, np.minimum(gaps, gap), gaps)
    own = residuals[keep]
    apart = gaps > own
    return np.where(apart, own**2 / np.where(apart, gaps, 1.0), own)


def undershoot(size: int, steps: int, *, chance: float = 1e-3) -> float:
    """How far, in widths of the spectrum found, Lanczos from a random vector may fall short of the true end.

    Kuczyński and Woźniakowski (1992), theorem 4.2: short by more than ε of the true width with a chance of at most
    1.648 √n exp(−√ε (2k − 1)). Either end may be short, so that ε of the true width is ε / (1 − 2ε) of the one found.

    Examples
    --------
    >>> round(undershoot(1000, 100), 5), undershoot(1000, 3)
    (0.00339, inf)
    """
    short = (np.log(1.648 * np.sqrt(size) * 2 / chance) / (2 * steps - 1)) ** 2
    return float(short / (1 - 2 * short)) if short < 0.25 else np.inf
