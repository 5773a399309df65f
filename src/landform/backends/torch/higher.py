"""Beyond single products: the loss of a linearized function, Laplacians, Taylor coefficients. All by reverse mode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from landform.backends.torch.dense import products, row_chunks
from landform.backends.torch.flat import Flat, Graph
from landform.backends.torch.graph import depends_on
from landform.backends.torch.programs import Eager, linear_map, refuse_hidden_curves
from landform.backends.torch.refusals import cut_off


class LossOfLinear(Flat):
    """``z ↦ loss(f(x) + J(x)(z − x))``: its Hessian at x is the Gauss-Newton matrix.

    It takes x, what else the loss takes (a tuple), and what else f takes.

    Parameters
    ----------
    f, loss : Flat
        The loss is one of f's outputs as one vector.
    """

    def __init__(self, f: Flat, loss: Flat) -> None:
        super().__init__(f.function, f.tree)
        self.inner, self.outer = f, loss
        self.notes, self.work, self.m = f.notes + loss.notes, f.work + loss.work, loss.m

    def _recorded(self, pieces: list[Tensor], args: Sequence[Any]) -> Tensor:
        x, extra, *rest = args
        z = torch.cat([piece.reshape(-1) for piece in pieces]).to(x)
        graph = self.inner.graph(x, rest)
        u, pulled = linear_map(self.inner, graph)
        slope = products(pulled, [u], z - x, create_graph=True)[0]
        return self.outer(graph.y.detach() + slope, *extra)

    def __call__(self, z: Tensor, *args: Any) -> Tensor:
        """The loss as a vector of one number."""
        with torch.enable_grad():
            return self._recorded(self.tree.split(z), args)

    def graph(self, x: Tensor, args: Sequence[Any]) -> Graph:
        """The loss evaluated and recorded."""
        leaf = x.detach().requires_grad_()
        pieces = self.tree.split(leaf)
        return Graph(leaf, pieces, self._recorded(pieces, args))

    def refuse_second(self) -> None:
        """Refuse to differentiate twice through an operation that allows it once.

        Raises
        ------
        DerivativeError
        """
        self.inner.refuse_second()
        self.outer.refuse_second()


def loss_of_linear(f: Flat, loss: Flat) -> LossOfLinear:
    """``z ↦ loss(f(x) + J(x)(z − x))``, a function of ``(z, x, the loss's args, *args)``."""
    return LossOfLinear(f, loss)


@Eager
def laplacian(f: Flat, chunk: int, x: Tensor, *args: Any) -> Tensor:
    """The sum of every output's second derivatives along the inputs, ``chunk`` inputs at a time.

    The diagonal of the Hessian of u·f, summed, is linear in u: its slope by u holds every output's sum.
    """
    f.refuse_second()
    graph = f.graph(x, args)
    several = len(graph.y) > 1
    u = torch.ones_like(graph.y, requires_grad=several)
    gradient = products(graph.y, [graph.x], u, create_graph=True)[0]
    if not depends_on([gradient], [graph.x])[0]:
        refuse_hidden_curves(f, x, u.detach(), args, gradient.detach())
        return torch.zeros_like(graph.y)
    total = torch.zeros_like(u, requires_grad=False)
    for start, (rows,) in row_chunks(gradient, [graph.x], chunk, create_graph=several):
        trace = rows.diagonal(start).sum()
        total += products(trace, [u], None)[0] if several else trace
    return total


@Eager
def taylor(f: Flat, order: int, x: Tensor, v: Tensor, *args: Any) -> Tensor:
    """Taylor coefficients of f along v, shape (order + 1, m).

    Every derivative of u·f(x + t v) by the single number t is one reverse pass, and linear in u.
    """
    if order:
        f.refuse_second()
    t = torch.zeros((), dtype=x.dtype, device=x.device, requires_grad=True)
    y = f(x + t * v, *args)
    u = torch.ones_like(y, requires_grad=True)
    found, derivative, bends = [y.detach()], u @ y, True
    for k in range(1, order + 1):
        if k > 1 and bends and not depends_on([derivative], [t])[0]:
            bends = False
            _refuse_hidden_bend(found[-1], f, k - 1, x, v, args)
        derivative = products(derivative, [t], None, create_graph=True)[0]
        found.append(products(derivative, [u], None)[0].detach() / math.factorial(k))
    return torch.stack(found)


def _refuse_hidden_bend(last: Tensor, f: Flat, order: int, x: Tensor, v: Tensor, args: Sequence[Any]) -> None:
    """A coefficient that autograd takes for constant is one; else a rule of the function's own cut it off.

    Raises
    ------
    DerivativeError
    """
    there = taylor(f, order, x + 1e-3 * v, v, *args)[order]
    scale = float(last.abs().max()) * 100 * torch.finfo(x.dtype).eps
    if not torch.allclose(there, last, rtol=0, atol=scale, equal_nan=True):
        raise cut_off("its slope")
