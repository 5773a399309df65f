"""`landscape`: a loss at its parameters, and the questions it can be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from landform.curvature.at_point import loss_at
from landform.curvature.by_layer import LayerShares, by_layer
from landform.curvature.compare import Comparison, compare
from landform.curvature.cuts import Plane, Slice, cut, plane
from landform.curvature.fixed import FixedDirections, LogDeterminant, effective_dimension, log_determinant
from landform.curvature.influence import Influence, influence
from landform.curvature.observed import Source
from landform.curvature.overview import Overview, overview
from landform.curvature.posterior import Given, Posterior, posterior
from landform.curvature.predictive import Link, Predictive
from landform.curvature.spectra import Density, Diagonal, TopPairs, Total, density, diagonal, top_pairs, trace
from landform.curvature.stable_step import Method, StableStep, stable_step
from landform.curvature.verdict import Verdict, verdict
from landform.derivatives.kronecker import Sharing, Structure
from landform.derivatives.plan import DEFAULT_MEMORY
from landform.errors import ShapeError


def _silent(words: str) -> None:
    del words


class LossLandscape:
    """The shape of a loss around its parameters. Made by `landscape`.

    Up to 300 parameters the whole Hessian is formed where that answers exactly; beyond that every answer comes from
    products, with its doubt.
    """

    def __init__(self, source: Source) -> None:
        self._source, self._at = source, source.at
        self._posteriors: dict[Any, Posterior] = {}

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self._at.n

    @property
    def products(self) -> int:
        """Hessian products taken so far."""
        return self._at.products

    def overview(
        self,
        *,
        learning_rate: float | None = None,
        resolution: float = 0.0,
        seed: int = 0,
        say: Callable[[str], None] = _silent,
    ) -> Overview:
        """Verdict, largest curvatures, stable step, layers, density and pictures in one finding, with a page.

        Parameters
        ----------
        learning_rate : float, optional
            Of gradient descent: it is said where it sits against the edge of stability.
        resolution : float
            As for `verdict`.
        seed : int
            Of the random vectors.
        say : callable, optional
            Told what is being done.
        """
        return overview(self._at, learning_rate=learning_rate, resolution=resolution, seed=seed, say=say)

    def verdict(
        self, *, slope: float | None = None, resolution: float = 0.0, most: int | None = None, seed: int = 0
    ) -> Verdict:
        """Minimum, saddle, maximum, flat, not stationary, or that it cannot be told; with the way out.

        Parameters
        ----------
        slope : float, optional
            Gradients up to this length count as none. Otherwise a millionth (in single precision: three in ten
            thousand) of the stiffest curvature times the length of the parameters, or 1 if that is shorter.
        resolution : float
            Curvatures below this part of the stiffest count as none: needed to speak of a minimum where a large net
            has directions that hardly matter.
        most : int, optional
            Products allowed; up to 1,000.
        seed : int
            Of the random start.

        Returns
        -------
        Verdict
        """
        return verdict(self._at, slope=slope, resolution=resolution, most=most, seed=seed)

    def top(
        self,
        count: int = 10,
        *,
        end: Literal["top", "bottom", "both", "largest"] = "top",
        tolerance: float = 1e-4,
        exact: Literal["values", "vectors"] = "values",
        most: int | None = None,
        start: Any = None,
        seed: int = 0,
    ) -> TopPairs:
        """The largest curvatures and their directions, with bounds from residuals and gaps.

        Parameters
        ----------
        count : int
            How many; at each end with ``end="both"``.
        end : {"top", "bottom", "both", "largest"}
            Largest, smallest, either, or largest in absolute value.
        tolerance : float
            Errors of curvatures allowed, relative to the largest absolute one.
        exact : {"values", "vectors"}
            "vectors" asks the same of the residuals, so that directions are as near.
        most : int, optional
            Products allowed.
        start : TopPairs or array, optional
            An earlier result, such as that of the last epoch, to begin from.
        seed : int
            Of the random start.

        Raises
        ------
        ShapeError
            If more are asked for than there are parameters.
        """
        return top_pairs(self._at, count, end=end, tolerance=tolerance, exact=exact, most=most, start=start, seed=seed)

    def density(
        self, *, bins: int = 50, probes: int = 6, steps: int = 80, level: float = 0.95, seed: int = 0
    ) -> Density:
        """How many curvatures lie where, with an interval for every bin and no blur.

        Parameters
        ----------
        bins : int
            Of the table and the picture.
        probes, steps : int
            Random vectors (their spread is the doubt) and products for each (they make the resolution).
        level, seed : float, int
            Of the intervals, and of the vectors.
        """
        return density(self._at, bins=bins, probes=probes, steps=steps, level=level, seed=seed)

    def trace(self, *, tolerance: float = 0.01, level: float = 0.95, most: int | None = None, seed: int = 0) -> Total:
        """The sum of all curvatures, to ``tolerance`` of itself at the ``level``."""
        return trace(self._at, tolerance=tolerance, level=level, most=most, seed=seed)

    def diagonal(
        self, *, tolerance: float = 0.1, level: float = 0.95, most: int | None = None, seed: int = 0
    ) -> Diagonal:
        """The curvature along every parameter; all together to ``tolerance``."""
        return diagonal(self._at, tolerance=tolerance, level=level, most=most, seed=seed)

    def stable_step(
        self,
        method: Method = "gd",
        *,
        momentum: float = 0.9,
        second_moment: Any = None,
        epsilon: float = 1e-8,
        learning_rate: float | None = None,
        tolerance: float = 1e-4,
        most: int | None = None,
        seed: int = 0,
    ) -> StableStep:
        """The largest learning rate at which training is stable here, by the quadratic model.

        Parameters
        ----------
        method : {"gd", "momentum", "adam"}
            2/λ for gradient descent, (2 + 2β)/λ for heavy-ball momentum, (2 + 2β)/((1 − β)λ) with λ of the
            preconditioned Hessian for Adam.
        momentum : float
            β, or Adam's β₁.
        second_moment : array or tree, optional
            Adam's bias-corrected second moments; the mean squares of the batches' gradients unless given.
        epsilon : float
            Adam's.
        learning_rate : float, optional
            The one in use: it is then said where it sits against the edge.
        tolerance, most, seed
            As for `top`.
        """
        return stable_step(
            self._at, method=method, momentum=momentum, second_moment=second_moment, epsilon=epsilon,
            learning_rate=learning_rate, tolerance=tolerance, most=most, seed=seed,
        )  # fmt: skip

    def by_layer(
        self, by: Literal["layer", "array"] = "layer", *, probes: int = 40, level: float = 0.95, seed: int = 0
    ) -> LayerShares:
        """Which layers carry the curvature: groups are read from the paths of the parameters."""
        return by_layer(self._at, by=by, probes=probes, level=level, seed=seed)

    def slice(
        self, direction: Any = "stiffest", *, reach: float | None = None, points: int = 41, seed: int = 0
    ) -> Slice:
        """The loss along a line: "stiffest", "lowest", "gradient", "random" (filter-normalized) or a direction.

        Parameters
        ----------
        direction : str, array or tree
            Where to.
        reach : float, optional
            How far to both sides, in lengths of the direction; otherwise to where the quadratic model doubles the loss.
        points, seed : int
            How many points, and for random directions.
        """
        return cut(self._at, direction, reach=reach, points=points, seed=seed)

    def plane(
        self,
        first: Any = "stiffest",
        second: Any = "lowest",
        *,
        reach: float | None = None,
        points: int = 25,
        path: Sequence[Any] = (),
        seed: int = 0,
    ) -> Plane:
        """The loss over a plane, with a trajectory of parameters (``path``) drawn onto it; as for `slice`."""
        return plane(self._at, first, second, reach=reach, points=points, path=path, seed=seed)

    def influence(
        self,
        of: Callable[..., Any] | None = None,
        *,
        rows: Sequence[int] | None = None,
        tolerance: float = 0.02,
        damping: float = 0.0,
    ) -> Influence:
        """Which rows of the data made a prediction: what leaving each one out of the fit would change.

        The loss is minimized again without each row, from these parameters and with the factor of their Hessian: few
        gradients a row, until what is left to go is small beside what the row did.

        Parameters
        ----------
        of : callable, optional
            ``of(params)``, what is asked about: such as ``lambda p: predict(p, x_new)``. Without it, only every
            row's own loss, in the fit and left out of it.
        rows : sequence of int, optional
            The rows to leave out, each alone, counted from 0 over all batches; otherwise all. A Hessian too large for
            the memory budget allows chosen rows only, at some hundred products each.
        tolerance : float
            What is left to go, relative to the row's first step or a typical row's, in the norm of the Hessian.
        damping : float
            Added to every curvature: fits are then held to these parameters. Needed where the loss has directions
            without curvature.

        Returns
        -------
        Influence

        Raises
        ------
        ShapeError
            If there are no data apart from the loss, or no such row.
        DerivativeError
            If the Hessian is not positive definite.

        References
        ----------
        Koh and Liang (2017), "Understanding black-box predictions via influence functions", ICML, take the first step
        alone.

        Examples
        --------
        >>> import numpy as np
        >>> X, y = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([0.0, 1.0, 3.0])
        >>> w = np.linalg.lstsq(X, y, rcond=None)[0]
        >>> land = landscape(lambda w, X, y: ((X @ w - y) ** 2).mean(), w, (X, y))
        >>> land.influence(lambda w: w[0] + 3 * w[1]).change.round(6).ravel().tolist()  # a line through two points
        [0.666667, 0.166667, -1.333333]
        """
        return influence(self._at, of, rows, tolerance=tolerance, damping=damping)

    def posterior(
        self,
        method: Structure = "kronecker",
        *,
        prior: Given = "evidence",
        noise: Given = "evidence",
        likelihood: str | None = None,
        sharing: Sharing = "expand",
        joint: bool = True,
        samples: int | None = None,
        seed: int = 0,
    ) -> Posterior:
        """How well the data fix the parameters: Laplace's approximation, its prior and noise, its evidence.

        The parameters must be fitted: a normal distribution around them says nothing elsewhere. Made once for the
        same arguments.

        Parameters
        ----------
        method : {"kronecker", "corrected", "diagonal", "full", "last layer"}
            Structure of the curvature: Kronecker factors of every layer, with corrected eigenvalues (EKFAC), along
            every parameter, the whole matrix, the whole matrix of the last layer with the others held.
        prior : float or "evidence"
            Precision (one over variance) of a normal prior around zero; that of most evidence if not given.
        noise : float or "evidence"
            Standard deviation of the observations, of a squared loss.
        likelihood : str, optional
            "categorical", "bernoulli", "poisson" or "gaussian"; recognized from the value of the loss if not given.
        sharing, joint, samples, seed
            As for `landform.kronecker`.

        Raises
        ------
        ShapeError
            If the loss hides its model (see ``predict`` of `landform.landscape`), no likelihood fits it, or the
            evidence has no maximum.
        """
        options = {"prior": prior, "noise": noise, "likelihood": likelihood, "sharing": sharing, "joint": joint}
        key = (method, *options.values(), samples, seed)
        if key not in self._posteriors:
            self._posteriors[key] = posterior(self._source, method, **options, samples=samples, seed=seed)  # type: ignore[arg-type]
        return self._posteriors[key]

    def uncertainty(
        self,
        x: Any,
        method: Structure = "kronecker",
        *,
        link: Link = "probit",
        draws: int = 1000,
        level: float = 0.95,
        seed: int = 0,
        **options: Any,
    ) -> Predictive:
        """What the model says of new inputs, with the doubt of its parameters.

        Parameters
        ----------
        x : array, or tuple of arrays
            Inputs with rows along their first axis, as in the data.
        method : str
            As for `posterior`, as are the further ``options``.
        link, draws, level, seed
            As for `Posterior.predict`.

        References
        ----------
        See `landform.curvature.posterior`.

        Examples
        --------
        >>> import numpy as np
        >>> X = np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
        >>> y = np.array([[0.1], [0.9], [2.1], [2.9]])
        >>> w = np.linalg.lstsq(X, y, rcond=None)[0]
        >>> predict = lambda w, X: X @ w
        >>> land = landscape(lambda w, X, y: ((predict(w, X) - y) ** 2).mean(), w, (X, y), predict=predict)
        >>> far = land.uncertainty(np.array([[1.0, 0.5], [1.0, 9.0]]), prior=1e-6, noise=0.1)
        >>> far.deviations.ravel().round(4)  # that of least squares: a line is less sure far from its data
        array([0.05  , 0.3834])
        """
        return self.posterior(method, seed=seed, **options).predict(x, link=link, draws=draws, level=level, seed=seed)

    def effective_dimension(
        self,
        shift: float | None = None,
        *,
        tolerance: float = 0.02,
        level: float = 0.95,
        most: int | None = None,
        seed: int = 0,
    ) -> FixedDirections:
        """How many directions the data fix: Σ λ / (λ + shift) over the curvatures λ of the loss.

        Parameters
        ----------
        shift : float, optional
            Curvature at which a direction counts half: a weight decay, or the prior's precision in units of the
            loss (over the number of rows, for a mean). Otherwise that of most evidence, which takes the loss for a
            negative log-likelihood.
        tolerance, level, most, seed
            As for `logdet`.

        Raises
        ------
        ShapeError
            If there is no shift and none can be found.

        References
        ----------
        MacKay (1992), "Bayesian interpolation", Neural Computation 4.
        """
        return effective_dimension(self._source, shift, tolerance=tolerance, level=level, most=most, seed=seed)

    def logdet(
        self,
        shift: float = 0.0,
        *,
        tolerance: float = 0.02,
        level: float = 0.95,
        most: int | None = None,
        seed: int = 0,
    ) -> LogDeterminant:
        """The logarithm of the determinant of the Hessian plus ``shift`` times the identity.

        Parameters
        ----------
        shift : float
            Added to every curvature; all must then be positive.
        tolerance : float
            Half the interval's width, relative to the number or, if that is larger, to the number of parameters.
        level, most, seed
            Of the interval, products allowed, and of the random vectors.

        Raises
        ------
        DerivativeError
            If a curvature plus the shift is not positive.

        Examples
        --------
        >>> import numpy as np
        >>> land = landscape(lambda x: x[0] ** 2 + 3 * x[1] ** 2, np.zeros(2))
        >>> round(land.logdet().estimate.value, 6), land.effective_dimension(2.0).estimate.value  # 2/4 + 6/8
        (2.484907, 1.25)
        """
        return log_determinant(self._at, shift, tolerance=tolerance, level=level, most=most, seed=seed)

    def compare(
        self, other: LossLandscape, *, reach: float = 0.05, probes: int = 40, level: float = 0.95, seed: int = 0
    ) -> Comparison:
        """Whether this place is flatter than another one, by measures that rescaled layers do not change.

        Parameters
        ----------
        other : LossLandscape
            Of the same loss and data, at other parameters or of another model.
        reach : float
            Length of the moves, relative to what is moved.
        probes : int
            Random moves for each measure.
        level, seed : float, int
            Of the intervals, and for the moves.

        References
        ----------
        Dinh, Pascanu, Bengio and Bengio (2017), "Sharp minima can generalize for deep nets", ICML (why plain measures
        are not fair); Li et al. (2018), NeurIPS (filters); Kwon et al. (2021), "ASAM", ICML, and Andriushchenko et al.
        (2023), ICML (moves relative to every parameter).
        """
        if not isinstance(other, LossLandscape):
            raise ShapeError(
                "a landscape to compare with", got=type(other).__name__, remedy="make it with landform.landscape",
                where="argument other",
            )  # fmt: skip
        return compare(self._at, other._at, reach=reach, probes=probes, level=level, seed=seed)


def landscape(
    loss: Callable[..., Any],
    params: Any,
    data: Any = None,
    *,
    predict: Callable[..., Any] | None = None,
    reduction: Literal["mean", "sum"] = "mean",
    memory: str | int = DEFAULT_MEMORY,
) -> LossLandscape:
    """A loss at its parameters, to be asked about the landscape around them.

    Parameters
    ----------
    loss : callable
        ``loss(params)``, or ``loss(params, *batch)`` with ``data``. For a PyTorch module take
        ``landform.from_torch(module, (X, y), loss=…)`` and its ``point``.
    params : array or tree of arrays
        The point: a JAX pytree, NumPy arrays (worked on in double precision) or tensors.
    data : tuple, array, or list of batches, optional
        A tuple is one batch, its parts what the loss takes after the parameters. A list, a DataLoader or a function
        that returns an iterator holds batches, each a tuple; they are read again for every product, and a pass that
        brings other data is refused.
    predict : callable, optional
        The model inside the loss, ``predict(params, *inputs)`` to outputs, a row for every row of the data, which are
        (inputs, targets): for `LossLandscape.posterior`, `LossLandscape.uncertainty`. A PyTorch module's function has
        its own.
    reduction : {"mean", "sum"}
        What the loss does with the rows of a batch; means are weighted by rows.
    memory : str or int
        What may be kept between products.

    Returns
    -------
    LossLandscape

    Raises
    ------
    ShapeError
        If the loss has several outputs, the parameters are not floating-point, or data can be read only once.
    DerivativeError
        If loss or gradient is not finite (the parameter is named), the loss is random, it ignores parameters (named),
        or the data change between passes.

    References
    ----------
    Pearlmutter (1994), Neural Computation 6 (products); Ghorbani, Krishnan and Xiao (2019), "An investigation into
    neural net optimization via Hessian eigenvalue density", ICML.

    Examples
    --------
    >>> import numpy as np
    >>> land = landscape(lambda p: p["x"] ** 2 - p["y"] ** 2 + p["y"] ** 4, {"x": np.array(0.0), "y": np.array(0.0)})
    >>> found = land.verdict()
    >>> found.place, round(found.gain, 2), land.top(1).eigenvalues.round(9)
    ('saddle', 0.25, array([2.]))
    """
    at = loss_at(loss, params, data, reduction=reduction, memory=memory)
    return LossLandscape(Source(at, loss, predict))
