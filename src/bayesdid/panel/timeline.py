"""The periods of a panel as consecutive steps: their spacing, their gaps, how they were typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from numbers import Real

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.notebook import many
from bayesdid.panel.calendar import NEVER, read_periods
from bayesdid.panel.han_dates import in_digits
from bayesdid.panel.kinds import PER_YEAR, Kind, Writing, coarser, four_digits, written, year_of


@dataclass(frozen=True, slots=True)
class Timeline:
    """How the steps that a panel counts in follow from the periods that its file holds.

    Attributes
    ----------
    writing
        What a period is (a plain number, a year, a quarter, a month ...), and how it was written.
    spacing
        Distance of neighbouring periods, in units of its kind: 2 for two-year waves of years. It is
        the greatest common divisor of all distances, so that a panel with a hole keeps its spacing.
    origin
        The first period, in units of its kind since year 0.
    labels
        Step -> period as typed, where the step is not the number that was typed.
    """

    writing: Writing = field(default_factory=Writing)
    spacing: int = 1
    origin: int = 0
    labels: Mapping[int, str] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What a period is."""
        return self.writing.kind

    @property
    def is_plain(self) -> bool:
        """Whether steps are the numbers or years that were typed."""
        return self.kind in {"number", "year"} and self.spacing == 1

    def steps(self, index: np.ndarray) -> np.ndarray:
        """Step of each period: the first one not before it. NaN and inf stay."""
        if self.is_plain:
            return index
        return np.ceil((index - self.origin) / self.spacing) + 1

    def window(self, first: int, last: int) -> tuple[int, int]:
        """First and last step of a window given as the file's numbers, or as years of dates."""
        seen = {int(text): step for step, text in self.labels.items() if text.isdigit()}
        if not self.labels or self.is_plain:
            return first, last
        inside = [step for number, step in seen.items() if first <= number <= last]
        inside += [step for step in self.labels if first <= self.year(step) <= last]
        return (min(inside), max(inside)) if inside else (1, 0)

    def number(self, step: float) -> int:
        """The period of a step as the number that was typed, or else as the year in it."""
        text = self.label(step)
        plain = text.lstrip("-").isdecimal() and not self.writing.serial
        return int(text) if plain else self.year(step)

    def year(self, step: float) -> int:
        """The year in which a step's period lies."""
        return round(step) if self.kind == "wave" else year_of(self.kind, self._index(step))

    def label(self, step: float) -> str:
        """The period of a step as it was typed, or as its kind is written if no row has it."""
        k = round(step)
        if k in self.labels:
            return self.labels[k]
        index = self._index(step)
        if self.kind == "wave" and self.labels:  # W3, as the others are typed
            return re.sub(r"[0-9]+", str(index), next(iter(self.labels.values())))
        if self.kind == "month" and any(re.fullmatch(r"[0-9]{6}", t) for t in self.labels.values()):
            return written(self.kind, index).replace("-", "")  # 201904, as the others are typed
        return written(self.kind, index)

    def _index(self, step: float) -> int:
        """What a step counts as, in units of its kind."""
        k = round(step)
        return k if self.is_plain else (k - 1) * self.spacing + self.origin


_COUNTED = frozenset({"number", "wave"})  # kinds of which 0 may be a period
_ZEROS = {(1960, 1, 1), (1970, 1, 1), (1899, 12, 30), (1899, 12, 31)}
"""What Stata, Unix and pandas, and spreadsheets show a 0 as under a format of dates."""
_EPOCH = date(1960, 1, 1).toordinal()
_NEAR = 40  # years around the panel in which counts of Stata are believed
_FIRST_YEAR, _LAST_YEAR = 1500, 2500  # periods that are plain numbers between are years


def establish(frame: pd.DataFrame, column: str, source: str, notes: list[Note]) -> Timeline:
    """Replace the period column of `frame` by consecutive steps, once for everything after.

    Raises
    ------
    InputError
        If the periods are not all of one kind.
    """
    read = read_periods(frame[column], source, column, frame["__row__"])
    index = read.index.to_numpy(dtype=np.int64)
    seen = np.unique(index)
    spacing = int(np.gcd.reduce(np.diff(seen))) if len(seen) > 1 else 1
    timeline = Timeline(read.writing, spacing, int(seen[0]))
    steps = timeline.steps(index).astype(np.int64)
    labels: dict[int, str] = {}
    for step, text in zip(steps, read.typed, strict=True):
        labels.setdefault(int(step), text)
    if timeline.is_plain and all(text == str(step) for step, text in labels.items()):
        labels = {}
    frame[column] = steps
    timeline = Timeline(read.writing, spacing, int(seen[0]), dict(sorted(labels.items())))
    notes += [Note("periods_read", len(read.typed), f"{column}: {text}") for text in read.assumed]
    if not timeline.is_plain:
        unit = "" if read.kind == "number" else f" {read.kind}{'' if spacing == 1 else 's'}"
        text = (
            f"{column}: neighbouring periods are {spacing}{unit} apart, counted as one step; "
            f"{len(seen)} periods from {timeline.label(int(steps.min()))} to "
            f"{timeline.label(int(steps.max()))}"
        )
        notes.append(Note("spacing", spacing, text))
    if gaps := missing_steps(np.unique(steps)):
        some = ", ".join(timeline.label(step) for step in gaps[:8])
        more = f" and {len(gaps) - 8} more" if len(gaps) > 8 else ""
        text = f"no unit is seen in {some}{more}: a gap, which counts as time that passes"
        notes.append(Note("gaps", len(gaps), text))
    return timeline


