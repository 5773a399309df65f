"""Subspaces and spectra: what can be had from matrices and products alone; no function is known here."""

from landform.linalg.spectrum import Spectrum, projected_spectrum
from landform.linalg.subspace import tangent_basis

__all__ = ["Spectrum", "projected_spectrum", "tangent_basis"]
