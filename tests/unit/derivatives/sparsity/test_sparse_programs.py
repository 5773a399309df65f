"""Every program of the battery: the sparse Jacobian equals the dense one and its pattern holds the true one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest

import landform
from unit.derivatives.sparsity.programs import PROGRAMS, Program


@cache
def _form(program: Program) -> Callable[[np.ndarray], Any]:
    return jax.jit((jax.jacrev if program.reverse else jax.jacfwd)(program.function))


def _dense(program: Program, x: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(_form(program)(x)).reshape(-1, program.n)


def _points(program: Program, count: int = 2) -> list[np.ndarray]:
    rng = np.random.default_rng(len(program.name))
    return [rng.normal(size=program.n) for _ in range(count)]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_sparse_equals_dense(program: Program) -> None:
    first, second = _points(program)
    prepared = landform.prepare(program.function, first, mode="sparse")
    for x in (first, second):
        dense = _dense(program, x)
        sparse = prepared.jacobian(x)
        scale = max(1.0, np.abs(dense).max(initial=0.0))
        np.testing.assert_allclose(sparse.toarray(), dense, rtol=0, atol=program.tolerance * scale)
        filled = np.zeros(dense.shape, bool)
        rows = np.repeat(np.arange(len(dense)), np.diff(sparse.indptr))
        filled[rows, sparse.indices] = True
        assert not ((dense != 0) & ~filled).any()
        total = np.zeros(dense.shape)
        np.add.at(total, (prepared.rows, prepared.cols), prepared.native(x))
        np.testing.assert_allclose(total, sparse.toarray(), rtol=0, atol=1e-12 * scale)


def test_patterns_are_mostly_exact() -> None:
    widths = []
    for program in PROGRAMS:
        pattern = landform.prepare(program.function, _points(program)[0], mode="sparse").program.pattern
        seen = sum(_dense(program, x) != 0 for x in _points(program, 6)) > 0
        if seen.any():
            widths.append(pattern.nnz / seen.sum())
    assert len(widths) >= 90
    assert np.median(widths) == 1
    assert np.mean(np.array(widths) == 1) > 0.7
