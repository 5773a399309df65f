"""Evaluations of a black box: counted, sent through an executor, and each failure known by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.protocol import Leaf
from landform.backends.trees import is_tree, vector_of
from landform.errors import DerivativeError, ShapeError


@dataclass(frozen=True)
class Failure:
    """An evaluation that gave no usable value.

    Parameters
    ----------
    where : str
        The input that was moved, and how far.
    point : array, shape (n,)
        Where the function was called.
    reason : str
        The exception, or which output was not finite.
    """

    where: str
    point: Float[np.ndarray, " n"]
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


def _attempt(function: Callable[..., Any], x: np.ndarray, args: tuple[Any, ...]) -> tuple[Any, str]:
    """The value and nothing, or nothing and what went wrong; at module level so that processes can run it."""
    try:
        return function(x, *args), ""
    except (Exception, SystemExit) as error:  # a program's main function ends with sys.exit
        return None, f"{type(error).__name__}: {error}".rstrip(": ")


@dataclass
class Evaluator:
    """A function of one array, called at points and counted.

    Parameters
    ----------
    function : callable
        ``function(x, *args)``.
    shape : tuple of int
        Shape of ``x`` as the function expects it.
    args : tuple
        Held fixed.
    executor : concurrent.futures.Executor, optional
        Where evaluations run; here and one after the other without one.
    progress : bool
        Show a bar on stderr.
    outputs : tuple of str, optional
        Names.
    """

    function: Callable[..., Any]
    shape: tuple[int, ...]
    args: tuple[Any, ...] = ()
    executor: Executor | None = None
    progress: bool = False
    outputs: tuple[str, ...] | None = None
    count: int = 0
    failures: list[Failure] = field(default_factory=list)
    leaves: Sequence[Leaf] | None = None
    """Label and shape of every array in the outputs, where they are a tree."""
    _size: int | None = None

    def at_point(self, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
        """f(x) at the point itself.

        Raises
        ------
        DerivativeError
            If it fails there: then nothing else can be had.
        """
        (value,) = self.many([x], ["at the point itself"])
        if isinstance(value, Failure):
            raise DerivativeError(
                "a function that has a value at the point",
                got=value.reason,
                remedy="choose a point inside its domain, or correct the function",
                where="argument x",
            )
        return value

    def many(self, points: Sequence[np.ndarray], where: Sequence[str]) -> list[Float[np.ndarray, " m"] | Failure]:
        """The values at several points, in their order; where one fails, its failure, which is also recorded."""
        found: list[Any] = []
        with _bar(self.progress, self.count, len(points)) as advance:
            for value, wrong in self._outcomes(points):
                advance()
                found.append(wrong or self._flat(value))
        for i, result in enumerate(found):
            # One product tells in most cases that all is finite.
            if isinstance(result, str) or not isfinite(np.vdot(result, result)):
                said = result if isinstance(result, str) else self._not_finite(result)
                if said:
                    found[i] = self._failed(where[i], points[i], said)
        return found

    def changes(
        self, points: Float[np.ndarray, "k n"], base: Float[np.ndarray, " m"], where: Callable[[int], str]
    ) -> Float[np.ndarray, "k m"] | Failure:
        """The values at every row of points less those at the point, or the first failure.

        Parameters
        ----------
        points : array, shape (k, n)
            The function may write into its rows: they are not used again.
        base : array, shape (m,)
            The values at the point.
        where : callable
            What a row's number stands for, in words.
        """
        table = np.empty((len(points), base.size))
        if self.executor is not None or self.progress:
            found = self.many(list(points), [where(k) for k in range(len(points))])
            for k, result in enumerate(found):
                if isinstance(result, Failure):
                    return result
                np.subtract(result, base, out=table[k])
            return table
        f, args, vector, subtract = self.function, self.args, self._vector, np.subtract
        shaped = points if len(self.shape) == 1 else points.reshape(-1, *self.shape)
        for k, (point, row) in enumerate(zip(shaped, table, strict=True)):
            value, wrong = _attempt(f, point, args)
            self.count += 1
            if wrong:
                return self._failed(where(k), point, wrong)
            subtract(vector(value), base, row)
        flat = table.ravel()
        if not isfinite(np.vdot(flat, flat)):  # one product tells in most cases that all is finite
            for k, row in enumerate(table):
                if wrong := self._not_finite(row + base):
                    return self._failed(where(k), points[k], wrong)
        return table

    def _failed(self, where: str, point: np.ndarray, reason: str) -> Failure:
        self.failures.append(Failure(where, np.array(point).ravel(), reason))
        return self.failures[-1]

    def _outcomes(self, points: Sequence[np.ndarray]) -> Any:
        self.count += len(points)
        # The function gets copies of its own: it may write into them.
        f, args, shape = self.function, self.args, self.shape
        if self.executor is None:
            return (_attempt(f, np.array(point).reshape(shape), args) for point in points)
        with self._running():
            futures = [self.executor.submit(_attempt, f, np.array(point).reshape(shape), args) for point in points]
        return (self._outcome(future) for future in futures)

    def _outcome(self, future: Any) -> tuple[Any, str]:
        with self._running():
            result: tuple[Any, str] = future.result()
        return result

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Say in one sentence that an executor does not do its work."""
        try:
            yield
        except Exception as error:
            raise DerivativeError(
                "an executor that runs the function",
                got=f"{type(error).__name__}: {error}",
                remedy="use one that is open; processes need a function defined at the top of a module, threads do not",
                where="argument executor",
            ) from error

    def _not_finite(self, flat: Float[np.ndarray, " m"]) -> str:
        """Which output is not finite, if one is not."""
        finite = np.isfinite(flat)
        if finite.all():
            return ""
        i = int(np.argmin(finite))
        name = self.outputs[i] if self.outputs and len(self.outputs) == flat.size else f"y{i}"
        return f"output {name!r} is {flat[i]}"

    def _flat(self, value: Any) -> Float[np.ndarray, " m"]:
        """The outputs as a vector of its own: some functions return one buffer every time."""
        return np.array(self._vector(value))

    def _vector(self, value: Any) -> Float[np.ndarray, " m"]:
        """The outputs as a vector.

        Raises
        ------
        ShapeError
            If they are no real numbers, or not as many as before: wrong everywhere, not only here.
        """
        if type(value) is np.ndarray and value.dtype == np.float64 and value.shape == (self._size,):
            return value
        if isinstance(value, np.ma.MaskedArray) and value.dtype.kind == "f":
            value = value.filled(np.nan)
        try:
            array = np.asarray(None if isinstance(value, Mapping) else value)
        except ValueError:
            array = np.asarray(None)
        if array.dtype == object and is_tree(value):
            array, self.leaves = vector_of(value)
        if array.dtype.kind != "f" or array.size == 0:
            plain = array.dtype.kind in "iubc" or (isinstance(value, np.ndarray) and array.size)
            got = f"dtype {array.dtype}" if plain else f"{type(value).__name__}"
            raise ShapeError(
                "a function that returns real floating-point numbers",
                got=got,
                remedy="return a float, an array of floats, or a tree of these",
            )
        flat = array.astype(np.float64, copy=False).ravel()
        if self._size is None:
            self._size = flat.size
        if flat.size != self._size:
            raise ShapeError(
                f"{self._size} outputs at every point",
                got=f"{flat.size} at one of them",
                remedy="return an array of one shape",
            )
        return flat


def _bar(shown: bool, before: int, total: int) -> Any:
    """A progress bar of one batch on stderr as a context that gives the function to call after each evaluation."""
    if not shown:
        return nullcontext(lambda: None)
    from rich.console import Console
    from rich.progress import Progress

    @contextmanager
    def bar() -> Any:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"evaluations {before + 1} to {before + total}", total=total)
            yield lambda: progress.advance(task)

    return bar()
