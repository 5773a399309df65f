"""The Hessian of a network's loss from second derivatives by its units.

As `landform.derivatives.layers.hessian` tells for JAX: with the units of layer k shifted by ``s_k``, gradient g and
second derivative S by the shifts, which keep to their row,

    H[(k,i,j), (l,q,p)] = Σ_rows a_k[i] ( S[(k,j),(l,p)] a_l[q] + (∂a_l[q] / ∂s_k[j]) g_l[p] )      for l ≥ k.

Both S and the slopes of the features come from one product for each unit: that with the loss plus ``v · a``, whose
gradient by the shifts is differentiated by the shifts and by v at ``v = 0``.

References
----------
Bishop (1992), "Exact calculation of the Hessian matrix for the multilayer perceptron", Neural Computation 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from landform.backends.torch.dense import products, room, row_chunks, symmetric
from landform.backends.torch.layers.search import Network, Panel

_BLOCK = 2**20
"""Bytes of slopes made at a time: what stays in a processor's cache gains, what is larger does not."""


@dataclass(frozen=True)
class _Point:
    """What was recorded with shifted units.

    Parameters
    ----------
    shifts : list of tensors, shape (rows, units)
        Zero, one for every site.
    gradient : list of tensors
        Slopes of the loss by them, recorded.
    features : list of tensors, shape (rows, depth)
        Of every panel.
    probes : dict of int to tensor
        By panel, what multiplies features that move with the shifts; zero.
    """

    shifts: list[Tensor]
    gradient: list[Tensor]
    features: list[Tensor]
    probes: dict[int, Tensor]


_TILE = 8
"""Units by units of a block: long runs in rows and, mirrored, in columns."""


def hessian_by_layers(network: Network, chunk: int, pieces: list[Tensor], like: Tensor) -> Tensor:
    """The Hessian, shape (n, n), symmetric to the last bit: every block is made once and put in both of its places.

    Parameters
    ----------
    network : Network
        What was found.
    chunk : int
        Units taken at a time.
    pieces : list of tensors
        The point.
    like : tensor, shape (n,)
        Of the precision and on the device of the result.
    """
    fixed = [piece.detach() for piece in pieces]
    matrix = _start(network, fixed, like)
    point = _recorded(network, fixed)
    for site, width in enumerate(network.widths):
        for first in range(0, width, chunk):
            slopes, moves = _curves(network, point, site, first, min(chunk, width - first))
            for number, panel in enumerate(network.panels):
                if panel.site == site:
                    _fill(matrix, network, point, number, first, slopes, moves)
    return matrix


def _run(
    network: Network, layers: list[Tensor], others: list[Tensor], shifts: list[Tensor] | None
) -> tuple[Tensor, list[Tensor]]:
    """The loss, and every panel's features; ``layers`` serve these, ``others`` every other use of the weights."""
    env, still = dict(enumerate(layers)), dict(enumerate(others))
    constants = network.tape.tensors

    def layer(k: int) -> Tensor:
        return env[k] if k in env else constants[k]

    def other(k: int) -> Tensor:
        return still[k] if k in still else layer(k)

    found: list[Tensor] = []
    taps = {panel.call for panel in network.panels}
    for place, call in enumerate(network.tape.calls):
        if not any(k in env for k in call.ins):
            continue
        outs = call.run(layer if place in taps or place in network.moves else other)
        if place in network.moves:
            still.update((k, out) for k, out in zip(call.outs, call.run(other), strict=True) if k >= 0)
        if shifts is not None and place in network.shifted:
            site, turned = network.shifted[place]
            outs[0] = outs[0] + _laid(shifts[site], outs[0].shape, turned)
        env.update((k, out) for k, out in zip(call.outs, outs, strict=True) if k >= 0)
    for panel in network.panels:
        found.append(_features(panel, network.rows, layers[0] if panel.features is None else layer(panel.features)))
    return layer(network.result).reshape(()), found


