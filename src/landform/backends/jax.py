"""What JAX does for the derivative operators: evaluate, push forward, pull back, compile.

Nothing here changes a global setting. Points that come as NumPy float64 (or as plain numbers) are worked on in
double precision inside a local context; JAX arrays stay in the precision and on the device they came in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache, partial, update_wrapper
from typing import Any
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
import numpy as np
from jax.errors import ConcretizationTypeError, TracerArrayConversionError, TracerIntegerConversionError
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from landform.errors import DerivativeError, ShapeError

Flat = Callable[..., jax.Array]
"""A function ``f(x, *args)`` from a vector to a vector."""


name = "JAX"
hessian_plan = ("forward over reverse", "the gradient is linearized once")
pullback_cost = 2.0  # Griewank and Walther (2008), ch. 3 and 4
_QUICK = {"xla_backend_optimization_level": 0}


class Compiled:
    """A function that JAX compiles when it is first called for new shapes.

    Parameters
    ----------
    function : callable
        What is compiled.
    static : tuple of int
        Places of the arguments that are no arrays.
    reverse : Compiled, optional
        The same by reverse products alone: some functions bring a rule of their own for these only.
    """

    def __init__(self, function: Callable[..., Any], static: tuple[int, ...], reverse: Compiled | None = None) -> None:
        update_wrapper(self, function)
        self.function = function
        self._full = jax.jit(function, static_argnums=static)
        self._quick = jax.jit(function, static_argnums=static, compiler_options=_QUICK)
        self._reverse = reverse

    def __call__(self, *args: Any) -> Any:
        """Run the fully optimized program."""
        return self._run(self._full, self._reverse, args)

    def quick(self, *args: Any) -> Any:
        """Run a program that compiles in half the time, and is slower where arrays are large."""
        return self._run(self._quick, self._reverse and self._reverse.quick, args)

    @staticmethod
    def _run(program: Callable[..., Any], reverse: Callable[..., Any] | None, args: tuple[Any, ...]) -> Any:
        try:
            return program(*args)
        except (TypeError, NotImplementedError) as error:
            if reverse is None or not any(name in str(error) for name in ("custom_vjp", "custom_lin")):
                raise
            return reverse(*args)


def compiled(*static: int, reverse: Compiled | None = None) -> Callable[[Callable[..., Any]], Compiled]:
    """A decorator that makes a function `Compiled`."""
    return partial(Compiled, static=static, reverse=reverse)


def map_leaves(change: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with every leaf changed."""
    return jax.tree.map(change, tree)


def leaves_of(tree: Any) -> list[Any]:
    """The leaves of a tree, None among them, in the order in which points are flattened."""
    return jax.tree.leaves(tree, is_leaf=lambda leaf: leaf is None)


def leaf_names(tree: Any, prefix: str) -> list[str]:
    """A name for every number in a tree, in the order in which points are flattened: ``args[0]["rate"][2]``."""
    names = []
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        root = prefix + jax.tree_util.keystr(path)
        names += [root + "".join(f"[{i}]" for i in place) for place in np.ndindex(np.shape(leaf))]
    return names


@lru_cache(maxsize=64)
def half_squared(function: Callable[..., Any]) -> Callable[..., jax.Array]:
    """Half the squared length of all that a function returns; the same object for the same function."""

    def half(x: Any, *args: Any) -> jax.Array:
        residuals = ravel_pytree(function(x, *args))[0]
        return 0.5 * residuals @ residuals

    return half


def joint_function(
    functions: Sequence[Callable[..., Any]],
    unflatten: Callable[[jax.Array], Any],
    n: int,
    args: tuple[Any, ...],
    extra: tuple[Any, ...] = (),
) -> tuple[np.ndarray, Flat]:
    """Several functions of a point and further arguments as one of a single vector; and these arguments as a vector.

    The first function takes ``extra`` before the arguments.
    """
    with double_precision():
        vector, restore = (np.zeros(0), lambda _: ()) if not jax.tree.leaves(args) else ravel_pytree(_doubled(args))

    def joint(z: jax.Array) -> jax.Array:
        x, rest = unflatten(z[:n]), restore(z[n:])
        outputs = [f(x, *(extra if i == 0 else ()), *rest) for i, f in enumerate(functions)]
        return jnp.concatenate([ravel_pytree(y)[0] for y in outputs])

    return np.asarray(vector, dtype=np.float64), joint


