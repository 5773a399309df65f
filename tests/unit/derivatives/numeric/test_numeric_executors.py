"""Evaluations elsewhere: threads, processes, Dask."""

import multiprocessing
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


@pytest.mark.filterwarnings("default")
def test_dask():
    distributed = pytest.importorskip("distributed", reason="Dask's distributed is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        check(client.get_executor())
