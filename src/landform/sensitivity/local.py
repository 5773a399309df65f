"""`landform.sensitivity`: from a model and rows to what moves what, and how surely."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from landform.errors import DerivativeError, ShapeError
from landform.sensitivity.cautions import Caution, bound_rows, far_rows, flat_rows, kinks, rough_rows, unsure_rows
from landform.sensitivity.check import Asked, check_intervals
from landform.sensitivity.doubt import Doubt, Fields, Way, doubt_of, quantile_of
from landform.sensitivity.effect import Averages, Effect
from landform.sensitivity.fields import (
    Contrast,
    Direction,
    axis_directions,
    contrasts_of,
    joint_directions,
    own_directions,
    place,
)
from landform.sensitivity.finding import Sensitivity
from landform.sensitivity.interactions import Interactions, interactions_of
from landform.sensitivity.subject import Derivatives, Subject, Taken, subject_of

Array = np.ndarray
Bounds = Mapping[str, tuple[float | None, float | None]]


def sensitivity(
    model: Any,
    X: Any,
    *,
    y: Any = None,
    train: Any = None,
    method: str = "auto",
    derivatives: Derivatives = "auto",
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    mixture: Sequence[str] = (),
    log: Sequence[str] = (),
    categories: Mapping[str, Sequence[str]] | Sequence[str] = (),
    bounds: Bounds | None = None,
    interactions: bool = True,
    level: float = 0.95,
    doubt: Way = "auto",
    refits: int = 100,
    check: int = 0,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Sensitivity:
    """What moves what, by how much and how surely: at every row, and over all of them.

    Parameters
    ----------
    model : estimator, Model or callable
        A fitted scikit-learn estimator, a landform model, or a JAX function of one point; with
        ``derivatives="numeric"`` any function from a table of rows to their outputs.
    X : array or data frame, shape (rows, d)
        Where: the rows to average over.
    y : array, shape (rows,) or (rows, m), optional
        The target that the estimator was fitted with; most standard errors need it.
    train : array or data frame, optional
        The rows that ``y`` belongs to, where they are others than ``X``.
    method : str
        Which of the estimator's methods; see `landform.from_sklearn`. "log_odds" are the logarithms of the odds of
        every class.
    derivatives : {"auto", "exact", "numeric"}
        Exact by automatic differentiation, or from values alone.
    inputs, outputs : sequence of str, optional
        Names, where the model or the data frame has none.
    mixture : sequence of str
        Inputs that add to one total: raising one makes the others give way in proportion (Cox's direction).
    log : sequence of str
        Inputs whose slopes are taken by their natural logarithm.
    categories : sequence or mapping of str
        Inputs that hold levels (text too, where the estimator encodes it), by name, or categories with their one-hot
        columns; they get finite contrasts against the most common level, and no slope.
    bounds : mapping
        Lower and upper bound of inputs by name, None where there is none.
    interactions : bool
        Whether second derivatives are taken.
    level : float
        Of the intervals.
    doubt : {"auto", "closed", "refits", "none"}
        Where standard errors come from: closed forms for (generalized) linear models, Gaussian processes and kernel
        ridge regression; the bootstrap elsewhere.
    refits, seed : int
        Of the bootstrap.
    check : int
        How many simulated worlds the intervals of mean effects are tried in, 50 or so: each costs a fit, two with the
        bootstrap. ``found.checked`` says whether they hold.
    progress : callable, optional
        ``progress(words)`` hears what is being done.

    Returns
    -------
    Sensitivity

    Raises
    ------
    ModelError
        If the model has no slopes (trees, forests, nearest neighbors), no translation, or is not what ``y`` fits.
    ShapeError
        If rows, names or options do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from landform.sensitivity import sensitivity
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0], [4.0, 5.0]])
    >>> y = np.array([1.0, 2.1, 4.9, 6.1, 9.0])
    >>> found = sensitivity(LinearRegression().fit(X, y), X, y=y, inputs=("a", "b"))
    >>> found.to_frame()[["input", "mean", "standard_error"]].head(2).round(4)
      input    mean  standard_error
    0     a  1.6884          0.1075
    1     b  0.3463          0.0884
    """
    _refuse_level(level)
    say = progress or _silent
    say("translating the model")
    subject = subject_of(
        model,
        X,
        method=method,
        derivatives=derivatives,
        inputs=inputs,
        outputs=outputs,
        bounds=_limits(bounds, X),
        categories=() if isinstance(categories, Mapping) else _listed(categories),
    )
    changes = _changes(subject, mixture, log, categories)
    say("standard errors: looking for the closest form")
    rows = X if train is None else train
    known, how = doubt_of(subject, rows, y, way=doubt, refits=refits, seed=seed, progress=progress)
    say("slopes at every row")
    taken = _finite(subject.slopes.slopes(subject.X), subject)
    slopes, errors, averages = _slopes(subject, taken, *changes, known, say)
    quantile = 0.0 if known is None else quantile_of(known, level)
    together = _interactions(subject, changes[0], taken, seed, known, quantile, how, say) if interactions else None
    checked = None
    if check:
        trial = _trial(changes, quantile, level)
        checked = check_intervals(subject, rows, y, known, trial, worlds=check, seed=seed, progress=say)
    return Sensitivity(
        effects=_effects(subject, taken, *changes, slopes, errors, averages, quantile, how),
        interactions=together,
        cautions=tuple(_cautions(subject, taken, slopes, errors, quantile, train, bounds)),
        notes=(*subject.notes, *_two_valued(subject, changes[1])),
        level=level,
        how=subject.slopes.how,
        doubt=how,
        subject=subject,
        taken=taken,
        directions=tuple(changes[0]),
        contrasts=tuple(changes[1]),
        slopes=slopes,
        errors=errors,
        known=known,
        quantile=quantile,
        checked=checked,
    )


def _trial(changes: tuple[list[Direction], list[Contrast]], quantile: float, level: float) -> Asked:
    """What a check of the intervals asks about: every input's own effect."""
    own, contrasts = _own(changes[0]), changes[1]
    names = [one.input for one in own] + [f"{one.input}: {one.level}" for one in contrasts]
    fields = _fields(own) if own else None
    return Asked(tuple(names), fields, tuple(one.rows for one in contrasts), quantile, level)


