"""Laplace posteriors against closed forms, dense linear algebra and repeated data."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, softmax

import landform
from landform.errors import ShapeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
NEW = RNG.standard_normal((5, 3))


def linear(w, X):
    return X @ w


def squared(w, X, y):
    return ((linear(w, X) - y) ** 2).mean()


def test_a_linear_model_has_the_posterior_of_textbooks():
    """Bishop (2006), eq. 3.54 and 3.59: exact by every structure that holds the whole layer."""
    y = X @ np.array([[1.0], [0.5], [-1.0]]) + 0.3 * RNG.standard_normal((40, 1))
    covariance = np.linalg.inv(2.0 * np.eye(3) + X.T @ X / 0.3**2)
    w = covariance @ X.T @ y / 0.3**2
    land = landform.landscape(squared, w, (X, y), predict=linear)
    for method in ("kronecker", "corrected", "full", "last layer"):
        found = land.uncertainty(NEW, method, prior=2.0, noise=0.3)
        np.testing.assert_allclose(found.covariance[:, 0, 0], np.sum((NEW @ covariance) * NEW, 1), rtol=1e-9)
        np.testing.assert_allclose(found.mean, NEW @ w, rtol=1e-12)
        before, after = found.observations
        np.testing.assert_allclose((after - before) / 2 / 1.959964, np.sqrt(found.deviations**2 + 0.09), rtol=1e-6)
    along = land.uncertainty(NEW, "diagonal", prior=2.0, noise=0.3).covariance[:, 0, 0]
    np.testing.assert_allclose(along, NEW**2 @ (1 / (2.0 + (X**2).sum(0) / 0.09)), rtol=1e-9)


def test_intervals_of_a_linear_model_hold_as_often_as_they_say():
    """200 data sets: 95 % intervals of the expected value and of new observations, prior and noise by evidence."""
    inside, seen = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = rng.standard_normal((3, 1))
        y = X @ truth + 0.5 * rng.standard_normal((40, 1))
        w = np.linalg.solve(X.T @ X + 0.25 * np.eye(3), X.T @ y)
        posterior = landform.landscape(squared, w, (X, y), predict=linear).posterior("full")
        found = posterior.predict(NEW[:1])
        low, high = found.interval
        inside.append(low[0, 0] <= (NEW[0] @ truth).item() <= high[0, 0])
        low, high = found.observations
        seen.append(low[0, 0] <= (NEW[0] @ truth).item() + 0.5 * rng.standard_normal() <= high[0, 0])
    assert 0.91 <= np.mean(inside) <= 0.985 and 0.91 <= np.mean(seen) <= 0.985


def net(p, X):
    return jnp.tanh(X @ p["a"] + p["b"]) @ p["c"]


P = {"a": RNG.standard_normal((3, 4)), "b": np.zeros(4), "c": RNG.standard_normal((4, 3)) / 2}
LABELS = RNG.integers(0, 3, 40)


def cross_entropy(p, X, y):
    z = net(p, X)
    return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])


LAND = landform.landscape(cross_entropy, P, (X, LABELS), predict=net)


def dense_case():
    F = landform.fisher(lambda p: net(p, X), P, "categorical").dense()
    J = landform.jacobian(lambda p: net(p, NEW), P).dense().reshape(5, 3, -1)
    return F, J, np.asarray(net(P, NEW))


def test_a_classifier_against_dense_matrices():
    F, J, logits = dense_case()
    found = LAND.uncertainty(NEW, "full", prior=0.5)
    covariance = np.einsum("rki,ij,rlj->rkl", J, np.linalg.inv(F + 0.5 * np.eye(len(F))), J)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-5, atol=1e-8)
    spread = np.diagonal(covariance, axis1=1, axis2=2)
    np.testing.assert_allclose(found.mean, softmax(logits / np.sqrt(1 + np.pi / 8 * spread), axis=1), atol=1e-6)
    drawn = LAND.uncertainty(NEW, "full", prior=0.5, link="monte carlo", draws=4000)
    rng = np.random.default_rng(9)
    truth = np.mean([softmax(rng.multivariate_normal(m, c, 40000), axis=1) for m, c in zip(logits, covariance)], 1)  # noqa: B905
    assert np.all(np.abs(drawn.mean - truth) <= 5 * drawn.standard_errors + 0.005)
    low, high = drawn.interval
    assert np.all((low <= drawn.mean) & (drawn.mean <= high))
    np.testing.assert_allclose(drawn.mean.sum(1), 1)


def test_evidence_and_effective_parameters_of_a_classifier():
    F, *_ = dense_case()
    x = np.concatenate([np.ravel(P[k]) for k in "abc"])
    found = LAND.posterior("full", prior=0.5)
    A = F + 0.5 * np.eye(len(F))
    value = -40 * float(cross_entropy(P, X, LABELS)) - (0.5 * x @ x + np.linalg.slogdet(A / 0.5)[1]) / 2
    assert found.log_evidence == pytest.approx(value, rel=1e-5)
    assert found.effective.value == pytest.approx(np.trace(F @ np.linalg.inv(A)), rel=1e-6)
    best = LAND.posterior("full")
    assert best.log_evidence >= max(LAND.posterior("full", prior=p).log_evidence for p in (0.1, 0.5, 2.0, 8.0))
    assert best.prior.lower < best.prior.value < best.prior.upper
    assert best.effective.lower < best.effective.value < best.effective.upper
    assert "The data fix" in best.words and "recognized" not in best.words and len(best.to_frame()) == 3
    assert LAND.posterior("full") is best


@pytest.mark.parametrize("method", ["kronecker", "corrected", "diagonal", "last layer"])
def test_every_structure_is_its_dense_blocks(method):
    _, J, _ = dense_case()
    found = LAND.posterior(method, prior=0.5)
    total = np.zeros((5, 3, 3))
    for block in found.blocks:
        D = block.dense() + 0.5 * np.eye(len(block.places))
        Jb = J[:, :, block.places]
        total += np.einsum("rki,ij,rlj->rkl", Jb, np.linalg.inv(D), Jb)
    np.testing.assert_allclose(found.predict(NEW).covariance, total, rtol=1e-4, atol=1e-7)


def test_batches_add_up():
    parts = [(X[:15], LABELS[:15]), (X[15:22], LABELS[15:22]), (X[22:], LABELS[22:])]
    streamed = landform.landscape(cross_entropy, P, parts, predict=net).uncertainty(NEW, prior=1.0)
    np.testing.assert_allclose(streamed.covariance, LAND.uncertainty(NEW, prior=1.0).covariance, rtol=1e-4)


def test_other_likelihoods_are_recognized():
    eta = X @ np.full((3, 1), 0.3)
    chance = RNG.random((40, 1))
    hits, counts = (chance < expit(eta)).astype(float), RNG.poisson(np.exp(eta)).astype(float) + 1
    w = np.full((3, 1), 0.3)

    def logistic(w, X, y):
        z = linear(w, X)
        return jnp.sum(jax.nn.softplus(z) - y * z)

    found = landform.landscape(logistic, w, (X, hits), predict=linear, reduction="sum")
    found = found.uncertainty(NEW, "full", prior=1.0)
    assert found.distribution == "bernoulli"
    A = np.eye(3) + X.T @ (X * expit(eta) * (1 - expit(eta)))
    spread = np.sum(NEW @ np.linalg.inv(A) * NEW, 1)
    np.testing.assert_allclose(found.mean[:, 0], expit((NEW @ w)[:, 0] / np.sqrt(1 + np.pi / 8 * spread)), rtol=1e-6)

    def poisson(w, X, y):
        z = linear(w, X)
        return jnp.mean(jnp.exp(z) - y * z + jax.scipy.special.gammaln(y + 1))

    found = landform.landscape(poisson, w, (X, counts), predict=linear).uncertainty(NEW, "full", prior=1.0)
    spread = np.sum(NEW @ np.linalg.inv(np.eye(3) + X.T @ (X * np.exp(eta))) * NEW, 1)
    np.testing.assert_allclose(found.mean[:, 0], np.exp((NEW @ w)[:, 0] + spread / 2), rtol=1e-6)
    assert landform.landscape(squared, w, (X, hits), predict=linear).posterior().model.distribution == "gaussian"


def test_findings_show():
    for finding in (LAND.posterior(), LAND.uncertainty(NEW)):
        assert finding.plot() is not None and finding.words and len(finding.to_frame())
    frame = LAND.uncertainty(NEW).to_frame()
    assert len(frame) == 15 and frame.groupby("row")["mean"].sum().to_numpy() == pytest.approx(1)


def penalized(p, X, y):
    return cross_entropy(p, X, y) + 0.01 * jnp.sum(p["a"] ** 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: landform.landscape(cross_entropy, P, (X, LABELS)).posterior(), "predict=, a function"),
        (lambda: landform.landscape(penalized, P, (X, LABELS), predict=net).posterior(), "say likelihood="),
        (lambda: LAND.posterior(likelihood="poisson"), "fits the observations: categorical"),
        (lambda: LAND.posterior("dense"), "a method among kronecker"),
        (lambda: LAND.posterior(prior=-1.0), '"evidence", got -1.0'),
        (lambda: LAND.posterior(noise="loud"), "got 'loud'"),
        (lambda: LAND.uncertainty(NEW[0]), r"rows of shape \(3,\)"),
        (lambda: LAND.uncertainty(np.full((2, 3), np.nan)), "finite numbers"),
        (lambda: LAND.uncertainty(NEW[:0]), "same number of rows"),
        (lambda: LAND.uncertainty(NEW, link="logit"), "'logit'"),
        (lambda: LAND.uncertainty(NEW).observations, "Gaussian observations, got categorical"),
        (
            lambda: landform.landscape(lambda w: ((X @ w - 1) ** 2).mean(), np.ones(3), predict=linear).posterior(),
            "data apart from the loss",
        ),
    ],
)
def test_bad_input_is_one_sentence(make, words):
    with pytest.raises(ShapeError, match=words):
        make()


def test_a_penalty_is_taken_with_the_likelihood_said():
    land = landform.landscape(penalized, P, (X, LABELS), predict=net)
    found = land.posterior("full", prior=0.5, likelihood="categorical")
    assert found.log_evidence == pytest.approx(LAND.posterior("full", prior=0.5).log_evidence, rel=1e-9)
    assert found.words.endswith("as given.")
