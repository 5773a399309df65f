"""A loss at a point: its value, gradient and products with its Hessian, over all data, as NumPy vectors.

Data are one batch, or batches read again for every product; that they are the same each time is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from landform.backends.frameworks import own_data
from landform.derivatives.hessian import Hessian
from landform.derivatives.plan import DEFAULT_MEMORY, memory_bytes
from landform.derivatives.target import Target, make_target
from landform.errors import DerivativeError, ShapeError

Vector = Float[np.ndarray, " n"]
Batch = tuple[Any, ...]
DENSE = 300
"""Up to so many parameters the whole matrix is formed, and answers from it are exact."""


@dataclass(frozen=True, eq=False)
class Batches:
    """Data that come in parts: ``read()`` gives a fresh iterator of them, each a tuple of what the loss takes."""

    read: Callable[[], Iterator[Any]]
    mean: bool
    seen: list[bytes] = field(default_factory=list)

    def weighted(self) -> Iterator[tuple[Batch, float]]:
        """Every batch with its number of rows, or 1 where losses are to be added.

        Raises
        ------
        DerivativeError
            If a pass brings other data than the first one.
        """
        count, first = 0, not self.seen
        for count, given in enumerate(self.read(), start=1):
            batch = tuple(given) if isinstance(given, (tuple, list)) else (given,)
            mark = _digest(batch)
            if first:
                self.seen.append(mark)
            elif count > len(self.seen) or mark != self.seen[count - 1]:
                raise _other_data(f"batch {count} differs from the first pass")
            yield batch, float(_rows(batch)) if self.mean else 1.0
        if count != len(self.seen):
            raise _other_data(f"{count} batches after {len(self.seen)} in the first pass")
        if not count:
            raise ShapeError("batches of data", got="none", remedy="pass a list of batches", where="argument data")


def _other_data(got: str) -> DerivativeError:
    return DerivativeError(
        "the same data in the same order in every pass",
        got=got,
        remedy="switch off shuffling and random augmentation (DataLoader(shuffle=False))",
        where="argument data",
    )


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        for part in tree:
            yield from _leaves(part)
    else:
        yield tree


def _digest(batch: Batch) -> bytes:
    found = blake2b(digest_size=16)
    for leaf in _leaves(batch):
        array = np.ascontiguousarray(leaf.detach().cpu() if hasattr(leaf, "detach") else leaf)
        found.update(repr((array.shape, str(array.dtype))).encode())
        found.update(array.tobytes())
    return found.digest()


def _rows(batch: Batch) -> int:
    shape = np.shape(next(_leaves(batch)))
    return int(shape[0]) if shape else 1


@dataclass(frozen=True, eq=False)
class Given:
    """The data as they came: the first batch, all where there are several, whether rows are averaged."""

    first: Batch
    batches: Batches | None
    mean: bool


def _parted(data: Any, reduction: str) -> tuple[Batch, Batches | None]:
    """The arguments of the loss at its first batch, and the batches where there are several."""
    if reduction not in ("mean", "sum"):
        raise ShapeError('"mean" or "sum"', got=repr(reduction), remedy="choose one", where="argument reduction")
    if data is None:
        return (), None
    if isinstance(data, tuple):
        return data, None
    if isinstance(data, Mapping) or hasattr(data, "shape"):
        return (data,), None
    if iter(data) is data if hasattr(data, "__iter__") else not callable(data):
        raise ShapeError(
            "data that can be read again for every product",
            got=f"a {type(data).__name__}",
            remedy="pass a list of batches, a DataLoader, or a function that returns a new iterator",
            where="argument data",
        )
    batches = Batches((lambda: iter(data)) if hasattr(data, "__iter__") else data, reduction == "mean")
    first, _ = next(batches.weighted(), ((), 0.0))
    batches.seen.clear()
    return first, batches


class LossAt:
    """A loss and its derivatives at one point. Made by `loss_at`."""

    def __init__(self, target: Target, given: Given, params: Any, memory: str | int) -> None:
        self.target, self.params, self.mean = target, params, given.mean
        self.leaves = target.backend.leaves(target.backend.as_point(params))
        self._args, self._batches = given.first, given.batches
        backend = target.backend
        self.x: Vector = np.asarray(backend.to_numpy(target.x), dtype=np.float64)
        self.n = self.x.size
        self.rounding = backend.rounding(target.x)
        self.products = 0
        self.ones = target.vector(np.ones(1), 1, "output")
        self._fixed: Any = None
        self.memory = memory_bytes(memory)

    def _mean(self, call: Callable[..., Any]) -> np.ndarray:
        """What a program gives, averaged over the batches."""
        t = self.target
        with t.precision():
            return self._added(lambda args: np.asarray(t.backend.to_numpy(call(*args)), dtype=np.float64))

    def _added(self, call: Callable[[Batch], np.ndarray]) -> np.ndarray:
        """What is had from every batch, added or averaged as the loss does; one is held at a time."""
        if self._batches is None:
            return call(self._args)
        total, weight = np.zeros(()), 0.0
        for batch, share in self._batches.weighted():
            total = total + share * call(batch)
            weight += share
        return total / (weight if self.mean else 1.0)

    def value(self, x: Vector | None = None) -> float:
        """The loss, here or at another point."""
        t = self.target
        with t.precision():
            at = t.x if x is None else t.vector(x, self.n, "parameter")
        return float(self._mean(lambda *args: t.backend.value(t.flat, at, *args))[0])

    def gradient(self, x: Vector | None = None) -> Vector:
        """Its slopes, here or at another point."""
        t = self.target
        with t.precision():
            at = t.x if x is None else t.vector(x, self.n, "parameter")
        return self._mean(lambda *args: t.backend.pullback(t.flat, at, self.ones, *args))

    def value_and_gradient(self, x: Vector, args: Batch) -> tuple[float, Vector]:
        """The loss and its slopes at another point, on other data."""
        t = self.target
        with t.precision():
            value, slopes = t.backend.jacobian_reverse(t.flat, 1, t.vector(x, self.n, "parameter"), *args)
            return float(value[0]), np.asarray(t.backend.to_numpy(slopes[0]), dtype=np.float64)

    def batch_gradients(self) -> list[Vector]:
        """The gradient of every batch alone; none where there is one batch."""
        t = self.target
        if self._batches is None:
            return []
        with t.precision():
            found = [t.backend.pullback(t.flat, t.x, self.ones, *batch) for batch, _ in self._batches.weighted()]
        return [np.asarray(t.backend.to_numpy(g), dtype=np.float64) for g in found]

    def product(self, v: Vector) -> Vector:
        """The Hessian times v."""
        t = self.target
        self.products += 1
        with t.precision():
            along = t.vector(v, self.n, "parameter")
            if self._batches is None:
                return np.asarray(t.backend.to_numpy(self._at_fixed_point()(along)), dtype=np.float64)
        return self._mean(lambda *args: t.backend.hessian_product(t.flat, t.x, self.ones, along, *args))

    def _at_fixed_point(self) -> Callable[[Any], Any]:
        t = self.target
        if self._fixed is None:
            kind = getattr(t.backend, "FixedPoint", None)
            if kind is None:
                self._fixed = lambda v: t.backend.hessian_product(t.flat, t.x, self.ones, v, *self._args)
            else:
                self._fixed = kind(t.flat, t.x, self.ones, self._args, self.memory)
        return self._fixed

    def dense(self) -> Float[np.ndarray, "n n"]:
        """The Hessian as a matrix, by layers where there are any, otherwise from n products."""
        t = self.target

        def of(args: Batch) -> np.ndarray:
            self.products += self.n
            matrix = Hessian(replace(t, args=args), self.ones, memory=self.memory).dense()
            return np.asarray(t.backend.to_numpy(matrix), dtype=np.float64)

        return self._added(of)

    def batches(self) -> Iterator[tuple[Batch, float]]:
        """What the loss takes beside the parameters, batch by batch, with its weight."""
        if self._batches is None:
            yield self._args, 1.0
        else:
            yield from self._batches.weighted()

    def labelled(self, v: Any, where: str) -> Vector:
        """A direction from the user, flat or as a tree like the parameters, as a vector.

        Raises
        ------
        ShapeError
            If it does not fit the parameters.
        """
        t = self.target
        if isinstance(v, (Mapping, list, tuple)) or np.shape(v) != (self.n,):
            with t.precision(), t.backend.explained():
                v = t.backend.to_numpy(t.backend.flatten_point(v)[0])
        flat = np.asarray(v.detach().cpu() if hasattr(v, "detach") else v, dtype=np.float64)
        if flat.shape != (self.n,) or not np.all(np.isfinite(flat)):
            raise ShapeError(
                f"{self.n} finite numbers, one for each parameter",
                got=f"shape {flat.shape}" if flat.shape != (self.n,) else "NaN or infinity",
                remedy="pass a vector, or a tree like the parameters",
                where=where,
            )
        return flat


def loss_at(
    loss: Callable[..., Any],
    params: Any,
    data: Any = None,
    *,
    reduction: Literal["mean", "sum"] = "mean",
    memory: str | int = DEFAULT_MEMORY,
) -> LossAt:
    """A loss at its parameters, looked over once: see `landform.landscape` for the arguments and what is refused."""
    args, batches = _parted(own_data(loss) if data is None else data, reduction)
    target = make_target(loss, params, args=args)
    if target.m != 1:
        raise ShapeError(
            "a loss with one output",
            got=f"{target.m} outputs",
            remedy="return their mean, such as jnp.mean(losses)",
            where="argument loss",
        )
    at = LossAt(target, Given(args, batches, reduction == "mean"), params, memory)
    first, again = at.value(), at.value()
    if not np.isfinite(first):
        raise DerivativeError("a finite loss", got=first, remedy="move the parameters to where it is defined")
    if first != again:
        raise DerivativeError(
            "a loss that is the same each time it is computed",
            got=f"{first!r} and then {again!r}",
            remedy="fix its random numbers (dropout, augmentation), and take layers out of training mode",
            where="argument loss",
        )
    gradient = at.gradient()
    bad = np.flatnonzero(~np.isfinite(gradient))
    if len(bad):
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise DerivativeError(
            "a finite gradient",
            got=f"{gradient[bad[0]]} for {target.input_names[int(bad[0])]}{more}",
            remedy="move the parameters away from where the loss has a corner or leaves its domain",
        )
    _refuse_ignored(at, gradient)
    return at


def _refuse_ignored(at: LossAt, gradient: Vector) -> None:
    """Refuse parameters along which there is no slope here, nor at points near and far."""
    rng, moves = np.random.default_rng(0), gradient != 0
    for reach in (1e-2, 1.0, 10.0, 1.0):
        if all(np.any(moves[part]) for _, part in _parts(at)):
            return
        moves |= at.gradient(at.x + reach * rng.standard_normal(at.n) * (1 + np.abs(at.x))) != 0
    ignored = [label for label, part in _parts(at) if not np.any(moves[part])]
    if ignored:
        raise DerivativeError(
            "a loss that depends on every parameter",
            got="no change when " + ", ".join(ignored) + (" moves" if len(ignored) == 1 else " move"),
            remedy="leave them out of params, or hold them in a closure",
            where="argument params",
        )


def _parts(at: LossAt) -> Iterator[tuple[str, slice]]:
    place = 0
    for label, shape in at.leaves:
        yield label, slice(place, place + int(np.prod(shape)))
        place += int(np.prod(shape))


def layer_labels(leaves: Sequence[tuple[str, tuple[int, ...]]]) -> list[str]:
    """The layer that every array belongs to: its path without the last step, or the array itself.

    Examples
    --------
    >>> layer_labels([("conv.weight", (3,)), ("conv.bias", (1,)), ("x[1][0]", ()), ("scale", ())])
    ['conv', 'conv', 'x[1]', 'scale']
    """
    found = []
    for label, _ in leaves:
        cut = max(label.rfind("."), label.rfind("["))
        above = label[:cut] if cut > 0 else label
        found.append(label if above in ("", "x") else above)
    return found if len(set(found)) > 1 else [label for label, _ in leaves]