def _silent(_words: str) -> None:
    """Nobody listens."""


def _refuse_level(level: float) -> None:
    if not 0 < level < 1:
        raise ShapeError("a level between 0 and 1", got=repr(level), remedy="pass 0.95, say", where="argument level")


def _limits(bounds: Bounds | None, X: Any) -> tuple[Array, Array] | None:
    if not bounds:
        return None
    columns = list(map(str, X.columns)) if hasattr(X, "columns") else [f"x{i}" for i in range(np.shape(X)[1])]
    return _bounds(bounds, columns)


def _bounds(bounds: Bounds, names: Sequence[str]) -> tuple[Array, Array]:
    lower, upper = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for name, pair in bounds.items():
        i = place(name, names, "bounds")
        if np.asarray(pair, dtype=object).shape != (2,):
            raise ShapeError(
                f"a lower and an upper bound of {name}", got=repr(pair), remedy="give (lower, upper)", where="bounds"
            )
        low, high = pair
        lower[i], upper[i] = (-np.inf if low is None else low), (np.inf if high is None else high)
        if not lower[i] < upper[i]:
            raise ShapeError(
                f"a lower bound of {name} below its upper one", got=f"{low} and {high}", remedy="correct them"
            )
    return lower, upper


def _changes(
    subject: Subject, mixture: Sequence[str], log: Sequence[str], categories: Any
) -> tuple[list[Direction], list[Contrast]]:
    names, X = subject.inputs, subject.X
    mixture, log = _listed(mixture), _listed(log)
    categories = categories if isinstance(categories, Mapping) else _listed(categories)
    ingredients = [place(name, names, "mixture") for name in mixture]
    logs = [place(name, names, "log") for name in log]
    contrasts = [_named(one, subject) for one in contrasts_of(X, names, categories)]
    held = {int(i) for one in contrasts for i in one.columns}
    for one, other, words in (
        (set(ingredients), set(logs), "mixture and log"),
        (set(ingredients), held, "mixture and categories"),
        (set(logs), held, "log and categories"),
    ):
        if one & other:
            raise ShapeError(
                f"every input in one of {words}", got=f"{names[min(one & other)]} in both", remedy="name it once"
            )
    own = own_directions(X, names, ingredients=ingredients, log=logs, held=held)
    return [*own, *joint_directions(X, names, held), *axis_directions(X, names, held)], contrasts


def _named(contrast: Contrast, subject: Subject) -> Contrast:
    """A contrast between the levels themselves, where their codes stand in the rows."""
    if len(contrast.columns) > 1:
        return contrast
    there, base = (subject.level(contrast.input, float(one[0])) for one in (contrast.there, contrast.base))
    return replace(contrast, level=there, reference=base)


def _listed(names: Sequence[str] | str) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names


