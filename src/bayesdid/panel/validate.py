"""From raw columns to a validated panel: clear errors, and named notes with counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError, Note, nearest_name
from bayesdid.notebook import many
from bayesdid.panel import values
from bayesdid.panel.adoption import from_indicator, from_years, not_seen_off, switched_off
from bayesdid.panel.derived import derived_values
from bayesdid.panel.lookalikes import alike_units
from bayesdid.panel.needed import (
    crossed_columns,
    derived_columns,
    needed_columns,
    policy_columns,
    state_columns,
)
from bayesdid.panel.observations import observed_rows
from bayesdid.panel.panel import Panel
from bayesdid.panel.raw import refuse_doubled
from bayesdid.panel.repeated import one_row_each, repeated_rows, same_in_cell
from bayesdid.panel.states import states_in
from bayesdid.panel.timeline import Timeline, establish, labelled_adoption
from bayesdid.panel.totals import without_named, without_sums
from bayesdid.panel.wide import across_remedy, wide_remedy
from bayesdid.study.derived import source_column
from bayesdid.study.load import Study
from bayesdid.study.schema import Group, PanelSection, Policy

STAMP = "synthetic"  # the column by which a file says that it is not real data


def validate_panel(
    frame: pd.DataFrame,
    study: Study,
    *,
    source: str,
    first_row: int = 2,
    codes: pd.DataFrame | None = None,
    notes: Sequence[Note] = (),
) -> Panel:
    """Check a raw frame against a study and build the panel. The caller's frame is not touched.

    Parameters
    ----------
    frame
        Without the marks that the study says mean not known: readers take them away.
    codes
        Numbers behind columns that hold labels: used where a number is needed.
    notes
        What reading the file has to say.

    Raises
    ------
    InputError
        For missing or non-numeric columns, missing or duplicate keys, infinite values,
        adoption that is not constant or not absorbing, groups that vary within a unit.
    """
    keys = study.file.panel
    frame = frame.reset_index(drop=True)  # a copy; labels of a caller's rows may occur twice
    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    refuse_doubled([str(name) for name in frame.columns], source, max(first_row - 1, 1))
    frame["__row__"] = np.arange(first_row, first_row + len(frame))
    if frame.empty:
        raise InputError("the panel has no rows", file=source, remedy="export it again")
    _require(frame, keys, [keys.unit, keys.period], source)
    found = list(notes)
    every = len(frame)
    frame = observed_rows(frame, keys.unit, keys.period, found)
    frame, totals = without_named(frame, keys.unit, found)
    if codes is not None and len(codes) == every > len(frame):
        codes = codes.iloc[frame["__row__"] - first_row].reset_index(drop=True)
    timeline = _keys(frame, keys, source, found)
    for group in study.file.group:
        if group.members and group.column not in frame:
            frame[group.column] = _from_members(frame[keys.unit], group, source)
    groups = [group.column for group in study.file.group if group.column in frame]
    crossed = [name for name in crossed_columns(study) if name in frame and name not in groups]
    for column in (source_column(study.file.outcome.column), *policy_columns(study)):
        _require(frame, keys, [column], source)
    absent = [
        name for name in (*needed_columns(study), *crossed_columns(study)) if name not in frame
    ]
    if absent:
        text = f"columns that some specs or weights need are absent: {', '.join(absent)}"
        found.append(Note("absent_columns", len(absent), text))
    for policy in study.policies:
        if policy.adoption is not None:
            frame[policy.adoption], odd = labelled_adoption(
                frame, codes, policy.adoption, keys.period, timeline, source
            )
            found += odd
    numeric = [name for name in (*policy_columns(study), *needed_columns(study)) if name in frame]
    dated = {policy.adoption for policy in study.policies}
    states = [name for name in state_columns(study) if name in numeric]
    worded = states_in(frame, states, source, codes, found)
    for column in dict.fromkeys(numeric):
        if column in worded:
            frame[column] = worded[column]
        elif codes is not None and column in codes and column not in dated:
            frame[column] = codes[column].to_numpy()
        frame[column] = values.numeric(frame, column, source)
    if not keys.repeated:
        dates = {keys.unit, keys.period, "__row__", *dated}
        numbers = [name for name in frame.select_dtypes("number").columns if name not in dates]
        outcome = source_column(study.file.outcome.column)
        frame, sums = without_sums(frame, keys.unit, keys.period, numbers, outcome, found)
        totals += sums
    for policy in study.policies:
        if policy.indicator is not None:
            frame = _known_rows(frame, policy, source, found)
    order = [keys.unit, keys.period]
    if keys.repeated:  # individuals have no key: their values put them in an order
        order += [name for name in dict.fromkeys(numeric) if name not in order]
    frame = frame.sort_values(order, kind="stable").reset_index(drop=True)
    made = [column for column in derived_columns(study) if column.source in frame]
    for one in made:
        frame[str(one)] = derived_values(frame, keys.unit, keys.period, one, source, found)
    adoption, censored, reverses = _adoption(frame, study, source)
    adoption = _within_span(adoption, censored, timeline, frame[keys.period], found)
    _censored_notes(censored, found)
    fractions = _fractions(frame, study)
    _indicator_notes(reverses, fractions, study, found)
    for column in groups:
        frame[column] = values.levels(frame[column])
        _constant(frame, keys.unit, column, source)
        if lacking := int(frame.loc[frame[column] == "", keys.unit].nunique()):
            found.append(
                Note("no_level", lacking, f"{many(lacking, 'unit')} without a level of {column}")
            )
    for column in crossed:
        if column not in numeric:
            frame[column] = values.levels(frame[column])
    synthetic = _stamp(frame)
    if study.file.outcome.minimum is not None:
        _minimum(frame, study, source, synthetic, found)
    _shape_notes(frame, study, timeline, source, found)
    columns = [keys.unit, keys.period, *numeric, *map(str, made), *groups, *crossed]
    columns = list(dict.fromkeys(columns))
    kept = frame[columns].copy()
    return Panel(
        frame=kept,
        unit=keys.unit,
        period=keys.period,
        policies=tuple(policy.id for policy in study.policies),
        adoption=adoption,
        unit_labels={str(u): keys.unit_labels.get(str(u), str(u)) for u in adoption.index},
        synthetic=synthetic,
        sha256=content_hash(kept, adoption, timeline),
        notes=tuple(found),
        source=source,
        censored=censored,
        reverses=reverses,
        indicators={
            policy.id: (policy.indicator, policy.cut)
            for policy in study.policies
            if policy.indicator is not None and reverses[policy.id].any()
        },
        fractions=fractions,
        timeline=timeline,
        repeated=keys.repeated,
        totals=frozenset(totals),
    )


def _adoption(
    frame: pd.DataFrame, study: Study, source: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """First period under each policy of each unit; where that is not when it adopted; reversals."""
    unit, period = study.file.panel.unit, study.file.panel.period
    starts, censored, reverses = {}, {}, {}
    for policy in study.policies:
        if policy.adoption is not None:
            start = from_years(frame, unit, period, policy.adoption, source)
            hidden = back = pd.Series(False, index=start.index)
        else:
            column = str(policy.indicator)
            if study.file.panel.repeated:
                same_in_cell(frame, unit, period, column, source)
            start = from_indicator(frame, unit, period, column, policy.cut, source)
            hidden = not_seen_off(frame, unit, period, start)
            back = switched_off(frame, unit, column, policy.cut)
        starts[policy.id], censored[policy.id], reverses[policy.id] = start, hidden, back
    units = pd.Index(frame[unit].unique())
    adoption = pd.DataFrame(starts, index=units)
    adoption.index.name = unit
    return adoption, pd.DataFrame(censored, index=units), pd.DataFrame(reverses, index=units)


def _are(units: int) -> str:
    return f"{many(units, 'unit')} {'is' if units == 1 else 'are'}"


def _known_rows(
    frame: pd.DataFrame, policy: Policy, source: str, notes: list[Note]
) -> pd.DataFrame:
    """Rows whose policy value is known; the others are refused, or left out if it says so."""
    missing = frame[str(policy.indicator)].isna()
    if not missing.any():
        return frame
    if policy.missing == "refuse":
        column = str(policy.indicator)
        fill = (
            "fill in 0 or 1, or leave such rows out: take them away, or say missing = "
            '"drop" in its [[policy]]'
        )
        if frame[column].dropna().eq(1).all():
            fill = f"all others are 1: fill in 0, df.fillna({{{column!r}: 0}})"
        raise InputError(
            f"the policy's value is missing in {many(int(missing.sum()), 'row')}",
            file=source,
            column=policy.indicator,
            row=int(frame.loc[missing.idxmax(), "__row__"]),
            remedy=fill,
        )
    count = int(missing.sum())
    text = f"left out for want of a value of {policy.indicator}: {many(count, 'row')}"
    notes.append(Note("rows_without_policy", count, text))
    return frame[~missing]


def _censored_notes(censored: pd.DataFrame, notes: list[Note]) -> None:
    for policy in censored.columns:
        if count := int(censored[policy].sum()):
            some = ", ".join(str(unit) for unit in censored.index[censored[policy]][:5])
            text = (
                f"{_are(count)} not seen without {policy} in the period before they are first "
                f"seen with it ({some}{', ...' if count > 5 else ''}): already treated at entry or "
                "adopted in a gap, so that when they adopted is not known; they are treated, but "
                "out of event time"
            )
            notes.append(Note("adoption_not_seen", count, text))


def _fractions(frame: pd.DataFrame, study: Study) -> dict[str, tuple[str, int]]:
    """Policies whose state a cut of their fractional indicator would decide, and none is said."""
    found = {}
    for policy in study.policies:
        if policy.indicator is None or "cut" in policy.model_fields_set:
            continue
        values = frame[policy.indicator]
        if part := int(((values > 0) & (values < 1)).sum()):
            found[policy.id] = (policy.indicator, part)
    return found


def _indicator_notes(
    reverses: pd.DataFrame,
    fractions: Mapping[str, tuple[str, int]],
    study: Study,
    notes: list[Note],
) -> None:
    """Notes of policies that are switched off again, and of states read from fractions."""
    for policy in study.policies:
        back = reverses.index[reverses[policy.id]]
        if count := len(back):
            some = ", ".join(str(unit) for unit in back[:5])
            text = (
                f"{many(count, 'unit')} {'switches' if count == 1 else 'switch'} {policy.id} off "
                f"again ({some}"
                f"{', ...' if count > 5 else ''}): its state is used row by row, and they have no "
                "event time, cohort or order of adoption"
            )
            notes.append(Note("policy_reversed", count, text))
    for name, (column, part) in fractions.items():
        text = (
            f"{part} rows have a value of {column} between 0 and 1 and {name} has no cut: a term "
            "that names the column takes its values as they are, a state of it is refused, and "
            "descriptions count it as on from one half"
        )
        notes.append(Note("fractional_policy", part, text))


def content_hash(
    frame: pd.DataFrame, adoption: pd.DataFrame, timeline: Timeline | None = None
) -> str:
    """Hash of the values, whatever the order of rows and columns and the file format."""
    digest = hashlib.sha256()
    for column in sorted(frame.columns):
        digest.update(column.encode())
        cells = frame[column]
        if pd.api.types.is_numeric_dtype(cells):
            digest.update(cells.to_numpy(dtype="<f8", na_value=np.nan).tobytes())
        else:
            digest.update("\x1f".join(cells.astype(str)).encode())
    for policy in sorted(adoption.columns):
        digest.update(policy.encode())
        digest.update(adoption[policy].to_numpy(dtype="<f8", na_value=np.nan).tobytes())
    for label in (timeline.labels if timeline else {}).values():
        digest.update(label.encode())
    return digest.hexdigest()


def _require(frame: pd.DataFrame, keys: PanelSection, columns: list[str], source: str) -> None:
    for column in columns:
        if column in frame:
            continue
        names = [str(name) for name in frame.columns if name != "__row__"]
        wide = "" if keys.period in frame else wide_remedy(names, keys.unit, keys.period)
        wide = wide or across_remedy(frame, keys.unit, keys.period)
        near = nearest_name(column, names)
        remedy = wide or (
            f"rename '{near}', or change study.toml"
            if near
            else f"the file has {', '.join(names[:12])}"
        )
        raise InputError(
            "the panel lacks a required column", file=source, column=column, row=1, remedy=remedy
        )


def _keys(frame: pd.DataFrame, keys: PanelSection, source: str, notes: list[Note]) -> Timeline:
    """Check both keys and put them in their final form, periods as steps."""
    unit, period = keys.unit, keys.period
    for column in (unit, period):
        empty = frame[column].astype(str).str.strip() == ""
        if (missing := frame[column].isna() | empty).any():
            raise InputError(
                "a key is missing",
                file=source,
                column=column,
                row=int(frame.loc[missing.idxmax(), "__row__"]),
                remedy="every row needs its unit and period",
            )
    frame[unit] = values.unit_keys(frame[unit], source, frame["__row__"])
    notes += alike_units(frame[unit].unique())
    timeline = establish(frame, period, source, notes)
    if keys.repeated:
        repeated_rows(frame, unit, period, source, notes)
    else:
        one_row_each(frame, unit, period, timeline, source)
    for column, count in ((unit, frame[unit].nunique()), (period, frame[period].nunique())):
        if count < 2:
            raise InputError(
                "a panel needs at least two units and two periods",
                file=source,
                column=column,
                value=f"{count} distinct",
                remedy="check the key columns named in study.toml",
            )
    return timeline


def _within_span(
    adoption: pd.DataFrame,
    censored: pd.DataFrame,
    timeline: Timeline,
    period: pd.Series,
    notes: list[Note],
) -> pd.DataFrame:
    first, last = int(period.min()), int(period.max())
    adoption = adoption.copy()
    for policy in adoption.columns:
        late = (adoption[policy] > last).fillna(False)
        if late.any():
            count, end = int(late.sum()), timeline.label(last)
            adopt = f"{many(count, 'unit')} adopt{'s' * (count == 1)}"
            text = f"{adopt} {policy} after {end}: never, in this panel"
            notes.append(Note("adoption_after_panel", count, text))
            adoption.loc[late, policy] = pd.NA
        early = (adoption[policy] <= first).fillna(False) & ~censored[policy]
        if early.any():
            count = int(early.sum())
            has = f"{many(count, 'unit')} {'has' if count == 1 else 'have'}"
            text = f"{has} {policy} from the first period on"
            notes.append(Note("always_treated", count, text))
        if not adoption[policy].notna().any():
            notes.append(Note("treatment_never_varies", 1, f"no unit ever adopts {policy}"))
    return adoption


def _from_members(units: pd.Series, group: Group, source: str) -> pd.Series:
    """Level of each row's unit, from a grouping that the study lists by unit."""
    level = {unit: name for name, members in group.members.items() for unit in members}
    found = units.astype(str).map(level)
    if found.isna().any():
        unit = units[found.isna()].iloc[0]
        raise InputError(
            "a unit of the panel is in no group",
            file=source,
            column=group.column,
            value=unit,
            remedy="add it to the group's members in study.toml",
        )
    return found


