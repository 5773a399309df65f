"""The ways down from a start: which solver, how carefully, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Literal, NamedTuple, get_args

from scipy.sparse import csr_array

from landform.errors import ModelError, ShapeError
from landform.optimize.newton import newton
from landform.optimize.program import Point, Program, Smooth
from landform.optimize.slsqp import slsqp
from landform.optimize.sparse.descent import descended
from landform.optimize.sparse.nlp import as_nlp
from landform.optimize.sparse.pounce import pounce
from landform.optimize.sparse.uno import uno

Method = Literal["auto", "own", "newton", "slsqp", "uno", "filtersqp", "pounce"]

EFFORTS = (1e-8, 1e-11, 1e-14, 1e-14)
"""SLSQP's tolerance at each attempt from one start; the last digits are Newton's."""

_PACKAGES = {"uno": "unopy", "filtersqp": "unopy", "pounce": "pounce"}
_DENSE = 2000
"""The most variables that SLSQP, whose matrices are dense, is asked to bear."""

_BEYOND = 1e-9
"""What an interior point method is asked for: what it leaves is far within what the polish needs."""


class Way(NamedTuple):
    """One attempt: a solver's name, and where it leads from a point, with the rows' multipliers if it knows them."""

    name: str
    go: Callable[[Point], tuple[Point, Point | None]]


def ways(program: Program, start: Point, method: Method) -> Iterator[Way]:
    """What is tried from one start, one after the other, as long as no certificate comes of it.

    "own" is the trust region where bounds are the only limits, else SLSQP; a large program with other limits goes to
    an installed package. "auto" goes on to installed packages where that was in vain.

    Raises
    ------
    ShapeError
        If there is no such method, or the trust region is asked for where there are more limits than bounds.
    ModelError
        If the package is not installed that the method needs.
    """
    if method not in get_args(Method):
        raise ShapeError(
            f"a method among {', '.join(get_args(Method))}", got=repr(method), remedy="choose one", where="method"
        )
    if method in _PACKAGES:
        _refuse_missing(method)
        for effort in (_BEYOND, 1e-11):
            yield _of_package(program, start, method, effort)
        return
    limited = program.constraints is not None or len(program.region.A_names) > 0
    if method == "newton" and limited:
        raise ShapeError(
            "bounds alone for a trust region",
            got="other constraints",
            remedy='leave method out, or say "slsqp"',
            where="method",
        )
    packages = [name for name in ("uno", "pounce") if _installed(name)]
    if program.sparse and limited and method != "slsqp" and packages:
        yield from (_of_package(program, start, name, effort) for name in packages for effort in (_BEYOND, 1e-11))
        return
    yield from _own(program, (limited and method != "newton") or method == "slsqp")
    if method == "auto":
        yield from (_of_package(program, start, name, _BEYOND) for name in packages)


def _installed(method: str) -> bool:
    return find_spec(_PACKAGES[method]) is not None


def _refuse_missing(method: str) -> None:
    if not _installed(method):
        raise ModelError(
            f"the package {_PACKAGES[method]} for method={method!r}",
            got=f"no package {_PACKAGES[method]!r}",
            remedy='install it with pip install "landform[nlp]"',
            where="argument method",
        )


def _of_package(program: Program, start: Point, method: str, effort: float) -> Way:
    nlp = as_nlp(program, start)
    match method:
        case "pounce":
            return Way("POUNCE", lambda x: pounce(nlp, x, tolerance=effort))
        case "uno":
            return Way("Uno's interior point method", lambda x: uno(nlp, x, tolerance=effort))
        case _:
            return Way("Uno's filterSQP", lambda x: uno(nlp, x, tolerance=effort, preset="filtersqp"))


def _own(program: Program, limited: bool) -> Iterator[Way]:
    if not limited:
        name, descent = "a trust region", descended if program.sparse else newton
    else:
        name, descent = "SLSQP", slsqp
        if program.sparse:
            program = _dense(program)
    for effort in EFFORTS[1:3] if program.sparse else EFFORTS:
        yield Way(name, partial(_alone, partial(descent, program, tolerance=effort)))


def _alone(descent: Callable[[Point], Point], start: Point) -> tuple[Point, None]:
    return descent(start), None


def _dense(program: Program) -> Program:
    """The same program with its zeros, for a solver that knows no others; refused where they are too many."""
    if program.n > _DENSE:
        raise ModelError(
            f"an installed solver for {program.n} variables with constraints",
            got="none",
            remedy='install them with pip install "landform[nlp]"',
            where="minimize",
        )
    region, bent = replace(program.region, A=program.region.A.toarray()), program.constraints
    full = None if bent is None else Smooth(bent.value, lambda x: csr_array(bent.jacobian(x)).toarray(), bent.hessian)
    return replace(program, region=region, constraints=full)
