"""The Hessian of a network's loss from second derivatives by its units.

A layer gives ``z = a W + b`` row by row. Shift its units by s: a change δ of all weights is the shift
``s_k = a_k δ_k``, in which ``a_k`` itself moves with the shifts of earlier layers. Let g be the gradient by the
shifts and S its derivative; both keep to their row. To second order

    H[(k,i,j), (l,q,p)] = Σ_rows a_k[i] ( S[(k,j),(l,p)] a_l[q] + (∂a_l[q] / ∂s_k[j]) g_l[p] )      for l ≥ k,

since no feature depends on the shifts of its own or a later layer; the rest is the mirror image. The bracket is the
slope along unit j of layer k of every row's own gradient. So there are as many products as units, not as weights,
and one large matrix product for each of them.

References
----------
Bishop (1992), "Exact calculation of the Hessian matrix for the multilayer perceptron", Neural Computation 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from landform.backends.jax import compiled, symmetric_rows
from landform.derivatives.layers.program import Panel, Program


@compiled(0, 1, 2)
def hessian_by_layers(program: Program, chunk: int, direct_chunk: int, x: Any, *rest: Any) -> Any:
    """The Hessian, shape (n, n), symmetric to the last bit."""

    def gradient(shifts: Sequence[Any]) -> tuple[Any, Any]:
        found, features = jax.grad(lambda s: program.run(x, x, s, rest), has_aux=True)(shifts)
        return found, features

    shifts = [jnp.zeros((program.rows, w), x.dtype) for w in program.widths]
    (slopes, features), push = jax.linearize(gradient, shifts)
    slabs = [_slab(program, number, chunk, slopes, features, push) for number in range(len(program.panels))]
    matrix = jnp.concatenate(slabs)
    matrix = (matrix + matrix.T) / 2
    if program.order is not None:
        for axis in (0, 1):
            matrix = jnp.take(matrix, program.order, axis=axis, mode="fill", fill_value=0)
    if program.direct:
        _, along = jax.linearize(jax.grad(lambda z: program.run(x, z, shifts, rest)[0]), x)
        matrix = matrix + symmetric_rows(along, x.size, direct_chunk, x.dtype)
    return matrix


def _slab(program: Program, number: int, chunk: int, slopes: Any, features: Any, push: Any) -> Any:
    """The panel's rows of the matrix: zero in earlier panels' columns, as they are in its own, twice in later ones'.

    The mean of the matrix and its transpose is then the Hessian.
    """
    panel, later = program.panels[number], program.panels[number:]
    own = features[number]
    d, width = panel.places.shape
    before = sum(p.places.size for p in program.panels[:number])
    chunk = min(chunk, width)

    def row_slopes(units: Any) -> list[Any]:
        """Slopes of the rows' own gradients along some units, shape (rows, units, weights) for every later panel."""
        along = [jnp.zeros((chunk, program.rows, w), own.dtype) for w in program.widths]
        unit = (units[:, None] == jnp.arange(width)).astype(own.dtype)
        along[panel.site] = jnp.broadcast_to(unit[:, None], along[panel.site].shape)
        bent, moved = jax.vmap(push)(along)
        return [
            _row_gradients(p, features[k], slopes[p.site], bent[p.site], moved[k])
            for k, p in enumerate(later, start=number)
        ]

    def fill(i: Any, blocks: list[Any]) -> list[Any]:
        first = jnp.minimum(i * chunk, width - chunk)
        found = []
        for block, slope in zip(blocks, row_slopes(first + jnp.arange(chunk)), strict=True):
            part = jnp.einsum("ri,rcn->cin" if panel.by_unit else "ri,rcn->icn", own, slope)
            found.append(jax.lax.dynamic_update_slice_in_dim(block, part, first, 0 if panel.by_unit else 1))
        return found

    shape = (width, d) if panel.by_unit else (d, width)
    blocks = [jnp.zeros((*shape, p.places.size), own.dtype) for p in later]
    blocks = jax.lax.fori_loop(0, -(-width // chunk), fill, blocks)
    flat = [block.reshape(d * width, -1) for block in blocks]
    return jnp.concatenate([jnp.zeros((d * width, before), own.dtype), flat[0], *(2 * part for part in flat[1:])], 1)


def _row_gradients(panel: Panel, features: Any, slope: Any, bent: Any, moved: Any) -> Any:
    """d(a ⊗ g) = a ⊗ dg + da ⊗ g, for every row and every unit moved, in the panel's own order."""
    a, g = features[:, None], slope[:, None]
    dg, da = bent.transpose(1, 0, 2), moved.transpose(1, 0, 2)
    if panel.by_unit:
        outer = dg[..., :, None] * a[..., None, :] + g[..., :, None] * da[..., None, :]
    else:
        outer = a[..., :, None] * dg[..., None, :] + da[..., :, None] * g[..., None, :]
    return outer.reshape(*outer.shape[:2], -1)