def _laid(shift: Tensor, shape: torch.Size, turned: bool) -> Tensor:
    """Shifts (rows, units) as the units lie."""
    if not turned or len(shape) == 1:
        return shift.reshape(shape)
    return shift.reshape(len(shift), *shape[:-1]).movedim(0, -1)


def _features(panel: Panel, rows: int, value: Tensor) -> Tensor:
    if panel.features is None:
        return value.new_full((rows, 1), panel.sign, requires_grad=False)
    if value.ndim == 1:
        return value.view(1, -1)
    return value.T if panel.turned else value


def _recorded(network: Network, fixed: list[Tensor]) -> _Point:
    shifts = [fixed[0].new_zeros((network.rows, width), requires_grad=True) for width in network.widths]
    loss, features = _run(network, fixed, fixed, shifts)
    probes = {k: torch.zeros_like(a, requires_grad=True) for k, a in enumerate(features) if a.requires_grad}
    total = loss + sum((probe * features[k]).sum() for k, probe in probes.items())
    gradient = products(total, shifts, None, create_graph=True)
    return _Point(shifts, gradient, [a.detach() for a in features], probes)


def _start(network: Network, fixed: list[Tensor], like: Tensor) -> Tensor:
    """Second derivatives by the weights where they stand otherwise than in layers, or room where they do not."""
    if not network.direct:
        matrix = room(like)
        return matrix if sum(panel.size for panel in network.panels) == len(like) else matrix.zero_()
    leaves = [piece.clone().requires_grad_() for piece in fixed]
    loss, _ = _run(network, fixed, leaves, None)
    return symmetric(products(loss, leaves, None, create_graph=True), leaves, 32, like)


