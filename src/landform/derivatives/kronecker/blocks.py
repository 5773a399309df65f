"""Blocks of a curvature matrix by their eigenpairs: of a layer, of some arrays whole, or along every parameter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from landform.backends.layered import Rows
from landform.derivatives.kronecker.outputs import Outputs, features_of, gradients_of

Spectral = Callable[[np.ndarray], np.ndarray]
"""A function of eigenvalues, element by element."""


@dataclass(frozen=True, eq=False)
class Block(ABC):
    """A symmetric positive semidefinite matrix over some of the parameters.

    Parameters
    ----------
    places : array of int
        The parameters, in the block's own order.
    values : array
        Eigenvalues.
    how : str
        What it is, in words.
    """

    places: Int[np.ndarray, " p"]
    values: np.ndarray
    how: str

    @abstractmethod
    def apply(self, v: Float[np.ndarray, " p"], f: Spectral) -> Float[np.ndarray, " p"]:
        """The function of the matrix, times v in the block's order."""

    @abstractmethod
    def covariance(self, outputs: Outputs, rows: Rows, f: Spectral) -> Float[np.ndarray, "rows k k"]:
        """Every row's slopes around the function of the matrix: J f(A) J'."""

    def dense(self) -> Float[np.ndarray, "p p"]:
        """The matrix."""
        return np.stack([self.apply(e, lambda values: values) for e in np.eye(len(self.places))], axis=1)


@dataclass(frozen=True, eq=False)
class LayerBlock(Block):
    """A layer's curvature with eigenvectors that are products of a features' and a units' vector.

    Parameters
    ----------
    values : array, shape (d, w)
    site : int
        Which layer.
    part : slice
        Which of its features, the bias being the last.
    by_features, by_units : array of shape (d, d) and (w, w), or None
        Eigenvectors as columns; None where they are the parameters themselves.
    """

    site: int
    part: slice
    by_features: Float[np.ndarray, "d d"] | None
    by_units: Float[np.ndarray, "w w"] | None

    def apply(self, v: Float[np.ndarray, " p"], f: Spectral) -> Float[np.ndarray, " p"]:
        """As `Block.apply`."""
        turned = _right(_left(self.by_features, v.reshape(self.values.shape), True), self.by_units, False)
        turned = f(self.values) * turned
        return _right(_left(self.by_features, turned, False), self.by_units, True).ravel()

    def covariance(self, outputs: Outputs, rows: Rows, f: Spectral) -> Float[np.ndarray, "rows k k"]:
        """As `Block.covariance`; a layer used once a row needs no slopes by its weights."""
        spectrum = f(self.values)
        if rows.slopes[self.site].shape[2] == 1:
            features = _right(features_of(outputs, rows, self.site)[:, 0, self.part], self.by_features, False)
            slopes = np.ascontiguousarray(rows.slopes[self.site][:, :, 0].transpose(1, 0, 2))
            slopes = _right(slopes, self.by_units, False)
            weights = features**2 @ spectrum.astype(features.dtype)
            return np.matmul(slopes * weights[:, None], slopes.transpose(0, 2, 1))
        turned = self.turned(outputs, rows).transpose(1, 0, 2, 3)
        flat = (turned * np.sqrt(spectrum).astype(turned.dtype)).reshape(*turned.shape[:2], -1)
        return np.matmul(flat, flat.transpose(0, 2, 1))

    def turned(self, outputs: Outputs, rows: Rows) -> Float[np.ndarray, "k rows d w"]:
        """Slopes by the weights, along the eigenvectors."""
        slopes = gradients_of(outputs, rows, self.site)[:, :, self.part]
        return _right(_left(self.by_features, slopes, True), self.by_units, False)

    def squares(self, outputs: Outputs, rows: Rows) -> Float[np.ndarray, "d w"]:
        """Squared slopes along every eigenvector, added over rows and directions."""
        if rows.slopes[self.site].shape[2] == 1:
            features = _right(features_of(outputs, rows, self.site)[:, 0, self.part], self.by_features, False)
            slopes = _right(rows.slopes[self.site][:, :, 0], self.by_units, False)
            return (features**2).T @ (slopes**2).sum(axis=0)
        return (self.turned(outputs, rows) ** 2).sum(axis=(0, 1))


def _left(Q: np.ndarray | None, X: np.ndarray, transposed: bool) -> np.ndarray:
    return X if Q is None else np.matmul((Q.T if transposed else Q).astype(X.dtype), X)


def _right(X: np.ndarray, Q: np.ndarray | None, transposed: bool) -> np.ndarray:
    if Q is None:
        return X
    own = (Q.T if transposed else Q).astype(X.dtype)
    return np.matmul(X.reshape(-1, X.shape[-1]), own).reshape(*X.shape[:-1], own.shape[1])


@dataclass(frozen=True, eq=False)
class DenseBlock(Block):
    """A whole matrix over some layers and arrays.

    Parameters
    ----------
    sites, leaves : tuple of int
        Which; their parameters in this order make up the block.
    vectors : array, shape (p, p)
        Eigenvectors as columns.
    """

    sites: tuple[int, ...]
    leaves: tuple[int, ...]
    vectors: Float[np.ndarray, "p p"]

    def apply(self, v: Float[np.ndarray, " p"], f: Spectral) -> Float[np.ndarray, " p"]:
        """As `Block.apply`."""
        return self.vectors @ (f(self.values) * (self.vectors.T @ v))

    def covariance(self, outputs: Outputs, rows: Rows, f: Spectral) -> Float[np.ndarray, "rows k k"]:
        """As `Block.covariance`."""
        slopes = slopes_over(outputs, rows, self.sites, self.leaves).transpose(1, 0, 2)
        flat = np.matmul(slopes, self.vectors) * np.sqrt(f(self.values))
        return np.matmul(flat, flat.transpose(0, 2, 1))


@dataclass(frozen=True, eq=False)
class DiagonalBlock(Block):
    """The curvature along every number of an array that is in no layer.

    Parameters
    ----------
    leaf : int
        Which array.
    """

    leaf: int

    def apply(self, v: Float[np.ndarray, " p"], f: Spectral) -> Float[np.ndarray, " p"]:
        """As `Block.apply`."""
        return f(self.values) * v

    def covariance(self, outputs: Outputs, rows: Rows, f: Spectral) -> Float[np.ndarray, "rows k k"]:
        """As `Block.covariance`."""
        del outputs
        flat = rows.rest[self.leaf].transpose(1, 0, 2) * np.sqrt(f(self.values))
        return np.matmul(flat, flat.transpose(0, 2, 1))


def slopes_over(
    outputs: Outputs, rows: Rows, sites: tuple[int, ...], leaves: tuple[int, ...]
) -> Float[np.ndarray, "k rows p"]:
    """Slopes by the parameters of some layers and arrays, one after the other."""
    parts = [gradients_of(outputs, rows, k) for k in sites]
    parts = [part.reshape(*part.shape[:2], -1) for part in parts] + [rows.rest[k] for k in leaves]
    return np.concatenate(parts, 2)
