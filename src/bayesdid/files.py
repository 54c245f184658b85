"""Whole files: written atomically, sealed with a digest of their content, verified on reading.

A sealed file ends in a line ``sha256 <digest of all bytes before it>``. HDF5, and so NetCDF, keeps
its own length and passes over what follows it: any reader of NetCDF opens a sealed file as it is.
"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bayesdid.exceptions import Note

_BLOCK = 1 << 20
_STALE = 3600.0  # seconds after which an unfinished file belongs to nobody: writing takes one
_TAIL = len("\nsha256 \n") + 64


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path` that takes its place if the block ends well.

    A reader sees the old file or the whole new one, also after a loss of power. The temporary
    name says which process on which host writes it, for :func:`sweep`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f".{path.stem[:60]}.{_host()}.{os.getpid()}.{secrets.token_hex(4)}.part"
    temporary = path.with_name(name)
    try:
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path, *, now: float | None = None) -> list[Path]:
    """Remove unfinished files whose process is dead, or that are older than an hour.

    Parameters
    ----------
    now
        Seconds since the epoch; default the clock.

    Returns
    -------
    list of Path
        What was removed.
    """
    removed = []
    for path in sorted(folder.glob(".*.part")) if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # finished, or swept by another process, meanwhile
            age = (time.time() if now is None else now) - path.stat().st_mtime
            if age > _STALE or _is_orphan(path):
                path.unlink()
                removed.append(path)
    return removed


def seal(path: Path) -> str:
    """Append the digest of a file's bytes to it; returns the digest."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    with path.open("ab") as file:
        file.write(f"\nsha256 {found}\n".encode("ascii"))
    return found


def seal_of(path: Path) -> str | None:
    """Digest that a file is sealed with, if it is there and every byte is as it was written."""
    try:
        left = path.stat().st_size - _TAIL
        with path.open("rb") as file:
            hasher = hashlib.sha256()
            while left > 0 and (block := file.read(min(left, _BLOCK))):
                hasher.update(block)
                left -= len(block)
            tail = file.read()
    except OSError:  # missing, or a disk that cannot read it
        return None
    found = hasher.hexdigest()
    return found if left == 0 and tail == f"\nsha256 {found}\n".encode("ascii") else None


def damaged(path: Path) -> Note:
    """The note of a stored result that was damaged and is made again."""
    return Note("damaged_file", 1, f"the stored {path.name} was damaged and has been made again")


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _is_orphan(path: Path) -> bool:
    """Whether the file names a process of this host that is no more."""
    parts = path.name.split(".")
    if len(parts) < 5 or parts[-4] != _host() or not parts[-3].isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(parts[-3]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # alive, but somebody else's
        return False
    return False


def _sync_folder(folder: Path) -> None:
    """Write a rename to the disk, where folders can be opened for that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(handle)
    finally:
        os.close(handle)
