"""Which inputs a failed test comes from: a direction is halved until one input, or two together, still fail it.

References
----------
Zeller and Hildebrandt (2002), "Simplifying and isolating failure-inducing input", IEEE Trans. Software Eng. 28.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Fails = Callable[[Sequence[int]], bool]


def blamed(fails: Fails, count: int) -> tuple[int, ...]:
    """The one or two places that fail by themselves; none where more of them have to come together.

    Parameters
    ----------
    fails : callable
        Whether the test fails with these places alone.
    count : int
        How many places there are; all of them together fail.

    Examples
    --------
    >>> blamed(lambda places: 5 in places, 9), blamed(lambda places: {2, 7} <= set(places), 9)
    ((5,), (2, 7))
    """
    found = _smallest(fails, range(count), ())
    return tuple(sorted(found)) if len(found) <= 2 else ()


def _smallest(fails: Fails, places: Sequence[int], beside: tuple[int, ...]) -> tuple[int, ...]:
    """A small part of the places that fails beside others."""
    if len(places) == 1:
        return tuple(places)
    halves = places[: len(places) // 2], places[len(places) // 2 :]
    for half in halves:
        if fails((*half, *beside)):
            return _smallest(fails, half, beside)
    first = _smallest(fails, halves[0], (*beside, *halves[1]))
    return first + _smallest(fails, halves[1], (*beside, *first))
