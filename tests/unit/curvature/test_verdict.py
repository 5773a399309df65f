"""Verdicts on points whose kind is known by construction (`built_cases`), and what comes with them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from built_cases import CASES

import landform


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_built_cases(case):
    """None is wrong, and none is left open."""
    found = landform.landscape(case.loss, case.point).verdict()
    assert found.place == case.kind, found.words
    if found.step is not None:
        assert found.gain > 0
    if found.place == "saddle":
        assert found.step is not None


def test_the_certificate_of_a_saddle_bends_down():
    """−1e-3 under 1e2: the curvature along the certificate, from the planted matrix itself."""
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.standard_normal((500, 500)))[0]
    A = (Q * np.r_[-1e-3, 100.0, rng.uniform(0.05, 1, 498)]) @ Q.T
    found = landform.landscape(lambda x: 0.5 * x @ (A @ x) + 0.01 * jnp.sum(x**4), np.zeros(500)).verdict()
    v = found.certificate
    assert found.place == "saddle" and v @ A @ v < 0
    assert found.gain == pytest.approx(
        0.0 - (0.5 * found.step @ A @ found.step + 0.01 * np.sum(found.step**4)), rel=1e-9
    )
    assert "saddle" in found.words and len(found.to_frame()) == 1


def test_a_large_valley_is_not_called_a_minimum_unasked():
    """(‖x‖² − 1)² has 399 directions without curvature; more than 300 parameters are not looked at one by one."""
    land = landform.landscape(lambda x: (x @ x - 1.0) ** 2, np.ones(400) / 20)
    open_ = land.verdict(most=100)
    assert open_.place == "cannot tell" and "resolution=" in open_.words
    assert land.verdict(resolution=1e-3).place == "minimum"


def test_what_counts_as_no_slope_can_be_said():
    land = landform.landscape(lambda x: x @ x, np.full(3, 1e-4))
    assert land.verdict().place == "not stationary"
    assert land.verdict(slope=1e-2).place == "minimum"


def test_single_precision():
    p = {"w": jnp.asarray([1.0, 2.0, 3.0], jnp.float32)}
    target = jnp.asarray([1.0, 2.0, 3.0], jnp.float32)
    assert landform.landscape(lambda p: jnp.sum((p["w"] - target) ** 2), p).verdict().place == "minimum"
