"""`chain`: the chain rule laid open, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from landform.derivatives import jacobian
from landform.derivatives.target import Target
from landform.errors import DerivativeError, ShapeError
from landform.findings import Curve, Finding, Picture

if TYPE_CHECKING:
    import pandas as pd

_VANISHED, _EXPLODED = 1e-3, 1e3


@dataclass(frozen=True, eq=False)
class Link:
    """One layer.

    Parameters
    ----------
    name : str
        Its place, and its name where it has one.
    jacobian : array, shape (outputs, inputs)
        How its outputs move with its inputs.
    singular_values : array
        Of the Jacobian, largest first: how much it stretches.
    so_far : array
        Those of all layers up to here together.
    backward : float
        Root mean square by which a random direction of the last output is stretched on its way back to this layer's
        input: what is left of a gradient.
    """

    name: str
    jacobian: Float[np.ndarray, "m n"]
    singular_values: Float[np.ndarray, " k"]
    so_far: Float[np.ndarray, " k"]
    backward: float


@dataclass(frozen=True, eq=False)
class Chain(Finding):
    """Every layer's Jacobian, and what they make together.

    Parameters
    ----------
    links : tuple of Link
        In the order in which the input passes them.
    jacobian : array, shape (m, n)
        Of the whole: their product.
    output : array
        What comes out.
    """

    links: tuple[Link, ...]
    jacobian: Float[np.ndarray, "m n"]
    output: Any

    def sentences(self) -> list[str]:
        """Where gradients vanish or explode, if they do; where most is lost."""
        backward = np.array([link.backward for link in self.links])
        if not np.any(self.jacobian):
            dead = next(link.name for link in self.links if not np.any(link.so_far))
            return [f"No gradient gets through: {dead} lets nothing pass at this input."]
        gain, last = float(backward[0]), float(backward[-1])
        words = [f"A gradient is scaled by {gain:.3g} on its way from the output to the input."]
        if gain < _VANISHED * last:
            words.append(f"It vanishes: below a thousandth from {self._crossing(backward < _VANISHED * last)} back.")
        elif gain > _EXPLODED * last:
            words.append(f"It explodes: above a thousandfold from {self._crossing(backward > _EXPLODED * last)} back.")
        weak = min(self.links, key=lambda link: link.singular_values[0])
        words.append(
            f"The tightest place is {weak.name}: it stretches no direction by more than {weak.singular_values[0]:.3g}."
        )
        return words

    def _crossing(self, over: Float[np.ndarray, " k"]) -> str:
        return self.links[int(np.flatnonzero(over)[-1])].name

    @property
    def words(self) -> str:
        """`sentences` as one text."""
        return " ".join(self.sentences())

    def to_frame(self) -> pd.DataFrame:
        """A row for every layer."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "layer": link.name,
                    "inputs": link.jacobian.shape[1],
                    "outputs": link.jacobian.shape[0],
                    "largest": link.singular_values[0],
                    "median": float(np.median(link.singular_values)),
                    "smallest": link.singular_values[-1],
                    "largest_so_far": link.so_far[0],
                    "gradient_left": link.backward,
                }
                for link in self.links
            ]
        )

    def pictures(self) -> list[Picture]:
        """What is left of a gradient at every layer, on a logarithmic scale."""
        left = [float(np.log10(max(link.backward, 1e-300))) for link in self.links]
        nothing: list[float | None] = [None] * len(left)
        x, title = [float(k + 1) for k in range(len(left))], "What is left of a gradient"
        return [Curve(x, left, nothing, nothing, title=title, x_axis="layer", y_axis="log₁₀ at its input")]


def chain(layers: Sequence[Callable[..., Any]], x: Any) -> Chain:
    """The Jacobian of a composition, link by link: each layer's own, how it stretches, what is left of a gradient.

    Parameters
    ----------
    layers : sequence of callable
        JAX functions (or PyTorch modules, such as a ``Sequential``), each taking what the one before gives.
    x : array or tensor
        The input of the first, a single one.

    Returns
    -------
    Chain

    Raises
    ------
    ShapeError
        If there are no layers, or one cannot take what the one before gives (named).
    DerivativeError
        If a slope is not finite; the layer is named.

    References
    ----------
    Pennington, Schoenholz and Ganguli (2017), "Resurrecting the sigmoid in deep learning through dynamical isometry",
    NeurIPS 30 (singular values of layers and of their product).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> found = chain([lambda x: 3 * x, jnp.tanh, lambda x: x.sum()], np.zeros(2))
    >>> found.jacobian
    array([[3., 3.]])
    >>> [float(link.singular_values[0].round(6)) for link in found.links]
    [3.0, 1.0, 1.414214]
    """
    functions: list[Callable[..., Any]] = list(layers)
    if not functions:
        raise ShapeError("one or more layers", got="none", remedy="pass them in a list", where="argument layers")
    matrices, names, h = [], [], x
    for k, layer in enumerate(functions, start=1):
        name = _name(layer, k)
        try:
            J = jacobian(layer, h)
            matrix = np.asarray(J._target.backend.to_numpy(J.dense()), dtype=np.float64)
        except DerivativeError as error:
            if k > 1 and isinstance(error.__cause__, (TypeError, ValueError)):
                raise _misfit(error.__cause__, name) from error
            raise DerivativeError(error.expected, got=error.got, remedy=error.remedy, where=name) from error
        except (TypeError, ValueError, RuntimeError) as error:
            if isinstance(error, ShapeError) and k == 1:
                raise
            raise _misfit(error, name) from error
        matrices.append(matrix)
        names.append(name)
        h = _output(J._target)
    return _linked(matrices, names, h)


def _misfit(error: BaseException, name: str) -> ShapeError:
    return ShapeError(
        "a layer that takes what the one before gives",
        got=str(error).splitlines()[0][:120],
        remedy="check the sizes of neighboring layers",
        where=name,
    )


def _output(t: Target) -> Any:
    """What a layer gives at its point, in the point's precision."""
    found = t.backend.outputs_at(t.flat, t.x, t.args, t.m, t.precision)
    return found if t.native else t.backend.map_leaves(t.backend.to_numpy, found)


def _name(layer: Any, number: int) -> str:
    own = getattr(layer, "__name__", type(layer).__name__)
    return f"layer {number}" if own in ("<lambda>", "function", "PjitFunction") else f"layer {number} ({own})"


def _linked(matrices: list[np.ndarray], names: list[str], output: Any) -> Chain:
    forward, so_far = np.eye(matrices[0].shape[1]), []
    for matrix in matrices:
        forward = matrix @ forward
        so_far.append(np.linalg.svd(forward, compute_uv=False))
    back, left = np.eye(matrices[-1].shape[0]), []
    for matrix in reversed(matrices):
        back = back @ matrix
        left.append(float(np.linalg.norm(back) / np.sqrt(back.shape[0])))
    links = [
        Link(name, matrix, np.linalg.svd(matrix, compute_uv=False), together, behind)
        for name, matrix, together, behind in zip(names, matrices, so_far, reversed(left), strict=True)
    ]
    return Chain(tuple(links), forward, output)
