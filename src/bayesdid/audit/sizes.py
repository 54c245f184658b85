"""Numbers of observations against units, periods, arms and groups."""

from __future__ import annotations

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count
from bayesdid.audit.finding import Finding, Outcome, Severity, compare
from bayesdid.panel.adoption import arm_name
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Counts
from bayesdid.study.terms import parse_term

_WHOLE = frozenset({"twfe", "pooled", "sdm", "iv_first", "iv_second", "event_study"})
_BALANCED = "every unit of the sample is there in every period, as the column says"


def counts(study: Study) -> Outcome:
    """Arms add up to units; policies to single units; sequences to dual units."""
    design, units = study.file.design, study.file.panel.units
    names = _arm_names(study)
    arms = [_in_arm(design, name) for name in names]
    if None not in arms and units is not None:
        text = f"{' + '.join(names)} = units"
        yield _equal("counts", "design", text, sum(arm or 0 for arm in arms), units)
    if design.only and design.single is not None:
        yield _equal(
            "counts",
            "design.only",
            "single units by policy add up",
            sum(design.only.values()),
            design.single,
        )
    if design.first and design.dual is not None and design.simultaneous is not None:
        yield _equal(
            "counts",
            "design.first",
            "sequences add up to the dual units",
            sum(design.first.values()) + design.simultaneous,
            design.dual,
        )
    periods = _periods(study)
    for table in study.tables.values():
        n = count(table.n)
        for row in table.moments:
            whole = periods and units and n and n <= units * periods  # not rows within cells
            if row.column == "both" and whole and n and periods and design.dual is not None:
                treated = Bounds.of(row.mean) * Bounds.exactly(n)
                most = Bounds(0.0, float(design.dual * periods))
                yield _apart(
                    "counts",
                    f"{table.id}:{row.column}",
                    "treated rows at most treated units x periods",
                    treated,
                    most,
                    "contradiction",
                    ("the mean describes the whole panel",),
                )


def observations(study: Study) -> Outcome:
    """N of a column against its units times its periods, where the column says that it has all.

    Rows are lost, windows differ, and rows may be finer than units and periods: without
    ``rows = "all"`` n is no evidence.
    """
    periods, units = _periods(study), study.file.panel.units
    if periods is None or units is None:
        return
    for spec in study.specs.values():
        n, column = count(spec.column.n), spec.column
        if n is None or column.rows != "all":
            continue
        seen, is_known = _seen(study, spec, periods)
        expected = _units(study, spec)
        most = (expected if expected is not None else units) * seen
        yield _apart(
            "observations",
            f"{spec.id}:n",
            "n at most units x periods",
            Bounds.exactly(n),
            Bounds(0, most),
            "contradiction",
            ("each unit is seen once in each period",),
        )
        if column.family not in _WHOLE or not is_known or seen < 1:
            continue
        if expected is not None:
            yield _equal(
                "observations",
                f"{spec.id}:n",
                "n = units of the sample x periods",
                n,
                expected * seen,
                (_BALANCED, "the sample is as declared"),
            )
        elif n % seen:
            yield _equal(
                "observations",
                f"{spec.id}:n",
                "n is a multiple of the periods",
                n,
                round(n / seen) * seen,
                (_BALANCED,),
            )
        else:
            yield None


def groups(study: Study) -> Outcome:
    """Columns that split the units by a group must add up to the whole."""
    periods, units = _periods(study), study.file.panel.units
    for table in study.tables.values():
        for group in study.file.group:
            parts = [
                spec
                for spec in study.specs.values()
                if spec.table.id == table.id
                and set(spec.column.sample.groups) == {group.column}
                and spec.column.sample.arms is None
                and not spec.column.sample.has_chosen_rows
                and spec.column.outcome_lead == 0
                and spec.column.rows == "all"
            ]
            levels = [level for spec in parts for level in spec.column.sample.groups[group.column]]
            sizes = [count(spec.column.n) for spec in parts]
            complete = sorted(levels) == sorted(group.levels) and None not in sizes
            if complete and periods is not None and units is not None:
                yield _equal(
                    "groups",
                    f"{table.id} by {group.column}",
                    "groups add up to all units x periods",
                    sum(size or 0 for size in sizes),
                    units * periods,
                    ("every unit belongs to one group", _BALANCED),
                )


