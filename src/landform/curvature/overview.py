"""All that is asked of a landscape first, in one finding: the answer in words, then tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landform.curvature.at_point import LossAt
from landform.curvature.by_layer import LayerShares, by_layer
from landform.curvature.cuts import cut, plane
from landform.curvature.spectra import Density, TopPairs, density, top_pairs
from landform.curvature.stable_step import StableStep, stable_step
from landform.curvature.verdict import Verdict, verdict
from landform.findings import Finding, Picture, plain_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Overview(Finding):
    """Where a loss is at, how stiff it is, how far a step may go, and which layers it bends along.

    Parameters
    ----------
    verdict : Verdict
    top : TopPairs
    step : StableStep
    layers : LayerShares
    density : Density
    cuts : tuple of Finding
        The loss along the stiffest and the lowest direction, and over the plane of both; a line where there is one
        parameter.
    """

    verdict: Verdict
    top: TopPairs
    step: StableStep
    layers: LayerShares
    density: Density
    cuts: tuple[Finding, ...]

    def _parts(self) -> list[tuple[str, Finding]]:
        named: list[tuple[str, Finding]] = [
            ("Verdict", self.verdict), ("Largest curvatures", self.top), ("Stable step", self.step),
            ("Layers", self.layers), ("Density", self.density),
        ]  # fmt: skip
        return named

    def sentences(self) -> list[str]:
        """The verdict, then what each part says."""
        return [sentence for _, part in self._parts() for sentence in part.sentences()]

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """The verdict's row."""
        return self.verdict.to_frame()

    def tables(self) -> list[tuple[str, pd.DataFrame]]:
        """A table of every part."""
        return [(title, part.to_frame()) for title, part in self._parts()]

    def pictures(self) -> list[Picture]:
        """Curvatures, layers, and the loss along and over the stiffest and the lowest direction."""
        parts: list[Finding] = [self.top, self.layers, self.density, *self.cuts]
        return [picture for part in parts for picture in part.pictures()]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data; what is not known is None."""
        tables = {title.lower().replace(" ", "_"): plain_rows(frame) for title, frame in self.tables()}
        return {"landscape": {"words": self.words, **tables}}


def overview(
    at: LossAt, *, learning_rate: float | None, resolution: float, seed: int, say: Callable[[str], None]
) -> Overview:
    """What `LossLandscape.overview` gives."""
    say("looking for the largest curvatures")
    top = top_pairs(at, min(10, at.n), end="top", tolerance=1e-3, most=None, start=None, seed=seed)
    say("judging the point")
    judged = verdict(at, resolution=resolution, seed=seed)
    say("measuring the stable step")
    step = stable_step(
        at, method="gd", momentum=0.9, second_moment=None, epsilon=1e-8, learning_rate=learning_rate, tolerance=1e-3,
        most=None, seed=seed,
    )  # fmt: skip
    say("sharing curvature among layers")
    layers = by_layer(at, by="layer", probes=40, level=0.95, seed=seed)
    say("counting curvatures")
    shares = density(at, bins=50, probes=6, steps=min(80, at.n), level=0.95, seed=seed)
    say("drawing the loss")
    ways: tuple[str, ...] = ("stiffest", "lowest") if at.n > 1 else ("stiffest",)
    cuts: list[Finding] = [cut(at, way, reach=None, points=41, seed=seed) for way in ways]
    if at.n > 1:
        cuts.append(plane(at, *ways, reach=None, points=25, path=(), seed=seed))
    return Overview(judged, top, step, layers, shares, tuple(cuts))