def _doubled(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments in double precision; whole numbers have no slope and are refused."""

    def double(leaf: Any) -> Any:
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise ShapeError(
                "args of floating-point numbers",
                got=f"dtype {jnp.result_type(leaf)}",
                remedy="convert them, for example with float(a), or close over what has no slope",
                where="argument args",
            )
        return jnp.asarray(leaf, dtype=jnp.float64)

    return jax.tree.map(double, args)


def double_precision() -> AbstractContextManager[Any]:
    """A context in which JAX keeps 64-bit numbers; the global setting is untouched."""
    return jax.enable_x64(True)


def precision_of(x: Any) -> AbstractContextManager[Any]:
    """Double precision for NumPy points and plain numbers, the caller's own precision for JAX arrays."""
    leaves = jax.tree.leaves(x)
    if leaves and all(isinstance(leaf, jax.Array) for leaf in leaves):
        return nullcontext()
    return double_precision()


def as_point(x: Any) -> Any:
    """Plain numbers as an array in double precision, anything else as it is."""
    plain = isinstance(x, (list, tuple, float)) and all(isinstance(v, (int, float)) for v in jax.tree.leaves(x))
    return np.asarray(x, dtype=np.float64) if plain else x


def is_native(x: Any) -> bool:
    """Whether the point is made of JAX arrays, so that results stay such."""
    return all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(x))


@contextmanager
def explained() -> Iterator[None]:
    """Say in one sentence what can be done where JAX cannot trace a function; nothing is switched silently.

    Raises
    ------
    DerivativeError
        If the function needs numbers where tracing has none, or is one of PyTorch.
    """
    try:
        yield
    except (ConcretizationTypeError, TracerArrayConversionError, TracerIntegerConversionError) as error:
        raise _untraceable(f"{type(error).__name__}: it turns its input into plain numbers") from error
    except TypeError as error:
        if "JAX arrays are immutable" in str(error):
            raise _untraceable("one that writes into its input") from error
        if "must be Tensor" not in str(error):
            raise
        raise DerivativeError(
            "a JAX function for a point of NumPy or JAX",
            got="a function that calls PyTorch",
            remedy="pass the point as a tensor, torch.as_tensor(x), or write the function with jax.numpy",
            where="argument function",
        ) from error


def _untraceable(got: str) -> DerivativeError:
    return DerivativeError(
        "a function that JAX can trace",
        got=got,
        remedy='write it with jax.numpy, or pass mode="numeric" to differentiate it as a black box with error bars',
        where="argument function",
    )


def leaves(x: Any, letter: str = "x") -> list[tuple[str, tuple[int, ...]]]:
    """Label and shape of every array in the point."""
    found, _ = jax.tree_util.tree_flatten_with_path(x)
    return [(_label(path, letter), np.shape(leaf)) for path, leaf in found]


def _label(path: Sequence[Any], letter: str) -> str:
    """A leaf's name as Python would index it.

    Examples
    --------
    >>> [_label(path, "x") for path, _ in jax.tree_util.tree_flatten_with_path({"a": [1, {"b": 2}]})[0]]
    ['a[0]', 'a[1].b']
    """
    words = ""
    for step in path:
        if isinstance(step, jax.tree_util.SequenceKey):
            words += f"{'' if words else letter}[{step.idx}]"
        else:
            words += f"{'.' if words else ''}{getattr(step, 'key', getattr(step, 'name', step))}"
    return words or letter


def _unchanged(x: jax.Array) -> jax.Array:
    return x


