"""Which combinations of parameters the data pin down.

References
----------
Transtrum, Machta, Brown, Daniels, Myers and Sethna (2015), "Perspective: Sloppiness and emergent theories in physics,
biology, and beyond", J. Chem. Phys. 143.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from landform.findings import Finding

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_BLIND = 1e-13
"""A singular value of the scaled Jacobian below this part of the largest says that the data do not see a direction."""


@dataclass(frozen=True, eq=False)
class Sloppy(Finding):
    """Directions of the information matrix in relative parameters, best known first. Made by `Fitted.sloppy`.

    Parameters
    ----------
    names : tuple of str
        The n parameters.
    directions : array, shape (n, n)
        One direction a column: how much each parameter changes, in parts of itself.
    errors : array, shape (n,)
        Standard error along each direction, in parts of the parameters; infinite where the data see nothing.
    words : str
        The verdict in one sentence.
    """

    names: tuple[str, ...]
    directions: Float[Array, "n n"]
    errors: Float[Array, " n"]
    words: str

    def to_frame(self) -> pd.DataFrame:
        """One row per direction: its relative standard error, and the share of each parameter in it."""
        import pandas as pd

        found = pd.DataFrame(self.directions.T, columns=list(self.names))
        found.insert(0, "relative error", self.errors)
        found.insert(1, "in words", [combination(d, self.names) for d in self.directions.T])
        return found


def sloppy_directions(
    slopes: Float[Array, "m n"], at: Float[Array, " n"], names: tuple[str, ...], noise: float
) -> Sloppy:
    """Singular directions of the Jacobian with respect to relative parameters."""
    relative = slopes * np.where(at != 0, np.abs(at), 1.0)
    _, sizes, rows = np.linalg.svd(relative, full_matrices=True)
    sizes = np.concatenate([sizes, np.zeros(len(at) - len(sizes))])
    seen = sizes > _BLIND * sizes[0]
    errors = np.where(seen, noise / np.where(seen, sizes, 1.0), np.inf)
    signs = np.sign(rows[np.arange(len(rows)), np.argmax(np.abs(rows), axis=1)])
    directions = (rows * signs[:, None]).T
    known = int(np.sum(errors < 0.1))
    worst = combination(directions[:, -1], names)
    words = f"{known} of {len(at)} combinations are known to better than 10 %"
    if known < len(at):
        size = "not at all" if np.isinf(errors[-1]) else f"only to {100 * errors[-1]:.3g} %"
        words += f"; the least known, {worst}, {size}"
    else:
        words += f"; the least known is {worst}, to {100 * errors[-1]:.2g} %"
    return Sloppy(names, directions, errors, words)


def combination(direction: Float[Array, " n"], names: Sequence[str]) -> str:
    """A direction in relative parameters as a product of powers, small ones left out.

    Examples
    --------
    >>> combination(np.array([0.71, -0.70, 0.02]), ["a", "b", "c"])
    'a^0.71 · b^-0.7'
    """
    order = np.argsort(-np.abs(direction), kind="stable")
    kept = [i for i in order if abs(direction[i]) > 0.1 * abs(direction[order[0]])][:4]
    return " · ".join(f"{names[i]}^{direction[i]:.2g}" for i in kept)


def blind_directions(slopes: Float[Array, "m n"], names: Sequence[str]) -> str:
    """What the data do not see at all, in words; empty where they see everything.

    Examples
    --------
    >>> blind_directions(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), ["a", "b"])
    'the data do not tell a and b apart'
    """
    size = np.linalg.norm(slopes, axis=0)
    ignored = [name for name, length in zip(names, size, strict=True) if not length]
    if ignored:
        return f"the model ignores {', '.join(ignored)} at these conditions"
    _, sizes, rows = np.linalg.svd(slopes / size, full_matrices=True)
    sizes = np.concatenate([sizes, np.zeros(len(size) - len(sizes))])
    null = rows[sizes <= _BLIND * sizes[0]]
    if not len(null):
        return ""
    share = np.max(np.abs(null), axis=0)
    involved = [name for name, part in zip(names, share, strict=True) if part > 1e-3]
    return f"the data do not tell {' and '.join([', '.join(involved[:-1]), involved[-1]])} apart"
