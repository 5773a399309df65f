"""Any operation at all, by compressed products with its own derivative rule.

The operation falls into groups: what comes out in one group depends on nothing that went in outside it (the
matrices of a batch, the lines of a sort; a single group where nothing is known). Inputs that meet in no group
share a product, so the cost is the largest number of inputs in one group, or of results in one group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxprs_in_params

from landform.derivatives.sparse.known import bind
from landform.derivatives.sparse.slopes import Ragged, Slot, Terms, as_ragged, compressed, concatenated, merged, run_of
from landform.derivatives.sparse.step import Step, TooWide, has_slope, is_real
from landform.derivatives.sparse.sums import result_places

AT_ONCE = 64
"""Products that run side by side; a CPU gains nothing from more."""

Groups = Callable[[tuple[int, ...]], np.ndarray]
"""From a shape to the group of every element, flat."""


def _one_group(shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(int(np.prod(shape, dtype=np.int64)), np.int64)


def _leading(count: int) -> Groups:
    """Groups named by the first ``count`` axes."""

    def groups(shape: tuple[int, ...]) -> np.ndarray:
        lead = int(np.prod(shape[:count], dtype=np.int64))
        return np.repeat(np.arange(lead), int(np.prod(shape[count:], dtype=np.int64)))

    return groups


def _across(axis: int) -> Groups:
    """Groups are the lines along one axis."""
    return lambda shape: result_places(shape, (axis,)).ravel()


_MATRICES = frozenset(
    [
        "cholesky",
        "cholesky_update",
        "lu",
        "eigh",
        "eig",
        "qr",
        "svd",
        "geqrf",
        "householder_product",
        "triangular_solve",
        "schur",
        "hessenberg",
        "tridiagonal",
        "tridiagonal_solve",
    ]
)
_ALONG = {"cumprod": "axis", "cummax": "axis", "cummin": "axis", "cumlogsumexp": "axis", "sort": "dimension"}
_REDUCED = frozenset(["reduce_max", "reduce_min", "reduce_prod", "argmax", "argmin"])


def _groups_of(step: Step) -> tuple[Groups, Groups]:
    """How the operands' and the results' elements fall into groups."""
    name, p, first = step.name, step.eqn.params, step.ins[0].shape
    if name in _MATRICES and len(first) > 2:
        lead = 1 if name == "tridiagonal_solve" and len(first) < 3 else len(first) - 2
        return _leading(lead), _leading(lead)
    if name in _ALONG:
        return _across(p[_ALONG[name]]), _across(p[_ALONG[name]])
    if name in _REDUCED:
        return (lambda shape: result_places(shape, tuple(p["axes"])).ravel()), (lambda s: np.arange(int(np.prod(s))))
    if name == "gather":
        lead = _batched_reads(p["dimension_numbers"])
        return _leading(lead), _leading(lead)
    if name == "fft" and p["fft_type"] is not None:
        lead = len(first) - len(p["fft_lengths"])
        return _leading(lead), _leading(lead)
    if name == "top_k" and p.get("axis", len(first) - 1) in (-1, len(first) - 1):
        return _leading(len(first) - 1), _leading(len(first) - 1)
    return _one_group, _one_group


def _batched_reads(numbers: Any) -> int:
    """How many leading axes of a gather are a batch, in its operand and its result."""
    axes = tuple(range(len(numbers.operand_batching_dims)))
    lead = tuple(numbers.operand_batching_dims) == axes and tuple(numbers.start_indices_batching_dims) == axes
    return len(axes) if lead and all(d >= len(axes) for d in numbers.offset_dims) else 0


def by_products(step: Step) -> list[Terms]:
    """Slopes of every result by products with the operation's derivative."""
    of_operand, of_result = _groups_of(step)
    moving = [k for k in step.moving if has_slope(step.ins[k].dtype)]
    results = [k for k, v in enumerate(step.eqn.outvars) if has_slope(v.aval.dtype)]
    found: list[Terms] = [[] for _ in step.eqn.outvars]
    if not moving or not results:
        return found
    block = _Block(step, moving, results, of_operand, of_result)
    for k, terms in zip(results, block.slopes(), strict=True):
        found[k] = merged(terms, step.context.inputs)
    return found


