"""Rooms named for the question they answer can be asked it: ``landform.fit(…)`` beside ``landform.fit.Surrogate``.

A function and a sub-package of one package cannot both be called ``fit``: importing the sub-package puts it in the
function's place. So the sub-package itself answers calls.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import signature
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A module that passes calls on to the function it is named for."""

    answer: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.answer(*args, **kwargs)


def answers_calls(room: str, function: Callable[..., Any]) -> None:
    """Make the module ``room`` callable: a call of it is a call of ``function``.

    Parameters
    ----------
    room : str
        The module's ``__name__``.
    function : callable
        What answers. ``help(room)`` begins with its documentation, ``inspect.signature(room)`` is its signature.

    Examples
    --------
    >>> sys.modules["doubles"] = ModuleType("doubles")
    >>> answers_calls("doubles", lambda number: 2 * number)
    >>> sys.modules.pop("doubles")(21)
    42
    """
    module: Any = sys.modules[room]
    module.__class__ = _Room
    module.answer = function
    module.__signature__ = signature(function)
    module.__doc__ = "\n\n".join(part for part in (function.__doc__, module.__doc__) if part)
