"""Analyses: on the page what each found and one figure; all tables and peers in the supplement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.report.analysis_figures import analysis_figure
from bayesdid.report.document.blocks import Block, Cell, Figure, Fold, Heading, Table, Text, ref
from bayesdid.report.model_words import short_title
from bayesdid.report.sections.part import Part, Results
from bayesdid.report.text import probability, significant
from bayesdid.summary import is_chance

_PICTURES = 1  # a section of the page draws


def analyses(results: Results) -> list[Part]:
    """A part for each section of families, in their order."""
    found = {item["spec"]: item for item in results["analyses"]}
    return [
        _part(section, [found[spec] for spec in section["specs"]], bool(results["synthetic"]))
        for section in results["sections"]
    ]


def _part(section: Mapping[str, Any], items: list[Mapping[str, Any]], synthetic: bool) -> Part:
    main: list[Block] = []
    more: list[Block] = [Text(section["lead"])] if section["lead"] else []
    drawn = 0
    for item in items:
        key = f"analysis-{item['spec']}"
        more += _whole(item, key, synthetic)
        if not item["converged"]:
            main.append(Text(f"{short_title(item['title'])}: {NO_RESULT}", "stamp"))
            continue
        said = item["sentences"][:1]
        with_figure = item["figures"] and drawn < _PICTURES
        more_at = f"More: {ref(key)}."
        if with_figure:
            drawn += 1
            figure = item["figures"][0]
            main.append(
                Figure(
                    f"{key}-page",
                    analysis_figure(figure, synthetic),
                    " ".join([f"{short_title(item['title'])}.", *said]),
                    f"{_ended(figure['caption'])} {more_at}",
                    synthetic,
                )
            )
        else:
            main.append(Text(" ".join([f"{short_title(item['title'])}.", *said, more_at])))
    return Part(section["key"], section["heading"], tuple(main), tuple(more), of_panel=True)


NO_RESULT = "the fit behind this analysis did not pass its gate: no result is shown."


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _whole(item: Mapping[str, Any], key: str, synthetic: bool) -> list[Block]:
    blocks: list[Block] = [Heading(short_title(item["title"]), key)]
    if not item["converged"]:
        return [*blocks, Text(NO_RESULT.capitalize(), "stamp")]
    if item["failed"]:
        blocks.append(
            Text(f"Did not converge and is left out: {', '.join(item['failed'])}.", "stamp")
        )
    blocks += [Text(s) for s in item["sentences"]]
    blocks += [
        Figure(
            f"{key}-{k}",
            analysis_figure(figure, synthetic),
            item["sentences"][0] if k == 0 and item["sentences"] else "",
            _ended(figure["caption"]),
            synthetic,
        )
        for k, figure in enumerate(item["figures"])
    ]
    tables: list[Block] = [
        Table(
            f"{key}-t{k}",
            table["caption"],
            tuple(table["columns"]),
            tuple(tuple(map(cell, row, table["columns"])) for row in table["rows"]),
        )
        for k, table in enumerate(item["tables"])
    ]
    if item["peers"]:
        tables.append(_peers(item["peers"], key))
    notes = [Text(note, "soft") for note in item["notes"]]
    if tables or notes:
        blocks.append(
            Fold(
                "Tables and independent estimates" if item["peers"] else "Tables", (*tables, *notes)
            )
        )
    return blocks


def cell(value: Any, heading: str = "") -> str:
    """A value of a table as text; under ``P(...)`` it is a probability."""
    if value is None:
        return "–"
    if is_chance(heading) and isinstance(value, int | float):
        return probability(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return significant(value)


def _peers(peers: list[Mapping[str, Any]], key: str) -> Table:
    rows: list[tuple[str | Cell, ...]] = []
    for p in peers:
        agrees: str | Cell = "–"
        if p["tolerance"] is not None:
            agrees = "and does" if p["holds"] else Cell("but does not", "contradiction")
        rows.append(
            (
                p["quantity"],
                f"{cell(p['mean'])} ({cell(p['sd'])})",
                f"{cell(p['estimate'])} ({cell(p['se'])})",
                p["estimator"],
                agrees,
            )
        )
    return Table(
        f"{key}-peers",
        "Beside independent estimates of the same quantity.",
        ("quantity", "posterior (sd)", "peer (SE)", "by", "must agree"),
        tuple(rows),
        frozenset({0, 3, 4}),
        "“Must agree” where theory says that the two are one number, to rounding or Monte Carlo "
        "error.",
    )
