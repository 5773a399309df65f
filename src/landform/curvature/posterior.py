"""The Laplace approximation of the parameters' posterior: a normal distribution with the curvature of the loss.

References
----------
MacKay (1992), "A practical Bayesian framework for backpropagation networks", Neural Computation 4; Ritter, Botev and
Barber (2018), "A scalable Laplace approximation for neural networks", ICLR; Daxberger, Kristiadi, Immer, Eschenhagen,
Bauer and Hennig (2021), "Laplace redux: effortless Bayesian deep learning", NeurIPS; Immer, Korzepa and Bauer (2021),
"Improving predictions of Bayesian neural nets via local linearization", AISTATS (predictions of the linearized model).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.stats import norm

from landform.curvature.observed import Observed, Source, observed
from landform.curvature.predictive import Link, Predictive, predictive
from landform.derivatives.kronecker import STRUCTURES, Block, Outputs, Sharing, Structure, curvature_blocks, rows_in
from landform.derivatives.plan import DEFAULT_MEMORY
from landform.errors import ShapeError
from landform.findings import Curve, Estimate, Finding, Picture, minus
from landform.linalg import Evidence

if TYPE_CHECKING:
    import pandas as pd

Given = float | Literal["evidence"]
_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Posterior(Finding):
    """How well the data fix the parameters, and what that leaves open in predictions.

    Parameters
    ----------
    method : str
        Structure of the curvature.
    model : Observed
        The model and its likelihood.
    outputs : Outputs
        The model by the layers whose parameters are uncertain.
    blocks : tuple of Block
        The data's information about the parameters, at unit noise.
    evidence : Evidence
        The marginal likelihood, as a function of prior precision and noise.
    prior : Estimate
        Precision of the prior of every parameter; its interval (95 %) is that of a normal approximation to its
        logarithm, and it has none where it was given.
    noise : Estimate or None
        Standard deviation of the observations around the outputs, of a squared loss.
    effective : Estimate
        How many directions the data fix rather than the prior, with the interval that the prior's leaves.
    log_evidence : float
        Logarithm of the probability of the data, the parameters integrated out.
    """

    method: str
    model: Observed
    outputs: Outputs
    blocks: tuple[Block, ...]
    evidence: Evidence
    prior: Estimate
    noise: Estimate | None
    effective: Estimate
    log_evidence: float

    def predict(
        self, x: Any, *, link: Link = "probit", draws: int = 1000, level: float = 0.95, seed: int = 0
    ) -> Predictive:
        """What the model says of new inputs, with what the parameters' doubt adds.

        Parameters
        ----------
        x : array, or tuple of arrays
            Inputs with rows along their first axis, as in the data.
        link : {"probit", "monte carlo"}
            How probabilities are averaged over the outputs' distribution.
        draws, seed : int
            Of "monte carlo", and of the intervals of probabilities.
        level : float
            Of the intervals.

        Raises
        ------
        ShapeError
            If the rows are not like those of the data, or not finite.
        """
        inputs = x if isinstance(x, tuple) else (x,)
        self._refuse_other_rows(inputs)
        noise = self.noise.value if self.noise is not None else 1.0
        rows, precision = rows_in(inputs), self.prior.value
        values = np.empty((rows, self.outputs.m))
        covariance = np.zeros((rows, self.outputs.m, self.outputs.m))
        for place, part in self.outputs.stream(inputs, None, self.outputs.m):
            values[place] = part.outputs
            for block in self.blocks:
                covariance[place] += block.covariance(self.outputs, part, lambda v: 1 / (v / noise**2 + precision))
        return predictive(
            self.model.distribution, values, covariance, self.outputs.row_shape,
            noise=noise if self.noise is not None else None, link=link, draws=draws, level=level, seed=seed,
        )  # fmt: skip

    def _refuse_other_rows(self, inputs: tuple[Any, ...]) -> None:
        shapes = tuple(tuple(np.shape(v)[1:]) for v in inputs)
        if shapes != self.outputs.input_shapes:
            raise ShapeError(
                f"rows of shape {', '.join(map(str, self.outputs.input_shapes))}, stacked along the first axis",
                got=", ".join(str(tuple(np.shape(v))) for v in inputs),
                remedy="pass inputs as the data have them; a single row is x[None]",
                where="argument x",
            )
        backend = self.outputs.target.backend
        for v in inputs:
            if backend.name == "PyTorch" and not hasattr(v, "detach"):
                raise ShapeError(
                    "tensors for a PyTorch model", got=type(v).__name__, remedy="use torch.as_tensor(x)",
                    where="argument x",
                )  # fmt: skip
            if not np.all(np.isfinite(backend.to_numpy(v))):
                raise ShapeError("finite numbers", got="NaN or infinity", remedy="clean them", where="argument x")

    def sentences(self) -> list[str]:
        """The effective number of parameters, the prior, the noise, the assumption."""
        words = [f"The data fix {self.effective} of {len(self.evidence.eigenvalues)} directions."]
        said = "given" if self.prior.how == "given" else "by most evidence"
        words.append(f"Prior precision {self.prior} ({said}); log evidence {minus(f'{self.log_evidence:.6g}')}.")
        if self.noise is not None:
            words.append(f"Noise {self.noise.value:.4g} ({self.noise.how}).")
        words.append(
            f"A normal distribution around these parameters with the Gauss-Newton curvature ({self.method}) of "
            f"{self.model.rows} rows, {self.model.distribution}: {self.model.said}."
        )
        return words

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every number."""
        import pandas as pd

        rows = [("prior precision", self.prior), ("effective parameters", self.effective)]
        if self.noise is not None:
            rows.append(("noise", self.noise))
        rows.append(("log evidence", Estimate(self.log_evidence, how="closed form")))
        return pd.DataFrame([{"quantity": name, **one.to_dict()} for name, one in rows]).drop(columns="unit")

    def pictures(self) -> list[Picture]:
        """The evidence against the prior precision."""
        noise = self.noise.value if self.noise is not None else 1.0
        middle = np.log10(self.prior.value)
        reach = 4 * (self.prior.standard_error or self.prior.value) / self.prior.value / np.log(10)
        x = np.linspace(middle - reach, middle + reach, 121)
        y = [self.evidence.at(10**t, noise) for t in x]
        none: list[None] = [None] * len(x)
        marks = [(float(middle), self.log_evidence)]
        return [
            Curve(
                x.tolist(), y, none, none, marks, title="Evidence of the prior", x_axis="log₁₀ prior precision",
                y_axis="log evidence",
            )
        ]  # fmt: skip


