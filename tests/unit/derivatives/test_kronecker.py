"""Kronecker factors against the dense Fisher information: exact where theory says so, blocks found by tracing."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform
from landform.derivatives.kronecker import LayerBlock, outputs_by_layers
from landform.derivatives.kronecker.outputs import row_slopes
from landform.errors import DerivativeError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((11, 5))


def drawn(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape) / 2


def perceptron(p, X):
    h = jnp.tanh(X @ p["a"]["w"] + p["a"]["b"])
    return h @ p["c"].T + p["d"]


MLP = {"a": {"w": drawn(5, 4), "b": drawn(4)}, "c": drawn(3, 4), "d": drawn(3)}


def normalized(p, X):
    """A LayerNorm and a scale of one's own between products."""
    h = X @ p["a"]
    h = (h - h.mean(-1, keepdims=True)) / jnp.sqrt(h.var(-1, keepdims=True) + 1e-5) * p["gain"] + p["shift"]
    return jax.nn.relu(h) @ p["b"] * jnp.exp(p["scale"])


NORM = {"a": drawn(5, 4), "b": drawn(4, 3), "gain": 1 + drawn(4), "shift": drawn(4), "scale": drawn(1)}


def convolved(p, X):
    layout = ("NHWC", "HWIO", "NHWC")
    h = jax.lax.conv_general_dilated(X, p["k"], (2, 1), "SAME", dimension_numbers=layout) + p["b"]
    h = jax.lax.conv_general_dilated(jnp.tanh(h), p["l"], (1, 1), [(0, 1), (2, 0)], rhs_dilation=(1, 2),
                                     dimension_numbers=layout)  # fmt: skip
    return jnp.tanh(h).reshape(len(X), -1) @ p["w"]


IMAGES = RNG.standard_normal((7, 5, 6, 2))
CNN = {"k": drawn(3, 3, 2, 4), "b": drawn(4), "l": drawn(2, 2, 4, 2), "w": drawn(3 * 6 * 2, 3)}


def attentive(p, X):
    """Attention with heads, weights in three axes, and one product used twice."""
    q, k, v = (jnp.einsum("ntd,dhe->nhte", X, p[name]) for name in "qkv")
    weights = jax.nn.softmax(q @ k.swapaxes(-1, -2) / 2, axis=-1)
    h = jnp.einsum("nhte,hed->ntd", weights @ v, p["o"]) + p["bias"]
    h = jnp.tanh(h @ p["again"])
    return jnp.tanh(h @ p["again"]).mean(axis=1) @ p["head"]


TOKENS = RNG.standard_normal((6, 4, 3))
ATTENTION = {"q": drawn(3, 2, 4), "k": drawn(3, 2, 4), "v": drawn(3, 2, 4), "o": drawn(2, 4, 3), "bias": drawn(3)}
ATTENTION |= {"again": drawn(3, 3), "head": drawn(3, 2)}


def recurrent(p, X):
    """A scan holds its weights back: no layer is seen in it."""
    h = jax.lax.scan(lambda h, x: (jnp.tanh(h @ p["r"] + x), None), jnp.zeros((len(X), 3)), X.swapaxes(0, 1))[0]
    return h @ p["w"]


RNN = {"r": drawn(3, 3), "w": drawn(3, 2)}
CASES = {
    "perceptron": (perceptron, MLP, X, 2, set()),
    "normalized": (normalized, NORM, X, 3, {"gain", "scale"}),
    "convolved": (convolved, CNN, IMAGES, 3, set()),
    "attentive": (attentive, ATTENTION, TOKENS, 6, set()),
    "recurrent": (recurrent, RNN, TOKENS, 1, {"r"}),
    "one vector": (lambda w, X: jnp.tanh(X @ w[:20].reshape(5, 4)) @ w[20:32].reshape(3, 4).T, drawn(32), X, 2, set()),
}


@pytest.mark.parametrize("name", CASES)
def test_slopes_by_layers_are_those_of_the_function(name):
    """Features times units' slopes against `jax.jacrev`, and which parameters stand outside layers."""
    predict, p, rows, layers, outside = CASES[name]
    found = outputs_by_layers(predict, p, (rows,))
    assert len(found.layered.sites) == layers
    assert {found.labels[k] for k in found.layered.rest} == outside
    ((place, part),) = found.stream((rows,), None, found.m)
    assert place == slice(0, len(rows))
    with jax.enable_x64(True):
        truth = jax.tree.leaves(jax.jacrev(lambda p: predict(p, rows).reshape(len(rows), -1))(p))
    truth = np.concatenate([np.reshape(one, (len(rows), found.m, -1)) for one in truth], 2)
    np.testing.assert_allclose(row_slopes(found, part).transpose(1, 0, 2), truth, atol=1e-12)


