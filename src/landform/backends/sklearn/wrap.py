"""`from_sklearn`: a fitted estimator as a model, checked on real rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.model import Model
from landform.backends.sklearn.catalogue import METHODS, why_flat
from landform.backends.sklearn.data import checked_rows, own_values
from landform.backends.sklearn.names import input_names, output_names
from landform.backends.sklearn.registry import Translation, default_method, translate
from landform.errors import ModelError

_BLOCK = 1024


def from_sklearn(
    estimator: Any, X: Float[np.ndarray, "rows n"], *, method: str = "auto", tolerance: float = 1e-9
) -> Model:
    """A fitted estimator or pipeline as a differentiable model.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array or data frame, shape (rows, n)
        Rows to check the translation on; the training rows serve.
    method : {"auto", "predict", "predict_proba", "decision_function", "transform", "score_samples", "predict_std"}
        Which of its methods the model computes. "auto" is the prediction of a regressor, the probabilities of a
        classifier or else its decision function, what a transformer returns. "predict_std" is the standard
        deviation that ``predict(return_std=True)`` gives.
    tolerance : float
        Largest difference allowed on those rows, relative to the largest output.

    Returns
    -------
    Model
        Inputs named after ``feature_names_in_``, outputs after ``get_feature_names_out`` or ``classes_``, where the
        estimator has them. Its ``notes`` say where it has kinks or jumps; they are empty for a smooth function.

    Raises
    ------
    ModelError
        If the estimator is not fitted, has no translation or no slopes, or the translation differs from it on a
        row of ``X``.
    ShapeError
        If ``X`` is not a table of finite numbers with the columns of the fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> model = from_sklearn(LinearRegression().fit(X, [1.0, 2.0, 5.0]), X)
    >>> model(np.array([1.0, 1.0])).round(6)
    array([2.666667])
    """
    if method not in ("auto", *METHODS):
        raise ModelError(
            f"a method among auto, {', '.join(METHODS)}", got=repr(method), remedy="choose one", where="argument method"
        )
    _refuse_unfitted(estimator)
    method = default_method(estimator) if method == "auto" else method
    translation = translate(estimator, method)
    rows = checked_rows(estimator, X)
    theirs = own_values(estimator, method, rows)
    _refuse_mismatch(estimator, translation, rows, theirs, tolerance)
    inputs, outputs = input_names(estimator, X, rows.shape[1]), output_names(estimator, method, theirs.shape[1])
    return Model(translation.function, translation.args, inputs, outputs, translation.notes)


def _refuse_unfitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if why_flat(type(estimator)):
        return
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise ModelError(
            "a fitted scikit-learn estimator",
            got=f"the class {estimator.__name__}" if isinstance(estimator, type) else repr(estimator)[:60],
            remedy="pass what its fit returned",
        )
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError) as error:
        raise ModelError(
            "a fitted estimator", got=f"{type(estimator).__name__}, not fitted", remedy="call its fit first"
        ) from error


def _translated(translation: Translation, rows: np.ndarray) -> np.ndarray:
    """The translation's values, block by block, so that many rows need no more memory than some."""
    from landform.backends.jax import double_precision, values

    found = []
    with double_precision():
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            if start:
                block = np.concatenate([block, np.repeat(block[-1:], _BLOCK - len(block), axis=0)])
            found.append(np.asarray(values.quick(translation.function, block, *translation.args)))
    return np.concatenate(found)[: len(rows)]


def _refuse_mismatch(
    estimator: Any, translation: Translation, rows: np.ndarray, theirs: np.ndarray, tolerance: float
) -> None:
    ours = _translated(translation, rows).reshape(theirs.shape)
    gap = np.max(np.abs(ours - theirs), axis=1, initial=0.0)
    worst = int(np.argmax(gap))
    if not gap[worst] <= tolerance * max(1.0, float(np.max(np.abs(theirs), initial=0.0))):
        raise ModelError(
            f"a translation of {type(estimator).__name__} equal to it on every row",
            got=f"{ours[worst]} for {theirs[worst]} in row {worst}",
            remedy="report this estimator's settings as an issue; its derivatives would be wrong",
        )