def missing_steps(periods: np.ndarray) -> list[int]:
    """Steps between the first and the last of `periods` that are none of them."""
    whole = np.arange(int(periods.min()), int(periods.max()) + 1)
    return [int(step) for step in np.setdiff1d(whole, periods)]


def adoption_steps(
    frame: pd.DataFrame, column: str, period: str, timeline: Timeline, source: str
) -> tuple[pd.Series, tuple[Note, ...]]:
    """An adoption column in steps of the panel, NaN for never.

    Empty cells, ``never`` and infinity mean never, and so does 0 where it cannot be a period, as a
    number or as the date that it is stored as (1960-01-01 in a Stata file), with a note.
    A date within a period is that period; one between two periods counts from the next.

    Raises
    ------
    InputError
        If a value is none of the panel's kind of period (a word, or a code such as -999, for
        never), or less exact than the periods are.
    """
    values, rows = frame[column], frame["__row__"]
    text = values.astype("string").str.strip()
    never = said_never(values)
    zero = text.isin({"0", "0.0"})
    first, last = int(frame[period].min()), int(frame[period].max())
    notes: list[Note] = []
    short = timeline.kind == "year" and timeline.writing.short
    origin = timeline.steps(np.array([four_digits(0) if short else 0.0]))[0]
    if (short or timeline.kind in _COUNTED) and origin >= first:
        zero &= not first <= origin <= last
        count = int(frame.loc[text.isin({"0", "0.0"}) & ~zero, "__row__"].size)
        if count:
            note = "0 is a period of this panel: units with 0 adopt in it (leave never empty)"
            notes.append(Note("adoption_in_period_0", count, f"{column}: {note}"))
    never |= zero
    found = pd.Series(np.nan, index=frame.index)
    if (nought := stored_zeros(values, timeline.year(first))).any():
        notes.append(_zeros_note(values[nought], column))
        never |= nought
    if never.all():
        return found, tuple(notes)
    known = values[~never]
    if (counted := _stata_counts(known, timeline, first, last)) is not None:
        found[~never] = timeline.steps(counted)
        k, kind = int(counted[0]), timeline.kind
        said = (
            f"{column}: {known.iloc[0]:.0f} is read as {written(kind, k)}: Stata's count of {kind}s"
        )
        return found, (*notes, Note("periods_read", len(known), said))
    _refuse_codes(known, text[~never], rows[~never], frame[period], timeline, source)
    read = read_periods(known, source, column, rows[~never], like=timeline.writing)
    notes += [Note("periods_read", len(read.typed), f"{column}: {said}") for said in read.assumed]
    index = read.index.to_numpy(dtype=float)
    if read.kind != timeline.kind and {read.kind, timeline.kind} != {"number", "year"}:
        index = coarser(read.kind, timeline.kind, read.index).to_numpy(dtype=float)
        each = PER_YEAR.get(timeline.kind, 0)
        if read.kind in {"number", "year"} and each and timeline.spacing % each == 0:
            index = (
                read.index.to_numpy(dtype=float) * each + timeline.origin % each
            )  # one period in each year
        plain = timeline.kind == "number" and not _are_years(timeline, frame[period])
        if plain or np.isnan(index).any():
            raise InputError(
                f"adoption is given by {read.kind}, but the panel's periods are {timeline.kind}s",
                file=source,
                column=column,
                row=int(rows[~never].iloc[0]),
                value=read.typed[0],
                remedy=f"give the {timeline.kind} of adoption, written as the periods are",
            )
    steps = timeline.steps(index)
    between = (index - timeline.origin) % timeline.spacing != 0
    inside = between & (index > timeline.origin)
    if count := int(inside.sum()):
        some = read.typed[int(np.flatnonzero(inside)[0])]
        text_ = (
            f"{column}: {count} rows name a time between two periods ({some}); the policy counts "
            "from the next period on"
        )
        notes.append(Note("adoption_between_periods", count, text_))
    found[~never] = steps
    return found, tuple(notes)


def _stata_counts(known: pd.Series, timeline: Timeline, first: int, last: int) -> np.ndarray | None:
    """Numbers that are quarters, months ... since 1960, as Stata stores them; None if one is none.

    Beside a column with a format of dates one without it holds such counts. One lies in the panel,
    all within :data:`_NEAR` years of it.
    """
    per_year = {"day": 365, **PER_YEAR}.get(timeline.kind, 1)
    if per_year == 1 or not all(isinstance(value, Real) for value in known):
        return None
    zero = _EPOCH if timeline.kind == "day" else 1960 * per_year
    counted = known.to_numpy(dtype=float) + zero
    low, high = ((step - 1) * timeline.spacing + timeline.origin for step in (first, last))
    near = _NEAR * per_year
    fits = (counted % 1 == 0) & (counted > zero)
    fits &= (counted >= low - near) & (counted <= high + near)
    inside = (counted >= low) & (counted <= high)
    return counted if fits.all() and inside.any() else None


