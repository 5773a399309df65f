"""A finding as a file: a page of words, pictures and tables, the pictures alone, or the table alone."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from landform.errors import OutputError
from landform.findings.pictures import Picture
from landform.findings.writing import write_atomically, write_bytes_atomically

if TYPE_CHECKING:
    import pandas as pd

_PICTURES = (".svg", ".png", ".pdf")

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 0.5rem 0 1.5rem; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
div.scroll { overflow-x: auto; max-height: 40rem; overflow-y: auto; }
"""


class Saved(Protocol):
    """What can be saved."""

    def to_frame(self) -> pd.DataFrame:
        """The table."""

    def pictures(self) -> Sequence[Picture]:
        """The pictures."""

    def sentences(self) -> Sequence[str]:
        """The words."""

    def tables(self) -> Sequence[tuple[str, pd.DataFrame]]:
        """The tables, titled."""

    def plot(self) -> Any:
        """The matplotlib figure."""


def save(finding: Saved, path: Path) -> Path:
    """Write a finding in the form that the file's ending asks for; see `Finding.save`."""
    ending = path.suffix.lower()
    if ending == ".html":
        write_atomically(path, page(finding))
    elif ending == ".csv":
        write_atomically(path, finding.to_frame().to_csv(index=False))
    elif ending in _PICTURES:
        write_bytes_atomically(path, _drawn(finding, ending[1:]))
    else:
        raise OutputError(
            "a file that ends in .html, .csv, .svg, .png or .pdf",
            got=path.name,
            remedy="choose one of these endings",
            where=str(path),
        )
    return path


def _drawn(finding: Saved, form: str) -> bytes:
    buffer = io.BytesIO()
    finding.plot().savefig(buffer, format=form, dpi=150)
    return buffer.getvalue()


def page(finding: Saved) -> str:
    """The finding as one page that refers to nothing outside itself; names and words are text, never markup."""
    title = type(finding).__name__
    parts = [f"<h1>{html.escape(title)}</h1>", *(f"<p>{html.escape(one)}</p>" for one in finding.sentences())]
    if finding.pictures():
        drawn = _drawn(finding, "svg").decode()
        parts.append(drawn[drawn.index("<svg") :])
    for heading, frame in finding.tables():
        if heading:
            parts.append(f"<h2>{html.escape(heading)}</h2>")
        table = frame.to_html(index=False, float_format=lambda v: f"{v:.4g}", na_rep="", border=0)
        parts.append(f'<div class="scroll">{table}</div>')
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )
