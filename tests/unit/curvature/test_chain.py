"""The chain rule link by link, against the Jacobian of the whole, closed forms, and the theory of orthogonal nets."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.errors import DerivativeError, ShapeError

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((4, 3)), RNG.standard_normal((2, 4))


def test_links_multiply_to_the_whole():
    layers = [lambda x: A @ x, jnp.tanh, lambda h: B @ h]
    x = np.array([0.3, -0.2, 0.5])
    found = landform.chain(layers, x)
    whole = landform.jacobian(lambda x: B @ jnp.tanh(A @ x), x).dense()
    np.testing.assert_allclose(found.jacobian, whole, atol=1e-12)
    np.testing.assert_allclose(found.links[0].singular_values, np.linalg.svd(A, compute_uv=False))
    np.testing.assert_allclose(found.links[2].so_far, np.linalg.svd(whole, compute_uv=False))
    np.testing.assert_allclose(found.links[1].jacobian, np.diag(1 - np.tanh(A @ x) ** 2), atol=1e-12)
    assert found.links[0].backward == pytest.approx(np.linalg.norm(whole) / np.sqrt(2))
    assert len(found.to_frame()) == 3 and found.plot() is not None


@pytest.mark.parametrize(("factor", "word"), [(0.3, "vanishes"), (3.0, "explodes"), (1.0, "scaled by 1 ")])
def test_orthogonal_layers_scale_by_their_factor(factor, word):
    """Saxe et al. (2014): products of orthogonal maps keep every length."""
    turns = [np.linalg.qr(RNG.standard_normal((5, 5)))[0] for _ in range(10)]
    found = landform.chain([lambda x, Q=Q: factor * (Q @ x) for Q in turns], np.ones(5))
    np.testing.assert_allclose(found.links[-1].so_far, factor**10)
    assert word in found.words
    if word == "vanishes":  # 0.3 ** 7 of the last link's is the first below a thousandth of it
        places = 10 - int(np.ceil(np.log(1e-3) / np.log(0.3)))
        assert f"from layer {places} back" in found.words


def test_dead_relu():
    found = landform.chain([lambda x: x - 5.0, lambda x: jnp.maximum(x, 0)], np.ones(3))
    assert "No gradient gets through: layer 2" in found.words


def test_pytorch_sequential():
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()
    x = torch.ones(3).double()
    found = landform.chain(net, x)
    np.testing.assert_allclose(found.jacobian, landform.jacobian(net, x).dense().numpy(), atol=1e-12)
    assert [link.name for link in found.links] == ["layer 1 (Linear)", "layer 2 (Tanh)", "layer 3 (Linear)"]


def test_refusals():
    with pytest.raises(ShapeError, match="one or more layers"):
        landform.chain([], np.ones(3))
    with pytest.raises(ShapeError, match="layer 2: expected a layer that takes what the one before gives"):
        landform.chain([lambda x: A @ x, lambda x: A @ x], np.ones(3))
    with pytest.raises(DerivativeError, match=r"layer 1 \(sqrt\)"):
        landform.chain([jnp.sqrt], np.zeros(3))
