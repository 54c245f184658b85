"""Cells that the audit doubts, and the study with one of them printed otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from bayesdid.audit.finding import AuditReport, Finding
from bayesdid.exceptions import InputError
from bayesdid.study.cells import LAG
from bayesdid.study.claims import Claim
from bayesdid.study.load import Study, assemble_study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Cell

_SIGN = re.compile(r"sign of (\S+) in (\S+) changed")  # as audit.identities words it


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cell that a contradiction is about.

    Attributes
    ----------
    cell
        ``table6.2:TI``.
    printed
        Its estimate.
    instead
        What it would print if the likeliest misprint were mended: the other sign, the number of
        the text. Empty if none is known.
    rules
        Of the audit.
    text
        What was found, one sentence each.
    """

    cell: str
    printed: str
    instead: str
    rules: tuple[str, ...]
    text: str

    @property
    def sentence(self) -> str:
        """Cell, finding, and what it may have been, for a reader."""
        other = f" It may have been {self.instead}." if self.instead else ""
        return f"the audit doubts {self.cell} ({self.printed}): {self.text}{other}"


def doubts(study: Study, report: AuditReport) -> dict[str, Doubt]:
    """Every cell that a contradiction is about, by reference.

    An identity that one sign, changed, would mend doubts the cell with that sign alone; another
    contradiction doubts every estimate that it names.
    """
    found: dict[str, Doubt] = {}
    for finding in report.findings:
        if finding.severity != "contradiction":
            continue
        for ref, instead in _cells(study, finding):
            cell = _estimate(study, ref)
            if cell is None:
                continue
            known = found.get(ref, Doubt(ref, cell.estimate, "", (), ""))
            texts = [known.text] if known.text else []
            if finding.text not in known.text:
                texts.append(f"{finding.text[:1].lower()}{finding.text[1:]}")
            found[ref] = replace(
                known,
                instead=known.instead or instead,
                rules=tuple(dict.fromkeys((*known.rules, finding.rule))),
                text=" ".join(texts) if not known.instead else known.text,
            )
    return found


def _cells(study: Study, finding: Finding) -> Iterator[tuple[str, str]]:
    """References of the cells that a finding is about, each with what it may have been."""
    sign = _SIGN.search(finding.text)
    if sign is not None:
        ref = f"{sign[2]}:{sign[1]}"
        cell = _estimate(study, ref)
        yield ref, "" if cell is None else _negated(cell.estimate)
        return
    if finding.place.startswith("claim "):
        claim = next((c for c in study.claims if f"claim {c.id}" == finding.place), None)
        if claim is not None and claim.comparison is not None:
            yield claim.comparison.stronger, ""
            yield claim.comparison.weaker, ""
        if claim is not None and claim.cell is not None:
            yield claim.cell, _of_text(study, claim, finding.rule)
        return
    columns, _, name = finding.place.rpartition(":")
    for column in columns.split(","):
        yield f"{column.strip()}:{name.strip()}", ""


def _of_text(study: Study, claim: Claim, rule: str) -> str:
    """What a cell would print if the text were right about it."""
    cell = _estimate(study, str(claim.cell))
    if cell is None:
        return ""
    if rule == "directions":
        return _negated(cell.estimate)
    if rule != "values" or claim.value is None:
        return ""
    printed = Printed.parse(cell.estimate)
    value = abs(Printed.parse(claim.value).value) / Decimal(str(claim.scale))
    return f"{'-' if printed.value < 0 else ''}{value.normalize():f}{printed.mark}"


def _negated(text: str) -> str:
    """A printed number with the other sign."""
    bare = text.strip()
    return f"-{bare}" if Printed.parse(bare).value > 0 else bare.lstrip("-−‐‑–")


def _estimate(study: Study, ref: str) -> Cell | None:
    """The cell of an estimate; None of another number, or of none."""
    if ref.endswith(".se"):
        return None
    try:
        return study.cell(ref).cell
    except InputError:
        return None


def instead(study: Study, doubt: Doubt) -> Study:
    """The study with a doubted cell printed as its doubt says.

    Raises
    ------
    ValueError
        If the doubt knows of nothing else.
    """
    if not doubt.instead:
        raise ValueError(f"nothing is known that {doubt.cell} may have been")
    place, _, name = doubt.cell.partition(":")
    table_id, _, column_id = place.partition(".")
    table, other = study.tables[table_id], {"estimate": doubt.instead}
    columns = []
    for column in table.column:
        if column.id == column_id:
            groups = {
                "coefficients": {**column.coefficients},
                "scalars": {**column.scalars},
                "spatial_lags": {**column.spatial_lags},
            }
            group = "spatial_lags" if name.startswith(LAG) else "coefficients"
            group = "scalars" if name in column.scalars else group
            key, _, part = name.removeprefix(LAG).rpartition(".")
            if key in column.impacts and part in {"direct", "indirect", "total"}:
                cell = getattr(column.impacts[key], part).model_copy(update=other)
                effects = column.impacts[key].model_copy(update={part: cell})
                impacts = {**column.impacts, key: effects}
                columns.append(column.model_copy(update={"impacts": impacts}))
                continue
            term = name.removeprefix(LAG)
            cell = groups[group][term].model_copy(update=other)
            groups[group][term] = cell
            columns.append(column.model_copy(update=groups))
        else:
            columns.append(column)
    tables = {**study.tables, table_id: table.model_copy(update={"column": tuple(columns)})}
    return assemble_study(study.path, study.file, tables, study.claims, trust=study.trust)