def information(predict, p, rows, distribution):
    return landform.fisher(lambda p: predict(p, rows).reshape(len(rows), -1), p, distribution).dense()


def block_of(K, number):
    block = K.blocks[number]
    return block, np.ix_(block.places, block.places)


def test_a_single_layer_with_squared_loss_is_exact():
    p = {"w": drawn(5, 3), "b": drawn(3)}
    K = landform.kronecker(lambda p, X: X @ p["w"] + p["b"], p, X, "gaussian", sigma=0.5)
    truth = landform.fisher(lambda p: X @ p["w"] + p["b"], p, "gaussian", sigma=0.5).dense()
    np.testing.assert_allclose(K.dense(), truth, atol=1e-11)


def test_deep_linear_networks_with_squared_loss_are_exact_by_layers():
    """Bernacchia, Lengyel and Hennequin (2018): every block is a Kronecker product there."""
    p = {"a": drawn(5, 4), "b": drawn(4, 6), "c": drawn(6, 3)}

    def linear(p, X):
        return X @ p["a"] @ p["b"] @ p["c"]

    K, truth = landform.kronecker(linear, p, X, "gaussian"), information(linear, p, X, "gaussian")
    assert len(K.blocks) == 3
    for number in range(3):
        block, square = block_of(K, number)
        np.testing.assert_allclose(block.dense(), truth[square], atol=1e-11)


@pytest.mark.parametrize(
    ("name", "distribution"),
    [*((name, "categorical") for name in CASES), *(("perceptron", d) for d in ("gaussian", "bernoulli", "poisson"))],
)
def test_corrected_eigenvalues_are_the_diagonal_in_the_eigenbasis(name, distribution):
    """George et al. (2018), eq. 7; and never further from the truth than plain factors."""
    predict, p, rows, *_ = CASES[name]
    truth = information(predict, p, rows, distribution)
    plain = landform.kronecker(predict, p, rows, distribution)
    K = landform.kronecker(predict, p, rows, distribution, corrected=True)
    for number in range(len(K.blocks)):
        block, square = block_of(K, number)
        if isinstance(block, LayerBlock):
            Q = np.kron(block.by_features, block.by_units)
            np.testing.assert_allclose(np.diag(Q.T @ truth[square] @ Q), block.values.ravel(), atol=1e-10)
            other = next(b for b in plain.blocks if np.array_equal(b.places, block.places))
            near, far = (np.linalg.norm(b.dense() - truth[square]) for b in (block, other))
            assert near <= far + 1e-11
        else:
            np.testing.assert_allclose(block.dense(), truth[square], atol=1e-10)
    assert K.trace() == pytest.approx(np.trace(truth), rel=1e-10)


def test_factors_by_hand():
    """Martens and Grosse (2015), eq. 16 of a two-layer network, with features and slopes written out."""
    h = np.tanh(X @ MLP["a"]["w"] + MLP["a"]["b"])
    logits = h @ MLP["c"].T + MLP["d"]
    prob = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    middle = np.einsum("ri,ij->rij", prob, np.eye(3)) - prob[:, :, None] * prob[:, None]
    back = MLP["c"][None] * (1 - h**2)[:, None]  # (rows, outputs, units)
    G = np.einsum("rci,rcd,rdj->ij", back, middle, back)
    one = np.c_[X, np.ones(11)]
    truth = np.kron(one.T @ one / 11, G)
    K = landform.kronecker(perceptron, MLP, X, "categorical")
    np.testing.assert_allclose(K.blocks[0].dense(), truth, atol=1e-12)
    apart = landform.kronecker(perceptron, MLP, X, "categorical", joint=False)
    np.testing.assert_allclose(apart.blocks[0].dense(), np.kron(X.T @ X / 11, G), atol=1e-12)
    np.testing.assert_allclose(apart.blocks[1].dense(), G, atol=1e-12)


def test_the_operator_is_its_dense_matrix():
    K = landform.kronecker(normalized, NORM, X, "categorical")
    D, v = K.dense(), RNG.standard_normal(K.shape[0])
    np.testing.assert_allclose(K @ v, D @ v, atol=1e-12)
    shifted = D + 0.3 * np.eye(len(D))
    np.testing.assert_allclose(K.solve(v, 0.3), np.linalg.solve(shifted, v), rtol=1e-9)
    assert K.logdet(0.3) == pytest.approx(np.linalg.slogdet(shifted)[1], rel=1e-10)
    np.testing.assert_allclose(K.eigenvalues(), np.linalg.eigvalsh(D)[::-1], atol=1e-11)
    assert "gain: whole block, used by 'mul'" in K.explain() and "Kronecker" in K.words
    assert K.to_frame()["parameters"].iloc[0] == "a" and K.to_frame()["size"].sum() == len(D)


