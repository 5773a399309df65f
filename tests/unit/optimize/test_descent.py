"""Ways down, step by step: against the closed forms of quadratic bowls, and as diagnosis."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import landform
from landform.errors import DerivativeError, ShapeError

CURVES = np.array([2.0, 20.0])


def bowl(x):
    return 0.5 * jnp.sum(CURVES * x**2)


def test_gradient_descent_on_a_bowl_in_closed_form():
    """x_k = (1 − rate · curvature)^k x_0 (Nocedal and Wright 2006, sec. 3.3)."""
    path = landform.descend(bowl, np.array([1.0, -3.0]), rate=0.03, steps=25).path().to_numpy()
    expected = np.array([1.0, -3.0]) * (1 - 0.03 * CURVES) ** np.arange(25)[:, None]
    np.testing.assert_allclose(path, expected, rtol=1e-10)


def test_the_best_length_of_a_bowl_is_cauchys():
    """From (20, 2) steepest descent with exact steps loses ((κ−1)/(κ+1))² at every step (N and W, theorem 3.3)."""
    down = landform.descend(bowl, np.array([20.0, 2.0]), steps=10)
    values = np.array([s.value for s in down.steps])
    np.testing.assert_allclose(values[1:] / values[:-1], (9 / 11) ** 2, rtol=1e-10)
    np.testing.assert_allclose([s.best for s in down.steps], 1)


def test_momentum_in_closed_form():
    """Two steps by hand: x1 = x0 − r g0, x2 = x1 − r g1 + 0.9 (x1 − x0)."""
    x0 = np.array([1.0, 1.0])
    x1 = x0 - 0.01 * CURVES * x0
    x2 = x1 - 0.01 * CURVES * x1 + 0.9 * (x1 - x0)
    down = landform.descend(bowl, x0, method="momentum", rate=0.01, steps=2)
    np.testing.assert_allclose(down.x, x2, rtol=1e-12)


def test_adam_agrees_with_torch():
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    x = torch.tensor([1.0, -3.0], dtype=torch.float64, requires_grad=True)
    walk = torch.optim.Adam([x], lr=0.05)
    for _ in range(30):
        walk.zero_grad()
        (0.5 * (torch.tensor(CURVES) * x**2).sum()).backward()
        walk.step()
    down = landform.descend(bowl, np.array([1.0, -3.0]), method="adam", rate=0.05, steps=30)
    np.testing.assert_allclose(down.x, x.detach().numpy(), rtol=1e-9)


def residuals(x):
    return jnp.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def test_gauss_newton_on_rosenbrock_takes_two_steps():
    """The first step makes 1 − x exact, the second the other residual (N and W, sec. 10.3)."""
    down = landform.descend(residuals, np.array([-1.2, 1.0]), method="gauss-newton")
    assert len(down.steps) == 2
    np.testing.assert_allclose(down.x, 1, atol=1e-10)
    assert down.steps[0].gained < 0, "the first step leads far up"
    assert "does not hold so far out" in down.steps[0].words


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_on_a_quadratic_the_model_keeps_its_promises(seed):
    rng = np.random.default_rng(seed)
    M = rng.standard_normal((4, 4))
    method = ("gradient", "momentum", "adam", "newton")[seed % 4]
    down = landform.descend(lambda x, H: x @ H @ x, rng.standard_normal(4), args=(M + M.T,), method=method, steps=3)
    for step in down.steps:
        assert step.gained == pytest.approx(step.promised, rel=1e-8, abs=1e-10 * (1 + abs(step.value)))
        assert step.least <= step.along + 1e-9
        assert step.along <= step.most + 1e-9


def test_newton_goes_to_a_saddle_and_says_so():
    down = landform.descend(lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4, np.array([1.0, 0.1]), method="newton")
    np.testing.assert_allclose(down.x, 0, atol=1e-8)
    assert "no minimum: the curvature is -2" in down.words


def test_a_rate_too_large_blows_up_and_says_by_how_much():
    down = landform.descend(bowl, np.ones(2), rate=0.15, steps=500)
    assert down.words.startswith("it blew up")
    assert "times too far" in down.words
    assert down.steps[-1].best == pytest.approx(1 / (0.15 * 20), rel=1e-3)


def test_natural_gradient_with_the_hessian_as_metric_is_newton():
    own = landform.descend(bowl, np.ones(2), method="natural", metric=lambda x: np.diag(CURVES))
    assert len(own.steps) == 1
    operator = landform.descend(bowl, np.ones(2), method="natural", metric=lambda x: landform.hessian(bowl, x))
    assert len(operator.steps) == 1


def test_bad_input_is_said_in_one_sentence():
    with pytest.raises(ShapeError, match="a method among gradient, momentum"):
        landform.descend(bowl, np.ones(2), method="sgd")
    with pytest.raises(ShapeError, match="argument metric"):
        landform.descend(bowl, np.ones(2), method="natural")
    with pytest.raises(ShapeError, match="one output"):
        landform.descend(residuals, np.ones(2))
    with pytest.raises(DerivativeError, match="finite at the start"):
        landform.descend(lambda x: jnp.log(x[0]), np.array([-1.0]))
