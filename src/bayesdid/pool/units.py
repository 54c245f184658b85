"""One unit and one better side for all effects: which studies have it, what the others lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bayesdid.exceptions import InputError, Note
from bayesdid.panel.panel import Panel
from bayesdid.pool.panels import outcome_moment, own_panel
from bayesdid.study.load import Study
from bayesdid.study.printed import Printed

Scale = Literal["auto", "none", "sd", "mean"]


@dataclass(frozen=True, slots=True)
class Common:
    """A property of outcomes that pooled ones share: what is said where none is that of most."""

    of: Callable[[Study], str]
    problem: str
    remedy: str
    other: str


UNIT = Common(
    lambda study: study.file.outcome.unit,
    "outcomes in different units cannot be pooled as they stand",
    "divide by their spread (--scale sd) or mean (--scale mean), or write alike what is one unit",
    "its outcome is in {mine}, that of the others in {theirs} (--scale sd divides by its sd)",
)
SIDE = Common(
    lambda study: study.file.outcome.better,
    "outcomes of which some should rise and some fall have no common effect",
    "count effects towards the better side of each (--better)",
    "{mine} is better there, and {theirs} in the others (--better counts towards the better side)",
)


def of_most(studies: Sequence[Study], common: Common, left: dict[str, str]) -> list[Study]:
    """The studies of the property that most have; why the others are left out, in `left`."""
    counts = Counter(common.of(study) for study in studies).most_common(2)
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        raise InputError(
            common.problem,
            value="; ".join(f"{study.id}: {common.of(study)}" for study in studies),
            remedy=common.remedy,
        )
    theirs = counts[0][0]
    for study in studies:
        if common.of(study) != theirs:
            left[study.id] = common.other.format(mine=common.of(study), theirs=theirs)
    return [study for study in studies if common.of(study) == theirs]


def settled(studies: Sequence[Study], scale: Scale) -> tuple[Scale, list[Note]]:
    """What effects are divided by, and why if that was not said."""
    units = Counter(UNIT.of(study) for study in studies)
    if scale != "auto":
        return scale, []
    if 2 * max(units.values()) > len(studies):
        return "none", []
    text = (
        f"outcomes are in {len(units)} units, none of more than half: effects are divided by the "
        "sd of each outcome (--scale none, mean)"
    )
    return "sd", [Note("scale", len(studies), text)]


def size_of(study: Study, scale: Scale, panel: Panel | None) -> float:
    """What a study's effect is divided by: of the panel that it is from, else as printed.

    Of an effect from print whose outcome's moments are not printed, of the study's own panel.
    """
    if scale == "none":
        return 1.0
    outcome = study.file.outcome.column
    if scale == "mean" and "log" in study.file.outcome.unit.lower():
        raise InputError(
            "the mean of an outcome in logarithms is no size",
            file=study.path,
            value=study.file.outcome.unit,
            remedy="divide by its sd (--scale sd)",
        )
    for table in study.tables.values() if panel is None else ():
        for row in table.moments:
            text = row.sd if scale == "sd" else row.mean
            if row.column == outcome and text is not None and float(Printed.parse(text)) > 0:
                return float(Printed.parse(text))
    panel = own_panel(study).panel if panel is None else panel
    if panel is not None and (value := outcome_moment(study, panel, scale)) > 0:
        return value
    raise InputError(
        f"no table prints the {scale} of {outcome}, by which its effect would be divided",
        file=study.path,
        remedy="add its moments to a descriptive table, or pool outcomes of one unit",
    )
