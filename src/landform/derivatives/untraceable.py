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
    if "batched" in numeric:
        raise ShapeError(
            "one point for a Hessian",
            got="batched=",
            remedy="use jax.vmap over hessian(f, x).dense(), or prepare(f, x).hessian at one point after the other",
            where="argument batched",
        )
    if numeric:
        raise ShapeError(
            "no options of numeric derivatives",
            got=", ".join(f"{name}=" for name in numeric),
            remedy='leave them out, or pass mode="numeric"',
            where="automatic differentiation",
        )
