"""Where parameters enter a function of data rows linearly: features times weights, found in what was traced.

A framework's `layered` writes down every `Use`; which of them make a site, and which parameters are left over, is
settled here. A use is known by what it does (a product, a convolution, an addition), not by the layer it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, eq=False)
class Use:
    """One operation in which weights multiply features: ``units = features @ weights`` at every position.

    Parameters
    ----------
    step : int
        Which operation gives the units.
    places : array of int, shape (d, w)
        Every weight's place among the parameters.
    operand : int
        Which operand brings the features; -1 for a bias, whose feature is one.
    features : callable or None
        From that operand at many rows to shape (rows, positions, d).
    turn : tuple of int
        Axes of the result, positions first, then units.
    positions : int
        How many times every row uses the weights here.
    on : int, optional
        Of a bias, the step whose units it is added to, if to nothing else.
    sign : float
        Minus one for a bias that is taken off.
    """

    step: int
    places: Int[np.ndarray, "d w"]
    operand: int
    features: Callable[[Any], Any] | None
    turn: tuple[int, ...]
    positions: int
    on: int | None = None
    sign: float = 1.0


@dataclass(frozen=True, eq=False)
class Site:
    """Weights that multiply features, and the bias beside them.

    Parameters
    ----------
    uses : tuple of Use
        Where; several if weights are shared.
    biases : tuple of Use
        The additions of the bias, one for each use; none where there is no bias.
    places : array of int, shape (d, w)
        Every weight's place among the parameters; a bias, if any, is the last row.
    """

    uses: tuple[Use, ...]
    biases: tuple[Use, ...]
    places: Int[np.ndarray, "d w"]

    @property
    def positions(self) -> int:
        """How many times every row uses the weights."""
        return sum(use.positions for use in self.uses)

    @property
    def with_bias(self) -> bool:
        """Whether the last row is a bias."""
        return bool(self.biases)

    @property
    def features(self) -> int:
        """Features of the weights alone."""
        return len(self.places) - self.with_bias


@dataclass(frozen=True, eq=False)
class Rows:
    """What a function by its layers gives at some rows of data.

    Parameters
    ----------
    outputs : array, shape (rows, m)
    features : list of array, each of shape (rows, positions, d)
        For every site; without the bias, whose feature is one.
    slopes : list of array, each of shape (k, rows, positions, w)
        Of the outputs along k directions by every site's units.
    rest : dict of array, shape (k, rows, size)
        The same by the numbers of every array that is in no site.
    """

    outputs: np.ndarray
    features: list[np.ndarray]
    slopes: list[np.ndarray]
    rest: dict[int, np.ndarray]


@dataclass
class Search:
    """What walking through a traced function collects.

    Parameters
    ----------
    sizes : sequence of int
        Numbers in every array of parameters.
    uses : list of Use
    direct : dict
        Arrays that are used in another way, and how.
    readers : dict
        How many operations read what a step gives.
    """

    sizes: Sequence[int]
    uses: list[Use] = field(default_factory=list)
    direct: dict[int, str] = field(default_factory=dict)
    readers: dict[int, int] = field(default_factory=dict)

    def leaf_of(self, places: np.ndarray) -> np.ndarray:
        """Which array every place belongs to."""
        return np.searchsorted(np.cumsum(self.sizes), places, side="right")

    def use_directly(self, places: np.ndarray, how: str) -> None:
        """Note that the arrays are used otherwise than in a product."""
        for leaf in np.unique(self.leaf_of(places)):
            self.direct.setdefault(int(leaf), how)

    def bias(self, step: int, places: np.ndarray, before: int, sign: float) -> bool:
        """Note an addition of weights to what the step ``before`` gives; whether they make units."""
        product = next((use for use in self.uses if use.step == before and use.operand >= 0), None)
        if product is not None and sign > 0:
            own = places.transpose(product.turn).reshape(product.positions, -1)
            if np.all(own == own[:1]) and len(np.unique(own[0])) == own.shape[1]:
                self.uses.append(Use(step, own[:1], -1, None, product.turn, product.positions, before))
                return True
        repeats = [k for k in range(places.ndim) if np.all(places == np.take(places, [0], k))]
        units = [k for k in range(places.ndim) if k not in repeats]
        own = places.transpose(*repeats, *units).reshape(-1, int(np.prod([places.shape[k] for k in units], dtype=int)))
        if len(np.unique(own[0])) < own.shape[1]:
            return False
        self.uses.append(Use(step, own[:1], -1, None, (*repeats, *units), len(own), None, sign))
        return True


def settled(search: Search) -> tuple[list[Site], dict[int, str]]:
    """The sites, and the arrays that stand in none of them with the reason; no array stands in both."""
    rest = dict(search.direct)
    while True:
        uses = [use for use in search.uses if not set(search.leaf_of(use.places).ravel().tolist()) & set(rest)]
        groups = _grouped(uses)
        covered = np.zeros(sum(search.sizes), dtype=int)
        for group in groups:
            covered[group[0].places] += 1
        twice = set(search.leaf_of(np.flatnonzero(covered > 1)).tolist())
        partly = set(search.leaf_of(np.flatnonzero(covered == 0)).tolist()) - set(rest)
        for leaf in twice | partly:
            rest[leaf] = "used in two ways" if leaf in twice else "used in no product"
        if not twice | partly:
            return _with_biases(search, groups), rest


def _grouped(uses: Sequence[Use]) -> list[list[Use]]:
    groups: dict[Any, list[Use]] = {}
    for use in uses:
        groups.setdefault((use.places.shape, use.places.tobytes(), use.operand < 0), []).append(use)
    return list(groups.values())


def _with_biases(search: Search, groups: Sequence[list[Use]]) -> list[Site]:
    """Products and, beside each, the bias that is added to its units and to nothing else."""
    biases = [group for group in groups if group[0].operand < 0]
    found = []
    for group in groups:
        if group[0].operand < 0:
            continue
        steps = {use.step for use in group}
        alone = all(search.readers.get(step, 0) == 1 for step in steps)
        own = next((b for b in biases if len(b) == len(group) and {bias.on for bias in b} == steps), None)
        if own is None or not alone:
            found.append(Site(tuple(group), (), group[0].places))
            continue
        biases.remove(own)
        ordered = {bias.on: bias for bias in own}
        places = np.concatenate([group[0].places, own[0].places])
        found.append(Site(tuple(group), tuple(ordered[use.step] for use in group), places))
    found += [Site(tuple(group), (), group[0].places) for group in biases]
    return sorted(found, key=lambda site: site.uses[-1].step)
