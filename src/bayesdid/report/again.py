"""The command that makes a report again, with paths as its user gave them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study


def report_command(
    study: Study,
    panel: Panel | None,
    *,
    draws: int,
    seed: int,
    options: Mapping[str, str | int | bool | None] | None = None,
) -> str:
    """``bayesdid report STUDY ...``.

    Parameters
    ----------
    panel
        None: the report is from print, which has no draws.
    options
        Further options as they were given, e.g. ``--sheet``; those that are None or False were
        not. Default: ``--panel``, where the study does not name the panel's file itself.
    """
    given = {"--panel": _own_file(study, panel)} if options is None else dict(options)
    size = {"--draws": draws} if panel is not None else {}
    words = ["bayesdid report", as_given(study.path)]
    for name, value in (given | size | {"--seed": seed}).items():
        if value is True:
            words.append(name)
        elif value is not None and value is not False:
            words += [name, as_given(value) if isinstance(value, str) else str(value)]
    return " ".join(words)


def as_given(path: str | Path) -> str:
    """A path for a shell, as its user gave it; a home is ``~``."""
    text, home = str(path), str(Path.home())
    if len(home) > 1 and text.startswith(f"{home}/"):
        return f"~/{shlex.quote(text[len(home) + 1 :])}"
    return shlex.quote(text)


def _own_file(study: Study, panel: Panel | None) -> str | None:
    """The file of a panel that the study does not name."""
    section = study.file.panel
    if panel is None or panel.synthetic or section.package is not None:
        return None
    if section.path is not None and Path(panel.source) == study.inside(section.path):
        return None
    return panel.source
