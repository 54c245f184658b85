"""``bayesdid families``: what a column's family may be, which fields it reads, its options."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="A family. Default: all of them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Families of specs: what each answers, the fields it reads, its options."""
    from bayesdid.cli.console import print_json
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.discover import families
    from bayesdid.families.registry.docs import reading_order

    known = families()
    if name is not None and name not in known:
        raise InputError("no such family", value=name, remedy=f"use one of {', '.join(known)}")
    chosen = [known[name]] if name is not None else reading_order(known.values())
    if as_json:
        print_json([_facts(family) for family in chosen])
    elif name is not None:
        _print_one(_facts(chosen[0]))
    else:
        _print_all([_facts(family) for family in chosen])


def _facts(family: Any) -> dict[str, Any]:
    from dataclasses import asdict

    from bayesdid.families.registry.describe import option_texts

    return {
        "family": family.name,
        "question": family.question.replace("`", ""),
        "checked_against": family.checked.replace("`", ""),
        "treatments": family.treatments.replace("`", ""),
        "reads": sorted(family.reads),
        "run_by": [
            command
            for command, does in (("fit", family.fitted), ("analyse", family.has_analysis))
            if does
        ],
        "section": family.section.heading,
        "options": [asdict(text) for text in option_texts(family.options)],
    }


def _print_all(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out

    table = Table()
    for heading in ("family", "run by", "question", "options"):
        table.add_column(heading, no_wrap=heading == "family", overflow="fold")
    for row in rows:
        options = ", ".join(option["name"] for option in row["options"])
        table.add_row(row["family"], ", ".join(row["run_by"]) or "–", row["question"], options)
    out.print(table)


def _print_one(facts: dict[str, Any]) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out

    out.print(f"{facts['family']}: {facts['question']}")
    out.print(f"Run by: {', '.join(facts['run_by']) or 'nothing; audited'}")
    out.print(f"Checked against: {facts['checked_against']}")
    out.print(f"Treatments: {facts['treatments']}")
    out.print(f"Fields read: {', '.join(facts['reads']) or 'none'}")
    out.print(f"In the report: {facts['section']}")
    if not facts["options"]:
        out.print("No options")
        return
    table = Table()
    for heading in ("option", "takes", "default", ""):
        table.add_column(heading, overflow="fold")
    for option in facts["options"]:
        default = "needed" if option["required"] else option["default"]
        table.add_row(option["name"], option["takes"], default, option["description"])
    out.print(table)
