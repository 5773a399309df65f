"""Pictures as data, and how matplotlib draws them.

A finding says what its picture holds; nothing is drawn, and matplotlib is not imported, until it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from landform.errors import OutputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Bars:
    """Horizontal bars with intervals: one per label, the first on top."""

    labels: Sequence[str]
    values: Sequence[float]
    lower: Sequence[float | None]
    upper: Sequence[float | None]
    title: str = ""
    axis: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        places = range(len(self.labels))
        ax.barh(places, self.values, color=["#2f6f8f" if v >= 0 else "#b5542c" for v in self.values], alpha=0.85)
        for place, low, high in zip(places, self.lower, self.upper, strict=True):
            if low is not None and high is not None:
                ax.plot([low, high], [place, place], color="#222222", linewidth=1.2)
        ax.axvline(0.0, color="#222222", linewidth=0.8)
        ax.set_yticks(list(places), list(self.labels))
        ax.invert_yaxis()
        ax.set_xlabel(self.axis)
        ax.set_title(self.title)


@dataclass(frozen=True)
class Scatter:
    """Points with vertical intervals, names where they have any, and the diagonal where both axes mean the same."""

    x: Sequence[float]
    y: Sequence[float]
    lower: Sequence[float | None]
    upper: Sequence[float | None]
    title: str = ""
    x_axis: str = ""
    y_axis: str = ""
    diagonal: bool = True
    labels: Sequence[str] = ()

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        for x, low, high in zip(self.x, self.lower, self.upper, strict=True):
            if low is not None and high is not None:
                ax.plot([x, x], [low, high], color="#2f6f8f", linewidth=0.8, alpha=0.6)
        ax.scatter(self.x, self.y, color="#2f6f8f", s=18, zorder=3)
        for label, x, y in zip(self.labels, self.x, self.y, strict=bool(self.labels)):
            ax.annotate(label, (x, y), xytext=(5, 3), textcoords="offset points", fontsize=8)
        if self.diagonal:
            ends = [min(*self.x, *self.y), max(*self.x, *self.y)]
            ax.plot(ends, ends, color="#222222", linewidth=0.8)
        ax.set_xlabel(self.x_axis)
        ax.set_ylabel(self.y_axis)
        ax.set_title(self.title)


@dataclass(frozen=True)
class Contour:
    """A function over scattered points of a plane, with marked points on it."""

    points: Sequence[Sequence[float]]
    triangles: Sequence[Sequence[int]]
    values: Sequence[float]
    marks: Sequence[Sequence[float]] = field(default_factory=tuple)
    title: str = ""
    x_axis: str = ""
    y_axis: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        from matplotlib.tri import Triangulation

        x, y = zip(*self.points, strict=True)
        plane = Triangulation(list(x), list(y), list(self.triangles))
        filled = ax.tricontourf(plane, list(self.values), levels=12, cmap="viridis")
        ax.figure.colorbar(filled, ax=ax)
        if self.marks:
            across, up = zip(*self.marks, strict=True)
            ax.scatter(across, up, color="white", edgecolor="black", s=18)
        ax.set_xlabel(self.x_axis)
        ax.set_ylabel(self.y_axis)
        ax.set_title(self.title)


@dataclass(frozen=True)
class Biplot:
    """Rows as points, columns as arrows with their names, in one plane; the arrows are scaled to the points."""

    points: Sequence[Sequence[float]]
    arrows: Sequence[Sequence[float]]
    labels: Sequence[str]
    title: str = ""
    x_axis: str = ""
    y_axis: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        across, up = zip(*self.points, strict=True)
        ax.scatter(across, up, color="#9db8c4", s=12)
        stretch = min(
            max(abs(point[axis]) for point in self.points) / (max(abs(arrow[axis]) for arrow in self.arrows) or 1.0)
            for axis in (0, 1)
        )
        for (right, top), label in zip(self.arrows, self.labels, strict=True):
            end = (0.9 * stretch * right, 0.9 * stretch * top)
            ax.annotate("", xy=end, xytext=(0, 0), arrowprops={"arrowstyle": "->", "color": "#b5542c"})
            ax.annotate(
                label, end, fontsize=8, ha="left" if right >= 0 else "right", va="bottom" if top >= 0 else "top"
            )
        ax.margins(0.2)
        ax.axhline(0.0, color="#222222", linewidth=0.5)
        ax.axvline(0.0, color="#222222", linewidth=0.5)
        ax.set_xlabel(self.x_axis)
        ax.set_ylabel(self.y_axis)
        ax.set_title(self.title)


@dataclass(frozen=True)
class Shades:
    """Points of a plane, shaded by a value."""

    points: Sequence[Sequence[float]]
    values: Sequence[float]
    title: str = ""
    x_axis: str = ""
    y_axis: str = ""
    shade: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        across, up = zip(*self.points, strict=True)
        drawn = ax.scatter(across, up, c=list(self.values), cmap="viridis", s=18)
        ax.figure.colorbar(drawn, ax=ax, label=self.shade)
        ax.set_xlabel(self.x_axis)
        ax.set_ylabel(self.y_axis)
        ax.set_title(self.title)


@dataclass(frozen=True)
class HeatMap:
    """A table of numbers tinted by sign and size; None stays blank, and what is not sure stands in parentheses."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    sure: Sequence[Sequence[bool]] | None = None
    title: str = ""
    axis: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        from matplotlib.colors import LinearSegmentedColormap

        known = [abs(v) for row in self.values for v in row if v is not None]
        most = max(known, default=0.0) or 1.0
        grid = [[math.nan if v is None else v for v in row] for row in self.values]
        tints = LinearSegmentedColormap.from_list("signed", ["#b5542c", "#ffffff", "#2f6f8f"])
        shown = ax.imshow(grid, cmap=tints, vmin=-most, vmax=most, aspect="auto")
        ax.figure.colorbar(shown, ax=ax, label=self.axis)
        for i, row in enumerate(self.values):
            for j, v in enumerate(row):
                if v is not None:
                    text = "0" if abs(v) < 0.005 * most else f"{v:.2g}".replace("-", "\u2212")
                    text = text if self.sure is None or self.sure[i][j] else f"({text})"
                    ax.text(j, i, text, ha="center", va="center", fontsize=7.5, color=_ink(v / most))
        ax.set_xticks(range(len(self.columns)), list(self.columns), rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(self.rows)), list(self.rows))
        ax.set_title(self.title)