def posterior(
    source: Source,
    method: Structure,
    *,
    prior: Given,
    noise: Given,
    likelihood: str | None,
    sharing: Sharing,
    joint: bool,
    samples: int | None,
    seed: int,
    memory: str | int = DEFAULT_MEMORY,
) -> Posterior:
    """What `LossLandscape.posterior` gives."""
    _refuse_options(method, prior, noise)
    model = observed(source, likelihood)
    outputs = model.outputs.last_layer() if method == "last layer" else model.outputs
    blocks = curvature_blocks(
        outputs, model.inputs, model.distribution, structure=method, sharing=sharing, joint=joint, samples=samples,
        seed=seed, memory=memory,
    )  # fmt: skip
    places = np.concatenate([block.places for block in blocks])
    values = np.concatenate([block.values.ravel() for block in blocks])
    squared = float((source.at.x[places] ** 2).sum())
    gaussian = model.distribution == "gaussian"
    evidence = Evidence(
        values, squared, None if gaussian else model.log_likelihood, -2 * model.log_likelihood if gaussian else 0.0,
        model.rows * outputs.m if gaussian else 0,
    )  # fmt: skip
    precision, sigma, doubt = evidence.best(
        None if prior == "evidence" else float(prior), None if noise == "evidence" else float(noise)
    )
    chosen, effective = _with_doubt(evidence, precision, sigma, doubt)
    spread = Estimate(sigma, how="given" if noise != "evidence" else "by most evidence") if gaussian else None
    log_evidence = evidence.at(precision, sigma)
    return Posterior(method, model, outputs, tuple(blocks), evidence, chosen, spread, effective, log_evidence)


def _with_doubt(evidence: Evidence, precision: float, sigma: float, doubt: float) -> tuple[Estimate, Estimate]:
    """The prior's precision and the number of directions that the data fix, with their intervals."""
    reach = float(norm.ppf((1 + _LEVEL) / 2)) * doubt
    fixed = evidence.effective(precision, sigma)
    if not doubt:
        return Estimate(precision, how="given"), Estimate(fixed, 0.0, fixed, fixed, how="closed form")
    low, high = (float(precision * np.exp(side * min(reach, 50.0))) for side in (-1, 1))
    most, least = evidence.effective(low, sigma), evidence.effective(high, sigma)
    error = (most - least) / (2 * float(norm.ppf((1 + _LEVEL) / 2)))
    chosen = Estimate(precision, precision * doubt, low, high, how="evidence")
    return chosen, Estimate(fixed, error, least, most, how="closed form")


def _refuse_options(method: str, prior: Any, noise: Any) -> None:
    if method not in STRUCTURES:
        raise ShapeError(
            f"a method among {', '.join(STRUCTURES)}", got=repr(method), remedy="choose one", where="argument method"
        )
    for name, given in (("prior", prior), ("noise", noise)):
        number = isinstance(given, (int, float)) and not isinstance(given, bool) and 0 < given < np.inf
        if given != "evidence" and not number:
            raise ShapeError(
                'a positive number, or "evidence"', got=repr(given), remedy="choose one", where=f"argument {name}"
            )
