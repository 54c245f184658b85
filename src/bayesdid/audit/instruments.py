"""First stages: F, Kleibergen-Paap and the instrument's t."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count, same_rows, size_of_t
from bayesdid.audit.finding import Finding, Outcome, compare
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Statistic

_PAAP = re.compile(r"(?:kleibergen|\bkp\b|\brk\b)", re.I)
_LM = re.compile(r"(?:\blm\b|underid)", re.I)
_MARGIN = 1.1  # of corrections for degrees of freedom


def first_stage(study: Study) -> Outcome:
    """With one instrument the first stage's F, and Kleibergen and Paap's, is the square of its t.

    Beside the second stage they are those of the first stage on the same rows.
    """
    for spec in study.specs.values():
        first = _first(study, spec)
        cell = first.column.coefficients.get(first.column.instrument or "") if first else None
        size = size_of_t(cell) if cell is not None else None
        if size is None:
            continue
        for statistic in spec.column.statistic:
            if _is_f(statistic, spec):
                value, square = Bounds.of(statistic.value), size.square()
                yield compare(
                    "first_stage",
                    f"{spec.id}:{statistic.name}",
                    "F of one instrument = t squared",
                    square,
                    value,
                    severity="warning",
                    assumptions=("there is one instrument", "F and t use the same standard errors"),
                    text=f"F = {statistic.value}, but the instrument's t squared lies between "
                    f"{square.low:.1f} and {square.high:.1f}.",
                )


def _first(study: Study, spec: Spec) -> Spec | None:
    """The first stage that a column is, or that belongs to it."""
    column = spec.column
    if column.family == "iv_first":
        return spec
    if column.family != "iv_second" or column.instrument is None:
        return None
    found = [
        other
        for other in study.specs.values()
        if other.column.family == "iv_first"
        and other.column.instrument == column.instrument
        and same_rows(study, other, spec)
    ]
    return found[0] if len(found) == 1 else None


def _words(statistic: Statistic) -> str:
    return f"{statistic.name} {statistic.label}".replace("_", " ")


def _is_f(statistic: Statistic, spec: Spec) -> bool:
    """Whether a statistic tests the instrument: one restriction, or named after its authors."""
    reference = (statistic.reference or "").replace(" ", "")
    named = bool(_PAAP.search(_words(statistic))) and not _LM.search(_words(statistic))
    return named or (reference.startswith("F(1") and spec.column.family == "iv_first")


def rank_tests(study: Study) -> Outcome:
    """Kleibergen and Paap's LM statistic is at most the number of rows, or of clusters.

    With one instrument it is s' (sum of s_g s_g')^-1 s of scores s = sum of s_g, at most their
    number by the Cauchy-Schwarz inequality (Kleibergen & Paap 2006,
    doi:10.1016/j.jeconom.2005.02.011).
    """
    for spec in study.specs.values():
        yield from _lm(spec)


def _lm(spec: Spec) -> Iterator[Finding | None]:
    column, n = spec.column, count(spec.column.n)
    clusters = column.clusters
    limit = clusters * _MARGIN if clusters is not None else n
    if limit is None or column.family not in {"iv_first", "iv_second"}:
        return
    for statistic in column.statistic:
        words = _words(statistic)
        if not (_PAAP.search(words) and _LM.search(words)):
            continue
        yield compare(
            "rank_tests",
            f"{spec.id}:{statistic.name}",
            "LM statistic at most the number of clusters, or of rows",
            Bounds.of(statistic.value),
            Bounds(0.0, limit),
            severity="contradiction",
            assumptions=("there is one instrument", "the clusters are as many as declared"),
            text=f"the LM statistic is {statistic.value}, but "
            + (f"{clusters} clusters" if clusters is not None else f"{n} rows")
            + f" allow {limit:g} at most.",
        )
