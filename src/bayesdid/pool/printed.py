"""What a study's printed tables give to a pool."""

from __future__ import annotations

from collections.abc import Iterator

from scipy.stats import norm

from bayesdid.audit.doubts import doubts
from bayesdid.audit.mediation import printed_mediations
from bayesdid.audit.run import audit_study
from bayesdid.exceptions import InputError
from bayesdid.pool.asked import ATT, INDIRECT, SYNERGY, contrast_of
from bayesdid.pool.effect import StudyEffect
from bayesdid.published.synergy import published_cells, published_synergy
from bayesdid.study.fields import ends
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.terms import parse_term

_STATES = ("active", "only", "all", "any")  # of one policy all say the same


def printed_effect(study: Study, asked: str) -> StudyEffect:
    """The asked effect as the printed tables have it.

    Contrasts are had from the cells that ``[synergy]`` names, inverted; without such, the effect of
    the only policy from the first column that prints it alone.

    Raises
    ------
    InputError
        If they have none.
    """
    if asked == INDIRECT:
        return _indirect(study)
    if published_cells(study):
        return _inverted(study, asked)
    alone = [f"only:{policy.id} - none" for policy in study.policies]
    if asked == ATT or alone == [asked]:
        return cell_effect(study, _only_effect(study))
    if asked == SYNERGY and len(study.policies) < 2:
        raise InputError(
            f"{'one policy has' if study.policies else 'without policies it has'} no sum",
            file=study.path,
        )
    raise InputError(
        "the study names no published cells for its contrasts",
        file=study.path / "study.toml",
        column="synergy",
        remedy=f"fill [synergy], or name a cell, {such_as(study)}",
    )


def _inverted(study: Study, asked: str) -> StudyEffect:
    found = published_synergy(study).contrasts
    name = contrast_of(asked, study, found)
    if not name:
        raise InputError(
            "the printed columns do not give this contrast",
            file=study.path,
            value=asked,
            remedy=f"use one of {', '.join(found) or '(none)'}, or name a cell",
        )
    main, refs = found[name].main, found[name].cells
    return StudyEffect(
        study.id,
        name,
        "printed columns",
        main.mean,
        main.sd,
        any(_independent(study, ref) for ref in refs),
        tuple(dict.fromkeys(rule for ref in refs for rule in _doubts(study, ref))),
        2 * min(main.p_negative, 1 - main.p_negative),
    )


def _indirect(study: Study) -> StudyEffect:
    """The first indirect effect whose two columns are printed on one sample."""
    doubted = doubts(study, audit_study(study))
    found = printed_mediations(study, doubted)
    if not found:
        raise InputError("no columns on one sample print an indirect effect", file=study.path)
    one, refs = found[0], (found[0].first, found[0].second)
    rules = tuple(dict.fromkeys(rule for ref in one.doubted for rule in doubted[ref].rules))
    p = one.indirect.p_negative
    return StudyEffect(
        study.id,
        f"{one.first} x {one.second}",
        "printed columns",
        one.indirect.mean,
        one.indirect.sd,
        any(_independent(study, ref) for ref in refs),
        rules,
        2 * min(p, 1 - p),
    )


def _only_effect(study: Study) -> str:
    """The first cell of the only policy, or of the only treatment of a study without policies."""
    cells = [(spec, name) for spec, name in _alone(study) if not spec.column.outcome_lead]
    if len(study.policies) > 1:
        raise InputError(
            "it has several policies, and [synergy] of study.toml names no printed cells",
            file=study.path,
        )
    if study.policies:
        cells = [(spec, name) for spec, name in cells if _is_of_policy(study, name)]
        if not cells:
            raise InputError("no column prints its policy alone", file=study.path)
    elif len(_treatments(study)) != 1 or not cells:
        raise InputError(
            "it declares no policy, and its columns have not one treatment: name the cell that is "
            f"meant, --cell {study.id}=TABLE.COLUMN:TERM, {such_as(study)}",
            file=study.path,
        )
    spec, name = cells[0]
    return f"{spec.id}:{name}"


def _alone(study: Study) -> Iterator[tuple[Spec, str]]:
    """Columns on the outcome with one treatment, where its estimate has a standard error."""
    for spec in study.specs.values():
        column = spec.column
        if column.outcome != study.file.outcome.column or column.printed_as == "ratio":
            continue
        for name in column.treatments if len(column.treatments) == 1 else ():
            if name in column.coefficients and _se(study, f"{spec.id}:{name}"):
                yield spec, name


def _treatments(study: Study) -> set[str]:
    """Treatments of all columns on the outcome."""
    columns = [spec.column for spec in study.specs.values()]
    outcome = study.file.outcome.column
    return {name for one in columns if one.outcome == outcome for name in one.treatments}


def _is_of_policy(study: Study, term: str) -> bool:
    """Whether a term is the state of the study's only policy."""
    (policy,) = study.policies
    factors = parse_term(term).factors
    if len(factors) != 1 or factors[0].event:
        return False
    (factor,) = factors
    return factor.kind in _STATES or (factor.kind == "column" and factor.name == policy.indicator)


def cell_effect(study: Study, ref: str) -> StudyEffect:
    """A printed cell on the study's outcome.

    Raises
    ------
    InputError
        If it is no such estimate, or no standard error can be had.
    """
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
            remedy=f"choose a column on the outcome, {such_as(study)}",
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
    independent, doubted = _independent(study, ref), _doubts(study, ref)
    return StudyEffect(study.id, ref, "printed cell", value, se, independent, doubted, p)


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


def such_as(study: Study) -> str:
    """A cell of a treatment on the study's outcome, for a remedy."""
    return f"such as {some_cell(study) or '(no table prints one)'}"


def some_cell(study: Study) -> str:
    """The first cell of a treatment on the study's outcome; "" of none."""
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
