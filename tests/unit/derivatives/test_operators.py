"""Labels, plans, memory, SciPy, and every refusal of the derivative operators."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.sparse.linalg import eigsh

from landform.backends import Model
from landform.derivatives import hessian, jacobian, prepare
from landform.derivatives.plan import hessian_plan, jacobian_plan, memory_bytes, readable_bytes
from landform.errors import DerivativeError, LandformError, ShapeError

X = np.array([3.0, 5.0, 2.0])


def two(x):
    return jnp.stack([x[0] ** 2 * x[1], x[2] / x[1]])


TWO = np.array([[30.0, 9.0, 0.0], [0.0, -2 / 25, 1 / 5]])


def one(x):
    return x[0] ** 2 * x[1] * x[2]


ONE = np.array([[20.0, 12.0, 30.0], [12.0, 0.0, 9.0], [30.0, 9.0, 0.0]])


def test_labels_stand_in_the_table():
    J = jacobian(two, X, inputs=("sugar", "fat", "salt"), outputs=("gel", "gloss"))
    table = J.to_frame()
    assert list(table.index) == ["d gel", "d gloss"]
    assert list(table.columns) == ["/ d sugar", "/ d fat", "/ d salt"]
    assert table.loc["d gel", "/ d fat"] == 9.0
    assert table.loc["d gloss", "/ d fat"] == -0.08
    assert "sugar" in J._repr_html_()


def test_default_labels():
    J = jacobian(two, X)
    assert (J.inputs, J.outputs) == (("x0", "x1", "x2"), ("y0", "y1"))
    assert jacobian(lambda x: x[0] ** 2, [3.0]).outputs == ("y",)


def test_a_model_brings_its_names():
    model = Model(two, (), inputs=("a", "b", "c"), outputs=("p", "q"))
    assert jacobian(model, X).inputs == ("a", "b", "c")
    assert hessian(model, X, weights=np.array([1.0, 0.0])).to_frame().loc["a", "b"] == 6.0
    assert jacobian(model, X, outputs=("r", "s")).outputs == ("r", "s")


def test_arguments_are_held_fixed():
    J = jacobian(lambda x, k, c: k * two(x) + c, X, args=(2.0, 7.0))
    np.testing.assert_allclose(J.dense(), 2 * TWO, atol=1e-14)


def test_auto_takes_the_cheaper_way():
    assert jacobian_plan(3, 6, 8, mode="auto", memory="1 GiB").mode == "forward"
    assert jacobian_plan(3, 7, 8, mode="auto", memory="1 GiB").mode == "reverse"
    plan = jacobian_plan(500, 40, 8, mode="auto", memory="1 GiB")
    assert (plan.products, plan.chunk) == (40, 40)
    assert jacobian_plan(500, 90, 8, mode="auto", memory="1 GiB").chunk == 32
    assert "2 × 3 Jacobian" in jacobian(two, X).explain()
    assert "3 × 3 Hessian" in hessian(one, X).explain()
    assert "2 × 3" in prepare(two, X).explain()


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_chunks_give_the_same_matrix(mode):
    """A budget that lets only a few products run at once changes the plan and no digit."""
    rows = np.random.default_rng(1).standard_normal((70, 80))

    def bent(x):
        return jnp.tanh(jnp.asarray(rows) @ x)

    x = np.random.default_rng(2).standard_normal(80) / 10
    whole = jacobian(bent, x, mode=mode)
    tight = jacobian(bent, x, mode=mode, memory=8 * 70 * 80 + 5 * 4 * 8 * 150)
    assert whole.plan.chunk > tight.plan.chunk > 0
    np.testing.assert_allclose(tight.dense(), whole.dense(), atol=1e-14)
    np.testing.assert_allclose(whole.dense(), (1 - np.tanh(rows @ x) ** 2)[:, None] * rows, atol=1e-13)


def test_scipy_operators():
    H = hessian(one, X).to_scipy()
    assert H.shape == (3, 3)
    largest = eigsh(H, k=1, which="LA", return_eigenvectors=False)[0]
    assert largest == pytest.approx(np.linalg.eigvalsh(ONE)[-1], rel=1e-10)
    J = jacobian(two, X).to_scipy()
    np.testing.assert_allclose(J.matvec(np.array([1.0, 0, 1])), TWO @ [1, 0, 1], atol=1e-14)
    np.testing.assert_allclose(J.rmatvec(np.array([1.0, 2])), TWO.T @ [1, 2], atol=1e-14)


def test_hessian_table_and_diagonal():
    H = hessian(one, X, inputs=("a", "b", "c"))
    np.testing.assert_allclose(H.diagonal(), np.diag(ONE), atol=1e-13)
    assert H.to_frame().loc["c", "a"] == 30.0
    assert "<table" in H._repr_html_()


def test_transpose_is_an_operator():
    T = jacobian(two, X).T
    assert T.shape == (3, 2)
    np.testing.assert_allclose(T.dense(), TWO.T, atol=1e-14)
    assert T.T.shape == (2, 3)


def test_memory_refusal_says_the_size_and_what_to_do():
    J = jacobian(lambda x: jnp.outer(x, x[:50]).ravel(), np.ones(100), memory="1 MB")
    with pytest.raises(ShapeError, match=r"5000 × 100 Jacobian of 3\.8 MiB.*J @ v"):
        J.dense()
    assert (J @ np.ones(100)).shape == (5000,)
    H = hessian(lambda x: jnp.sum(x**3), np.ones(100), memory=79_999)
    with pytest.raises(ShapeError, match=r"100 × 100 Hessian of 78\.1 KiB"):
        H.dense()
    assert hessian(lambda x: jnp.sum(x**3), np.ones(100), memory=80_000).dense()[3, 3] == 6.0


@pytest.mark.parametrize("memory", ["2 apples", "-1 GiB", "0", "1.2.3 GB", "", "GiB"])
def test_budgets_that_mean_nothing(memory):
    with pytest.raises(ShapeError, match="memory budget"):
        memory_bytes(memory)


def test_budgets():
    assert memory_bytes("1.5 KiB") == 1536
    assert memory_bytes("3kB") == 3000
    assert memory_bytes(17) == 17
    assert readable_bytes(1023) == "1023 B"
    assert readable_bytes(5 * 2**40) == "5.0 TiB"
    assert hessian_plan(3, 8, memory=72).memory == 72


REFUSED = {
    "whole numbers": (lambda: jacobian(two, np.array([3, 5, 2])), ShapeError, "int.*astype"),
    "complex numbers": (lambda: jacobian(two, X + 1j), ShapeError, "complex"),
    "truth values": (lambda: jacobian(two, X > 2), ShapeError, "bool"),
    "NaN": (lambda: jacobian(two, np.array([1.0, np.nan, 2.0])), ShapeError, "NaN or inf"),
    "infinity": (lambda: hessian(one, np.array([1.0, np.inf, 2.0])), ShapeError, "NaN or inf"),
    "nothing": (lambda: jacobian(two, []), ShapeError, "at least one number"),
    "an empty array": (lambda: jacobian(two, np.array([])), ShapeError, "at least one number"),
    "names that do not fit": (
        lambda: jacobian(two, X, inputs=("a", "b")),
        ShapeError,
        "inputs: expected 3 names, got 2",
    ),
    "output names that do not fit": (
        lambda: jacobian(two, X, outputs=("a",)),
        ShapeError,
        "outputs: expected 2 names, got 1",
    ),
    "a short direction": (lambda: jacobian(two, X) @ np.ones(2), ShapeError, r"3 numbers.*shape \(2,\)"),
    "a matrix of directions": (lambda: jacobian(two, X) @ np.ones((3, 2)), ShapeError, r"shape \(3, 2\)"),
    "a long weight": (lambda: jacobian(two, X).T @ np.ones(3), ShapeError, "2 numbers, one for each output"),
    "a short curve": (lambda: hessian(one, X) @ np.ones(2), ShapeError, "3 numbers, one for each input"),
    "a short quadratic": (lambda: hessian(one, X).quadratic(np.ones(4)), ShapeError, r"shape \(4,\)"),
    "several outputs without weights": (lambda: hessian(two, X), ShapeError, "2 outputs.*weights="),
    "weights of the wrong length": (lambda: hessian(two, X, weights=np.ones(3)), ShapeError, "2 numbers"),
    "an unknown mode": (lambda: jacobian(two, X, mode="sideways").plan, ShapeError, "'sideways'"),
    "whole outputs": (lambda: jacobian(lambda x: jnp.round(x).astype(int), X), DerivativeError, "int.*no slope"),
    "text outputs": (lambda: jacobian(lambda x: "high", X), ShapeError, "str"),
    "no outputs": (lambda: jacobian(lambda x: None, X), ShapeError, "NoneType"),
    "a prepared point too long": (lambda: prepare(two, X).value(np.ones(4)), ShapeError, r"shape \(4,\)"),
    "a prepared weight": (lambda: prepare(two, X).hessian(X), ShapeError, "output"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_refused_in_one_sentence(case):
    make, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words) as caught:
        make()
    assert isinstance(caught.value, LandformError)
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)


def test_not_finite_derivatives_name_their_entry():
    J = jacobian(lambda x: jnp.stack([x[0] + x[2], jnp.sqrt(x[1])]), np.array([1.0, 0.0, 2.0]), inputs=("a", "b", "c"))
    with pytest.raises(DerivativeError, match="for d y1 / d"):  # sqrt has slope inf times 0 across
        J.dense()
    H = hessian(lambda x: x[0] + jnp.sqrt(x[1]) ** 3 + x[2], np.array([1.0, 0.0, 2.0]), inputs=("a", "b", "c"))
    with pytest.raises(DerivativeError, match=r"finite Hessian, got (nan|inf) for d"):
        H.dense()


def test_not_finite_entries_are_counted():
    J = jacobian(lambda x: jnp.sqrt(x), np.zeros(3))
    with pytest.raises(DerivativeError, match=r"d y0 / d x\d and \d more entries"):
        J.dense()
