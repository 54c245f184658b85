"""What an ensemble of reference panels says, beside the panel of a report that is one of them."""

from __future__ import annotations

from typing import Any

from bayesdid.digest import file_digest
from bayesdid.exceptions import InputError
from bayesdid.jsonio import read_sealed
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.reference import FACTS, PANEL
from bayesdid.study.load import Study


def reference_section(study: Study, panel: Panel) -> dict[str, Any] | None:
    """The study's reference, if the panel is the one that it is about.

    Raises
    ------
    InputError
        If the file is damaged, or the study's panel is no longer the one it was made with.
    """
    path, own = study.path / FACTS, study.path / PANEL
    if not panel.synthetic or panel.source != str(own) or not path.is_file():
        return None
    try:
        found: dict[str, Any] = read_sealed(path)
    except ValueError as error:
        raise _again("the study's reference is damaged", study) from error
    if found["panel"][1] != file_digest(own):
        raise _again(
            "the study's reference panel is not the one its reference was made with", study
        )
    return found


def _again(problem: str, study: Study) -> InputError:
    return InputError(
        problem,
        file=study.path / FACTS,
        remedy=f"make both again: bayesdid reconstruct {study.path} --members 8 --reference -o DIR",
    )
