"""From a fitted estimator to a JAX function: the registry of translations, and the check of every one.

Dispatch is on the exact class: a subclass may predict in its own way, and would be differentiated wrongly.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.errors import ModelError


@dataclass(frozen=True)
class Translation:
    """What an estimator computes for one row, read from its fitted attributes.

    Parameters
    ----------
    function : callable
        ``function(x, *args)``, JAX-traceable, from shape (n,) to shape (m,). A function at module level, so
        that estimators of one kind share compiled derivatives.
    args : tuple
        The fitted numbers.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]


_TRANSLATIONS: dict[str, Callable[[Any], Translation]] = {}
_BUILT_IN = {
    "LinearRegression": "linear",
    "Ridge": "linear",
    "StandardScaler": "scaling",
    "MinMaxScaler": "scaling",
    "GaussianProcessRegressor": "gaussian_process",
    "Pipeline": "pipeline",
}


def _key(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def register_translation(
    kind: type,
) -> Callable[[Callable[[Any], Translation]], Callable[[Any], Translation]]:
    """Teach `from_sklearn` a class: a decorator over the function that translates a fitted instance.

    Parameters
    ----------
    kind : type
        The estimator's exact class; subclasses are not covered.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, TransformerMixin
    >>> class Doubler(TransformerMixin, BaseEstimator):
    ...     def fit(self, X, y=None): return self
    ...     def transform(self, X): return 2 * X
    >>> @register_translation(Doubler)
    ... def translate_doubler(estimator):
    ...     return Translation(lambda x: 2.0 * x, ())
    """

    def register(function: Callable[[Any], Translation]) -> Callable[[Any], Translation]:
        _TRANSLATIONS[_key(kind)] = function
        return function

    return register


def translate(estimator: Any) -> Translation:
    """The translation of one fitted estimator, unchecked; `from_sklearn` checks it.

    Raises
    ------
    ModelError
        If the estimator's exact class has no translation.
    """
    kind = type(estimator)
    if kind.__module__.startswith("sklearn.") and kind.__name__ in _BUILT_IN:
        importlib.import_module(f"landform.backends.sklearn.{_BUILT_IN[kind.__name__]}")
    found = _TRANSLATIONS.get(_key(kind))
    if found is None:
        raise ModelError(
            f"an estimator with a translation ({', '.join(sorted(_BUILT_IN))})",
            got=_key(kind),
            remedy="register one with landform.backends.register_translation",
        )
    return found(estimator)


def from_sklearn(estimator: Any, X: Float[np.ndarray, "rows n"], *, tolerance: float = 1e-9) -> Model:
    """A fitted estimator or pipeline as a differentiable model.

    Parameters
    ----------
    estimator : estimator
        Fitted; its ``predict`` (or, for a transformer, ``transform``) is what the model computes.
    X : array or data frame, shape (rows, n)
        Rows to check the translation on; the training rows serve.
    tolerance : float
        Largest difference allowed on those rows, relative to the largest output.

    Returns
    -------
    Model
        Named after ``feature_names_in_`` where the estimator has them.

    Raises
    ------
    ModelError
        If the estimator is not fitted, has no translation, or the translation differs from it on a row of ``X``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> model = from_sklearn(LinearRegression().fit(X, [1.0, 2.0, 5.0]), X)
    >>> model(np.array([1.0, 1.0])).round(6)
    array([2.666667])
    """
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError) as error:
        raise ModelError(
            "a fitted estimator", got=f"{type(estimator).__name__}, not fitted", remedy="call its fit first"
        ) from error
    translation = translate(estimator)
    rows = np.asarray(X, dtype=np.float64)
    theirs = np.asarray(estimator.predict(X) if hasattr(estimator, "predict") else estimator.transform(X))
    theirs = theirs.reshape(len(rows), -1)
    names = getattr(estimator, "feature_names_in_", None)
    inputs = tuple(map(str, names)) if names is not None else tuple(f"x{i}" for i in range(rows.shape[1]))
    outputs = ("y",) if theirs.shape[1] == 1 else tuple(f"y{k}" for k in range(theirs.shape[1]))
    _refuse_mismatch(estimator, translation, rows, theirs, tolerance)
    return Model(translation.function, translation.args, inputs, outputs)


def _refuse_mismatch(
    estimator: Any, translation: Translation, rows: np.ndarray, theirs: np.ndarray, tolerance: float
) -> None:
    from landform.backends.jax import double_precision, values

    with double_precision():
        ours = np.asarray(values.quick(translation.function, rows, *translation.args)).reshape(theirs.shape)
    gap = np.max(np.abs(ours - theirs), axis=1)
    worst = int(np.argmax(gap))
    if not gap[worst] <= tolerance * max(1.0, float(np.max(np.abs(theirs)))):
        raise ModelError(
            f"a translation of {type(estimator).__name__} equal to it on every row",
            got=f"{ours[worst]} for {theirs[worst]} in row {worst}",
            remedy="report this estimator's settings as an issue; its derivatives would be wrong",
        )
