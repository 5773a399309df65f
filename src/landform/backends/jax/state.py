"""What a function reads besides its arguments, as a key: the same key, the same program.

Python has no list of what a function depends on, so it is looked for: the variables it closes over, the globals its
code names, defaults, bound arguments, the object it belongs to and its class, and the same of every function found
there. NumPy arrays and containers count by content, JAX arrays, which nobody can write into, by identity. The code of
installed packages is taken to stay as it is. What cannot be looked into, such as a random generator, makes the state
unknown, and then nothing is reused.
"""

from __future__ import annotations

import datetime
import decimal
import dis
import enum
import fractions
import functools
import logging
import pathlib
import random
import re
import sys
import sysconfig
import threading
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import jax
import numpy as np

MOST = 4000
"""Objects looked at before a state counts as unknown."""
_SMALL = 1 << 12
"""Bytes of an array kept as they are; of a larger one its digest is kept."""
_LITERAL = (type(None), bool, int, str, bytes, type(...), range, np.dtype)
_LASTING: tuple[type, ...] = (
    *(type(threading.Lock()), type(threading.RLock()), logging.Logger, re.Pattern, enum.Enum, np.ufunc),
    *(types.WrapperDescriptorType, types.MethodDescriptorType),
    *(types.GetSetDescriptorType, types.MemberDescriptorType, types.ClassMethodDescriptorType, types.GenericAlias),
    *(decimal.Decimal, fractions.Fraction, datetime.date, datetime.timedelta, datetime.time, pathlib.PurePath),
    *(jax.tree_util.PyTreeDef, jax.sharding.Sharding, jax.sharding.Mesh, jax.Device, types.UnionType),
)
"""What stays as it is for as long as it lives."""
_ELSEWHERE = {"globals", "vars", "eval", "exec", "open", "environ", "getenv", "modules", "import_module", "__import__"}
"""A function that names one of these may read what no name of its own leads to."""
_BY_TEXT = {"getattr", "__dict__", "builtins", "loadtxt", "genfromtxt", "fromfile", "memmap", "read_text", "read_csv"}
"""The same, where it is the user's own: packages name these for what does not change."""
_CHANGING = frozenset({"random", "secrets", "time", "numpy.random"})
"""Modules whose functions give something else at every call."""
_METHODS = (types.FunctionType, staticmethod, classmethod, property)
_FRAMEWORKS = {"jax", "jaxlib", "numpy", "scipy", "landform", "builtins", *sys.stdlib_module_names} - {"__main__"}
_STANDARD = sysconfig.get_path("stdlib")
_INSTALLED = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


class UnknownStateError(Exception):
    """A state that cannot be told."""


class _Same:
    """An object that is equal to itself alone, kept alive so that nothing else takes its place."""

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held

    def __hash__(self) -> int:
        return id(self.held)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.held is self.held


def state_of(function: Callable[..., Any]) -> tuple[Any, ...] | None:
    """The state as a key; None where it cannot be told, or belongs to a function that is being traced.

    Examples
    --------
    >>> scale = np.array([1.0, 2.0])
    >>> f = lambda x, scale=scale: scale * x
    >>> before = state_of(f)
    >>> before == state_of(f)
    True
    >>> scale[0] = 3.0
    >>> before == state_of(f)
    False
    """
    look = _Look(_root(getattr(function, "func", function)))
    try:
        look.at(function)
    except Exception:  # whatever an object does when it is looked at
        return None
    return tuple(look.found)


def state_of_leaves(leaves: Sequence[Any]) -> tuple[Any, ...]:
    """The same of arguments: arrays of NumPy and numbers by content, JAX's arrays by identity."""
    look = _Look("")
    for leaf in leaves:
        look.found.append(_Same(leaf)) if isinstance(leaf, jax.core.Tracer) else look.at(leaf)
    return tuple(look.found)


