"""Surrogates fitted to trials: candidates, held-out tests, the choice among them, and their uncertainty."""

from landform.fit.choice import Candidate, Choice, choose_surrogate
from landform.fit.distill import Distilled, Fidelity, distill
from landform.fit.observations import Observations
from landform.fit.polynomial import fit_polynomial
from landform.fit.posterior import Posterior
from landform.fit.process import fit_process
from landform.fit.surrogate import Surrogate

__all__ = [
    "Candidate",
    "Choice",
    "Distilled",
    "Fidelity",
    "Observations",
    "Posterior",
    "Surrogate",
    "choose_surrogate",
    "distill",
    "fit_polynomial",
    "fit_process",
]
