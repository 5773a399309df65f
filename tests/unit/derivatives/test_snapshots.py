"""An operator is the function as it was when it was made; the next one reads anew whatever the function reads.

Every function here is ``c x²`` of three inputs, so that J = diag(2 c x) and the Hessian of its sum is diag(2 c):
closed forms, with c changed where the function finds it.
"""

from __future__ import annotations

import functools
import random
import sys
import time
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import landform

X = np.array([1.0, 2.0, 3.0])
RATE = 2.0
SETTINGS = types.ModuleType("settings_of_a_user")
SETTINGS.rate = 2.0
TABLE = {"rates": [2.0, {"deep": np.array(2.0)}]}


def times_global(x):
    return RATE * x**2


def through_another(x):
    return times_global(x)


def times_setting(x):
    return SETTINGS.rate * x**2


def found_by_name(x):
    return globals()["RATE"] * x**2


def imported_inside(x):
    import settings_of_a_user

    return settings_of_a_user.rate * x**2


def times_entry(x):
    return TABLE["rates"][1]["deep"] * x**2


@jax.custom_jvp
def own_rule(x):
    return RATE * x**2


@own_rule.defjvp
def _own_slope(primals, tangents):
    return own_rule(*primals), 2 * RATE * primals[0] * tangents[0]


class Law:
    """A user's object: the rate an attribute, a method, and an object that is called."""

    shared = 2.0

    def __init__(self):
        self.rate, self.inner = 2.0, types.SimpleNamespace(rate=2.0)

    def method(self, x):
        return self.rate * x**2

    def nested(self, x):
        return self.inner.rate * x**2

    def by_class(self, x):
        return self.shared * x**2

    def __call__(self, x):
        return self.method(x)


class Slotted:
    __slots__ = ("rate",)

    def __call__(self, x):
        return self.rate * x**2


def _global(monkeypatch):
    return times_global, lambda c: monkeypatch.setitem(globals(), "RATE", c)


def _global_of_a_callee(monkeypatch):
    return through_another, lambda c: monkeypatch.setitem(globals(), "RATE", c)


def _global_of_an_own_rule(monkeypatch):
    return own_rule, lambda c: monkeypatch.setitem(globals(), "RATE", c)


def _setting(monkeypatch):
    return times_setting, lambda c: monkeypatch.setattr(SETTINGS, "rate", c)


def _found_by_name(monkeypatch):
    return found_by_name, lambda c: monkeypatch.setitem(globals(), "RATE", c)


def _imported_inside(monkeypatch):
    monkeypatch.setitem(sys.modules, SETTINGS.__name__, SETTINGS)
    return imported_inside, lambda c: monkeypatch.setattr(SETTINGS, "rate", c)


def _entry_deep_inside(monkeypatch):
    deep = TABLE["rates"][1]["deep"]
    return times_entry, lambda c: deep.__setitem__((), c)


def _closure(_):
    rate = 2.0

    def f(x):
        return rate * x**2

    def change(c):
        nonlocal rate
        rate = c

    return f, change


def _nested_closure(_):
    inner, change = _closure(None)
    return lambda x: (lambda z: inner(z))(x), change


def _array_written_into(_):
    rates = np.full(3, 2.0)
    return lambda x: rates * x**2, lambda c: rates.fill(c)


def _large_array_written_into(_):
    rates = np.zeros(4000)
    rates[-3:] = 2.0
    return lambda x: rates[-3:] * x**2, lambda c: rates.__setitem__(slice(-3, None), c)


def _jax_array_replaced(_):
    held = {"rate": jnp.asarray(2.0)}
    return lambda x: held["rate"] * x**2, lambda c: held.update(rate=jnp.asarray(c))


def _default(_):
    def f(x, rate=2.0):
        return rate * x**2

    return f, lambda c: setattr(f, "__defaults__", (c,))


def _keyword_default(_):
    def f(x, *, rate=2.0):
        return rate * x**2

    return f, lambda c: f.__kwdefaults__.update(rate=c)


def _attribute_of_the_function(_):
    def f(x):
        return f.rate * x**2

    f.rate = 2.0
    return f, lambda c: setattr(f, "rate", c)


def _bound_method(_):
    law = Law()
    return law.method, lambda c: setattr(law, "rate", c)


def _attribute_of_an_attribute(_):
    law = Law()
    return law.nested, lambda c: setattr(law.inner, "rate", c)


