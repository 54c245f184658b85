"""Any data frame, or a file of one, as raw columns of pandas. The caller's is never changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
from narwhals.exceptions import NarwhalsError

from bayesdid.exceptions import InputError, Note, nearest_name
from bayesdid.panel.commas import plain_numbers
from bayesdid.panel.observations import observed_rows
from bayesdid.panel.panel import Panel
from bayesdid.panel.raw import Wanted, blank_marks, refuse_doubled
from bayesdid.panel.read import read_panel, read_raw
from bayesdid.panel.states import coded_state, state_of
from bayesdid.panel.totals import without_named
from bayesdid.panel.validate import validate_panel
from bayesdid.panel.wide import across_remedy, wide_remedy
from bayesdid.study.derived import quoted
from bayesdid.study.load import Study

_PERIODS = {"year", "years", "time", "period", "date", "quarter", "month", "年", "年份", "年度"}
SHOWN = 12  # columns that a message lists


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a data frame or a file, as they came.

    Attributes
    ----------
    frame
        May share memory with the caller's, so that nothing may be written into it.
    source
        What messages call it.
    path, sheet, skip
        The file, or None for a data frame; and which table of it, see
        :func:`bayesdid.panel.read.read_panel`.
    codes
        The numbers behind labelled columns.
    keys
        What the caller calls unit and period, empty where that is not known.
    notes
        What was read how in a data frame; a file is read again with its study.
    """

    frame: pd.DataFrame
    source: str
    path: Path | None = None
    sheet: str | None = None
    skip: int | None = None
    codes: pd.DataFrame = field(default_factory=pd.DataFrame)
    keys: tuple[str, str] = ("", "")
    notes: tuple[Note, ...] = ()

    def numbers(self, name: str) -> pd.Series:
        """A column as numbers: codes behind labels, words for 0 and 1; missing where none is."""
        if (codes := coded_state(self.codes, name)) is not None:
            return codes
        state = state_of(self.frame[name])
        held = self.codes if name in self.codes.columns else self.frame
        return state.numbers if state else pd.to_numeric(held[name], errors="coerce")

    def panel(self, study: Study) -> Panel:
        """The panel that a study makes of them."""
        if self.path is not None:
            return read_panel(self.path, study, sheet=self.sheet, skip=self.skip)
        return validate_panel(self.frame, study, source=self.source, first_row=1, notes=self.notes)

    def require(self, names: Iterable[str]) -> None:
        """Refuse names of columns that are not there.

        Raises
        ------
        InputError
            With the name that may have been meant, or those that there are.
        """
        known = [str(name) for name in self.frame.columns]
        lower = {name.lower(): name for name in reversed(known)}
        for name in names:
            if name in known:
                continue
            near = nearest_name(name.lower(), lower)
            unit = self.keys[0] if self.keys[0] in known else known[0]
            there = _PERIODS & set(lower) or self.keys[1] in known
            wide = "" if there else wide_remedy(known, unit, self.keys[1] or "year")
            wide = wide or across_remedy(self.frame, self.keys[0] or "unit", self.keys[1])
            wide = wide or _as_stata_writes(name, known)
            part = next((one for one in known if name in re.split(r"[\s()（）\[\]/]+", one)), "")
            more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
            raise InputError(
                "no such column",
                file=self.source,
                column=name,
                remedy=wide
                if wide
                else f"did you mean {lower[near] if near else part!r}"
                if near or part
                else f"there are {', '.join(known[:SHOWN])}{more}",
            )

    def terms(self, texts: Iterable[str]) -> list[str]:
        """Columns and terms as terms: ``收入(元)``, a column, stands in backticks."""
        return [quoted(text) if text in self.frame else text for text in texts]


