"""Options that belong to numeric derivatives alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landform.errors import ShapeError


def refuse_options(numeric: Mapping[str, Any]) -> None:
    """Refuse options that would have no effect.

    Raises
    ------
    ShapeError
        Naming them.
    """
    if numeric:
        raise ShapeError(
            "no options of numeric derivatives",
            got=", ".join(f"{name}=" for name in numeric),
            remedy='leave them out, or pass mode="numeric"',
            where="automatic differentiation",
        )
