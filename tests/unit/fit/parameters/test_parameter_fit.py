"""`landform.fit`: NIST's certified regressions, closed forms of straight models, other libraries, simulation."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import landform
from landform.errors import DerivativeError, ShapeError, TableError
from landform.fit.parameters.least_squares import least_squares
from nist import REGRESSIONS, digits


@pytest.mark.parametrize("which", [0, 1], ids=["start 1", "start 2"])
@pytest.mark.parametrize("case", REGRESSIONS, ids=str)
def test_nist_parameters_and_standard_errors(case, which):
    """NIST StRD, nonlinear regression: eleven digits certified; ten of the parameters, nine of the standard errors."""
    found = landform.fit(case.model, (case.x, case.y), case.starts[which])
    assert found.certificate.nature == "strict minimum", found.words
    vector, errors, certified = found.vector, found.errors, case.certified
    if case.name.startswith("Lanczos"):  # the three terms may change places
        order = np.argsort(vector[1::2])
        vector, errors = (part.reshape(3, 2)[order].ravel() for part in (vector, errors))
    assert digits(vector, certified) >= 10
    # Lanczos1 fits to rounding: residuals of 1e-13 of values near 2.5, rounded to 4e-16, are known to a part in some
    # hundreds, and so are the errors that come of them.
    assert digits(errors, case.errors) >= (2 if case.name == "Lanczos1" else 9)


def line(x, p):
    return p["level"] + p["slope"] * x


X = np.array([0.0, 1, 2, 3, 5, 8])
Y = np.array([1.1, 2.9, 5.2, 6.8, 11.1, 16.9])


def test_a_straight_line_in_closed_form():
    """Estimates, standard errors and intervals of ordinary least squares (scipy.stats.linregress)."""
    found = landform.fit(line, (X, Y), {"level": 0.0, "slope": 0.0})
    known = stats.linregress(X, Y)
    table = found.table(profile=True).set_index("parameter")
    assert table.loc["slope", "estimate"] == pytest.approx(known.slope, rel=1e-12)
    assert table.loc["slope", "standard error"] == pytest.approx(known.stderr, rel=1e-10)
    assert table.loc["level", "standard error"] == pytest.approx(known.intercept_stderr, rel=1e-10)
    # the profile of a straight model is the Wald interval
    np.testing.assert_allclose(table["profile lower"], table["lower"], rtol=1e-7)
    np.testing.assert_allclose(table["profile upper"], table["upper"], rtol=1e-7)
    assert set(found.parameters) == {"level", "slope"}


def test_prediction_bands_of_a_straight_line():
    """Textbook formula: s √(1/n + (x − x̄)²/Sxx) (Draper and Smith 1998, sec. 3.1)."""
    found = landform.fit(line, (X, Y), {"level": 0.0, "slope": 0.0})
    bands = found.predict(np.array([0.5, 10.0]))
    spread = np.sqrt(1 / 6 + (np.array([0.5, 10]) - X.mean()) ** 2 / np.sum((X - X.mean()) ** 2))
    np.testing.assert_allclose(bands["standard error"], found.noise * spread, rtol=1e-10)
    t = stats.t.ppf(0.975, 4)
    np.testing.assert_allclose(bands["upper"] - bands["mean"], t * found.noise * spread, rtol=1e-10)
    new = t * found.noise * np.sqrt(1 + spread**2)
    np.testing.assert_allclose(bands["new upper"] - bands["mean"], new, rtol=1e-10)


def decay(t, p):
    return p[0] * jnp.exp(-p[1] * t)


T = np.array([0.0, 1, 2, 4, 8])
D = np.array([10.1, 6.0, 3.7, 1.3, 0.2])


def test_known_errors_agree_with_scipy():
    errors = np.array([0.3, 0.2, 0.2, 0.1, 0.1])
    found = landform.fit(decay, (T, D), np.array([8.0, 0.3]), errors=errors)
    p, covariance = optimize.curve_fit(
        lambda t, a, k: a * np.exp(-k * t), T, D, [8, 0.3], sigma=errors, absolute_sigma=True, ftol=1e-14, xtol=1e-14
    )
    np.testing.assert_allclose(found.vector, p, rtol=1e-7)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4)
    weighted = landform.fit(decay, (T, D), np.array([8.0, 0.3]), weights=1 / errors**2)
    _, estimated = optimize.curve_fit(lambda t, a, k: a * np.exp(-k * t), T, D, [8, 0.3], sigma=errors)
    np.testing.assert_allclose(weighted.covariance, estimated, rtol=1e-3)


@pytest.mark.parametrize("loss", ["soft l1", "huber", "cauchy"])
def test_robust_losses_agree_with_scipy(loss):
    spoilt = D.copy()
    spoilt[2] += 3.0
    found = landform.fit(decay, (T, spoilt), np.array([8.0, 0.3]), loss=loss, scale=0.2)
    theirs = optimize.least_squares(
        lambda p: p[0] * np.exp(-p[1] * T) - spoilt,
        found.vector * 1.01,
        loss=loss.replace(" ", "_"),
        f_scale=0.2,
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    )
    assert found.certified
    np.testing.assert_allclose(found.vector, theirs.x, rtol=1e-5)
    plain = landform.fit(decay, (T, spoilt), np.array([8.0, 0.3]))
    clean = landform.fit(decay, (T, D), np.array([8.0, 0.3]))
    assert np.abs(found.vector - clean.vector).max() < np.abs(plain.vector - clean.vector).max()


def test_a_likelihood_agrees_with_scikit_learn():
    """Poisson regression with a log link, unpenalized."""
    from sklearn.linear_model import PoissonRegressor

    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2, 60)
    y = rng.poisson(np.exp(0.3 + 0.8 * x)).astype(float)
    found = landform.fit(
        lambda x, p: jnp.exp(p[0] + p[1] * x), (x, y), np.zeros(2), loss=lambda y, m: m - y * jnp.log(m)
    )
    theirs = PoissonRegressor(alpha=0, tol=1e-12, max_iter=1000).fit(x[:, None], y)
    np.testing.assert_allclose(found.vector, [theirs.intercept_, theirs.coef_[0]], rtol=1e-6)
    mean = np.exp(found.vector[0] + found.vector[1] * x)
    A = np.column_stack([np.ones_like(x), x])
    np.testing.assert_allclose(found.covariance, np.linalg.inv(A.T @ (mean[:, None] * A)), rtol=1e-6)


def test_profile_interval_agrees_with_refits():
    """At the ends of the interval a refit with the parameter held gives a likelihood ratio at the limit."""
    found = landform.fit(decay, (T, D), np.array([8.0, 0.3]))
    profile = found.profile(found.names[1])
    best = np.sum(found.residuals**2)
    for end in (profile.lower, profile.upper):
        a = D @ np.exp(-end * T) / np.sum(np.exp(-2 * end * T))  # linear in the other parameter
        worse = np.sum((a * np.exp(-end * T) - D) ** 2)
        assert (worse - best) / found.noise**2 == pytest.approx(stats.t.ppf(0.975, 3) ** 2, rel=1e-6)
    assert np.all(np.diff(profile.root) > 0)


def test_what_the_data_cannot_tell_is_said():
    """a·b·x: only the product is known, structurally; saturation never reached: no upper limit, practically."""
    product = landform.fit(lambda x, p: p["a"] * p["b"] * x, (X, Y), {"a": 1.0, "b": 1.5})
    assert "do not tell a and b apart" in product.words
    assert np.isnan(product.errors).all()
    assert product.table()["verdict"].str.contains("others make up for it").all()
    rng = np.random.default_rng(1)
    x = np.linspace(0, 0.3, 12)
    y = x / (1 + x / 40) + 0.02 * rng.standard_normal(12)
    half = landform.fit(lambda x, p: p["rate"] * x / (1 + x / p["half"]), (x, y), {"rate": 1.0, "half": 10.0})
    profile = half.profile("half")
    assert not (np.isfinite(profile.lower) and np.isfinite(profile.upper))
    assert "no" in profile.words and "limit" in profile.words
    ignored = landform.fit(lambda x, p: p["a"] + 0 * p["b"] * x, (X, Y), {"a": 1.0, "b": 1.5})
    assert "ignores b" in ignored.words


def test_sloppy_directions_of_a_sum_of_exponentials():
    case = next(c for c in REGRESSIONS if c.name == "Lanczos3")
    found = landform.fit(case.model, (case.x, case.y), case.certified)
    sloppy = found.sloppy()
    assert np.all(np.diff(sloppy.errors) >= 0)
    np.testing.assert_allclose(sloppy.directions.T @ sloppy.directions, np.eye(6), atol=1e-12)
    # the variance along each direction is that of the covariance in relative parameters
    relative = found.covariance / np.outer(found.vector, found.vector)
    signs = np.sign(found.vector)
    for direction, error in zip((sloppy.directions * signs[:, None]).T, sloppy.errors, strict=True):
        assert direction @ relative @ direction == pytest.approx(error**2, rel=1e-5)


def test_where_to_measure_next():
    """D-optimal additions to a straight line lie at its ends (Atkinson et al. 2007, ch. 11)."""
    found = landform.fit(line, (X, Y), {"level": 0.0, "slope": 0.0})
    choice = found.next_points(np.linspace(0, 10, 11), criterion="D", count=2)
    assert set(choice.rows) <= {0, 10}
    before = np.linalg.det(found.covariance)
    more = np.append(X, [0.0, 10.0, 10.0][:2]) if set(choice.rows) == {0, 10} else np.append(X, [10.0, 10.0])
    A = np.column_stack([np.ones_like(more), more])
    after = np.linalg.det(found.noise**2 * np.linalg.inv(A.T @ A))
    assert choice.shrinks[-1] == pytest.approx(np.sqrt(after / before), rel=1e-8)


def test_a_fit_that_ends_on_a_plateau_is_tried_again():
    """BoxBOD and MGH17 from start 1 are lost by plain Levenberg-Marquardt codes."""
    case = next(c for c in REGRESSIONS if c.name == "MGH17")
    found = landform.fit(case.model, (case.x, case.y), case.starts[0])
    assert found.starts > 1
    assert np.sum(found.residuals**2) == pytest.approx(case.rss, rel=1e-9)


def test_many_starts_end_where_single_ones_do():
    starts = np.column_stack([np.linspace(1, 20, 13), np.linspace(0.05, 2, 13)])

    def residuals(p, t, y):
        return p[0] * jnp.exp(-p[1] * t) - y

    together = least_squares(residuals, starts, args=(T, D))
    for k in (0, 6, 12):
        alone = least_squares(residuals, starts[k : k + 1], args=(T, D))
        np.testing.assert_allclose(together.p[k], alone.p[0], rtol=1e-9)


def test_as_many_measurements_as_parameters():
    found = landform.fit(line, (X[:2], Y[:2]), {"level": 0.0, "slope": 0.0})
    assert found.certified
    assert np.isnan(found.errors).all()
    assert found.table()["verdict"].str.contains("as many measurements").all()


def test_bounds_hold_and_are_said():
    found = landform.fit(decay, (T, D), np.array([8.0, 0.3]), bounds=([0, 0], [9.0, 10.0]))
    assert found.vector[0] == 9.0
    assert found.certified
    assert found.table()["verdict"][0] == "held by a bound"
    theirs = optimize.least_squares(
        lambda p: p[0] * np.exp(-p[1] * T) - D, [8, 0.3], bounds=([0, 0], [9.0, 10.0]), xtol=1e-15
    )
    np.testing.assert_allclose(found.vector, theirs.x, rtol=1e-6)


def test_a_data_frame_with_named_columns():
    frame = pd.DataFrame({"hours": T, "left": D, "sd": np.full(5, 0.2)})
    found = landform.fit(
        lambda x, p: p["dose"] * jnp.exp(-p["rate"] * x["hours"]),
        frame,
        {"dose": 8.0, "rate": 0.3},
        target="left",
        errors="sd",
    )
    assert found.names == ("dose", "rate")
    assert found.noise == 1.0
    assert np.isfinite(found.predict({"hours": np.array([3.0])})["mean"]).all()


def test_intervals_cover():
    """Ninety-five per cent intervals of a nonlinear fit hold the truth in 92 to 98 % of 400 simulated tables."""
    rng = np.random.default_rng(3)
    t = np.linspace(0, 6, 12)
    truth = np.array([10.0, 0.5])
    hits = 0
    for _ in range(400):
        y = truth[0] * np.exp(-truth[1] * t) + 0.5 * rng.standard_normal(12)
        table = landform.fit(decay, (t, y), np.array([8.0, 0.3])).table()
        hits += int(np.sum((table["lower"] <= truth) & (truth <= table["upper"])))
    assert 0.92 <= hits / 800 <= 0.98


def test_bad_input_is_said_in_one_sentence():
    with pytest.raises(ShapeError, match="at least as many measurements as parameters"):
        landform.fit(decay, (T[:1], D[:1]), np.ones(2))
    with pytest.raises(ShapeError, match="predict all rows at once"):
        landform.fit(lambda t, p: p[0], (T, D), np.ones(2))
    with pytest.raises(DerivativeError, match="finite at the start"):
        landform.fit(lambda t, p: p[0] / (t - p[1]), (T, D), np.array([1.0, 8.0]))
    with pytest.raises(TableError, match="column 'y', row 2"):
        landform.fit(decay, (T, np.where(np.arange(5) == 2, np.nan, D)), np.ones(2))
    with pytest.raises(ShapeError, match="a pair \\(x, y\\)"):
        landform.fit(decay, T, np.ones(2))
    with pytest.raises(ShapeError, match="argument target"):
        landform.fit(decay, pd.DataFrame({"t": T}), np.ones(2))
    with pytest.raises(ShapeError, match="a loss among"):
        landform.fit(decay, (T, D), np.ones(2), loss="absolute")
    with pytest.raises(ShapeError, match="positive numbers"):
        landform.fit(decay, (T, D), np.ones(2), errors=0.0)
    with pytest.raises(ShapeError, match="errors or weights"):
        landform.fit(decay, (T, D), np.ones(2), errors=1.0, weights=np.ones(5))
