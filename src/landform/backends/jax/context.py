"""The context to work in: precision, and complaints in one sentence. Nothing global stays changed."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import PurePath
from typing import Any

import jax
from jax.errors import ConcretizationTypeError, TracerArrayConversionError, TracerIntegerConversionError

from landform.errors import DerivativeError, LandformError

BLACK_BOX = 'from its values alone it is differentiated by landform.jacobian(f, x, mode="numeric") or hessian'
"""What is left for a function that cannot be traced; whoever shows it may not know the argument ``mode``."""


def double_precision() -> AbstractContextManager[Any]:
    """A context in which JAX keeps 64-bit numbers; the global setting is untouched."""
    return jax.enable_x64(True)


def precision_of(x: Any) -> AbstractContextManager[Any]:
    """Double precision for NumPy points and plain numbers, the caller's own precision for JAX arrays."""
    leaves = jax.tree.leaves(x)
    if leaves and all(isinstance(leaf, jax.Array) for leaf in leaves):
        return nullcontext()
    return double_precision()


@contextmanager
def explained() -> Iterator[None]:
    """Say in one sentence what can be done where JAX cannot trace a function; nothing is switched silently.

    Raises
    ------
    DerivativeError
        If the function needs numbers where tracing has none, is one of PyTorch, or raises an error of its own.
    """
    try:
        yield
    except (ConcretizationTypeError, TracerArrayConversionError, TracerIntegerConversionError) as error:
        raise _untraceable(f"{type(error).__name__}: it turns its input into plain numbers") from error
    except TypeError as error:
        if "JAX arrays are immutable" in str(error):
            raise _untraceable("one that writes into its input") from error
        if not any(words in str(error) for words in ("must be Tensor", "expected Tensor")):
            raise _failed(error) from error
        raise DerivativeError(
            "a JAX function for a point of NumPy or JAX",
            got="a function that calls PyTorch",
            remedy="pass the point as a tensor, torch.as_tensor(x), or write the function with jax.numpy; "
            "a Model takes PyTorch as a torch.nn.Module",
            where="argument function",
        ) from error
    except LandformError:
        raise
    except Exception as error:  # whatever a user's function may raise
        raise _failed(error) from error


def _failed(error: Exception) -> DerivativeError:
    """The user's function raised: what, and in which line of the user's."""
    words = next((line for line in str(error).splitlines() if line.strip()), "")
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(part in frame.filename for part in _NOT_THE_USERS)
    ]
    line = f", line {own[-1].lineno} of {PurePath(own[-1].filename).name}" if own else ""
    missing = "required positional argument" in words
    return DerivativeError(
        "a function that can be evaluated at the point",
        got=f"{type(error).__name__}: {words.rstrip('.')}" if words else type(error).__name__,
        remedy="pass further arguments in args=(…,)" if missing else "call it there by itself with jax.numpy arrays",
        where=f"argument function{line}",
    )


_HERE = str(PurePath(__file__).parents[2])
_NOT_THE_USERS = (*{sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}, _HERE, "<frozen")


def _untraceable(got: str) -> DerivativeError:
    return DerivativeError(
        "a function that JAX can trace",
        got=got,
        remedy=f"write it with jax.numpy; {BLACK_BOX}",
        where="argument function",
    )