def _class_attribute(monkeypatch):
    return Law().by_class, lambda c: monkeypatch.setattr(Law, "shared", c)


def _object(_):
    law = Law()
    return law, lambda c: setattr(law, "rate", c)


def _slots(_):
    law = Slotted()
    law.rate = 2.0
    return law, lambda c: setattr(law, "rate", c)


def _partial(_):
    law = {"rate": 2.0}
    return functools.partial(lambda x, law: law["rate"] * x**2, law=law), lambda c: law.update(rate=c)


def _wrapped(monkeypatch):
    @functools.wraps(times_global)
    def wrapped(*args):
        return times_global(*args)

    return jax.vmap(wrapped), lambda c: monkeypatch.setitem(globals(), "RATE", c)


def _what_cannot_be_looked_into(_):
    held = iter([])  # no attributes, no contents to compare
    rate = [2.0]

    def f(x):
        assert held is not None
        return rate[0] * x**2

    return f, lambda c: rate.__setitem__(0, c)


CASES = [
    *(_global, _global_of_a_callee, _global_of_an_own_rule, _setting, _entry_deep_inside, _closure, _nested_closure),
    *(_array_written_into, _large_array_written_into, _jax_array_replaced, _default, _keyword_default),
    *(_attribute_of_the_function, _bound_method, _attribute_of_an_attribute, _class_attribute, _object, _slots),
    *(_partial, _wrapped, _found_by_name, _imported_inside, _what_cannot_be_looked_into),
]


def faces(f):
    """Everything an operator and a preparation give, each as a function of nothing that returns the rate c."""
    J, S = landform.jacobian(f, X), landform.jacobian(f, X, mode="sparse")
    H = landform.hessian(f, X, weights=np.ones(3))
    p, q = landform.prepare(f, X), landform.prepare(f, X, mode="sparse")
    v = np.ones(3)
    return {
        "J.dense": lambda: J.dense().diagonal() / (2 * X),
        "J @ v": lambda: J @ v / (2 * X),
        "J.T @ u": lambda: J.T @ v / (2 * X),
        "J.sparse": lambda: J.sparse().diagonal() / (2 * X),
        "mode sparse": lambda: S.dense().diagonal() / (2 * X),
        "H.dense": lambda: H.dense().diagonal() / 2,
        "H @ v": lambda: H @ v / 2,
        "H.sparse": lambda: H.sparse().diagonal() / 2,
        "H.quadratic": lambda: H.quadratic(X) / (2 * X @ X),
        "prepared value": lambda: p.value(X) / X**2,
        "prepared jacobian": lambda: p.jacobian(X).diagonal() / (2 * X),
        "prepared hessian": lambda: p.hessian(X, v).diagonal() / 2,
        "prepared sparse": lambda: q.jacobian(X).diagonal() / (2 * X),
        "prepared sparse hessian": lambda: q.hessian(X, v).diagonal() / 2,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__[1:])
def test_what_changed_is_read_anew(case, monkeypatch):
    f, change = case(monkeypatch)
    for c in (2.0, 5.0, 2.0):
        change(c)
        for name, face in faces(f).items():
            np.testing.assert_allclose(face(), c, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    "case", [_global, _closure, _array_written_into, _bound_method, _large_array_written_into], ids=lambda c: c.__name__
)
def test_an_operator_stays_what_it_was(case, monkeypatch):
    """All faces of one operator agree, whether they are asked for before or after a change."""
    f, change = case(monkeypatch)
    change(3.0)
    before = faces(f)
    change(7.0)
    for name, face in before.items():
        np.testing.assert_allclose(face(), 3.0, rtol=1e-12, err_msg=name)


def test_what_was_given_may_be_written_into_afterwards():
    x, scale, u = X.copy(), np.full(3, 3.0), np.ones(3)
    J = landform.jacobian(lambda z, a: a * z**2, x, args=(scale,))
    H = landform.hessian(lambda z, a: a * z**2, x, args=(scale,), weights=u)
    first = J @ np.ones(3)
    for array in (x, scale, u):
        array[:] = 99.0
    for found in (first, J @ np.ones(3), J.dense().diagonal(), J.sparse().diagonal()):
        np.testing.assert_allclose(found, 6 * X)
    for found in (H @ np.ones(3), H.dense().diagonal(), H.sparse().diagonal()):
        np.testing.assert_allclose(found, 6.0)


