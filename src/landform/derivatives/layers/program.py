"""A network's loss with every layer's units shifted: the function whose second derivatives are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from landform.derivatives.layers.rows import NotLayers
from landform.derivatives.layers.search import Search, Step, Tap, with_sites
from landform.derivatives.sparse.known import bind


@dataclass(frozen=True)
class Panel:
    """Weights of one layer that stand together among the inputs.

    Parameters
    ----------
    site : int
        The layer, in the order of the program.
    taps : tuple of int
        Which taps' features make up the panel, one below the other.
    places : array of int, shape (d, w)
        Every weight's place among the inputs.
    by_unit : bool
        Whether the places count on along the features first (a matrix stored as units × features).
    """

    site: int
    taps: tuple[int, ...]
    places: np.ndarray
    by_unit: bool

    @property
    def line(self) -> np.ndarray:
        """The places in the panel's own order."""
        return (self.places.T if self.by_unit else self.places).ravel()

    @property
    def start(self) -> int | None:
        """Where the panel begins, if its places count on without a gap."""
        line = self.line
        return int(line[0]) if np.array_equal(line, np.arange(line[0], line[0] + line.size)) else None


class Program:
    """The function, ready to be run with shifts of the units.

    Parameters
    ----------
    search : Search
        What was found.
    """

    def __init__(self, search: Search) -> None:
        self.rows = search.rows or 1
        self._batched = search.rows is not None
        self._steps = with_sites(search)
        self._constants = {**search.literals, **search.consts}
        self._inputs, self._result = search.inputs, search.result
        self._last = {step.site: i for i, step in enumerate(self._steps) if step.site is not None}
        self._taps = [(step.site, step.tap) for step in self._steps if step.tap is not None]
        self.widths = [self._steps[i].tap.places.shape[1] for i in self._last.values()]  # type: ignore[union-attr]
        self.panels = self._panels()
        self.order = self._order(search.states[search.inputs[0]].shape[0])
        self.direct = any(search.states[k].kind == "direct" for k in self._needed())

    @property
    def units(self) -> int:
        """Units of all layers together."""
        return sum(self.widths)

    def _order(self, inputs: int) -> np.ndarray | None:
        """Every input's place among the panels (past the last: in none); nothing where that changes no place."""
        every = np.concatenate([p.line for p in self.panels])
        if len(np.unique(every)) < len(every):
            raise NotLayers("a weight stands in two layers")
        order = np.full(inputs, len(every))
        order[every] = np.arange(len(every))
        return None if np.array_equal(order, np.arange(len(every))) else order

    def _needed(self) -> set[int]:
        wanted = {self._result}
        for step in reversed(self._steps):
            if wanted & set(step.outs):
                wanted |= set(step.ins)
        return wanted

    def _panels(self) -> list[Panel]:
        found = []
        for site in range(len(self.widths)):
            own = [k for k, (s, _) in enumerate(self._taps) if s == site]
            for order in (own, own[::-1]):
                whole = self._panel(site, order)
                if whole.start is not None:
                    found.append(whole)
                    break
            else:
                found += [self._panel(site, [k]) for k in own]
        return found

    def _panel(self, site: int, taps: Sequence[int]) -> Panel:
        places = np.concatenate([self._taps[k][1].places for k in taps])
        straight = Panel(site, tuple(taps), places, False)
        turned = Panel(site, tuple(taps), places, True)
        return turned if straight.start is None and turned.start is not None else straight

    def run(self, x: Any, direct: Any, shifts: Sequence[Any], rest: Sequence[Any]) -> tuple[Any, list[Any]]:
        """The loss and every panel's features (rows, d), with the units of each layer shifted by (rows, w).

        ``x`` serves the layers, ``direct`` every other use of the weights.
        """
        env: dict[int, Any] = dict(self._constants)
        env.update(zip(self._inputs, [x, *rest], strict=True))
        still: dict[int, Any] = {self._inputs[0]: direct}
        features: list[Any] = []
        for i, step in enumerate(self._steps):
            ins = [env[k] if step.tap or step.moves_weights else still.get(k, env[k]) for k in step.ins]
            outs = bind(step.eqn, ins)
            if step.moves_weights:
                still.update(zip(step.outs, bind(step.eqn, [still[step.ins[0]]]), strict=True))
            if step.tap is not None:
                features.append(self._features(step.tap, ins))
                if step.site is not None and self._last[step.site] == i:
                    outs = [outs[0] + self._shift(step, outs[0], shifts[step.site])]
            env.update(zip(step.outs, outs, strict=True))
        together = [jnp.concatenate([features[k] for k in p.taps], 1) for p in self.panels]
        return env[self._result].reshape(()), together

    def _features(self, tap: Tap, ins: Sequence[Any]) -> Any:
        if tap.operand < 0:
            return jnp.full((self.rows, 1), tap.sign, ins[0].dtype)
        return ins[tap.operand].transpose(tap.order).reshape(self.rows, -1)

    def _shift(self, step: Step, out: Any, shift: Any) -> Any:
        axis = step.tap.axis if step.tap is not None else None
        if axis is None:
            return shift.reshape(out.shape)
        rest = [size for k, size in enumerate(out.shape) if k != axis]
        return jnp.moveaxis(shift.reshape(self.rows, *rest), 0, axis)