def _constant(frame: pd.DataFrame, unit: str, column: str, source: str) -> None:
    first = frame.groupby(unit)[column].transform("first")
    if (bad := frame[column] != first).any():
        where = bad.idxmax()
        raise InputError(
            "a group must not change within a unit",
            file=source,
            column=column,
            row=f"{frame.loc[where, '__row__']} ({frame.loc[where, unit]})",
            value=frame.loc[where, column],
            remedy="use a base period's value in all rows of the unit",
        )


def _minimum(
    frame: pd.DataFrame, study: Study, source: str, synthetic: str | None, notes: list[Note]
) -> None:
    outcome = study.file.outcome
    below = frame[outcome.column] < outcome.minimum
    if not below.any():
        return
    if synthetic is None:
        where = below.idxmax()
        raise InputError(
            f"the outcome is below its minimum {outcome.minimum:g}",
            file=source,
            column=outcome.column,
            row=int(frame.loc[where, "__row__"]),
            value=frame.loc[where, outcome.column],
            remedy="correct the value, or change outcome.minimum in study.toml",
        )
    text = f"{int(below.sum())} simulated outcomes lie below {outcome.minimum:g}"
    notes.append(Note("outcome_below_minimum", int(below.sum()), text))


def _declared_notes(
    study: Study, timeline: Timeline, frame: pd.DataFrame, notes: list[Note]
) -> None:
    """Notes of units and periods that the study declares and the panel lacks."""
    keys = study.file.panel
    units = frame[keys.unit].nunique()
    if keys.units is not None and units < keys.units:
        text = f"the study declares {keys.units} units, the panel has {units}"
        notes.append(Note("fewer_units", keys.units - units, text))
    ends = frame[keys.period].min(), frame[keys.period].max()
    first, last = (timeline.number(step) for step in ends)
    late = keys.first_period is not None and first > keys.first_period
    early = keys.last_period is not None and last < keys.last_period
    if late or early:
        text = (
            f"the study declares periods from {keys.first_period} to {keys.last_period}, the panel "
            f"has {timeline.label(ends[0])} to {timeline.label(ends[1])}"
        )
        notes.append(Note("fewer_periods", int(late) + int(early), text))