def _periods(study: Study) -> int | None:
    """Rows of a unit, one in each period; None if that is not declared, or rows are individuals."""
    panel = study.file.panel
    if panel.first_period is None or panel.last_period is None or panel.repeated:
        return None
    return panel.last_period - panel.first_period + 1


def _seen(study: Study, spec: Spec, periods: int) -> tuple[int, bool]:
    """Periods of a column's rows of one unit, and whether that is known.

    A window whose bounds are numbers of the declared span counts; another one, and units chosen by
    their states, leave n unknown below the bound.
    """
    sample, lead = spec.column.sample, spec.column.outcome_lead
    first, last = study.file.panel.first_period, study.file.panel.last_period
    bounds = [text for text in (sample.first, sample.last) if text is not None]
    if first is None or last is None or not bounds or sample.switchers:
        return periods - abs(lead), not sample.switchers
    if not all(text.isdecimal() and len(text) <= len(str(last)) for text in bounds):
        return periods - abs(lead), False
    low = max(first, first - lead, int(sample.first or first))
    high = min(last, last - lead, int(sample.last or last))
    return max(high - low + 1, 0), True


def _left_out(study: Study, spec: Spec) -> set[str]:
    """Keys of the units that a column's sample leaves out by key or label."""
    labels, found = study.file.panel.unit_labels, set[str]()
    for name in spec.column.sample.without:
        found |= {name} & labels.keys() or {k for k, v in labels.items() if v == name} or {name}
    return found


def _units(study: Study, spec: Spec) -> int | None:
    """Units of a column's sample by the design's counts; None if they do not say."""
    sample, design = spec.column.sample, study.file.design
    if sample.groups or spec.column.family not in _WHOLE:
        return None
    if sample.arms is None and sample.only is None and sample.sequences is None:
        units = study.file.panel.units
        return None if units is None else units - len(_left_out(study, spec))
    if sample.without:
        return None  # of which arm the units are is not said
    total = 0
    for arm in sample.arms or _arm_names(study):
        whole = _in_arm(design, arm)
        parts: list[int | None]
        if arm == "single" and sample.only is not None:
            parts = [design.only.get(policy) for policy in sample.only]
        elif arm == "dual" and sample.sequences is not None:
            parts = [
                design.simultaneous
                if name == "simultaneous"
                else design.first.get(parse_term(name).factors[0].name)
                for name in sample.sequences
            ]
        else:
            parts = [whole]
        for part in parts:
            if part is None:
                return None
            total += part
    return total


def _arm_names(study: Study) -> list[str]:
    """What units of a study may be by how many policies they adopt."""
    return [arm_name(n) for n in range(max(len(study.policies), 2) + 1)]


def _in_arm(design: Counts, arm: str) -> int | None:
    """Units of an arm; those of four and more policies are not counted."""
    counted = {"none": design.none, "single": design.single, "dual": design.dual}
    return (counted | {"triple": design.triple}).get(arm)


def _equal(
    rule: str, place: str, compared: str, left: int, right: int, assumptions: tuple[str, ...] = ()
) -> Finding | None:
    return _apart(
        rule,
        place,
        compared,
        Bounds.exactly(left),
        Bounds.exactly(right),
        "contradiction",
        assumptions,
    )


def _apart(
    rule: str,
    place: str,
    compared: str,
    left: Bounds,
    right: Bounds,
    severity: Severity,
    assumptions: tuple[str, ...],
) -> Finding | None:
    return compare(
        rule,
        place,
        compared,
        left,
        right,
        severity=severity,
        assumptions=assumptions,
        text=f"{compared}: {left.middle:g} against {right.high:g}.",
    )
