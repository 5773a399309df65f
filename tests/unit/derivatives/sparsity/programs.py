"""Programs whose sparse Jacobian must equal the dense one: name, function, inputs, and how wide the pattern may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jax.experimental.ode import odeint
from jax.scipy.linalg import expm

TABLE = np.random.default_rng(7).normal(size=(5, 7))
BANDED = scipy.sparse.diags_array([1.0, -2.0, 0.5], offsets=[-1, 0, 1], shape=(9, 9)).toarray()
KERNEL = np.array([0.25, 0.5, -1.0])
IMAGE_KERNEL = np.random.default_rng(8).normal(size=(2, 1, 3, 2))


@dataclass(frozen=True)
class Program:
    name: str
    function: Callable[[Any], Any]
    n: int
    reverse: bool = False
    tolerance: float = 1e-12


@jax.custom_jvp
def straight_through(x: Any) -> Any:
    return jnp.round(x)


@straight_through.defjvp
def _straight_through_rule(primals: Any, tangents: Any) -> Any:
    return straight_through(primals[0]), tangents[0]


@jax.custom_vjp
def doubled_by_rule(x: Any) -> Any:
    return jnp.sin(x)


doubled_by_rule.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (2.0 * g * jnp.cos(x),))


@jax.custom_vjp
def mixing_by_rule(x: Any) -> Any:
    return jnp.cumsum(x)


mixing_by_rule.defvjp(lambda x: (jnp.cumsum(x), None), lambda _, g: (jnp.cumsum(g[::-1])[::-1],))


@jax.custom_jvp
def called_back(x: Any) -> Any:
    return jax.pure_callback(lambda a: np.sin(np.asarray(a)), jax.ShapeDtypeStruct(x.shape, x.dtype), x)


@called_back.defjvp
def _called_back_rule(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    slope = jax.pure_callback(lambda a: np.cos(np.asarray(a)), jax.ShapeDtypeStruct(x.shape, x.dtype), x)
    return called_back(x), slope * t


def brusselator(w: Any, size: int = 3) -> Any:
    u, v = w.reshape(2, size, size)

    def spread(a: Any) -> Any:
        return jnp.roll(a, 1, 0) + jnp.roll(a, -1, 0) + jnp.roll(a, 1, 1) + jnp.roll(a, -1, 1) - 4 * a

    uuv = u * u * v
    return jnp.stack([0.4 * spread(u) + 1.0 + uuv - 4.4 * u, 0.4 * spread(v) + 3.4 * u - uuv]).ravel()


def rosenbrock(x: Any) -> Any:
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def arwhead(x: Any) -> Any:
    return jnp.sum((x[:-1] ** 2 + x[-1] ** 2) ** 2 - 4 * x[:-1] + 3)


def _newton(x: Any) -> Any:
    def going(state: Any) -> Any:
        return jnp.max(jnp.abs(state[0] ** 2 - x**2 - 1.0)) > 1e-13

    def step(state: Any) -> Any:
        y, k = state
        return y - (y**2 - x**2 - 1.0) / (2 * y), k + 1

    return jax.lax.while_loop(going, step, (1.0 + x**2, 0))[0]


def _logistic_rounds(x: Any) -> Any:
    return jax.lax.fori_loop(0, 400, lambda i, c: 0.9 * c * (1.0 - 0.1 * c * x), x)


def _heat_rounds(x: Any) -> Any:
    return jax.lax.fori_loop(0, 3, lambda i, c: c + 0.1 * (jnp.roll(c, 1) + jnp.roll(c, -1) - 2 * c), x)


def _recurrence(x: Any) -> Any:
    return jax.lax.scan(lambda c, a: (0.5 * c + jnp.sin(a), c * a), x[0], x[1:])[1]


def _counted_rounds(x: Any) -> Any:
    return jax.lax.scan(lambda c, a: (c + 1.0, a**2 * c), 0.0, x)[1]


def _long_recurrence(x: Any) -> Any:
    return jax.lax.scan(lambda c, a: (0.5 * c + jnp.sin(a) * jnp.cos(c), c * a), x[0], jnp.tile(x, 60))[1][-3:]


def _decay(x: Any) -> Any:
    return odeint(lambda y, t, k: -k * y, x[:2], jnp.array([0.0, 0.5]), x[2:4], rtol=1e-10, atol=1e-10)[-1]


def _branch_by_value(x: Any) -> Any:
    return jax.lax.cond(x[0] > 0.3, lambda a: a[::-1] ** 2, lambda a: jnp.sin(a), x)


def _switched(x: Any) -> Any:
    which = (x[0] > 0.3).astype(int) + (x[1] > 0.3).astype(int)
    return jax.lax.switch(which, [jnp.sin, jnp.cos, lambda a: a * a[0]], x)[:4]


def _noisy(x: Any) -> Any:
    key = jax.random.key(3)
    return x[:4] * jax.random.normal(key, (4,)) + jax.random.uniform(jax.random.fold_in(key, 1), (4,))


def _batched_matrix(x: Any) -> Any:
    return x[:12].reshape(3, 2, 2) + 3.0 * jnp.eye(2)


def _batched_solve(x: Any) -> Any:
    return jnp.linalg.solve(_batched_matrix(x), x[12:18].reshape(3, 2, 1)).ravel()


def _covariances(x: Any) -> Any:
    a = x.reshape(3, 2, 2)
    return jnp.linalg.cholesky(a @ a.transpose(0, 2, 1) + jnp.eye(2)).reshape(-1)


def _conv_2d(x: Any) -> Any:
    image = x.reshape(1, 1, 5, 4)
    out = jax.lax.conv_general_dilated(image, jnp.asarray(IMAGE_KERNEL), (2, 1), "SAME")
    return jnp.tanh(out).ravel()


def _pooled(x: Any, kind: str) -> Any:
    image = x.reshape(4, 5)
    if kind == "max":
        return jax.lax.reduce_window(image, -jnp.inf, jax.lax.max, (2, 2), (2, 2), "VALID").ravel()
    return jax.lax.reduce_window(image, 0.0, jax.lax.add, (2, 2), (1, 2), "SAME").ravel()


def _network(x: Any) -> Any:
    return jnp.tanh(TABLE @ jax.nn.softplus(x[:7])) * jax.nn.silu(x[:5])


def _attention(x: Any) -> Any:
    q = x.reshape(4, 3)
    return (jax.nn.softmax(q @ q.T, axis=-1) @ q).ravel()


def _moved_window(x: Any) -> Any:
    start = jnp.argmax(x)
    return jax.lax.dynamic_slice(jnp.concatenate([x, x**2]), (start,), (3,))


def _written_window(x: Any) -> Any:
    return jax.lax.dynamic_update_slice(x**2, jnp.sin(x[:2]), (jnp.argmin(x[:4]),))


def _segments(x: Any) -> Any:
    return jax.ops.segment_sum(x**2, np.array([0, 1, 0, 3, 1, 3, 3, 0, 1]), 5)


def _safe_root(x: Any) -> Any:
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)


def _nested_scan(x: Any) -> Any:
    def outer(c: Any, row: Any) -> Any:
        return jax.lax.scan(lambda d, a: (d * 0.5 + a, d), c, row)[0], c**2

    return jax.lax.scan(outer, 0.0, x.reshape(3, 4))[1]


def _mapped(x: Any) -> Any:
    return jax.lax.map(lambda row: jnp.prod(row) + jnp.cumsum(row), x.reshape(4, 3)).ravel()


def _jacobian_inside(x: Any) -> Any:
    return jax.vmap(jax.grad(lambda a: jnp.sin(a) * a**2))(x)[1:]


def _polynomial_roots(x: Any) -> Any:
    return jnp.linalg.eigvalsh(x[:6].reshape(2, 3).T @ x[:6].reshape(2, 3) + jnp.diag(jnp.arange(3.0)))


def _scattered(x: Any) -> Any:
    return jnp.zeros(12).at[jnp.array([3, 1, 7])].set(x[:3]).at[jnp.array([1, 1, 4])].add(x[3:6] ** 2)


def _scattered_many(x: Any) -> Any:
    return x.at[jnp.array([3, 1])].mul(jnp.cos(x[:2]), unique_indices=True)[:7].at[2].max(x[8])


def fixed_beside(x: Any) -> Any:
    return (x.reshape(4, 3) * jnp.arange(4.0)[:, None] + jnp.sort(x)[:3]).ravel()


P = Program
PROGRAMS = [
    P("identity", lambda x: x, 3),
    P("constant", lambda x: jnp.ones(4), 3),
    P("elementwise chain", lambda x: jnp.exp(jnp.sin(x) * x) / (1 + x**2), 5),
    P("neighbours", lambda x: x[1:] * x[:-1], 6),
    P("brusselator", brusselator, 18),
    P("rosenbrock gradient", jax.grad(rosenbrock), 8),
    P("arwhead gradient", jax.grad(arwhead), 7),
    P("sum", lambda x: jnp.sum(x**2)[None], 5),
    P("sum over short axis", lambda x: jnp.sum(x.reshape(4, 3) ** 2, axis=1), 12),
    P("sum over long axis", lambda x: jnp.sum(x.reshape(2, 60) ** 3, axis=1), 120),
    P("mean and variance", lambda x: jnp.stack([jnp.mean(x), jnp.var(x)]), 6),
    P("norm", lambda x: x / jnp.linalg.norm(x), 4),
    P("product", lambda x: jnp.prod(x.reshape(3, 4), axis=0), 12),
    P("maximum of rows", lambda x: jnp.max(x.reshape(4, 3), axis=1), 12),
    P("maximum and argmax", lambda x: x[1:] * jnp.argmax(x) + jnp.max(x), 5),
    P("min and clip", lambda x: jnp.clip(x, -0.5, 0.7)[:-1] + jnp.minimum(x[1:], x[:-1]), 6),
    P("where", lambda x: jnp.where(x > 0.1, x**2, jnp.roll(x, 1)), 6),
    P("where with a fixed mask", lambda x: jnp.where(np.arange(6) % 2 == 0, x, x[::-1] ** 2), 6),
    P("root where it exists", _safe_root, 6),
    P("fixed mask as a factor", lambda x: x * np.array([1.0, 0.0, 2.0, 0.0]) + x[0], 4),
    P("cumulated sum", lambda x: jnp.cumsum(x**2)[2:], 7),
    P("cumulated product", lambda x: jnp.cumprod(x.reshape(3, 3), axis=1).ravel(), 9),
    P("cumulated maximum", lambda x: jax.lax.cummax(x), 6),
    P("reversed cumulated sum", lambda x: jax.lax.cumsum(x**2, reverse=True), 5),
    P("fixed gather", lambda x: x[np.array([4, 0, 0, 2])] * x[:4], 5),
    P("rows gathered", lambda x: x.reshape(4, 3)[np.array([3, 1])].ravel() ** 2, 12),
    P("columns gathered", lambda x: x.reshape(4, 3)[:, np.array([2, 0])].ravel() ** 2, 12),
    P("gather outside", lambda x: x.at[np.array([1, 9])].get(mode="fill", fill_value=0.0) * 2, 4),
    P("computed gather", lambda x: x[jnp.argsort(x)[:3]] * x[:3], 5),
    P("computed window", _moved_window, 5),
    P("computed write", _written_window, 6),
    P("scatter", _scattered, 6),
    P("scatter product and maximum", _scattered_many, 9),
    P("segment sum", _segments, 9),
    P("sort", lambda x: jnp.sort(x)[1:], 6),
    P("sort rows", lambda x: jnp.sort(x.reshape(4, 3), axis=1).ravel(), 12),
    P("top k", lambda x: jax.lax.top_k(x, 2)[0], 5),
    P("reshape transpose", lambda x: (x.reshape(3, 4).T * jnp.arange(3.0)).ravel()[2:], 12),
    P("roll flip pad", lambda x: jnp.pad(jnp.flip(jnp.roll(x, 2)), (1, 2)) ** 2, 5),
    P("pad in between", lambda x: jax.lax.pad(x, x[0], [(1, -1, 2)]) ** 2, 4),
    P("stack split tile", lambda x: jnp.tile(jnp.stack(jnp.split(x, 3)), (1, 2)).ravel() ** 2, 6),
    P("repeat", lambda x: jnp.repeat(x, 3)[1:] * 2.0, 4),
    P("concatenate", lambda x: jnp.concatenate([x[:2] ** 2, jnp.ones(2), x[1:]]), 5),
    P("einsum", lambda x: jnp.einsum("ij,jk->ik", x[:6].reshape(2, 3), x[6:].reshape(3, 4)).ravel(), 18),
    P("fixed matrix", lambda x: TABLE @ jnp.sin(x), 7),
    P("fixed banded matrix", lambda x: BANDED @ x**2, 9),
    P("matrix from the left", lambda x: jnp.sin(x) @ TABLE, 5),
    P("batched fixed product", lambda x: jnp.einsum("bi,bij->bj", x.reshape(3, 4), np.ones((3, 4, 2))).ravel(), 12),
    P("quadratic form", lambda x: (x @ BANDED @ x)[None], 9),
    P("outer product", lambda x: jnp.outer(x[:2], x[2:]).ravel(), 5),
    P("convolution", lambda x: jnp.convolve(x, jnp.asarray(KERNEL), mode="same"), 8),
    P("convolution of both", lambda x: jnp.convolve(x[:6], x[6:]), 9),
    P("image convolution", _conv_2d, 20),
    P("average pool", partial(_pooled, kind="sum"), 20),
    P("max pool", partial(_pooled, kind="max"), 20),
    P("fft", lambda x: jnp.abs(jnp.fft.fft(x)[1:]), 6),
    P("batched rfft", lambda x: jnp.real(jnp.fft.rfft(x.reshape(3, 4), axis=1)).ravel(), 12),
    P("inverse fft", lambda x: jnp.real(jnp.fft.ifft(jnp.fft.fft(x) * jnp.arange(5.0))), 5),
    P("complex numbers", lambda x: jnp.abs(jnp.exp(1j * x[:-1]) + x[1:]) + jnp.imag((x[1:] + 2j) ** 2), 5),
    P("solve", lambda x: jnp.linalg.solve(x[:9].reshape(3, 3) + 3 * jnp.eye(3), x[9:]), 12),
    P("batched solve", _batched_solve, 18),
    P("inverse", lambda x: jnp.linalg.inv(x.reshape(2, 2) + 3 * jnp.eye(2)).ravel()[:3], 4),
    P("determinants", lambda x: jnp.linalg.det(_batched_matrix(x)), 12),
    P("cholesky", _covariances, 12),
    P("eigenvalues", _polynomial_roots, 7),
    P("qr", lambda x: jnp.linalg.qr(x.reshape(3, 2))[1].ravel(), 6),
    P("singular values", lambda x: jnp.linalg.svd(x.reshape(3, 2), compute_uv=False), 6),
    P("matrix exponential", lambda x: expm(x.reshape(2, 2)).ravel()[:3], 4),
    P("ode", _decay, 5, reverse=True, tolerance=1e-8),
    P("cond by value", _branch_by_value, 5),
    P("cond by a fixed value", lambda x: jax.lax.cond(np.bool_(True), jnp.sin, lambda a: a[::-1], x), 5),
    P("switch", _switched, 6),
    P("while, elementwise", _newton, 5),
    P("long fori, elementwise", _logistic_rounds, 5),
    P("short fori, neighbours", _heat_rounds, 11),
    P("scan, recurrence", _recurrence, 6),
    P("scan, long recurrence", _long_recurrence, 4),
    P("scan, rounds apart", _counted_rounds, 6),
    P("scan in scan", _nested_scan, 12),
    P("map", _mapped, 12),
    P("checkpoint", lambda x: jax.checkpoint(lambda a: jnp.sin(a[1:]) * a[:-1])(x), 6),
    P("jit inside", lambda x: jax.jit(lambda a: a[::-1] ** 2)(x)[1:], 5),
    P("vmap inside", lambda x: jax.vmap(lambda a: jnp.sum(a) * a[0])(x.reshape(4, 3)), 12),
    P("vmap beside", lambda x: jax.vmap(lambda a: jnp.prod(a) + a)(x.reshape(4, 3)).ravel(), 12),
    P("fixed column beside", fixed_beside, 12),
    P("ragged rows times a column", lambda x: (jnp.cumsum(x)[:, None] * x[None, :3] * TABLE[:, :3]).ravel(), 5),
    P("complex scalar beside", lambda x: jnp.real(jnp.exp(1j * x[0]) * x[1:] * jnp.conj(x[1:] + 1j * x[2])), 5),
    P("remainder and power", lambda x: jnp.abs(x[1:]) ** x[:-1] + jnp.mod(x[1:], 0.7), 5),
    P("normalized columns", lambda x: (x.reshape(4, 3) / jnp.linalg.norm(x.reshape(4, 3), axis=0)).ravel(), 12),
    P("gradient inside", _jacobian_inside, 5),
    P("random numbers", _noisy, 5),
    P("stop gradient", lambda x: jax.lax.stop_gradient(x[1:]) * x[:-1], 5),
    P("rounding", lambda x: jnp.round(x[1:]) * x[:-1] + jnp.floor(x[1:]), 5),
    P("custom jvp, straight through", lambda x: straight_through(x[1:] * 3) * x[:-1], 5),
    P("custom vjp, elementwise", lambda x: doubled_by_rule(x)[1:], 5, reverse=True),
    P("custom vjp, mixing", lambda x: mixing_by_rule(x**2)[1:], 5, reverse=True),
    P("call back", lambda x: called_back(x[1:]) * x[:-1], 5),
    P("relu and gelu", lambda x: jax.nn.relu(x[1:]) + jax.nn.gelu(x[:-1]), 6),
    P("log-sum-exp of rows", lambda x: jax.nn.logsumexp(x.reshape(4, 3), axis=1), 12),
    P("softmax of rows", lambda x: jax.nn.softmax(x.reshape(4, 3), axis=1).ravel(), 12),
    P("network", _network, 8),
    P("attention", _attention, 12),
    P("special functions", lambda x: jax.scipy.special.gammaln(x**2 + 1)[1:] + jax.scipy.special.erf(x[:-1]), 6),
    P("interpolation", lambda x: jnp.interp(x[:3], jnp.arange(4.0) - 1.5, x[3:]), 7),
    P("piecewise polynomial", lambda x: jnp.polyval(x[:3], x[3:]), 7),
    P("single precision inside", lambda x: x.astype(jnp.float32).astype(jnp.float64)[1:] ** 2, 5, tolerance=1e-6),
]
