"""A study folder from a panel file: what was guessed, with the reasons as comments."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    GroupGuess,
    Guess,
    Keys,
    guess_covariates,
    guess_groups,
    guess_keys,
    guess_outcome,
    is_number,
    within,
)
from bayesdid.front.guess_policies import PolicyGuess, guess_policies
from bayesdid.front.policies import products_told
from bayesdid.notebook import many
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


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a panel file seems to be about.

    Attributes
    ----------
    doses
        Treatments that are columns of numbers, each as high as a unit has it in a period.
    counts, exposure
        Whether the outcome holds counts, and the column of what they are out of.
    labels
        Column -> its label in the file.
    left
        Columns that are nothing of these, with the reason.
    missing_marks
        Cells that mean not known, as the user says.
    sheet
        Of a workbook, if it was named.
    """

    keys: Keys
    outcome: Guess
    policies: tuple[PolicyGuess, ...]
    doses: tuple[Guess, ...]
    covariates: tuple[Guess, ...]
    groups: tuple[GroupGuess, ...]
    coordinates: tuple[str, str] | None
    labels: Mapping[str, str]
    left: tuple[Guess, ...]
    counts: bool = False
    exposure: str | None = None
    missing_marks: tuple[str, ...] = ()
    sheet: str | None = None

    def rows(self) -> list[tuple[str, str, str]]:
        """Role, column and reason of every column, for a table."""
        found = [
            ("unit", self.keys.unit.name, self.keys.unit.reason),
            ("period", self.keys.period.name, self.keys.period.reason),
            ("outcome", self.outcome.name, self.outcome.reason),
            *(("policy", p.column, p.reason) for p in self.policies),
            *(("dose", g.name, g.reason) for g in self.doses),
            *([("exposure", self.exposure, "named")] if self.exposure else []),
            *(("covariate", g.name, g.reason) for g in self.covariates),
            *(("group", g.name, g.reason) for g in self.groups),
        ]
        if self.coordinates:
            found += [("coordinate", name, "by its name") for name in self.coordinates]
        return found + [("left out", g.name, g.reason) for g in self.left]


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
    columns, part = _columns(proposal), folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        copy = f"panel{file.suffix.lower()}"
        shutil.copyfile(file, part / copy)
        text = _study_text(proposal, folder.name, file.name, copy)
        (part / STUDY).write_text(text, encoding="utf-8")
        (part / SPECS).write_text(_specs_text(columns, {}), encoding="utf-8")
        loaded = load_study(part)
        panel = load_panel(loaded)
        lost: dict[str, str] = {}
        for name in columns:
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
                    _say_treatments(columns[name], kept, str(error.column))
                    continue
                about = f" ({error.column})" if error.column else ""
                remedy = str(error.remedy)
                why = f"this panel does not identify it: {error.problem}{about}"
                lost[name] = f"{why}. {remedy[:1].upper()}{remedy[1:]}"
        (part / SPECS).write_text(_specs_text(columns, lost), encoding="utf-8")
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


def _say_treatments(lines: list[str], kept: Sequence[str], without: str) -> None:
    place = next(k for k, line in enumerate(lines) if line.startswith("treatments = "))
    lines[place] = (
        f"treatments = [{', '.join(map(_text, kept))}]  # this panel does not identify "
        f"{_line(without)}"
    )


def _columns(p: Proposal) -> dict[str, list[str]]:
    """Lines of the columns of ``specs.toml``, by id."""
    covariates = '"@controls"' if p.covariates else ""
    ids = [policy.id for policy in p.policies]
    states = [f"active:{name}" for name in ids]
    found: dict[str, list[str]] = {}

    def add(name: str, label: str, family: str, treatments: Sequence[str], *more: str) -> None:
        found[name] = [
            f"id = {_text(name)}",
            f"label = {_text(label)}",
            f"outcome = {_text(p.outcome.name)}",
            f"family = {_text(family)}",
            *([f"treatments = [{', '.join(map(_text, treatments))}]"] if treatments else []),
            *more,
        ]

    told, _ = products_told({policy.id: policy.on for policy in p.policies})
    if len(ids) == 2:  # of two it is the question, and stands as a comment if no row tells it
        told = [tuple(ids)]
    products = [" * ".join(f"active:{name}" for name in of) for of in told if len(of) > 1]
    doses = [quoted(guess.name) for guess in p.doses]
    main = [*states, *products, *doses]
    control = (f"covariates = [{covariates}]",) if covariates else ()
    add("main", "Two-way effects", "twfe", main, *control)
    if covariates:
        add("plain", "Without covariates", "twfe", main)
    for policy, state in zip(p.policies, states, strict=True):
        if not policy.lasting:
            continue  # every unit that adopts it reverses it
        more = f"_{policy.id}" if len(ids) > 1 else ""
        add(f"event{more}", f"Event study of {policy.label}", "event_study", [state], *control)
        add(f"cohort{more}", f"By cohort, {policy.label}", "cohort", [state], *control)
    followed = [*states, *doses][:1]
    for k, group in enumerate(p.groups):
        options = f"options = {{ groups = [{_text(group.name)}] }}"
        own = "by_" + re.sub(r"[^\w-]+", "_", group.name)
        own += f"_{k + 1}" if own in found else ""
        add(own, f"By {group.name}", "heterogeneity", followed, *control, options)
    if p.counts:
        out_of = f", exposure = {_text(p.exposure)}" if p.exposure else ""
        options = (
            f'options = {{ models = ["ar1", "negative_binomial"], counts = {_text(p.outcome.name)}'
            f"{out_of} }}"
        )
        last = [*doses, *states][:1]
        add("counts", "As counts, negative binomial", "errors", last, *control, options)
    elif doses:
        add("errors", "Other models of the errors", "errors", doses, *control)
    if len(ids) > 1 and all(policy.lasting for policy in p.policies):
        add("synergy", "Effects by state, and their synergy", "overlap", [], *control)
    return found


