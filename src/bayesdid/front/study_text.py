"""A proposed study as the text of its two files: every line with its reason as a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from bayesdid.front.policies import products_told
from bayesdid.front.proposal import Proposal
from bayesdid.notebook import many
from bayesdid.study.derived import quoted


def say_treatments(lines: list[str], kept: Sequence[str], without: str) -> None:
    """Leave in the lines of a column the treatments that are kept, and say which are not."""
    place = next(k for k, line in enumerate(lines) if line.startswith("treatments = "))
    lines[place] = (
        f"treatments = [{', '.join(map(_text, kept))}]  # this panel does not identify "
        f"{_line(without)}"
    )


def columns_of_specs(p: Proposal) -> dict[str, list[str]]:
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


def specs_text(columns: Mapping[str, list[str]], lost: Mapping[str, str]) -> str:
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


def question(p: Proposal) -> str:
    """What a report of this study answers, one sentence."""
    names = [policy.label for policy in p.policies]
    names = names or [p.labels.get(guess.name) or guess.name for guess in p.doses]
    several = " and ".join([", ".join(names[:-1])] * (len(names) > 1) + names[-1:])
    if len(p.policies) > 1:
        number = "the two" if len(names) == 2 else "each"
        return f"Do {several} together do more than {number} alone would, added up?"
    outcome = p.labels.get(p.outcome.name) or p.outcome.name
    return f"What is the effect of {several} on {outcome}?"


def study_text(p: Proposal, name: str, source: str, panel_file: str) -> str:
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
        f"question = {_text(question(p))}",
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
