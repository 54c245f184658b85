"""The panel a study comes with: a file, a package's data set, or a stamped simulation."""

from __future__ import annotations

import contextlib
import importlib
import io
from pathlib import Path
from types import ModuleType

import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.extras import EXTRAS, require
from bayesdid.panel.panel import Panel
from bayesdid.panel.raw import Raw, Wanted, told
from bayesdid.panel.read import read_panel
from bayesdid.panel.validate import validate_panel
from bayesdid.study.load import Study


def declares_panel(study: Study) -> bool:
    """Whether a study says where its panel comes from."""
    section = study.file.panel
    return any(given is not None for given in (section.path, section.package, section.simulate))


def load_panel(
    study: Study,
    path: str | Path | None = None,
    *,
    sheet: str | None = None,
    skip: int | None = None,
) -> Panel:
    """The panel at `path`, or else the one that the study declares.

    Parameters
    ----------
    sheet, skip
        See :func:`bayesdid.panel.read.read_panel`.

    Raises
    ------
    InputError
        If there is neither, or the package that ships it is not installed.
    """
    section = study.file.panel
    if path is not None:
        return read_panel(path, study, sheet=sheet, skip=skip)
    if section.path is not None:
        return read_panel(study.inside(section.path), study)
    if section.package is not None:
        name, dataset = section.package.name, section.package.dataset
        if name not in EXTRAS["studies"]:  # importing is running: a study names data, not code
            raise InputError(
                "a study may take its panel only from a package of data sets",
                value=name,
                file=study.path / "study.toml",
                remedy=f'use {" or ".join(EXTRAS["studies"])}, or a file: path = "panel.csv"',
            )
        require("studies")
        module = importlib.import_module(name)
        with contextlib.redirect_stdout(io.StringIO()):
            held = Raw(_dataset(module, dataset), 1)
        raw = told(held, Wanted(section.unit, section.period, marks=section.missing_marks))
        source = f"{name}:{dataset}"
        return validate_panel(raw.frame, study, source=source, first_row=1, notes=raw.notes)
    if section.simulate is not None:
        from bayesdid.panel.simulate import simulate_panel

        return simulate_panel(study)
    raise InputError(
        "the study declares no panel",
        file=study.path / "study.toml",
        remedy="pass one with --panel FILE",
    )


def _dataset(module: ModuleType, name: str) -> pd.DataFrame:
    """A packaged data set, whatever the package makes of a name that it does not know.

    Raises
    ------
    InputError
        If that is no table.
    """
    try:
        found = _by_name(module, name)
    except Exception:  # each package raises its own
        found = None
    if not isinstance(found, pd.DataFrame):
        raise InputError(
            "the package has no such data set",
            value=f"{module.__name__}: {name}",
            remedy="see the package's documentation",
        )
    return found


def _by_name(module: ModuleType, name: str) -> object:
    """``data(name)``, ``load_<name>()`` or ``<name>.load_pandas().data``, what the package has."""
    if callable(read := getattr(module, "data", None)):
        return read(name)
    if callable(read := getattr(module, f"load_{name}", None)):
        frame = read()
        return frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    return getattr(module, name).load_pandas().data