def _as_stata_writes(name: str, known: Sequence[str]) -> str:
    """What to write for ``i.year``, ``L2.x``, ``c.x``, as Stata says them of a column there is."""
    match = re.fullmatch(r"(?P<way>[icLlFfDd])(?P<k>\d*)\.(?P<of>.+)", name)
    if match is None or match["of"] not in known:
        return ""
    of, k = match["of"], match["k"] or "1"
    way = match["way"].lower()
    if way == "i":
        return f"effects stand behind |: | unit + {of}; indicators are i({of}, ref = ...)"
    return f"write {of if way == 'c' else f'd({of})' if way == 'd' else f'{way}({of}, {k})'}"


def columns_of(
    data: Any,
    keys: tuple[str, str] = ("", ""),
    *,
    sheet: str | None = None,
    skip: int | None = None,
    marks: Sequence[str] = (),
) -> Columns:
    """A data frame of pandas, polars or Arrow, or what the name of a file holds.

    Parameters
    ----------
    data
        Whatever narwhals reads (https://narwhals-dev.github.io/narwhals/), or a path. A named
        index of pandas counts as columns.
    keys
        Columns of unit and period, by which the header of a workbook is found.
    sheet, skip
        Of a file, see :func:`bayesdid.panel.read.read_panel`.
    marks
        Cells that mean not known, beside the usual ways.

    Raises
    ------
    InputError
        If it is neither, or two of its columns have one name; for a sheet or lines to skip of a
        data frame.
    """
    if isinstance(data, str | Path):
        path = Path(data)
        raw = read_raw(path, Wanted(*keys, marks=tuple(marks)), sheet, skip)
        frame, codes = _observed(_stripped(raw.frame), _stripped(raw.codes), keys)
        return Columns(frame, str(path), path, sheet, skip, codes, keys)
    if given := [name for name, value in (("sheet", sheet), ("skip", skip)) if value is not None]:
        raise InputError(
            "a data frame has no sheets and no lines above its header",
            value=", ".join(given),
            remedy="give the path of the file, or leave this out",
        )
    try:
        found = nw.from_native(data)
        frame = (found.collect() if isinstance(found, nw.LazyFrame) else found).to_pandas()
    except (TypeError, NarwhalsError) as error:
        doubled = "Expected unique" in str(error)
        raise InputError(
            "two columns have the same name" if doubled else "not a data frame",
            value=type(data).__name__,
            remedy="rename one of them" if doubled else "give one of pandas, polars or Arrow",
        ) from error
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame = _without_arrow(frame)
    frame = _stripped(_with_flags(frame))
    refuse_doubled(list(frame.columns), "data frame", 1)
    notes = [*blank_marks(frame, keys, marks), *plain_numbers(frame, keys)]
    return Columns(frame, "data frame", keys=keys, notes=tuple(notes))


def _without_arrow(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns that pandas keeps as Arrow arrays as those of its own: few operations take them."""
    plain = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.ArrowDtype):
            kind = column.dtype.kind  # as numpy names them
            if kind in "iuf":
                plain[name] = column.astype({"i": "Int64", "u": "UInt64", "f": "Float64"}[kind])
            elif kind in "Mm":
                plain[name] = pd.Series(column.to_numpy(), index=column.index)
            else:
                plain[name] = column.astype("boolean" if kind == "b" else object)
    return frame.assign(**plain) if plain else frame


def _stripped(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)


def _observed(
    frame: pd.DataFrame, codes: pd.DataFrame, keys: tuple[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows that hold an observation, by which columns are known; a panel notes what it drops."""
    numbered = frame.reset_index(drop=True).assign(__row__=range(len(frame)))
    kept = observed_rows(numbered, *keys, [])
    if keys[0] in kept:
        kept, _ = without_named(kept, keys[0], [])
    rows = kept.pop("__row__")
    return kept, codes.iloc[rows].reset_index(drop=True) if len(codes) else codes


def _with_flags(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns of true, false and missing as such: other libraries hand them over as objects."""
    flags = [
        name
        for name in frame.columns
        if frame[name].dtype == object and set(map(type, frame[name].dropna())) == {bool}
    ]
    return frame.astype(dict.fromkeys(flags, "boolean")) if flags else frame
