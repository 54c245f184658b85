"""Write a panel so that it can be read again, with its synthetic stamp."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bayesdid.escape import spreadsheet
from bayesdid.exceptions import InputError
from bayesdid.jsonio import write_text
from bayesdid.panel.panel import Panel
from bayesdid.panel.validate import STAMP
from bayesdid.study.load import Study


def write_panel(panel: Panel, study: Study, path: Path) -> None:
    """Write as CSV, atomically, with adoption columns and, if synthetic, the stamp column.

    Raises
    ------
    InputError
        If the file is not a .csv, or its folder does not exist.
    """
    if path.suffix != ".csv":
        raise InputError("panels are written as .csv", file=path, remedy="name a .csv file")
    if not path.parent.is_dir():
        raise InputError("no such folder", file=path.parent, remedy="make it first")
    frame, plain = panel.frame.copy(), not panel.timeline.labels
    for policy in study.policies:
        if policy.adoption is not None:
            start = panel.adoption[policy.id].reindex(frame[panel.unit]).to_numpy()
            frame[policy.adoption] = start if plain else _typed(panel, start)
        elif policy.indicator is not None and policy.indicator not in frame:
            start = panel.adoption[policy.id].reindex(frame[panel.unit])
            late = start.to_numpy(dtype=float, na_value=np.inf)
            frame[policy.indicator] = (frame[panel.period].to_numpy() >= late).astype(int)
    if not plain:
        frame[panel.period] = _typed(panel, frame[panel.period].to_numpy())
    if panel.synthetic:
        frame[STAMP] = panel.synthetic
    write_text(path, csv_text(frame))


def csv_text(frame: pd.DataFrame) -> str:
    """A table as CSV in which no text, in a cell or a heading, is a formula of a spreadsheet.

    :func:`bayesdid.panel.text.read_text` reads such text as it was.
    """
    shown = frame.copy()
    for k, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            cells = [spreadsheet(c) if isinstance(c, str) else c for c in frame.iloc[:, k]]
            shown.isetitem(k, pd.Series(cells, index=frame.index, dtype=object))
    shown.columns = pd.Index([spreadsheet(str(name)) for name in frame.columns])
    return shown.to_csv(index=False, lineterminator="\n")


def _typed(panel: Panel, steps: np.ndarray) -> list[str]:
    """Steps as periods were typed, empty for none."""
    return ["" if pd.isna(step) else panel.timeline.label(step) for step in steps]