def test_sharing():
    """One linear layer over positions, averaged or kept apart: exact in its own setting (Eschenhagen et al. 2023)."""
    w = drawn(3, 2)
    K = landform.kronecker(lambda w, X: (X @ w).mean(axis=1), w, TOKENS, "gaussian", sharing="reduce")
    np.testing.assert_allclose(K.dense(), information(lambda w, X: (X @ w).mean(1), w, TOKENS, "gaussian"), atol=1e-12)
    apart = landform.kronecker(lambda w, X: X @ w, w, TOKENS, "gaussian", sharing="expand")
    np.testing.assert_allclose(apart.dense(), information(lambda w, X: X @ w, w, TOKENS, "gaussian"), atol=1e-11)


def test_drawn_observations_approach_the_expectation():
    exact = landform.kronecker(perceptron, MLP, X, "categorical")
    some = landform.kronecker(perceptron, MLP, X, "categorical", samples=4000)
    again = landform.kronecker(perceptron, MLP, X, "categorical", samples=4000)
    assert some.trace() == again.trace() == pytest.approx(exact.trace(), rel=0.05)
    assert some.trace() != exact.trace()
    np.testing.assert_allclose(some.dense(), exact.dense(), atol=0.06 * np.abs(exact.dense()).max())


def test_rows_come_in_blocks_and_whatever_their_number():
    found = outputs_by_layers(perceptron, MLP, (X,))
    whole = next(found.stream((X,), None, 3))[1]
    object.__setattr__(found, "work", 1)  # a row at a time
    object.__setattr__(found, "work", 4 * 2 * 8 * 60)
    assert 1 < found.chunk(3) < 11
    places, parts = zip(*found.stream((X,), None, 3), strict=True)
    assert sum(len(range(11)[place]) for place in places) == 11
    np.testing.assert_allclose(np.concatenate([one.outputs for one in parts]), whole.outputs)
    np.testing.assert_allclose(np.concatenate([one.slopes[0] for one in parts], 1), whole.slopes[0])


def test_a_large_array_outside_layers_has_its_diagonal():
    """An embedding: looked up, so no product; beyond 1,000 numbers its diagonal, and it says so."""
    table, head, words = drawn(300, 4), drawn(4, 2), RNG.integers(0, 300, (9, 3))

    def embedded(p, words):
        return jnp.tanh(p["table"][words].mean(axis=1)) @ p["head"]

    p = {"table": table, "head": head}
    K = landform.kronecker(embedded, p, words, "gaussian")
    truth = information(embedded, p, words, "gaussian")
    along = next(block for block in K.blocks if len(block.places) == 1200)
    np.testing.assert_allclose(along.values, np.diag(truth)[along.places], atol=1e-12)
    assert "table: diagonal, used by 'gather'" in K.explain()


def test_single_precision_stays_single():
    p = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), MLP)
    K = landform.kronecker(perceptron, p, jnp.asarray(X, jnp.float32), "categorical")
    np.testing.assert_allclose(K.dense(), landform.kronecker(perceptron, MLP, X, "categorical").dense(), atol=1e-4)


def batch_mean(p, X):
    h = X @ p
    return h - h.mean(axis=0)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: landform.kronecker(batch_mean, drawn(5, 3), X, "gaussian"), DerivativeError, "do not depend on each"),
        (lambda: landform.kronecker(lambda p, X: (X @ p).sum(), drawn(5), X, "gaussian"), ShapeError, "11 rows|8 rows"),
        (lambda: landform.kronecker(perceptron, MLP, X, "cauchy"), ShapeError, "got 'cauchy'"),
        (lambda: landform.kronecker(perceptron, MLP, X, "gaussian", sharing="both"), ShapeError, "'both'"),
        (lambda: landform.kronecker(perceptron, MLP, X, "gaussian", samples=0), ShapeError, "one or more samples"),
        (lambda: landform.kronecker(perceptron, MLP, (X, X[:3]), "gaussian"), ShapeError, "same number of rows"),
        (lambda: landform.kronecker(perceptron, MLP, X[:2], "gaussian").solve(np.ones(39)), DerivativeError, "shift="),
        (lambda: landform.kronecker(perceptron, MLP, X, "gaussian") @ np.ones(3), ShapeError, "a vector of 39 numbers"),
        (lambda: landform.kronecker(perceptron, MLP, X, "gaussian").dense("1 kB"), ShapeError, "39 × 39 matrix"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_what_a_function_reads_is_read_anew():
    scale = np.ones(3)

    def scaled(w, X):
        return X @ w * scale

    w = drawn(5, 3)
    before = landform.kronecker(scaled, w, X, "gaussian").trace()
    scale[:] = 2.0
    assert landform.kronecker(scaled, w, X, "gaussian").trace() == pytest.approx(4 * before)
