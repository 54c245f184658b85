"""Which columns of a panel a study needs, and for what."""

from __future__ import annotations

from bayesdid.study.derived import Derived, derived_of, source_column
from bayesdid.study.effects import parse_effect
from bayesdid.study.load import Study
from bayesdid.study.schema import factors_of
from bayesdid.study.terms import parse_term


def needed_columns(study: Study) -> list[str]:
    """Outcome, variables, places, every column that a spec or weights name; no policies."""
    return list(dict.fromkeys(map(source_column, _named(study))))


def derived_columns(study: Study) -> list[Derived]:
    """Functions of columns that the study names."""
    found = dict.fromkeys(map(derived_of, _named(study)))
    return [column for column in found if column is not None]


def _named(study: Study) -> list[str]:
    """What stands for a column: a name, or a function of one."""
    names = [study.file.outcome.column]
    places = (study.file.panel.longitude, study.file.panel.latitude)
    names += [name for name in (*places, *(w.column for w in study.file.weights)) if name]
    for spec in study.specs.values():
        column = spec.column
        if not spec.in_panel:
            continue
        names.append(column.outcome)
        texts = [*column.treatments, *column.covariates, *spec.option_terms]
        if column.instrument is not None:
            texts.append(column.instrument)
        keys = {study.file.panel.unit, study.file.panel.period}
        slopes = [s.column for text in column.effects for s in parse_effect(text).slopes]
        names += [name for name in slopes if name not in keys]
        if column.row_weights is not None:
            names.append(column.row_weights)
        for text in texts:
            names += [f.name for f in parse_term(text).factors if f.kind in {"column", "centred"}]
    return [*names, *(variable.column for variable in study.file.variable)]


def crossed_columns(study: Study) -> list[str]:
    """Columns whose values are levels of further effects or clusters; no keys."""
    keys = study.file.panel
    names = dict.fromkeys(name for spec in study.specs.values() for name in factors_of(spec.column))
    return [name for name in names if name not in {keys.unit, keys.period}]


def state_columns(study: Study) -> list[str]:
    """Columns that may say a state in words: indicators of policies, and parts of treatments."""
    names = [policy.indicator for policy in study.policies if policy.indicator is not None]
    for spec in study.specs.values():
        if spec.in_panel:
            factors = [f for text in spec.column.treatments for f in parse_term(text).factors]
            names += [f.name for f in factors if f.kind == "column"]
    return list(dict.fromkeys(names))


def policy_columns(study: Study) -> list[str]:
    """Of every policy the column that says when it applies."""
    return [str(policy.adoption or policy.indicator) for policy in study.policies]
