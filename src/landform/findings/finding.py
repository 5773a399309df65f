"""What every result can do: become a table, a notebook cell, a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landform.errors import OutputError
from landform.findings.pictures import Picture, draw
from landform.findings.saving import save

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

    def sentences(self) -> Sequence[str]:
        """The finding in words, the most important first; nothing unless a subclass says so."""
        return ()

    def tables(self) -> Sequence[tuple[str, pd.DataFrame]]:
        """Titles and tables of what a saved page shows."""
        return [("", self.to_frame())]

    def save(self, path: str | Path) -> Path:
        """Write the finding to a file, from a script as well as from a notebook.

        Parameters
        ----------
        path : str or Path
            ``.html`` for words, pictures and tables in one page that works offline; ``.csv`` for the table;
            ``.svg``, ``.png`` or ``.pdf`` for the pictures. A file that is there is replaced.

        Returns
        -------
        Path
            Where it stands.

        Raises
        ------
        OutputError
            For another ending, a folder that is not there, or where matplotlib is needed and missing.
        """
        return save(self, Path(path))

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format=lambda v: f"{v:.4g}"))
