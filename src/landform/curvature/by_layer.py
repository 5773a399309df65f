"""Which layers carry the curvature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from landform.curvature.at_point import DENSE, LossAt, layer_labels
from landform.errors import ShapeError
from landform.findings import Bars, Estimate, Finding, Picture

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class LayerShares(Finding):
    """Every layer's part in the curvature.

    Parameters
    ----------
    layers : tuple of str
        The groups of parameters, as their paths name them.
    sizes : tuple of int
        Parameters in each.
    shares : tuple of Estimate
        Part of the sum of squares of all second derivatives that stand in the layer's rows; they add to one.
    traces : tuple of Estimate
        The layer's own curvatures, added; may be negative.
    level : float
        Of the intervals.
    exact : bool
        Whether the whole matrix was formed.
    """

    layers: tuple[str, ...]
    sizes: tuple[int, ...]
    shares: tuple[Estimate, ...]
    traces: tuple[Estimate, ...]
    level: float
    exact: bool

    def sentences(self) -> list[str]:
        """The fewest layers that carry four fifths."""
        order = np.argsort([-one.value for one in self.shares])
        total, taken = 0.0, []
        for k in order:
            taken.append(k)
            total += self.shares[k].value
            if total >= 0.8:
                break
        names = ", ".join(f"{self.layers[k]} ({100 * self.shares[k].value:.2g} %)" for k in taken[:6])
        carry = "layers carries" if len(taken) == 1 else "layers carry"
        return [f"{len(taken)} of {len(order)} {carry} {100 * total:.3g} % of the squared curvature: {names}."]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every layer."""
        import pandas as pd

        rows = []
        for layer, size, share, trace in zip(self.layers, self.sizes, self.shares, self.traces, strict=True):
            row = {"layer": layer, "parameters": size, "share": share.value, "share_lower": share.lower}
            row |= {"share_upper": share.upper, "trace": trace.value}
            rows.append(row | {"trace_lower": trace.lower, "trace_upper": trace.upper})
        return pd.DataFrame(rows)

    def pictures(self) -> list[Picture]:
        """Bars of the shares."""
        values = [one.value for one in self.shares]
        sides = [one.lower for one in self.shares], [one.upper for one in self.shares]
        return [Bars(self.layers, values, *sides, title="Share of the squared curvature", axis="share")]


def by_layer(at: LossAt, *, by: Literal["layer", "array"], probes: int, level: float, seed: int) -> LayerShares:
    """What `LossLandscape.by_layer` gives."""
    if by not in ("layer", "array"):
        raise ShapeError('"layer" or "array"', got=repr(by), remedy="choose one", where="argument by")
    if probes < 2 or not 0 < level < 1:
        raise ShapeError("two or more probes, a level between 0 and 1", got=f"{probes}, {level}", remedy="32 and 0.95")
    labels = layer_labels(at.leaves) if by == "layer" else [label for label, _ in at.leaves]
    counts = [int(np.prod(shape)) for _, shape in at.leaves]
    layers = tuple(dict.fromkeys(labels))
    member = np.repeat([layers.index(label) for label in labels], counts)
    sizes = tuple(int(np.sum(member == k)) for k in range(len(layers)))
    if at.n <= DENSE:
        H = at.dense()
        parts, sums = np.bincount(member, (H**2).sum(axis=1)), np.bincount(member, H.diagonal())
        whole = parts.sum()
        shares = tuple(Estimate(float(v / whole) if whole else 0.0, 0.0, how="exact") for v in parts)
        return LayerShares(
            layers, sizes, shares, tuple(Estimate(float(v), 0.0, how="exact") for v in sums), level, True
        )
    rng = np.random.default_rng(seed)
    squares, products = np.empty((probes, len(layers))), np.empty((probes, len(layers)))
    for row in range(probes):
        z = rng.choice([-1.0, 1.0], at.n)
        Hz = at.product(z)
        squares[row] = np.bincount(member, Hz**2, len(layers))
        products[row] = np.bincount(member, z * Hz, len(layers))
    wide = float(student.ppf((1 + level) / 2, probes - 1))
    return LayerShares(layers, sizes, _ratios(squares, wide), _means(products, wide), level, False)


def _ratios(rows: Float[np.ndarray, "p g"], wide: float) -> tuple[Estimate, ...]:
    """Parts of a sum, with the errors of ratios of means (the delta method), kept within 0 and 1."""
    means = rows.mean(axis=0)
    whole = means.sum()
    if whole == 0:
        return tuple(Estimate(0.0, 0.0, 0.0, 0.0, how="sampled") for _ in means)
    parts = means / whole
    left = rows - parts * rows.sum(axis=1, keepdims=True)
    errors = left.std(axis=0, ddof=1) / np.sqrt(len(rows)) / whole
    pairs = zip(parts.tolist(), errors.tolist(), strict=True)
    return tuple(Estimate(p, e, max(p - wide * e, 0.0), min(p + wide * e, 1.0), how="sampled") for p, e in pairs)


def _means(rows: Float[np.ndarray, "p g"], wide: float) -> tuple[Estimate, ...]:
    errors = rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    pairs = zip(rows.mean(axis=0).tolist(), errors.tolist(), strict=True)
    return tuple(Estimate(m, e, m - wide * e, m + wide * e, how="sampled") for m, e in pairs)
