"""Slopes where they are really taken: alone, along mixtures and data, by level; cautions; bad input."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

import landform
from landform.errors import LandformError, ModelError, OutputError, ShapeError
from landform.sensitivity import Ground, cox_move
from landform.sensitivity.fields import cox_field

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 2.0, size=(30, 3))


def product(x):
    return jnp.array([x[0] ** 2 * x[1], jnp.exp(x[2])])


def test_slopes_elasticities_and_standard_effects_of_a_known_function():
    found = landform.sensitivity(product, X, inputs=("a", "b", "c"), outputs=("p", "q"))
    a, b, c = X.T
    np.testing.assert_allclose(found.jacobians[:, 0], np.column_stack([2 * a * b, a**2, 0 * c]), rtol=1e-12)
    rows = found.rows()
    own = rows[(rows.direction == "alone") & (rows.output == "p")]
    np.testing.assert_allclose(own[own.input == "a"].elasticity, 2.0, rtol=1e-12)
    np.testing.assert_allclose(own[own.input == "b"].elasticity, 1.0, rtol=1e-12)
    np.testing.assert_allclose(own[own.input == "b"].standardized, a**2 * np.std(b) / np.std(a**2 * b), rtol=1e-12)
    frame = found.to_frame().set_index(["output", "input", "direction"])
    assert frame.loc[("p", "a", "alone"), "mean"] == pytest.approx(np.mean(2 * a * b))
    assert frame.loc[("p", "a", "alone"), "median"] == pytest.approx(np.median(2 * a * b))
    assert frame.loc[("p", "c", "alone"), "same_sign"] == 1.0
    assert np.isnan(frame.loc[("p", "a", "alone"), "standard_error"])
    assert found.doubt.startswith("none: a function by itself")


def test_interactions_are_the_hessian():
    found = landform.sensitivity(product, X, inputs=("a", "b", "c"), outputs=("p", "q")).interactions
    a, b, _ = X.T
    first = {(one.output, one.first, one.second): one for one in found.pairs}
    one = first["p", "a", "b"]
    assert one.curve.value == pytest.approx(np.mean(2 * a)) and one.curve.lower is None
    size = np.std(a**2 * b)
    assert one.strength.value == pytest.approx(np.sqrt(np.mean((2 * a) ** 2)) * np.std(a) * np.std(b) / size)
    main = max(np.sqrt(np.mean((2 * a * b) ** 2)) * np.std(a), np.sqrt(np.mean(a**4)) * np.std(b)) / size
    assert one.against_main.value == pytest.approx(one.strength.value / main)
    assert first["p", "a", "c"].strength.value == 0.0
    assert first["p", "a", "a"].strength.value == pytest.approx(
        np.sqrt(np.mean((2 * b) ** 2)) * np.std(a) ** 2 / size / 2
    )
    ranks = [p.strength.value for p in found.pairs if p.output == "p"]
    assert ranks == sorted(ranks, reverse=True)


def test_logarithms():
    found = landform.sensitivity(product, X, inputs=("a", "b", "c"), outputs=("p", "q"), log=["a"])
    a, b, _ = X.T
    effect = next(e for e in found.effects if (e.output, e.input, e.direction) == ("p", "a", "log"))
    assert effect.mean.value == pytest.approx(np.mean(2 * a**2 * b))  # a dp/da
    bend = next(p for p in found.interactions.pairs if (p.output, p.first, p.second) == ("p", "a", "a"))
    assert bend.curve.value == pytest.approx(np.mean(4 * a**2 * b))  # a² p'' + a p' = 2a²b + 2a²b


def test_numeric_slopes_agree_with_exact_ones():
    rows = lambda table: np.column_stack([table[:, 0] ** 2 * table[:, 1], np.exp(table[:, 2])])  # noqa: E731
    exact = landform.sensitivity(product, X[:5])
    numeric = landform.sensitivity(rows, X[:5], derivatives="numeric")
    np.testing.assert_allclose(numeric.jacobians, exact.jacobians, atol=1e-8)
    assert [p.curve.value for p in numeric.interactions.pairs[:2]] == pytest.approx(
        [p.curve.value for p in exact.interactions.pairs[:2]], rel=1e-5
    )


def test_mixtures_move_along_cox_directions():
    """Against `cox_move`, row by row, and against the total: what keeps the sum has no slope along it."""
    mix = RNG.dirichlet([1, 2, 3], 25)
    field = cox_field(mix, 1, (0, 1, 2))
    ground = Ground(("a", "b", "c"), 3, np.zeros(3), np.ones(3), np.full(3, 0.01))
    np.testing.assert_allclose(field, [cox_move(x, 1, ground, held=False).vector for x in mix], atol=1e-14)
    model = make_pipeline(PolynomialFeatures(2, include_bias=False), LinearRegression(fit_intercept=False))
    y = mix @ [1.0, 2.0, 3.0] + 4 * mix[:, 0] * mix[:, 1] + 0.1 * RNG.normal(size=25)
    with pytest.raises(ShapeError, match=r"argument mixture: .*sums from"):
        landform.sensitivity(model.fit(mix, y), mix, mixture=["x0", "x1"])
    found = landform.sensitivity(model, mix, y=y, mixture=["x0", "x1", "x2"])
    cox = [e for e in found.effects if e.direction == "Cox"]
    right = np.mean(np.einsum("rd,rd->r", np.array([1 + 4 * mix[:, 1], 2 + 4 * mix[:, 0], 3 + 0 * mix[:, 0]]).T, field))
    assert len(cox) == 3
    # On the simplex the ten coefficients are not all told; what is told has an interval that holds the truth.
    assert cox[1].mean.lower < right < cox[1].mean.upper
    assert 0 < cox[1].mean.standard_error < 0.3


def test_what_goes_together_and_along_axes():
    z = RNG.normal(size=200)
    data = np.column_stack([z, 2 * z + 0.1 * RNG.normal(size=200), RNG.normal(size=200)])
    found = landform.sensitivity(lambda x: jnp.array([x[0] + x[1]]), data)
    effect = {(e.input, e.direction): e.mean.value for e in found.effects}
    C = np.cov(data.T)
    assert effect["x0", "together"] == pytest.approx(1 + C[0, 1] / C[0, 0])
    assert effect["x2", "together"] == pytest.approx((C[0, 2] + C[1, 2]) / C[2, 2])
    # Moving one sd along the three axes accounts for the whole variance of a linear function.
    axes = [e.mean.value for e in found.effects if e.direction == "axis"]
    assert np.sum(np.square(axes)) == pytest.approx(np.var(data[:, 0] + data[:, 1]))


def test_levels_get_differences_and_no_slope():
    frame = pd.DataFrame({"a": X[:, 0], "red": np.arange(30) % 3 == 0, "blue": np.arange(30) % 3 == 1}).astype(float)
    y = frame["a"] + 3 * frame["red"] - frame["blue"] + 0.01 * RNG.normal(size=30)
    model = LinearRegression().fit(frame, y)
    found = landform.sensitivity(model, frame, y=y, categories={"color": ["red", "blue"]})
    contrasts = [e for e in found.effects if e.direction == "contrast"]
    assert [e.input for e in contrasts] == ["color: red", "color: blue"] or "none of them" in contrasts[0].words
    assert {e.input for e in found.effects if e.direction == "alone"} == {"a"}
    by_words = {e.words: e.mean.value for e in contrasts}
    for words, value in by_words.items():
        level, base = words.split(" in place of ")
        coef = dict(zip(frame.columns, model.coef_, strict=True)) | {"none of them": 0.0}
        assert value == pytest.approx(coef[level] - coef[base])
    plain = landform.sensitivity(model, frame)
    assert any("red takes two values only" in note for note in plain.notes)


def test_log_odds_of_two_classes_are_linear():
    y = (X[:, 0] + 0.3 * RNG.normal(size=30) > 1.2).astype(int)
    model = LogisticRegression().fit(X, y)
    found = landform.sensitivity(model, X, y=y, method="log_odds")
    np.testing.assert_allclose(found.jacobians[:, 1], np.broadcast_to(model.coef_, (30, 3)), rtol=1e-9)
    np.testing.assert_allclose(found.jacobians[:, 0], -np.broadcast_to(model.coef_, (30, 3)), rtol=1e-9)
    np.testing.assert_allclose(found.errors[:, 0], found.errors[:, 1], rtol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_log_odds_behind_closed_forms():
    """Against differences of the estimator's own probabilities."""
    y = np.digitize(X[:, 0] + 0.2 * X[:, 1], [1.1, 1.3])
    net = MLPClassifier(hidden_layer_sizes=(3,), activation="tanh", max_iter=20, random_state=0).fit(X, y)
    found = landform.sensitivity(net, X, method="log_odds", interactions=False)
    assert found.how == "exact: closed form"

    def odds(rows):
        p = net.predict_proba(rows)
        return np.log(p / (1 - p))

    steps = 1e-5 * np.eye(3)
    slopes = np.stack([(odds(X + e) - odds(X - e)) / 2e-5 for e in steps], axis=2)
    np.testing.assert_allclose(found.jacobians, slopes, atol=1e-8)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_cautions_stand_at_the_rows_they_hold_for():
    model = MLPRegressor(hidden_layer_sizes=(1,), max_iter=1, random_state=0).fit(X[:, :1], X[:, 1])
    model.coefs_[0][:], model.coefs_[1][:] = 1.0, 1.0
    model.intercepts_[0][:], model.intercepts_[1][:] = -1.0, 0.0  # max(0, x − 1)
    at = np.array([[0.6], [0.995], [1.5], [9.0]])
    found = landform.sensitivity(model, at, train=X[:, :1], bounds={"x0": (0.6, None)}, interactions=False)
    where = {c.kind: c.where[:, 0].tolist() for c in found.cautions}
    assert where["far"] == [False, False, False, True]
    assert where["flat"] == [True, True, False, False]
    assert where["bound"] == [True, False, False, False]
    assert any("ReLU" in note for note in found.notes)
    near = landform.sensitivity(model, np.array([[0.6], [0.99], [1.5], [2.0]]), interactions=False)
    assert next(c for c in near.cautions if c.kind == "kink").where[:, 0].tolist() == [False, True, False, False]


