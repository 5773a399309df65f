"""``mode="colored"`` with PyTorch: the dense matrix of `torch.func` from few products, in PyTorch's own form."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

from scipy.sparse import csr_array  # noqa: E402

from landform import hessian, jacobian, prepare, verify  # noqa: E402
from landform.derivatives.coloring import color_hessian  # noqa: E402
from landform.errors import DerivativeError, ShapeError  # noqa: E402
from unit.derivatives.pytorch.test_torch_refusals import Once  # noqa: E402

X = torch.arange(1.0, 7.0, dtype=torch.float64)
BAND = np.eye(5, 6) + np.eye(5, 6, k=1)
CHAIN = np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)
ARROW = np.eye(6)
ARROW[0] = ARROW[:, 0] = 1


def neighbors(x):
    return x[1:] * x[:-1]


def chained(x):
    return (x[1:] ** 2 * x[:-1]).sum()


def arrow(x):
    return torch.cat([(x**2).sum()[None], x[1:] ** 2 * x[0]])


def hub(x):
    return (x[0] ** 2 * x[1:] ** 3).sum()


def bent_by(f):
    return torch.func.jacrev(torch.func.jacrev(f))


def same(found, truth):
    assert found.layout == torch.sparse_csr
    assert not found.requires_grad
    torch.testing.assert_close(found.to_dense(), truth, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("sparsity", [BAND, csr_array(BAND), "detect"], ids=["array", "csr", "seen"])
def test_a_jacobian(sparsity):
    J = jacobian(neighbors, X, mode="colored", sparsity=sparsity)
    truth = torch.func.jacrev(neighbors)(X)
    same(J.sparse(), truth)
    assert J.sparse()._nnz() == 10
    torch.testing.assert_close(J.dense(), truth)
    assert J.plan.products == 2
    assert ("seen at 3 points" if isinstance(sparsity, str) else "pattern given") in J.explain()
    assert J.to_frame().loc["d y0", "/ d x1"] == 1.0


@pytest.mark.parametrize(("f", "pattern"), [(chained, CHAIN), (hub, ARROW)], ids=["a chain", "a hub"])
@pytest.mark.parametrize("sparsity", ["given", "detect"])
def test_a_hessian(f, pattern, sparsity):
    H = hessian(f, X, mode="colored", sparsity=pattern if sparsity == "given" else "detect")
    truth = bent_by(f)(X)
    same(H.sparse(), truth)
    torch.testing.assert_close(H.dense(), truth)
    assert torch.equal(H.dense(), H.dense().T)
    torch.testing.assert_close(H.diagonal(), truth.diagonal())
    assert H.plan.products < 6


def test_rows_and_columns_share_an_arrow():
    J = jacobian(arrow, X, mode="colored", sparsity="detect")
    same(J.sparse(), torch.func.jacrev(arrow)(X))
    assert J.plan.products == 3


def test_an_acyclic_coloring():
    colored = color_hessian(CHAIN, kind="acyclic")
    assert colored.forest is not None
    same(hessian(chained, X, mode="colored", sparsity=colored).sparse(), bent_by(chained)(X))


def test_single_precision_stays():
    found = jacobian(neighbors, X.float(), mode="colored", sparsity=BAND).sparse()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.to_dense(), torch.func.jacrev(neighbors)(X.float()))


def test_without_any_entry():
    J = jacobian(lambda x: torch.ones(4, dtype=torch.float64), X, mode="colored", sparsity=np.zeros((4, 6)))
    same(J.sparse(), torch.zeros(4, 6, dtype=torch.float64))


def test_prepared_gives_each_its_own():
    p = prepare(neighbors, X, mode="colored", sparsity=BAND)
    at = X**2
    truth = torch.func.jacrev(neighbors)(at)
    y, matrix = p.value_and_jacobian(at)
    torch.testing.assert_close(y, neighbors(at))
    same(matrix, truth)
    same(p.jacobian(at), truth)
    assert torch.equal(p.native(at), matrix.values())
    y, matrix = p.value_and_jacobian(at.numpy())
    assert isinstance(y, np.ndarray)
    assert isinstance(matrix, csr_array)
    np.testing.assert_allclose(matrix.toarray(), truth)
    u = torch.arange(1.0, 6.0, dtype=torch.float64)
    bent = bent_by(lambda x: u @ neighbors(x))(at)
    same(p.hessian(at, u), bent)
    np.testing.assert_allclose(p.hessian(at.numpy(), u.numpy()).toarray(), bent)


def test_prepared_with_the_pattern_of_a_hessian():
    p = prepare(chained, X, mode="colored", sparsity=CHAIN)
    same(p.hessian(X), bent_by(chained)(X))
    same(p.jacobian(X), torch.func.jacrev(chained)(X)[None])


def test_a_module():
    torch.manual_seed(0)
    layer = torch.nn.Conv1d(1, 1, 3).double()
    J = jacobian(lambda x: layer(x[None])[0], X, mode="colored", sparsity="detect")
    same(J.sparse(), torch.func.jacrev(lambda x: layer(x[None])[0])(X))
    assert J.plan.products == 3


def test_a_function_without_batched_products():
    class Unvectorized(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, u):
            (x,) = ctx.saved_tensors
            assert np.isfinite(float(u.detach().sum()))  # vmap refuses numbers
            return 2 * x * u

    same(jacobian(Unvectorized.apply, X, mode="colored", sparsity=np.eye(6)).sparse(), torch.diag(2 * X))


def test_what_cannot_be_is_refused_in_one_sentence():
    with pytest.raises(DerivativeError, match="d y0 / d x1 = 1 outside it"):
        jacobian(neighbors, X, mode="colored", sparsity=np.eye(5, 6)).sparse()
    with pytest.raises(ShapeError, match=r"one of PyTorch.*sparsity=.*detect"):
        jacobian(neighbors, X, mode="colored").sparse()
    with pytest.raises(DerivativeError, match="once_differentiable"):
        jacobian(Once.apply, X, mode="colored", sparsity=np.eye(6)).sparse()
    with pytest.raises(DerivativeError, match=r"inf.*d y0 / d x0"):
        at = torch.where(X == 1, 0.0, X)
        jacobian(torch.sqrt, at, mode="colored", sparsity=np.eye(6)).sparse()


def test_verify_checks_a_pattern():
    assert verify(neighbors, X, sparsity=BAND).correct
    found = verify(neighbors, X, sparsity=np.eye(5, 6))
    assert "d y0 / d x1 = 1 outside it" in found.words
