"""Every scenario in PyTorch through every door: dense both ways, products, quadratic forms, prepared.

The truth is SymPy's at 30 digits (see `scenarios.py`). Tolerance: as for JAX, some 50 roundings of the largest entry.
"""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from landform.backends import jax as jax_backend  # noqa: E402
from landform.backends import torch as torch_backend  # noqa: E402
from landform.backends.protocol import Backend  # noqa: E402
from landform.derivatives import hessian, jacobian, prepare, verify  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from scenarios_torch import TORCH  # noqa: E402

RNG = np.random.default_rng(11)
NO_SECOND_REMAINDER = {
    "affine",
    "quadratic form",
    "constant",
    "kinetics",
    "smallest two",
    "products of pairs",
    "sums so far",
    "squared filter",
    "mean and variance",
    "cross product",
}


def close(found, truth, size=None, dtype=torch.float64):
    assert isinstance(found, torch.Tensor)
    assert not found.requires_grad
    assert (found.dtype, tuple(found.shape)) == (dtype, np.shape(truth))
    scale = float(np.max(np.abs(truth), initial=0.0)) if size is None else size
    eps = 1e-14 if dtype == torch.float64 else 1e-14 * 2**29
    np.testing.assert_allclose(found.numpy(), truth, rtol=0, atol=eps * max(50 * scale, 1.0))


@pytest.fixture(params=SCENARIOS, ids=lambda s: s.name)
def scenario(request):
    return request.param


@pytest.fixture
def case(scenario):
    return TORCH[scenario.name], torch.from_numpy(scenario.x), scenario


def test_the_list_is_the_same_for_every_backend():
    assert [s.name for s in SCENARIOS] == list(TORCH)
    assert len(SCENARIOS) >= 40
    assert all(s.m != s.n for s in SCENARIOS)


@pytest.mark.parametrize("backend", [jax_backend, torch_backend], ids=["jax", "torch"])
def test_a_backend_has_all_that_is_asked_of_one(backend):
    asked = {*Backend.__annotations__, *(name for name in vars(Backend) if not name.startswith("_"))}
    assert len(asked) > 25
    assert {name for name in asked if not hasattr(backend, name)} == set()
    programs = [name for name, kind in Backend.__annotations__.items() if kind == "Program"]
    assert len(programs) == 15
    assert all(callable(getattr(backend, name).quick) for name in programs)


def test_jacobian(case):
    f, x, truth = case
    forward, reverse = jacobian(f, x, mode="forward"), jacobian(f, x, mode="reverse")
    assert (forward.plan.mode, reverse.plan.mode) == ("forward", "reverse")
    close(forward.dense(), truth.jacobian)
    close(reverse.dense(), truth.jacobian)
    v, u = RNG.standard_normal(truth.n), RNG.standard_normal(truth.m)
    size = float(np.max(np.abs(truth.jacobian))) * max(truth.n, truth.m)
    J = jacobian(f, x)
    for _ in range(2):  # the second product comes from the graph that the first one left
        close(J @ torch.from_numpy(v), truth.jacobian @ v, size)
        close(J.T @ torch.from_numpy(u), truth.jacobian.T @ u, size)


def test_hessian(case):
    f, x, truth = case
    u, v = RNG.standard_normal(truth.m), RNG.standard_normal(truth.n)
    exact = np.tensordot(u, truth.hessian, axes=1)
    size = float(np.max(np.abs(truth.hessian))) * truth.n * truth.m
    H = hessian(f, x, weights=torch.from_numpy(u))
    dense = H.dense()
    close(dense, exact, size)
    assert torch.equal(dense, dense.T)
    for _ in range(2):
        close(H @ torch.from_numpy(v), exact @ v, size)
    close(H.quadratic(torch.from_numpy(v)), v @ exact @ v, size * truth.n)


def test_prepared(case):
    f, x, truth = case
    p = prepare(f, torch.full_like(x, 0.5), effort="quick")
    y, slopes, curves = p.second(x)
    close(y, truth.value)
    close(slopes, truth.jacobian)
    close(curves, truth.hessian, float(np.max(np.abs(truth.hessian), initial=0)) * truth.n)
    close(p.value(x), truth.value)
    close(p.value_and_jacobian(x)[1], truth.jacobian)
    v = RNG.standard_normal(truth.n)
    size = float(np.max(np.abs(truth.hessian), initial=0)) * truth.n**2 * float(np.max(np.abs(v))) ** 2
    close(p.bend(x, torch.from_numpy(v)), np.einsum("mjk,j,k->m", truth.hessian, v, v), size)


def test_prepared_in_batches(case):
    f, x, truth = case
    p = prepare(f, x)
    X = torch.stack([x * (1 + 0.01 * k) for k in range(3)])
    Y, J = p.values_and_jacobians(X)
    close(Y[0], truth.value)
    close(J[0], truth.jacobian)
    for k in range(3):
        close(J[k], p.jacobian(X[k]).numpy())
        close(p.values(X)[k], p.value(X[k]).numpy())


def test_single_precision(case):
    f, x, truth = case
    single = x.float()

    def rounded(z):
        return f(z.double()).float()

    close(jacobian(rounded, single).dense(), truth.jacobian, dtype=torch.float32)


def test_verify(case):
    f, x, truth = case
    found = verify(f, x)
    assert found.correct, found.words
    assert found.dot_product_gap < 1e-12
    assert np.isnan(found.order_second) == (truth.name in NO_SECOND_REMAINDER)
