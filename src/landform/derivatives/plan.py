"""How a matrix of derivatives is obtained, chosen from sizes, shown and overridable."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from landform.errors import ShapeError

Mode = Literal["auto", "forward", "reverse", "sparse", "colored", "numeric"]
MODES = ("auto", "forward", "reverse", "sparse", "colored", "numeric")
WITHOUT_ZEROS = ("sparse", "colored")
DEFAULT_MEMORY = "2 GiB"
_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}


@dataclass(frozen=True)
class Plan:
    """How a matrix of derivatives is formed.

    Parameters
    ----------
    mode : {"forward", "reverse", "forward over reverse", "reverse over reverse", "sparse", "colored"}
        Which derivative products fill it; "sparse" where its non-zeros are carried through the function, "colored"
        where each product fills many columns or rows.
    products : int
        How many products that takes.
    chunk : int
        How many of them run at once.
    memory : int
        Bytes of the finished matrix.
    reason : str
        Why this plan.
    """

    mode: str
    products: int
    chunk: int
    memory: int
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.mode}: {self.products} products, {self.chunk} at a time, "
            f"matrix of {readable_bytes(self.memory)}; {self.reason}"
        )


def memory_bytes(memory: str | int) -> int:
    """A memory budget in bytes.

    Raises
    ------
    ShapeError
        If it is not a positive number with one of the units B, kB, KiB, MB, MiB, GB, GiB.

    Examples
    --------
    >>> memory_bytes("2 GiB")
    2147483648
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", str(memory))
    if not found or found[2].upper() not in _UNITS or found[1].count(".") > 1 or not float(found[1]) > 0:
        raise ShapeError(
            'a memory budget such as "2 GiB"',
            got=repr(memory),
            remedy="give a number and a unit",
            where="argument memory",
        )
    return int(float(found[1]) * _UNITS[found[2].upper()])


def readable_bytes(count: float) -> str:
    """A number of bytes in words.

    Examples
    --------
    >>> readable_bytes(3_221_225_472)
    '3.0 GiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


class TooLargeError(ShapeError):
    """A matrix that does not fit the memory budget."""


def in_words(plan: Callable[[], Plan]) -> str:
    """The plan in words, or why there can be none."""
    try:
        return str(plan())
    except TooLargeError as error:
        return f"never dense, as {error.got} is over the memory budget; products form none, sparse() leaves zeros out"


def refuse_too_large(matrix_bytes: int, budget: int, what: str) -> None:
    """Refuse a matrix that does not fit the memory budget, with its size.

    Raises
    ------
    ShapeError
    """
    if matrix_bytes > budget:
        raise TooLargeError(
            f"a matrix within the memory budget of {readable_bytes(budget)}",
            got=f"{what} of {readable_bytes(matrix_bytes)}",
            remedy="use products with the operator (J @ v, J.T @ u, H @ v), or raise memory=",
        )


def chunk_for(products: int, row_bytes: int, matrix_bytes: int, budget: int, what: str, *, work: int = 0) -> int:
    """How many products fit beside the finished matrix; a matrix that cannot fit is refused with its size."""
    refuse_too_large(matrix_bytes, budget, what)
    if products <= 64 and not work:
        return products
    # A product keeps about four arrays of its row's size alive, and of what the function stores for its derivative;
    # past 32 at a time a CPU gains nothing.
    return int(max(1, min(32, products, (budget - matrix_bytes) // max(1, 4 * (row_bytes + work)))))


def refuse_other_mode(mode: object) -> None:
    """Refuse a way to a Jacobian that there is not.

    Raises
    ------
    ShapeError
    """
    if mode not in MODES:
        raise ShapeError(
            'mode "auto", "forward", "reverse", "sparse", "colored" or "numeric"',
            got=repr(mode),
            remedy="choose one",
            where="argument mode",
        )


def refuse_other_pattern(sparsity: object) -> None:
    """Refuse a word that stands for no pattern.

    Raises
    ------
    ShapeError
    """
    if isinstance(sparsity, str) and sparsity != "detect":
        raise ShapeError('a pattern, or "detect"', got=repr(sparsity), remedy="give one", where="argument sparsity")


def jacobian_plan(
    m: int, n: int, itemsize: int, *, mode: Mode, memory: str | int, pullback_cost: float = 2.0, work: int = 0
) -> Plan:
    """The plan of a dense m × n Jacobian.

    ``pullback_cost`` is that of a pull-back in push-forwards, ``work`` the bytes a product keeps beside its vectors.

    Raises
    ------
    ShapeError
        If the mode is unknown, or the matrix does not fit the budget.
    """
    refuse_other_mode(mode)
    forward = n <= pullback_cost * m if mode == "auto" else mode == "forward"
    products, row = (n, m) if forward else (m, n)
    size = m * n * itemsize
    chunk = chunk_for(products, (m + n) * itemsize, size, memory_bytes(memory), f"a {m} × {n} Jacobian", work=work)
    reason = f"{n} inputs against {m} outputs" if mode == "auto" else "asked for"
    return Plan("forward" if forward else "reverse", products, chunk, size + chunk * row * itemsize, reason)


def hessian_plan(
    n: int,
    itemsize: int,
    *,
    memory: str | int,
    mode: str = "forward over reverse",
    reason: str = "the gradient is linearized once",
    work: int = 0,
) -> Plan:
    """The plan of a dense n × n Hessian."""
    size = n * n * itemsize
    chunk = chunk_for(n, 2 * n * itemsize, size, memory_bytes(memory), f"a {n} × {n} Hessian", work=work)
    return Plan(mode, n, chunk, size, reason)
