"""Pictures as data, and how matplotlib draws them.

A finding says what its picture holds; nothing is drawn, and matplotlib is not imported, until it is asked for.
"""

from __future__ import annotations

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
    """Points with vertical intervals, and the diagonal where both axes mean the same."""

    x: Sequence[float]
    y: Sequence[float]
    lower: Sequence[float | None]
    upper: Sequence[float | None]
    title: str = ""
    x_axis: str = ""
    y_axis: str = ""
    diagonal: bool = True

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        for x, low, high in zip(self.x, self.lower, self.upper, strict=True):
            if low is not None and high is not None:
                ax.plot([x, x], [low, high], color="#2f6f8f", linewidth=0.8, alpha=0.6)
        ax.scatter(self.x, self.y, color="#2f6f8f", s=18, zorder=3)
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
class PairMap:
    """A number for every pair of inputs, as a symmetric map."""

    labels: Sequence[str]
    values: Sequence[Sequence[float]]
    title: str = ""

    def draw(self, ax: Axes) -> None:
        """Draw on matplotlib axes."""
        image = ax.imshow([list(row) for row in self.values], cmap="viridis")
        ax.figure.colorbar(image, ax=ax)
        places = list(range(len(self.labels)))
        ax.set_xticks(places, list(self.labels), rotation=45, ha="right")
        ax.set_yticks(places, list(self.labels))
        ax.set_title(self.title)


Picture = Bars | Scatter | Contour | Biplot | Shades | PairMap


def draw(pictures: Sequence[Picture]) -> Any:
    """Draw pictures side by side and return the matplotlib figure.

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
    tallest = max((len(p.labels) for p in pictures if isinstance(p, Bars)), default=10)
    figure = Figure(figsize=(5.5 * len(pictures), max(3.8, 0.3 * tallest + 1.2)), layout="constrained")
    for ax, picture in zip(figure.subplots(1, len(pictures), squeeze=False)[0], pictures, strict=True):
        picture.draw(ax)
    return figure
