"""What every result can do: become a table, a notebook cell, a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from landform.errors import OutputError
from landform.findings.pictures import Picture, draw

if TYPE_CHECKING:
    import pandas as pd


class Finding(ABC):
    """Base of every result.

    A subclass is a frozen dataclass; it gives a tidy table (`to_frame`) and, where one helps, pictures.
    """

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The finding as a tidy table."""

    def pictures(self) -> Sequence[Picture]:
        """What there is to draw; nothing unless a subclass says so."""
        return ()

    def plot(self) -> Any:
        """Draw the finding with matplotlib.

        Returns
        -------
        matplotlib.figure.Figure
            Notebooks show it; ``figure.savefig("x.png")`` writes it.

        Raises
        ------
        OutputError
            Where this finding has no picture, or matplotlib is missing.
        """
        pictures = self.pictures()
        if not pictures:
            raise OutputError(
                "a finding with a picture",
                got=type(self).__name__,
                remedy="read it with `.to_frame()` instead",
            )
        return draw(pictures)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format=lambda v: f"{v:.4g}"))
