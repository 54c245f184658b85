"""Where a study's files may stand: inside its folder, unless the reader trusts it."""

from __future__ import annotations

from pathlib import Path

from bayesdid.exceptions import InputError


def inside(folder: Path, name: str, *, trust: bool) -> Path:
    """The path of a file that a study names, links followed.

    Parameters
    ----------
    folder
        The study's.
    name
        As the study writes it, relative to its folder.
    trust
        Whether the file may stand anywhere.

    Raises
    ------
    InputError
        If the file, or what it links to, is outside of the folder.
    """
    path = folder / name
    if trust:
        return path
    try:
        within = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that no file can have
        within = False
    if not within:
        raise InputError(
            "the study names a file outside of its folder",
            file=folder,
            value=name,
            remedy="copy the file into the folder; or, if you know who wrote the study, load it "
            "with --trust (in Python trust=True)",
        )
    return path


def is_file(path: str | Path) -> bool:
    """Whether there is such a file; False for what cannot be a name of one."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # far too long for a name, or a NUL in it
        return False
