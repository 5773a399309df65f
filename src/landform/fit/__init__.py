"""Parameters of a user's own model from data; surrogates fitted to trials, and the choice among them."""

from landform.callable_room import answers_calls
from landform.fit.choice import Candidate, Choice, choose_surrogate
from landform.fit.distill import Distilled, Fidelity, distill
from landform.fit.observations import Observations
from landform.fit.parameters import Fitted, Next, Profile, Sloppy, fit
from landform.fit.polynomial import fit_polynomial
from landform.fit.posterior import Posterior
from landform.fit.process import fit_process
from landform.fit.surrogate import Surrogate
from landform.fit.tuning import Hypergradient, Tuned, hypergradient, tune

__all__ = [
    "Candidate",
    "Choice",
    "Distilled",
    "Fidelity",
    "Fitted",
    "Hypergradient",
    "Next",
    "Observations",
    "Posterior",
    "Profile",
    "Sloppy",
    "Surrogate",
    "Tuned",
    "choose_surrogate",
    "distill",
    "fit",
    "fit_polynomial",
    "fit_process",
    "hypergradient",
    "tune",
]

answers_calls(__name__, fit)
