"""One list of functions with exact Jacobian and Hessian that every backend must pass (PyTorch: `scenarios_torch`).

The truth is worked out by SymPy at 30 digits from a formula written apart from the JAX function; of the sums and
products that SymPy is slow at, in closed form. No Jacobian here is square, so that a transposition shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import sympy as sp

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Scenario:
    """A function in JAX, a point, and the truth there.

    Parameters
    ----------
    name : str
        For the test's id.
    function : callable
        From shape (n,) to shape (m,).
    x : array, shape (n,)
        A point where the function is smooth.
    formula : callable
        The same function of n SymPy symbols, as a list of m expressions.
    """

    name: str
    function: Callable[[Any], Any]
    x: Array
    formula: Callable[..., list[Any]]

    @property
    def n(self) -> int:
        """Number of inputs."""
        return len(self.x)

    @property
    def m(self) -> int:
        """Number of outputs."""
        return len(self.value)

    @cached_property
    def _exact(self) -> tuple[Array, Array, Array]:
        symbols = sp.symbols(f"z0:{self.n}", real=True)
        outputs = [sp.sympify(e) for e in self.formula(*symbols)]
        slopes = [[sp.diff(e, s) for s in symbols] for e in outputs]
        curves = [[[sp.diff(row[j], symbols[k]) for k in range(j, self.n)] for j in range(self.n)] for row in slopes]
        with mpmath.workdps(30):
            point = [mpmath.mpf(float(v)) for v in self.x]
            found = sp.lambdify(symbols, [outputs, slopes, curves], "mpmath", cse=True)(*point)
        value, jacobian, upper = found
        hessian = np.zeros((len(value), self.n, self.n))
        for i, rows in enumerate(upper):
            for j, row in enumerate(rows):
                for k, entry in enumerate(row, start=j):
                    hessian[i, j, k] = hessian[i, k, j] = float(entry)
        return np.array(value, dtype=float), np.array(jacobian, dtype=float).reshape(-1, self.n), hessian

    @property
    def value(self) -> Array:
        """f(x), shape (m,)."""
        return self._exact[0]

    @property
    def jacobian(self) -> Array:
        """J(x), shape (m, n)."""
        return self._exact[1]

    @property
    def hessian(self) -> Array:
        """The Hessian of every output, shape (m, n, n)."""
        return self._exact[2]

    def __str__(self) -> str:
        return f"{self.name} {self.n}->{self.m}"


A34 = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.5], [2.5, 0.25, 4.0], [-1.0, 0.5, 0.75]])
Q3 = np.array([[2.0, -1.0, 0.5], [3.0, 1.0, -2.0], [0.0, 4.0, -3.0]])
TIMES = (0.5, 1.0, 2.0, 4.0, 7.0)
DOSES = (0.1, 0.5, 1.0, 2.0, 5.0, 20.0)
W1 = np.array([[0.5, -1.0, 0.25], [1.5, 0.75, -0.5], [-0.25, 0.3, 1.0], [0.6, -0.4, 0.2]])
W2 = np.array([[1.0, -0.5, 0.75, 0.3], [-1.25, 0.4, 0.5, 1.0]])


def _dot(row: Any, x: Any) -> Any:
    return sum(sp.Rational(str(float(a))) * b for a, b in zip(row, x, strict=True))


def _recursion(x: Any) -> Any:
    def step(z: Any, _: Any) -> Any:
        return x[0] * z * (1 - z), None

    return jax.lax.scan(step, x[1], None, length=4)[0][None]


def _recursion_formula(r: Any, z: Any) -> list[Any]:
    for _ in range(4):
        z = r * z * (1 - z)
    return [z]


def _solved(x: Any) -> Any:
    A = jnp.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
    A = A.at[0, 0].add(x[0]).at[1, 2].add(x[0] * x[1])
    return jnp.linalg.solve(A, jnp.array([1.0, 2.0, 0.0]).at[2].set(x[1]))


def _solved_formula(a: Any, b: Any) -> list[Any]:
    A = sp.Matrix([[4 + a, 1, 0], [1, 3, 1 + a * b], [0, 1, 2]])
    return list(A.inv() * sp.Matrix([1, 2, b]))


def _gram(x: Any) -> Any:
    A = x.reshape(2, 3)
    return jnp.linalg.det(A @ A.T)[None]


def _gram_formula(*x: Any) -> list[Any]:
    A = sp.Matrix(2, 3, x)
    return [(A * A.T).det()]


def _softmax_formula(*x: Any) -> list[Any]:
    z = [sp.exp(_dot(row, x)) for row in A34]
    return [v / sum(z) for v in z]


def _switched(x: Any) -> Any:
    return jnp.where(x[0] > 0, jnp.stack([x[0] ** 2 * x[1], x[2] ** 3]), jnp.stack([x[1], x[0]]))


def _cholesky(x: Any) -> Any:
    L = jnp.linalg.cholesky(jnp.array([[1.0, 0.0], [0.0, 2.0]]) + jnp.outer(x, x))
    return jnp.stack([L[0, 0], L[1, 0], L[1, 1]])


def _blend(x: Any) -> Any:
    a, b, c, d = x
    hiding = 68.748 * a + 7.291 * b + 11.419 * c + 14.578 * d - 64.32 * a * b + 35.878 * a * c - 6.59 * c * d
    return jnp.stack([hiding, jnp.exp(0.01 * hiding) + 3.0 * b * d])


def _blend_formula(a: Any, b: Any, c: Any, d: Any) -> list[Any]:
    k = sp.Rational
    hiding = k("68.748") * a + k("7.291") * b + k("11.419") * c + k("14.578") * d
    hiding += -k("64.32") * a * b + k("35.878") * a * c - k("6.59") * c * d
    return [hiding, sp.exp(hiding / 100) + 3 * b * d]


SCENARIOS = [
    Scenario(
        "affine",
        lambda x: jnp.array(A34) @ x + 1.0,
        np.array([0.3, -0.7, 1.1]),
        lambda *x: [_dot(r, x) + 1 for r in A34],
    ),
    Scenario(
        "quadratic form",
        lambda x: (x @ jnp.array(Q3) @ x)[None],
        np.array([0.4, 1.3, -0.6]),
        lambda *x: [sum(x[i] * _dot(Q3[i], x) for i in range(3))],
    ),
    Scenario(
        "constant",
        lambda x: jnp.stack([0.0 * x[0] + 2.0, 0.0 * x[1] + 3.0]),
        np.array([0.1, 0.2, 0.3]),
        lambda a, b, c: [2, 3],
    ),
    Scenario("one input", lambda x: x[0] ** jnp.arange(1.0, 5.0), np.array([1.3]), lambda a: [a, a**2, a**3, a**4]),
    Scenario(
        "products",
        lambda x: jnp.stack([jnp.prod(x), x[0] * x[4] - x[1] * x[2] ** 2]),
        np.array([0.5, 1.5, -1.2, 0.8, 2.0]),
        lambda a, b, c, d, e: [a * b * c * d * e, a * e - b * c**2],
    ),
    Scenario(
        "sphere",
        lambda x: jnp.stack([jnp.sin(x[0]) * jnp.cos(x[1]), jnp.sin(x[0]) * jnp.sin(x[1]), jnp.cos(x[0])]),
        np.array([0.8, 2.1]),
        lambda a, b: [sp.sin(a) * sp.cos(b), sp.sin(a) * sp.sin(b), sp.cos(a)],
    ),
    Scenario(
        "Rosenbrock",
        lambda x: jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)[None],
        np.array([-1.2, 1.0, 0.7, -0.4]),
        lambda *x: [sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(3))],
    ),
    Scenario(
        "Himmelblau",
        lambda x: ((x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2)[None],
        np.array([2.3, -1.9]),
        lambda a, b: [(a**2 + b - 11) ** 2 + (a + b**2 - 7) ** 2],
    ),
    Scenario(
        "kinetics",
        lambda x: jnp.stack([-0.04 * x[0] + 1e4 * x[1] * x[2], 0.04 * x[0] - 1e4 * x[1] * x[2] - 3e7 * x[1] ** 2]),
        np.array([0.9, 3e-5, 0.1]),
        lambda a, b, c: [-a / 25 + 10**4 * b * c, a / 25 - 10**4 * b * c - 3 * 10**7 * b**2],
    ),
    Scenario(
        "waves",
        lambda x: jnp.stack([jnp.sin(x[0] * x[1]) + x[2], jnp.cos(x[1]) * jnp.exp(x[2])]),
        np.array([0.7, 1.4, -0.3]),
        lambda a, b, c: [sp.sin(a * b) + c, sp.cos(b) * sp.exp(c)],
    ),
    Scenario(
        "growth",
        lambda x: x[0] * jnp.exp(x[1] * jnp.array(TIMES)),
        np.array([2.0, -0.35]),
        lambda a, b: [a * sp.exp(b * sp.Rational(str(t))) for t in TIMES],
    ),
    Scenario(
        "Michaelis-Menten",
        lambda x: x[0] * jnp.array(DOSES) / (x[1] + jnp.array(DOSES)),
        np.array([3.0, 0.9]),
        lambda a, b: [a * sp.Rational(str(s)) / (b + sp.Rational(str(s))) for s in DOSES],
    ),
    Scenario(
        "logistic",
        lambda x: x[0] / (1 + jnp.exp(-x[1] * (jnp.array(TIMES) - x[2]))),
        np.array([1.7, 0.8, 2.2]),
        lambda a, b, c: [a / (1 + sp.exp(-b * (sp.Rational(str(t)) - c))) for t in TIMES],
    ),
    Scenario(
        "rational",
        lambda x: jnp.stack([x[0] * x[1] / (1 + x[2] ** 2), (x[3] - x[0]) / (2 + x[1] * x[3])]),
        np.array([0.4, 1.6, -0.9, 0.3]),
        lambda a, b, c, d: [a * b / (1 + c**2), (d - a) / (2 + b * d)],
    ),
    Scenario(
        "entropy",
        lambda x: -jnp.sum(x * jnp.log(x))[None],
        np.array([0.2, 0.5, 0.3]),
        lambda *x: [-sum(v * sp.log(v) for v in x)],
    ),
    Scenario("power", lambda x: (x[0] ** x[1])[None], np.array([1.7, 2.3]), lambda a, b: [sp.exp(b * sp.log(a))]),
    Scenario("angle", lambda x: jnp.arctan2(x[0], x[1])[None], np.array([0.8, 1.3]), lambda a, b: [sp.atan(a / b)]),
    Scenario(
        "network",
        lambda x: jnp.array(W2) @ jnp.tanh(jnp.array(W1) @ x),
        np.array([0.3, -0.8, 0.6]),
        lambda *x: [_dot(row, [sp.tanh(_dot(w, x)) for w in W1]) for row in W2],
    ),
    Scenario("softmax", lambda x: jax.nn.softmax(jnp.array(A34) @ x), np.array([0.2, 0.1, -0.3]), _softmax_formula),
    Scenario(
        "log-sum-exp",
        lambda x: jax.scipy.special.logsumexp(x)[None],
        np.array([0.1, -0.4, 0.9, 1.2, 0.0]),
        lambda *x: [sp.log(sum(sp.exp(v) for v in x))],
    ),
    Scenario(
        "length",
        lambda x: jnp.linalg.norm(x)[None],
        np.array([1.0, -2.0, 0.5, 3.0]),
        lambda *x: [sp.sqrt(sum(v**2 for v in x))],
    ),
    Scenario(
        "bump",
        lambda x: jnp.exp(-0.5 * jnp.sum(((x - 0.2) / jnp.array([0.5, 1.0, 2.0])) ** 2))[None],
        np.array([0.6, -0.5, 1.1]),
        lambda a, b, c: [
            sp.exp(
                -(
                    (2 * (a - sp.Rational(1, 5))) ** 2
                    + (b - sp.Rational(1, 5)) ** 2
                    + ((c - sp.Rational(1, 5)) / 2) ** 2
                )
                / 2
            )
        ],
    ),
    Scenario("Gram determinant", _gram, np.array([1.0, 0.5, -0.3, 0.2, 1.4, 0.7]), _gram_formula),
    Scenario("blend", _blend, np.array([0.31, 0.34, 0.30, 0.05]), _blend_formula),
    Scenario("recursion", _recursion, np.array([3.1, 0.35]), _recursion_formula),
    Scenario("switch", _switched, np.array([0.6, -1.1, 0.9]), lambda a, b, c: [a**2 * b, c**3]),
    Scenario("linear solve", _solved, np.array([0.7, -0.4]), _solved_formula),
    Scenario(
        "Beale residuals",
        lambda x: jnp.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** jnp.array([1.0, 2.0, 3.0])),
        np.array([1.2, 0.7]),
        lambda a, b: [sp.Rational(c) - a * (1 - b**k) for k, c in ((1, "1.5"), (2, "2.25"), (3, "2.625"))],
    ),
    Scenario(
        "Branin",
        lambda x: (
            (x[1] - 5.1 / (4 * jnp.pi**2) * x[0] ** 2 + 5 / jnp.pi * x[0] - 6) ** 2
            + 10 * (1 - 1 / (8 * jnp.pi)) * jnp.cos(x[0])
            + 10
        )[None],
        np.array([1.3, 4.2]),
        lambda a, b: [
            (b - sp.Rational("5.1") / (4 * sp.pi**2) * a**2 + 5 / sp.pi * a - 6) ** 2
            + 10 * (1 - 1 / (8 * sp.pi)) * sp.cos(a)
            + 10
        ],
    ),
    Scenario(
        "Ackley",
        lambda x: (
            20 + jnp.e - 20 * jnp.exp(-0.2 * jnp.sqrt(jnp.mean(x**2))) - jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))
        )[None],
        np.array([0.4, -0.9, 1.3]),
        lambda *x: [
            20
            + sp.E
            - 20 * sp.exp(-sp.sqrt(sum(v**2 for v in x) / 3) / 5)
            - sp.exp(sum(sp.cos(2 * sp.pi * v) for v in x) / 3)
        ],
    ),
    Scenario(
        "Arrhenius",
        lambda x: x[0] * jnp.exp(-x[1] / jnp.array(TIMES)),
        np.array([3.5, 1.4]),
        lambda a, b: [a * sp.exp(-b / sp.Rational(str(t))) for t in TIMES],
    ),
    Scenario(
        "van der Waals",
        lambda x: (8.314 * x[0] / (x[1] - 0.04) - x[2] / x[1] ** 2)[None],
        np.array([3.1, 0.9, 1.4]),
        lambda t, v, a: [sp.Rational("8.314") * t / (v - sp.Rational("0.04")) - a / v**2],
    ),
    Scenario(
        "Lennard-Jones pair",
        lambda x: (lambda r2: (r2**-6 - 2 * r2**-3)[None])(jnp.sum((x[:3] - x[3:]) ** 2)),
        np.array([0.1, -0.2, 0.3, 0.9, 0.4, -0.5]),
        lambda a, b, c, d, e, f: [
            ((a - d) ** 2 + (b - e) ** 2 + (c - f) ** 2) ** -6 - 2 * ((a - d) ** 2 + (b - e) ** 2 + (c - f) ** 2) ** -3
        ],
    ),
    Scenario(
        "two-link arm",
        lambda x: jnp.stack([x[2] * jnp.cos(x[0]) + jnp.cos(x[0] + x[1]), x[2] * jnp.sin(x[0]) + jnp.sin(x[0] + x[1])]),
        np.array([0.6, -1.1, 1.4]),
        lambda a, b, c: [c * sp.cos(a) + sp.cos(a + b), c * sp.sin(a) + sp.sin(a + b)],
    ),
    Scenario(
        "products of pairs",
        lambda x: jnp.outer(x, x)[np.triu_indices(3)],
        np.array([0.7, -1.3, 2.1]),
        lambda *x: [x[i] * x[j] for i in range(3) for j in range(i, 3)],
    ),
    Scenario(
        "inverse trigonometry",
        lambda x: jnp.stack([jnp.arcsin(x[0] * x[1]), jnp.arccos(x[1] / 2), jnp.arctan(x[0] + x[1])]),
        np.array([0.6, -0.8]),
        lambda a, b: [sp.asin(a * b), sp.acos(b / 2), sp.atan(a + b)],
    ),
    Scenario(
        "hyperbolic",
        lambda x: jnp.stack([jnp.sinh(x[0]), jnp.cosh(x[0] * x[1]), jnp.arcsinh(x[1])]),
        np.array([0.9, -0.7]),
        lambda a, b: [sp.sinh(a), sp.cosh(a * b), sp.asinh(b)],
    ),
    Scenario(
        "error function",
        lambda x: jax.scipy.special.erf(x[:1] * x[1:]),
        np.array([0.8, 0.9]),
        lambda a, b: [sp.erf(a * b)],
    ),
    Scenario(
        "sums so far",
        lambda x: jnp.cumsum(x**2)[1:],
        np.array([0.5, -1.5, 2.0, 0.3]),
        lambda *x: [sum(v**2 for v in x[: k + 2]) for k in range(3)],
    ),
    Scenario(
        "squared filter",
        lambda x: jnp.convolve(x, jnp.array([0.5, -1.0, 2.0]), mode="valid") ** 2,
        np.array([0.4, 1.1, -0.7, 0.2, 0.9]),
        lambda *x: [(x[k + 2] / 2 - x[k + 1] + 2 * x[k]) ** 2 for k in range(3)],
    ),
    Scenario(
        "smallest two",
        lambda x: (lambda s: jnp.stack([s[0] ** 2, s[0] * s[1]]))(jnp.sort(x)),
        np.array([1.2, -0.5, 0.8, 0.1]),
        lambda a, b, c, d: [b**2, b * d],
    ),
    Scenario(
        "largest of each pair",
        lambda x: jnp.max(x.reshape(3, 2), axis=1) ** 3,
        np.array([0.3, 0.9, -0.4, -1.1, 2.0, 0.5]),
        lambda a, b, c, d, e, f: [b**3, c**3, e**3],
    ),
    Scenario(
        "gathered",
        lambda x: x[np.array([2, 0, 0, 1, 2])] * jnp.sin(x[np.array([0, 0, 1, 2, 2])]),
        np.array([0.7, 1.6, -0.9]),
        lambda *x: [x[i] * sp.sin(x[j]) for i, j in ((2, 0), (0, 0), (0, 1), (1, 2), (2, 2))],
    ),
    Scenario(
        "Cholesky factor",
        _cholesky,
        np.array([0.8, -1.2]),
        lambda a, b: [
            sp.sqrt(a**2 + 1),
            a * b / sp.sqrt(a**2 + 1),
            sp.sqrt(b**2 + 2 - a**2 * b**2 / (a**2 + 1)),
        ],
    ),
    Scenario(
        "mean and variance",
        lambda x: jnp.stack([jnp.mean(x), jnp.var(x, ddof=1)]),
        np.array([0.3, 1.9, -0.6, 1.1, 0.2]),
        lambda *x: [sum(x) / 5, sum((v - sum(x) / 5) ** 2 for v in x) / 4],
    ),
    Scenario(
        "cross product",
        lambda x: jnp.cross(x[:3], x[3:]),
        np.array([0.4, -1.0, 0.7, 1.2, 0.3, -0.8]),
        lambda a, b, c, d, e, f: [b * f - c * e, c * d - a * f, a * e - b * d],
    ),
    Scenario(
        "softplus layer",
        lambda x: jax.nn.softplus(jnp.array(A34) @ x),
        np.array([0.2, -0.6, 0.4]),
        lambda *x: [sp.log(1 + sp.exp(_dot(row, x))) for row in A34],
    ),
]
