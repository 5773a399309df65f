"""Canonical analysis: the Hessian's eigenvalues along the directions that exist, and what they say.

References
----------
Box and Draper (2007), *Response Surfaces, Mixtures, and Ridge Analyses*, ch. 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from landform.linalg import projected_spectrum

Nature = Literal["maximum", "minimum", "saddle", "ridge", "flat"]
RIDGE = 0.05
"""An eigenvalue below this part of the largest makes a ridge: along it the property hardly changes."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One canonical direction.

    Parameters
    ----------
    eigenvalue : float
        Second derivative along the direction, per squared unit of the scaled inputs.
    direction : array, shape (d,)
        Unit vector in the scaled inputs.
    """

    eigenvalue: float
    direction: Float[np.ndarray, " d"]


@dataclass(frozen=True, eq=False)
class Landscape:
    """The shape of a function around a point.

    Parameters
    ----------
    nature : {"maximum", "minimum", "saddle", "ridge", "flat"}
        What the point would be if it is stationary.
    curves : tuple of Curve
        Stiffest direction first.
    """

    nature: Nature
    curves: tuple[Curve, ...]


def nature_of(eigenvalues: Float[np.ndarray, " t"], *, negligible: float = 0.0) -> Nature:
    """What a stationary point with these eigenvalues is.

    Parameters
    ----------
    eigenvalues : array, shape (t,)
        Of the Hessian along the directions that exist.
    negligible : float
        Curvature below this is none at all.

    Examples
    --------
    >>> nature_of(np.array([-4.0, -0.01])), nature_of(np.array([-4.0, 1.0])), nature_of(np.zeros(2))
    ('ridge', 'saddle', 'flat')
    """
    sizes = np.abs(eigenvalues)
    if not sizes.size or sizes.max() <= negligible:
        return "flat"
    clear = eigenvalues[sizes > RIDGE * sizes.max()]
    if np.any(clear > 0) and np.any(clear < 0):
        return "saddle"
    if len(clear) < len(eigenvalues):
        return "ridge"
    return "maximum" if clear[0] < 0 else "minimum"


def canonical(
    hessian: Float[np.ndarray, "d d"],
    basis: Float[np.ndarray, "d t"],
    scale: Float[np.ndarray, " d"],
    *,
    negligible: float = 0.0,
) -> Landscape:
    """Eigenvalues and directions of a Hessian on a subspace, in inputs measured in ``scale``.

    Parameters
    ----------
    hessian : array, shape (d, d)
        In the inputs' own units.
    basis : array, shape (d, t)
        Orthonormal basis of the directions that exist, in the scaled inputs.
    scale : array, shape (d,)
        One unit of each scaled input.
    negligible : float
        Curvature below this is none at all.

    Examples
    --------
    >>> found = canonical(np.diag([-2.0, -8.0]), np.eye(2), np.array([1.0, 1.0]))
    >>> found.nature, [c.eigenvalue for c in found.curves]
    ('maximum', [-8.0, -2.0])
    """
    spectrum = projected_spectrum(hessian * np.outer(scale, scale), basis)
    pairs = zip(spectrum.eigenvalues, spectrum.directions.T, strict=True)
    curves = tuple(Curve(float(value), direction) for value, direction in pairs)
    return Landscape(nature_of(spectrum.eigenvalues, negligible=negligible), curves)
