"""Objectives and constraints of PyTorch: closed forms, and the same problem in JAX."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import NonlinearConstraint

torch = pytest.importorskip("torch", reason="needs the extra torch")

from torch import nn  # noqa: E402

import landform  # noqa: E402
from landform.errors import DerivativeError, ShapeError  # noqa: E402

START = torch.tensor([1.0, 0.5], dtype=torch.float64)


def close(found, truth, atol=1e-7):
    assert isinstance(found, torch.Tensor)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, truth, atol=atol)


def on_disc(r):
    """x + y over x² + y² ≤ r: the lowest is −√(2r), at −√(r/2) each."""
    return landform.minimize(
        lambda x, _: x[0] + x[1],
        START,
        args=(r,),
        constraints={"disc": NonlinearConstraint(lambda x, r: x[0] ** 2 + x[1] ** 2 - r, -np.inf, 0.0)},
    )


@pytest.mark.parametrize("r", [2.0, torch.tensor(2.0, dtype=torch.float64)], ids=["a number", "a tensor"])
def test_an_optimum_on_a_curved_limit_and_how_it_moves(r):
    best = on_disc(r)
    close(best.x, [-1.0, -1.0])
    assert best.certificate.nature == "strict minimum"
    frame = best.sensitivity().to_frame().set_index("parameter")
    np.testing.assert_allclose(
        frame.loc["args[0]", ["d value", "d² value", "d x0"]].astype(float), [-0.5, 0.125, -0.25]
    )


def test_rosenbrock_as_in_jax():
    def of(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    best = landform.minimize(of, 0.4 * START, bounds=(torch.tensor([-2.0, 0.0]), [0.5, None]))
    same = landform.minimize(of, 0.4 * START.numpy(), bounds=([-2.0, 0.0], [0.5, None]))
    close(best.x, same.x)
    assert best.certificate.multipliers
    assert best.certificate.words == same.certificate.words


def test_trees_keep_their_form():
    def of(p):
        return ((p["a"] - 1) ** 2).sum() + (p["b"] * p["a"][0] - 2) ** 2

    best = landform.minimize(of, {"a": START, "b": torch.tensor(1.0, dtype=torch.float64)}, bounds=(0.0, None))
    close(best.x["a"], [1.0, 1.0])
    close(best.x["b"], 2.0)


def test_a_module_s_parameters_are_fitted():
    X = torch.from_numpy(np.random.default_rng(0).normal(size=(9, 2)))
    y = X @ torch.tensor([2.0, -1.0], dtype=torch.float64) + 3 + 0.1 * torch.sin(torch.arange(9))
    f = landform.from_torch(nn.Linear(2, 1).double(), (X, y[:, None]), loss=nn.functional.mse_loss)
    best = landform.minimize(f, f.point)
    table = np.column_stack([X, np.ones(9)])
    truth = np.linalg.lstsq(table, y.numpy(), rcond=None)[0]
    close(torch.cat([best.x["weight"][0], best.x["bias"]]), truth)


@pytest.mark.parametrize("method", ["gradient", "newton", "gauss-newton", "natural"])
def test_descents_arrive_where_jax_does(method):
    def residuals(lib):
        return lambda x: lib.stack([x[0] ** 2 - 1, x[1] * x[0] - 2, 0.3 * x[1]])

    def value(lib):
        return lambda x: (residuals(lib)(x) ** 2).sum() / 2

    def run(lib, x0):
        f = residuals(lib) if method == "gauss-newton" else value(lib)
        metric = (
            (lambda x: landform.gauss_newton(residuals(lib), lambda r: (r**2).sum() / 2, x))
            if method == "natural"
            else None
        )
        return landform.descend(f, x0, method=method, metric=metric)

    found, same = run(torch, START), run(jnp, START.numpy())
    close(found.x, same.x, 1e-9)
    assert len(found.steps) == len(same.steps)


def test_what_cannot_be_is_refused_in_one_sentence():
    with pytest.raises(ShapeError, match=r"x\.double\(\)"):
        landform.minimize(lambda x: (x**2).sum(), START.float())
    with pytest.raises(DerivativeError, match="precision of the function's own tensors"):
        landform.minimize(nn.Linear(2, 1), START)
    with pytest.raises(DerivativeError, match=r"calls PyTorch.*as_tensor"):
        landform.minimize(lambda x: torch.sin(x).sum(), START.numpy())
    with pytest.raises(ShapeError, match=r"a PyTorch tensor.*for a PyTorch module"):
        landform.minimize(nn.Linear(2, 1).double(), START.numpy())
    with pytest.raises(ShapeError, match="a PyTorch function for a PyTorch point"):
        landform.minimize(
            lambda x: (x**2).sum(), START, constraints=NonlinearConstraint(lambda x: jnp.ones(1), 0.0, 2.0)
        )
    with pytest.raises(ShapeError, match="args of floating-point numbers"):
        on_disc(2).sensitivity()
