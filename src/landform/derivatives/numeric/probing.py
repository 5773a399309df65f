"""Which outputs does an input move? Groups of inputs are moved, and those that move something are halved."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array

from landform.derivatives.coloring import color_columns
from landform.derivatives.numeric.black_box import BlackBox
from landform.derivatives.numeric.evaluate import Failure
from landform.errors import DerivativeError, ShapeError

SIZE = 0.1
"""Of a move, as a share of the inputs' scale."""
_SHORTER = (1.0, -0.3, 0.1)
_REPEATS = 7
_CLEAR = 10.0


@dataclass(frozen=True)
class Seen:
    """The pattern that probing saw.

    Parameters
    ----------
    pattern : csr_array, shape (m, n)
        True where an input may move an output.
    evaluations : int
        What it cost.
    noisy : bool
        Whether the same point gave different values, so that small changes were taken for noise.
    unsure : int
        Inputs whose moves failed: all that they might move is in the pattern.
    """

    pattern: csr_array
    evaluations: int
    noisy: bool
    unsure: int

    def __str__(self) -> str:
        doubt = "an entry that did not show near x counts as zero"
        noise = f", and so does one whose change is below {_CLEAR:g} times the noise" if self.noisy else ""
        failed = f"; moves of {self.unsure} inputs failed, these count as moving whatever they may" * bool(self.unsure)
        return f"pattern seen by moving groups of inputs, {self.evaluations} evaluations: {doubt}{noise}{failed}"


def seen_pattern(box: BlackBox, *, most: float = np.inf, seed: int = 0) -> Seen:
    """The pattern of a black box's Jacobian, from what moves when groups of inputs are moved.

    All inputs are one group at first. A group that moves outputs is halved, and halves that can share no output are
    moved in one evaluation: a banded matrix takes about two evaluations per color and halving, where one input after
    the other would take n. Single inputs, colored by what their group may move, end it as soon as that is cheaper.
    Moves are random, so that they do not cancel, and start from a random point near x, where fewer entries happen
    to be zero. A value counts as moved if it differs at all; of a function that is random, by ten standard deviations.

    Parameters
    ----------
    box : BlackBox
        The function.
    most : float
        The most evaluations in all, those before counted.
    seed : int
        Of the moves.

    Raises
    ------
    ShapeError
        If the budget does not suffice.

    References
    ----------
    Lin, Lu and Ying (2011), "Fast construction of hierarchical matrix representation from matrix-vector
    multiplication", J. Comput. Phys. 230, peel a matrix in this way, level by level.
    """
    probe = _Probe(box, most, np.random.default_rng(seed))
    probe.begin()
    groups = [np.arange(box.x.size)]
    may = probe.look(groups, np.ones((1, box.value.size), dtype=bool), np.zeros(1, dtype=int))
    while len(groups) and max(map(len, groups)) > 1:
        halves = [part for group in groups for part in np.array_split(group, min(2, len(group)))]
        parent = np.repeat(np.arange(len(groups)), [min(2, len(group)) for group in groups])
        levels = int(np.ceil(np.log2(max(map(len, groups)))))
        colors = color_columns(csr_array(may[parent].T)).color
        ending = _singles(groups, may, levels * (int(colors.max()) + 1))
        if ending is not None:
            halves, parent, colors = ending
        may = probe.look(halves, may[parent], colors)
        kept = np.flatnonzero(may.any(axis=1))
        groups, may = [halves[k] for k in kept], may[kept]
    columns = np.concatenate([*groups, np.empty(0, dtype=int)])
    which, rows = np.nonzero(may)
    entries = np.ones(len(rows), dtype=bool), (rows, columns[which])
    pattern = csr_array(entries, shape=(box.value.size, box.x.size))
    return Seen(pattern, probe.used, probe.noisy, len(probe.unsure))


