"""Sparse derivatives against closed forms, SciPy, and (where it is installed) asdex."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import rosen_hess
from scipy.sparse import block_array, diags_array, eye_array, kron

import landform
from unit.derivatives.sparsity.programs import PROGRAMS, brusselator, rosenbrock


def test_rosenbrock_against_scipy() -> None:
    x = np.random.default_rng(0).normal(size=200)
    found = landform.hessian(rosenbrock, x).sparse()
    np.testing.assert_allclose(found.toarray(), rosen_hess(x), rtol=1e-12, atol=1e-9)


def test_brusselator_against_its_closed_form() -> None:
    size = 5
    w = np.random.default_rng(1).normal(size=2 * size**2)
    ring = np.roll(np.eye(size), 1, 0) + np.roll(np.eye(size), -1, 0)
    spread = 0.4 * (kron(ring, eye_array(size)) + kron(eye_array(size), ring) - 4 * eye_array(size**2))
    u, v = w.reshape(2, -1)
    d = diags_array
    closed = block_array([[spread + d(2 * u * v - 4.4), d(u**2)], [d(3.4 - 2 * u * v), spread - d(u**2)]], format="csr")
    found = landform.jacobian(lambda w: brusselator(w, size), w).sparse()
    assert found.nnz == 12 * size**2
    np.testing.assert_allclose(found.toarray(), closed.toarray(), rtol=1e-12, atol=1e-12)


def test_patterns_are_no_wider_than_a_peers() -> None:
    asdex = pytest.importorskip("asdex")
    known = ["brusselator", "rosenbrock gradient", "arwhead gradient", "neighbours", "fixed gather", "segment sum"]
    for program in (p for p in PROGRAMS if p.name in known):
        with jax.enable_x64(True):
            theirs = asdex.jacobian_sparsity(program.function, jnp.ones(program.n)).nnz
        ours = landform.prepare(program.function, np.ones(program.n), mode="sparse").program.pattern.nnz
        assert ours <= theirs
