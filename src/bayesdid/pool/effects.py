"""What each study gives to a pool: an effect, its standard error, and what is doubtful about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bayesdid.audit.below import p_of
from bayesdid.audit.run import audit_study
from bayesdid.exceptions import InputError
from bayesdid.published.synergy import published_synergy
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
        Two-sided p-value of the printed numbers.
    """

    study: str
    source: str
    estimate: float
    se: float
    independent: bool
    doubts: tuple[str, ...]
    p: float


def study_effects(
    studies: Sequence[Study], cells: Mapping[str, str], contrast: str | None, scale: str
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

    Raises
    ------
    InputError
        If a study has no such effect, or units differ under ``none``.
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
    return tuple(_effect(study, cells.get(study.id), contrast, scale) for study in studies)


def _effect(study: Study, ref: str | None, contrast: str | None, scale: str) -> StudyEffect:
    if ref is None and contrast is None:
        raise InputError(
            "no cell and no contrast of this study",
            file=study.path,
            remedy=f"give --cell {study.id}=TABLE.COLUMN:TERM, or --contrast",
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
            remedy="choose a cell with a standard error, or a t statistic",
        )
    spec = study[ref.partition(":")[0]]
    bounds = p_of(study, spec, cell.cell)
    p = 1.0 if bounds is None else bounds.middle
    value = float(cell.value.value)
    independent, doubts = _independent(study, ref), _doubts(study, ref)
    return StudyEffect(study.id, ref, value / unit, se / unit, independent, doubts, p)


def _se(study: Study, ref: str) -> float | None:
    cell = study.cell(ref)
    if cell.se is not None:
        return float(cell.se.value)
    if cell.cell is not None and cell.cell.t is not None:
        t = float(Printed.parse(cell.cell.t))
        return abs(float(cell.value.value) / t) if t else None
    return None


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