def test_drowned_slopes_are_called_so():
    y = RNG.normal(size=30)
    found = landform.sensitivity(LinearRegression().fit(X, y), X, y=y)
    unsure = np.all(np.abs(found.slopes) <= found.quantile * found.errors, axis=2)
    said = [c.where for c in found.cautions if c.kind == "unsure"]
    assert np.array_equal(said[0] if said else np.zeros_like(unsure), unsure)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(3)), st.tuples(*[st.floats(0.01, 100.0)] * 3))
def test_order_of_columns_and_units_are_irrelevant(order, units):
    """Permuted columns permute the effects; an input in other units has its slope divided, its standard effect kept."""
    y = X @ [1.0, -2.0, 0.5] + np.sin(7 * X[:, 0])
    names = np.array(["a", "b", "c"])

    def effects(table):
        found = landform.sensitivity(LinearRegression().fit(table, y), table, y=y, interactions=False)
        return {(e.input, e.direction): e for e in found.effects if e.direction in ("alone", "together")}

    plain = effects(pd.DataFrame(X, columns=names))
    other = effects(pd.DataFrame((X * units)[:, order], columns=names[list(order)]))
    for (name, kind), effect in plain.items():
        unit = units[list(names).index(name)]
        assert other[name, kind].mean.value * unit == pytest.approx(effect.mean.value, rel=1e-7)
        assert other[name, kind].mean.standard_error * unit == pytest.approx(effect.mean.standard_error, rel=1e-6)
        assert other[name, kind].standardized.value == pytest.approx(effect.standardized.value, rel=1e-7)


