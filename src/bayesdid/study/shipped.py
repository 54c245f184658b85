"""The studies that ship: in the repository's ``models/``, or inside an installed package."""

from __future__ import annotations

import shutil
from pathlib import Path

import bayesdid
from bayesdid.exceptions import InputError

PACKAGED = "examples"  # pyproject.toml puts models/ there when a wheel is built


def shipped_studies() -> dict[str, Path]:
    """Name -> folder of every study that ships, by name."""
    package = Path(bayesdid.__file__).parent
    places = (package.parents[1] / "models", package / PACKAGED)  # a checkout is never stale
    folder = next((place for place in places if place.is_dir()), None)
    found = folder.glob("*/study.toml") if folder else ()
    return {path.parent.name: path.parent for path in sorted(found)}


def copy_study(name: str, to: Path) -> Path:
    """Copy a study that ships into a folder that does not exist yet, or is empty.

    Raises
    ------
    InputError
        If no such study ships, or the folder holds something.
    """
    known = shipped_studies()
    if name not in known:
        raise InputError("no such study ships", value=name, remedy=f"use one of {', '.join(known)}")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InputError(
            "the study would be copied over what is there",
            file=to,
            remedy="name another folder with -o",
        )
    shutil.copytree(known[name], to, dirs_exist_ok=True)
    return to
