"""The Fisher information: how sharply data of this kind tell the parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.derivatives.gauss_newton import GaussNewton, straightened
from landform.derivatives.jacobian import Jacobian
from landform.derivatives.plan import DEFAULT_MEMORY
from landform.derivatives.target import Target, make_target, refuse_no_value
from landform.errors import ShapeError

Kind = Literal["exact", "monte carlo", "empirical"]
Distribution = Literal["categorical", "bernoulli", "poisson", "gaussian"]

_SAID = {
    "exact": "exact: the expectation over the model's own distribution in closed form",
    "monte carlo": "Monte Carlo: the mean over {samples} draws of every row from the model's own distribution",
    "empirical": "empirical: outer products of every row's score at the targets given; it equals the Fisher "
    "information only where the model is right and its parameters are the true ones",
}


class Fisher(GaussNewton):
    """The Fisher information of all rows together, as a symmetric operator of shape (n, n). Made by `fisher`."""

    kind = "Fisher information"

    def __init__(
        self, target: Target, outputs: Target, method: str, scores: Any = None, *, memory: str | int = DEFAULT_MEMORY
    ) -> None:
        super().__init__(target, target.vector(np.ones(1), 1, "output"), memory=memory)
        self._outputs, self.method, self._scores = outputs, method, scores

    def explain(self) -> str:
        """Which Fisher information, on what assumption, and how it is formed."""
        return f"{super().explain()}; {self.method}"

    def _samples(self) -> np.ndarray:
        if self._scores is None or len(self._scores) < 2:
            raise ShapeError(
                "a Monte Carlo Fisher information of at least two samples",
                got=self.method,
                remedy='pass kind="monte carlo"',
            )
        return np.asarray(self._scores)

    def standard_error(self, v: Any) -> float:
        """Standard error of ``quadratic(v)`` from the spread between samples.

        Raises
        ------
        ShapeError
            If the matrix is not a Monte Carlo one.
        """
        scores = self._samples()
        slopes = self._outputs.backend.to_numpy(Jacobian(self._outputs) @ v).reshape(scores.shape[1:])
        each = (np.einsum("srk,rk->sr", scores, slopes) ** 2).sum(1)
        return float(each.std(ddof=1) / len(each) ** 0.5)

    def error(self) -> Float[np.ndarray, "n n"]:
        """Standard error of every entry of `dense` from the spread between samples.

        Raises
        ------
        ShapeError
            If the matrix is not a Monte Carlo one, or the outputs' Jacobian does not fit the memory budget.
        """
        scores = self._samples()
        dense = Jacobian(self._outputs, memory=self._memory).dense()
        slopes = self._outputs.backend.to_numpy(dense).reshape(*scores.shape[1:], -1)
        total = squares = 0.0
        for one in scores:
            rows = np.einsum("rk,rkn->rn", one, slopes)
            total, squares = total + rows.T @ rows, squares + (rows.T @ rows) ** 2
        count = len(scores)
        return np.sqrt(np.maximum(squares - total**2 / count, 0) / (count * (count - 1)))


def fisher(
    function: Callable[..., Any] | Model,
    x: Any,
    distribution: Distribution | Callable[..., Any],
    *,
    kind: Kind = "exact",
    targets: Any = None,
    sigma: Any = 1.0,
    samples: int = 100,
    seed: int = 0,
    draw: Callable[..., Any] | None = None,
    args: Sequence[Any] = (),
    memory: str | int = DEFAULT_MEMORY,
    inputs: Sequence[str] | None = None,
) -> Fisher:
    """The Fisher information of the parameters: the expected outer product of the score, summed over rows.

    Parameters
    ----------
    function : callable or Model
        From parameters to one array of outputs, a row along its first axis for every independent observation.
    x : array or tree of arrays
        The parameters, n numbers in all.
    distribution : {"categorical", "bernoulli", "poisson", "gaussian"} or callable
        What the observations follow given the outputs, which are logits (rows, classes), logits, logarithms of
        rates, or means with the known standard deviation ``sigma``. Or ``log_likelihood(outputs, targets)``, to a
        number for every row.
    kind : {"exact", "monte carlo", "empirical"}
        "exact" needs a distribution by name. "monte carlo" draws from the model. "empirical" takes the targets
        as they are, which is another matrix unless the model is right.
    targets : array
        What was observed, for "empirical": classes as whole numbers, or values of the outputs' shape.
    sigma : float or array
        Of "gaussian".
    samples, seed : int
        Of "monte carlo".
    draw : callable, optional
        ``draw(outputs, rng)`` to targets, for "monte carlo" with a log-likelihood of your own.
    args, memory, inputs
        As for `landform.gauss_newton`.

    Returns
    -------
    Fisher
        Operator of shape (n, n), in 1 / (unit of parameter i · unit of parameter j). A Monte Carlo one has
        ``standard_error(v)`` and ``error()``.

    Raises
    ------
    ShapeError
        If what a kind needs is missing, or the outputs are not one array.

    References
    ----------
    Martens (2020), "New insights and perspectives on the natural gradient method", JMLR 21; Kunstner, Balles and Hennig
    (2019), "Limitations of the empirical Fisher approximation", NeurIPS.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [1.0, 2.0]])
    >>> F = fisher(lambda w: X @ w, np.zeros(2), "bernoulli")
    >>> F.dense()  # X' diag(p (1 − p)) X
    array([[0.5, 0.5],
           [0.5, 1. ]])
    """
    from landform.backends.families import NAMES

    _refuse(distribution, kind, targets, draw, samples, NAMES)
    outputs = make_target(function, x, args=args, inputs=inputs)
    backend = outputs.backend
    refuse_no_value(outputs)
    eta = backend.outputs_at(outputs.flat, outputs.x, outputs.args, outputs.m, outputs.precision)
    if not hasattr(eta, "shape") or not eta.shape:
        raise ShapeError(
            "outputs in one array, a row for every observation", got=type(eta).__name__, remedy="stack them"
        )
    said = _SAID[kind].format(samples=samples)
    if kind == "exact":
        loss, loss_args, scores = backend.families.LOG_PARTITION[str(distribution)], sigma, None
    else:
        scores = _scores(distribution, eta, kind, targets, sigma, samples, seed, draw, outputs)
        loss, loss_args = backend.families.squared_scores, scores
    loss_args = (backend.vector(loss_args, outputs.x),)
    target = straightened(function, loss, x, args=args, loss_args=loss_args, inputs=inputs)
    return Fisher(target, outputs, said, scores, memory=memory)


def _refuse(distribution: Any, kind: str, targets: Any, draw: Any, samples: int, names: Any) -> None:
    if kind not in _SAID:
        raise ShapeError(f"a kind among {', '.join(_SAID)}", got=repr(kind), remedy="choose one", where="argument kind")
    if not callable(distribution) and distribution not in names:
        raise ShapeError(
            f"a distribution among {', '.join(names)}, or a log-likelihood",
            got=repr(distribution),
            remedy="choose one",
            where="argument distribution",
        )
    if callable(distribution) and (kind == "exact" or (kind == "monte carlo" and draw is None)):
        raise ShapeError(
            "a distribution by name" if kind == "exact" else "draw= beside a log-likelihood of your own",
            got="a log-likelihood alone",
            remedy="its expectation has no closed form here: draw from it, or take targets with kind='empirical'",
        )
    if (kind == "empirical") != (targets is not None):
        raise ShapeError(
            "targets with the empirical kind, and with no other", got=f"kind={kind!r}", remedy="pass or drop targets="
        )
    if samples < 2:
        raise ShapeError("at least 2 samples", got=str(samples), remedy="draw more", where="argument samples")


def _scores(
    distribution: Any,
    at_point: Any,
    kind: str,
    targets: Any,
    sigma: Any,
    samples: int,
    seed: int,
    draw: Any,
    at: Target,
) -> np.ndarray:
    """Slopes of the log-likelihood by the outputs, shape (samples, rows, k)."""
    from landform.backends.families import drawn, score

    rng, backend = np.random.default_rng(seed), at.backend
    eta = backend.to_numpy(at_point)
    sigma = backend.to_numpy(sigma)

    def observed() -> Any:
        if kind == "empirical":
            return targets if callable(distribution) and hasattr(targets, "shape") else backend.to_numpy(targets)
        return draw(eta, rng) if callable(distribution) else drawn(distribution, eta, sigma, rng)

    def slope(seen: Any) -> np.ndarray:
        if callable(distribution):
            with at.precision():
                return backend.to_numpy(backend.families.score_of(distribution, at_point, seen))
        expected = eta.shape[:-1] if distribution == "categorical" else eta.shape
        if np.shape(seen) != expected:
            raise ShapeError(f"targets of shape {expected}", got=str(np.shape(seen)), remedy="reshape them")
        return score(distribution, eta, seen, sigma)

    every = [slope(observed()) for _ in range(1 if kind == "empirical" else samples)]
    return np.stack(every).reshape(len(every), len(eta), -1).astype(eta.dtype)
