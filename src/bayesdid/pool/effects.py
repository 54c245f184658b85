"""What each study gives to a pool: an effect, its standard error, and what is doubtful about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from scipy.stats import norm

from bayesdid.audit.run import audit_study
from bayesdid.exceptions import InputError
from bayesdid.published.synergy import published_synergy
from bayesdid.study.fields import ends
from bayesdid.study.load import Study
from bayesdid.study.printed import Printed


@dataclass(frozen=True, slots=True)
class StudyEffect:
    """One study's effect.

    Attributes
    ----------
    study
        Its id.
    source
        The cell, or the contrast of its printed columns.
    estimate, se
        In the pool's unit.
    independent
        Whether the standard error supposes independent errors (``se_kind = "iid"``).
    doubts
        Rules of the audit whose contradictions name the cell, its column, or a claim about it.
    p
        Two-sided p-value of estimate and standard error by the normal distribution, as the model of
        selection has it.
    """

    study: str
    source: str
    estimate: float
    se: float
    independent: bool
    doubts: tuple[str, ...]
    p: float


@dataclass(frozen=True, slots=True)
class Gathered:
    """Effects that can be pooled, and the studies that cannot.

    Attributes
    ----------
    effects
        In the order of their studies.
    left_out
        Study -> why it is not pooled with the others.
    unit
        What the outcomes of the pooled studies are measured in, before they are divided.
    """

    effects: tuple[StudyEffect, ...]
    left_out: dict[str, str]
    unit: str


def study_effects(
    studies: Sequence[Study],
    cells: Mapping[str, str],
    contrast: str | None,
    scale: str,
    *,
    better: bool = False,
) -> Gathered:
    """The effect of each study, and which studies have none that can be pooled with the others'.

    A study that lacks the contrast, or whose outcome is in another unit or better on another side
    than that of most of the others, is left out; where no side or unit is that of most, nothing is
    pooled. A cell that is named and is no such effect is an error.

    Parameters
    ----------
    cells
        Study id -> reference of a printed cell, ``table2.5:both``.
    contrast
        For studies without a cell: a contrast of their printed columns, ``both - none``.
    scale
        ``none``: outcomes must have one unit; ``sd``: divided by the outcome's printed sd;
        ``mean``: by its printed mean.
    better
        Whether effects are counted towards the better side of their outcome: positive is better.

    Raises
    ------
    InputError
        If no study has such an effect, a named cell is none, or as many studies have one unit
        under ``none``, or one better side if effects are not counted so, as another.
    """
    ids = [study.id for study in studies]
    if unknown := [name for name in cells if name not in ids]:
        raise InputError(
            "a cell of a study that is not pooled",
            value=unknown[0],
            remedy=f"use one of {', '.join(ids)}",
        )
    if not cells and contrast is None and len(studies) > 1:
        raise InputError(
            "neither a cell nor a contrast says which effect is pooled",
            remedy=f"name a cell of each study, such as {' '.join(_cell_options(studies))}, "
            "or --contrast",
        )
    found: dict[str, StudyEffect] = {}
    left: dict[str, str] = {}
    first: InputError | None = None
    for study in studies:
        measured = False
        try:
            unit = _unit(study, scale)
            measured = True
            found[study.id] = _effect(study, cells.get(study.id), contrast, unit)
        except InputError as error:
            if measured and study.id in cells:
                raise
            first = first or error
            left[study.id] = error.problem
    if first is not None and not found:
        raise first
    kept = [study for study in studies if study.id in found]
    if scale == "none":
        kept = _of_most(kept, _UNIT, left)
    if not better:
        kept = _of_most(kept, _SIDE, left)
    effects = [found[study.id] for study in kept]
    turn = [better and study.file.outcome.better == "lower" for study in kept]
    return Gathered(
        tuple(
            replace(one, estimate=-one.estimate) if turned else one
            for one, turned in zip(effects, turn, strict=True)
        ),
        {study.id: left[study.id] for study in studies if study.id in left},
        kept[0].file.outcome.unit,
    )


@dataclass(frozen=True, slots=True)
class _Common:
    """A property of outcomes that pooled ones share: what is said where none is that of most."""

    of: Callable[[Study], str]
    problem: str
    remedy: str
    other: str


_UNIT = _Common(
    lambda study: study.file.outcome.unit,
    "outcomes in different units cannot be pooled as they stand",
    "divide by their printed spread (--scale sd) or mean (--scale mean)",
    "its outcome is in {mine}, that of the others in {theirs} (--scale sd divides by its sd)",
)
_SIDE = _Common(
    lambda study: study.file.outcome.better,
    "outcomes of which some should rise and some fall have no common effect",
    "count effects towards the better side of each (--better)",
    "{mine} is better there, and {theirs} in the others (--better counts towards the better side)",
)


def _of_most(studies: Sequence[Study], common: _Common, left: dict[str, str]) -> list[Study]:
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


def _effect(study: Study, ref: str | None, contrast: str | None, unit: float) -> StudyEffect:
    if ref is None and contrast is None:
        raise InputError(
            "no cell and no contrast of this study",
            file=study.path,
            remedy=f"give --cell {study.id}=TABLE.COLUMN:TERM, {_such_as(study)}, or --contrast",
        )
    if ref is None:
        found = published_synergy(study).contrasts
        if contrast not in found:
            raise InputError(
                "the printed columns do not give this contrast",
                file=study.path,
                value=contrast,
                remedy=f"use one of {', '.join(found) or '(none)'}, or name a cell",
            )
        main = found[str(contrast)].main
        refs = found[str(contrast)].cells
        independent = any(_independent(study, cell) for cell in refs)
        p = 2 * min(main.p_negative, 1 - main.p_negative)
        doubts = tuple(dict.fromkeys(rule for cell in refs for rule in _doubts(study, cell)))
        return StudyEffect(
            study.id, str(contrast), main.mean / unit, main.sd / unit, independent, doubts, p
        )
    cell = study.cell(ref)
    if cell.cell is None:
        raise InputError("no estimate stands there", file=study.path, value=ref, remedy="name one")
    se = _se(study, ref)
    if se is None or se <= 0:
        raise InputError(
            "no standard error can be had of this cell",
            file=study.path,
            value=ref,
            remedy="choose a cell with a standard error, a t statistic or an interval",
        )
    spec = study[ref.partition(":")[0]]
    if spec.column.outcome != study.file.outcome.column:
        raise InputError(
            f"a cell about {spec.column.outcome}, and the study's outcome is "
            f"{study.file.outcome.column}",
            file=study.path,
            value=ref,
            remedy=f"choose a column on the outcome, {_such_as(study)}",
        )
    if spec.column.printed_as == "ratio":
        raise InputError(
            "a ratio is no difference, and is not pooled with one",
            file=study.path,
            value=ref,
            remedy="type its logarithm and the standard error of that as a coefficient",
        )
    value = float(cell.value.value)
    p = float(2 * norm.sf(abs(value) / se))
    independent, doubts = _independent(study, ref), _doubts(study, ref)
    return StudyEffect(study.id, ref, value / unit, se / unit, independent, doubts, p)


def _se(study: Study, ref: str) -> float | None:
    cell = study.cell(ref)
    if cell.se is not None:
        return float(cell.se.value)
    if cell.cell is not None and cell.cell.t is not None:
        t = float(Printed.parse(cell.cell.t))
        return abs(float(cell.value.value) / t) if t else None
    if cell.cell is not None and cell.cell.interval is not None:
        low, high = (float(end) for end in ends(cell.cell.interval))
        level = study[ref.partition(":")[0]].column.interval_level or 0.95
        return (high - low) / 2 / float(norm.isf((1 - level) / 2))
    return None


def _cell_options(studies: Sequence[Study]) -> list[str]:
    """A cell of each study that prints one, as options of the command."""
    cells = {study.id: _some_cell(study) for study in studies}
    return [f"--cell {study}={cell}" for study, cell in cells.items() if cell]


def _such_as(study: Study) -> str:
    """A cell of a treatment on the study's outcome, for a remedy."""
    return f"such as {_some_cell(study) or '(no table prints one)'}"