def said_never(values: pd.Series) -> pd.Series:
    """Which cells of an adoption column are empty, or words that say never."""
    text = values.astype("string").str.strip()
    return (text.isna() | text.str.lower().isin(NEVER)).astype(bool)


def stored_zeros(values: pd.Series, first: int) -> pd.Series:
    """Which stored dates are a 0 for never: csdid and its like want one, a format makes it a date.

    A zero lies before the panel and has no other date before the panel beside it, so that policies
    older than the panel stay what they are.

    Parameters
    ----------
    first
        Year of the panel's first period.
    """
    if not pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(False, index=values.index)
    years = values.dt.year
    early = years < first
    parts = zip(years, values.dt.month, values.dt.day, strict=True)
    zero = early & ((years == 0) | np.array([part in _ZEROS for part in parts]))
    return zero if early.equals(zero) else zero & False


def _zeros_note(zeros: pd.Series, column: str) -> Note:
    one = zeros.iloc[0]
    text = (
        f"{column}: {one.year:04d}-{one.month:02d}-{one.day:02d} is a stored 0, read as never "
        f"({many(len(zeros), 'row')}); if it is a date write it as text, else leave the cell empty"
    )
    return Note("stored_zeros", len(zeros), text)


def labelled_adoption(
    frame: pd.DataFrame,
    codes: pd.DataFrame | None,
    column: str,
    period: str,
    timeline: Timeline,
    source: str,
) -> tuple[pd.Series, tuple[Note, ...]]:
    """As :func:`adoption_steps`, by the codes of a column whose labels are no periods.

    Where a period is a mere number a code may be the number of a batch, and labels decide.

    Raises
    ------
    InputError
        If labels are no periods, and codes neither.
    """
    try:
        return adoption_steps(frame, column, period, timeline, source)
    except InputError as odd:
        counted = timeline.kind in _COUNTED and not _are_years(timeline, frame[period])
        if codes is None or column not in codes or counted:
            raise
        behind = frame.assign(**{column: codes[column].to_numpy()})
        try:
            found, notes = adoption_steps(behind, column, period, timeline, source)
        except InputError:
            raise odd from None
        text = f"{column}: adoption is read by code, for its labels ({odd.value}) are no periods"
        return found, (*notes, Note("adoption_by_code", len(found), text))


def _are_years(timeline: Timeline, period: pd.Series) -> bool:
    """Whether periods that are plain numbers can be years."""
    first, last = (timeline.number(float(step)) for step in (period.min(), period.max()))
    return first >= _FIRST_YEAR and last <= _LAST_YEAR


def _refuse_codes(
    known: pd.Series,
    text: pd.Series,
    rows: pd.Series,
    period: pd.Series,
    timeline: Timeline,
    source: str,
) -> None:
    """Refuse words and numbers that stand for never or for unknown, and can be no period.

    A number beyond the panel may be a year (9999 is never, in this panel); before year 1500 it is
    none, and among months or quarters neither is what is not written as one of them.
    """
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    odd = ~text.map(in_digits).str.contains(r"\d").astype(bool)
    if timeline.kind == "number":
        if _are_years(timeline, period):
            odd |= numbers < _FIRST_YEAR
        elif timeline.number(float(period.max())) < _FIRST_YEAR:
            # years of adoption among periods 1, 2, 3 or 08, 09, 10
            odd |= numbers.between(_FIRST_YEAR, _LAST_YEAR)
    elif timeline.kind == "year":
        short = timeline.writing.short & numbers.between(0, 99)
        odd |= (numbers < _FIRST_YEAR) & ~short
    elif timeline.kind == "wave":
        odd |= (numbers < 0) | (numbers >= _FIRST_YEAR)
    else:
        if timeline.writing.year:  # 2009 beside 801, 802: a year, or September 2020
            span = [timeline.year(float(step)) for step in (period.min(), period.max())]
            inside = (2000 + numbers // 100).between(*span)
            odd |= ~inside & numbers.between(_FIRST_YEAR, _LAST_YEAR)
        codes = {
            number
            for number in numbers.dropna().unique()
            if number % 1 == 0
            and read_periods(
                pd.Series([number]), "", "", pd.Series([0]), like=timeline.writing
            ).kind
            == "number"
        }
        odd |= numbers.isin(codes)
    if odd.any():
        where = odd.idxmax()
        number = numbers[where]
        value = text[where] if np.isnan(number) else f"{number:.0f}"
        kind: str = timeline.kind
        if kind == "number":
            kind = "year" if timeline.number(float(period.min())) >= _FIRST_YEAR else "period"
        raise InputError(
            f"'{value}' is no {kind} that a unit could adopt in",
            file=source,
            column=str(known.name),
            row=int(rows[where]),
            value=value,
            remedy="leave the cell empty where a unit never adopts; write any other as the periods "
            "are written",
        )
