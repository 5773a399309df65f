"""Standard errors of effects as statsmodels has them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import GammaRegressor, LinearRegression, LogisticRegression, PoissonRegressor

from landform.sensitivity import sensitivity

sm = pytest.importorskip("statsmodels.api", reason="statsmodels is what is compared with")
RNG = np.random.default_rng(11)
X = RNG.normal(size=(200, 3))
ETA = 0.4 + X @ [0.5, -0.3, 0.1]
A = sm.add_constant(X)


def alone(model, y):
    found = sensitivity(model.fit(X, y), X, y=y)
    own = [e for e in found.effects if e.direction == "alone" and e.output == found.outputs[-1]]
    return np.array([e.mean.value for e in own]), np.array([e.mean.standard_error for e in own])


def test_least_squares():
    y = ETA + RNG.normal(size=200)
    theirs = sm.OLS(y, A).fit()
    value, error = alone(LinearRegression(), y)
    np.testing.assert_allclose(value, theirs.params[1:], rtol=1e-9)
    np.testing.assert_allclose(error, theirs.bse[1:], rtol=1e-9)


def test_average_marginal_effects_of_a_logit():
    y = (RNG.uniform(size=200) < 1 / (1 + np.exp(-ETA))).astype(int)
    theirs = sm.Logit(y, A).fit(disp=0).get_margeff(at="overall")
    value, error = alone(LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000), y)
    np.testing.assert_allclose(value, theirs.margeff, rtol=1e-4)
    np.testing.assert_allclose(error, theirs.margeff_se, rtol=1e-4)


@pytest.mark.parametrize("kind", ["poisson", "gamma"])
def test_average_slopes_of_a_logarithmic_link(kind):
    """Mean of exp(η) b: the delta method on statsmodels' own covariance, its dispersion from Pearson's residuals."""
    draw = {"poisson": lambda: RNG.poisson(np.exp(ETA)), "gamma": lambda: RNG.gamma(3.0, np.exp(ETA) / 3)}[kind]
    family = {"poisson": sm.families.Poisson(), "gamma": sm.families.Gamma(sm.families.links.Log())}[kind]
    model = {"poisson": PoissonRegressor, "gamma": GammaRegressor}[kind](alpha=0.0, tol=1e-10, max_iter=5000)
    y = draw().astype(float)
    theirs = sm.GLM(y, A, family=family).fit(scale="X2")
    mu = theirs.mu
    G = np.array([np.mean(mu) * np.eye(4)[i] + theirs.params[i] * (A.T @ mu) / 200 for i in range(1, 4)])
    value, error = alone(model, y)
    np.testing.assert_allclose(value, np.mean(mu) * theirs.params[1:], rtol=1e-4)
    np.testing.assert_allclose(error, np.sqrt(np.diag(G @ theirs.cov_params() @ G.T)), rtol=1e-4)
