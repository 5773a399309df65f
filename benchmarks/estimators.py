"""Slopes and curves of fitted scikit-learn models at all rows: ours, NumPy written by hand, and the public ways.

    python benchmarks/estimators.py            # the table, ratios within one run
    python benchmarks/estimators.py cold gp    # one line of it: a fresh process, wrapping and compiling included
    python benchmarks/estimators.py stream     # 100,000 rows, peak memory

Gaussian process on load_diabetes (442 × 10); network with one hidden layer of 32 on seven of its columns, to 3 outputs.
Every entry is the least of interleaved repeats on one thread; accuracy is against ours.
"""

from __future__ import annotations

import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable

import numpy as np
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from sklearn.datasets import load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

Work = dict[str, Callable[[], np.ndarray]]


def process():
    X, y = load_diabetes(return_X_y=True)
    X = X / X.std(axis=0)
    kernel = ConstantKernel(2.0) * RBF(np.linspace(2.0, 6.0, 10)) + WhiteKernel(0.5)
    return GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True).fit(X, y), X


def network():
    X, y = load_diabetes(return_X_y=True)
    X = X[:, :7] / X[:, :7].std(axis=0)
    Y = np.column_stack([y / 100, np.sqrt(y) / 10, X[:, 0] * X[:, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MLPRegressor(hidden_layer_sizes=(32,), activation="tanh", max_iter=100, random_state=0).fit(X, Y), X


# Written by hand: what a careful user of NumPy would write for this very model.


def kernel_by_hand(gp, X):
    scale = gp.kernel_.k1.k2.length_scale
    return gp.kernel_.k1.k1.constant_value * np.exp(-0.5 * cdist(X / scale, gp.X_train_ / scale, "sqeuclidean")), scale


def process_slopes_by_hand(gp, X):
    K, scale = kernel_by_hand(gp, X)
    weighted = gp.alpha_[:, None] * np.column_stack([np.ones(len(gp.X_train_)), gp.X_train_])
    sums = K @ weighted
    return gp._y_train_std * (sums[:, 1:] - X * sums[:, :1]) / scale**2


def process_curves_by_hand(gp, X):
    """Of distances x − z: products of all pairs in one matrix product, from rows moved to their middle."""
    K, scale = kernel_by_hand(gp, X)
    n = X.shape[1]
    i, j = np.triu_indices(n)
    middle = gp.X_train_.mean(axis=0)
    z, x = (gp.X_train_ - middle) / scale**2, (X - middle) / scale**2
    sums = K @ (gp.alpha_[:, None] * np.column_stack([np.ones(len(z)), z, z[:, i] * z[:, j]]))
    none, one = sums[:, :1], sums[:, 1 : n + 1]
    half = x[:, i] * x[:, j] * none - x[:, i] * one[:, j] - one[:, i] * x[:, j] + sums[:, n + 1 :]
    H = np.empty((len(X), n, n))
    H[:, i, j] = H[:, j, i] = half
    H[:, range(n), range(n)] -= none / scale**2
    return gp._y_train_std * H


def process_doubt_by_hand(gp, X):
    K, scale = kernel_by_hand(gp, X)
    D = K.T[:, None, :] * (X.T[None] - gp.X_train_[:, :, None]) / scale[:, None] ** 2
    known = solve_triangular(gp.L_, D.reshape(len(K), -1), lower=True, check_finite=False, overwrite_b=True)
    prior = gp.kernel_.k1.k1.constant_value / scale**2
    return gp._y_train_std * np.sqrt(prior - np.einsum("ij,ij->j", known, known).reshape(D.shape[1:]).T)


def process_doubt_by_differences(gp, X):
    """Standard errors from the covariance that predict itself gives for two points close by, row by row."""
    step, found = 1e-2, np.empty(X.shape)
    noise = gp.kernel_.k2.noise_level * gp._y_train_std**2
    for row, x in zip(found, X, strict=True):
        for i in range(len(x)):
            pair = np.array([x, x])
            pair[0, i] += step
            pair[1, i] -= step
            C = gp.predict(pair, return_cov=True)[1] - noise * np.eye(2)
            row[i] = np.sqrt(max(C[0, 0] + C[1, 1] - 2 * C[0, 1], 0.0)) / (2 * step)
    return found


def network_slopes_by_hand(net, X):
    (W1, W2), (b1, _) = net.coefs_, net.intercepts_
    slope = 1.0 - np.tanh(X @ W1 + b1) ** 2
    return (slope @ (W1[:, :, None, None] * W2[None, :, :, None]).transpose(1, 2, 0, 3).reshape(len(W2), -1)).reshape(
        len(X), W2.shape[1], W1.shape[0]
    )


def network_curves_by_hand(net, X):
    (W1, W2), (b1, _) = net.coefs_, net.intercepts_
    n, m = W1.shape[0], W2.shape[1]
    a = np.tanh(X @ W1 + b1)
    i, j = np.triu_indices(n)
    table = (W2[:, :, None] * (W1[i] * W1[j]).T[:, None]).reshape(len(W2), -1)
    half = (-2.0 * a * (1.0 - a * a) @ table).reshape(len(X), m, -1)
    H = np.empty((len(X), m, n, n))
    H[:, :, i, j] = H[:, :, j, i] = half
    return H


# The public ways.


def central(predict, X, step=1e-5):
    n = X.shape[1]
    return np.stack([(predict(X + step * e) - predict(X - step * e)) / (2 * step) for e in np.eye(n)], axis=-1)


def central_twice(predict, X, step=1e-3):
    n, f0 = X.shape[1], predict(X)
    E = step * np.eye(n)
    H = np.empty((*f0.shape, n, n))
    for i in range(n):
        H[..., i, i] = (predict(X + E[i]) - 2 * f0 + predict(X - E[i])) / step**2
        for j in range(i):
            mixed = predict(X + E[i] + E[j]) - predict(X + E[i] - E[j])
            mixed = mixed - predict(X - E[i] + E[j]) + predict(X - E[i] - E[j])
            H[..., i, j] = H[..., j, i] = mixed / (4 * step**2)
    return H


def by_jax(model, order):
    """``jacrev`` and ``jax.hessian`` of the model's JAX function over all rows, compiled as one program."""
    import jax

    one = {1: jax.jacrev, 2: jax.hessian}[order](lambda x: model.function(x, *model.args))
    batch = jax.jit(jax.vmap(one))

    def run(X):
        with jax.enable_x64(True):
            return np.asarray(batch(X))

    return run


def by_scipy(predict, X, order):
    from scipy.differentiate import hessian, jacobian

    def f(points):
        values = predict(np.moveaxis(points, 0, -1).reshape(-1, len(points)))
        return np.moveaxis(values.reshape(*points.shape[1:], -1), -1, 0)

    if order == 1:
        return np.moveaxis(jacobian(f, X.T).df, -1, 0)
    return np.moveaxis(hessian(lambda p: f(p)[0], X.T).ddf, -1, 0)


def by_numdifftools(predict, X, order):
    import numdifftools as nd

    if order == 1:
        return np.stack([nd.Jacobian(lambda x: np.atleast_1d(predict(x[None])[0]))(x) for x in X])
    return np.stack([nd.Hessian(lambda x: float(np.ravel(predict(x[None]))[0]))(x) for x in X])


_OPSET = 13
"""The operators of ONNX that onnx2torch still has converters for."""


def by_onnx(estimator, X, order):
    """skl2onnx, then onnx2torch, then torch.func over all rows; None where a package is missing or gives up."""
    try:
        import torch
        from skl2onnx import to_onnx

        if "torchvision" not in sys.modules:
            # onnx2torch imports torchvision for operators of images alone; empty modules serve.
            images, operators = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
            operators.roi_align, images.ops = None, operators
            sys.modules.update({"torchvision": images, "torchvision.ops": operators})
        from onnx2torch import convert
    except ImportError:
        return None
    torch.set_num_threads(1)
    try:
        network = convert(to_onnx(estimator, X[:1], target_opset=_OPSET)).double()
    except Exception as error:
        print(f"onnx2torch gives up on {type(estimator).__name__}: {str(error)[:90]}", file=sys.stderr)
        return None
    one = {1: torch.func.jacrev, 2: torch.func.hessian}[order](lambda x: network(x[None]).reshape(-1))
    batch = torch.func.vmap(one)
    return lambda Z: batch(torch.from_numpy(Z)).detach().numpy()


def by_skgrad(estimator):
    """skgrad's Jacobians; None where it is missing or has no way for this estimator."""
    try:
        import skgrad
    except ImportError:
        return None
    if not skgrad.supports(estimator):
        return None
    return lambda Z: np.asarray(skgrad.input_jacobian(estimator, Z))


def peers(estimator, X, order):
    """The other libraries, where they are there and have a way."""
    ways = {"onnx2torch": by_onnx(estimator, X, order), "skgrad": by_skgrad(estimator) if order == 1 else None}
    return {name: (lambda run=run: run(X)) for name, run in ways.items() if run is not None}


def slopes_of_subject(estimator, X):
    """What `landform.sensitivity` gives row by row, its averages and tables included, the wrapping not."""
    import landform

    if estimator not in _MODELS:
        _MODELS[estimator] = landform.from_sklearn(estimator, X)
    return landform.sensitivity(_MODELS[estimator], X, interactions=False).taken.jacobians


def errors_of_subject(estimator, X):
    """What a user calls: the estimator wrapped and checked, slopes, their errors and those of 30 averages."""
    import landform

    found = landform.sensitivity(estimator, X, interactions=False)
    assert found.doubt.startswith("closed form")
    return found.errors[:, 0, : X.shape[1]]


_MODELS: dict[object, object] = {}


def timed(work: Work, seconds: float = 4.0) -> dict[str, float]:
    """The least time of each, taken in turns after one call to warm up; what takes over a second is timed once."""
    best = {}
    for name, run in work.items():
        start = time.perf_counter()
        run()
        best[name] = time.perf_counter() - start
    quick = [name for name in work if best[name] < 1.0 or name.startswith(("jac", "jax", "onnx"))]
    best.update(dict.fromkeys(quick, np.inf))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name in quick:
            start = time.perf_counter()
            work[name]()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def show(title: str, work: Work, reference: str = "by hand", rows: dict[str, float] | None = None) -> None:
    exact = work["landform"]().squeeze()
    best = timed(work)
    print(
        f"\n{title}\n\n| way | time [ms] | in units of '{reference}' | largest relative difference |\n|---|---|---|---|"
    )
    for name, seconds in best.items():
        share = (rows or {}).get(name, 1.0)
        found = np.asarray(work[name]()).reshape(-1, *exact.shape[1:]) if seconds < 2 else None
        gap = "" if found is None else f"{np.abs(found - exact[: len(found)]).max() / np.abs(exact).max():.1e}"
        print(f"| {name} | {seconds / share * 1e3:.4g} | {seconds / share / best[reference]:.3g} | {gap} |", flush=True)


def table() -> None:
    from landform import from_sklearn

    gp, X = process()
    model = from_sklearn(gp, X)
    model.checked_function()
    few = X[:4]
    part = {"scipy.differentiate": len(few) / len(X), "numdifftools": len(few) / len(X)}
    slopes, curves = by_jax(model, 1), by_jax(model, 2)
    show(
        "Gaussian process, Jacobian, 442 × 10 (slow ways on 4 rows, scaled up)",
        {
            "by hand": lambda: process_slopes_by_hand(gp, X),
            "landform": lambda: model.jacobians(X),
            "jacrev": lambda: slopes(X),
            **peers(gp, X, 1),
            "through landform.sensitivity": lambda: slopes_of_subject(gp, X),
            "central differences": lambda: central(gp.predict, X),
            "scipy.differentiate": lambda: by_scipy(gp.predict, few, 1),
            "numdifftools": lambda: by_numdifftools(gp.predict, few, 1),
        },
        rows=part,
    )
    show(
        "Gaussian process, Hessian",
        {
            "by hand": lambda: process_curves_by_hand(gp, X),
            "landform": lambda: model.hessians(X),
            "jax.hessian": lambda: curves(X),
            "central differences": lambda: central_twice(gp.predict, X),
            "scipy.differentiate": lambda: by_scipy(gp.predict, few[:1], 2),
            "numdifftools": lambda: by_numdifftools(gp.predict, few[:1], 2),
        },
        rows=dict.fromkeys(part, 1 / len(X)),
    )
    show(
        "Gaussian process, standard errors of the slopes (differences on 4 rows, scaled up)",
        {
            "by hand": lambda: process_doubt_by_hand(gp, X),
            "landform": lambda: model.slope_errors(X),
            "through landform.sensitivity": lambda: errors_of_subject(gp, X),
            "differences of the posterior": lambda: process_doubt_by_differences(gp, few),
        },
        rows={"differences of the posterior": len(few) / len(X)},
    )
    net, X = network()
    model = from_sklearn(net, X)
    model.checked_function()
    slopes, curves = by_jax(model, 1), by_jax(model, 2)
    show(
        "Network, Jacobian, 442 × 7 → 3",
        {
            "by hand": lambda: network_slopes_by_hand(net, X),
            "landform": lambda: model.jacobians(X),
            "jacrev": lambda: slopes(X),
            **peers(net, X, 1),
            "central differences": lambda: central(net.predict, X),
        },
    )
    show(
        "Network, Hessian",
        {
            "by hand": lambda: network_curves_by_hand(net, X),
            "landform": lambda: model.hessians(X),
            "jax.hessian": lambda: curves(X),
            **peers(net, X, 2),
            "central differences": lambda: central_twice(net.predict, X),
        },
    )
    print("\nCold, a fresh process each, libraries loaded, wrapping and compiling counted [ms]\n")
    print("| work | landform | JAX function, compiled | central differences |\n|---|---|---|---|")
    for what in ("gp", "mlp"):
        print(subprocess.run([sys.executable, __file__, "cold", what], capture_output=True, text=True).stdout, end="")


def cold(what: str) -> None:
    from landform import from_sklearn
    from landform.backends.sklearn import gaussian_process, neural  # noqa: F401 - importing is not what is timed

    made, X = {"gp": process, "mlp": network}[what]()
    start = time.perf_counter()
    central(made.predict, X)
    differences = time.perf_counter() - start
    start = time.perf_counter()
    model = from_sklearn(made, X)
    model.jacobians(X)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    by_jax(model, 1)(X)
    compiled = time.perf_counter() - start
    print(f"| {what}, Jacobian | {ours * 1e3:.4g} | {compiled * 1e3:.4g} | {differences * 1e3:.4g} |")


def stream() -> None:
    """Peak resident memory over 100,000 rows, beside what the result takes."""
    import resource

    from landform import from_sklearn

    print("| work | time [s] | result [MB] | memory besides [MB] |\n|---|---|---|---|")
    for name, make in (("GP", process), ("network", network)):
        made, X = make()
        model = from_sklearn(made, X)
        many = np.random.default_rng(0).normal(size=(100_000, X.shape[1]))
        for order, run in (("Jacobian", model.jacobians), ("Hessian", model.hessians)):
            run(many[:5000])
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            start = time.perf_counter()
            result = run(many)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            size = result.nbytes / 2**20
            besides = max(0.0, (peak - before) / 1024 - size)
            print(f"| {name}, {order} | {seconds:.3g} | {size:.4g} | {besides:.3g} |")
            del result


if __name__ == "__main__":
    if sys.argv[1:2] == ["cold"]:
        cold(sys.argv[2])
    elif sys.argv[1:] == ["stream"]:
        stream()
    else:
        with threadpool_limits(1):
            table()
