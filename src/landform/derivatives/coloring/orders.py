"""Orders in which the vertices of a graph are colored.

A greedy coloring is as good as its order; the best of several is kept.

References
----------
Gebremedhin, Manne and Pothen (2005), "What color is your Jacobian? Graph coloring for computing derivatives",
SIAM Review 47, sec. 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

Order = Int[np.ndarray, " n"]
Neighbors = Callable[[], tuple[Int[np.ndarray, " n1"], Int[np.ndarray, " edges"]]]
"""The graph in compressed rows, worked out when it is first needed."""


@dataclass(frozen=True)
class Lines:
    """What every line meets, as plain numbers: Python walks these faster than an array, and than a list of lists.

    Parameters
    ----------
    ends : list of int
        Start of every line in ``flat``, and the end of the last.
    flat : list of int
        What they meet.
    """

    ends: list[int]
    flat: list[int]

    @staticmethod
    def of(indptr: Int[np.ndarray, " n1"], indices: Int[np.ndarray, " k"]) -> Lines:
        """From compressed rows."""
        return Lines(indptr.tolist(), indices.tolist())

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, line: int) -> list[int]:
        return self.flat[self.ends[line] : self.ends[line + 1]]

    @cached_property
    def lengths(self) -> list[int]:
        """How many each line meets."""
        return np.diff(self.ends).tolist()


DYNAMIC = 1_500_000
"""Edge ends beyond which the two orders that follow every edge are left out: they would take seconds."""


def orders(
    size: int, count: Int[np.ndarray, " n"], graph: Neighbors | None, *, seed: int = 0
) -> Iterator[tuple[str, Order]]:
    """Orders by name, the cheapest first.

    Parameters
    ----------
    size : int
        Vertices.
    count : array of int, shape (n,)
        A stand-in for their degrees where the graph is too large.
    graph : callable, optional
        Gives the graph; None where it is too large.
    seed : int
        Of the random order.

    Examples
    --------
    >>> path = np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1])
    >>> [(name, order.tolist()) for name, order in orders(3, np.ones(3), lambda: path)][:2]
    [('natural', [0, 1, 2]), ('largest first', [1, 0, 2])]
    """
    yield "natural", np.arange(size)
    if graph is None:
        yield "largest first", np.argsort(-count, kind="stable")
    else:
        indptr, indices = graph()
        yield "largest first", np.argsort(-np.diff(indptr), kind="stable")
        if len(indices) <= DYNAMIC:
            lines = Lines.of(indptr, indices)
            yield "smallest last", smallest_last(lines)
            yield "incidence degree", incidence_degree(lines)
    yield "random", np.random.default_rng(seed).permutation(size)


def smallest_last(neighbors: Lines) -> Order:
    """The vertex of least degree goes last, then the one of least degree among the rest, and so on.

    Matula and Beck (1983), "Smallest-last ordering and clustering and graph coloring algorithms", J. ACM 30.

    Examples
    --------
    >>> smallest_last(Lines([0, 1, 4, 6, 8], [1, 0, 2, 3, 1, 3, 1, 2])).tolist()[-1]
    0
    """
    degree = list(neighbors.lengths)
    ends, flat = neighbors.ends, neighbors.flat
    buckets: list[list[int]] = [[] for _ in range(max(degree, default=0) + 1)]
    for v, d in enumerate(degree):
        buckets[d].append(v)
    taken: list[int] = []
    least = 0
    while len(taken) < len(degree):
        while not buckets[least]:
            least += 1
        v = buckets[least].pop()
        if degree[v] != least:  # it has moved to a lower bucket, or is taken
            continue
        taken.append(v)
        degree[v] = -1
        for w in flat[ends[v] : ends[v + 1]]:
            d = degree[w]
            if d > 0 and w != v:
                degree[w] = d - 1
                buckets[d - 1].append(w)
        least = max(0, least - 1)
    return np.array(taken[::-1], dtype=np.int64)


def incidence_degree(neighbors: Lines) -> Order:
    """Next comes the vertex with the most neighbors that are placed already.

    Coleman and Moré (1983), "Estimation of sparse Jacobian matrices and graph coloring problems", SIAM J. Numer.
    Anal. 20.

    Examples
    --------
    >>> incidence_degree(Lines([0, 1, 4, 6, 8], [1, 0, 2, 3, 1, 3, 1, 2])).tolist()
    [1, 3, 2, 0]
    """
    placed, first = [0] * len(neighbors), np.argsort(neighbors.lengths, kind="stable").tolist()
    buckets: list[list[int]] = [first, *([] for _ in range(max(neighbors.lengths, default=0) + 1))]
    ends, flat = neighbors.ends, neighbors.flat
    order: list[int] = []
    most = 0
    while len(order) < len(neighbors):
        while not buckets[most]:
            most -= 1
        v = buckets[most].pop()
        if placed[v] != most:
            continue
        order.append(v)
        placed[v] = -1
        for w in flat[ends[v] : ends[v + 1]]:
            p = placed[w]
            if p >= 0 and w != v:
                placed[w] = p + 1
                buckets[p + 1].append(w)
                most = max(most, p + 1)
    return np.array(order, dtype=np.int64)
