"""A study folder from a panel file: what was guessed, with the reasons as comments."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bayesdid.design.build import build_design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.event_study import EventStudyOptions
from bayesdid.families.event_study.analysis import require_window, times_of
from bayesdid.families.registry.load import load_study
from bayesdid.front.guess import (
    LATITUDE,
    LONGITUDE,
    Guess,
    Keys,
    guess_covariates,
    guess_groups,
    guess_keys,
    guess_outcome,
    is_number,
    within,
)
from bayesdid.front.guess_policies import guess_policies
from bayesdid.front.proposal import Proposal
from bayesdid.front.study_text import columns_of_specs, say_treatments, specs_text, study_text
from bayesdid.panel.frames import Columns, columns_of
from bayesdid.panel.load import load_panel
from bayesdid.panel.panel import Panel
from bayesdid.panel.stata import variable_labels
from bayesdid.panel.totals import without_named
from bayesdid.study.derived import quoted
from bayesdid.study.formula import parse_parts
from bayesdid.study.load import Spec
from bayesdid.study.terms import parse_term

STUDY, SPECS = "study.toml", "specs.toml"
MOST_CELLS = 300  # effects of a cohort model, beyond which its sampler takes minutes and more


def propose(
    file: Path,
    *,
    unit: str | None = None,
    time: str | None = None,
    outcome: str | None = None,
    policies: Mapping[str, str] | None = None,
    doses: Sequence[str] | None = None,
    covariates: Sequence[str] | None = None,
    exposure: str | None = None,
    missing_marks: Sequence[str] = (),
    sheet: str | None = None,
) -> Proposal:
    """Inspect a panel file; whatever is named is taken as said.

    A dose is a column of numbers that is a treatment as high as it stands. Where one is named,
    only named policies stand beside it.

    Raises
    ------
    InputError
        If keys, outcome or policies are not found, or a named column is not there.
    """
    raw = columns_of(file, (unit or "", time or ""), sheet=sheet, marks=missing_marks)
    named = [name for name in (unit, time, outcome, exposure) if name is not None]
    raw.require([*named, *(policies or {}).values(), *(doses or ()), *(covariates or ())])
    parse_parts(map(quoted, (*(doses or ()), *(covariates or ()))))
    frame, labels = raw.frame, variable_labels(file)
    try:
        keys = guess_keys(frame, labels, unit, time)
        kept, totals = without_named(_states_by_code(raw, keys.unit.name), keys.unit.name, [])
        if totals:
            keys = guess_keys(kept, labels, unit, time)
        frame = kept
        sizes = [_dose(frame, name, keys) for name in doses or ()]
        found, left = (
            ([], [])
            if sizes and not policies
            else guess_policies(frame, labels, keys, policies or {})
        )
        places = _coordinates(frame)
        taken = {keys.unit.name, keys.period.name, *(p.column for p in found), *(places or ())}
        taken |= {guess.name for guess in (*left, *sizes)} | ({exposure} if exposure else set())
        own = Guess(outcome, "named") if outcome else guess_outcome(frame, labels, keys, taken)
        counted = _is_count(frame[own.name])
        if exposure:
            _require_exposure(frame, own.name, exposure, counted=counted)
        groups = guess_groups(frame, keys.unit.name, taken)
        known = taken | {guess.name for guess in groups}
        chosen, others = guess_covariates(frame, labels, keys, own.name, known)
    except InputError as error:
        error.file = str(file)
        raise
    if covariates is not None:
        chosen = [Guess(name, "named") for name in covariates]
    left += [guess for guess in others if guess.name not in {g.name for g in chosen}]
    kept = {own.name, *(guess.name for guess in chosen)}
    left = [guess for guess in left if guess.name not in kept]
    return Proposal(
        keys,
        own,
        tuple(found),
        tuple(sizes),
        tuple(chosen),
        tuple(groups),
        places,
        labels,
        tuple(left),
        counted,
        exposure,
        tuple(missing_marks),
        sheet,
    )


def _dose(frame: pd.DataFrame, name: str, keys: Keys) -> Guess:
    """A named dose, with its range."""
    if not is_number(frame, name) or not within(frame, keys.unit.name, name):
        raise InputError(
            "a dose is a number that changes within units",
            column=name,
            remedy="name another column with --treatment; a period of adoption or a state that is "
            "turned on is a --policy",
        )
    low, high = frame[name].min(), frame[name].max()
    return Guess(name, f"named; from {low:g} to {high:g}, it changes within units")


def _is_count(values: pd.Series) -> bool:
    """Whether all are whole numbers from 0 on, and more than a 0/1."""
    if not pd.api.types.is_numeric_dtype(values):
        return False
    told = values.dropna()
    return bool((told >= 0).all() and (told == told.round()).all() and told.max() > 1)


def _require_exposure(frame: pd.DataFrame, outcome: str, name: str, *, counted: bool) -> None:
    if not counted:
        raise InputError(
            "an exposure is that of counts, and the outcome holds none: whole numbers from 0 on",
            column=outcome,
            remedy="name the counts with --outcome, or leave --exposure out",
        )
    if not is_number(frame, name) or not (frame[name].dropna() > 0).all():
        raise InputError(
            "an exposure is a number above 0 in every row", column=name, remedy="name another one"
        )


def _states_by_code(raw: Columns, unit: str) -> pd.DataFrame:
    """The columns, labelled ones that turn between 0 and 1 within units by their codes.

    A state that Stata labels 否 and 是 is read by code when its study is loaded; a group of units
    keeps its labels.
    """
    states = {
        name: raw.numbers(name)
        for name in raw.codes.columns
        if set(raw.numbers(name).dropna().unique()) <= {0, 1} and within(raw.frame, unit, name)
    }
    return raw.frame.assign(**states)


def _coordinates(frame: pd.DataFrame) -> tuple[str, str] | None:
    found = [
        next((n for n in frame.columns if re.match(pattern, n, re.IGNORECASE)), None)
        for pattern in (LONGITUDE, LATITUDE)
    ]
    return (found[0], found[1]) if found[0] and found[1] else None


def write_study(proposal: Proposal, file: Path, folder: Path) -> dict[str, str]:
    """Write the study folder, the panel copied into it, and keep the specs that it identifies.

    Returns
    -------
    dict of str to str
        Spec -> why it is commented out: the panel does not identify it, or it takes long.

    Raises
    ------
    InputError
        If the folder exists, or the panel does not fit what was proposed.
    """
    if folder.exists():
        raise InputError(
            "there is a folder of this name already",
            file=str(folder),
            remedy="give another name, or remove it; nothing was changed",
        )
    written, part = columns_of_specs(proposal), folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        copy = f"panel{file.suffix.lower()}"
        shutil.copyfile(file, part / copy)
        text = study_text(proposal, folder.name, file.name, copy)
        (part / STUDY).write_text(text, encoding="utf-8")
        (part / SPECS).write_text(specs_text(written, {}), encoding="utf-8")
        loaded = load_study(part)
        panel = load_panel(loaded)
        lost: dict[str, str] = {}
        for name in written:
            spec = loaded[f"specs.{name}"]
            if spec.column.family == "cohort" and (cells := _cells(spec, panel)) > MOST_CELLS:
                lost[name] = (
                    f"{cells} effects, one for each cohort and period, take minutes and more; the "
                    "event study has the same rows. Uncomment it if it is worth them"
                )
            if spec.column.family not in {"twfe", "event_study"}:
                continue
            try:
                design = build_design(spec, panel)
                if spec.column.family == "event_study":
                    require_window(spec.id, times_of(design), EventStudyOptions().reference)
            except InputError as error:
                if (kept := _without_products(spec, panel, error)) is not None:
                    say_treatments(written[name], kept, str(error.column))
                    continue
                about = f" ({error.column})" if error.column else ""
                remedy = str(error.remedy)
                why = f"this panel does not identify it: {error.problem}{about}"
                lost[name] = f"{why}. {remedy[:1].upper()}{remedy[1:]}"
        (part / SPECS).write_text(specs_text(written, lost), encoding="utf-8")
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return lost


def _cells(spec: Spec, panel: Panel) -> int:
    """Treated cohorts in their periods: what the cohort model has effects of."""
    (policy,) = parse_term(spec.column.treatments[0]).factors[0].policies
    starts = panel.adoption[policy].dropna().unique()
    return int(sum((panel.periods >= start).sum() for start in starts))


def _without_products(spec: Spec, panel: Panel, error: InputError) -> tuple[str, ...] | None:
    """Treatments of a spec without the products that the panel does not identify, if that helps.

    Of two policies their product is the question, and nothing stands in its place.
    """
    given = spec.column.treatments
    bad = {name.strip() for name in (error.column or "").split(",")}
    if not isinstance(error, NotIdentifiedError) or sum("*" in term for term in given) < 2:
        return None
    if not bad <= {term for term in given if "*" in term}:
        return None
    kept = tuple(term for term in given if term not in bad)
    column = spec.column.model_copy(update={"treatments": kept})
    try:
        build_design(replace(spec, column=column), panel)
    except InputError:
        return None
    return kept
