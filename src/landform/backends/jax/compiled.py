"""Functions that JAX compiles when they are first called for new shapes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

import jax

_QUICK = {"xla_backend_optimization_level": 0}


class Compiled:
    """A function that JAX compiles when it is first called for new shapes.

    Parameters
    ----------
    function : callable
        What is compiled.
    static : tuple of int
        Places of the arguments that are no arrays.
    reverse : Compiled, optional
        The same by reverse products alone: some functions bring a rule of their own for these only.
    """

    def __init__(self, function: Callable[..., Any], static: tuple[int, ...], reverse: Compiled | None = None) -> None:
        update_wrapper(self, function)
        self.function = function
        self._full = jax.jit(function, static_argnums=static)
        self._quick = jax.jit(function, static_argnums=static, compiler_options=_QUICK)
        self._reverse = reverse

    def __call__(self, *args: Any) -> Any:
        """Run the fully optimized program."""
        return self._run(self._full, self._reverse, args)

    def quick(self, *args: Any) -> Any:
        """Run a program that compiles in half the time, and is slower where arrays are large."""
        return self._run(self._quick, self._reverse and self._reverse.quick, args)

    @staticmethod
    def _run(program: Callable[..., Any], reverse: Callable[..., Any] | None, args: tuple[Any, ...]) -> Any:
        try:
            return program(*args)
        except (TypeError, NotImplementedError) as error:
            if reverse is None or not any(name in str(error) for name in ("custom_vjp", "custom_lin")):
                raise
            return reverse(*args)


def compiled(*static: int, reverse: Compiled | None = None) -> Callable[[Callable[..., Any]], Compiled]:
    """A decorator that makes a function `Compiled`."""
    return partial(Compiled, static=static, reverse=reverse)
