"""Richardson-extrapolated differences as weights on points, so that values and covariances go the same way.

A central difference has an error in even powers of its step; levels of halved steps are combined so that the first
ones vanish. The result is a sum of function values with weights, hence its variance under any covariance of these
values is exact: w' C w. Source: Richardson (1911), Phil. Trans. R. Soc. A 210.
"""

from __future__ import annotations

import numpy as np


def stencil(order: int, step: float, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets along a line, and weights on the values there, for the first or second derivative at 0.

    Examples
    --------
    >>> t, w = stencil(2, 0.5, 3)
    >>> bool(abs(w @ np.cos(t) + 1) < 1e-6)
    True
    """
    steps = step * 0.5 ** np.arange(levels)
    powers = steps[None] ** (2 * np.arange(levels)[:, None])
    mix = np.linalg.solve(powers / powers[:, :1], np.eye(levels)[0])
    one = {
        1: (np.array([-1.0, 1.0]), np.array([-0.5, 0.5])),
        2: (np.array([-1.0, 0.0, 1.0]), np.array([1.0, -2.0, 1.0])),
    }
    places, weights = one[order]
    offsets = np.concatenate([h * places for h in steps])
    return offsets, np.concatenate([c * weights / h**order for c, h in zip(mix, steps, strict=True)])


def along(f, x, v, *, order: int, step: float, levels: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """The derivative of a batched function along v, and its error: what one level less would change."""
    found = []
    for count in (levels - 1, levels):
        offsets, weights = stencil(order, step, count)
        found.append(np.asarray(weights @ f(x + offsets[:, None] * v)))
    return found[1], np.abs(found[1] - found[0])


def gradient_and_hessian(f, x, steps, *, levels: int = 4) -> tuple[np.ndarray, np.ndarray, float]:
    """Gradient and Hessian of a batched scalar function, by polarization, with the largest relative error."""
    d, worst = len(x), 0.0
    gradient, hessian, unit = np.zeros(d), np.zeros((d, d)), np.diag(steps)
    bend = {}
    for i in range(d):
        gradient[i], error = along(f, x, unit[i], order=1, step=1.0, levels=levels)
        worst = max(worst, float(error))
        for j in range(i, d):
            bend[i, j], error = along(f, x, unit[i] + unit[j], order=2, step=0.5, levels=levels)
            worst = max(worst, float(error))
    for i in range(d):
        for j in range(i, d):
            value = bend[i, i] / 4 if i == j else (bend[i, j] - bend[i, i] / 4 - bend[j, j] / 4) / 2
            hessian[i, j] = hessian[j, i] = value
    return gradient / steps, hessian / np.outer(steps, steps), worst
