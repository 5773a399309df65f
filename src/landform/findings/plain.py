"""Findings as plain data, as JSON takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as a list of rows; what is not known is None."""
    return [{str(name): plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def plain(value: Any) -> Any:
    """A value that JSON knows; None for a number that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> plain(np.float64(0.5)), plain(np.nan), plain(np.bool_(True)), plain("a")
    (0.5, None, True, 'a')
    """
    import numpy as np

    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