def test_arrays_inside_compiled_parts_are_the_operators_own():
    rates = np.full(3, 2.0)
    inside = jax.jit(lambda x: rates * x**2)
    point = np.array(2.0)
    J = landform.jacobian(lambda x: inside(x) * point, X)
    rates[:], point[()] = 9.0, 9.0
    np.testing.assert_allclose(J.dense().diagonal() / (2 * X), 4.0)


def recorded(f):
    """The record that an operator reads, and all that was compiled from it hangs on."""
    return landform.jacobian(f, X)._target.flat


def test_equal_functions_share_what_was_recorded():
    """A lambda written in a loop is one function, as long as it closes over the same."""

    def made(k, rates):
        return lambda x: rates * x * k

    first = recorded(made(1.0, np.ones(3)))
    assert recorded(made(1.0, np.ones(3))) is first
    assert recorded(made(2.0, np.ones(3))) is not first
    assert recorded(made(1.0, np.ones(3, np.float32))) is not first
    law = Law()
    assert recorded(law) is recorded(law) and recorded(law.method) is recorded(law.method)


def test_minus_zero_and_kinds_of_number_are_different_states():
    def made(k):
        return lambda x: x / jnp.asarray(k, float) if k else jnp.where(jnp.signbit(k), 1.0, 2.0) * x

    slopes = [landform.jacobian(made(k), X).dense()[0, 0] for k in (0.0, -0.0, 1, 1.0, True, 4)]
    assert slopes == [2.0, 1.0, 1.0, 1.0, 1.0, 0.25]


def test_nothing_of_a_traced_function_is_kept():
    x = jnp.asarray(X)

    @jax.jit
    def outer(c):
        return landform.jacobian(lambda z: c * z**2, x).dense() @ jnp.ones(3)

    np.testing.assert_allclose(outer(2.0), 4 * X, rtol=1e-6)
    np.testing.assert_allclose(outer(jnp.asarray(5)), 10 * X, rtol=1e-6)
    slope = jax.grad(lambda c: (landform.jacobian(lambda z: c * z**2, x) @ jnp.ones(3)).sum())(2.0)
    np.testing.assert_allclose(slope, 2 * X.sum(), rtol=1e-6)


def _slope(f):
    return float(landform.jacobian(f, np.array([1.0, 3.0])).dense()[0, 0])


def test_modules_held_as_values_are_looked_into():
    module = types.ModuleType("settings_of_a_user")
    module.rate = 2.0
    f = lambda x, module=module: module.rate * x**2  # noqa: E731
    assert _slope(f) == 4.0
    module.rate = 5.0
    assert _slope(f) == 10.0


def test_methods_in_c_belong_to_objects_that_change():
    table = {"k": 2.0}
    get = table.get
    f = lambda x: get("k") * x**2  # noqa: E731
    assert _slope(f) == 4.0
    table["k"] = 5.0
    assert _slope(f) == 10.0


class _Private:
    __slots__ = ("__rate",)

    def __init__(self):
        self.move(2.0)

    def move(self, rate):
        self.__rate = rate

    def __call__(self, x):
        return self.__rate * x**2


def test_private_slots_and_masks_are_seen():
    f = _Private()
    assert _slope(f) == 4.0
    f.move(5.0)
    assert _slope(f) == 10.0
    masked = np.ma.array([2.0, 3.0], mask=[False, True])
    g = lambda x: float(masked.sum()) * x**2  # noqa: E731
    assert _slope(g) == 4.0
    masked.mask = [False, False]
    assert _slope(g) == 10.0


@pytest.mark.parametrize(
    "draw",
    [lambda: np.random.rand(), lambda: random.random(), lambda: time.perf_counter()],  # noqa: NPY002
)
def test_what_changes_at_every_call_is_never_kept(draw):
    f = lambda x: draw() * x**2  # noqa: E731
    assert _slope(f) != _slope(f)


def test_a_sparse_result_does_not_reach_into_another():
    p = landform.prepare(lambda x: x[1:] * x[:-1], np.arange(1.0, 51), mode="sparse")
    held = p.jacobian(np.arange(1.0, 51))
    before = held.toarray()
    with pytest.raises(ValueError, match="read-only"):
        p.jacobian(np.arange(2.0, 52)).indices[0] = 7
    np.testing.assert_array_equal(held.toarray(), before)
