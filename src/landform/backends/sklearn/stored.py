"""Fitted estimators as they lie in files: skops files, and joblib or pickle files where the user trusts them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from landform.errors import ModelError

_HARMLESS = "sklearn.gaussian_process.kernels."
"""Kernels hold numbers and no code; skops does not know them yet."""

_PICKLES = (".joblib", ".pkl", ".pickle")


def load_estimator(path: str | Path, *, trust: bool = False) -> Any:
    """A fitted estimator from a file.

    Parameters
    ----------
    path : str or Path
        ``.skops`` (needs the extra "skops"), ``.joblib``, ``.pkl`` or ``.pickle``.
    trust : bool
        Whether the file may run code when it is loaded: a pickle can do anything, a skops file only what its types
        do. Say so for files of your own making alone.

    Returns
    -------
    estimator

    Raises
    ------
    ModelError
        If the file is not there, is not trusted, cannot be read, was written by another scikit-learn, or holds no
        estimator.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".skops", *_PICKLES):
        raise _error(path, "a model in a .skops, .joblib or .pkl file", path.name, "save it as one of these")
    if not path.is_file():
        raise _error(path, "a model file", "no such file", "check the path")
    if ending in _PICKLES and not trust:
        raise _error(
            path,
            "a model file whose loading runs no code",
            f"a {ending} file, which runs whatever code it holds",
            "pass --trust (trust=True) only for a file of your own making, or save the model with skops",
        )
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = _from_skops(path, trust) if ending == ".skops" else _from_pickle(path)
    _refuse_other_version(path, heard)
    if not hasattr(found, "fit"):
        raise _error(path, "a fitted scikit-learn estimator", f"a {type(found).__name__}", "save the estimator itself")
    return found


def _error(path: Path, expected: str, got: str, remedy: str) -> ModelError:
    return ModelError(expected, got=got, remedy=remedy, where=str(path))


def _from_pickle(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # a pickle can fail in any way
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        raise _error(path, "a model that joblib can load", why[:160], "save it anew with joblib.dump") from error


def _from_skops(path: Path, trust: bool) -> Any:
    try:
        from skops import io
    except ImportError as error:
        raise _error(
            path, "skops, which reads this file", "no such package", 'install it with `pip install "landform[skops]"`'
        ) from error
    try:
        kept = io.get_untrusted_types(file=path)
        foreign = [name for name in kept if not name.startswith(_HARMLESS)]
        if foreign and not trust:
            names = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
            raise _error(path, "types that skops knows", names, "pass --trust (trust=True) if you know them to be safe")
        return io.load(path, trusted=kept)
    except ModelError:
        raise
    except Exception as error:  # a broken archive fails in many ways
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        raise _error(path, "a model that skops can load", why[:160], "save it anew with skops.io.dump") from error


def _refuse_other_version(path: Path, heard: list[warnings.WarningMessage]) -> None:
    from sklearn.exceptions import InconsistentVersionWarning

    for one in heard:
        if isinstance(one.message, InconsistentVersionWarning):
            theirs, ours = one.message.original_sklearn_version, one.message.current_sklearn_version
            raise _error(
                path,
                f"a model of scikit-learn {ours}, which is installed",
                f"one of {theirs}",
                f"fit it anew, or install scikit-learn=={theirs}",
            )