class _Block:
    """One operation with its operands' coordinates, sorted into groups."""

    def __init__(self, step: Step, moving: list[int], results: list[int], into: Groups, out: Groups) -> None:
        self.step, self.moving, self.results = step, moving, results
        self.groups = [into(step.ins[k].shape) for k in moving]
        self.shapes = [tuple(step.eqn.outvars[k].aval.shape) for k in results]
        self.out_groups = [out(shape) for shape in self.shapes]
        self.real = all(is_real(step.ins[k].dtype) for k in moving) and all(
            is_real(step.eqn.outvars[k].aval.dtype) for k in results
        )

    def function(self, *moved: Any) -> list[Any]:
        """The operation as a function of what moves, giving what has slopes."""
        xs = list(self.step.primals)
        for k, x in zip(self.moving, moved, strict=True):
            xs[k] = x
        outs = bind(self.step.eqn, xs)
        return [outs[k] for k in self.results]

    def slopes(self) -> list[Terms]:
        """Terms of every result that has slopes, by the cheaper direction."""
        parts = [[as_ragged(t) for t in self.step.ins[k].terms] for k in self.moving]
        place, table = self._places(parts)
        pulls = [int(np.bincount(g).max()) if len(g) else 0 for g in self.out_groups]
        forward_works = self._pushes()
        if not forward_works or (self.real and 2 * sum(pulls) < len(table)):
            self._say(sum(pulls), "pulled back")
            return self._pulled(parts)
        self._say(len(table), "pushed forward")
        return self._pushed(parts, place, table)

    def _say(self, products: int, how: str) -> None:
        size = sum(int(np.prod(s, dtype=np.int64)) for s in self.shapes) + sum(map(len, self.groups))
        self.step.context.tally.slopes += products * size
        if products > 1:
            name = self.step.eqn.params.get("name", self.step.name)
            self.step.context.note(f"{name}: {products} products {how}", products)

    def _pushes(self) -> bool:
        """Whether the operation has a forward rule."""
        xs = [self.step.primals[k] for k in self.moving]
        try:
            pushed = jax.make_jaxpr(lambda *t: jax.jvp(self.function, tuple(xs), t)[1])(*xs)
        except TypeError:
            return False
        return not mentions(pushed.jaxpr, "custom_lin")  # a custom_vjp, which cannot be pushed through

    def _check(self, elements: int) -> None:
        if elements * 8 > self.step.context.budget:
            raise TooWide(f"{self.step.name}: {elements} slopes")

    def _places(self, parts: list[list[Ragged]]) -> tuple[list[list[np.ndarray]], np.ndarray]:
        """For every coordinate the product it takes part in, and for every product and group its input."""
        inputs = self.step.context.inputs
        keys = [
            [group[t.rows] * np.int64(inputs) + t.cols for t in terms]
            for group, terms in zip(self.groups, parts, strict=True)
        ]
        unique = np.unique(np.concatenate([k for line in keys for k in line]))
        group = unique // inputs
        rank = np.arange(len(unique)) - np.searchsorted(group, group)
        count = 1 + max(int(g.max()) if len(g) else 0 for g in [*self.groups, *self.out_groups])
        table = np.full((int(rank.max()) + 1, count), -1, np.int32)
        table[rank, group] = unique % inputs
        return [[rank[np.searchsorted(unique, k)] for k in line] for line in keys], table

    def _pushed(self, parts: list[list[Ragged]], place: list[list[np.ndarray]], table: np.ndarray) -> list[Terms]:
        products = len(table)
        self._check(products * sum(int(np.prod(s, dtype=np.int64)) for s in self.shapes))
        xs = tuple(self.step.primals[k] for k in self.moving)
        tangents = []
        for x, terms, ranks in zip(xs, parts, place, strict=True):
            seed = jnp.zeros((products, x.size), x.dtype)
            for t, rank in zip(terms, ranks, strict=True):
                seed = seed.at[rank, t.rows].add(jnp.asarray(t.val, x.dtype))
            tangents.append(seed.reshape(products, *x.shape))
        outs = _mapped(lambda *t: jax.jvp(self.function, xs, t)[1], tangents, products)
        return [
            self._terms(out, table[:, group].reshape(products, *shape))
            for out, group, shape in zip(outs, self.out_groups, self.shapes, strict=True)
        ]

    def _terms(self, out: Any, cols: np.ndarray) -> Terms:
        """A stack of products as slots where they are few, as coordinates where they are many."""
        if len(cols) <= 8:
            slots = [Slot(c, v) for c, v in zip(cols, out, strict=True) if (c >= 0).any()]
            return [Slot(s.cols, s.val if (s.cols >= 0).all() else jnp.where(s.cols >= 0, s.val, 0)) for s in slots]
        size = cols[0].size
        kept = np.flatnonzero(cols.ravel() >= 0)
        val = out.reshape(-1)
        return [Ragged(kept % size, cols.ravel()[kept], val if len(kept) == cols.size else val[run_of(kept)])]

    def _pulled(self, parts: list[list[Ragged]]) -> list[Terms]:
        """Every result's terms from products with the transpose: one for each result in a group."""
        xs = tuple(self.step.primals[k] for k in self.moving)
        outs, pull = jax.vjp(self.function, *xs)
        found = []
        for r, (group, shape) in enumerate(zip(self.out_groups, self.shapes, strict=True)):
            order = np.argsort(group, kind="stable")
            rank = np.empty(len(group), np.int64)
            rank[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
            count = int(rank.max()) + 1 if len(rank) else 0
            self._check(count * sum(x.size for x in xs))
            table = np.full((count, int(max(g.max() if len(g) else 0 for g in [group, *self.groups])) + 1), -1)
            table[rank, group] = np.arange(len(group))
            seeds = jnp.asarray(rank == np.arange(count)[:, None], outs[r].dtype).reshape(count, *shape)
            pulled = _mapped(lambda u, r=r: pull(_only(outs, r, u)), [seeds], count)
            found.append(self._met(parts, pulled, table))
        return found

    def _met(self, parts: list[list[Ragged]], pulled: Sequence[Any], table: np.ndarray) -> Terms:
        """Rows of the operation's own Jacobian times the operands' slopes."""
        rows, cols, vals = [], [], []
        for group, terms, matrix in zip(self.groups, parts, pulled, strict=True):
            flat = matrix.reshape(len(table), -1)
            for t in terms:
                place = table[:, group[t.rows]].ravel()
                kept = np.flatnonzero(place >= 0)
                rows.append(place[kept])
                cols.append(np.tile(t.cols, len(table))[kept])
                vals.append((flat[:, run_of(t.rows)] * t.val).reshape(-1)[run_of(kept)])
        return [compressed([Ragged(np.concatenate(rows), np.concatenate(cols), concatenated(vals))], self.inputs)]

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.step.context.inputs


def mentions(jaxpr: Any, name: str) -> bool:
    """Whether an operation stands in a program, or inside one of its calls."""
    inside = (any(mentions(j, name) for j in jaxprs_in_params(e.params)) for e in jaxpr.eqns)
    return any(e.primitive.name == name for e in jaxpr.eqns) or any(inside)


def _only(outs: Sequence[Any], r: int, u: Any) -> list[Any]:
    return [u if k == r else jnp.zeros_like(v) for k, v in enumerate(outs)]


def _mapped(function: Callable[..., Any], stacks: list[Any], products: int) -> Any:
    """The products, some at a time."""
    if products <= AT_ONCE:
        return jax.vmap(function)(*stacks)
    return jax.lax.map(lambda line: function(*line), tuple(stacks), batch_size=AT_ONCE)
