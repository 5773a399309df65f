"""Functions with known global sensitivities."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy import stats

PI = float(np.pi)
ISHIGAMI_RANGES = [(-PI, PI)] * 3


def ishigami(x: Any) -> Any:
    """Ishigami and Homma (1990), with a = 7 and b = 0.1."""
    return jnp.sin(x[0]) + 7.0 * jnp.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * jnp.sin(x[0])


def ishigami_indices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First, total and Shapley, in closed form."""
    first = 0.5 * (1 + 0.1 * PI**4 / 5) ** 2
    second = 7.0**2 / 8
    both = 0.1**2 * PI**8 * (1 / 18 - 1 / 50)
    variance = first + second + both
    return (
        np.array([first, second, 0.0]) / variance,
        np.array([first + both, second, both]) / variance,
        np.array([first + both / 2, second, both / 2]) / variance,
    )


def ishigami_squared_slopes() -> np.ndarray:
    """Means of the squared derivatives, by hand from the moments of even powers."""
    return np.array([0.5 * (1 + 0.2 * PI**4 / 5 + 0.01 * PI**8 / 9), 24.5, 0.08 * PI**6 / 7])


def g_function(a: np.ndarray) -> Any:
    """Sobol' (1993): a product of |4x − 2|, each moderated by its a; kinks in the middle of every range."""

    def g(x: Any) -> Any:
        return jnp.prod((jnp.abs(4.0 * x - 2.0) + a) / (1.0 + a))

    return g


def product_indices(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and total indices of a product of independent factors of mean 1 and these variances."""
    whole = np.prod(1 + parts) - 1
    rest = np.array([np.prod(np.delete(1 + parts, i)) for i in range(len(parts))])
    return parts / whole, parts * rest / whole


def g_squared_slopes(a: np.ndarray) -> np.ndarray:
    rest = [np.prod(np.delete(1 + 1 / (3 * (1 + a) ** 2), i)) for i in range(len(a))]
    return 16.0 / (1 + a) ** 2 * np.array(rest)


def borehole(x: Any) -> Any:
    rw, r, Tu, Hu, Tl, Hl, L, Kw = x
    log = jnp.log(r / rw)
    return 2 * PI * Tu * (Hu - Hl) / (log * (1 + 2 * L * Tu / (log * rw**2 * Kw) + Tu / Tl))


BOREHOLE = {
    "rw": stats.norm(0.1, 0.0161812),
    "r": stats.lognorm(1.0056, scale=np.exp(7.71)),
    "Tu": (63070, 115600),
    "Hu": (990, 1110),
    "Tl": (63.1, 116),
    "Hl": (700, 820),
    "L": (1120, 1680),
    "Kw": (9855, 12045),
}


def wing_weight(x: Any) -> Any:
    """Forrester, Sobester and Keane (2008), *Engineering Design via Surrogate Modelling*, sec. 1.4."""
    Sw, Wfw, A, L, q, taper, tc, Nz, Wdg, Wp = x
    c = jnp.cos(L * PI / 180)
    return (
        0.036 * Sw**0.758 * Wfw**0.0035 * (A / c**2) ** 0.6 * q**0.006 * taper**0.04
        * (100 * tc / c) ** -0.3 * (Nz * Wdg) ** 0.49 + Sw * Wp
    )  # fmt: skip


WING = [(150, 200), (220, 300), (6, 10), (-10, 10), (16, 45), (0.5, 1), (0.08, 0.18), (2.5, 6), (1700, 2500), (0.025, 0.08)]  # noqa: E501  # fmt: skip


def otl_circuit(x: Any) -> Any:
    """Ben-Ari and Steinberg (2007), *Qual. Eng.* 19, 327."""
    b1, b2, f, c1, c2, beta = x
    inner = beta * (c2 + 9)
    low = inner + f
    return (12 * b2 / (b1 + b2) + 0.74) * inner / low + 11.35 * f / low + 0.74 * f * inner / (low * c1)


OTL = [(50, 150), (25, 70), (0.5, 3), (1.2, 2.5), (0.25, 1.2), (50, 300)]
