"""No third state: every method of every class in scikit-learn is translated, or refused with a reason by name.

Source: scikit-learn's own list, `sklearn.utils.all_estimators`; boosters from their own packages where installed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.utils import all_estimators

import estimators
import landform
from landform.backends import from_sklearn
from landform.backends.sklearn.catalogue import BUILT_IN, METHODS
from landform.backends.sklearn.refused import REFUSED, REFUSED_METHODS
from landform.backends.sklearn.registry import translate
from landform.errors import ModelError

KINDS = dict(all_estimators())
LABELS = "predict"
RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 3))


def classes_in(estimator):
    """The estimator's own class and those of what it is made of."""
    yield type(estimator).__name__
    for value in estimator.get_params().values():
        if hasattr(value, "get_params") and not isinstance(value, type):
            yield type(value).__name__


TESTED = {(name, case.method) for case in estimators.CASES for name in classes_in(case.estimator)}


@pytest.mark.parametrize("name", KINDS)
def test_translated_or_refused(name):
    kind = KINDS[name]
    handed_on = name == "FrozenEstimator"  # what it has depends on what is frozen
    methods = [method for method in METHODS if handed_on or hasattr(kind, method)]
    translated = {method for method in methods if (name, method) in BUILT_IN}
    assert (name in REFUSED) == (not translated), "a class is one or the other"
    if name in REFUSED:
        instance = kind.__new__(kind)
        with pytest.raises(ModelError, match=f"{name}, wh.*: .*; [a-z]") as caught:
            from_sklearn(instance, X)
        assert REFUSED[name].why in str(caught.value) and "\n" not in str(caught.value)
        return
    assert name in {tested for tested, _ in TESTED}
    for method in set(methods) - translated:
        reason = REFUSED_METHODS.get((name, method))
        assert reason is not None or method == LABELS, f"{name}.{method} has no state"
        fitted = (estimators.fitted(case) for case in estimators.CASES if type(case.estimator) is kind)
        with pytest.raises(ModelError, match=reason.why if reason else f"{name}, got 'predict', whose labels"):
            translate(next(fitted, None) or kind(), method)


def test_the_lists_name_nothing_that_is_not_there():
    assert set(REFUSED) <= set(KINDS)
    assert {name for name, _ in BUILT_IN} <= {*KINDS, "FrozenEstimator"}


@pytest.mark.parametrize(
    ("package", "kind"),
    [("xgboost", "XGBRegressor"), ("lightgbm", "LGBMRegressor")],
)
def test_boosters_are_known_by_name(package, kind):
    module = pytest.importorskip(package, reason=f"{package} is what is recognized")
    booster = getattr(module, kind)(n_estimators=5, **({"verbose": -1} if package == "lightgbm" else {}))
    booster.fit(X, X[:, 0])
    words = rf"{package}\..*{kind}, whose derivative is zero .*trees.*landform.secant.*landform.distill"
    for one in (booster, make_pipeline("passthrough", booster)):
        with pytest.raises(ModelError, match=words):
            from_sklearn(one, X)
        with pytest.raises(ModelError, match="whose derivative is zero"):
            landform.sensitivity(one, X, derivatives="numeric")
    found = landform.secant(booster, X, step=0.5)
    assert np.isfinite(found.to_frame().select_dtypes("number").to_numpy()).any()


def test_catboost_is_known_by_its_name():
    """A stand-in of the same module and name: the package itself is too large to install for one sentence."""
    kind = type("CatBoostRegressor", (Ridge,), {"__module__": "catboost.core"})
    with pytest.raises(ModelError, match=r"catboost\..*CatBoostRegressor, whose derivative is zero"):
        from_sklearn(kind().fit(X, X[:, 0]), X)


def test_an_encoder_alone_as_the_first_step():
    """All columns are levels: every contrast is a difference of predictions; 12¹² combinations are never listed."""
    table = pd.DataFrame({f"c{k}": RNG.integers(0, 12, 400) for k in range(12)}).astype(str)
    y = table["c0"].astype(float) + 0.5 * table["c1"].astype(float)
    for encoder in (OneHotEncoder(), OneHotEncoder(drop="first"), OrdinalEncoder()):
        model = make_pipeline(encoder, Ridge()).fit(table, y)
        found = landform.sensitivity(model, table, categories=list(table)).to_frame().set_index("input")
        level = table["c0"].unique()[0]
        name, reference = f"c0: {level}", table["c0"].mode()[0]
        if name not in found.index:
            name = next(one for one in found.index if one.startswith("c0: "))
            level = name.removeprefix("c0: ")
        gap = model.predict(table.assign(c0=level)) - model.predict(table.assign(c0=reference))
        assert found.loc[name, "mean"] == pytest.approx(np.mean(gap), rel=1e-9)
