"""What PyTorch does for the derivative operators: evaluate, push forward, pull back, bend.

Second derivatives are reverse over reverse. At a fixed point the graph of the gradient is recorded once and kept:
a Hessian product is then 1.3 to 1.5 gradients where ``torch.func.jvp`` of ``torch.func.grad`` takes 4 to 6, and
v'Hv by two nested ``jvp`` 3 to 6. Push-forwards go twice through reverse mode, which from a kept graph is cheaper
than forward mode and needs no rule of its own (benchmarks/torch_operators.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import torch
from torch import Tensor

from landform.backends.torch.dense import matrix_rows, products, symmetric
from landform.backends.torch.flat import Flat, Graph, moved
from landform.backends.torch.refusals import cut_off, explained
from landform.errors import DerivativeError


class Eager:
    """A program that is ready as it is: nothing is compiled."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function

    def __call__(self, *args: Any) -> Any:
        """Run it."""
        with explained():
            return self._function(*args)

    quick = __call__


@Eager
def value(f: Flat, x: Tensor, *args: Any) -> Tensor:
    """f(x)."""
    with torch.no_grad():
        return f(x.clone(), *args)


@Eager
def values(f: Flat, X: Tensor, *args: Any) -> Tensor:
    """f at every row of X."""
    with torch.no_grad():
        return _at_rows(f, X.clone(), args)


def _at_rows(f: Flat, X: Tensor, args: Sequence[Any]) -> Tensor:
    """f at every row at once, or one after the other where it cannot be vectorized."""
    if not len(X):
        return X.new_empty((0, f.m))
    try:
        return torch.func.vmap(lambda x: f(x, *args))(X)
    except RuntimeError:
        return torch.stack([f(x, *args) for x in X])


def _recorded(f: Flat, x: Tensor, args: Sequence[Any]) -> Graph:
    return f.held("values", (x, *args), lambda: f.graph(x, args))


def linear_map(f: Flat, graph: Graph) -> tuple[Tensor, Tensor]:
    """u and J'u, which is linear in u: its own derivative is J."""
    f.refuse_second()
    u = torch.zeros_like(graph.y, requires_grad=True)
    return u, products(graph.y, [graph.x], u, create_graph=True)[0]


@Eager
def pullback(f: Flat, x: Tensor, u: Tensor, *args: Any) -> Tensor:
    """J(x)' u."""
    graph = _recorded(f, x, args)
    return products(graph.y, [graph.x], u)[0]


@Eager
def pushforward(f: Flat, x: Tensor, v: Tensor, *args: Any) -> Tensor:
    """J(x) v."""
    u, pulled = f.held("slopes", (x, *args), lambda: linear_map(f, _recorded(f, x, args)))
    return products(pulled, [u], v)[0]


@Eager
def jacobian_reverse(f: Flat, chunk: int, x: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x) and J(x) row by row."""
    graph = f.graph(x, args)
    return graph.y.detach(), matrix_rows(graph.y, graph.x, chunk)


@Eager
def jacobian_forward(f: Flat, chunk: int, x: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x) and J(x) column by column; row by row where the function can be differentiated only once."""
    graph = f.graph(x, args)
    try:
        u, pulled = linear_map(f, graph)
        columns = matrix_rows(pulled, u, chunk)
    except (RuntimeError, DerivativeError):
        return jacobian_reverse(f, chunk, x, *args)
    return graph.y.detach(), columns.T


