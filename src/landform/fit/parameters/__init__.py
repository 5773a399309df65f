"""Parameters of a user's own model from data, with what is known about them."""

from landform.fit.parameters.design import Next
from landform.fit.parameters.fit import fit
from landform.fit.parameters.fitted import Fitted
from landform.fit.parameters.identify import Sloppy
from landform.fit.parameters.profile import Profile

__all__ = ["Fitted", "Next", "Profile", "Sloppy", "fit"]
