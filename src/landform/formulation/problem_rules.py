"""What must hold between the keys of a problem; every rule yields the faults it finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from landform.formulation.problem_errors import Fault, key_path, suggestion

if TYPE_CHECKING:
    from landform.formulation.problem import LinearConstraint, Problem, Property

_SLACK = 1e-9  # of the total


def faults(problem: Problem) -> Iterator[Fault]:
    """Every fault of a problem whose keys are each well-formed."""
    for rule in (
        _inputs_and_properties,
        _mixture,
        _balance,
        _names,
        _bounds,
        _sums,
        _goals,
        _costs,
        _constraints,
    ):
        yield from rule(problem)


def _inputs_and_properties(problem: Problem) -> Iterator[Fault]:
    if not problem.ingredients and not problem.factors:
        yield Fault(
            "",
            "at least one ingredient or factor",
            "none",
            "add sections such as [ingredients.water] with their names",
        )
    if not problem.properties:
        yield Fault("", "at least one property", "none", "add a section such as [properties.viscosity]")


def _mixture(problem: Problem) -> Iterator[Fault]:
    if problem.ingredients and problem.total is None:
        yield Fault(
            "total",
            "what the ingredients add to",
            "nothing",
            "add e.g. `total = 100`, or list them under [factors] where they add to nothing fixed",
        )
    if problem.total is not None and not problem.ingredients:
        yield Fault("total", "ingredients that add to it", f"{problem.total:g} and no ingredient", "leave total out")
    if len(problem.ingredients) == 1 and problem.balance is None and problem.total is not None:
        only = next(iter(problem.ingredients))
        yield Fault(
            key_path("ingredients", only),
            "at least two ingredients",
            f"only {only!r}",
            "add the others, or name the rest with `balance`",
        )


def _balance(problem: Problem) -> Iterator[Fault]:
    name = problem.balance
    if name is None:
        return
    if problem.total is None and not problem.ingredients:
        yield Fault("balance", "a total that it completes", "no total", "add e.g. `total = 100`")
    if not problem.listed and problem.ingredients:
        yield Fault("balance", "at least one other ingredient", f"only {name!r}", "add the others under [ingredients]")
    for section in ("factors", "properties"):
        if name in getattr(problem, section):
            yield Fault(
                "balance",
                "an ingredient",
                f"{name!r}, which is under [{section}]",
                "give one of them another name",
            )


def _names(problem: Problem) -> Iterator[Fault]:
    """A name has one role."""
    options = problem.trials
    places = [("ingredients", name) for name in problem.ingredients]
    places += [("factors", name) for name in problem.factors]
    places += [("properties", name) for name in problem.properties]
    places += [("trials", key) for key in ("id", "block") if getattr(options, key) is not None]
    taken: dict[str, str] = {}
    for section, key in places:
        name = getattr(options, key) if section == "trials" else key
        path = key_path(section, key)
        if name in taken:
            yield Fault(path, "a name with one role", f"{name!r}, which is {taken[name]} too", "keep one of them")
        taken.setdefault(name, path)
    for place, name in enumerate(options.ignore):
        if name in taken:
            path = key_path("trials", "ignore", place)
            yield Fault(path, "a column without a role", f"{name!r}, which is {taken[name]} too", "keep one of them")


def _bounds(problem: Problem) -> Iterator[Fault]:
    for section in ("ingredients", "factors"):
        for name, part in getattr(problem, section).items():
            if _reversed(part.lower, part.upper):
                yield Fault(
                    key_path(section, name, "lower"),
                    f"at most the upper bound {part.upper:g}",
                    f"{part.lower:g}",
                    "exchange or correct the bounds",
                )
    for name, ingredient in problem.ingredients.items():
        for end in ("lower", "upper"):
            value = getattr(ingredient, end)
            if value is not None and value < 0:
                yield Fault(
                    key_path("ingredients", name, end),
                    "an amount of at least 0",
                    f"{value:g}",
                    "correct the bound",
                )


def _reversed(lower: float | None, upper: float | None) -> bool:
    return lower is not None and upper is not None and lower > upper


def _sums(problem: Problem) -> Iterator[Fault]:
    """Bounds must leave room for the total."""
    total = problem.total
    if total is None or not problem.ingredients:
        return
    for name, part in problem.ingredients.items():
        if part.lower is not None and part.lower > total * (1 + _SLACK):
            yield Fault(
                key_path("ingredients", name, "lower"),
                f"at most the total {total:g}",
                f"{part.lower:g}",
                "correct the bound or the total",
            )
    least = sum(part.lower or 0.0 for part in problem.ingredients.values())
    if least > total * (1 + _SLACK):
        yield Fault(
            "ingredients",
            f"lower bounds that add to at most the total {total:g}",
            f"{least:g}",
            "lower some of them, or correct the total",
        )
    uppers = [part.upper for part in problem.ingredients.values()]
    complete = problem.balance is None or problem.balance in problem.ingredients
    if complete and None not in uppers and (most := sum(u for u in uppers if u is not None)) < total * (1 - _SLACK):
        yield Fault(
            "ingredients",
            f"upper bounds that add to at least the total {total:g}",
            f"{most:g}",
            "raise some of them, or correct the total",
        )


def _goals(problem: Problem) -> Iterator[Fault]:
    for name, wanted in problem.properties.items():
        yield from _limits(wanted.limits, key_path("properties", name, "limits"))
        yield from _target(name, wanted)
        if wanted.goal == "in range" and (wanted.limits is None or wanted.limits == (None, None)):
            yield Fault(
                key_path("properties", name, "limits"),
                'limits for the goal "in range"',
                "none",
                "add e.g. `limits = [2, 5]`; -inf or inf leave an end open",
            )
    if problem.cost is not None:
        yield from _limits(problem.cost.limits, key_path("cost", "limits"))


def _limits(limits: tuple[float | None, float | None] | None, key: str) -> Iterator[Fault]:
    if limits is None or None in limits:
        return
    lower, upper = limits
    if lower is not None and upper is not None and lower >= upper:
        yield Fault(key, "a lower limit below the upper one", f"[{lower:g}, {upper:g}]", "write [lower, upper]")


def _target(name: str, wanted: Property) -> Iterator[Fault]:
    key = key_path("properties", name, "target")
    if wanted.goal == "target" and wanted.target is None:
        yield Fault(key, 'a value for the goal "target"', "nothing", "add e.g. `target = 12.5`")
    if wanted.goal != "target" and wanted.target is not None:
        yield Fault(
            key,
            'a target only where the goal is "target"',
            f'{wanted.target:g} with the goal "{wanted.goal}"',
            'set goal = "target", or leave the target out',
        )
    lower, upper = wanted.limits or (None, None)
    if wanted.target is None or not (
        (lower is not None and wanted.target <= lower) or (upper is not None and wanted.target >= upper)
    ):
        return
    shown = f"[{'-inf' if lower is None else f'{lower:g}'}, {'inf' if upper is None else f'{upper:g}'}]"
    yield Fault(key, f"a target inside its limits {shown}", f"{wanted.target:g}", "correct the target or the limits")


def _costs(problem: Problem) -> Iterator[Fault]:
    costs = [part.cost for part in problem.ingredients.values()] + [part.cost for part in problem.factors.values()]
    if problem.cost is not None and not any(cost is not None for cost in costs):
        yield Fault(
            "cost",
            "a cost for at least one input",
            "none",
            "add `cost = ...` to the ingredients, or leave [cost] out",
        )


def _constraints(problem: Problem) -> Iterator[Fault]:
    known = [*problem.ingredients, *problem.factors]
    if problem.balance is not None and problem.balance not in known:
        known.append(problem.balance)
    seen: set[str] = set()
    for place, constraint in enumerate(problem.constraints):
        yield from _constraint(constraint, place, known)
        if constraint.name is not None and constraint.name in seen:
            yield Fault(
                key_path("constraints", place, "name"),
                "each name once",
                repr(constraint.name),
                "rename one of them",
            )
        seen.add(constraint.name or "")


def _constraint(constraint: LinearConstraint, place: int, known: list[str]) -> Iterator[Fault]:
    for name in constraint.terms:
        if name not in known:
            key = key_path("constraints", place, "terms", name)
            yield Fault(key, "an ingredient or factor", repr(name), suggestion(name, known))
    if not constraint.terms:
        yield Fault(
            key_path("constraints", place, "terms"),
            "at least one term",
            "none",
            "add e.g. `terms = { water = 1 }`",
        )
    if constraint.lower is None and constraint.upper is None:
        yield Fault(key_path("constraints", place), "a lower or an upper bound", "neither", "add `lower` or `upper`")
    if _reversed(constraint.lower, constraint.upper):
        yield Fault(
            key_path("constraints", place, "lower"),
            f"at most the upper bound {constraint.upper:g}",
            f"{constraint.lower:g}",
            "exchange or correct the bounds",
        )