def flatten_point(x: Any) -> tuple[jax.Array, Callable[[jax.Array], Any]]:
    """The point as one vector, and the way back to its own shape; the same one for all vectors.

    Raises
    ------
    ShapeError
        If a leaf is not a real floating-point number, or is not finite, or there is none.
    """
    leaves = jax.tree.leaves(x)
    if not sum(np.size(leaf) for leaf in leaves):
        raise ShapeError("a point with at least one number", got=repr(x), remedy="pass an array or a tree of arrays")
    for leaf in leaves:
        try:
            kind = jnp.result_type(leaf)
        except TypeError:
            kind = np.asarray(leaf).dtype
        if not jnp.issubdtype(kind, jnp.floating):
            raise ShapeError(
                "a point of real floating-point numbers",
                got=f"dtype {kind}",
                remedy="convert it, for example with x.astype(float)",
                where="argument x",
            )
        if not isinstance(leaf, jax.core.Tracer) and not np.all(np.isfinite(np.asarray(leaf))):
            raise ShapeError("finite numbers", got="NaN or inf", remedy="clean the point", where="argument x")
    vector, unflatten = ravel_pytree(x)
    return vector, _unchanged if getattr(x, "ndim", 0) == 1 else unflatten


@lru_cache(maxsize=256)
def flat_function(function: Callable[..., Any], unflatten: Callable[[jax.Array], Any]) -> Flat:
    """The function between flat vectors; the same object for the same pair, so compiled code is found again."""

    def flat(x: jax.Array, *args: Any) -> jax.Array:
        out = function(unflatten(x), *args)
        leaves = jax.tree.leaves(out)
        if not leaves or not all(hasattr(leaf, "dtype") or isinstance(leaf, (int, float)) for leaf in leaves):
            raise ShapeError(
                "a function that returns arrays",
                got=f"{type(out).__name__}",
                remedy="return a JAX array or a tree of them",
            )
        vector, _ = ravel_pytree(out)
        _output_trees.setdefault(flat, {})[vector.size] = jax.eval_shape(lambda: out)
        return vector

    return flat


_output_trees: WeakKeyDictionary[Flat, dict[int, Any]] = WeakKeyDictionary()
"""What a flat function gave before it was made flat, by its number of outputs: noted whenever it is traced."""


def output_tree(f: Flat, m: int) -> Any:
    """Shapes of the m outputs of a flat function, as its own function gives them."""
    return _output_trees.get(f, {}).get(m)


def output_leaves(f: Flat, m: int) -> list[tuple[str, tuple[int, ...]]]:
    """Label and shape of every array among the m outputs."""
    tree = output_tree(f, m)
    return [("y", (m,))] if tree is None or not getattr(tree, "shape", (m,)) else leaves(tree, "y")


def outputs_at(f: Flat, x: Any, args: Sequence[Any], m: int, precision: Callable[[], Any]) -> Any:
    """The outputs at x in their own shapes."""
    with precision():
        y = value(f, x, *args)
        tree = output_tree(f, m)
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree)
        return y if tree is None else ravel_pytree(zeros)[1](y)


@compiled(0)
def value(f: Flat, x: jax.Array, *args: Any) -> jax.Array:
    """f(x)."""
    return f(x, *args)