def _shape_notes(
    frame: pd.DataFrame, study: Study, timeline: Timeline, source: str, notes: list[Note]
) -> None:
    keys = study.file.panel
    seen = frame.groupby(keys.unit, sort=False)[keys.period]
    sizes, rows = seen.nunique(), seen.size()
    periods = frame[keys.period].nunique()
    for name in dict.fromkeys([study.file.outcome.column, *needed_columns(study)]):
        if name in frame and (missing := int(frame[name].isna().sum())):
            text = f"{many(missing, 'value')} of {name} {'is' if missing == 1 else 'are'} missing"
            notes.append(Note("missing_values", missing, text))
        infinite = int(np.isinf(frame[name]).sum()) if name in frame else 0
        if infinite:
            where = np.isinf(frame[name]).idxmax()
            raise InputError(
                "infinite value",
                file=source,
                column=name,
                row=int(frame.loc[where, "__row__"]),
                remedy="leave the cell empty if the value is not known",
            )
    _declared_notes(study, timeline, frame, notes)
    if (sizes < periods).any():
        gaps = int((sizes < periods).sum())
        notes.append(Note("unbalanced", gaps, f"{_are(gaps)} not seen in all {periods} periods"))
    if (rows == 1).any():
        single = int((rows == 1).sum())
        notes.append(Note("singleton_units", single, f"{many(single, 'unit')} with a single row"))


def _stamp(frame: pd.DataFrame) -> str | None:
    if STAMP not in frame:
        return None
    marks = frame[STAMP].dropna().astype(str)
    marks = marks[~marks.str.strip().isin({"", "0", "0.0", "False"})]
    return str(marks.iloc[0]) if len(marks) else None
