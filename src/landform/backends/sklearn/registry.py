"""From a fitted estimator to a JAX function: the registry of translations.

Dispatch is on the exact class: a subclass may predict in its own way, and would be differentiated wrongly.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from landform.backends.closed import Closed, SlopeDoubt
from landform.backends.sklearn.catalogue import BUILT_IN, METHODS, SUPPORTED
from landform.backends.sklearn.refused import REFUSED_METHODS, refusal
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
    notes : tuple of str
        Where the derivatives are not those of a smooth function, and why; empty if it is smooth.
    form : callable, optional
        The same at many rows in closed form (`landform.backends.closed`); functions that have a rule need none.
    doubt : SlopeDoubt, optional
        How surely its slopes are known.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    form: Closed | None = None
    doubt: SlopeDoubt | None = None

    @property
    def closed(self) -> Closed | None:
        """The closed form, where there is one."""
        if self.form is not None:
            return self.form
        rule = _RULES.get(self.function)
        return None if rule is None else lambda X, order: rule(X, order, *self.args)


_RULES: dict[Callable[..., Any], Callable[..., tuple[Any, ...]]] = {}


def closed_by(function: Callable[..., Any], rule: Callable[..., tuple[Any, ...]]) -> None:
    """Give a translation's function its closed form: ``rule(X, order, *args)`` with the function's own args."""
    _RULES[function] = rule


Translator = Callable[[Any], Translation]
_TRANSLATIONS: dict[tuple[str, str], Translator] = {}


def _key(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def register_translation(kind: type, *, method: str = "auto") -> Callable[[Translator], Translator]:
    """Teach `from_sklearn` a class: a decorator over the function that translates a fitted instance.

    Parameters
    ----------
    kind : type
        The estimator's exact class; subclasses are not covered.
    method : str
        Which of its methods is translated; "auto" is the one that `from_sklearn` takes by itself.

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

    def register(function: Translator) -> Translator:
        _TRANSLATIONS[_key(kind), method] = function
        return function

    return register


def default_method(estimator: Any) -> str:
    """What "auto" stands for.

    Probabilities (or else the decision function) of a classifier, the prediction of a regressor, the decision
    function of an outlier detector, the probabilities of a mixture, what a transformer returns.

    Examples
    --------
    >>> from sklearn.svm import LinearSVC, SVR
    >>> default_method(LinearSVC()), default_method(SVR())
    ('decision_function', 'predict')
    """
    from sklearn.base import is_classifier, is_regressor

    tagged = hasattr(estimator, "__sklearn_tags__") or hasattr(estimator, "_estimator_type")
    if tagged and is_regressor(estimator):
        return "predict"
    order = ["predict_proba", "decision_function", "transform", "predict", "score_samples"]
    if not (tagged and is_classifier(estimator)):
        order = ["decision_function", "predict_proba", "transform", "predict", "score_samples"]
    return next((method for method in order if hasattr(estimator, method)), "predict")


def translate(estimator: Any, method: str = "auto") -> Translation:
    """The translation of one fitted estimator, unchecked; `from_sklearn` checks it.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    method : str
        One of its methods, or "auto".

    Raises
    ------
    ModelError
        If the estimator's exact class has no translation for this method, or no derivative worth having.
    """
    kind = type(estimator)
    usual = default_method(estimator)
    method = usual if method == "auto" else method
    found = _TRANSLATIONS.get((_key(kind), method))
    if found is None and method == usual:
        found = _TRANSLATIONS.get((_key(kind), "auto"))
    if found is not None:
        return found(estimator)
    place = BUILT_IN.get((kind.__name__, method)) if kind.__module__.startswith("sklearn.") else None
    if place is None:
        refuse_without_slopes(kind, method)
        raise _no_translation(kind, method)
    module, name = place.split(".")
    translator = getattr(importlib.import_module(f"landform.backends.sklearn.{module}"), name)
    return cast(Translation, translator(estimator, method))


def _smoothing(kind: type) -> str:
    """The way of smoothed trees, for those whose boxes can be read."""
    from landform.backends.sklearn.tree_sums import READERS

    readable = kind.__module__.startswith("sklearn.") and kind.__name__ in READERS
    return "smooth its trees with from_sklearn(..., smooth=width), " if readable else ""


def refuse_without_slopes(kind: type, method: str = "") -> None:
    """Refuse a class, or a method of it, that is known to have no derivative worth having.

    Raises
    ------
    ModelError
    """
    found = refusal(kind, method)
    if found is None:
        return
    name = f"{_key(kind)}.{method}" if (kind.__name__, method) in REFUSED_METHODS else _key(kind)
    way = _smoothing(kind) if found.flat else ""
    remedy = found.remedy.replace(", or fit", f", {way}or fit") if way else found.remedy
    raise ModelError("an estimator with slopes", got=f"{name}, {found}", remedy=remedy)


def _no_translation(kind: type, method: str) -> ModelError:
    """Why there is none, and what would serve."""
    mine = {m for name, m in BUILT_IN if name == kind.__name__} if kind.__module__.startswith("sklearn.") else set()
    if mine & set(METHODS):
        known = " or ".join(m for m in METHODS if m in mine)
        labels = method == "predict" and "labels are piecewise constant, with no slope"
        return ModelError(
            f"method {known} of {kind.__name__}",
            got=f"{method!r}" + (f", whose {labels}" if labels else ""),
            remedy="choose one with method=",
            where="argument method",
        )
    parents = [parent.__name__ for parent in kind.__mro__[1:] if parent.__name__ in SUPPORTED]
    close = difflib.get_close_matches(kind.__name__, SUPPORTED, n=4, cutoff=0.55)
    near = list(dict.fromkeys(parents + close)) or ["Ridge", "SVR", "GaussianProcessRegressor", "MLPRegressor"]
    return ModelError(
        f"an estimator with a translation (near this one: {', '.join(near)})",
        got=f"{_key(kind)}, whose exact class has none",
        remedy="use one of these, or register a translation with landform.backends.register_translation",
    )