class _Look:
    """One look at everything that can be reached; ``own`` is the package of the function itself."""

    def __init__(self, own: str) -> None:
        self.found: list[Any] = []
        self._own = own
        self._seen: dict[Any, tuple[int, Any]] = {}

    def at(self, thing: Any) -> None:
        """Add what one thing holds."""
        kind: Any = type(thing)
        sort, found = _sort(kind), self.found
        if sort == "literal":
            found += kind, thing
        elif sort == "number":
            found += kind, repr(thing)
        elif sort == "lasting":
            found.append(_Same(thing))
        elif sort == "module":
            self._module(thing)
        elif sort == "built in":
            self._built_in(thing, kind)
        elif sort == "traced":
            raise UnknownStateError
        elif self._is_new(id(thing), thing):
            self._at_new(thing, kind, sort)

    def _built_in(self, thing: Any, kind: type) -> None:
        """A function in C: it stays as it is, but an object that it belongs to may change."""
        self.found.append(_Same(thing))
        if getattr(thing, "__module__", None) in _CHANGING:
            raise UnknownStateError
        owner = getattr(thing, "__self__", None)
        if owner is not None and not isinstance(owner, (types.ModuleType, type)):
            self._all((owner,), kind)

    def _is_new(self, key: Any, thing: Any) -> bool:
        """Whether it was not seen before; it is held, so that no other object takes its place meanwhile."""
        if key in self._seen:
            self.found.append(self._seen[key][0])
            return False
        self._seen[key] = len(self._seen), thing
        if len(self._seen) > MOST:
            raise UnknownStateError
        return True

    def _at_new(self, thing: Any, kind: type, sort: str) -> None:
        if sort == "function":
            self._function(thing)
        elif sort == "array":
            self._array(thing)
        elif _is_part(thing):
            self.found.append(_Same(thing))
        elif sort == "class":
            self._class(thing)
        elif sort == "bound":
            self._all((thing.__func__, thing.__self__), kind)
        elif sort == "partial":
            self._all((thing.func, thing.args, thing.keywords), kind)
        elif sort == "wrapped":
            self._all((getattr(thing, "__wrapped__", None) or getattr(thing, "fget", None),), kind)
        else:
            self.at(kind)
            self._object(thing, kind)

    def _all(self, things: Any, kind: type) -> None:
        self.found += kind, len(things)
        for thing in things:
            self.at(thing)

    def _array(self, thing: Any) -> None:
        array = np.asarray(thing)
        if array.dtype.hasobject:
            self._all(array.ravel().tolist(), np.ndarray)
            return
        raw = (
            array.tobytes()
            if array.nbytes <= _SMALL
            else sha256(np.ascontiguousarray(array).view(np.uint8).data).digest()
        )
        self.found += str(array.dtype), array.shape, raw
        if type(thing) is not np.ndarray and not isinstance(thing, np.generic):
            self.found.append(type(thing))
            if isinstance(thing, np.ma.MaskedArray):
                self._array(np.ma.getmaskarray(thing))
            elif isinstance(thing, np.ndarray) and getattr(thing, "__dict__", None):
                self.at(dict(thing.__dict__))

    def _object(self, thing: Any, kind: type) -> None:
        """What a container holds, an object's attributes, or both."""
        attributes, known = _attributes(thing, kind), True
        if isinstance(thing, dict):
            self._all([part for pair in thing.items() for part in pair], kind)
        elif isinstance(thing, (list, tuple, deque)):
            self._all(thing, kind)
        elif isinstance(thing, (set, frozenset)):
            self.found += kind, frozenset(part if type(part) in _LITERAL else _Same(part) for part in thing)
        elif isinstance(thing, (int, float, complex, str, bytes)):
            self.found += kind, repr(thing)
        elif hasattr(thing, "__array__"):
            self._array(thing)
            if hasattr(thing, "columns"):  # a data frame
                self._all([*map(str, thing.columns), *map(str, thing.index)], kind)
                return
        else:
            known = attributes is not None
        if not known or isinstance(thing, random.Random):
            raise UnknownStateError
        for name, value in (attributes or {}).items():
            self.found.append(name)
            self.at(value)

    def _class(self, kind: type) -> None:
        """A class, and what its methods read where it is the user's."""
        self.found.append(_Same(kind))
        if self._is_library(_root(kind)):
            return
        for name, value in tuple(vars(kind).items()):
            if isinstance(value, _METHODS) or not (name.startswith("__") or name == "_abc_impl"):
                self.found.append(name)
                self.at(value)
        for base in kind.__bases__:
            self.at(base)

    def _function(self, f: types.FunctionType) -> None:
        self.found += f.__code__, len(f.__closure__ or ())
        for cell in f.__closure__ or ():
            try:
                held = cell.cell_contents
            except ValueError:  # not assigned yet
                self.found.append(None)
                continue
            self.at(held)
        for more in (f.__defaults__, f.__kwdefaults__, f.__dict__):
            if more:
                self.at(more)
        root = _root(f)
        if not _is_framework(root):
            names = _names(f.__code__)
            library = self._is_library(root)
            if not _ELSEWHERE.isdisjoint(names) or not (library or _BY_TEXT.isdisjoint(names)):
                raise UnknownStateError
            imported, drawn = _imported_and_drawn(f.__code__)
            if not library and not _CHANGING.isdisjoint(imported):
                raise UnknownStateError
            if any(getattr(f.__globals__.get(name), "__name__", None) == "numpy" for name in drawn):
                raise UnknownStateError
            self._globals(f.__globals__, names, library)

    def _globals(self, space: dict[str, Any], names: tuple[str, ...], library: bool) -> None:
        """The variables of a module that are named; those of the user's other modules too, as in ``settings.rate``."""
        for name in names:
            within = f"{space.get('__package__') or ''}.{name}"
            if name in space:
                value = space[name]
            elif name in sys.modules or within in sys.modules:  # imported inside the function
                value = sys.modules[name if name in sys.modules else within]
            else:
                continue
            if name in space and not library and getattr(value, "__name__", None) in _CHANGING:
                raise UnknownStateError
            if not isinstance(value, types.ModuleType):
                if not library or not (callable(value) or isinstance(value, type)):
                    self.found.append(name)
                    self.at(value)
            elif _is_framework(_root_of_name(value.__name__)):
                self.found.append(_Same(value))
            elif self._is_new((id(value), names), value):
                self._globals(vars(value), names, self._is_library(_root_of_name(value.__name__)))

    def _module(self, module: types.ModuleType) -> None:
        """A module held as a value: any of its variables may be read by a name that is not known here."""
        self.found.append(_Same(module))
        if self._is_library(_root_of_name(module.__name__)) or not self._is_new(id(module), module):
            return
        for name, value in tuple(vars(module).items()):
            if not name.startswith("__"):
                self.found.append(name)
                self.at(value)

    def _is_library(self, root: str) -> bool:
        return _is_framework(root) or (root != self._own and _is_installed(root))


