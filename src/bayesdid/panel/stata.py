"""Read a Stata file: labels and the codes behind them, dates by their format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bayesdid.panel.raw import Raw


def variable_labels(file: Path) -> dict[str, str]:
    """Column -> its label; empty for files of other kinds, or where there is none."""
    if file.suffix.lower() != ".dta":
        return {}
    with pd.read_stata(file, iterator=True) as reader:
        return {str(k): text for k, text in reader.variable_labels().items() if text}


def read_stata(file: Path) -> Raw:
    """Labels as text and codes as numbers, side by side: the use of a column says which it needs.

    A column whose labels are not one for each code (two codes with one label) is read by code.
    """
    codes = pd.read_stata(file, convert_categoricals=False)
    with pd.read_stata(file, iterator=True) as reader:
        labelled = bool(reader.value_labels())
    if not labelled:
        return Raw(codes, 1)
    try:
        frame = pd.read_stata(file, convert_categoricals=True)
    except ValueError:  # the labels of some column are not unique: one by one
        frame = codes.copy()
        for name in codes.columns:
            try:
                frame[name] = pd.read_stata(file, columns=[str(name)])[name]
            except ValueError:
                continue
    names = [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    for name in names:
        frame[name] = frame[name].astype(object)
    return Raw(frame, 1, codes[names])
