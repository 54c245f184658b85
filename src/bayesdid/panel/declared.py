"""Whether ``[panel.simulate]`` agrees with itself and with the rest of the study."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from bayesdid.exceptions import InputError, nearest_name
from bayesdid.panel.adopters import policies_of
from bayesdid.study.load import Study
from bayesdid.study.printed import number
from bayesdid.study.schema import Moments, Simulation
from bayesdid.study.terms import parse_term

MOST_ROWS = 10_000_000
_FARTHEST = 1_000_000  # a period, from zero


def check_simulation(study: Study) -> Simulation:
    """The settings of the simulation, if a panel can be made from them.

    Raises
    ------
    InputError
        Naming the field that contradicts another, or names what is not there.
    """
    settings, section = study.file.panel.simulate, study.file.panel
    if settings is None or section.units is None or section.first_period is None:
        raise InputError(
            "the study does not say how to simulate a panel",
            file=study.path / "study.toml",
            column="panel.simulate",
            remedy="add [panel.simulate], units and periods",
        )
    first, last = section.first_period, section.last_period
    if last is None or last <= first or max(abs(first), abs(last)) > _FARTHEST:
        _refuse(study, "last_period", "two periods or more are simulated", last)
    if section.units < 2 or section.units * (last - first + 1) > MOST_ROWS:
        _refuse(study, "units", f"two units or more, and {MOST_ROWS:,} rows at most", section.units)
    if settings.seed < 0:
        _refuse(study, "simulate.seed", "a seed is not negative", settings.seed)
    _check_covariates(study, settings)
    _check_counts(study, settings, section.units)
    policies = {policy.id for policy in study.policies}
    effects = {"truth": settings.truth} | settings.responses
    for name, terms in effects.items():
        for text in terms:
            for factor in parse_term(text).factors:
                for policy in factor.policies:
                    _known(study, f"simulate.{name}", policy, policies)
    return settings


def _check_covariates(study: Study, settings: Simulation) -> None:
    """Covariates are drawn from the rows of a table of moments."""
    rows: dict[str, Moments] = {}
    if settings.moments is not None:
        _known(study, "simulate.moments", settings.moments, study.tables)
        declared = {variable.column for variable in study.file.variable}
        made = study.tables[settings.moments].moments
        rows = {row.column: row for row in made if row.column in declared}
        rows.pop(study.file.outcome.column, None)
    for field, names in (("covariates", settings.covariates), ("responses", settings.responses)):
        for name in names:
            _known(study, f"simulate.{field}", name, rows)
    for name, row in rows.items():
        mean, sd = number(row.mean), number(row.sd)
        low = number(row.min) if row.min is not None else mean
        high = number(row.max) if row.max is not None else mean
        if sd <= 0 or not low <= mean <= high or (row.min == row.max is not None):
            _refuse(study, "simulate.moments", f"the moments of {name} fit no variable", row.mean)
    section = study.file.panel
    named = [
        *(section.unit, section.period, study.file.outcome.column),
        *(str(policy.adoption or policy.indicator) for policy in study.policies),
        *(*rows, *settings.other_outcomes, *settings.policies, *settings.groups),
        *([section.longitude, section.latitude] if settings.places else []),
    ]
    if twice := [name for name in named if named.count(name) > 1]:
        _refuse(study, "simulate", "two columns have one name", twice[0])


def _check_counts(study: Study, settings: Simulation, units: int) -> None:
    """Units that adopt, and units of each level: whole groups of the units that there are."""
    policies = [policy.id for policy in study.policies]
    whole = {2: ["both"]}.get(len(policies), ["all"] if len(policies) > 2 else [])
    for key, rounds in settings.adoption.items():
        of = policies_of(key, policies)
        if not set(of) <= set(policies) or (key in {"both", "all"} and key not in whole):
            _known(study, "simulate.adoption", key, [*policies, *whole])
        for when in rounds:
            parts = when.split(",")
            if len(parts) != len(of) or not all(map(_is_period, parts)):
                wanted = {1: "a period", 2: "two periods, as in '2002,2004'"}.get(
                    len(of), f"{len(of)} periods"
                )
                _refuse(study, f"simulate.adoption.{key}", f"{wanted} is expected", when)
    for name, rounds in settings.policies.items():
        for when in rounds:
            if not _is_period(when):
                _refuse(study, f"simulate.policies.{name}", "a period is expected", when)
    for field in ("adoption", "groups", "policies"):
        for name, counts in getattr(settings, field).items():
            place, total = f"simulate.{field}.{name}", sum(counts.values())
            if min(counts.values(), default=0) < 0:
                _refuse(study, place, "a count is negative", min(counts.values()))
            if field == "groups" and total != units:
                _refuse(study, place, f"the levels have {total} units of {units}", None)
            if field == "policies" and total > units:
                _refuse(study, place, f"{total} units of {units}", None)


def _is_period(text: str) -> bool:
    digits = text.strip().removeprefix("-")
    return digits.isdecimal() and len(digits) < 8


def _known(study: Study, place: str, name: str, known: Iterable[str]) -> None:
    listed = [*known]
    if name not in listed:
        near = nearest_name(name, listed)
        text = ", ".join(listed) or "none is declared"
        _refuse(study, place, "no such name", name, f"did you mean '{near}'" if near else text)


def _refuse(
    study: Study, place: str, problem: str, value: object, remedy: str = "change one of the two"
) -> NoReturn:
    raise InputError(
        f"the simulation contradicts the study: {problem}",
        file=study.path / "study.toml",
        column=f"panel.{place}",
        value=value,
        remedy=remedy,
    )
