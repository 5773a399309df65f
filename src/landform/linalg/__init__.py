"""Subspaces and spectra: what can be had from matrices and products alone; no function is known here."""

from landform.linalg.leading import LeadingPairs, leading_pairs
from landform.linalg.moments import Moments, moments_of
from landform.linalg.perturbation import Eigenpairs, SpanChange, span_change
from landform.linalg.spectrum import Spectrum, projected_spectrum
from landform.linalg.subspace import tangent_basis

__all__ = [
    "Eigenpairs",
    "LeadingPairs",
    "Moments",
    "SpanChange",
    "Spectrum",
    "leading_pairs",
    "moments_of",
    "projected_spectrum",
    "span_change",
    "tangent_basis",
]
