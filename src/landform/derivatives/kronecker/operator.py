"""`kronecker`: the Fisher information of a network by layers, as an operator that can be solved with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.backends.families import NAMES
from landform.derivatives.kronecker.blocks import Block, Spectral
from landform.derivatives.kronecker.outputs import Outputs, outputs_by_layers
from landform.derivatives.kronecker.sums import Sharing, curvature_blocks
from landform.derivatives.plan import DEFAULT_MEMORY, memory_bytes, refuse_too_large
from landform.derivatives.target import refuse_other_length
from landform.errors import DerivativeError, ShapeError
from landform.findings import Finding

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Kronecker(Finding):
    """A curvature matrix by blocks, of shape (n, n). Made by `kronecker`.

    Parameters
    ----------
    outputs : Outputs
        The function by its layers.
    blocks : tuple of Block
        They share no parameter.
    """

    outputs: Outputs
    blocks: tuple[Block, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return self.outputs.n, self.outputs.n

    def __matmul__(self, v: Any) -> Float[np.ndarray, " n"]:
        """The matrix times a vector."""
        return self._applied(v, lambda values: values)

    def solve(self, v: Any, shift: float = 0.0) -> Float[np.ndarray, " n"]:
        """The inverse of the matrix plus ``shift`` times the identity, times a vector.

        Raises
        ------
        DerivativeError
            If there is no inverse.
        """
        self._refuse_singular(shift)
        return self._applied(v, lambda values: 1 / (values + shift))

    def _refuse_singular(self, shift: float) -> None:
        lowest = min(float(block.values.min()) for block in self.blocks) + shift
        if not lowest > 0:
            raise DerivativeError(
                "a matrix whose eigenvalues are all positive",
                got=f"a smallest one of {lowest:.3g}",
                remedy="pass shift=, a multiple of the identity that is added",
            )

    def _applied(self, v: Any, f: Spectral) -> Float[np.ndarray, " n"]:
        refuse_other_length(v, self.outputs.n, "parameter")
        own = np.asarray(self.outputs.target.backend.to_numpy(v), dtype=np.float64)
        found = np.zeros(len(own))
        for block in self.blocks:
            found[block.places] = block.apply(own[block.places], f)
        return found

    def eigenvalues(self) -> Float[np.ndarray, " n"]:
        """All of them, largest first."""
        return np.sort(np.concatenate([block.values.ravel() for block in self.blocks]))[::-1]

    def trace(self) -> float:
        """The sum of the eigenvalues."""
        return float(sum(block.values.sum() for block in self.blocks))

    def logdet(self, shift: float = 0.0) -> float:
        """The logarithm of the determinant of the matrix plus ``shift`` times the identity.

        Raises
        ------
        DerivativeError
            If it is not positive definite.
        """
        self._refuse_singular(shift)
        return float(sum(np.log(block.values + shift).sum() for block in self.blocks))

    def dense(self, memory: str | int = DEFAULT_MEMORY) -> Float[np.ndarray, "n n"]:
        """The matrix, zero between the blocks.

        Raises
        ------
        ShapeError
            If it does not fit the memory budget.
        """
        n = self.outputs.n
        refuse_too_large(8 * n * n, memory_bytes(memory), f"a {n} × {n} matrix")
        found = np.zeros((n, n))
        for block in self.blocks:
            found[np.ix_(block.places, block.places)] = block.dense()
        return found

    def explain(self) -> str:
        """Which parameters stand in which kind of block, and why."""
        return "; ".join(f"{', '.join(self._labels(block))}: {block.how}" for block in self.blocks)

    def sentences(self) -> list[str]:
        """How many parameters are in Kronecker blocks, and what became of the others."""
        layers = sum(len(b.places) for b in self.blocks if b.how.startswith("Kronecker"))
        words = [f"{layers} of {self.outputs.n} parameters multiply features and stand in Kronecker blocks."]
        others = [block for block in self.blocks if not block.how.startswith("Kronecker")]
        if others:
            words.append("; ".join(f"{', '.join(self._labels(block))}: {block.how}" for block in others) + ".")
        return words

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every block."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "parameters": ", ".join(self._labels(block)),
                    "size": len(block.places),
                    "how": block.how,
                    "trace": float(block.values.sum()),
                    "largest": float(block.values.max()),
                }
                for block in self.blocks
            ]
        )

    def _labels(self, block: Block) -> list[str]:
        leaves = np.searchsorted(np.cumsum(self.outputs.sizes), block.places, side="right")
        return [self.outputs.labels[k] for k in np.unique(leaves)]


def kronecker(
    predict: Callable[..., Any],
    x: Any,
    inputs: Any,
    distribution: str,
    *,
    corrected: bool = False,
    sharing: Sharing = "expand",
    joint: bool = True,
    sigma: Any = 1.0,
    samples: int | None = None,
    seed: int = 0,
    memory: str | int = DEFAULT_MEMORY,
) -> Kronecker:
    """The Fisher information of a network's parameters by Kronecker factors (KFAC, EKFAC), summed over rows.

    Layers are found in what the function computes: every product and convolution of features with parameters, in
    whatever module or code it stands. Other parameters (of a LayerNorm, an embedding, your own) have their exact
    block, beyond 1,000 numbers in one array its diagonal; `explain` says which.

    Parameters
    ----------
    predict : callable
        ``predict(x, *inputs)`` to one array with a row for every row of the inputs.
    x : array or tree of arrays
        The parameters, n numbers in all; for a PyTorch module ``landform.from_torch(module, X)`` has both.
    inputs : array, or tuple of arrays
        Rows along their first axis.
    distribution : {"categorical", "bernoulli", "poisson", "gaussian"}
        What the observations follow given the outputs: logits, logits, logarithms of rates, means.
    corrected : bool
        Whether eigenvalues are those that the data have along the factors' eigenvectors (EKFAC).
    sharing : {"expand", "reduce"}
        Where a row uses weights at several positions (convolution, attention): positions as rows of their own, or
        features averaged and slopes added over them.
    joint : bool
        Whether a bias shares the block of its weights.
    sigma : float
        Of "gaussian".
    samples, seed : int
        Observations drawn for every row instead of the exact expectation, which takes a pull-back for every output.
    memory : str or int
        The most that whole blocks may take.

    Returns
    -------
    Kronecker
        Operator of shape (n, n), in 1 / (unit of parameter i · unit of parameter j).

    Raises
    ------
    ShapeError
        If the function does not give a row for every row, or a name is unknown.
    DerivativeError
        If rows depend on each other.

    References
    ----------
    See `landform.derivatives.kronecker.sums`.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [1.0, 2.0], [0.0, 1.0]])
    >>> F = kronecker(lambda w, X: X @ w, np.zeros((2, 1)), X, "gaussian")
    >>> F.dense()  # one layer, squared loss: exact
    array([[2., 2.],
           [2., 5.]])
    >>> F.explain()
    'x: Kronecker factors'
    """
    if distribution not in NAMES:
        raise ShapeError(
            f"a distribution among {', '.join(NAMES)}", got=repr(distribution), remedy="choose one",
            where="argument distribution",
        )  # fmt: skip
    rows: Sequence[Any] = inputs if isinstance(inputs, tuple) else (inputs,)
    outputs = outputs_by_layers(predict, x, rows)
    blocks = curvature_blocks(
        outputs, lambda: [rows], distribution, structure="corrected" if corrected else "kronecker", sharing=sharing,
        joint=joint, sigma=sigma, samples=samples, seed=seed, memory=memory,
    )  # fmt: skip
    return Kronecker(outputs, tuple(blocks))