def _singles(
    groups: list[np.ndarray], may: np.ndarray, most: int
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray] | None:
    """The inputs one by one, the group of each, and their colors, if these are not more than ``most``."""
    sizes = np.array([len(group) for group in groups])
    if (sizes @ may).max() > most:  # inputs that share an output need as many colors
        return None
    whose = np.repeat(np.arange(len(groups)), sizes)
    colors = color_columns(csr_array(may[whose].T)).color
    return (list(np.concatenate(groups)[:, None]), whose, colors) if colors.max() < most else None


@dataclass
class _Probe:
    """What is needed to move groups: a base, its value, its noise and the moves of every input."""

    box: BlackBox
    most: float
    rng: np.random.Generator
    used: int = 0
    noisy: bool = False
    unsure: set[int] = field(default_factory=set)
    base: Float[np.ndarray, " n"] = field(default_factory=lambda: np.empty(0))
    value: Float[np.ndarray, " m"] = field(default_factory=lambda: np.empty(0))
    least: Float[np.ndarray, " m"] | float = 0.0

    def begin(self) -> None:
        """Find a base near x that has a value, and see whether it has the same one again."""
        box, low, high = self.box, *self.box.bounds
        away = SIZE * box.scale * self.rng.uniform(0.5, 1.0, box.x.size) * self.rng.choice([-1.0, 1.0], box.x.size)
        for share in (*_SHORTER, 0.0):
            self.base = np.clip(box.x + share * away, low, high)
            (value,) = self._values([self.base], ["a point near x"])
            if not isinstance(value, Failure):
                break
        else:
            raise DerivativeError(
                "a function that has a value at the point", got=str(value), remedy="choose another point"
            )
        self.value = value
        # Away from the nearer end of the domain, so that no move is cut short.
        side = np.where(high - self.base >= self.base - low, 1.0, -1.0)
        side = np.where(np.isfinite(low) | np.isfinite(high), side, self.rng.choice([-1.0, 1.0], box.x.size))
        self.step = SIZE * box.scale * side * self.rng.uniform(0.5, 1.0, box.x.size)
        (again,) = self._values([self.base], ["the same point again"])
        self.noisy = isinstance(again, Failure) or not np.array_equal(again, self.value)
        if self.noisy:
            more = self._values([self.base] * _REPEATS, ["the same point again"] * _REPEATS)
            values = np.stack([v for v in (self.value, again, *more) if not isinstance(v, Failure)])
            self.value, self.least = values.mean(axis=0), _CLEAR * values.std(axis=0, ddof=min(1, len(values) - 1))

    def look(
        self, groups: list[Int[np.ndarray, " k"]], may: Bool[np.ndarray, "groups m"], color: Int[np.ndarray, " groups"]
    ) -> Bool[np.ndarray, "groups m"]:
        """What every group moves, of what it may; groups of one color are moved together."""
        together = [np.flatnonzero(color == c) for c in range(int(color.max()) + 1)]
        waiting, moved = list(range(len(together))), may.copy()
        for share in _SHORTER:
            points, places = [], []
            for c in waiting:
                inputs = np.concatenate([groups[g] for g in together[c]])
                point = self.base.copy()
                point[inputs] += share * self.step[inputs]
                points.append(np.clip(point, *self.box.bounds))
                places.append(f"{len(inputs)} inputs moved to see what they move")
            failed = []
            for c, value in zip(waiting, self._values(points, places), strict=True):
                if isinstance(value, Failure):
                    failed.append(c)
                else:
                    moved[together[c]] &= np.abs(value - self.value) > self.least
            waiting = failed
            if not waiting:
                return moved
        self.unsure.update(int(g[0]) for c in waiting for g in (groups[k] for k in together[c]) if len(g) == 1)
        return moved

    def _values(self, points: list[np.ndarray], where: list[str]) -> list[np.ndarray | Failure]:
        if self.box.evaluator.count + len(points) > self.most:
            raise ShapeError(
                'a budget that lets sparsity="detect" find the pattern',
                got=f"{self.most:g}, of which {self.box.evaluator.count} are used and {len(points)} more are needed "
                "for the next look",
                remedy="raise it, or give the pattern",
                where="argument budget",
            )
        self.used += len(points)
        return self.box.evaluator.many(points, where)
