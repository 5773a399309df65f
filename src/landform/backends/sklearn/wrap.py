"""`from_sklearn`: a fitted estimator as a model, checked on real rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.backends.closed import Closed
from landform.backends.model import Model
from landform.backends.sklearn.catalogue import METHODS
from landform.backends.sklearn.coded import Coded, coded_rows
from landform.backends.sklearn.data import checked_rows, own_table, refuse_other_columns
from landform.backends.sklearn.held import hold, holding
from landform.backends.sklearn.join import chain, identity
from landform.backends.sklearn.names import input_names, output_names
from landform.backends.sklearn.parity import CLOSE, parity
from landform.backends.sklearn.registry import Translation, default_method, refuse_without_slopes, translate
from landform.backends.sklearn.smoothed import Width, smoothed_translation, smoothed_trees, widths
from landform.errors import LandformError, ModelError

_BLOCK = 1024


def from_sklearn(
    estimator: Any,
    X: Float[np.ndarray, "rows n"],
    *,
    method: str = "auto",
    smooth: Width | None = None,
    held: Mapping[Any, Any] | None = None,
    tolerance: float = CLOSE,
) -> Model:
    """A fitted estimator or pipeline as a differentiable model.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array or data frame, shape (rows, n)
        Rows to check the translation on; the training rows serve.
    method : {"auto", "predict", "predict_proba", "decision_function", "transform", "score_samples", "predict_std",
            "predict_cov"}
        Which of its methods the model computes. "auto" is the prediction of a regressor, the probabilities of a
        classifier or else its decision function, what a transformer returns. "predict_std" is the standard
        deviation that ``predict(return_std=True)`` gives, "predict_cov" the variance that ``return_cov=True`` gives
        for a row with itself.
    smooth : float, sequence or mapping, optional
        For sums of trees: the standard deviation of a Gaussian that the model is smoothed by, in units of each input
        (one for all, one for each, or by name). Value, slopes and curves of the smoothed model are exact.
    held : mapping, optional
        Columns that stay at one value, such as categories: ``{"color": "red"}``. The model is one of the others.
    tolerance : float
        Largest difference allowed on those rows, relative to each output's spread over them. What the estimator
        itself loses to rounding there is measured where it matters and allowed besides, and noted where it is much.

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
    if smooth is None:
        refuse_without_slopes(type(estimator))
    refuse_unfitted(estimator)
    method = default_method(estimator) if method == "auto" else method
    if smooth is not None:
        if held:
            raise ModelError(
                "held or smooth", got="both", remedy="encode and hold before the trees", where="argument held"
            )
        return _smoothed(estimator, X, method, smooth, tolerance)
    if held is None:
        rows = checked_rows(estimator, X)
        translation = _read(estimator, method)
        agreed = parity(estimator, method, own_table(estimator, rows), tolerance)
        names = input_names(estimator, X, rows.shape[1])
    else:
        refuse_other_columns(estimator, X)
        ground = hold(X, held)
        rows = checked_rows(None, ground.free)
        with holding(ground.held):
            translation = ground.lead(_read(estimator, method))
        agreed = parity(estimator, method, ground.table, tolerance, fixed=ground.held.places)
        names = tuple(map(str, ground.free.columns))
    unchecked = None
    if translation.closed is not None:
        agreed.refuse(_in_blocks(translation.closed, rows))
        unchecked = cache(lambda: agreed.refuse(_translated(translation, rows)))
    else:
        agreed.refuse(_translated(translation, rows))
    translation = replace(translation, notes=(*translation.notes, *agreed.notes))
    return _model(translation, names, output_names(estimator, method, agreed.outputs), unchecked)


def from_categories(estimator: Any, X: Any, method: str, coded: Coded) -> Model:
    """A fitted estimator as a model in which columns of levels hold codes; checked as `from_sklearn` does.

    Raises
    ------
    ModelError, ShapeError
        As `from_sklearn`.
    """
    refuse_unfitted(estimator)
    rows = coded_rows(estimator, X, coded)
    with holding(coded):
        translation = _read(estimator, method)
    agreed = parity(estimator, method, X, fixed=coded.places)
    agreed.refuse(_translated(translation, rows))
    translation = replace(translation, form=None, notes=(*translation.notes, *agreed.notes))
    names = tuple(map(str, X.columns))
    return _model(translation, names, output_names(estimator, method, agreed.outputs), None)


def _read(estimator: Any, method: str) -> Translation:
    """The translation; what else goes wrong while attributes are read is said in one sentence."""
    try:
        return translate(estimator, method)
    except LandformError:
        raise
    except Exception as error:
        raise ModelError(
            f"{type(estimator).__name__} with the attributes of one fitted by scikit-learn {version('scikit-learn')}",
            got=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            remedy="fit it anew, or load it with the version that saved it",
        ) from error


def _smoothed(estimator: Any, X: Any, method: str, smooth: Width, tolerance: float) -> Model:
    rows = checked_rows(estimator, X)
    total, sharp = smoothed_trees(estimator, method, rows)
    agreed = parity(estimator, method, own_table(estimator, rows), tolerance)
    after = chain([Translation(identity, ()), *total.link])
    agreed.refuse(_translated(after, sharp))
    names = input_names(estimator, X, rows.shape[1])
    translation = smoothed_translation(total, widths(smooth, names), names)
    return _model(translation, names, output_names(estimator, method, agreed.outputs), None)


def _model(
    translation: Translation, inputs: tuple[str, ...], outputs: tuple[str, ...], unchecked: Callable[[], None] | None
) -> Model:
    return Model(
        translation.function,
        translation.args,
        inputs,
        outputs,
        translation.notes,
        translation.closed,
        translation.doubt,
        unchecked,
    )


def refuse_unfitted(estimator: Any) -> None:
    """Refuse a class, something that is no estimator, and an estimator that was not fitted.

    Raises
    ------
    ModelError
    """
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

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


def _in_blocks(closed: Closed, rows: np.ndarray) -> np.ndarray:
    return np.concatenate([closed(rows[start : start + _BLOCK], 0)[0] for start in range(0, len(rows), _BLOCK)])