@Eager
def values_and_jacobians(f: Flat, X: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """f and J at every row of X, shapes (rows, m) and (rows, m, n).

    Rows that went through one vectorized call do not know each other, so the sum over rows of an output has all
    rows' slopes at once.
    """
    leaf = X.detach().requires_grad_()
    Y = _at_rows(f, leaf, args)
    unit = torch.eye(Y.shape[1]).to(Y)
    try:
        slopes = products(Y, [leaf], unit[:, None, :].expand(-1, len(Y), -1), batched=True)[0]
    except RuntimeError:  # an operation that cannot be vectorized
        slopes = torch.stack([products(Y, [leaf], u.expand(len(Y), -1))[0] for u in unit])
    return Y.detach(), slopes.movedim(0, 1).contiguous()


def _gradient(f: Flat, graph: Graph, weights: Tensor, wrt: list[Tensor]) -> list[Tensor]:
    f.refuse_second()
    return products(weights @ graph.y, wrt, None, create_graph=True)


def slopes_of_sum(f: Flat, x: Tensor, weights: Tensor, args: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """The point and the gradient of weights·f there, recorded."""
    graph = f.graph(x, args)
    gradient = _gradient(f, graph, weights, [graph.x])[0]
    if not gradient.requires_grad:
        refuse_hidden_curves(f, x, weights, args, gradient)
    return graph.x, gradient


def refuse_hidden_curves(f: Flat, x: Tensor, weights: Tensor, args: Sequence[Any], gradient: Tensor) -> None:
    """A gradient without a graph is constant; one that moves was cut off by a backward of its own.

    Raises
    ------
    DerivativeError
    """
    there = f.graph(moved(x), args)
    after = _gradient(f, there, weights, [there.x])[0]
    scale = float(gradient.abs().max()) * 100 * torch.finfo(x.dtype).eps
    if not torch.allclose(after, gradient, rtol=0, atol=scale, equal_nan=True):
        raise cut_off("its slope")


@Eager
def hessian_product(f: Flat, x: Tensor, weights: Tensor, v: Tensor, *args: Any) -> Tensor:
    """The Hessian of weights·f at x, times v: reverse over reverse, the gradient's graph kept."""
    leaf, gradient = f.held("curves", (x, weights, *args), lambda: slopes_of_sum(f, x, weights, args))
    return products(gradient, [leaf], v)[0]


def _value_held(f: Flat, x: Tensor, args: Sequence[Any]) -> Tensor:
    return f.held("value", (x, *args), lambda: value(f, x, *args))


@Eager
def value_and_pushforward(f: Flat, x: Tensor, v: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x) and J(x) v."""
    return _recorded(f, x, args).y.detach(), pushforward(f, x, v, *args)


@Eager
def value_and_pullback(f: Flat, x: Tensor, u: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x) and J(x)' u."""
    return _recorded(f, x, args).y.detach(), pullback(f, x, u, *args)


@Eager
def value_and_hessian_product(f: Flat, x: Tensor, weights: Tensor, v: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """weights·f at x, and its Hessian times v."""
    return weights @ _value_held(f, x, args), hessian_product(f, x, weights, v, *args)


@Eager
def value_and_quadratic(f: Flat, x: Tensor, weights: Tensor, v: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """weights·f at x, and v' H v of it."""
    y, product = value_and_hessian_product(f, x, weights, v, *args)
    return y, v @ product


@Eager
def hessian_dense(f: Flat, chunk: int, x: Tensor, weights: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x) and the Hessian of weights·f, block by block over the point's tensors."""
    f.refuse_changed()
    graph = f.graph(x, args)
    gradient = _gradient(f, graph, weights, graph.pieces)
    if not any(piece.requires_grad for piece in gradient):
        refuse_hidden_curves(f, x, weights, args, torch.cat([piece.reshape(-1) for piece in gradient]).to(x))
    return graph.y.detach(), symmetric(gradient, graph.pieces, chunk, x)


@Eager
def bend(f: Flat, x: Tensor, v: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    """f(x), and v' H v of every output, shape (m,): the push-forward, pushed forward."""
    graph = f.graph(x, args)
    u, pulled = linear_map(f, graph)
    slope = products(pulled, [u], v, create_graph=True)[0]
    w = torch.zeros_like(slope, requires_grad=True)
    again = products(slope, [graph.x], w, create_graph=True)[0]
    return graph.y.detach(), products(again, [w], v)[0]


@Eager
def second_derivatives(f: Flat, x: Tensor, *args: Any) -> tuple[Tensor, Tensor, Tensor]:
    """f, J and the Hessian of every output, shapes (m,), (m, n), (m, n, n)."""
    f.refuse_second()
    graph = f.graph(x, args)
    slopes = [products(y, [graph.x], None, create_graph=True)[0] for y in graph.y]
    curves = [matrix_rows(slope, graph.x, 64) for slope in slopes]
    return graph.y.detach(), torch.stack(slopes).detach(), torch.stack(curves)