def _curves(
    network: Network, point: _Point, site: int, first: int, count: int
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """Second derivatives along ``count`` units of a site, by later sites' units and of later panels' features.

    Shapes (count, rows, units) by site, and (count, rows, depth) by panel.
    """
    sites = range(site, len(network.widths))
    panels = [k for k in point.probes if network.panels[k].site > site]
    unit = point.shifts[site].new_zeros((count, *point.shifts[site].shape), requires_grad=False)
    unit[torch.arange(count), :, first + torch.arange(count)] = 1
    wrt = [point.shifts[k] for k in sites] + [point.probes[k] for k in panels]
    _, found = next(row_chunks(point.gradient[site], wrt, count, seeds=unit))
    return dict(zip(sites, found, strict=False)), dict(zip(panels, found[len(sites) :], strict=True))


def _fill(
    matrix: Tensor,
    network: Network,
    point: _Point,
    number: int,
    first: int,
    slopes: dict[int, Tensor],
    moves: dict[int, Tensor],
) -> None:
    """Rows of the matrix for some units of a panel from these units' own columns on, and the same as columns."""
    panel, own = network.panels[number], point.features[number]
    for k in range(number, len(network.panels)):
        other, theirs, curve = network.panels[k], point.features[k], slopes[network.panels[k].site]
        if k in moves:
            slope = point.gradient[other.site].detach()
            _fill_moved(matrix, network, (panel, first, own), (other, theirs), curve, slope, moves[k])
        else:
            _fill_outer(matrix, network, (panel, first, own), (other, theirs), curve.transpose(1, 2).contiguous())


def _fill_outer(
    matrix: Tensor,
    network: Network,
    rows: tuple[Panel, int, Tensor],
    columns: tuple[Panel, Tensor],
    curve: Tensor,
) -> None:
    """Σ_rows curve[j, p, row] own[row, i] theirs[row, q], some features and some units at a time."""
    (panel, first, own), (other, theirs) = rows, columns
    same, depth = panel is other, theirs.shape[1]
    few = _share(theirs.numel() * theirs.element_size(), own.shape[1])
    whole = same and few == depth
    side = max(1, int(_share(few * depth * own.element_size(), _TILE**2) ** 0.5))
    for i in range(0, own.shape[1], few):
        pairs = (own[:, i : i + few, None] * theirs[:, None, :]).reshape(len(own), -1)
        for j in range(0, len(curve), side):
            few_units = min(side, len(curve) - j)
            edges = (
                [first + j, *range(first + j + few_units, other.width, side)] if same else range(0, other.width, side)
            )
            for p, end in pairwise([*edges, other.width]):
                units = curve[j : j + side, p:end]
                part = (units.reshape(-1, len(own)) @ pairs).view(*units.shape[:2], -1, depth)
                if whole:
                    part = (part + part.transpose(2, 3)) / 2  # but for rounding it is symmetric
                _put(matrix, network, (panel, first + j, i), (other, p, 0), part.transpose(1, 2))
                if not same or p > first + j:  # what is symmetric is mirrored as it lies
                    mirrored = part.permute(1, 2, 0, 3) if whole else part.permute(1, 3, 0, 2)
                    _put(matrix, network, (other, p, 0), (panel, first + j, i), mirrored)
    for j in range(0, len(curve) if same else 0, side):
        some = min(side, len(curve) - j)
        at = panel, first + j, 0
        block = _place(matrix, at, at, (some, panel.depth, some, panel.depth))
        block.copy_((block + block.permute(2, 3, 0, 1)) / 2)


def _fill_moved(
    matrix: Tensor,
    network: Network,
    rows: tuple[Panel, int, Tensor],
    columns: tuple[Panel, Tensor],
    curve: Tensor,
    slope: Tensor,
    moved: Tensor,
) -> None:
    """Σ_rows own[row, i] (curve[j, row, p] theirs[row, q] + slope[row, p] moved[j, row, q]), some units at a time."""
    (panel, first, own), (other, theirs) = rows, columns
    count = _share(other.size * max(own.shape) * own.element_size(), len(curve))
    few = _share(other.size * count * own.element_size(), len(own))
    for j in range(0, len(curve), count):
        units = slice(j, j + count)
        part = own.new_zeros((own.shape[1], curve[units].shape[0] * other.size))
        for r in range(0, len(own), few):
            at = slice(r, r + few)
            bent = curve[units, at].transpose(0, 1)[..., None] * theirs[at, None, None, :]
            bent.addcmul_(slope[at, None, :, None], moved[units, at].transpose(0, 1)[:, :, None, :])
            part.addmm_(own[at].T, bent.reshape(len(bent), -1))
        turned = part.T.contiguous().view(-1, other.width, other.depth, len(part))
        part = part.view(len(part), -1, other.width, other.depth)
        _put(matrix, network, (panel, first + j, 0), (other, 0, 0), part.transpose(0, 1))
        _put(matrix, network, (other, 0, 0), (panel, first + j, 0), turned.permute(1, 2, 0, 3))


def _share(size: int, parts: int) -> int:
    """How many parts of a size fit into a block."""
    return max(1, min(parts, _BLOCK // max(1, size)))


def _place(
    matrix: Tensor, rows: tuple[Panel, int, int], columns: tuple[Panel, int, int], shape: Sequence[int]
) -> Tensor:
    """A block (unit, feature, unit, feature) of the matrix, units and features from some on."""
    (a, unit_a, feature_a), (b, unit_b, feature_b), n = rows, columns, len(matrix)
    down = a.start + unit_a * a.by_unit + feature_a * a.by_feature
    right = b.start + unit_b * b.by_unit + feature_b * b.by_feature
    return matrix.as_strided(shape, (a.by_unit * n, a.by_feature * n, b.by_unit, b.by_feature), down * n + right)


def _put(
    matrix: Tensor, network: Network, rows: tuple[Panel, int, int], columns: tuple[Panel, int, int], block: Tensor
) -> None:
    place = _place(matrix, rows, columns, block.shape)
    place.add_(block) if network.direct else place.copy_(block)
