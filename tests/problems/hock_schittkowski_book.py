"""Problems of W. Hock and K. Schittkowski (1981), *Test Examples for Nonlinear Programming Codes*, Springer.

JAX functions with the book's bounds, constraints and standard starts. `objective` is the book's optimum, closed form
where there is one; where the book's last digits are known to be off (HS106, HS112) it is the value that later
collections give, and the problem says so. `local` are other minima that starts lead to; the tests show that they are
minima. Nonlinear constraints are written as the book has them, "> 0" or "= 0".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint

INF = np.inf
PI = np.pi
ROOT = np.sqrt


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimize ``f`` from ``start``; ``relations`` has one of ``>`` and ``=`` per entry of ``curved(x)``.

    ``rows`` are linear constraints: coefficients, relation, right-hand side.
    """

    name: str
    f: Callable[[Any], Any]
    start: np.ndarray
    objective: float
    lower: np.ndarray
    upper: np.ndarray
    curved: Callable[[Any], Any] | None
    relations: str
    rows: tuple[tuple[Any, str, float], ...]
    local: tuple[float, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def n(self) -> int:
        return len(self.start)

    @property
    def bounds(self):
        return self.lower, self.upper

    @property
    def constraints(self):
        """As `landform.minimize` and `scipy.optimize.minimize` take them."""
        found = []
        if self.rows:
            A, relations, level = zip(*self.rows, strict=True)
            high = [c if r == "=" else INF for r, c in zip(relations, level, strict=True)]
            found.append(LinearConstraint(np.array(A, dtype=float), np.array(level, dtype=float), high))
        if self.curved is not None:
            high = np.array([0.0 if r == "=" else INF for r in self.relations])
            found.append(NonlinearConstraint(self.stacked, 0.0, high))
        return found

    def stacked(self, x):
        return jnp.stack([jnp.asarray(part, dtype=x.dtype) for part in self.curved(x)])

    @property
    def begin(self) -> np.ndarray:
        """The standard start, brought into the bounds where the book's lies outside them."""
        return np.clip(self.start, self.lower, self.upper)


PROBLEMS: dict[str, Problem] = {}


def problem(number, start, objective, *, low=-INF, high=INF, curved=None, relations="", rows=(), local=()):
    """Enter the decorated objective into the list."""
    start = np.array(start, dtype=float)

    def side(given):
        return np.array(np.broadcast_to(np.asarray(given, dtype=float), start.shape))

    def enter(f):
        name = f"HS{number}"
        PROBLEMS[name] = Problem(
            name, f, start, float(objective), side(low), side(high), curved, relations, tuple(rows), tuple(local)
        )
        return f

    return enter


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def product(x):
    return -x[0] * x[1] * x[2]


problem(1, [-2, 1], 0, low=[-INF, -1.5])(rosenbrock)
problem(2, [-2, 1], 0.0504261879, low=[-INF, 1.5], local=[4.941229318])(rosenbrock)
problem(15, [-2, 1], 306.5, high=[0.5, INF], relations=">>", local=[360.379767],
        curved=lambda x: (x[0] * x[1] - 1, x[0] + x[1] ** 2))(rosenbrock)  # fmt: skip
problem(16, [-2, 1], 0.25, low=[-0.5, -INF], high=[0.5, 1], relations=">>", local=[23.14466],
        curved=lambda x: (x[0] + x[1] ** 2, x[0] ** 2 + x[1]))(rosenbrock)  # fmt: skip
problem(17, [-2, 1], 1, low=[-0.5, -INF], high=[0.5, 1], relations=">>",
        curved=lambda x: (x[1] ** 2 - x[0], x[0] ** 2 - x[1]))(rosenbrock)  # fmt: skip
problem(20, [-2, 1], 81.5 - 25 * ROOT(3), low=[-0.5, -INF], high=[0.5, INF], relations=">>>", local=[40.19873],
        curved=lambda x: (x[0] + x[1] ** 2, x[0] ** 2 + x[1], x @ x - 1))(rosenbrock)  # fmt: skip
problem(29, [1, 1, 1], -16 * ROOT(2), relations=">",
        curved=lambda x: (48 - x[0] ** 2 - 2 * x[1] ** 2 - 4 * x[2] ** 2,))(product)  # fmt: skip
problem(36, [10, 10, 10], -3300, low=0, high=[20, 11, 42], rows=[([-1, -2, -2], ">", -72)])(product)
problem(37, [10, 10, 10], -3456, low=0, high=42, rows=[([-1, -2, -2], ">", -72), ([1, 2, 2], ">", 0)])(product)


@problem(3, [10, 1], 0, low=[-INF, 0])
def _(x):
    return x[1] + 1e-5 * (x[1] - x[0]) ** 2


@problem(4, [1.125, 0.125], 8 / 3, low=[1, 0])
def _(x):
    return (x[0] + 1) ** 3 / 3 + x[1]


@problem(5, [0, 0], -ROOT(3) / 2 - PI / 3, low=[-1.5, -3], high=[4, 3], local=[2 * PI / 3 - ROOT(3) / 2])
def _(x):
    return jnp.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1


@problem(6, [-1.2, 1], 0, curved=lambda x: (10 * (x[1] - x[0] ** 2),), relations="=")
def _(x):
    return (1 - x[0]) ** 2


@problem(7, [2, 2], -ROOT(3), curved=lambda x: ((1 + x[0] ** 2) ** 2 + x[1] ** 2 - 4,), relations="=")
def _(x):
    return jnp.log(1 + x[0] ** 2) - x[1]


@problem(8, [2, 1], -1, curved=lambda x: (x @ x - 25, x[0] * x[1] - 9), relations="==")
def _(x):
    return -1 + 0 * x[0]


@problem(9, [0, 0], -0.5, rows=[([4, -3], "=", 0)])
def _(x):
    return jnp.sin(PI * x[0] / 12) * jnp.cos(PI * x[1] / 16)


@problem(10, [-10, 10], -1, curved=lambda x: (-3 * x[0] ** 2 + 2 * x[0] * x[1] - x[1] ** 2 + 1,), relations=">")
def _(x):
    return x[0] - x[1]


@problem(11, [4.9, 0.1], -8.498464223, curved=lambda x: (-(x[0] ** 2) + x[1],), relations=">")
def _(x):
    return (x[0] - 5) ** 2 + x[1] ** 2 - 25


@problem(12, [0, 0], -30, curved=lambda x: (25 - 4 * x[0] ** 2 - x[1] ** 2,), relations=">")
def _(x):
    return 0.5 * x[0] ** 2 + x[1] ** 2 - x[0] * x[1] - 7 * x[0] - 7 * x[1]


@problem(13, [-2, -2], 1, low=0, curved=lambda x: ((1 - x[0]) ** 3 - x[1],), relations=">")
def _(x):
    return (x[0] - 2) ** 2 + x[1] ** 2


def near_two_one(x):
    return (x[0] - 2) ** 2 + (x[1] - 1) ** 2


problem(14, [2, 2], 9 - 2.875 * ROOT(7), relations=">", rows=[([1, -2], "=", -1)],
        curved=lambda x: (-0.25 * x[0] ** 2 - x[1] ** 2 + 1,))(near_two_one)  # fmt: skip
problem(22, [2, 2], 1, relations=">", rows=[([-1, -1], ">", -2)],
        curved=lambda x: (-(x[0] ** 2) + x[1],))(near_two_one)  # fmt: skip


@problem(18, [2, 2], 5, low=[2, 0], high=50, curved=lambda x: (x[0] * x[1] - 25, x @ x - 25), relations=">>")
def _(x):
    return 0.01 * x[0] ** 2 + x[1] ** 2


@problem(19, [20.1, 5.84], -6961.8138755802, low=[13, 0], high=100, relations=">>",
         curved=lambda x: ((x[0] - 5) ** 2 + (x[1] - 5) ** 2 - 100,
                           82.81 - (x[0] - 6) ** 2 - (x[1] - 5) ** 2))  # fmt: skip
def _(x):
    return (x[0] - 10) ** 3 + (x[1] - 20) ** 3


@problem(21, [-1, -1], -99.96, low=[2, -50], high=50, rows=[([10, -1], ">", 10)])
def _(x):
    return 0.01 * x[0] ** 2 + x[1] ** 2 - 100


@problem(23, [3, 1], 2, low=-50, high=50, rows=[([1, 1], ">", 1)], relations=">>>>",
         curved=lambda x: (x @ x - 1, 9 * x[0] ** 2 + x[1] ** 2 - 9, x[0] ** 2 - x[1], x[1] ** 2 - x[0]))  # fmt: skip
def _(x):
    return x @ x


@problem(24, [1, 0.5], -1, low=0,
         rows=[([1 / ROOT(3), -1], ">", 0), ([1, ROOT(3)], ">", 0), ([-1, -ROOT(3)], ">", -6)])  # fmt: skip
def _(x):
    return ((x[0] - 3) ** 2 - 9) * x[1] ** 3 / (27 * ROOT(3))


_I25 = 0.01 * np.arange(1, 100)
_U25 = 25 + (-50 * np.log(_I25)) ** (2 / 3)


@problem(25, [100, 12.5, 3], 0, low=[0.1, 0, 0], high=[100, 25.6, 5])
def _(x):
    return jnp.sum((-_I25 + jnp.exp(-((_U25 - x[1]) ** x[2]) / x[0])) ** 2)


@problem(26, [-2.6, 2, 2], 0, curved=lambda x: ((1 + x[1] ** 2) * x[0] + x[2] ** 4 - 3,), relations="=")
def _(x):
    return (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4


@problem(27, [2, 2, 2], 0.04, curved=lambda x: (x[0] + x[2] ** 2 + 1,), relations="=")
def _(x):
    return 0.01 * (x[0] - 1) ** 2 + (x[1] - x[0] ** 2) ** 2


@problem(28, [-4, 1, 1], 0, rows=[([1, 2, 3], "=", 1)])
def _(x):
    return (x[0] + x[1]) ** 2 + (x[1] + x[2]) ** 2


@problem(30, [1, 1, 1], 1, low=[1, -10, -10], high=10, curved=lambda x: (x[0] ** 2 + x[1] ** 2 - 1,), relations=">")
def _(x):
    return x @ x


@problem(31, [1, 1, 1], 6, low=[-10, 1, -10], high=[10, 10, 1], curved=lambda x: (x[0] * x[1] - 1,), relations=">")
def _(x):
    return 9 * x[0] ** 2 + x[1] ** 2 + 9 * x[2] ** 2


@problem(32, [0.1, 0.7, 0.2], 1, low=0, rows=[([1, 1, 1], "=", 1)], relations=">",
         curved=lambda x: (6 * x[1] + 4 * x[2] - x[0] ** 3 - 3,))  # fmt: skip
def _(x):
    return (x[0] + 3 * x[1] + x[2]) ** 2 + 4 * (x[0] - x[1]) ** 2


@problem(33, [0, 0, 3], ROOT(2) - 6, low=0, high=[INF, INF, 5], relations=">>",
         curved=lambda x: (x[2] ** 2 - x[1] ** 2 - x[0] ** 2, x @ x - 4))  # fmt: skip
def _(x):
    return (x[0] - 1) * (x[0] - 2) * (x[0] - 3) + x[2]


def ladder(x):
    return x[1] - jnp.exp(x[0]), x[2] - jnp.exp(x[1])


@problem(34, [0, 1.05, 2.9], -np.log(np.log(10)), low=0, high=[100, 100, 10], curved=ladder, relations=">>")
def _(x):
    return -x[0]


@problem(66, [0, 1.05, 2.9], 0.5181632741, low=0, high=[100, 100, 10], curved=ladder, relations=">>")
def _(x):
    return 0.2 * x[2] - 0.8 * x[0]


@problem(35, [0.5, 0.5, 0.5], 1 / 9, low=0, rows=[([-1, -1, -2], ">", -3)])
def _(x):
    a, b, c = x
    return 9 - 8 * a - 6 * b - 4 * c + 2 * a**2 + 2 * b**2 + c**2 + 2 * a * b + 2 * a * c


@problem(38, [-3, -1, -3, -1], 0, low=-10, high=10)
def _(x):
    a, b, c, d = x
    first = 100 * (b - a**2) ** 2 + (1 - a) ** 2 + 90 * (d - c**2) ** 2 + (1 - c) ** 2
    return first + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)


@problem(39, [2, 2, 2, 2], -1, relations="==",
         curved=lambda x: (x[1] - x[0] ** 3 - x[2] ** 2, x[0] ** 2 - x[1] - x[3] ** 2))  # fmt: skip
def _(x):
    return -x[0]


@problem(40, [0.8] * 4, -0.25, relations="===",
         curved=lambda x: (x[0] ** 3 + x[1] ** 2 - 1, x[0] ** 2 * x[3] - x[2], x[3] ** 2 - x[1]))  # fmt: skip
def _(x):
    return -x[0] * x[1] * x[2] * x[3]


@problem(41, [2] * 4, 52 / 27, low=0, high=[1, 1, 1, 2], rows=[([1, 2, 2, -1], "=", 0)])
def _(x):
    return 2 - x[0] * x[1] * x[2]


@problem(42, [1] * 4, 28 - 10 * ROOT(2), rows=[([1, 0, 0, 0], "=", 2)], relations="=",
         curved=lambda x: (x[2] ** 2 + x[3] ** 2 - 2,))  # fmt: skip
def _(x):
    return jnp.sum((x - jnp.arange(1, 5)) ** 2)


def _hs43(x):
    a, b, c, d = x
    return (
        8 - a**2 - b**2 - c**2 - d**2 - a + b - c + d,
        10 - a**2 - 2 * b**2 - c**2 - 2 * d**2 + a + d,
        5 - 2 * a**2 - b**2 - c**2 - 2 * a + b + d,
    )


@problem(43, [0] * 4, -44, curved=_hs43, relations=">>>")
def _(x):
    a, b, c, d = x
    return a**2 + b**2 + 2 * c**2 + d**2 - 5 * a - 5 * b - 21 * c + 7 * d


_ROWS44 = [([-1, -2, 0, 0], ">", -8), ([-4, -1, 0, 0], ">", -12), ([-3, -4, 0, 0], ">", -12),
           ([0, 0, -2, -1], ">", -8), ([0, 0, -1, -2], ">", -8), ([0, 0, -1, -1], ">", -5)]  # fmt: skip


@problem(44, [0] * 4, -15, low=0, rows=_ROWS44, local=[-13])
def _(x):
    a, b, c, d = x
    return a - b - c - a * c + a * d + b * c - b * d


@problem(45, [2] * 5, 1, low=0, high=[1, 2, 3, 4, 5])
def _(x):
    return 2 - jnp.prod(x) / 120


@problem(46, [ROOT(2) / 2, 1.75, 0.5, 2, 2], 0, relations="==",
         curved=lambda x: (x[0] ** 2 * x[3] + jnp.sin(x[3] - x[4]) - 1, x[1] + x[2] ** 4 * x[3] ** 2 - 2))  # fmt: skip
def _(x):
    return (x[0] - x[1]) ** 2 + (x[2] - 1) ** 2 + (x[3] - 1) ** 4 + (x[4] - 1) ** 6


@problem(48, [3, 5, -3, 2, -2], 0, rows=[([1] * 5, "=", 5), ([0, 0, 1, -2, -2], "=", -3)])
def _(x):
    return (x[0] - 1) ** 2 + (x[1] - x[2]) ** 2 + (x[3] - x[4]) ** 2


@problem(49, [10, 7, 2, -3, 0.8], 0, rows=[([1, 1, 1, 4, 0], "=", 7), ([0, 0, 1, 0, 5], "=", 6)])
def _(x):
    return (x[0] - x[1]) ** 2 + (x[2] - 1) ** 2 + (x[3] - 1) ** 4 + (x[4] - 1) ** 6


@problem(50, [35, -31, 11, 5, -5], 0,
         rows=[([1, 2, 3, 0, 0], "=", 6), ([0, 1, 2, 3, 0], "=", 6), ([0, 0, 1, 2, 3], "=", 6)])  # fmt: skip
def _(x):
    return (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 2 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 2


def _hs51(x):
    return (x[0] - x[1]) ** 2 + (x[1] + x[2] - 2) ** 2 + (x[3] - 1) ** 2 + (x[4] - 1) ** 2


_ROWS52 = [([1, 3, 0, 0, 0], "=", 0), ([0, 0, 1, 1, -2], "=", 0), ([0, 1, 0, 0, -1], "=", 0)]
problem(51, [2.5, 0.5, 2, -1, 0.5], 0, rows=[([1, 3, 0, 0, 0], "=", 4), *_ROWS52[1:]])(_hs51)
problem(53, [2] * 5, 176 / 43, low=-10, high=10, rows=_ROWS52)(_hs51)


@problem(52, [2] * 5, 1859 / 349, rows=_ROWS52)
def _(x):
    return (4 * x[0] - x[1]) ** 2 + (x[1] + x[2] - 2) ** 2 + (x[3] - 1) ** 2 + (x[4] - 1) ** 2


# The six equalities depend on each other.
_ROWS55 = [([1, 2, 0, 0, 5, 0], "=", 6), ([1, 1, 1, 0, 0, 0], "=", 3), ([0, 0, 0, 1, 1, 1], "=", 2),
           ([1, 0, 0, 1, 0, 0], "=", 1), ([0, 1, 0, 0, 1, 0], "=", 2), ([0, 0, 1, 0, 0, 1], "=", 2)]  # fmt: skip


@problem(55, [1, 2, 0, 0, 0, 2], 19 / 3, low=0, high=[1, INF, INF, 1, INF, INF], rows=_ROWS55, local=[20 / 3])
def _(x):
    return x[0] + 2 * x[1] + 4 * x[4] + jnp.exp(x[0] * x[3])


def _hs56(x):
    s = jnp.sin(x[3:]) ** 2
    return (
        x[0] - 4.2 * s[0], x[1] - 4.2 * s[1], x[2] - 4.2 * s[2], x[0] + 2 * x[1] + 2 * x[2] - 7.2 * s[3]
    )  # fmt: skip


_A56 = np.arcsin(ROOT(1 / 4.2))
problem(56, [1, 1, 1, _A56, _A56, _A56, np.arcsin(ROOT(5 / 7.2))], -3.456, curved=_hs56, relations="====")(product)


@problem(60, [2, 2, 2], 0.03256820025, low=-10, high=10, relations="=",
         curved=lambda x: (x[0] * (1 + x[1] ** 2) + x[2] ** 4 - 4 - 3 * ROOT(2),))  # fmt: skip
def _(x):
    return (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4


@problem(61, [0, 0, 0], -143.6461422, relations="==",
         curved=lambda x: (3 * x[0] - 2 * x[1] ** 2 - 7, 4 * x[0] - x[2] ** 2 - 11))  # fmt: skip
def _(x):
    return 4 * x[0] ** 2 + 2 * x[1] ** 2 + 2 * x[2] ** 2 - 33 * x[0] + 16 * x[1] - 24 * x[2]


@problem(62, [0.7, 0.2, 0.1], -26272.51448, low=0, high=1, rows=[([1, 1, 1], "=", 1)])
def _(x):
    a, b, c = x
    first = 255 * jnp.log((a + b + c + 0.03) / (0.09 * a + b + c + 0.03))
    second = 280 * jnp.log((b + c + 0.03) / (0.07 * b + c + 0.03))
    return -32.174 * (first + second + 290 * jnp.log((c + 0.03) / (0.13 * c + 0.03)))


@problem(63, [2, 2, 2], 961.7151721, low=0, rows=[([8, 14, 7], "=", 56)], curved=lambda x: (x @ x - 25,), relations="=")
def _(x):
    a, b, c = x
    return 1000 - a**2 - 2 * b**2 - c**2 - a * b - a * c


@problem(64, [1, 1, 1], 6299.842428, low=1e-5, relations=">",
         curved=lambda x: (1 - 4 / x[0] - 32 / x[1] - 120 / x[2],))  # fmt: skip
def _(x):
    return 5 * x[0] + 50000 / x[0] + 20 * x[1] + 72000 / x[1] + 10 * x[2] + 144000 / x[2]


@problem(65, [-5, 5, 0], 0.9535288567, low=[-4.5, -4.5, -5], high=[4.5, 4.5, 5], relations=">",
         curved=lambda x: (48 - x @ x,))  # fmt: skip
def _(x):
    return (x[0] - x[1]) ** 2 + (x[0] + x[1] - 10) ** 2 / 9 + (x[2] - 5) ** 2


@problem(71, [1, 5, 5, 1], 17.0140173, low=1, high=5, curved=lambda x: (jnp.prod(x) - 25, x @ x - 40), relations=">=")
def _(x):
    return x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]


def _hs72(x):
    a, b, c, d = x
    return 0.0401 - 4 / a - 2.25 / b - 1 / c - 0.25 / d, 0.010085 - 0.16 / a - 0.36 / b - 0.64 / c - 0.64 / d


@problem(72, [1] * 4, 727.67937, low=0.001, high=[4e5, 3e5, 2e5, 1e5], curved=_hs72, relations=">>")
def _(x):
    return 1 + jnp.sum(x)


def _hs73(x):
    a, b, c, d = x
    spread = jnp.sqrt(0.28 * a**2 + 0.19 * b**2 + 20.5 * c**2 + 0.62 * d**2)
    return (12 * a + 11.9 * b + 41.8 * c + 52.1 * d - 21 - 1.645 * spread,)


@problem(73, [1] * 4, 29.894378, low=0, curved=_hs73, relations=">",
         rows=[([2.3, 5.6, 11.1, 1.3], ">", 5), ([1] * 4, "=", 1)])  # fmt: skip
def _(x):
    return 24.55 * x[0] + 26.75 * x[1] + 39 * x[2] + 40.5 * x[3]


def _hs74(x):
    a, b, c, d = x
    return (
        1000 * jnp.sin(-c - 0.25) + 1000 * jnp.sin(-d - 0.25) + 894.8 - a,
        1000 * jnp.sin(c - 0.25) + 1000 * jnp.sin(c - d - 0.25) + 894.8 - b,
        1000 * jnp.sin(d - 0.25) + 1000 * jnp.sin(d - c - 0.25) + 1294.8,
    )


def _power(x):
    return 3 * x[0] + 1e-6 * x[0] ** 3 + 2 * x[1] + 2e-6 / 3 * x[1] ** 3


for _number, _a, _best in ((74, 0.55, 5126.4981), (75, 0.48, 5174.4127)):
    problem(_number, [0] * 4, _best, low=[0, 0, -_a, -_a], high=[1200, 1200, _a, _a], curved=_hs74, relations="===",
            rows=[([0, 0, -1, 1], ">", -_a), ([0, 0, 1, -1], ">", -_a)])(_power)  # fmt: skip


@problem(76, [0.5] * 4, -4.681818181, low=0,
         rows=[([-1, -2, -1, -1], ">", -5), ([-3, -1, -2, 1], ">", -4), ([0, 1, 4, 0], ">", 1.5)])  # fmt: skip
def _(x):
    a, b, c, d = x
    return a**2 + 0.5 * b**2 + c**2 + 0.5 * d**2 - a * c + c * d - a - 3 * b + c - d


def _hs77(x):
    return (
        x[0] ** 2 * x[3] + jnp.sin(x[3] - x[4]) - 2 * ROOT(2),
        x[1] + x[2] ** 4 * x[3] ** 2 - 8 - ROOT(2),
    )


@problem(77, [2] * 5, 0.24150513, curved=_hs77, relations="==")
def _(x):
    return (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[2] - 1) ** 2 + (x[3] - 1) ** 4 + (x[4] - 1) ** 6


def _hs78(x):
    return x @ x - 10, x[1] * x[2] - 5 * x[3] * x[4], x[0] ** 3 + x[1] ** 3 + 1


problem(78, [-2, 1.5, 2, -1, -1], -2.91970041, curved=_hs78, relations="===")(jnp.prod)
_EDGE80 = np.array([2.3, 2.3, 3.2, 3.2, 3.2])


@problem(80, [-2, 2, 2, -1, -1], 0.0539498478, low=-_EDGE80, high=_EDGE80, curved=_hs78, relations="===")
def _(x):
    return jnp.exp(jnp.prod(x))


@problem(81, [-2, 2, 2, -1, -1], 0.0539498478, low=-_EDGE80, high=_EDGE80, curved=_hs78, relations="===")
def _(x):
    return jnp.exp(jnp.prod(x)) - 0.5 * (x[0] ** 3 + x[1] ** 3 + 1) ** 2


def _hs79(x):
    return (
        x[0] + x[1] ** 2 + x[2] ** 3 - 2 - 3 * ROOT(2),
        x[1] - x[2] ** 2 + x[3] + 2 - 2 * ROOT(2),
        x[0] * x[4] - 2,
    )


@problem(79, [2] * 5, 0.0787768209, curved=_hs79, relations="===")
def _(x):
    a, b, c, d, e = x
    return (a - 1) ** 2 + (a - b) ** 2 + (b - c) ** 2 + (c - d) ** 4 + (d - e) ** 4


def _hs83(x):
    a, b, c, d, e = x
    first = 85.334407 + 0.0056858 * b * e + 0.0006262 * a * d - 0.0022053 * c * e
    second = 80.51249 + 0.0071317 * b * e + 0.0029955 * a * b + 0.0021813 * c**2
    third = 9.300961 + 0.0047026 * c * e + 0.0012547 * a * c + 0.0019085 * c * d
    return first, 92 - first, second - 90, 110 - second, third - 20, 25 - third


@problem(83, [78, 33, 27, 27, 27], -30665.53867, low=[78, 33, 27, 27, 27], high=[102, 45, 45, 45, 45],
         curved=_hs83, relations=">>>>>>")  # fmt: skip
def _(x):
    return 5.3578547 * x[2] ** 2 + 0.8356891 * x[0] * x[4] + 37.293239 * x[0] - 40792.141


def _hs93(x):
    a, b, c, d, e, f = x
    return (
        0.001 * a * b * c * d * e * f - 2.07,
        1 - 0.00062 * a * d * e**2 * (a + b + c) - 0.00058 * b * c * f**2 * (a + 1.57 * b + d),
    )


@problem(93, [5.54, 4.4, 12.02, 11.82, 0.702, 0.852], 135.075961, low=0, curved=_hs93, relations=">>")
def _(x):
    a, b, c, d, e, f = x
    one, two = a * d * (a + b + c), b * c * (a + 1.57 * b + d)
    return 0.0204 * one + 0.0187 * two + 0.0607 * one * e**2 + 0.0437 * two * f**2


def _hs100(x):
    a, b, c, d, e, f, g = x
    return (
        127 - 2 * a**2 - 3 * b**4 - c - 4 * d**2 - 5 * e,
        282 - 7 * a - 3 * b - 10 * c**2 - d + e,
        196 - 23 * a - b**2 - 6 * f**2 + 8 * g,
        -4 * a**2 - b**2 + 3 * a * b - 2 * c**2 - 5 * f + 11 * g,
    )


@problem(100, [1, 2, 0, 4, 0, 1, 1], 680.6300573, curved=_hs100, relations=">>>>")
def _(x):
    a, b, c, d, e, f, g = x
    first = (a - 10) ** 2 + 5 * (b - 12) ** 2 + c**4 + 3 * (d - 11) ** 2
    return first + 10 * e**6 + 7 * f**2 + g**4 - 4 * f * g - 10 * f - 8 * g


def _hs104(x):
    a, b, c, d, e, f, g, h = x
    cost = 0.4 * (a / g) ** 0.67 + 0.4 * (b / h) ** 0.67 + 10 - a - b
    return (
        1 - 0.0588 * e * g - 0.1 * a,
        1 - 0.0588 * f * h - 0.1 * a - 0.1 * b,
        1 - 4 * c / e - 2 / (c**0.71 * e) - 0.0588 * g / c**1.3,
        1 - 4 * d / f - 2 / (d**0.71 * f) - 0.0588 * h / d**1.3,
        cost - 1,
        4.2 - cost,
    )


@problem(104, [6, 3, 0.4, 0.2, 6, 6, 1, 0.5], 3.9511634396, low=0.1, high=10, curved=_hs104, relations=">>>>>>")
def _(x):
    return 0.4 * (x[0] / x[6]) ** 0.67 + 0.4 * (x[1] / x[7]) ** 0.67 + 10 - x[0] - x[1]


def _hs106(x):
    a, b, c, d, e, f, g, h = x
    return (
        a * f - 833.33252 * d - 100 * a + 83333.333,
        b * g - 1250 * e - b * d + 1250 * d,
        c * h - 1250000 - c * e + 2500 * e,
    )


# The book prints 7049.330923; later collections (CUTEst, Floudas and Pardalos) agree on 7049.248.
@problem(106, [5000, 5000, 5000, 200, 350, 150, 225, 425], 7049.2480, low=[100, 1000, 1000] + [10] * 5,
         high=[10000] * 3 + [1000] * 5, curved=_hs106, relations=">>>",
         rows=[([0, 0, 0, -0.0025, 0, -0.0025, 0, 0], ">", -1), ([0, 0, 0, 0.0025, -0.0025, 0, -0.0025, 0], ">", -1),
               ([0, 0, 0, 0, 0.01, 0, 0, -0.01], ">", -1)])  # fmt: skip
def _(x):
    return x[0] + x[1] + x[2]


@problem(110, [9] * 10, -45.77846971, low=2.001, high=9.999)
def _(x):
    return jnp.sum(jnp.log(x - 2) ** 2 + jnp.log(10 - x) ** 2) - jnp.prod(x) ** 0.2


_C112 = np.array([-6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.1, -10.708, -26.662, -22.179])


# The book prints -47.707579; later collections agree on -47.76109.
@problem(112, [0.1] * 10, -47.76109, low=1e-6,
         rows=[([1, 2, 2, 0, 0, 1, 0, 0, 0, 1], "=", 2), ([0, 0, 0, 1, 2, 1, 1, 0, 0, 0], "=", 1),
               ([0, 0, 1, 0, 0, 0, 1, 1, 2, 1], "=", 1)])  # fmt: skip
def _(x):
    return jnp.sum(x * (_C112 + jnp.log(x / jnp.sum(x))))


def _hs113(x):
    a, b, c, d, e, f, _, _, i, j = x
    return (
        -3 * (a - 2) ** 2 - 4 * (b - 3) ** 2 - 2 * c**2 + 7 * d + 120,
        -5 * a**2 - 8 * b - (c - 6) ** 2 + 2 * d + 40,
        -0.5 * (a - 8) ** 2 - 2 * (b - 4) ** 2 - 3 * e**2 + f + 30,
        -(a**2) - 2 * (b - 2) ** 2 + 2 * a * b - 14 * e + 6 * f,
        3 * a - 6 * b - 12 * (i - 8) ** 2 + 7 * j,
    )


@problem(113, [2, 3, 5, 5, 1, 2, 7, 3, 6, 10], 24.3062091, curved=_hs113, relations=">>>>>",
         rows=[([-4, -5, 0, 0, 0, 0, 3, -9, 0, 0], ">", -105), ([-10, 8, 0, 0, 0, 0, 17, -2, 0, 0], ">", 0),
               ([8, -2, 0, 0, 0, 0, 0, 0, -5, 2], ">", -12)])  # fmt: skip
def _(x):
    a, b, c, d, e, f, g, h, i, j = x
    first = a**2 + b**2 + a * b - 14 * a - 16 * b + (c - 10) ** 2 + 4 * (d - 5) ** 2 + (e - 3) ** 2
    return first + 2 * (f - 1) ** 2 + 5 * g**2 + 7 * (h - 11) ** 2 + 2 * (i - 10) ** 2 + (j - 7) ** 2 + 45


def _hs114(x):
    a, b, c, d, e, f, g, h, i, _ = x
    motor = 1.12 * a + 0.13167 * a * h - 0.00667 * a * h**2
    octane = 57.425 + 1.098 * h - 0.038 * h**2 + 0.325 * f
    return (
        motor - 0.99 * d, -motor + d / 0.99, octane - 0.99 * g, -octane + g / 0.99,
        98000 * c / (d * i + 1000 * c) - f, (b + e) / a - h,
    )  # fmt: skip


_ROWS114 = [([0] * 8 + [-0.9, -0.222], ">", -35.82), ([0] * 8 + [1 / 0.9, 0.222], ">", 35.82),
            ([0] * 6 + [3, 0, 0, -0.99], ">", 133), ([0] * 6 + [-3, 0, 0, 1 / 0.99], ">", -133),
            ([-1, 0, 0, 1.22, -1, 0, 0, 0, 0, 0], "=", 0)]  # fmt: skip


@problem(114, [1745, 12000, 110, 3048, 1974, 89.2, 92.8, 8, 3.6, 145], -1768.80696,
         low=[1e-5] * 5 + [85, 90, 3, 1.2, 145], high=[2000, 16000, 120, 5000, 2000, 93, 95, 12, 4, 162],
         curved=_hs114, relations=">>>>==", rows=_ROWS114)  # fmt: skip
def _(x):
    return 5.04 * x[0] + 0.035 * x[1] + 10 * x[2] + 3.36 * x[4] - 0.063 * x[3] * x[6]


def _rows118():
    unit = np.eye(15)
    for j in range(1, 5):
        for i, top in enumerate((6, 7, 6)):
            row = unit[3 * j + i] - unit[3 * j - 3 + i]
            yield row, ">", -7
            yield -row, ">", -top
    for k, level in enumerate((60, 50, 70, 85, 100)):
        yield unit[3 * k : 3 * k + 3].sum(axis=0), ">", level


@problem(118, [20, 55, 15] + [20, 60, 20] * 4, 664.82045, low=[8, 43, 3] + [0] * 12,
         high=[21, 57, 16] + [90, 120, 60] * 4, rows=list(_rows118()))  # fmt: skip
def _(x):
    a, b, c = x[0::3], x[1::3], x[2::3]
    square = 0.0001 * a**2 + 0.0001 * b**2 + 0.00015 * c**2
    return jnp.sum(2.3 * a + 1.7 * b + 2.2 * c + square)
