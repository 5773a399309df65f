"""The errors a user can meet; every one says what was expected, what came, and what to do.

::

    LandformError
    ├── TableError        a table of trials that cannot be read as it stands
    ├── ProblemError      a problem description (TOML) that does not hold together
    ├── InfeasibleError   limits that no recipe can meet
    ├── ShapeError        an array of the wrong shape or kind
    ├── DerivativeError   a derivative that does not exist or is not finite
    ├── ModelError        a fitted model that cannot be translated or trusted
    └── OutputError       a result that cannot be written
"""

from __future__ import annotations


class LandformError(Exception):
    """Base of all landform errors: one sentence in three parts.

    Parameters
    ----------
    expected : str
        What would have been right.
    got : object
        The value that came; it is shown as it is.
    remedy : str
        What the user can do, as an imperative.
    where : str, optional
        File, row, column, key or argument.

    Examples
    --------
    >>> raise TableError("a number", got="'n/a'", remedy="correct the cell", where="trials.csv, row 3")
    Traceback (most recent call last):
    ...
    landform.errors.TableError: trials.csv, row 3: expected a number, got 'n/a'; correct the cell.
    """

    def __init__(self, expected: str, *, got: object, remedy: str, where: str = "") -> None:
        self.expected = expected
        self.got = got
        self.remedy = remedy
        self.where = where
        place = f"{where}: " if where else ""
        super().__init__(f"{place}expected {expected}, got {got}; {remedy.rstrip('.')}.")


class TableError(LandformError, ValueError):
    """A table of trials that cannot be read as it stands."""


class ProblemError(LandformError, ValueError):
    """A problem description (TOML) that does not hold together."""


class InfeasibleError(LandformError, ValueError):
    """Limits that no recipe can meet."""


class ShapeError(LandformError, ValueError):
    """An array of the wrong shape or kind."""


class DerivativeError(LandformError, ArithmeticError):
    """A derivative that does not exist or is not finite."""


class ModelError(LandformError, TypeError):
    """A fitted model that cannot be translated, or whose translation cannot be trusted."""


class OutputError(LandformError, OSError):
    """A result that cannot be written."""
