"""Nothing global of PyTorch's changes, whatever the caller has set; errors included."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from torch.nn import functional as F  # noqa: E402, N812

from landform import from_torch, hessian, jacobian, prepare, verify  # noqa: E402

X = torch.tensor([0.3, 1.7, -0.6], dtype=torch.float64)


def attention(x):
    q = x.view(1, 1, 3, 1)
    return F.scaled_dot_product_attention(q, q, q).flatten()


def state():
    cuda = torch.backends.cuda
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        (cuda.flash_sdp_enabled(), cuda.mem_efficient_sdp_enabled(), cuda.math_sdp_enabled(), cuda.cudnn_sdp_enabled()),
    )


def work():
    jacobian(lambda x: x[:2] * x[2], X).dense()
    H = hessian(lambda x: (x**3).sum(), X)
    torch.testing.assert_close(H @ X, 6 * X**2)
    torch.testing.assert_close(H.dense(), torch.diag(6 * X))
    hessian(attention, X, weights=[1.0, 2.0, 3.0]).dense()
    p = prepare(attention, X)
    p.second(X)
    p.values_and_jacobians(torch.stack([X, X]))
    verify(attention, X)
    with pytest.raises(RuntimeError, match="mine"):
        jacobian(broken, X)


def broken(x):
    raise RuntimeError("mine")


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode], ids=lambda m: m.__name__)
def test_no_global_setting_changes(mode):
    with mode():
        before = state()
        work()
        assert state() == before


def test_the_default_dtype_does_not_matter():
    torch.set_default_dtype(torch.float64)
    try:
        work()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_points_of_inference_mode_serve():
    with torch.inference_mode():
        x = torch.tensor([1.0, 2.0])
    assert hessian(lambda z: (z**3).sum(), x).dense().tolist() == [[6.0, 0.0], [0.0, 12.0]]


def test_parameters_stay_as_they_are():
    module = torch.nn.Linear(3, 2).double()
    module.weight.grad = torch.ones(2, 3, dtype=torch.float64)
    f = from_torch(module, X[None])
    before = module.weight.clone()
    jacobian(f, f.point).dense()
    jacobian(module, X).dense()
    assert torch.equal(module.weight, before)
    assert torch.equal(module.weight.grad, torch.ones(2, 3, dtype=torch.float64))
    assert module.weight.requires_grad
