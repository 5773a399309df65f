"""Evaluations elsewhere: threads, processes, Dask."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import landform
from landform.errors import DerivativeError

X = np.array([0.5, 1.5, 2.5])


def simulator(x):
    if x[2] > 2.55:
        raise RuntimeError("diverged")
    return np.array([x[0] * x[1], np.sin(x[2])])


def check(executor):
    here = landform.jacobian(simulator, X, mode="numeric")
    there = landform.jacobian(simulator, X, mode="numeric", executor=executor)
    np.testing.assert_array_equal(here.dense(), there.dense())
    assert here.evaluations == there.evaluations and len(here.failures) == len(there.failures) > 0


def test_threads():
    seen = set()

    def f(x):
        seen.add(threading.get_ident())
        return simulator(x)

    with ThreadPoolExecutor(3) as executor:
        check(executor)
        landform.jacobian(f, X, mode="numeric", executor=executor)
    assert threading.get_ident() not in seen


def test_processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        check(executor)
        with pytest.raises(DerivativeError, match="top of a module"):
            landform.jacobian(lambda x: x, X, mode="numeric", executor=executor)


def leaves_its_mark(x, folder):
    """Tells by a file in which process it ran."""
    (folder / str(os.getpid())).touch()
    return simulator(x)


@pytest.mark.filterwarnings("default")
def test_dask_on_workers_of_their_own(tmp_path):
    distributed = pytest.importorskip("distributed", reason="Dask's distributed is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = client.get_executor()
        check(executor)
        options = {"args": (tmp_path,), "executor": executor}
        J = landform.jacobian(leaves_its_mark, X, mode="numeric", **options)
        H = landform.hessian(leaves_its_mark, X, mode="numeric", weights=[1.0, 2.0], **options)
        found = landform.verify(leaves_its_mark, X, jacobian=J, directions=1, bounds=(0.0, [5.0, 5.0, 2.55]), **options)
        here = landform.hessian(simulator, X, mode="numeric", weights=[1.0, 2.0])
        workers = {info["pid"] for info in client.run(lambda: {"pid": os.getpid()}).values()}
    marks = {int(path.name) for path in tmp_path.iterdir()}
    assert marks == workers and os.getpid() not in marks
    assert "RuntimeError: diverged" in str(J.failures[0]) and "input 'x2' moved by" in str(J.failures[0])
    np.testing.assert_array_equal(H.dense(), here.dense())
    assert found.words == "right"
