"""A `Model` of a PyTorch module: every row's values, slopes and curves as `torch.func` gives them one by one."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from torch import nn  # noqa: E402

import landform  # noqa: E402
from landform.backends import Model  # noqa: E402
from landform.derivatives.rows import curves_at, slopes_at, values_at  # noqa: E402
from landform.errors import DerivativeError, ShapeError  # noqa: E402

ROWS = np.random.default_rng(0).normal(size=(40, 3))
NAMES = {"inputs": ("a", "b", "c"), "outputs": ("u", "v")}


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()


class Scaled(nn.Module):
    """A module without parameters that takes a further argument."""

    def forward(self, x, scale):
        return (scale * x[:2] * x[1:]).sin()


def truth(net, *args):
    def f(x):
        return net(x, *args)

    X = torch.from_numpy(ROWS)
    bent = torch.func.jacrev(torch.func.jacrev(f))
    return [torch.stack([g(x) for x in X]).detach().numpy() for g in (f, torch.func.jacrev(f), bent)]


@pytest.mark.parametrize(
    ("net", "args"),
    [(network(), ()), (Scaled(), (torch.tensor([2.0, 3.0], dtype=torch.float64),)), (Scaled(), (2.0,))],
    ids=["a network", "a tensor beside", "a number beside"],
)
def test_values_slopes_and_curves_at_every_row(net, args):
    model, (values, slopes, curves) = Model(net, args, **NAMES), truth(net, *args)
    for found, exact in (
        (model.values(ROWS), values),
        (model.jacobians(ROWS), slopes),
        (model.hessians(ROWS), curves),
        (model(ROWS[0]), values[0]),
    ):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-13)
    assert model.jacobians(ROWS[:0]).shape == (0, 2, 3)


def test_a_module_in_single_precision_is_asked_in_its_own():
    net = network()
    exact = truth(net)
    model = Model(net.float(), (), **NAMES)
    np.testing.assert_allclose(model.values(ROWS), exact[0], atol=1e-6)
    np.testing.assert_allclose(model.jacobians(ROWS), exact[1], atol=1e-6)


def test_prepared_at_rows():
    net = network()
    p = landform.prepare(net, torch.from_numpy(ROWS[0]))
    values, slopes, curves = truth(net)
    np.testing.assert_allclose(values_at(p, ROWS), values, atol=1e-13)
    np.testing.assert_allclose(slopes_at(p, ROWS)[1], slopes, atol=1e-13)
    np.testing.assert_allclose(np.concatenate([c for _, c in curves_at(p, ROWS)]), curves, atol=1e-13)


def test_a_model_at_a_tensor_has_its_names():
    model = Model(network(), (), **NAMES)
    J = landform.jacobian(model, torch.from_numpy(ROWS[0]))
    assert (J.inputs, J.outputs) == (NAMES["inputs"], NAMES["outputs"])
    assert landform.verify(model, torch.from_numpy(ROWS[0])).correct


@pytest.mark.parametrize("ask", ["values", "jacobians", "hessians", "__call__"])
@pytest.mark.parametrize("f", [torch.sin, lambda x: torch.stack([x[0], x[1]])], ids=["on arrays", "on lists"])
def test_a_bare_function_is_refused_in_one_sentence(f, ask):
    model = Model(f, (), inputs=("a", "b"), outputs=("u", "v"))
    with pytest.raises(DerivativeError, match=r"calls PyTorch.*torch.nn.Module"):
        getattr(model, ask)(ROWS[0, :2] if ask == "__call__" else ROWS[:, :2])


def test_what_does_not_fit_is_refused_in_one_sentence():
    with pytest.raises(ShapeError, match="as many outputs as names, 1, got 2"):
        Model(network(), (), inputs=("a", "b", "c"), outputs=("u",)).values(ROWS)
    with pytest.raises(DerivativeError, match=r"call module.eval"):
        Model(nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)).double(), (), **NAMES).jacobians(ROWS)
