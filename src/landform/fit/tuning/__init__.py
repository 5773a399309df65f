"""Hyperparameters by exact hypergradients through an inner minimum that is checked."""

from landform.fit.tuning.hypergradient import Hypergradient, hypergradient
from landform.fit.tuning.tune import tune
from landform.fit.tuning.tuned import Tuned

__all__ = ["Hypergradient", "Tuned", "hypergradient", "tune"]
