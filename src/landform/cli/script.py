"""A function in a user's Python file."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from landform.errors import ModelError


def load_function(place: str, where: str) -> Callable[..., Any]:
    """The function at ``FILE.py:NAME``; the file is run, with its folder on the import path meanwhile.

    Parameters
    ----------
    place : str
        File and function.
    where : str
        What the user wrote it as, for errors.

    Raises
    ------
    ModelError
        If the file or the function is not there, or the file fails.
    """
    file, _, name = place.rpartition(":")
    path = Path(file)
    if not file or not path.is_file():
        raise ModelError("FILE.py:FUNCTION", got=repr(place), remedy="name a file that is there", where=where)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ModelError("a Python file", got=path.name, remedy="name a file ending in .py", where=where)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file can fail in any way
        raise ModelError(
            "a Python file that runs",
            got=f"{type(error).__name__}: {error}",
            remedy="correct it",
            where=str(path),
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        known = [k for k, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        raise ModelError(
            f"a function {name!r}",
            got=f"functions {', '.join(known) or 'none'}",
            remedy="name one of these",
            where=str(path),
        )
    return found
