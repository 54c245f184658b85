"""What each study gives to a pool: an effect, its standard error, and what is doubtful about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def study_effects(
    studies: Sequence[Study],
    cells: Mapping[str, str],
    contrast: str | None,
    scale: str,
    *,
    better: bool = False,
) -> tuple[StudyEffect, ...]:
    """The effect of each study.

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
        If a study has no such effect, units differ under ``none``, or outcomes are better on
        different sides and effects are not counted so.
    """
    ids = [study.id for study in studies]
    if unknown := [name for name in cells if name not in ids]:
        raise InputError(
            "a cell of a study that is not pooled",
            value=unknown[0],
            remedy=f"use one of {', '.join(ids)}",
        )
    units = {study.file.outcome.unit for study in studies}
    if scale == "none" and len(units) > 1:
        raise InputError(
            "outcomes in different units cannot be pooled as they stand",
            value="; ".join(sorted(units)),
            remedy="divide by their printed spread (--scale sd) or mean (--scale mean)",
        )
    sides = {study.file.outcome.better for study in studies}
    if len(sides) > 1 and not better:
        raise InputError(
            "outcomes of which some should rise and some fall have no common effect",
            value="; ".join(f"{s.id}: {s.file.outcome.better} is better" for s in studies),
            remedy="count effects towards the better side of each (--better)",
        )
    found = (_effect(study, cells.get(study.id), contrast, scale) for study in studies)
    turn = [better and study.file.outcome.better == "lower" for study in studies]
    return tuple(
        replace(one, estimate=-one.estimate) if turned else one
        for one, turned in zip(found, turn, strict=True)
    )


def _effect(study: Study, ref: str | None, contrast: str | None, scale: str) -> StudyEffect:
    if ref is None and contrast is None:
        raise InputError(
            "no cell and no contrast of this study",
            file=study.path,
            remedy=f"give --cell {study.id}=TABLE.COLUMN:TERM, {_such_as(study)}, or --contrast",
        )
    unit = _unit(study, scale)
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


def _such_as(study: Study) -> str:
    """A cell of a treatment on the study's outcome, for a remedy."""
    found = (
        f"{spec.id}:{name}"
        for spec in study.specs.values()
        for name in spec.column.treatments
        if spec.column.outcome == study.file.outcome.column and name in spec.column.coefficients
    )
    return f"such as {next(found, '(no table prints one)')}"


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