@compiled(0)
def values(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """f at every row of X."""
    return jax.vmap(lambda x: f(x, *args))(X)


@compiled(0)
def _pushforward_by_reverse(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """J(x) v from J' alone: u ↦ J'u is linear, and its own pull-back is J."""
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    return jax.vjp(lambda u: pull(u)[0], jnp.zeros_like(y))[1](v)[0]


@compiled(0, reverse=_pushforward_by_reverse)
def pushforward(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """J(x) v."""
    return jax.jvp(lambda z: f(z, *args), (x,), (v,))[1]


@compiled(0)
def pullback(f: Flat, x: jax.Array, u: jax.Array, *args: Any) -> jax.Array:
    """J(x)' u."""
    return jax.vjp(lambda z: f(z, *args), x)[1](u)[0]


def _unit_rows(first: jax.Array, chunk: int, size: int, dtype: Any) -> jax.Array:
    return (first + jnp.arange(chunk)[:, None] == jnp.arange(size)).astype(dtype)


def _rows_of(linear: Callable[[jax.Array], jax.Array], size: int, chunk: int, dtype: Any) -> jax.Array:
    """``linear`` applied to every unit vector, ``chunk`` at a time, each written where it stays."""
    if chunk >= size:
        return jax.vmap(linear)(jnp.eye(size, dtype=dtype))
    out = jax.eval_shape(linear, jax.ShapeDtypeStruct((size,), dtype))

    def fill(i: jax.Array, filled: jax.Array) -> jax.Array:
        first = jnp.minimum(i * chunk, size - chunk)
        part = jax.vmap(linear)(_unit_rows(first, chunk, size, dtype))
        return jax.lax.dynamic_update_slice_in_dim(filled, part, first, 0)

    return jax.lax.fori_loop(0, -(-size // chunk), fill, jnp.zeros((size, *out.shape), out.dtype))


def symmetric_rows(linear: Callable[[jax.Array], jax.Array], size: int, chunk: int, dtype: Any) -> jax.Array:
    """The same for a linear map that is symmetric but for rounding, made so to the last bit.

    Every chunk of rows is written as columns too, over what came before: no second matrix is needed.
    """
    if chunk >= size:
        matrix = jax.vmap(linear)(jnp.eye(size, dtype=dtype))
        return (matrix + matrix.T) / 2

    def fill(i: jax.Array, filled: jax.Array) -> jax.Array:
        first = jnp.minimum(i * chunk, size - chunk)
        part = jax.vmap(linear)(_unit_rows(first, chunk, size, dtype))
        corner = jax.lax.dynamic_slice_in_dim(part, first, chunk, 1)
        part = jax.lax.dynamic_update_slice_in_dim(part, (corner + corner.T) / 2, first, 1)
        filled = jax.lax.dynamic_update_slice_in_dim(filled, part.T, first, 1)
        return jax.lax.dynamic_update_slice_in_dim(filled, part, first, 0)

    return jax.lax.fori_loop(0, -(-size // chunk), fill, jnp.zeros((size, size), dtype))


@compiled(0, 1)
def jacobian_reverse(f: Flat, chunk: int, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x) and J(x) row by row."""
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    return y, _rows_of(lambda u: pull(u)[0], y.size, chunk, y.dtype)


@compiled(0, 1, reverse=jacobian_reverse)
def jacobian_forward(f: Flat, chunk: int, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x) and J(x) column by column: linearized once, then applied to unit vectors."""
    y, push = jax.linearize(lambda z: f(z, *args), x)
    return y, _rows_of(push, x.size, chunk, x.dtype).T


@compiled(0)
def _values_and_jacobians_by_reverse(f: Flat, X: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    return jax.vmap(lambda x: (f(x, *args), jax.jacrev(lambda z: f(z, *args))(x)))(X)


@compiled(0, reverse=_values_and_jacobians_by_reverse)
def values_and_jacobians(f: Flat, X: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f and J at every row of X, shapes (rows, m) and (rows, m, n)."""

    def one(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y, push = jax.linearize(lambda z: f(z, *args), x)
        return y, jax.vmap(push)(jnp.eye(x.size, dtype=x.dtype)).T

    return jax.vmap(one)(X)


@compiled(0)
def slopes_by_output(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """J at every row of X by reverse products, shape (rows, m, n): for few outputs."""
    return jax.vmap(jax.jacrev(lambda z: f(z, *args)))(X)


@compiled(0, reverse=slopes_by_output)
def slopes_by_input(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """J at every row of X by forward products."""
    return jax.vmap(jax.jacfwd(lambda z: f(z, *args)))(X)


@compiled(0)
def _curves_by_reverse(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    return jax.vmap(jax.jacrev(jax.jacrev(lambda z: f(z, *args))))(X)


@compiled(0, reverse=_curves_by_reverse)
def curves(f: Flat, X: jax.Array, *args: Any) -> jax.Array:
    """The Hessian of every output at every row of X, shape (rows, m, n, n): forward over reverse."""
    return jax.vmap(jax.jacfwd(jax.jacrev(lambda z: f(z, *args))))(X)


def rows_of(X: Any, rows: int) -> jax.Array:
    """A batch of points, each as one vector, from a tree with the points along the first axis.

    Raises
    ------
    ShapeError
        If a number is not finite.
    """
    for leaf in jax.tree.leaves(X):
        if not isinstance(leaf, jax.core.Tracer) and not np.all(np.isfinite(np.asarray(leaf))):
            raise ShapeError("finite numbers", got="NaN or inf", remedy="clean the points", where="argument x")
    return jnp.concatenate([jnp.reshape(leaf, (rows, -1)) for leaf in jax.tree.leaves(X)], axis=1)


def joined(parts: Sequence[jax.Array]) -> jax.Array:
    """Arrays one below the other."""
    return jnp.concatenate(parts)


def _gradient_slope(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, args: Sequence[Any]) -> jax.Array:
    """H v by reverse over reverse."""
    return jax.grad(lambda z: jax.grad(lambda w: weights @ f(w, *args))(z) @ v)(x)


@compiled(0)
def _product_by_reverse(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    return _gradient_slope(f, x, weights, v, args)


@compiled(0, reverse=_product_by_reverse)
def hessian_product(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """The Hessian of weights·f at x, times v: forward over reverse."""
    return jax.jvp(jax.grad(lambda z: weights @ f(z, *args)), (x,), (v,))[1]


@compiled(0)
def _linear_gradient(f: Flat, x: jax.Array, weights: jax.Array, *args: Any) -> Any:
    """The gradient's linearization as arrays in a tree that can be called."""
    return jax.linearize(jax.grad(lambda z: weights @ f(z, *args)), x)[1]


@jax.jit
def _call(linear: Any, v: jax.Array) -> jax.Array:
    return linear(v)


class FixedPoint:
    """Products with the Hessian of weights·f at one point, its gradient linearized once.

    Parameters
    ----------
    f, x, weights, args
        As for `hessian_product`.
    budget : int
        Bytes that the linearization may keep; where it needs more, every product starts afresh.
    """

    def __init__(self, f: Flat, x: Any, weights: Any, args: Sequence[Any], budget: int) -> None:
        self._afresh = lambda v: hessian_product(f, x, weights, v, *args)
        self._linear: Any = None
        try:
            kept = jax.eval_shape(partial(_linear_gradient.function, f), x, weights, *args)
        except (TypeError, NotImplementedError):  # a rule for reverse products alone
            return
        if sum(v.size * v.dtype.itemsize for v in jax.tree.leaves(kept)) <= budget:
            self._linear = _linear_gradient(f, x, weights, *args)

    def __call__(self, v: Any) -> jax.Array:
        """H v."""
        return self._afresh(v) if self._linear is None else _call(self._linear, v)


@lru_cache(maxsize=256)
def loss_of_linear(f: Flat, loss: Flat) -> Flat:
    """``z ↦ loss(f(x) + J(x)(z − x))``: its Hessian at x is the Gauss-Newton matrix.

    It takes x, what else the loss takes (a tuple), and what else f takes.
    """

    def composed(z: jax.Array, x: jax.Array, extra: tuple[Any, ...], *args: Any) -> jax.Array:
        y, slope = jax.jvp(lambda w: f(w, *args), (x,), (z - x,))
        return loss(y + slope, *extra)

    return composed


@compiled(0)
def _quadratic_by_reverse(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    return v @ _gradient_slope(f, x, weights, v, args)


@compiled(0, reverse=_quadratic_by_reverse)
def hessian_quadratic(f: Flat, x: jax.Array, weights: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """v' H v of weights·f: forward over forward, nothing stored."""

    def slope(z: jax.Array) -> jax.Array:
        return jax.jvp(lambda w: weights @ f(w, *args), (z,), (v,))[1]

    return jax.jvp(slope, (x,), (v,))[1]


@compiled(0)
def _bend_by_reverse(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    return jax.jacrev(lambda z: jax.jacrev(lambda w: f(w, *args))(z) @ v)(x) @ v


@compiled(0, reverse=_bend_by_reverse)
def bend(f: Flat, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    """v' H v of every output, shape (m,): forward over forward."""
    return jax.jvp(lambda z: jax.jvp(lambda w: f(w, *args), (z,), (v,))[1], (x,), (v,))[1]


@compiled(0, 1)
def _hessian_by_reverse(f: Flat, chunk: int, x: jax.Array, weights: jax.Array, *args: Any) -> jax.Array:
    _, pull = jax.vjp(jax.grad(lambda z: weights @ f(z, *args)), x)
    return symmetric_rows(lambda u: pull(u)[0], x.size, chunk, x.dtype)


@compiled(0, 1, reverse=_hessian_by_reverse)
def hessian_dense(f: Flat, chunk: int, x: jax.Array, weights: jax.Array, *args: Any) -> jax.Array:
    """The Hessian of weights·f, its gradient linearized once; symmetric to the last bit."""
    _, push = jax.linearize(jax.grad(lambda z: weights @ f(z, *args)), x)
    return symmetric_rows(push, x.size, chunk, x.dtype)


@compiled(0)
def _second_by_reverse(f: Flat, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    def slopes(z: jax.Array) -> jax.Array:
        return jax.jacrev(lambda w: f(w, *args))(z)

    return f(x, *args), slopes(x), jax.jacrev(slopes)(x)


@compiled(0, reverse=_second_by_reverse)
def second_derivatives(f: Flat, x: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """f, J and the Hessian of every output, shapes (m,), (m, n), (m, n, n): for few inputs, one program."""

    def first(z: jax.Array) -> tuple[jax.Array, jax.Array]:
        y, push = jax.linearize(lambda w: f(w, *args), z)
        return y, jax.vmap(push)(jnp.eye(z.size, dtype=z.dtype)).T

    (y, jacobian), push = jax.linearize(first, x)
    curves = jax.vmap(lambda v: push(v)[1])(jnp.eye(x.size, dtype=x.dtype))
    return y, jacobian, jnp.moveaxis(curves, 0, -1)


def work_bytes(f: Flat) -> int:
    """Not known before compilation."""
    del f
    return 0


def notes(f: Flat) -> tuple[str, ...]:
    """Nothing beyond the plan."""
    del f
    return ()


def vector(v: Any, like: Any) -> Any:
    """A vector as it is if it is JAX's, else NumPy's in the precision of ``like``."""
    return v if isinstance(v, jax.Array) and isinstance(like, jax.Array) else np.asarray(v, dtype=like.dtype)


def rows(X: Float[np.ndarray, "rows n"], like: Any) -> Float[np.ndarray, "more n"]:
    """X with its last row repeated up to a power of two, so that one compiled program serves many sizes.

    Examples
    --------
    >>> rows(np.ones((20, 2)), np.ones(2)).shape, rows(np.ones((33, 2)), np.ones(2)).shape
    ((32, 2), (64, 2))
    """
    X = np.asarray(X, dtype=like.dtype)
    count = max(32, 1 << (len(X) - 1).bit_length()) if len(X) else 0
    return np.concatenate([X, np.repeat(X[-1:], count - len(X), axis=0)])


def to_numpy(array: Any) -> np.ndarray:
    """The array as NumPy's."""
    return np.asarray(array)


def in_form_of(array: Any, point: Any) -> np.ndarray:
    """NumPy, which is what solvers take."""
    del point
    return np.asarray(array)


def rounding(x: Any) -> float:
    """The relative spacing of numbers as precise as x."""
    return float(jnp.finfo(x.dtype).eps)


def first_not_finite(matrix: Any) -> tuple[tuple[int, ...], float, int] | None:
    """Place and value of the first NaN or infinity, and how many there are; nothing is known while tracing."""
    if isinstance(matrix, jax.core.Tracer):
        return None
    matrix = np.asarray(matrix)
    bad = np.argwhere(~np.isfinite(matrix))
    return (tuple(bad[0].tolist()), matrix[tuple(bad[0])], len(bad)) if len(bad) else None


def output_size(f: Flat, x: jax.Array, args: Sequence[Any]) -> tuple[int, Any]:
    """Number of outputs and their dtype, by tracing alone.

    Raises
    ------
    DerivativeError
        If the outputs are not real floating-point numbers, so that no derivative exists.
    """
    out = jax.eval_shape(f, x, *args)
    if not jnp.issubdtype(out.dtype, jnp.floating):
        raise DerivativeError(
            "real floating-point outputs",
            got=f"dtype {out.dtype}",
            remedy="return floats: whole numbers have no slope",
        )
    if not out.shape[0]:
        raise ShapeError("a function with an output", got="none", remedy="return at least one number")
    return int(out.shape[0]), out.dtype


def _along(linear: Callable[[jax.Array], jax.Array], seeds: jax.Array, chunk: int) -> jax.Array:
    """``linear`` applied to every seed, ``chunk`` at a time."""
    if chunk >= len(seeds):
        return jax.vmap(linear)(seeds)
    return jax.lax.map(linear, seeds, batch_size=chunk)


@compiled(0, 1)
def pullbacks(f: Flat, chunk: int, x: jax.Array, seeds: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x), and J' u for every u among the rows of ``seeds``."""
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    return y, _along(lambda u: pull(u)[0], seeds.astype(y.dtype), chunk)


@compiled(0, 1)
def _pushforwards_by_reverse(
    f: Flat, chunk: int, x: jax.Array, seeds: jax.Array, *args: Any
) -> tuple[jax.Array, jax.Array]:
    y, pull = jax.vjp(lambda z: f(z, *args), x)
    _, back = jax.vjp(lambda u: pull(u)[0], jnp.zeros_like(y))
    return y, _along(lambda v: back(v)[0], seeds.astype(x.dtype), chunk)


@compiled(0, 1, reverse=_pushforwards_by_reverse)
def pushforwards(f: Flat, chunk: int, x: jax.Array, seeds: jax.Array, *args: Any) -> tuple[jax.Array, jax.Array]:
    """f(x), and J v for every v among the rows of ``seeds``."""
    y, push = jax.linearize(lambda z: f(z, *args), x)
    return y, _along(push, seeds.astype(x.dtype), chunk)


@compiled(0, 1)
def _products_by_reverse(
    f: Flat, chunk: int, x: jax.Array, weights: jax.Array, seeds: jax.Array, *args: Any
) -> jax.Array:
    _, pull = jax.vjp(jax.grad(lambda z: weights @ f(z, *args)), x)
    return _along(lambda u: pull(u)[0], seeds.astype(x.dtype), chunk)


@compiled(0, 1, reverse=_products_by_reverse)
def hessian_products(f: Flat, chunk: int, x: jax.Array, weights: jax.Array, seeds: jax.Array, *args: Any) -> jax.Array:
    """The Hessian of weights·f times every v among the rows of ``seeds``."""
    _, push = jax.linearize(jax.grad(lambda z: weights @ f(z, *args)), x)
    return _along(push, seeds.astype(x.dtype), chunk)


@jax.jit
def taken(parts: Sequence[jax.Array], source: jax.Array) -> jax.Array:
    """The numbers at ``source`` among all arrays set end to end."""
    line = jnp.concatenate([part.reshape(-1) for part in parts])
    return line.at[source].get(mode="promise_in_bounds")


def sparse_matrix(indptr: np.ndarray, columns: np.ndarray, data: jax.Array, shape: tuple[int, int]) -> Any:
    """A matrix in compressed rows as JAX's ``BCOO``."""
    from jax.experimental.sparse import BCOO

    rows = np.repeat(np.arange(shape[0], dtype=columns.dtype), np.diff(indptr))
    places = jnp.asarray(np.stack([rows, columns], axis=1))
    return BCOO((data, places), shape=shape, indices_sorted=True, unique_indices=True)


@compiled(0, 1)
def _laplacian_by_reverse(f: Flat, _: int, x: jax.Array, *args: Any) -> jax.Array:
    return jnp.trace(jax.jacrev(jax.jacrev(lambda z: f(z, *args)))(x), axis1=1, axis2=2)


@compiled(0, 1, reverse=_laplacian_by_reverse)
def laplacian(f: Flat, chunk: int, x: jax.Array, *args: Any) -> jax.Array:
    """The sum of every output's second derivatives along the inputs, ``chunk`` inputs at a time."""

    def along(k: jax.Array) -> jax.Array:
        v = (jnp.arange(x.size) == k).astype(x.dtype)
        return jax.jvp(lambda z: jax.jvp(lambda w: f(w, *args), (z,), (v,))[1], (x,), (v,))[1]

    def add(i: jax.Array, total: jax.Array) -> jax.Array:
        k = i * chunk + jnp.arange(chunk)  # past the last input the direction is zero
        return total + jax.vmap(along)(k).sum(axis=0)

    out = jax.eval_shape(along, jnp.zeros((), int))
    return jax.lax.fori_loop(0, -(-x.size // chunk), add, jnp.zeros(out.shape, out.dtype))


def taylor(f: Flat, order: int, x: Any, v: Any, *args: Any) -> jax.Array:
    """Taylor coefficients of f along v, shape (order + 1, m): by JAX's Taylor arithmetic, or by nested slopes.

    Taylor arithmetic is taken where it has every rule and agrees with the slopes of first and second order, which
    are worked out beside it: some of its rules give wrong coefficients in silence.
    """
    if order > 2:
        try:
            found = _by_arithmetic(f, order, x, v, *args)
        except Exception:  # whatever the experimental arithmetic stumbles over
            return _by_nesting(f, order, x, v, *args)
        if isinstance(found, jax.core.Tracer):
            return _by_nesting(f, order, x, v, *args)
        checked = np.asarray(_by_nesting(f, 3, x, v, *args))
        if np.allclose(found[:4], checked, rtol=1e-3 * float(jnp.finfo(checked.dtype).eps) ** 0.25, atol=0):
            return found
    return _by_nesting(f, order, x, v, *args)


@compiled(0, 1)
def _by_arithmetic(f: Flat, order: int, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    from jax.experimental.jet import jet

    series = [v] + [jnp.zeros_like(v)] * (order - 1)
    y, terms = jet(lambda z: f(z, *args), (x,), (series,))
    return jnp.stack([y, *terms]) / _factorials(order, y.dtype)


@compiled(0, 1)
def _by_nesting(f: Flat, order: int, x: jax.Array, v: jax.Array, *args: Any) -> jax.Array:
    def along(t: jax.Array) -> jax.Array:
        return f(x + t * v, *args)

    found, derivative = [], along
    zero, one = jnp.zeros((), x.dtype), jnp.ones((), x.dtype)
    for _ in range(order + 1):
        found.append(derivative(zero))
        derivative = partial(_slope, derivative, one)
    return jnp.stack(found) / _factorials(order, found[0].dtype)


def _slope(g: Callable[[jax.Array], jax.Array], one: jax.Array, t: jax.Array) -> jax.Array:
    return jax.jvp(g, (t,), (one,))[1]


def _factorials(order: int, dtype: Any) -> jax.Array:
    return jnp.asarray([[float(math.factorial(k))] for k in range(order + 1)], dtype)