def _ink(share: float) -> str:
    return "white" if abs(share) > 0.6 else "#222222"


@dataclass(frozen=True)
class Swarm:
    """Many points per label along one axis, spread out where they are dense, tinted by a share from 0 to 1."""

    labels: Sequence[str]
    values: Sequence[Sequence[float]]
    shares: Sequence[Sequence[float]]
    title: str = ""
    axis: str = ""
    tint: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        from matplotlib.colors import LinearSegmentedColormap

        tints = LinearSegmentedColormap.from_list("level", ["#3b6fb0", "#c9c4bb", "#c2571a"])
        ends = [v for row in self.values for v in row]
        span = (max(ends) - min(ends)) or 1.0 if ends else 1.0
        dots = None
        for place, (row, shares) in enumerate(zip(self.values, self.shares, strict=True)):
            up = [place + off for off in _spread_out(row, span)]
            dots = ax.scatter(row, up, c=list(shares), cmap=tints, vmin=0.0, vmax=1.0, s=8, linewidths=0)
        if dots is not None and self.tint:
            bar = ax.figure.colorbar(dots, ax=ax, ticks=[0.0, 1.0])
            bar.ax.set_yticklabels(["low", "high"])
            bar.set_label(self.tint)
        ax.axvline(0.0, color="#222222", linewidth=0.8, zorder=0)
        ax.set_yticks(range(len(self.labels)), list(self.labels))
        ax.set_ylim(len(self.labels) - 0.5, -0.5)
        ax.set_xlabel(self.axis)
        ax.set_title(self.title)


def _spread_out(row: Sequence[float], span: float) -> list[float]:
    """Offsets that keep near points apart: those of one bin stand alternately above and below the line."""
    bins: dict[int, list[int]] = {}
    for k, v in enumerate(row):
        bins.setdefault(round(80 * v / span), []).append(k)
    fullest = max((len(members) for members in bins.values()), default=1)
    step = min(0.1, 0.76 / max(fullest, 1))
    offsets = [0.0] * len(row)
    for members in bins.values():
        for turn, k in enumerate(members):
            offsets[k] = step * ((turn + 1) // 2) * (1 if turn % 2 else -1)
    return offsets


@dataclass(frozen=True)
class Curve:
    """A line with its band of doubt, and marked points on it."""

    x: Sequence[float]
    y: Sequence[float]
    lower: Sequence[float | None]
    upper: Sequence[float | None]
    marks: Sequence[tuple[float, float]] = field(default_factory=tuple)
    title: str = ""
    x_axis: str = ""
    y_axis: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        band = [
            (x, a, b) for x, a, b in zip(self.x, self.lower, self.upper, strict=True) if a is not None and b is not None
        ]
        if band:
            across, low, high = zip(*band, strict=True)
            ax.fill_between(across, low, high, color="#2f6f8f", alpha=0.18, linewidth=0)
        ax.plot(list(self.x), list(self.y), color="#2f6f8f", linewidth=1.6)
        for x, y in self.marks:
            ax.plot([x], [y], marker="o", color="white", markeredgecolor="#222222", markersize=7)
        ax.set_xlabel(self.x_axis)
        ax.set_ylabel(self.y_axis)
        ax.set_title(self.title)


Picture = Bars | Scatter | Contour | Biplot | Shades | HeatMap | Swarm | Curve
_ABREAST = 3


def draw(pictures: Sequence[Picture]) -> Any:
    """Draw pictures side by side, three abreast, and return the matplotlib figure.

    Raises
    ------
    OutputError
        Where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError(
            "matplotlib, which draws `.plot()`",
            got="no such package",
            remedy='install it with `pip install "landform[plot]"`',
        ) from error
    across = min(len(pictures), _ABREAST)
    down = -(-len(pictures) // _ABREAST)
    figure = Figure(figsize=(5.5 * across, down * max(map(_height, pictures))), layout="constrained")
    for place, picture in enumerate(pictures, start=1):
        picture.draw(figure.add_subplot(down, across, place))
    return figure


def _height(picture: Picture) -> float:
    """Inches that a picture needs."""
    labels = (
        picture.labels if isinstance(picture, Bars | Swarm) else picture.rows if isinstance(picture, HeatMap) else ()
    )
    return max(3.8, 0.3 * len(labels) + 1.2)
