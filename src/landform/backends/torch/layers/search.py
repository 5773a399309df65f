"""Find the layers of a recorded function: where weights multiply activations row by row, and where they stand else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from landform.backends.torch.layers.record import Call, NotLayers, Tape
from landform.backends.torch.layers.rows import FIXED, MOVERS, State, followed, moved

_MULTIPLY = frozenset(["mm", "addmm", "mv", "addmv"])


@dataclass(frozen=True)
class Panel:
    """Weights that enter linearly at one place: ``units = features @ weights``, row by row.

    Parameters
    ----------
    site : int
        The layer; a bias shares that of the product it is added to.
    call : int
        Which operation of the tape.
    features : int or None
        Number of the tensor that brings the features; None for a bias, whose feature is one.
    turned : bool
        Whether the features lie rows last.
    start, by_unit, by_feature : int
        Weight (i, j) of feature i and unit j stands at ``start + i by_feature + j by_unit`` among the inputs.
    depth, width : int
        Features and units.
    sign : float
        Of a bias that is taken off: minus one.
    """

    site: int
    call: int
    features: int | None
    turned: bool
    start: int
    by_unit: int
    by_feature: int
    depth: int
    width: int
    sign: float = 1.0

    @property
    def size(self) -> int:
        """Weights."""
        return self.depth * self.width


@dataclass
class Network:
    """A recorded function with its layers.

    Parameters
    ----------
    tape : Tape
        What it does.
    result : int
        Number of the loss.
    rows : int
        Rows that every layer sees.
    panels : list of Panel
        In the order of the program; those of one site follow each other.
    widths : list of int
        Units of every site.
    shifted : dict of int to (int, bool)
        The site whose units an operation gives, and whether rows lie last, by the operation's place on the tape.
    moves : set of int
        Places of operations that rearrange weights.
    direct : bool
        Whether weights are used in another way too.
    """

    tape: Tape
    result: int
    rows: int = 0
    panels: list[Panel] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    shifted: dict[int, tuple[int, bool]] = field(default_factory=dict)
    moves: set[int] = field(default_factory=set)
    direct: bool = False


class Search:
    """Walk a tape whose inputs are the point's tensors and write down its layers.

    Parameters
    ----------
    tape : Tape
        The function as it ran.
    result : int
        Number of its scalar result.

    Raises
    ------
    NotLayers
        If the function is none of a sum over rows of a network's losses.
    """

    def __init__(self, tape: Tape, result: int) -> None:
        self.network = Network(tape, result)
        self.states: dict[int, State] = {}
        self._used = Counter(k for call in tape.calls for k in call.ins)
        self._made: dict[int, int] = {}
        at = 0
        for k, piece in enumerate(tape.tensors[: tape.inputs]):
            places = torch.arange(at, at + piece.numel(), device=piece.device).view(piece.shape)
            self.states[k], at = State("weights", places), at + piece.numel()
        for place, call in enumerate(tape.calls):
            self._call(place, call)
        if self._of(result).kind not in ("rows", "total") or not self.network.panels:
            raise NotLayers("no sum over rows comes out")
        self.network.panels.sort(key=lambda p: p.site)
        self.network.direct = self._direct(result)
        self._refuse_repeated()

    def _of(self, number: int) -> State:
        return self.states.get(number, FIXED)

    def _call(self, place: int, call: Call) -> None:
        states = [self._of(k) for k in call.ins]
        kinds = {s.kind for s in states}
        if kinds <= {"fixed"}:
            return
        values = self.network.tape.tensors
        if call.name == "detach" and kinds == {"weights"}:
            return
        if call.name in (*MOVERS, "alias", "clone") and states[0].kind == "weights":
            self.network.moves.add(place)
            found = [State("weights", numbers) for numbers in moved(call, self._of, values)]
        elif "weights" in kinds and call.name in _MULTIPLY and kinds <= {"weights", "fixed", "rows"}:
            found = [self._multiplied(place, call)]
        elif call.name in ("add", "sub") and sorted(s.kind for s in states) == ["rows", "weights"]:
            found = [self._added(place, call, states)]
        elif kinds <= {"weights", "direct", "fixed"}:
            found = [State("direct")] * len(call.outs)
        else:
            found = followed(call, self._of, values)
        self.states.update((k, state) for k, state in zip(call.outs, found, strict=True) if k >= 0)

    def _multiplied(self, place: int, call: Call) -> State:
        """Rows times weights, with a bias or without."""
        *bias, a, b = call.ins
        k, w = (b, a) if self._of(a).kind == "weights" else (a, b)
        args, kwargs = call.arguments(lambda n: n)
        out = self.network.tape.tensors[call.outs[0]]
        if self._of(w).kind != "weights" or self._of(k).kind == "weights":
            raise NotLayers(f"'{call.name}' takes weights otherwise than as a layer")
        if kwargs or len(args) > len(call.ins):
            raise NotLayers(f"'{call.name}' scales what it multiplies")
        turned = w == a
        numbers = self._features(k, turned)
        places = self._of(w).numbers
        places = places.T if turned and places is not None else places
        site = self._site(place, out, turned)
        self._panel(site, place, k, turned, places)
        rows = torch.arange(self.network.rows, device=out.device) if numbers is None else numbers
        if bias:
            self._bias(site, place, bias[0], out, rows_last=turned)
        self._made[call.outs[0]] = site
        return State("rows", (rows if turned or out.ndim == 1 else rows[:, None]).expand(out.shape))

    def _features(self, k: int, turned: bool) -> Tensor | None:
        """Every row's number, once the features are known to be rows of vectors."""
        value, numbers = self.network.tape.tensors[k], self._of(k).numbers
        rows = 1 if value.ndim == 1 else value.shape[1 if turned else 0]
        if not self.network.rows:
            self.network.rows = rows
        if rows != self.network.rows:
            raise NotLayers("weights multiply more than rows of vectors")
        if numbers is None:
            return None
        lines = numbers.reshape(1, -1) if value.ndim == 1 else numbers.T if turned else numbers
        if not self._in_order(lines):
            raise NotLayers("weights multiply along the rows")
        return torch.arange(rows, device=lines.device)

    def _site(self, place: int, out: Tensor, turned: bool) -> int:
        self.network.widths.append(out.numel() // self.network.rows)
        self.network.shifted[place] = len(self.network.widths) - 1, turned
        return len(self.network.widths) - 1

    def _added(self, place: int, call: Call, states: Sequence[State]) -> State:
        """A bias on its own."""
        k = 1 if states[1].kind == "weights" else 0
        other, numbers, out = call.ins[1 - k], states[1 - k].numbers, self.network.tape.tensors[call.outs[0]]
        args, kwargs = call.arguments(lambda n: n)
        if kwargs or len(args) > 2 or (k == 0 and call.name == "sub") or numbers is None or numbers.shape != out.shape:
            raise NotLayers("a bias that is no plain sum")
        turned = not self._in_order(numbers)
        if turned and not self._in_order(numbers.movedim(-1, 0)):
            raise NotLayers("a bias along the rows")
        shared = self._made.get(other) if self._used[other] == 1 else None
        site = self._site(place, out, turned) if shared is None else shared
        self._bias(site, place, call.ins[k], out, rows_last=turned, sign=-1.0 if call.name == "sub" else 1.0)
        return State("rows", numbers)

    def _in_order(self, numbers: Tensor) -> bool:
        """Whether the rows lie in order along the first axes."""
        rows = self.network.rows
        if not rows or numbers.numel() % rows:
            return False
        lines = numbers.reshape(rows, -1)
        return torch.equal(lines, torch.arange(rows, device=lines.device)[:, None].expand_as(lines))

    def _bias(self, site: int, place: int, bias: int, out: Tensor, *, rows_last: bool, sign: float = 1.0) -> None:
        if self._of(bias).kind == "fixed":
            return
        places = self._of(bias).numbers
        if places is None or self._of(bias).kind != "weights":
            raise NotLayers("a bias that is more than a weight")
        places = places.expand(out.shape)
        if rows_last:
            places = places.movedim(-1, 0)
        places = places.reshape(self.network.rows, -1)
        if not torch.equal(places, places[:1].expand_as(places)):
            raise NotLayers("a bias that differs from row to row")
        self._panel(site, place, None, rows_last, places[:1], sign)

    def _panel(
        self, site: int, place: int, features: int | None, turned: bool, places: Tensor | None, sign: float = 1.0
    ) -> None:
        """A panel of weights at places (features, units), which must be evenly spaced."""
        if places is None:
            raise NotLayers("weights without places")
        places = places.reshape(-1, 1) if places.ndim == 1 else places
        depth, width = places.shape
        start = int(places[0, 0])
        by_feature = int(places[1, 0]) - start if depth > 1 else width
        by_unit = int(places[0, 1]) - start if width > 1 else depth
        i, j = (torch.arange(size, device=places.device) for size in (depth, width))
        if not torch.equal(places, start + i[:, None] * by_feature + j * by_unit):
            raise NotLayers("weights that do not lie evenly")
        self.network.panels.append(Panel(site, place, features, turned, start, by_unit, by_feature, depth, width, sign))

    def _refuse_repeated(self) -> None:
        seen = [
            p.start + torch.arange(p.depth)[:, None] * p.by_feature + torch.arange(p.width) * p.by_unit
            for p in self.network.panels
        ]
        every = torch.cat([places.reshape(-1) for places in seen])
        if len(torch.unique(every)) < len(every):
            raise NotLayers("a weight stands in two layers")

    def _direct(self, result: int) -> bool:
        """Whether what the result needs has weights in another way."""
        wanted = {result}
        for call in reversed(self.network.tape.calls):
            if wanted & set(call.outs):
                wanted |= set(call.ins)
        return any(self._of(k).kind == "direct" for k in wanted)