def test_without_a_target_no_interval_is_pretended():
    found = landform.sensitivity(LinearRegression().fit(X, X[:, 0]), X)
    assert found.doubt.startswith("none: LinearRegression keeps no trace")
    assert found.errors is None
    assert all(e.mean.standard_error is None and e.mean.lower is None and not e.mean.sure for e in found.effects)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: landform.sensitivity(RandomForestRegressor(3).fit(X, X[:, 0]), X), "zero almost everywhere"),
        (
            lambda: landform.sensitivity(RandomForestRegressor(3).fit(X, X[:, 0]).predict, X, derivatives="numeric"),
            "zero almost everywhere",
        ),
        (lambda: landform.sensitivity(LinearRegression(), X), "fit"),
        (lambda: landform.sensitivity(7, X), "int"),
        (lambda: landform.sensitivity(product, np.where(X > 1.9, np.nan, X)), "nan in row"),
        (lambda: landform.sensitivity(product, X, log=["nope"]), "argument log"),
        (lambda: landform.sensitivity(product, X - 1.0, log=["x0"]), "positive values of x0"),
        (lambda: landform.sensitivity(product, X, categories=["x0"]), "30 different values"),
        (lambda: landform.sensitivity(product, X, inputs=("a",)), "3 names"),
        (lambda: landform.sensitivity(product, X, outputs=("a",)), "2 names"),
        (lambda: landform.sensitivity(product, X, level=95), "between 0 and 1"),
        (lambda: landform.sensitivity(product, X, doubt="refits"), "by itself"),
        (lambda: landform.sensitivity(product, X, derivatives="maybe"), "maybe"),
        (lambda: landform.sensitivity(product, X, bounds={"x0": (2.0, 1.0)}), "lower bound of x0"),
        (lambda: landform.sensitivity(LinearRegression().fit(X, X), X, y=X[:5]), "30 rows"),
        (lambda: landform.sensitivity(product, X).trace("nope"), "argument input"),
        (lambda: landform.sensitivity(product, X).trace("x0", row=99), "row"),
        (lambda: landform.sensitivity(product, X).ranked("nope"), "output"),
        (lambda: landform.sensitivity(product, X).pictures("nope"), "argument what"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, words):
    with pytest.raises(LandformError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_columns_in_another_order_are_refused_by_name():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = LinearRegression().fit(frame, X[:, 0])
    with pytest.raises(ShapeError, match="b in place of a"):
        landform.sensitivity(model, frame[["b", "a", "c"]])
    with pytest.raises(ModelError, match="degrees of freedom"):
        landform.sensitivity(LinearRegression().fit(X[:3], X[:3, 0]), X[:3], y=X[:3, 0])


def test_traces_pass_through_their_row_and_stay_in_the_mixture():
    mix = RNG.dirichlet([2, 2, 2], 25)
    found = landform.sensitivity(lambda x: jnp.array([x[0] * x[1]]), mix, mixture=["x0", "x1", "x2"])
    trace = found.trace("x0", row=3)
    np.testing.assert_allclose(trace.points.sum(axis=1), 1.0, atol=1e-12)
    assert trace.points.min() >= -1e-12
    assert float(np.interp(mix[3, 0], trace.levels, trace.values[:, 0])) == pytest.approx(
        mix[3, 0] * mix[3, 1], abs=1e-3
    )
    assert trace.to_frame().shape == (41, 5)


def test_pictures_and_files(tmp_path):
    y = X @ [1.0, 2.0, 3.0]
    found = landform.sensitivity(LinearRegression().fit(X, np.column_stack([y, -(y**2)])), X, outputs=("<p>", "q"))
    kinds = [type(p).__name__ for p in found.pictures()]
    assert kinds == ["Bars", "Bars", "HeatMap", "Swarm", "Swarm", "HeatMap", "HeatMap"]
    bars = found.pictures("bars")[0]
    values = {e.input: e.standardized.value for e in found.ranked("<p>")}
    assert list(bars.values) == [values[name] for name in bars.labels]
    for name in ("x.html", "x.svg", "x.png", "x.csv"):
        assert found.save(tmp_path / name).stat().st_size > 400
    text = (tmp_path / "x.html").read_text()
    assert "&lt;p&gt;" in text
    assert "<p> " not in text
    assert "<svg" in text
    assert "src=" not in text
    with pytest.raises(OutputError, match=r"ends in \.html"):
        found.save(tmp_path / "x.docx")
