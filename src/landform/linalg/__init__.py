"""Subspaces and spectra: what can be had from matrices and products alone; no function is known here."""

from landform.linalg.evidence import Evidence
from landform.linalg.extreme import End, ExtremePairs, extreme_pairs, undershoot
from landform.linalg.functions import sampled_trace_of_function
from landform.linalg.leading import LeadingPairs, leading_pairs
from landform.linalg.moments import Moments, moments_of
from landform.linalg.perturbation import Eigenpairs, SpanChange, span_change
from landform.linalg.quadrature import Quadrature, spectral_quadrature
from landform.linalg.spectrum import Spectrum, projected_spectrum
from landform.linalg.subspace import tangent_basis
from landform.linalg.trace import Sampled, sampled_diagonal, sampled_trace

__all__ = [
    "Eigenpairs",
    "End",
    "Evidence",
    "ExtremePairs",
    "LeadingPairs",
    "Moments",
    "Quadrature",
    "Sampled",
    "SpanChange",
    "Spectrum",
    "extreme_pairs",
    "leading_pairs",
    "moments_of",
    "projected_spectrum",
    "sampled_diagonal",
    "sampled_trace",
    "sampled_trace_of_function",
    "span_change",
    "spectral_quadrature",
    "tangent_basis",
    "undershoot",
]