def _specs_text(columns: Mapping[str, list[str]], lost: Mapping[str, str]) -> str:
    """``specs.toml``; what the panel does not identify, or is large, stands in it as comments."""
    lines = [
        "# What is fitted. Each [[column]] is one spec; delete, change or add some.",
        "# Families and their options: bayesdid families",
        'id = "specs"',
        'title = "Specifications"',
        'place = "Fitted here; not published"',
        'kind = "regression"',
        "",
    ]
    for name, column in columns.items():
        if name in lost:
            lines += [f"# Commented out: {_line(lost[name])}"]
            lines += ["# [[column]]", *(f"# {text}" for text in column), ""]
        else:
            lines += ["[[column]]", *column, ""]
    return "\n".join(lines)


def _study_text(p: Proposal, name: str, source: str, panel_file: str) -> str:
    """``study.toml`` with the reasons as comments."""
    label = p.labels.get(p.outcome.name) or p.outcome.name
    lines = [
        f"# Made by bayesdid new-study from {_line(source)}. Every line is a proposal: change it.",
        "schema_version = 1",
        "",
        "[study]",
        f"id = {_text(re.sub(r'[^A-Za-z0-9_]', '_', name))}",
        f"title = {_text(name.replace('_', ' '))}",
        f"citation = {_text(f'The panel {source}')}",
        "",
        f"# {_line(p.outcome.reason)}",
        "[outcome]",
        f"column = {_text(p.outcome.name)}",
        f"label = {_text(label)}",
        f"unit = {_text(f'units of {p.outcome.name}')}",
        'better = "lower"  # or "higher": the direction in which a treatment is meant to move it',
        *(["minimum = 0  # it holds counts"] if p.counts else []),
        "",
        "[panel]",
        f"unit = {_text(p.keys.unit.name)}  # {_line(p.keys.unit.reason)}",
        f"period = {_text(p.keys.period.name)}  # {_line(p.keys.period.reason)}",
        f"path = {_text(panel_file)}",
    ]
    if p.sheet is not None:
        lines.append(f"sheet = {_text(p.sheet)}")
    if p.missing_marks:
        lines.append(f"missing_marks = [{', '.join(map(_text, p.missing_marks))}]")
    if p.coordinates:
        lines += [f"longitude = {_text(p.coordinates[0])}", f"latitude = {_text(p.coordinates[1])}"]
    for policy in p.policies:
        lines += [
            "",
            f"# {_line(policy.reason)}",
            "[[policy]]",
            f"id = {_text(policy.id)}",
            f"label = {_text(policy.label)}",
            f"{policy.by} = {_text(policy.column)}",
        ]
        if policy.parts:
            lines.append(
                f"cut = 0.5  # {many(policy.parts, 'row')} between 0 and 1: say from which value "
                "on it counts as adopted"
            )
        if policy.gaps:
            lines.append(
                f'missing = "drop"  # {many(policy.gaps, "row")} without a value: fill them in, or '
                "they are left out"
            )
    for group in p.groups:
        levels = ", ".join(f"{_text(level)} = {_text(level)}" for level in group.levels)
        lines += [
            "",
            f"# {_line(group.reason)}",
            "[[group]]",
            f"column = {_text(group.name)}",
            f"label = {_text(p.labels.get(group.name) or group.name)}",
            f"levels = {{ {levels} }}",
        ]
    for guess in (*p.doses, *p.covariates):
        lines += [
            "",
            *([f"# {_line(guess.reason)}"] if guess in p.doses else []),
            "[[variable]]",
            f"column = {_text(guess.name)}",
            f"label = {_text(p.labels.get(guess.name) or guess.name)}",
        ]
    if p.covariates:
        lines += [
            "",
            "# A covariate that a treatment changes takes up part of its effect: leave it out.",
            "[covariate_sets]",
            f"controls = [{', '.join(_text(quoted(guess.name)) for guess in p.covariates)}]",
        ]
    if p.left:
        lines += ["", "# Left out:"]
        lines += [f"#   {_line(guess.name)}: {_line(guess.reason)}" for guess in p.left]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A string of TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(text: str) -> str:
    """Text of a comment: one line without control characters."""
    return "".join(c if c.isprintable() else " " for c in text)