def _some_cell(study: Study) -> str:
    found = (
        f"{spec.id}:{name}"
        for spec in study.specs.values()
        for name in spec.column.treatments
        if spec.column.outcome == study.file.outcome.column and name in spec.column.coefficients
    )
    return next(found, "")


def _independent(study: Study, ref: str) -> bool:
    return study[ref.partition(":")[0]].column.se_kind == "iid"


def _doubts(study: Study, ref: str) -> tuple[str, ...]:
    """Rules whose contradictions are about the cell or its column, or a claim about it."""
    column = ref.partition(":")[0]
    claims = {f"claim {claim.id}" for claim in study.claims if claim.cell == ref}
    found = []
    for finding in audit_study(study).findings:
        places = [part.strip() for part in finding.place.split(",")]
        named = ref in places or column in places or bool(claims & set(places))
        if finding.severity == "contradiction" and named:
            found.append(finding.rule)
    return tuple(dict.fromkeys(found))


def _unit(study: Study, scale: str) -> float:
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
    for table in study.tables.values():
        for row in table.moments:
            text = row.sd if scale == "sd" else row.mean
            if row.column == outcome and text is not None and float(Printed.parse(text)) > 0:
                return float(Printed.parse(text))
    raise InputError(
        f"no table prints the {scale} of {outcome}",
        file=study.path,
        remedy="add its moments to a descriptive table, or pool outcomes of one unit",
    )