_SORTS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("built in", (types.BuiltinFunctionType, types.MethodWrapperType)),
    ("lasting", _LASTING),
    ("traced", (jax.core.Tracer,)),
    ("lasting", (jax.Array,)),
    ("module", (types.ModuleType,)),
    ("array", (np.ndarray, np.generic)),
    ("bound", (types.MethodType,)),
    ("partial", (functools.partial,)),
    ("wrapped", (staticmethod, classmethod, property, type(jax.jit(lambda: 0)))),
    ("class", (type,)),
)


@functools.lru_cache(maxsize=4096)
def _sort(kind: type) -> str:
    """How to look at things of a type."""
    if kind in _LITERAL:
        return "literal"
    if kind is object:  # a mark that something is missing
        return "lasting"
    if kind in (float, complex):
        return "number"
    if kind is types.FunctionType:
        return "function"
    return next((sort for sort, kinds in _SORTS if issubclass(kind, kinds)), "object")


def _attributes(thing: Any, kind: type) -> dict[str, Any] | None:
    """The attributes that an object has itself; None where it has no place for any."""
    own = getattr(thing, "__dict__", None)
    found = None
    if isinstance(own, dict):
        found = {name: value for name, value in own.items() if name[:2] != "__" or name == "__wrapped__"}
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name.startswith("__"):
                if name.endswith("__"):
                    continue
                name = f"_{base.__name__.lstrip('_')}{name}"  # as Python mangles it
            if hasattr(thing, name):
                found = {} if found is None else found
                found[name] = getattr(thing, name)
    return found


def _is_part(thing: Any) -> bool:
    """Whether it is a function or class that a framework offers by this name."""
    module = getattr(thing, "__module__", None)
    if not isinstance(module, str) or _root_of_name(module) not in _FRAMEWORKS or module not in sys.modules:
        return False
    return getattr(sys.modules[module], getattr(thing, "__qualname__", ""), None) is thing


def _root(thing: Any) -> str:
    return _root_of_name(str(getattr(thing, "__module__", "")))


def _root_of_name(name: str) -> str:
    return name.partition(".")[0]


@functools.lru_cache(maxsize=4096)
def _is_framework(root: str) -> bool:
    """Whether it is Python's own, or one of the packages it stands on; a user's file may bear the same name."""
    if root not in _FRAMEWORKS:
        return False
    place = getattr(sys.modules.get(root), "__file__", None)
    return place is None or place.startswith((*_INSTALLED, _STANDARD)) or root == "landform"


@functools.lru_cache(maxsize=4096)
def _is_installed(root: str) -> bool:
    """Whether a package stands among those that are installed, and not in the user's own files."""
    module = sys.modules.get(root)
    places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
    return _is_framework(root) or any(place.startswith(_INSTALLED) for place in places)


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> tuple[str, ...]:
    """The names that a function's code, and that of functions inside it, looks up."""

    def every(code: types.CodeType) -> Iterator[str]:
        yield from code.co_names
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                yield from every(inner)

    return tuple(dict.fromkeys(every(code)))


@functools.lru_cache(maxsize=4096)
def _imported_and_drawn(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Modules that the code imports when it runs, and names whose attribute ``random`` it takes."""
    imported, drawn, before = set(), set(), None
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            imported.add(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and step.argval == "random" and before is not None:
            drawn.add(before)
        before = step.argval if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF") else None
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            more = _imported_and_drawn(inner)
            imported, drawn = imported | more[0], drawn | more[1]
    return frozenset(imported), frozenset(drawn)