def _finite(taken: Taken, subject: Subject) -> Taken:
    bad = ~np.isfinite(taken.jacobians).all(axis=(1, 2)) | ~np.isfinite(taken.values).all(axis=1)
    if bad.any():
        more = f" and {int(bad.sum()) - 1} more" if bad.sum() > 1 else ""
        raise DerivativeError(
            "finite outputs and slopes at every row",
            got=f"none in row {int(np.argmax(bad))}{more}",
            remedy="leave these rows out; log-odds of a probability that is 0 or 1 are infinite"
            if subject.odds
            else "leave these rows out",
        )
    return taken


def _slopes(
    subject: Subject,
    taken: Taken,
    directions: Sequence[Direction],
    contrasts: Sequence[Contrast],
    known: Doubt | None,
    say: Callable[[str], None],
) -> tuple[Array, Array | None, Array | None]:
    """Slopes along all directions and differences by all contrasts, their standard errors and those of the averages."""
    X = subject.X
    pairs = [one.rows(X) for one in contrasts]
    parts = [taken.jacobians @ _fields(directions)(X)] if directions else []
    parts += [(subject.slopes.values(a) - subject.slopes.values(b))[:, :, None] for a, b in pairs]
    slopes = np.concatenate(parts, axis=2)
    if known is None:
        return slopes, None, None
    say("standard errors of the slopes")
    local, average = [], []
    if directions:
        found = known.slopes(X, _fields(directions))
        local.append(found[0])
        average.append(found[1])
    for a, b in pairs:
        rowwise, mean = known.differences(a, b)
        local.append(rowwise[:, :, None])
        average.append(mean[:, None])
    return slopes, np.concatenate(local, axis=2), np.concatenate(average, axis=1)


def _fields(directions: Sequence[Direction]) -> Fields:
    def fields(X: Float[Array, "rows d"]) -> Float[Array, "rows d k"]:
        return np.stack([one.field(X) for one in directions], axis=2)

    return fields


def _effects(
    subject: Subject,
    taken: Taken,
    directions: Sequence[Direction],
    contrasts: Sequence[Contrast],
    slopes: Array,
    errors: Array | None,
    averages: Array | None,
    quantile: float,
    how: str,
) -> tuple[Effect, ...]:
    changes: list[Direction | Contrast] = [*directions, *contrasts]
    found: list[Effect] = []
    for o, output in enumerate(subject.outputs):
        one = Averages(output, taken.values[:, o], quantile, how)
        local, mean = (None if part is None else part[..., o, :] for part in (errors, averages))
        found += one.of(changes, slopes[:, o], local, mean)
    return tuple(found)


def _interactions(
    subject: Subject,
    directions: Sequence[Direction],
    taken: Taken,
    seed: int,
    known: Doubt | None,
    quantile: float,
    how: str,
    say: Callable[[str], None],
) -> Interactions | None:
    """Between the inputs' own directions, where there are any."""
    own = _own(directions)
    if not own:
        return None
    say("interactions")
    sizes = np.std(taken.values, axis=0)
    return interactions_of(subject, own, taken.jacobians, sizes, seed=seed, known=known, quantile=quantile, doubt=how)


def _own(directions: Sequence[Direction]) -> list[Direction]:
    return [one for one in directions if one.kind in ("alone", "log", "Cox")]


def _cautions(
    subject: Subject,
    taken: Taken,
    slopes: Array,
    errors: Array | None,
    quantile: float,
    train: Any,
    bounds: Bounds | None,
) -> list[Caution]:
    X, m = subject.X, len(subject.outputs)
    spreads = np.std(X, axis=0)
    fitted_on = None if train is None or subject.estimator is None else subject.rows(train)
    found: list[Caution | None] = [far_rows(X, fitted_on, m), kinks(subject, taken, spreads), flat_rows(taken, spreads)]
    if errors is not None:
        found.append(unsure_rows(slopes, errors, quantile))
    found.append(rough_rows(taken, spreads))
    if bounds:
        found += bound_rows(X, subject.inputs, *_bounds(bounds, subject.inputs), m)
    return [one for one in found if one is not None and one.rows]


def _two_valued(subject: Subject, contrasts: Sequence[Contrast]) -> list[str]:
    """Inputs that take two values only: a slope there is between them, where nothing ever stood."""
    held = {int(i) for one in contrasts for i in one.columns}
    found = []
    for i, name in enumerate(subject.inputs):
        levels = np.unique(subject.X[:, i])
        if i not in held and len(levels) == 2 and len(subject.X) > len(levels):
            found.append(f"{name} takes two values only: name it in categories= to have the difference between them.")
    return found
