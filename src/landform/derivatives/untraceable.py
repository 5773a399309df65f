"""What a function that automatic differentiation cannot follow is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from landform.errors import DerivativeError, ShapeError


@contextmanager
def traceable() -> Iterator[None]:
    """Say in one sentence what can be done where JAX cannot trace a function; nothing is switched silently.

    Raises
    ------
    DerivativeError
        If the function needs numbers where tracing has none.
    """
    from jax.errors import ConcretizationTypeError, TracerArrayConversionError, TracerIntegerConversionError

    try:
        yield
    except (ConcretizationTypeError, TracerArrayConversionError, TracerIntegerConversionError) as error:
        raise DerivativeError(
            "a function that JAX can trace",
            got=f"{type(error).__name__}: it turns its input into plain numbers",
            remedy='write it with jax.numpy, or pass mode="numeric" to differentiate it as a black box with error bars',
            where="argument function",
        ) from error


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
