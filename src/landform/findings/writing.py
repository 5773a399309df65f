"""Files that are there whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from landform.errors import OutputError


def write_atomically(path: Path, text: str) -> None:
    r"""Write a text file so that a reader sees the old one or the new one, never half of it.

    Parameters
    ----------
    path : Path
        Where the file goes; its folder must exist. A file that is there is replaced.
    text : str
        Its content, written as UTF-8 with ``\n`` line ends.

    Raises
    ------
    OutputError
        Where the folder is missing, is no folder, or cannot be written.
    """
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write a file of bytes so that a reader sees the old one or the new one, never half of it.

    Raises
    ------
    OutputError
        As `write_atomically`.
    """
    path = Path(path)
    temporary = path.parent / f".{path.name}.{uuid4().hex[:8]}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            "a file that can be written",
            got=_reason(path, error),
            remedy="choose a folder that exists and that you may write to",
            where=str(path),
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _reason(path: Path, error: OSError) -> str:
    if path.is_dir():
        return "a folder of that name"
    if not path.parent.exists():
        return f"no folder {path.parent}"
    return (error.strerror or str(error)).lower()
